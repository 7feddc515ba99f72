//! What a backup that is restored must not undo: what was erased, withdrawn or revoked since it was taken.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{id::OrganisationId, moment::Moment};

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gone {
    /// An assessment was erased.
    AssessmentErased,
    /// What a respondent answered was erased: what they had saved, or an anonymous assessment.
    ResponseErased,
    /// An assessment was withdrawn, to be erased after 30 days.
    AssessmentWithdrawn,
    /// The withdrawal was taken back in time.
    WithdrawalTakenBack,
    /// A client was revoked.
    ClientRevoked,
    /// A client's secret was replaced.
    SecretReplaced,
}

impl Gone {
    const ALL: [Self; 6] = [
        Self::AssessmentErased,
        Self::ResponseErased,
        Self::AssessmentWithdrawn,
        Self::WithdrawalTakenBack,
        Self::ClientRevoked,
        Self::SecretReplaced,
    ];

    /// The word under which it is kept.
    pub const fn key(self) -> &'static str {
        match self {
            Self::AssessmentErased => "assessment_erased",
            Self::ResponseErased => "response_erased",
            Self::AssessmentWithdrawn => "assessment_withdrawn",
            Self::WithdrawalTakenBack => "withdrawal_taken_back",
            Self::ClientRevoked => "client_revoked",
            Self::SecretReplaced => "secret_replaced",
        }
    }

    /// What this word stands for.
    pub fn of_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|gone| gone.key() == key)
    }
}

/// Says what happened to which thing, and when. Nothing of the thing itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Tombstone {
    /// When it happened.
    pub at: Moment,
    /// Whose it was.
    pub organisation: OrganisationId,
    /// What happened.
    pub what: Gone,
    /// The assessment or the client.
    pub resource: Uuid,
}
