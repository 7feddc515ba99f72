//! Who may call: clients and their secrets, keys and their rotation, tokens, scopes.
//!
//! [`Gate`](gate::Gate) is what requests ask; everything in here is synchronous and knows no HTTP.

use crate::store;

mod consistency;
mod failures;
pub mod gate;
pub mod keys;
pub mod scope;
pub mod secret;
pub mod token;

/// Why somebody is not let in.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such client, or its secret is another: which of the two is not told.
    #[error("unknown client or wrong secret")]
    InvalidClient,
    /// The access token does not count; in words that may be shown.
    #[error("{0}")]
    InvalidToken(&'static str),
    /// What this process knows of keys and revoked clients is too old to let anybody in.
    #[error("clients and keys could not be read lately")]
    Unavailable,
    /// Too many secrets wait to be verified.
    #[error("too many secrets wait to be verified")]
    Overloaded,
    /// This client and address failed too often.
    #[error("too many failures")]
    TooManyFailures {
        /// After so many seconds the next attempt is looked at.
        retry_after_seconds: i64,
    },
    /// A scope that is unknown, or beyond what the client may do.
    #[error("unknown scope, or one beyond the client's")]
    InvalidScope,
    /// The store's own error.
    #[error(transparent)]
    Store(#[from] store::error::Error),
}
