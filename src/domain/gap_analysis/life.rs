//! A gap analysis through its life.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Analysis, GapAnalysis, GapAnalysisStatus, ModelRef};
use crate::domain::{
    id::{AssessmentId, GapAnalysisId, RelationshipId},
    life_cycle::{Seal, Sealed, Version},
    moment::{DateOrTime, Moment},
    slug::Slug,
};

/// The most assessments that one analysis takes.
pub const MOST_INPUTS: usize = 10_000;
/// The most perspectives that one analysis compares: every one with every other, element by element.
pub const MOST_PERSPECTIVES: usize = 20;

/// Which submitted assessments to analyse.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Select {
    /// Of this model.
    pub model: Slug,
    /// Made with this version of it. Without one, all that are selected must share theirs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i32>, nullable = false, minimum = 1)]
    pub model_version: Option<Version>,
    /// From one of these perspectives; without any, from all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 100)]
    pub perspectives: Vec<Slug>,
    /// About this relationship; without one, about any, and about the service as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub relationship: Option<RelationshipId>,
    /// Whose newest version was submitted at or after: an RFC 3339 timestamp, or a date, which is its midnight in UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Option<DateOrTime>, example = "2026-01-01")]
    pub submitted_from: Option<Moment>,
    /// Whose newest version was submitted before: an RFC 3339 timestamp, or a date, which is its midnight in UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Option<DateOrTime>, example = "2026-04-01")]
    pub submitted_to: Option<Moment>,
}

/// What to analyse: the named assessments or those that are selected, one of the two.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateGapAnalysis)]
pub struct Request {
    /// What to call the analysis.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_length = 1, max_length = 200, example = "Spring review")]
    pub title: Option<String>,
    /// These assessments, in any order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_items = 10_000)]
    pub assessments: Option<Vec<AssessmentId>>,
    /// Those that meet this selection, now and whenever the analysis is recomputed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub select: Option<Select>,
    /// The gap analysis to compare with; its newest version is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub baseline: Option<GapAnalysisId>,
}

/// A gap analysis through its life.
#[derive(Debug, Clone, PartialEq)]
pub struct Life {
    /// Its id.
    pub id: GapAnalysisId,
    /// Raised by every write.
    pub revision: i64,
    /// The highest version number ever given; numbers are not given twice, even after an erasure.
    pub last_version: Version,
    /// What it was asked to analyse.
    pub request: Request,
    /// When it last changed.
    pub updated_at: Moment,
    /// Its newest version.
    pub newest: Sealed<Analysis>,
}

impl GapAnalysis {
    /// A sealed version with its seal.
    pub fn of_sealed(id: GapAnalysisId, sealed: &Sealed<Analysis>) -> Self {
        Self {
            seal: Some(sealed.seal.clone()),
            ..Self::of_version(id, sealed.version, sealed.content.clone())
        }
    }
}

impl Analysis {
    /// What it was computed from: assessments, and the analysis it was compared with, each with the version.
    pub fn sources(&self) -> impl Iterator<Item = (Uuid, Version)> + '_ {
        let assessments = self
            .inputs
            .iter()
            .filter_map(|input| Some((input.assessment?.uuid(), input.version?)));
        let baseline = self
            .distance_travelled
            .iter()
            .map(|distance| (distance.baseline.gap_analysis.uuid(), distance.baseline.version));
        assessments.chain(baseline)
    }

    /// Whether it says what `other` was computed from: the same inputs, baseline and formula.
    pub fn has_same_sources(&self, other: &Self) -> bool {
        self.formula_version == other.formula_version
            && self.model == other.model
            && self.title == other.title
            && self.inputs == other.inputs
            && self.sources().eq(other.sources())
    }
}

/// What an analysis is, in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Summary {
    /// What it is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 200)]
    pub title: Option<String>,
    /// The version of the formula.
    #[schema(max_length = 20, pattern = "^[0-9]+$")]
    pub formula_version: String,
    /// The model version that its inputs rate.
    pub model: ModelRef,
}

impl Analysis {
    /// What it is, in short.
    pub fn summary(&self) -> Summary {
        Summary {
            title: self.title.clone(),
            formula_version: self.formula_version.clone(),
            model: self.model.clone(),
        }
    }
}

/// A gap analysis in a list: without its inputs, readings and findings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct GapAnalysisItem {
    /// Its id.
    pub id: GapAnalysisId,
    /// Its newest version, 1 or more.
    #[schema(value_type = i32, minimum = 1)]
    pub version: Version,
    /// Always `sealed`: a gap analysis has no draft.
    pub status: GapAnalysisStatus,
    /// What it is, in short.
    #[serde(flatten)]
    #[schema(inline)]
    pub summary: Summary,
    /// When it last changed.
    pub updated_at: Moment,
    /// Its seal.
    #[serde(flatten)]
    #[schema(inline)]
    pub seal: Seal,
}
