//! A gap analysis through its life.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Analysis, Baseline, GapAnalysis, GapAnalysisStatus, ModelRef, Voice, Withholding};
use crate::domain::{
    id::{AssessmentId, GapAnalysisId, RelationshipId, RoundId},
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
    /// The round whose submissions these are: never in a body, whose schema does not know it. Only revealing a round sets it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(ignore)]
    pub round: Option<RoundId>,
}

/// What a version was computed from, whether or not it says so: what erasing follows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sources {
    /// The assessments that entered it, each with the version and the perspective.
    pub assessments: BTreeMap<AssessmentId, (Version, Slug)>,
    /// The gap analysis it was compared with, and the version.
    pub baseline: Option<(GapAnalysisId, Version)>,
}

impl Sources {
    /// Those of these voices that enter an analysis, and its baseline.
    pub fn of(voices: &[Voice], withholding: Option<&Withholding>, baseline: Option<&Baseline<'_>>) -> Self {
        let mut sizes: BTreeMap<&Slug, u32> = BTreeMap::new();
        for voice in voices {
            *sizes.entry(&voice.perspective).or_default() += 1;
        }
        let least = withholding.map_or(0, |withholding| withholding.minimum_group);
        let entered = voices
            .iter()
            .filter(|voice| sizes.get(&voice.perspective).is_some_and(|size| *size >= least));
        Self {
            assessments: entered
                .filter_map(|voice| Some((voice.assessment?, (voice.version?, voice.perspective.clone()))))
                .collect(),
            baseline: baseline.map(|baseline| (baseline.gap_analysis, baseline.version)),
        }
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = (Uuid, Version)> + '_ {
        let assessments = self.assessments.iter().map(|(id, (version, _))| (id.uuid(), *version));
        let baseline = self.baseline.iter().map(|(id, version)| (id.uuid(), *version));
        assessments.chain(baseline)
    }
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
    /// Whether it was made as `other` was, sources aside: by the same formula, of the same model, under the same title, with the
    /// same agreed reading, and with the same next steps done since.
    pub fn is_made_like(&self, other: &Self) -> bool {
        let steps = |analysis: &Self| {
            let distance = analysis.distance_travelled.as_ref();
            distance.map(|distance| {
                distance
                    .next_steps
                    .iter()
                    .map(|step| step.next_step)
                    .collect::<Vec<_>>()
            })
        };
        self.formula_version == other.formula_version
            && self.model == other.model
            && self.title == other.title
            && self.agreed_reading == other.agreed_reading
            && steps(self) == steps(other)
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
    /// The round whose submissions it was made from, where it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub round: Option<RoundId>,
}

impl Analysis {
    /// What it is, in short.
    pub fn summary(&self) -> Summary {
        Summary {
            title: self.title.clone(),
            formula_version: self.formula_version.clone(),
            model: self.model.clone(),
            round: self.round,
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
