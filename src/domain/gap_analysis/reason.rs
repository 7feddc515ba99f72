//! Reasons: every finding says why, with its numbers.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::slug::{ElementKey, Slug};

/// Why something is said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Reason {
    /// The reason.
    pub code: ReasonCode,
    /// The element it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub element: Option<ElementKey>,
    /// The perspective it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub perspective: Option<Slug>,
    /// The reason as a sentence, with its numbers.
    #[schema(max_length = 1_000_000)]
    pub detail: String,
}

impl Reason {
    pub(super) fn new(code: ReasonCode, detail: String) -> Self {
        Self {
            code,
            element: None,
            perspective: None,
            detail,
        }
    }
}

/// The reasons there are. More may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReasonCode {
    /// Safety gate: the theme's own safety element is in alarm.
    OwnSafetyElement,
    /// Safety gate: a consideration of Safety is in alarm.
    SafetyConsideration,
    /// Safety gate: no alarm, but some within a perspective stand at Early stages.
    EarlyStagesWithin,
    /// Priority: a part of Safety whose current median is below 2 in a perspective.
    SafetyAlarm,
    /// Priority: the median gap is above 0.
    MedianGap,
    /// Priority: two perspectives differ.
    PerceptionDifference,
    /// Priority: where it stands now.
    CurrentMedian,
    /// Priority: the next level lies above the desired one.
    BeyondDesired,
    /// Comparability: another model, or another version of it.
    ModelVersion,
    /// Comparability: other perspectives.
    Perspectives,
    /// Comparability: about other relationships.
    Relationship,
    /// Comparability: fewer than 3 inputs from a perspective.
    SmallN,
    /// Comparability and Safety gate: what a perspective says is withheld.
    Withheld,
}
