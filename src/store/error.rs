//! What can go wrong between us and the database.

/// A uniqueness that a write would break.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// The slug of a model or a perspective.
    Slug,
    /// An external id.
    ExternalId,
    /// The number of a sealed version: two writers sealed at once.
    Version,
    /// Something that no request can choose.
    Other,
}

impl Taken {
    /// By the name of the constraint, or by the columns that `SQLite`'s message names.
    pub(super) fn by(constraint: &str) -> Self {
        if constraint.contains("slug") {
            Self::Slug
        } else if constraint.contains("external_ids") {
            Self::ExternalId
        } else if constraint.contains("sealed_versions") {
            Self::Version
        } else {
            Self::Other
        }
    }
}

/// What can go wrong in the store.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database URL cannot be used.
    #[error("database URL: {0}")]
    BadUrl(&'static str),
    /// The database does not answer, or refuses to work.
    #[error("the database is not available")]
    Unavailable,
    /// The connection was lost in the commit: the write stands, or it does not.
    #[error("nobody knows whether the write was committed")]
    FateUnknown,
    /// Too much work is waiting already.
    #[error("too much work is waiting for the database")]
    Overloaded,
    /// Another transaction changed the same thing; the work can be done anew.
    #[error("another writer came between")]
    Contended,
    /// Another request with the same idempotency key is still running.
    #[error("the first request with this key is still running")]
    StillRunning,
    /// Another transaction held the same thing for too long.
    #[error("another writer took too long")]
    LockTimeout,
    /// Something is not unique that has to be.
    #[error("taken: {0:?}")]
    Taken(Taken),
    /// What is stored breaks its own rules.
    #[error("stored data is damaged: {0}")]
    Corrupt(&'static str),
    /// The schema could not be brought up to date.
    #[error("migration: {0}")]
    Migration(String),
    /// The work panicked; the transaction was rolled back.
    #[error("the work panicked")]
    Panicked,
}

/// The error of work that runs in a transaction.
pub trait Failure: From<Error> + Send + 'static {
    /// The store's own error, where it is one: it decides whether the work is done anew.
    fn store_error(&self) -> Option<&Error>;
}

impl Failure for Error {
    fn store_error(&self) -> Option<&Error> {
        Some(self)
    }
}

/// The result of asking the store.
pub type Result<T, E = Error> = std::result::Result<T, E>;
