//! What is seen of a request from outside: its id, one line in the log, one count, and a span where traces are wanted.
//! Ids and operations, nothing personal: no path, no query, no header but the request's id and the trace it belongs to.

use std::{
    cell::Cell,
    rc::Rc,
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use actix_web::{
    Error, HttpMessage, HttpRequest,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    error::InternalError,
    http::{
        Method, StatusCode,
        header::{HeaderMap, HeaderName, HeaderValue},
    },
    middleware::Next,
    web::Data,
};
use metrics::{Gauge, gauge};
use opentelemetry::{
    Context, KeyValue,
    propagation::{Extractor, TextMapPropagator},
    trace::{FutureExt, SpanKind, Status, TraceContextExt, TraceId, Tracer},
};
use opentelemetry_sdk::{propagation::TraceContextPropagator, trace::SdkTracer};
use tracing::{Span, field::display};
use tracing_actix_web::RootSpanBuilder;
use uuid::Uuid;

use super::operation::{Operation, Operations};
use crate::{
    auth::token::Claims,
    domain::id::{ClientId, OrganisationId},
};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
/// What takes longer than this is worth a warning.
const SLOW: Duration = Duration::from_secs(1);

/// What it takes to watch requests.
pub(super) struct Watch {
    pub(super) operations: Operations,
    in_flight: Gauge,
    /// Makes spans, where traces are wanted.
    tracer: OnceLock<SdkTracer>,
}

impl Watch {
    pub(super) fn new(operations: Operations) -> Self {
        Self {
            operations,
            in_flight: gauge!("http_requests_in_flight"),
            tracer: OnceLock::new(),
        }
    }

    /// From now on, makes spans; who makes them is said once.
    pub(super) fn trace(&self, tracer: SdkTracer) {
        drop(self.tracer.set(tracer));
    }
}

/// What is seen of one request.
struct Seen {
    watch: Data<Watch>,
    operation: Arc<Operation>,
    method: &'static str,
    id: HeaderValue,
    began: Instant,
    caller: Cell<Option<(OrganisationId, ClientId)>>,
    /// Whether nothing may say when the caller did what: a respondent without a name. What went well leaves no line.
    is_untimed: Cell<bool>,
    trace_id: Option<TraceId>,
    /// Its span, where traces are wanted.
    span: Option<Context>,
}

impl Seen {
    fn new(request: &ServiceRequest, watch: &Data<Watch>) -> Self {
        let operation = watch.operations.find(request.match_info().as_str(), request.method());
        let id = request_id(request.headers());
        let has_parent = request.headers().contains_key(TRACEPARENT);
        let parent = has_parent
            .then(|| TraceContextPropagator::new().extract_with_context(&Context::new(), &Headers(request.headers())));
        let method = method(request.method());
        let span = watch
            .tracer
            .get()
            .map(|tracer| span(tracer, operation, method, &id, parent.as_ref()));
        watch.in_flight.increment(1);
        Self {
            watch: watch.clone(),
            operation: operation.clone(),
            method,
            id,
            began: Instant::now(),
            caller: Cell::new(None),
            is_untimed: Cell::new(false),
            trace_id: span.as_ref().or(parent.as_ref()).and_then(trace_id),
            span,
        }
    }

    fn id(&self) -> &str {
        self.id.to_str().unwrap_or("-")
    }

    /// Counts the answer and writes the request's line.
    fn answered(&self, status: StatusCode, error: Option<&Error>) {
        let took = self.began.elapsed();
        self.operation.answered(status, took);
        let cause = error.filter(|_| status.is_server_error()).map(display);
        let caller = self.caller.get();
        if let Some(context) = &self.span {
            let span = context.span();
            span.set_attribute(KeyValue::new("http.response.status_code", i64::from(status.as_u16())));
            if let Some((organisation, client)) = caller {
                span.set_attribute(KeyValue::new("organisation", organisation.to_string()));
                span.set_attribute(KeyValue::new("client", client.to_string()));
            }
            if status.is_server_error() {
                span.set_status(Status::error(error.map(ToString::to_string).unwrap_or_default()));
            }
            span.end();
        }
        macro_rules! line {
            ($level:ident) => {
                tracing::event!(
                    target: "meaningful_connections::request",
                    tracing::Level::$level,
                    request_id = self.id(),
                    trace_id = self.trace_id.map(display),
                    organisation = caller.map(|(organisation, _)| display(organisation)),
                    client = caller.map(|(_, client)| display(client)),
                    operation = self.operation.id,
                    method = self.method,
                    status = status.as_u16(),
                    duration_ms = milliseconds(took),
                    cause,
                    "answered"
                )
            };
        }
        match status {
            StatusCode::INTERNAL_SERVER_ERROR => line!(ERROR),
            status if status.is_server_error() || took > SLOW => line!(WARN),
            _ if self.is_untimed.get() => {}
            _ => line!(INFO),
        }
    }
}

/// Whether it was answered, or the caller went away before.
impl Drop for Seen {
    fn drop(&mut self) {
        self.watch.in_flight.decrement(1);
    }
}

/// Watches a request, and gives its answer the request's id.
pub(super) async fn watched<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let Some(watch) = request.app_data::<Data<Watch>>() else {
        return next.call(request).await;
    };
    let seen = Rc::new(Seen::new(&request, watch));
    request.extensions_mut().insert(Rc::clone(&seen));
    let outcome = match &seen.span {
        Some(context) => next.call(request).with_context(context.clone()).await,
        None => next.call(request).await,
    };
    match outcome {
        Ok(mut response) => {
            response.headers_mut().insert(REQUEST_ID, seen.id.clone());
            seen.answered(response.status(), response.response().error());
            Ok(response)
        }
        Err(error) => {
            let mut response = error.error_response();
            response.headers_mut().insert(REQUEST_ID, seen.id.clone());
            seen.answered(response.status(), Some(&error));
            Err(InternalError::from_response(error, response).into())
        }
    }
}

