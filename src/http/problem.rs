//! Problem documents (RFC 9457): one table, and what becomes of every room's errors.

use std::{borrow::Cow, collections::BTreeMap};

use actix_web::{
    HttpResponse, ResponseError,
    http::{
        StatusCode,
        header::{self, HeaderName, HeaderValue},
    },
};
use serde::Serialize;
use utoipa::{
    IntoResponses, PartialSchema, ToSchema,
    openapi::{Ref, RefOr, Response, Schema},
};
use uuid::Uuid;

use crate::{
    auth,
    domain::fault::{Broken, Fault, MOST_FAULTS},
    service,
    store::{self, error::Taken},
};

/// The media type of problem documents.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// A kind of problem: its code, its status, its title, and what there is to say about it under `/problems/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// Stable `snake_case`.
    pub code: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// The same for every problem of the kind.
    pub title: &'static str,
    /// What it means, and what to do.
    pub explanation: &'static str,
}

macro_rules! problems {
    ($($name:ident = $code:literal $status:literal $title:literal $explanation:literal;)*) => {
        $(
            #[doc = $title]
            pub const $name: Kind = Kind { code: $code, status: $status, title: $title, explanation: $explanation };
        )*
        /// Every kind of problem.
        pub const KINDS: &[Kind] = &[$($name),*];
    };
}

