//! What is logged of a request: ids and operations, nothing personal.

use actix_web::{
    Error, HttpMessage, HttpRequest,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    error::InternalError,
    http::{
        Method,
        header::{HeaderName, HeaderValue},
    },
    middleware::Next,
};
use tracing::{Span, field::Empty};
use tracing_actix_web::RootSpanBuilder;
use uuid::Uuid;

use crate::auth::token::Claims;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id of a request: the caller's own, or a new one.
#[derive(Debug, Clone)]
struct RequestId(HeaderValue);

impl RequestId {
    fn of(request: &ServiceRequest) -> Self {
        let given = request
            .headers()
            .get(&REQUEST_ID)
            .filter(|id| (1..=128).contains(&id.len()) && id.as_bytes().iter().all(u8::is_ascii_graphic));
        let made = || HeaderValue::from_str(&Uuid::now_v7().to_string()).unwrap_or(HeaderValue::from_static("-"));
        Self(given.cloned().unwrap_or_else(made))
    }
}

/// Gives every request an id, and every answer the id of its request.
pub async fn request_id<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let id = RequestId::of(&request);
    request.extensions_mut().insert(id.clone());
    match next.call(request).await {
        Ok(mut response) => {
            response.headers_mut().insert(REQUEST_ID, id.0);
            Ok(response)
        }
        Err(error) => {
            let mut response = error.error_response();
            response.headers_mut().insert(REQUEST_ID, id.0);
            Err(InternalError::from_response(error, response).into())
        }
    }
}

/// The span of a request: its id, its operation, and (once known) its organisation and client.
pub struct Spans;

impl RootSpanBuilder for Spans {
    fn on_request_start(request: &ServiceRequest) -> Span {
        let id = request
            .extensions()
            .get::<RequestId>()
            .and_then(|id| id.0.to_str().ok().map(ToOwned::to_owned));
        tracing::info_span!(
            "request",
            request_id = id,
            trace_id = trace_id(request),
            method = method(request.method()),
            operation = request.match_pattern().unwrap_or_default(),
            organisation = Empty,
            client = Empty,
            status = Empty,
        )
    }

    fn on_request_end<B: MessageBody>(span: Span, outcome: &Result<ServiceResponse<B>, Error>) {
        let status = match outcome {
            Ok(response) => response.status(),
            Err(error) => error.as_response_error().status_code(),
        };
        span.record("status", status.as_u16());
        span.in_scope(|| tracing::info!("answered"));
    }
}

/// The methods that are counted and logged by name.
const METHODS: [Method; 7] = [
    Method::GET,
    Method::HEAD,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
    Method::OPTIONS,
];

/// The method's name. It can be any word; only those there are become labels and are logged, so that callers can neither
/// fill the memory with others nor say anything by them.
pub(super) fn method(given: &Method) -> &'static str {
    let known = METHODS.iter().find(|method| *method == given);
    known.map_or("other", Method::as_str)
}

/// The trace that the caller says this request belongs to (W3C Trace Context, section 3.2).
fn trace_id(request: &ServiceRequest) -> Option<String> {
    let given = request.headers().get("traceparent")?.to_str().ok()?;
    let mut parts = given.split('-');
    let (version, id, parent) = (parts.next()?, parts.next()?, parts.next()?);
    let is_hex =
        |text: &str, length| text.len() == length && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let is_valid = is_hex(version, 2) && version != "ff" && is_hex(id, 32) && is_hex(parent, 16);
    (is_valid && id.bytes().any(|digit| digit != b'0')).then(|| id.to_owned())
}

/// Adds to a request's span who calls.
pub(super) fn record_caller(request: &HttpRequest, claims: &Claims) {
    if let Some(span) = request.extensions().get::<tracing_actix_web::RootSpan>() {
        span.record("organisation", tracing::field::display(claims.organisation));
        span.record("client", tracing::field::display(claims.client));
    }
}