/// The id of a request: the caller's own, or a new one.
fn request_id(headers: &HeaderMap) -> HeaderValue {
    let given = headers
        .get(&REQUEST_ID)
        .filter(|id| (1..=128).contains(&id.len()) && id.as_bytes().iter().all(u8::is_ascii_graphic));
    let made = || {
        let mut text = Uuid::encode_buffer();
        let id = Uuid::now_v7().hyphenated().encode_lower(&mut text);
        HeaderValue::from_str(id).unwrap_or(HeaderValue::from_static("-"))
    };
    given.cloned().unwrap_or_else(made)
}

/// The methods that are told by name: others can be any word that a caller makes up.
const METHODS: [Method; 7] = [
    Method::GET,
    Method::HEAD,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
    Method::OPTIONS,
];

fn method(given: &Method) -> &'static str {
    const NAMES: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    let known = METHODS.iter().zip(NAMES).find(|(method, _)| *method == given);
    known.map_or("other", |(_, name)| name)
}

/// Milliseconds, with three decimals.
fn milliseconds(took: Duration) -> f64 {
    f64::from(u32::try_from(took.as_micros()).unwrap_or(u32::MAX)) / 1000.0
}

/// The span of a request, after OpenTelemetry's conventions for HTTP servers.
fn span(
    tracer: &SdkTracer,
    operation: &Operation,
    method: &'static str,
    id: &HeaderValue,
    parent: Option<&Context>,
) -> Context {
    let root = Context::new();
    let parent = parent.unwrap_or(&root);
    let described = tracer
        .span_builder(operation.span.clone())
        .with_kind(SpanKind::Server)
        .with_attributes([
            KeyValue::new("http.request.method", method),
            KeyValue::new("http.route", operation.route.clone()),
            KeyValue::new("operation", operation.id.clone()),
            KeyValue::new("request_id", id.to_str().unwrap_or("-").to_owned()),
        ]);
    parent.with_span(described.start_with_context(tracer, parent))
}

fn trace_id(context: &Context) -> Option<TraceId> {
    let id = context.span().span_context().trace_id();
    (id != TraceId::INVALID).then_some(id)
}

/// Where the propagator of W3C Trace Context looks.
struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
}

/// The span of a request in the log: what else is logged meanwhile is known to belong to it.
pub struct Spans;

impl RootSpanBuilder for Spans {
    fn on_request_start(request: &ServiceRequest) -> Span {
        let extensions = request.extensions();
        match extensions.get::<Rc<Seen>>() {
            // Of the highest level, so that it is there whatever is logged.
            Some(seen) => tracing::error_span!("request", request_id = seen.id(), operation = seen.operation.id),
            None => Span::none(),
        }
    }

    // The line is written where everything is known, further out.
    fn on_request_end<B: MessageBody>(_: Span, _: &Result<ServiceResponse<B>, Error>) {}
}

/// The operation that a request asks for.
pub(super) fn operation(request: &HttpRequest) -> Option<Arc<Operation>> {
    let extensions = request.extensions();
    extensions.get::<Rc<Seen>>().map(|seen| Arc::clone(&seen.operation))
}

/// Notes who calls.
pub(super) fn record_caller(request: &HttpRequest, claims: &Claims) {
    if let Some(seen) = request.extensions().get::<Rc<Seen>>() {
        let is_untimed = claims.respondent.is_some_and(|respondent| respondent.is_untimed());
        seen.is_untimed.set(is_untimed);
        seen.caller
            .set((!is_untimed).then_some((claims.organisation, claims.client)));
    }
}