problems! {
    MALFORMED_JSON = "malformed_json" 400 "The body is not JSON" "Send one JSON value in UTF-8, nested at most 127 deep, without lone surrogates.";
    INVALID_PARAMETER = "invalid_parameter" 400 "A parameter of the URL is wrong" "Every parameter at fault is listed. Parameters that an operation does not name are refused.";
    INVALID_CURSOR = "invalid_cursor" 400 "The cursor does not belong to this list" "A cursor works only with the filters and the organisation it was made for; begin again without one.";
    INVALID_HEADER = "invalid_header" 400 "A header cannot be read" "The detail names the header.";
    INVALID_TOKEN = "invalid_token" 401 "No valid access token" "Ask for one at the token endpoint, and send it as `Authorization: Bearer …`. Tokens last 15 minutes.";
    INSUFFICIENT_SCOPE = "insufficient_scope" 403 "The token lacks a scope" "The detail names the scope that the operation needs.";
    READ_ONLY = "read_only" 403 "Nobody may change this" "Public models and built-in perspectives do not change; make your own.";
    NOT_FOUND = "not_found" 404 "No such thing" "It does not exist, or it belongs to another organisation; nobody can tell which.";
    METHOD_NOT_ALLOWED = "method_not_allowed" 405 "The resource has no such method" "The Allow header lists the methods there are.";
    NOT_ACCEPTABLE = "not_acceptable" 406 "No representation that you accept" "The operation's documentation lists the media types there are.";
    REQUEST_TIMEOUT = "request_timeout" 408 "The request took too long to arrive" "Send it again, faster.";
    INVALID_TRANSITION = "invalid_transition" 409 "The resource is not in a state that allows this" "The detail says what stands in the way.";
    NOT_A_DRAFT = "not_a_draft" 409 "There is no open draft" "What is sealed does not change. Amend first: that opens the next draft.";
    MODEL_RETIRED = "model_retired" 409 "The model is retired" "A retired model takes no new assessments; drafts that are open may still be submitted.";
    SLUG_TAKEN = "slug_taken" 409 "The slug is taken" "Your organisation, or the service itself, has a resource of this kind with this slug.";
    EXTERNAL_ID_TAKEN = "external_id_taken" 409 "The external id is taken" "Another resource of this kind has this name in that system.";
    CONFLICT = "conflict" 409 "Another writer came between" "Load the resource again, and repeat.";
    IDEMPOTENCY_KEY_IN_USE = "idempotency_key_in_use" 409 "A request with this key is still running" "Wait, and send the same request again.";
    ERASED = "erased" 410 "What this answered about has been erased" "The request with this idempotency key was done; its result was erased since.";
    PRECONDITION_FAILED = "precondition_failed" 412 "The resource has changed" "Load it again, and repeat with its new ETag.";
    PAYLOAD_TOO_LARGE = "payload_too_large" 413 "The body is too large" "A body has at most 1 MiB.";
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type" 415 "The body has a media type that the operation does not take" "The detail lists those it takes. Bodies are sent without content coding.";
    INVALID = "invalid" 422 "The body is wrong" "Every fault is listed with a JSON Pointer to where it stands.";
    INCOMPLETE = "incomplete" 422 "The assessment is not complete" "Every element needs a current and a desired level, or `not_applicable`; all that is missing is listed.";
    UNKNOWN_REFERENCE = "unknown_reference" 422 "The body refers to something that is not there" "Every such reference is listed with its pointer.";
    NOT_SUBMITTED = "not_submitted" 422 "An assessment cannot be analysed" "Only assessments that were submitted and are not withdrawn are analysed.";
    DUPLICATE = "duplicate" 422 "Something is named twice" "Every repetition is listed with its pointer.";
    NO_INPUTS = "no_inputs" 422 "There is nothing to analyse" "No submitted assessment meets the request.";
    TOO_MANY_INPUTS = "too_many_inputs" 422 "Too many assessments" "One analysis takes at most 10,000.";
    TOO_MANY_PERSPECTIVES = "too_many_perspectives" 422 "Too many perspectives" "One analysis compares at most 20.";
    MIXED_MODEL_VERSIONS = "mixed_model_versions" 422 "The assessments rate different model versions" "All inputs of an analysis share one model version; migrate the others first.";
    IDEMPOTENCY_KEY_REUSED = "idempotency_key_reused" 422 "The idempotency key was used for another request" "Use a new key for every new request.";
    PRECONDITION_REQUIRED = "precondition_required" 428 "The request must say which revision it is for" "Send `If-Match` with the ETag of the resource as you loaded it.";
    TOO_MANY_REQUESTS = "too_many_requests" 429 "Too many failed attempts" "Wait for as long as Retry-After says.";
    HEADERS_TOO_LARGE = "headers_too_large" 431 "The headers are too large" "Send fewer or shorter headers.";
    INTERNAL = "internal" 500 "Something went wrong here" "It is our fault, and has been logged under the request id.";
    UNAVAILABLE = "unavailable" 503 "The service cannot answer now" "Nothing was changed, unless the detail says otherwise. Try again after as many seconds as Retry-After says; an idempotency key makes that safe.";
    DRAINING = "draining" 503 "The service is about to end" "It was told to end, and goes on answering for a moment: ask another copy, or this one once it has started again.";
}

/// The kinds that a body's faults may amount to, where all of them are of that kind.
const OF_FAULTS: &[Kind] = &[
    UNKNOWN_REFERENCE,
    NOT_SUBMITTED,
    DUPLICATE,
    NO_INPUTS,
    TOO_MANY_INPUTS,
    TOO_MANY_PERSPECTIVES,
    MIXED_MODEL_VERSIONS,
];

