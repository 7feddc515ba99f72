//! Gap analyses: where are we now, where do we want to be, and what stands between.
//!
//! Levels are ordinal: distributions and medians come first, a mean is always labelled as one, and there is no total score.

mod agreement;
mod comparability;
mod counting;
mod distance;
mod figures;
mod inputs;
mod life;
mod perception;
mod priorities;
mod reading;
mod reason;
mod relationships;
mod safety;
pub mod timeline;
mod withholding;
pub mod wording;

#[cfg(test)]
pub(crate) mod tests;

pub use comparability::Comparability;
pub use distance::{Baseline, BaselineRef, DistanceTravelled, DoneStep, ElementDistance, Movement, StepTaken};
pub use inputs::{Input, Voice};
pub use life::{GapAnalysisItem, Life, MOST_INPUTS, MOST_PERSPECTIVES, Request, Select, Sources, Summary};
pub use perception::PerceptionGap;
pub use priorities::{Priority, Strength};
pub use reading::{Gap, GapCounts, LevelCounts, Reading, Side};
pub use reason::{Reason, ReasonCode};
pub use relationships::{RelationshipReading, by_relationship, by_shown_relationship, weakest_relationships};
pub use safety::{GateStatus, SafetyGate};
pub use withholding::{Disclosed, Withheld, WithheldReason, Withholding, may_follow};

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use self::{counting::Counted, wording::Wording};
use super::{
    agreed_reading::{self, AgreedLevels, AgreedReadingRef},
    digest::Digest,
    id::{GapAnalysisId, RoundId},
    life_cycle::{Seal, Sealed, Version},
    model::{Definition, Strand},
    slug::{ElementKey, Slug},
};

/// The version of the formulas by which an analysis is computed. Raised whenever the same inputs would give other bytes.
pub const FORMULA_VERSION: &str = "1";

/// The model version that an analysis reads its inputs by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ModelRef {
    /// The model.
    pub slug: Slug,
    /// Its version.
    #[schema(value_type = i32, minimum = 1)]
    pub version: Version,
    /// The digest of that version.
    pub digest: Digest,
}

/// An element's readings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ElementReading {
    /// The element.
    pub element: ElementKey,
    /// Its theme; `safety` for a consideration.
    #[schema(pattern = "^[a-z][a-z0-9_]{0,59}$", example = "feelings")]
    pub theme: String,
    /// Set where it belongs to Safety.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub strand: Option<Strand>,
    /// The reading of all inputs, as far as they are shown.
    pub all: Disclosed,
    /// The reading of each perspective that has an input, by slug; with a `minimum_group`, of each that was asked.
    pub by_perspective: BTreeMap<Slug, Disclosed>,
    /// What the team agreed on after the round was revealed, beside the spread that it came from. It counts in no reading.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub agreed: Option<AgreedLevels>,
}

/// A theme's readings, which pool those of its elements.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ThemeReading {
    /// The theme.
    #[schema(pattern = "^[a-z][a-z0-9_]{0,59}$", example = "feelings")]
    pub theme: String,
    /// The reading of all inputs, as far as they are shown.
    pub all: Disclosed,
    /// The reading of each perspective that has an input, by slug; with a `minimum_group`, of each that was asked.
    pub by_perspective: BTreeMap<Slug, Disclosed>,
    /// The elements with the lowest current median; several where they tie.
    #[schema(max_items = 200)]
    pub weakest: Vec<ElementKey>,
    /// What Safety says of the theme.
    pub safety: SafetyGate,
}

/// Safety's readings, which pool those of its considerations and of the themes' safety elements.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SafetyReading {
    /// The reading of all inputs, as far as they are shown.
    pub all: Disclosed,
    /// The reading of each perspective that has an input, by slug; with a `minimum_group`, of each that was asked.
    pub by_perspective: BTreeMap<Slug, Disclosed>,
    /// The elements and considerations with the lowest current median; several where they tie.
    #[schema(max_items = 200)]
    pub weakest: Vec<ElementKey>,
}

