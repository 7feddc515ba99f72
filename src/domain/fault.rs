//! What can be wrong with a document, and which rule a change would break.

use serde::Serialize;
use utoipa::ToSchema;

use super::id::RoundId;

/// The most faults that one answer lists; a body with more is hardly meant.
pub const MOST_FAULTS: usize = 1000;

/// One fault of a request body, found by pointer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
pub struct Fault {
    /// Where: a JSON Pointer (RFC 6901) into the body; the empty string is the whole of it.
    #[schema(
        format = "json-pointer",
        max_length = 4_194_304,
        example = "/ratings/feelings.heard/current"
    )]
    pub pointer: String,
    /// What, as a stable `snake_case` word.
    #[schema(example = "required", value_type = String, max_length = 60, pattern = "^[a-z][a-z0-9_]*$")]
    pub code: &'static str,
    /// What, in words. Never repeats a value from the body.
    #[schema(example = "A level is missing.", max_length = 4000)]
    pub detail: String,
}

impl Fault {
    /// A fault at `pointer`.
    pub fn new(pointer: impl Into<String>, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            pointer: pointer.into(),
            code,
            detail: detail.into(),
        }
    }
}

/// Joins reference tokens to a JSON Pointer, escaping `~` and `/` (RFC 6901, section 4).
pub fn pointer<T: AsRef<str>>(tokens: impl IntoIterator<Item = T>) -> String {
    tokens.into_iter().fold(String::new(), |mut joined, token| {
        joined.push('/');
        joined.push_str(&token.as_ref().replace('~', "~0").replace('/', "~1"));
        joined
    })
}

/// A rule of the domain that a request would break.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// The document is wrong; every fault is listed.
    #[error("the document has {} fault(s)", .0.len())]
    Invalid(Vec<Fault>),
    /// The document lacks what it needs before it can be sealed; everything that is missing is listed.
    #[error("the document lacks {} thing(s)", .0.len())]
    Incomplete(Vec<Fault>),
    /// The resource is not in a state that allows this.
    #[error("{0}")]
    InvalidTransition(&'static str),
    /// A round is not compared with one of which nobody knows yet what it found.
    #[error("The round's baseline, {0}, is not revealed: reveal it first, or take it out of this round.")]
    BaselineNotRevealed(RoundId),
    /// There is no draft to edit.
    #[error("{0}")]
    NotADraft(&'static str),
    /// A retired model takes no new assessments.
    #[error("the model is retired")]
    ModelRetired,
    /// Nobody may change this.
    #[error("{0}")]
    ReadOnly(&'static str),
}

impl Broken {
    /// A document with this one fault.
    pub fn fault(pointer: impl Into<String>, code: &'static str, detail: impl Into<String>) -> Self {
        Self::Invalid(vec![Fault::new(pointer, code, detail)])
    }

    /// `Ok` where nothing is missing, else all that is.
    pub fn unless_incomplete(missing: Vec<Fault>) -> Result<(), Self> {
        if missing.is_empty() {
            Ok(())
        } else {
            Err(Self::Incomplete(missing))
        }
    }

    /// `Ok` where there is no fault, else all of them.
    pub fn unless_empty(faults: Vec<Fault>) -> Result<(), Self> {
        if faults.is_empty() {
            Ok(())
        } else {
            Err(Self::Invalid(faults))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::pointer;

    #[test]
    fn a_pointer_escapes_what_rfc_6901_says() {
        assert_eq!(pointer(["ratings", "a/b~c"]), "/ratings/a~1b~0c");
        assert_eq!(pointer::<&str>([]), "");
    }
}