/// A problem, on its way to the caller.
#[derive(Debug, Clone)]
pub struct Problem {
    kind: &'static Kind,
    detail: Cow<'static, str>,
    faults: Vec<Fault>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    /// A problem of this kind.
    pub fn new(kind: &'static Kind, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            faults: Vec::new(),
            headers: Vec::new(),
        }
    }

    /// The same with these faults, as many as one answer lists.
    #[must_use]
    pub fn with_faults(self, mut faults: Vec<Fault>) -> Self {
        faults.truncate(MOST_FAULTS);
        Self { faults, ..self }
    }

    /// The same with this header.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((name, value));
        }
        self
    }

    /// No such thing.
    pub fn not_found(what: &str) -> Self {
        Self::new(&NOT_FOUND, format!("There is no such {what}."))
    }

    /// The service cannot answer now.
    pub fn unavailable() -> Self {
        Self::new(&UNAVAILABLE, "The database does not answer.").with_header(header::RETRY_AFTER, "2")
    }

    /// The service cannot say what became of a write.
    pub fn fate_unknown() -> Self {
        let detail = "The database stopped answering at the end of the write: it may have been done. \
                      Repeat it with the same idempotency key, or look first.";
        Self::new(&UNAVAILABLE, detail).with_header(header::RETRY_AFTER, "2")
    }

    /// No valid token, and why (RFC 6750, section 3).
    pub fn unauthorized(reason: Option<&str>) -> Self {
        let reason = reason.map(|reason| reason.trim_end_matches('.'));
        let challenge = match reason {
            None => "Bearer".to_owned(),
            Some(reason) => format!("Bearer error=\"invalid_token\", error_description=\"{reason}\""),
        };
        let detail = reason.map_or("The request has no access token.".to_owned(), |reason| {
            format!("{reason}.")
        });
        Self::new(&INVALID_TOKEN, detail).with_header(header::WWW_AUTHENTICATE, &challenge)
    }

    /// The token lacks this scope (RFC 6750, section 3).
    pub fn insufficient_scope(scope: &str) -> Self {
        Self::new(&INSUFFICIENT_SCOPE, format!("The operation needs the scope {scope}.")).with_header(
            header::WWW_AUTHENTICATE,
            &format!("Bearer error=\"insufficient_scope\", scope=\"{scope}\""),
        )
    }

    /// Whether there is no such thing.
    pub fn is_not_found(&self) -> bool {
        self.kind == &NOT_FOUND
    }

    /// The document, and its status and headers.
    pub fn response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        for (name, value) in &self.headers {
            response.insert_header((name.clone(), value.clone()));
        }
        response
            .content_type(MEDIA_TYPE)
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .json(Document {
                r#type: format!("/problems/{}", self.kind.code),
                title: self.kind.title,
                status: self.kind.status,
                detail: &self.detail,
                instance: format!("urn:uuid:{}", Uuid::now_v7()),
                code: self.kind.code,
                errors: &self.faults,
            })
    }
}

/// A problem document (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
struct Document<'a> {
    /// What kind of problem: a URI that answers with an explanation.
    #[schema(format = "uri-reference", max_length = 200, example = "/problems/not_found")]
    r#type: String,
    /// The kind in words; the same for every problem of the kind.
    #[schema(example = "No such thing", max_length = 200)]
    title: &'a str,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599, example = 404)]
    status: u16,
    /// This problem in words.
    #[schema(example = "There is no such assessment.", max_length = 4000)]
    detail: &'a str,
    /// This occurrence, to find it in the logs.
    #[schema(
        format = "uri",
        max_length = 45,
        example = "urn:uuid:01890a5d-ac96-774b-bcce-b302099a8057"
    )]
    instance: String,
    /// What kind of problem, as a stable word.
    #[schema(example = "not_found", max_length = 60, pattern = "^[a-z][a-z0-9_]*$")]
    code: &'a str,
    /// All faults of the request, each with a JSON Pointer; of more than 1,000, the first.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schema(max_items = 100_000)]
    errors: &'a [Fault],
}

impl PartialSchema for Problem {
    fn schema() -> RefOr<Schema> {
        Document::schema()
    }
}

impl ToSchema for Problem {
    fn name() -> Cow<'static, str> {
        "Problem".into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        Document::schemas(schemas);
    }
}

/// Every operation may answer with a problem; which ones it can meet is worked out when the document is finished.
impl IntoResponses for Problem {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        BTreeMap::from([(
            "default".to_owned(),
            RefOr::Ref(Ref::new("#/components/responses/Problem")),
        )])
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.kind.code, self.detail)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.kind.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        self.response()
    }
}

