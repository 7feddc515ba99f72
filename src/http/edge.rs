//! What happens to every request at the edge: whatever goes wrong, the answer is a problem document.

use std::panic::AssertUnwindSafe;

use actix_web::{
    Error, HttpRequest, HttpResponse,
    body::{EitherBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        ConnectionType, Method, StatusCode,
        header::{self, HeaderName, HeaderValue},
    },
    middleware::Next,
    web::Data,
};
use futures_util::FutureExt;

use super::{
    ACCEPT_PATCH, Draining,
    problem::{self, KINDS, Problem},
    routes::oauth::TOKEN_ENDPOINT,
    trace::Watch,
};

/// No route has this path, or the path does not have this method; OPTIONS says which it has.
pub(in crate::http) async fn nothing_here(request: HttpRequest, watch: Data<Watch>) -> HttpResponse {
    let Some(methods) = watch.operations.methods(request.path()) else {
        return Problem::not_found("path").response();
    };
    let mut names: Vec<&str> = methods.iter().map(|method| method.as_str()).collect();
    if methods.contains(&&Method::GET) {
        names.push("HEAD");
    }
    if request.method() == Method::OPTIONS {
        let mut response = HttpResponse::NoContent();
        response.insert_header((header::ALLOW, names.join(", ")));
        if methods.contains(&&Method::PATCH) {
            response.insert_header(ACCEPT_PATCH);
        }
        return response.finish();
    }
    Problem::new(&problem::METHOD_NOT_ALLOWED, format!("There is {}.", names.join(", ")))
        .with_header(header::ALLOW, &names.join(", "))
        .response()
}

/// The most bytes that the value of a header has; more is no header of ours, and of no use in a log.
pub(in crate::http) const LONGEST_HEADER: usize = 8192;

/// Turns panics, and whatever the framework answers by itself, into problem documents; answers HEAD as GET without a body.
pub(super) async fn problems<B: MessageBody + 'static>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    // A token of any length is refused as a token.
    let is_too_long =
        |(name, value): (&HeaderName, &HeaderValue)| value.len() > LONGEST_HEADER && name != header::AUTHORIZATION;
    if request.headers().iter().any(is_too_long) {
        let problem = Problem::new(&problem::HEADERS_TOO_LARGE, "A header has at most 8,192 bytes.");
        return Ok(finished(
            request.into_response(problem.response()).map_into_right_body(),
        ));
    }
    if request.method() == Method::HEAD {
        request.head_mut().method = Method::GET;
    }
    // A request that is cloned before it was routed cannot be routed: its parts are taken from the answer instead.
    let response = match AssertUnwindSafe(next.call(request)).catch_unwind().await {
        Ok(Ok(response)) => match substitute(&response) {
            None => response.map_into_left_body(),
            Some(problem) => {
                let (request, _) = response.into_parts();
                ServiceResponse::new(request, problem.response()).map_into_right_body()
            }
        },
        Ok(Err(error)) if error.as_error::<Problem>().is_some() => return Err(error),
        Ok(Err(error)) => return Err(of_status(error.as_response_error().status_code()).into()),
        Err(_) => {
            tracing::error!("a handler panicked");
            return Err(Problem::new(&problem::INTERNAL, "Something went wrong here.").into());
        }
    };
    Ok(finished(response))
}

/// What every answer has.
fn finished<B>(mut response: ServiceResponse<B>) -> ServiceResponse<B> {
    let headers = response.headers_mut();
    headers.append(
        header::VARY,
        HeaderValue::from_static("Accept, Accept-Language, Authorization"),
    );
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let draining = response.request().app_data::<Data<Draining>>();
    if draining.is_some_and(|draining| draining.has_begun()) {
        // Whoever asks next finds another copy, rather than a connection that is about to end.
        response
            .response_mut()
            .head_mut()
            .set_connection_type(ConnectionType::Close);
    }
    response
}

/// The problem to send in place of a failure that has no document of its own.
fn substitute<B>(response: &ServiceResponse<B>) -> Option<Problem> {
    let status = response.status();
    let is_failure = status.is_client_error() || status.is_server_error();
    let content_type = response
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let is_problem = content_type.is_some_and(|content_type| content_type.starts_with(problem::MEDIA_TYPE));
    if !is_failure || is_problem || response.request().path() == TOKEN_ENDPOINT {
        return None;
    }
    if status == StatusCode::BAD_REQUEST && response.request().method() == Method::OPTIONS {
        // A browser asks first, from where it may not call, or for more than it may do.
        return Some(Problem::new(
            &problem::INVALID_HEADER,
            "Origin, or an Access-Control-Request header: not allowed here.",
        ));
    }
    Some(of_status(status))
}

/// The first kind of problem with this status.
fn of_status(status: StatusCode) -> Problem {
    let kind = KINDS.iter().find(|kind| kind.status == status.as_u16());
    match kind {
        Some(kind) => Problem::new(kind, kind.explanation),
        None if status.is_client_error() => Problem::new(&problem::INVALID_PARAMETER, "The request cannot be read."),
        None => Problem::new(&problem::INTERNAL, "Something went wrong here."),
    }
}
