//! The query part of URLs.

use std::{
    collections::BTreeSet,
    future::{Ready, ready},
};

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use serde::{Deserialize, de::DeserializeOwned};

use super::problem::{self, Problem};
use crate::domain::{external_id::ExternalId, fault::Fault};

/// The parameters of a query, all of which are optional to the parser. Unknown ones are refused, and every fault is named.
pub struct Query<T>(pub T);

impl<T: DeserializeOwned> FromRequest for Query<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(parse(request.query_string()).map(Self))
    }
}

/// The parameters of a query, or all that is wrong with them.
pub fn parse<T: DeserializeOwned>(query: &str) -> Result<T, Problem> {
    // Without an escape there is no character to refuse: a URL of ASCII has none of those.
    if query.is_ascii()
        && !query.contains('%')
        && let Ok(parsed) = serde_urlencoded::from_str(query)
    {
        return Ok(parsed);
    }
    let mut faults: Vec<Fault> = Vec::new();
    let mut seen = BTreeSet::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let decoded: Vec<(String, String)> = serde_urlencoded::from_str(pair).unwrap_or_default();
        let (name, value) = decoded.into_iter().next().unwrap_or_default();
        let at = crate::domain::fault::pointer([&name]);
        if !seen.insert(name) {
            faults.push(Fault::new(at, "duplicate", "This parameter stands twice."));
        } else if value.chars().any(char::is_control) || value.contains(char::REPLACEMENT_CHARACTER) {
            faults.push(Fault::new(
                at,
                "control_character",
                "Control characters and broken UTF-8 are refused.",
            ));
        } else if let Err(error) = serde_urlencoded::from_str::<T>(pair) {
            // One parameter by itself fails only for its own sake: all of them are optional.
            let unknown = error.to_string().starts_with("unknown field");
            faults.push(if unknown {
                Fault::new(at, "unknown_parameter", "The operation has no such parameter.")
            } else {
                Fault::new(at, "invalid", "This value does not fit.")
            });
        }
    }
    if !faults.is_empty() {
        return Err(refused(faults));
    }
    serde_urlencoded::from_str(query)
        .map_err(|_| Problem::new(&problem::INVALID_PARAMETER, "The query cannot be read."))
}

/// What all that is wrong with a query is answered with.
pub fn refused(faults: Vec<Fault>) -> Problem {
    let detail = format!("The query has {} fault(s).", faults.len());
    Problem::new(&problem::INVALID_PARAMETER, detail).with_faults(faults)
}

/// The query of an operation that takes none.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// Refuses every parameter.
pub(super) fn none(query: &str) -> Result<(), Problem> {
    parse::<Nothing>(query).map(|Nothing {}| ())
}

/// The value of a parameter that an operation cannot do without.
pub fn required<T>(value: Option<T>, name: &str) -> Result<T, Problem> {
    value.ok_or_else(|| {
        let fault = Fault::new(
            crate::domain::fault::pointer([name]),
            "required",
            "This parameter is missing.",
        );
        Problem::new(&problem::INVALID_PARAMETER, format!("The parameter {name} is missing.")).with_faults(vec![fault])
    })
}

/// How many items a page holds, 1 to 200; 50 where it is not said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Limit(u16);

impl Limit {
    /// The number.
    pub fn items(self) -> u16 {
        self.0
    }
}

impl TryFrom<String> for Limit {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match text.parse() {
            Ok(limit @ 1..=200) => Ok(Self(limit)),
            _ => Err("1 to 200"),
        }
    }
}

impl Default for Limit {
    fn default() -> Self {
        Self(50)
    }
}

/// An external id as one parameter: `system|value`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct ExternalIdParameter(pub ExternalId);

impl TryFrom<String> for ExternalIdParameter {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match text.split_once('|') {
            Some((system, value)) if !system.is_empty() && !value.is_empty() => Ok(Self(ExternalId {
                system: system.to_owned(),
                value: value.to_owned(),
            })),
            _ => Err("system|value"),
        }
    }
}
