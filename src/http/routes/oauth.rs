//! Tokens: OAuth 2.0 client credentials.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    post,
    web::{Data, Payload},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use metrics::counter;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    auth::{Error, gate::Gate, scope::ScopeSet, token::LIFETIME_SECONDS},
    http::{body, caller::handed_over},
    store::db::Db,
};

/// Registers the routes.
pub fn configure(config: &mut ServiceConfig<'_>) {
    config.service(create_token);
}

/// A request for a token (RFC 6749, section 4.4.2).
#[derive(Default, Deserialize, ToSchema)]
struct TokenRequest {
    /// Always `client_credentials`.
    #[schema(required = true, nullable = false, value_type = String, pattern = "^client_credentials$", example = "client_credentials")]
    grant_type: Option<String>,
    /// The scopes asked for, separated by spaces; all of the client's where it is left out.
    #[schema(
        nullable = false,
        max_length = 1000,
        pattern = "^([a-z_]+:[a-z]+( [a-z_]+:[a-z]+)*)?$",
        example = "models:read assessments:write"
    )]
    scope: Option<String>,
    /// The client's id, where it does not come by HTTP Basic.
    #[schema(nullable = false, pattern = "^([0-9A-Fa-f-]{36})?$", max_length = 36)]
    client_id: Option<String>,
    /// The client's secret, where it does not come by HTTP Basic.
    #[schema(nullable = false, format = Password, max_length = 200)]
    client_secret: Option<String>,
}

/// An access token (RFC 6749, section 5.1).
#[derive(Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "that RFC calls them so")]
pub(in crate::http) struct Token {
    /// A JWT (RFC 9068).
    #[schema(max_length = 4096, pattern = r"^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$")]
    access_token: String,
    /// Always `Bearer`.
    #[schema(value_type = String, pattern = "^Bearer$", example = "Bearer")]
    token_type: &'static str,
    /// For how many seconds it counts.
    #[schema(minimum = 1, maximum = 900, example = 900)]
    expires_in: i64,
    /// What it allows, separated by spaces.
    #[schema(
        max_length = 1000,
        pattern = "^[a-z_: ]*$",
        example = "models:read assessments:write"
    )]
    scope: String,
}

/// Why there is no token (RFC 6749, section 5.2).
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct TokenError {
    /// What went wrong, as that RFC names it.
    #[schema(value_type = String, max_length = 60, pattern = "^[a-z_]+$", example = "invalid_client")]
    error: &'static str,
    /// The same in words.
    #[schema(value_type = String, max_length = 1000)]
    error_description: &'static str,
}

/// The path of the token endpoint, which alone answers in RFC 6749's own form.
pub const TOKEN_ENDPOINT: &str = "/v1/oauth/token";

const FORM: &str = "application/x-www-form-urlencoded";

/// The answer that is no token, in this endpoint's own form.
struct Refusal(StatusCode, TokenError, Option<String>);

impl Refusal {
    fn new(status: u16, error: &'static str, error_description: &'static str) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
        Self(
            status,
            TokenError {
                error,
                error_description,
            },
            None,
        )
    }

    fn response(self) -> HttpResponse {
        let Self(status, error, retry_after) = self;
        let mut response = HttpResponse::build(status);
        response.insert_header((header::CACHE_CONTROL, "no-store"));
        if status == StatusCode::UNAUTHORIZED {
            response.insert_header((
                header::WWW_AUTHENTICATE,
                "Basic realm=\"meaningful-connections\", charset=\"UTF-8\"",
            ));
        }
        if let Some(seconds) = retry_after {
            response.insert_header((header::RETRY_AFTER, seconds));
        }
        response.json(error)
    }
}

impl From<Error> for TokenError {
    fn from(error: Error) -> Self {
        Refusal::from(error).1
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let later = |refusal: Self, seconds: i64| Self(refusal.0, refusal.1, Some(seconds.to_string()));
        match error {
            Error::InvalidClient | Error::InvalidToken(_) => Self::new(
                401,
                "invalid_client",
                "The client is unknown, or its secret is another.",
            ),
            Error::InvalidScope => Self::new(
                400,
                "invalid_scope",
                "A scope is unknown, or beyond what the client may do.",
            ),
            Error::TooManyFailures { retry_after_seconds } => later(
                Self::new(429, "temporarily_unavailable", "Too many failed attempts."),
                retry_after_seconds,
            ),
            Error::Unavailable | Error::Overloaded | Error::Store(_) => later(
                Self::new(503, "temporarily_unavailable", "The service cannot answer now."),
                2,
            ),
        }
    }
}