/// What a gap analysis says: the content of a version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Analysis {
    /// Its title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 200)]
    pub title: Option<String>,
    /// The version of the formulas by which it was computed.
    #[schema(max_length = 20, pattern = "^[0-9]+$", example = "1")]
    pub formula_version: String,
    /// The model version that all inputs share.
    pub model: ModelRef,
    /// The round whose submissions it was made from, where it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub round: Option<RoundId>,
    /// Of fewer people than this, nothing is shown and nothing is counted. Only an analysis of a round has it: each reading in
    /// it is of a group of at least so many, which is all that is promised; in a shown distribution a rating can stand alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 2)]
    pub minimum_group: Option<u32>,
    /// The agreed reading of its round, as far as there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub agreed_reading: Option<AgreedReadingRef>,
    /// What it was made from, by perspective and assessment; with a `minimum_group`, how many of each perspective that is shown.
    #[schema(max_items = 10_000)]
    pub inputs: Vec<Input>,
    /// Every element in model order: the themes' elements, then the considerations of Safety.
    #[schema(max_items = 200)]
    pub elements: Vec<ElementReading>,
    /// Every theme in model order.
    #[schema(max_items = 200)]
    pub themes: Vec<ThemeReading>,
    /// Safety.
    pub safety: SafetyReading,
    /// Where perspectives differ: largest difference first, then model order, then slugs.
    #[schema(max_items = 2_147_483_647)]
    pub perception_gaps: Vec<PerceptionGap>,
    /// What to work on, in rank order.
    #[schema(max_items = 200)]
    pub priorities: Vec<Priority>,
    /// What is as it should be, in model order.
    #[schema(max_items = 200)]
    pub strengths: Vec<Strength>,
    /// Whether the perspectives can be compared with each other.
    pub comparability: Comparability,
    /// What became of each element since the baseline. Only with a baseline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub distance_travelled: Option<DistanceTravelled>,
}

/// A gap analysis is always sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum GapAnalysisStatus {
    /// Every version is sealed as it is made.
    Sealed,
}

/// A gap analysis: a sealed version of it, or a preview.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct GapAnalysis {
    /// Its id. Omitted in a preview, as are version and status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub id: Option<GapAnalysisId>,
    /// The version, 1 or more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i32>, nullable = false, minimum = 1)]
    pub version: Option<Version>,
    /// Always `sealed`: a gap analysis has no draft.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub status: Option<GapAnalysisStatus>,
    /// What it says.
    #[serde(flatten)]
    #[schema(inline)]
    pub analysis: Analysis,
    /// Its seal. Omitted in a preview.
    #[serde(flatten)]
    #[schema(inline)]
    pub seal: Option<Seal>,
}

impl GapAnalysis {
    /// An analysis that is not kept.
    pub fn preview(analysis: Analysis) -> Self {
        Self {
            id: None,
            version: None,
            status: None,
            analysis,
            seal: None,
        }
    }

    /// What a version says, for ever: the document of its digest.
    pub fn of_version(id: GapAnalysisId, version: Version, analysis: Analysis) -> Self {
        Self {
            id: Some(id),
            version: Some(version),
            status: Some(GapAnalysisStatus::Sealed),
            ..Self::preview(analysis)
        }
    }
}

impl Analysis {
    /// Shows what the team agreed on, or that it agreed on nothing. No figure changes.
    pub fn agree(&mut self, agreed: Option<&Sealed<agreed_reading::Content>>) {
        self.agreed_reading = agreed.map(|agreed| AgreedReadingRef {
            version: agreed.version,
            digest: agreed.seal.digest.clone(),
        });
        for element in &mut self.elements {
            let rating = agreed.and_then(|agreed| agreed.content.ratings.get(&element.element));
            element.agreed = rating.map(|rating| AgreedLevels {
                current: rating.current,
                desired: rating.desired,
            });
        }
    }
}

