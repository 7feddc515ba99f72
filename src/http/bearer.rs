//! The token that a request shows.

use actix_web::http::header::{self, HeaderMap};

use super::problem::Problem;

/// The token of `Authorization: Bearer …` (RFC 6750, section 2.1), of which there is exactly one.
pub(super) fn bearer(headers: &HeaderMap) -> Result<&str, Problem> {
    let mut given = headers.get_all(header::AUTHORIZATION);
    let (first, second) = (given.next(), given.next());
    let Some(value) = first else {
        return Err(Problem::unauthorized(None));
    };
    if second.is_some() {
        return Err(Problem::unauthorized(Some("There are two Authorization headers")));
    }
    let value = value
        .to_str()
        .map_err(|_| Problem::unauthorized(Some("The Authorization header cannot be read")))?;
    match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() => Ok(token),
        _ => Err(Problem::unauthorized(Some(
            "The Authorization header is not a bearer token",
        ))),
    }
}