impl From<Broken> for Problem {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Invalid(faults) => {
                let code = faults.first().map(|fault| fault.code);
                let same = faults.iter().all(|fault| Some(fault.code) == code);
                let kind = OF_FAULTS.iter().find(|kind| same && code == Some(kind.code));
                Self::new(
                    kind.unwrap_or(&INVALID),
                    format!("The request has {} fault(s).", faults.len()),
                )
                .with_faults(faults)
            }
            Broken::Incomplete(missing) => {
                Self::new(&INCOMPLETE, format!("{} rating(s) are missing.", missing.len())).with_faults(missing)
            }
            Broken::InvalidTransition(detail) => Self::new(&INVALID_TRANSITION, detail),
            Broken::BaselineNotRevealed(_) => Self::new(&INVALID_TRANSITION, broken.to_string()),
            Broken::NotADraft(detail) => Self::new(&NOT_A_DRAFT, detail),
            Broken::ModelRetired => Self::new(&MODEL_RETIRED, "The model takes no new assessments."),
            Broken::ReadOnly(detail) => Self::new(&READ_ONLY, detail),
        }
    }
}

impl From<store::error::Error> for Problem {
    fn from(error: store::error::Error) -> Self {
        use store::error::Error;
        match error {
            Error::Unavailable => Self::unavailable(),
            Error::FateUnknown => Self::fate_unknown(),
            Error::Overloaded => {
                Self::new(&UNAVAILABLE, "Too much work is waiting already.").with_header(header::RETRY_AFTER, "1")
            }
            Error::Contended => Self::new(&CONFLICT, "Another writer came between, several times."),
            Error::StillRunning => Self::new(&IDEMPOTENCY_KEY_IN_USE, "The first request with this key still runs."),
            Error::LockTimeout => Self::new(&UNAVAILABLE, "Another request holds this for too long.")
                .with_header(header::RETRY_AFTER, "1"),
            Error::Taken(Taken::Slug) => Self::new(&SLUG_TAKEN, "This slug is taken."),
            Error::Taken(Taken::ExternalId) => Self::new(&EXTERNAL_ID_TAKEN, "One of the external ids is taken."),
            Error::Taken(Taken::Version) => Self::new(&CONFLICT, "Another writer sealed this version."),
            error @ (Error::Taken(Taken::Other)
            | Error::Corrupt(_)
            | Error::BadUrl(_)
            | Error::Migration(_)
            | Error::Panicked) => {
                tracing::error!(%error, "internal error");
                Self::new(&INTERNAL, "Something went wrong here.")
            }
        }
    }
}

impl From<service::Error> for Problem {
    fn from(error: service::Error) -> Self {
        use service::Error;
        match error {
            Error::NotFound(what) => Self::not_found(what),
            Error::PreconditionRequired => Self::new(&PRECONDITION_REQUIRED, "Send If-Match."),
            Error::PreconditionFailed => Self::new(&PRECONDITION_FAILED, "The ETag is not that of the resource."),
            Error::Broken(broken) => broken.into(),
            Error::Store(error) => error.into(),
            Error::InputsChanged => Self::new(&CONFLICT, "The assessments changed while they were analysed."),
        }
    }
}

impl From<auth::Error> for Problem {
    fn from(error: auth::Error) -> Self {
        use auth::Error;
        match error {
            Error::InvalidToken(reason) => Self::unauthorized(Some(reason)),
            Error::InvalidClient => Self::unauthorized(Some("The client is unknown")),
            Error::InvalidScope => Self::new(&INSUFFICIENT_SCOPE, "The client does not have this scope."),
            Error::TooManyFailures { retry_after_seconds } => {
                Self::new(&TOO_MANY_REQUESTS, "Too many failed attempts.")
                    .with_header(header::RETRY_AFTER, &retry_after_seconds.to_string())
            }
            Error::Unavailable => Self::unavailable(),
            Error::Overloaded => Self::from(store::error::Error::Overloaded),
            Error::Store(error) => error.into(),
        }
    }
}
