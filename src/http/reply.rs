//! Replies: rendered where the transaction still stands, sent after it was committed.

use actix_web::{
    HttpRequest, HttpResponse, Responder,
    body::BoxBody,
    http::{
        StatusCode,
        header::{self, HeaderValue},
    },
    web::Bytes,
};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    domain::{digest::Digest, id::OrganisationId},
    service::Revised,
    store::idempotency::Answer,
};

/// The media type of everything that has no better one.
pub const JSON: &str = "application/json";

/// Who may keep an answer, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caching {
    /// Ask again each time, with `If-None-Match`; only the caller's own cache may keep it.
    Ask,
    /// It never changes, and everybody may see it.
    ForEveryone,
    /// It never changes, and only the caller's organisation may see it.
    ForCaller,
    /// Nobody keeps it.
    Never,
}

impl Caching {
    /// Of something made of a published version, by the owner of its model.
    pub fn of(owner: OrganisationId) -> Self {
        if owner.is_nil() {
            Self::ForEveryone
        } else {
            Self::ForCaller
        }
    }

    const fn header(self) -> &'static str {
        match self {
            Self::Ask => "private, no-cache",
            Self::ForEveryone => "public, max-age=31536000, immutable",
            Self::ForCaller => "private, max-age=31536000, immutable",
            Self::Never => "no-store",
        }
    }
}

/// An answer, rendered.
#[derive(Debug, Clone)]
pub struct Reply {
    status: StatusCode,
    body: Bytes,
    /// What is remembered in place of the body, where that holds a secret.
    remembered: Option<Bytes>,
    content_type: Option<&'static str>,
    location: Option<String>,
    etag: Option<String>,
    caching: Caching,
    more: Vec<(&'static str, String)>,
    resource: Option<Uuid>,
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct List<T> {
    /// The items.
    #[schema(max_items = 200)]
    pub data: Vec<T>,
    /// Where the next page begins; `null` at the end.
    #[schema(required = true, max_length = 1000, pattern = "^[A-Za-z0-9_-]+$")]
    pub next_cursor: Option<String>,
}

impl Reply {
    /// These bytes.
    pub fn bytes(content_type: &'static str, body: impl Into<Bytes>) -> Self {
        Self {
            status: StatusCode::OK,
            body: body.into(),
            remembered: None,
            content_type: Some(content_type),
            location: None,
            etag: None,
            caching: Caching::Ask,
            more: Vec::new(),
            resource: None,
        }
    }

    /// A picture (SVG), which fetches nothing and runs nothing wherever it is opened.
    pub fn picture(svg: String) -> Self {
        Self::bytes("image/svg+xml", svg).with(
            "Content-Security-Policy",
            "default-src 'none'; style-src 'unsafe-inline'; sandbox",
        )
    }

    /// This value as JSON.
    pub fn json(value: &impl Serialize) -> Self {
        match serde_json::to_vec(value) {
            Ok(body) => Self::bytes(JSON, body),
            Err(error) => {
                tracing::error!(%error, "an answer cannot be written as JSON");
                Self {
                    status: StatusCode::INTERNAL_SERVER_ERROR,
                    ..Self::no_content()
                }
            }
        }
    }

    /// A resource as it stands, with its `ETag`.
    pub fn found<T: Serialize>(found: &Revised<T>) -> Self {
        Self {
            etag: Some(etag(found.revision, "")),
            ..Self::json(&found.shown)
        }
    }

    /// A sealed version, whose `ETag` is its digest.
    pub fn version(digest: Option<&Digest>, shown: &impl Serialize) -> Self {
        Self {
            etag: digest.map(|digest| format!("\"{}\"", digest.as_str())),
            ..Self::json(shown)
        }
    }

    /// Nothing to say.
    pub fn no_content() -> Self {
        Self {
            status: StatusCode::NO_CONTENT,
            content_type: None,
            ..Self::bytes(JSON, Bytes::new())
        }
    }

    /// The same, created here.
    #[must_use]
    pub fn created(self, location: String) -> Self {
        Self {
            status: StatusCode::CREATED,
            location: Some(location),
            ..self
        }
    }

    /// The same, about this resource: erasing that blanks the answer.
    #[must_use]
    pub fn about(self, resource: Uuid) -> Self {
        Self {
            resource: Some(resource),
            ..self
        }
    }

    /// The same, kept so.
    #[must_use]
    pub fn cached(self, caching: Caching) -> Self {
        Self { caching, ..self }
    }

    /// The same with this `ETag` (with its quotes).
    #[must_use]
    pub fn tagged(self, etag: String) -> Self {
        Self {
            etag: Some(etag),
            ..self
        }
    }

    /// The same with another header.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.more.push((name, value.into()));
        self
    }

    /// The same; what is remembered of it for a retry is this, without the secret.
    #[must_use]
    pub fn remembered_as(self, without_secret: &impl Serialize) -> Self {
        Self {
            remembered: serde_json::to_vec(without_secret).ok().map(Bytes::from),
            ..self
        }
    }

    /// How many bytes it has to send, headers aside.
    pub fn bytes_of_body(&self) -> usize {
        self.body.len()
    }

    /// What is kept for a request that comes twice.
    pub fn answer(&self) -> Answer {
        Answer {
            status: self.status.as_u16(),
            body: self.remembered.as_ref().unwrap_or(&self.body).to_vec(),
            content_type: self.content_type.map(ToOwned::to_owned),
            location: self.location.clone(),
            etag: self.etag.clone(),
            resource: self.resource,
        }
    }

    /// What was kept, sent again.
    pub fn replayed(answer: Answer) -> Self {
        Self {
            status: StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK),
            content_type: answer.content_type.map(|_| JSON),
            location: answer.location,
            etag: answer.etag,
            ..Self::bytes(JSON, answer.body)
        }
        .with("Idempotent-Replayed", "true")
    }

    fn is_known(&self, request: &HttpRequest) -> bool {
        let Some(etag) = &self.etag else { return false };
        let reads = request.method().is_safe() && self.status == StatusCode::OK;
        reads
            && request
                .headers()
                .get_all(header::IF_NONE_MATCH)
                .filter_map(|known| known.to_str().ok())
                .any(|known| {
                    known
                        .split(',')
                        .map(|tag| tag.trim().trim_start_matches("W/"))
                        .any(|tag| tag == "*" || tag == etag)
                })
    }
}

/// An `ETag`: the revision, and what tells representations of it apart.
pub fn etag(revision: i64, representation: &str) -> String {
    if representation.is_empty() {
        format!("\"{revision}\"")
    } else {
        format!("\"{revision}-{representation}\"")
    }
}

impl Responder for Reply {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        let known = self.is_known(request);
        let mut response = HttpResponse::build(if known { StatusCode::NOT_MODIFIED } else { self.status });
        response.insert_header((header::CACHE_CONTROL, self.caching.header()));
        if let Some(etag) = self.etag {
            response.insert_header((header::ETAG, etag));
        }
        if let Some(location) = self.location {
            response.insert_header((header::LOCATION, location));
        }
        for (name, value) in self.more {
            if let Ok(value) = HeaderValue::from_str(&value) {
                response.insert_header((name, value));
            }
        }
        if known {
            return response.finish();
        }
        match self.content_type {
            Some(content_type) => response.content_type(content_type).body(self.body),
            None => response.finish(),
        }
    }
}