/// Get an access token.
///
/// OAuth 2.0 client credentials (RFC 6749, section 4.4), by HTTP Basic or in the form. Errors have the form of that RFC.
#[utoipa::path(
    tag = "Access",
    request_body(content = TokenRequest, content_type = "application/x-www-form-urlencoded", example = json!({
        "grant_type": "client_credentials", "scope": "models:read assessments:write"
    })),
    responses(
        (status = 200, description = "The token", body = Token),
        (status = 400, description = "The request is wrong", body = TokenError),
        (status = 401, description = "The client is unknown, or its secret is another", body = TokenError),
        (status = 429, description = "Too many failed attempts", body = TokenError),
        (status = 503, description = "The service cannot answer now", body = TokenError),
    ),
    security(("basic" = []), ()),
)]
#[post("/v1/oauth/token")]
async fn create_token(request: HttpRequest, payload: Payload, db: Data<Db>, gate: Data<Gate>) -> HttpResponse {
    match token(&request, payload, &db, &gate).await {
        Ok(token) => {
            counter!("auth_tokens_issued_total").increment(1);
            HttpResponse::Ok()
                .insert_header((header::CACHE_CONTROL, "no-store"))
                .json(token)
        }
        Err(refusal) => {
            let reason = if refusal.0 == StatusCode::TOO_MANY_REQUESTS {
                "too_many_failures"
            } else {
                refusal.1.error
            };
            counter!("auth_tokens_refused_total", "reason" => reason).increment(1);
            refusal.response()
        }
    }
}

async fn token(request: &HttpRequest, payload: Payload, db: &Db, gate: &Gate) -> Result<Token, Refusal> {
    let malformed = |why| Refusal::new(400, "invalid_request", why);
    if !request.query_string().is_empty() {
        return Err(malformed("Parameters come in the form, never in the URL."));
    }
    body::media_type(request, &[FORM.to_owned()])
        .map_err(|_| malformed("The body must be application/x-www-form-urlencoded."))?;
    let bytes = body::collect(request, payload.into_inner())
        .await
        .map_err(|_| malformed("The body is too large."))?;
    let form: TokenRequest = serde_urlencoded::from_bytes(&bytes).map_err(|_| malformed("The form cannot be read."))?;
    match form.grant_type.as_deref() {
        Some("client_credentials") => {}
        Some(_) => return Err(Refusal::new(400, "unsupported_grant_type", "Only client_credentials.")),
        None => return Err(malformed("grant_type is missing.")),
    }
    let (id, secret) = credentials(request, form.client_id, form.client_secret.map(SecretString::from))?;
    let Some(peer) = request.peer_addr() else {
        return Err(malformed("The address of the caller is not known."));
    };
    let (sender, receiver) = oneshot::channel();
    gate.authenticate(&id, secret, peer.ip(), move |outcome| drop(sender.send(outcome)));
    let client = handed_over(receiver).await.ok_or(Error::Unavailable)??;
    let scopes = client.narrow(form.scope.as_deref())?;
    let access_token = gate.issue(client.client, client.organisation, scopes, db.now())?;
    Ok(Token::new(access_token, scopes))
}

impl Token {
    /// This token, and what it allows.
    pub(in crate::http) fn new(access_token: String, scopes: ScopeSet) -> Self {
        Self {
            access_token,
            token_type: "Bearer",
            expires_in: LIFETIME_SECONDS,
            scope: scopes.to_string(),
        }
    }
}

/// The client's id and secret: by HTTP Basic or in the form, one of the two (RFC 6749, section 2.3.1).
fn credentials(
    request: &HttpRequest,
    id: Option<String>,
    secret: Option<SecretString>,
) -> Result<(String, SecretString), Refusal> {
    let unknown = || Refusal::from(Error::InvalidClient);
    let Some(basic) = request.headers().get(header::AUTHORIZATION) else {
        return id.zip(secret).ok_or_else(unknown);
    };
    if secret.is_some() {
        return Err(Refusal::new(
            400,
            "invalid_request",
            "Authenticate by HTTP Basic or in the form, not both.",
        ));
    }
    let (scheme, encoded) = basic
        .to_str()
        .ok()
        .and_then(|basic| basic.split_once(' '))
        .ok_or_else(unknown)?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(unknown());
    }
    let decoded = STANDARD
        .decode(encoded.trim())
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok());
    let decoded = decoded.ok_or_else(unknown)?;
    let (user, password) = decoded.split_once(':').ok_or_else(unknown)?;
    // What has no value counts as left out (RFC 6749, section 3.2).
    if id.is_some_and(|id| !id.is_empty() && id != user) {
        return Err(Refusal::new(
            400,
            "invalid_request",
            "The form names another client than HTTP Basic.",
        ));
    }
    // Both are form-encoded before they are joined, as that section says; ours have nothing to encode.
    Ok((user.to_owned(), password.to_owned().into()))
}
