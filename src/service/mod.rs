//! One function a use case: load, ask the domain, save, say what happened.

pub mod agreed_readings;
pub mod assessments;
pub mod bootstrap;
pub mod computation;
pub mod constellations;
pub mod diff;
pub mod erasure;
pub mod gap_analyses;
pub mod invitations;
pub mod migration;
pub mod models;
pub mod next_steps;
pub mod organisations;
pub mod perspectives;
pub mod redemption;
pub mod respondents;
pub mod restore;
pub mod round_analysis;
pub mod rounds;
pub mod timeline;
pub mod tombstones;
pub mod transitions;
pub mod translations;
pub mod upsert;

use crate::{
    domain::{
        digest::{Digest, NotCanonical},
        fault::{Broken, Fault},
        life_cycle::Seal,
    },
    store::{self, db::Tx},
};

/// What keeps a use case from being done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such thing, or it is another organisation's: nobody can tell which.
    #[error("no such {0}")]
    NotFound(&'static str),
    /// The write must say which revision it is for.
    #[error("a precondition is required")]
    PreconditionRequired,
    /// The write is for another revision than the one that stands.
    #[error("the resource has changed")]
    PreconditionFailed,
    /// A rule of the domain.
    #[error(transparent)]
    Broken(#[from] Broken),
    /// The store.
    #[error(transparent)]
    Store(#[from] store::error::Error),
    /// The inputs of an analysis changed while it was computed; it can be computed anew.
    #[error("the inputs changed meanwhile")]
    InputsChanged,
}

impl From<NotCanonical> for Error {
    fn from(_: NotCanonical) -> Self {
        Self::Store(store::error::Error::Corrupt(
            "a document cannot be written in canonical JSON",
        ))
    }
}

impl store::error::Failure for Error {
    fn store_error(&self) -> Option<&store::error::Error> {
        match self {
            Self::Store(error) => Some(error),
            _ => None,
        }
    }
}

/// The result of a use case.
pub type Result<T> = std::result::Result<T, Error>;

/// Something with a revision: what `GET` shows, and the number that its `ETag` is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct Revised<T> {
    /// What is shown.
    pub shown: T,
    /// Raised by every write.
    pub revision: i64,
}

/// A body that has been checked against its schema. Its faults are told when their turn comes, together with all others.
#[derive(Debug, Clone, PartialEq)]
pub struct Checked<T> {
    /// What it says, leaving out what is at fault; nothing where the rest makes no sense by itself.
    pub said: Option<T>,
    /// Its faults so far.
    pub faults: Vec<Fault>,
}

impl<T> Checked<T> {
    /// What the body says, or its faults.
    pub fn valid(self) -> Result<T> {
        self.check(Ok)
    }

    /// What `check` makes of the body; or its faults so far together with those that `check` finds in the rest of it. What
    /// else stands in the way is told before any fault.
    pub fn check<U>(self, check: impl FnOnce(T) -> Result<U>) -> Result<U> {
        let Self { said, mut faults } = self;
        match said.map(check) {
            Some(Err(Error::Broken(Broken::Invalid(more)))) => faults.extend(more),
            Some(Ok(checked)) if faults.is_empty() => return Ok(checked),
            Some(Err(other)) => return Err(other),
            Some(Ok(_)) | None => {}
        }
        Err(Broken::Invalid(faults).into())
    }
}

/// Which revision of a resource a write is for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Expected {
    /// The caller does not say.
    #[default]
    Unsaid,
    /// Whichever there is (`If-Match: *`).
    Any,
    /// One of these.
    OneOf(Vec<i64>),
    /// None: the resource must not exist yet (`If-None-Match: *`).
    Absent,
}

impl Expected {
    /// Fails where the caller does not say.
    pub fn required(&self) -> Result<()> {
        if *self == Self::Unsaid {
            Err(Error::PreconditionRequired)
        } else {
            Ok(())
        }
    }

    /// Fails where the caller means another revision than this one.
    pub fn met_by(&self, revision: i64) -> Result<()> {
        let met = match self {
            Self::Unsaid | Self::Any => true,
            Self::OneOf(revisions) => revisions.contains(&revision),
            Self::Absent => false,
        };
        if met { Ok(()) } else { Err(Error::PreconditionFailed) }
    }

    /// Fails where the caller means a revision, though there is no resource.
    pub fn met_by_nothing(&self) -> Result<()> {
        match self {
            Self::Unsaid | Self::Absent => Ok(()),
            Self::Any | Self::OneOf(_) => Err(Error::PreconditionFailed),
        }
    }
}

/// Seals a document now, on behalf of the caller.
fn seal(tx: &Tx<'_>, document: &impl serde::Serialize) -> Result<Seal> {
    Ok(Seal {
        digest: Digest::of(document)?,
        sealed_at: tx.now(),
        sealed_by: tx.actor().client,
    })
}

/// Applies a JSON merge patch (RFC 7396) to a document, and reads it back.
///
/// The patch has been checked against its schema; what still does not fit is a fault at its pointer.
fn merged<T: serde::Serialize + serde::de::DeserializeOwned>(document: &T, patch: &serde_json::Value) -> Result<T> {
    let mut json = serde_json::to_value(document)
        .map_err(|_| store::error::Error::Corrupt("a document cannot be written as JSON"))?;
    json_patch::merge(&mut json, patch);
    serde_path_to_error::deserialize(json).map_err(|error| {
        let tokens = error
            .path()
            .iter()
            .map(ToString::to_string)
            .filter(|token| token != "?");
        Error::Broken(Broken::fault(
            crate::domain::fault::pointer(tokens),
            "type",
            "This does not fit.",
        ))
    })
}
