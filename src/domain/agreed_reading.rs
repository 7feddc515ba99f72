//! What a team agreed on, after it has seen how its round was answered: a reading of its own, which counts in no figure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    digest::Digest,
    fault::{Fault, pointer},
    id::RoundId,
    level::Level,
    life_cycle::{Seal, Sealed, Version},
    model::Definition,
    slug::ElementKey,
};

/// The perspective from which every agreed reading is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AgreedPerspective {
    /// The team, as one.
    Team,
}

/// The levels that a team agreed on for an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AgreedLevels {
    /// Where we are.
    pub current: Level,
    /// Where we want to be.
    pub desired: Level,
}

/// What a team agreed on for an element, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AgreedRating {
    /// Where we are.
    pub current: Level,
    /// Where we want to be.
    pub desired: Level,
    /// What the team wants to say with it. Never part of an analysis.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 4000)]
    pub note: Option<String>,
}

/// What an agreed reading says: the content of a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PutAgreedReading)]
pub struct Content {
    /// The elements that were agreed on.
    #[schema(value_type = BTreeMap<ElementKey, AgreedRating>)]
    pub ratings: BTreeMap<ElementKey, AgreedRating>,
}

impl Content {
    /// What is wrong with it, read by the model version of its round.
    pub fn faults(&self, definition: &Definition) -> Vec<Fault> {
        if self.ratings.is_empty() {
            let detail = "What was agreed on: at least one element.";
            return vec![Fault::new("/ratings", "required", detail)];
        }
        let unknown = |key: &&ElementKey| !definition.keys().any(|known| known == *key);
        let keys = self.ratings.keys().filter(unknown);
        keys.map(|key| {
            let detail = "The model version has no such element.";
            Fault::new(pointer(["ratings", key.as_str()]), "unknown_element", detail)
        })
        .collect()
    }
}

/// Which version of an agreed reading an analysis shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AgreedReadingRef {
    /// The version.
    #[schema(value_type = i32, minimum = 1)]
    pub version: Version,
    /// Its digest.
    pub digest: Digest,
}

/// An agreed reading is always sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AgreedReadingStatus {
    /// Every version is sealed as it is made.
    Sealed,
}

/// The agreed reading of a round: a sealed version of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AgreedReading {
    /// Its round.
    pub round: RoundId,
    /// The version, 1 or more.
    #[schema(value_type = i32, minimum = 1)]
    pub version: Version,
    /// Always `sealed`: an agreed reading has no draft.
    pub status: AgreedReadingStatus,
    /// Always `team`.
    pub perspective: AgreedPerspective,
    /// Always `true`: it was agreed on, not given by anybody, and counts in no reading.
    #[schema(default = true)]
    pub agreed: bool,
    /// What it says.
    #[serde(flatten)]
    #[schema(inline)]
    pub content: Content,
    /// Its seal, which every version has that is shown.
    #[serde(flatten)]
    #[schema(inline, value_type = Seal)]
    pub seal: Option<Seal>,
}

impl AgreedReading {
    /// What a version says, for ever: the document of its digest.
    pub fn of_version(round: RoundId, version: Version, content: Content) -> Self {
        Self {
            round,
            version,
            status: AgreedReadingStatus::Sealed,
            perspective: AgreedPerspective::Team,
            agreed: true,
            content,
            seal: None,
        }
    }

    /// A sealed version with its seal.
    pub fn of_sealed(round: RoundId, sealed: Sealed<Content>) -> Self {
        Self {
            seal: Some(sealed.seal),
            ..Self::of_version(round, sealed.version, sealed.content)
        }
    }
}

/// The agreed reading of a round through its life.
#[derive(Debug, Clone, PartialEq)]
pub struct Life {
    /// Its round.
    pub round: RoundId,
    /// Raised by every write.
    pub revision: i64,
    /// The newest version.
    pub newest: Sealed<Content>,
}