/// The elements with the lowest current median.
fn weakest<'a>(elements: impl Iterator<Item = &'a ElementReading>) -> Vec<ElementKey> {
    let mut lowest = f64::INFINITY;
    let mut weakest = Vec::new();
    for element in elements {
        match element.all.current_median() {
            Some(median) if median <= lowest => {
                if median < lowest {
                    weakest.clear();
                }
                lowest = median;
                weakest.push(element.element.clone());
            }
            _ => {}
        }
    }
    weakest
}

/// How to analyse.
#[derive(Debug, Clone, Default)]
pub struct Options<'a> {
    /// What to call the analysis.
    pub title: Option<String>,
    /// The earlier analysis to compare with.
    pub baseline: Option<&'a Baseline<'a>>,
    /// Of how few nothing is shown; everything is where nobody says so.
    pub withholding: Option<&'a Withholding>,
}

/// Analyses `voices`, which rate the model version `definition`.
pub fn analyse(definition: &Definition, model: ModelRef, mut voices: Vec<Voice>, options: Options<'_>) -> Analysis {
    let Options {
        title,
        baseline,
        withholding,
    } = options;
    voices.sort_by(|a, b| a.order().cmp(&b.order()));
    let counted = Counted::of(&voices, definition.keys().count(), withholding);
    let wording = Wording::of(definition);
    let elements = element_readings(definition, &counted);
    let themes = theme_readings(definition, &counted, &elements, &wording);
    let safety = safety_reading(&counted, &elements);
    let perception_gaps = perception::perception_gaps(&elements, &wording);
    let priorities = priorities::priorities(&elements, &perception_gaps, &wording);
    let strengths = priorities::strengths(&elements, &perception_gaps);
    let withheld = counted.withheld();
    let inputs = match withholding {
        None => voices.iter().cloned().map(Input::from).collect(),
        Some(_) => counted.inputs(),
    };
    let mut analysis = Analysis {
        title,
        formula_version: FORMULA_VERSION.to_owned(),
        model,
        round: None,
        minimum_group: withholding.map(|withholding| withholding.minimum_group),
        agreed_reading: None,
        comparability: comparability::of_perspectives(&inputs, &withheld),
        inputs,
        elements,
        themes,
        safety,
        perception_gaps,
        priorities,
        strengths,
        distance_travelled: None,
    };
    analysis.distance_travelled =
        baseline.map(|baseline| distance::distance_travelled(baseline, &analysis, definition));
    analysis
}

fn element_readings(definition: &Definition, counted: &Counted<'_>) -> Vec<ElementReading> {
    let ratables = definition.ratables().enumerate();
    ratables
        .map(|(place, ratable)| {
            let (all, by_perspective) = counted.readings(&[place]);
            ElementReading {
                element: ratable.key.clone(),
                theme: ratable.theme.to_owned(),
                strand: ratable.strand,
                all,
                by_perspective,
                agreed: None,
            }
        })
        .collect()
}

fn theme_readings(
    definition: &Definition,
    counted: &Counted<'_>,
    elements: &[ElementReading],
    wording: &Wording<'_>,
) -> Vec<ThemeReading> {
    let themes = definition.themes.iter();
    themes
        .map(|theme| {
            let within = |element: &ElementReading| element.theme == theme.key;
            let (all, by_perspective) = counted.readings(&places(elements, within));
            ThemeReading {
                theme: theme.key.clone(),
                all,
                by_perspective,
                weakest: weakest(elements.iter().filter(|element| within(element))),
                safety: safety::gate(&theme.key, elements, wording),
            }
        })
        .collect()
}

fn safety_reading(counted: &Counted<'_>, elements: &[ElementReading]) -> SafetyReading {
    let within = |element: &ElementReading| element.strand.is_some();
    let (all, by_perspective) = counted.readings(&places(elements, within));
    SafetyReading {
        all,
        by_perspective,
        weakest: weakest(elements.iter().filter(|element| within(element))),
    }
}

fn places(elements: &[ElementReading], within: impl Fn(&ElementReading) -> bool) -> Vec<usize> {
    let elements = elements.iter().enumerate();
    elements
        .filter(|(_, element)| within(element))
        .map(|(place, _)| place)
        .collect()
}
