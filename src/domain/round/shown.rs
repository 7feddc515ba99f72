//! What is shown of a round.

use serde::Serialize;
use utoipa::ToSchema;

use super::{ANONYMITY, ANONYMITY_VERSION, Content, Life, Privacy, RoundStatus};
use crate::domain::{
    fault::Fault,
    id::{GapAnalysisId, RoundId},
    life_cycle::Version,
    moment::Moment,
    slug::Slug,
};

/// What anonymity covers, and what it does not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Anonymity {
    /// The words, in English.
    #[schema(value_type = String, max_length = 4000)]
    pub text: &'static str,
    /// Their version.
    #[schema(value_type = String, max_length = 20)]
    pub version: &'static str,
}

impl Anonymity {
    /// What is said of rounds of this kind, if anything.
    pub fn of(privacy: Privacy) -> Option<Self> {
        (privacy == Privacy::Anonymous).then_some(Self {
            text: ANONYMITY,
            version: ANONYMITY_VERSION,
        })
    }
}

/// How far a round has come from one perspective. Nobody's ratings, and no times.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Progress {
    /// The perspective.
    pub perspective: Slug,
    /// How many answers are expected.
    #[schema(minimum = 1, maximum = 10_000)]
    pub expected: i32,
    /// How many can answer, or have.
    #[schema(minimum = 0)]
    pub invited: i64,
    /// How many have saved something, or submitted.
    #[schema(minimum = 0)]
    pub started: i64,
    /// How many have submitted, withdrawn ones aside.
    #[schema(minimum = 0)]
    pub submitted: i64,
}

/// A round, as its organisers see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Round {
    /// Its id.
    pub id: RoundId,
    /// Where it stands.
    pub status: RoundStatus,
    /// What its organisers wrote.
    #[serde(flatten)]
    #[schema(inline)]
    pub content: Content,
    /// The version of the constellation when it opened.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i32>, nullable = false, minimum = 1)]
    pub constellation_version: Option<Version>,
    /// Of an anonymous round: what respondents are told beside its organisers' words.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub anonymity: Option<Anonymity>,
    /// How far it has come, perspective by perspective. Left out of lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_items = 20)]
    pub progress: Option<Vec<Progress>>,
    /// Why it does not open, though its `opens_at` has come: where in the round, and what. It is tried again every minute. Left out of
    /// lists.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false, max_items = 1000)]
    pub cannot_open: Vec<Fault>,
    /// What it found, once it is revealed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub gap_analysis: Option<GapAnalysisId>,
    /// When it opened.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub opened_at: Option<Moment>,
    /// When it closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub closed_at: Option<Moment>,
    /// When it was revealed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub revealed_at: Option<Moment>,
    /// When it was called off.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub cancelled_at: Option<Moment>,
    /// When it was made.
    pub created_at: Moment,
    /// When its organisers last changed it.
    pub updated_at: Moment,
}

impl Round {
    /// A round, and how far it has come.
    pub fn of(life: &Life, progress: Option<Vec<Progress>>) -> Self {
        Self {
            id: life.id,
            status: life.status,
            content: Content {
                minimum_group: life.content.least_shown(),
                ..life.content.clone()
            },
            constellation_version: life.constellation_version,
            anonymity: Anonymity::of(life.content.privacy),
            progress,
            cannot_open: Vec::new(),
            gap_analysis: life.gap_analysis,
            opened_at: life.opened_at,
            closed_at: life.closed_at,
            revealed_at: life.revealed_at,
            cancelled_at: life.cancelled_at,
            created_at: life.created_at,
            updated_at: life.updated_at,
        }
    }
}
