//! What an analysis is made from.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::{
    digest::Digest,
    id::{AssessmentId, RelationshipId},
    life_cycle::Version,
    ratings::Levels,
    slug::Slug,
};

/// One input of an analysis. A preview of ratings that were never saved knows only perspective and levels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Voice {
    /// The assessment.
    pub assessment: Option<AssessmentId>,
    /// Its version.
    pub version: Option<Version>,
    /// The digest of that version.
    pub digest: Option<Digest>,
    /// The perspective it was made from.
    pub perspective: Slug,
    /// The relationship it is about; none for the service as a whole.
    pub relationship: Option<RelationshipId>,
    /// Its levels in model order.
    pub levels: Levels,
}

impl Voice {
    pub(super) fn order(&self) -> (&Slug, Option<AssessmentId>, Option<Version>, Option<&Digest>) {
        (&self.perspective, self.assessment, self.version, self.digest.as_ref())
    }
}

/// What an analysis was made from: an assessment, or, in an analysis with a `minimum_group`, so many of a perspective.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Input {
    /// The assessment. Omitted in a preview of ratings that were never saved, as are version and digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub assessment: Option<AssessmentId>,
    /// Its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i32>, nullable = false, minimum = 1)]
    pub version: Option<Version>,
    /// The digest of that version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub digest: Option<Digest>,
    /// The perspective it was made from.
    pub perspective: Slug,
    /// The relationship it is about; omitted where that is the service as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub relationship: Option<RelationshipId>,
    /// How many assessments of this perspective were counted, in an analysis with a `minimum_group`, which names none of them.
    /// Omitted where one is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1, maximum = 10_000)]
    pub count: Option<u32>,
}

impl Input {
    /// How many assessments it stands for.
    pub fn counted(&self) -> u32 {
        self.count.unwrap_or(1)
    }
}

impl From<Voice> for Input {
    fn from(voice: Voice) -> Self {
        Self {
            assessment: voice.assessment,
            version: voice.version,
            digest: voice.digest,
            perspective: voice.perspective,
            relationship: voice.relationship,
            count: None,
        }
    }
}
