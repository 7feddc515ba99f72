//! Distance travelled since an earlier analysis.

use std::{borrow::Cow, collections::BTreeMap};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Analysis, Disclosed, ElementReading, Reading, Reason, comparability};
use crate::domain::{
    digest::Digest,
    id::{GapAnalysisId, NextStepId},
    level::Level,
    life_cycle::Version,
    model::{Change, Definition, element_changes},
    slug::ElementKey,
};

/// The earlier analysis to compare with.
#[derive(Debug, Clone)]
pub struct Baseline<'a> {
    /// Its id.
    pub gap_analysis: GapAnalysisId,
    /// Its version.
    pub version: Version,
    /// The digest of that version.
    pub digest: Digest,
    /// What it says.
    pub analysis: &'a Analysis,
    /// The model version it was made with.
    pub definition: &'a Definition,
    /// The next steps that were made from it and are done.
    pub done: &'a [DoneStep],
}

/// The version of the analysis that was compared with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BaselineRef {
    /// Its id.
    pub gap_analysis: GapAnalysisId,
    /// Its version.
    #[schema(value_type = i32, minimum = 1)]
    pub version: Version,
    /// The digest of that version.
    pub digest: Digest,
}

/// Whether an element moved where people wanted it to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Movement {
    /// To where the baseline's median gap pointed.
    Toward,
    /// The other way, or away from where people wanted to stay.
    Away,
    /// Nowhere.
    None,
}

/// How far one element moved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ElementDistance {
    /// The element.
    pub element: ElementKey,
    /// The current median now minus the baseline's in levels, −3 to 3.
    #[schema(minimum = -3, maximum = 3)]
    pub levels_moved: f64,
    /// The baseline's median gap minus the one now in levels, −6 to 6.
    #[schema(minimum = -6, maximum = 6)]
    pub gap_closed: f64,
    /// Whether people wanted it to move: the baseline's median gap is not 0.
    pub intended: bool,
    /// Where it moved.
    pub moved: Movement,
}

/// What became of each element since the baseline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DistanceTravelled {
    /// The analysis compared with.
    pub baseline: BaselineRef,
    /// Whether nothing speaks against the comparison.
    pub comparable: bool,
    /// What speaks against it.
    #[schema(max_items = 100_000)]
    pub reasons: Vec<Reason>,
    /// The elements that both model versions have and both analyses have ratings of, in model order. A perspective whose reading of
    /// an element is withheld on one side enters neither.
    #[schema(max_items = 200)]
    pub elements: Vec<ElementDistance>,
    /// The elements that both model versions have, and of which nothing is shown that could be compared, in model order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 200)]
    pub withheld: Vec<ElementKey>,
    /// What became of the next steps that were taken since, by their ids: those of the baseline that are done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 10_000)]
    pub next_steps: Vec<StepTaken>,
}

/// A next step of the baseline that is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DoneStep {
    /// The step.
    pub next_step: NextStepId,
    /// The element that it was to move.
    pub element: ElementKey,
    /// The level from which.
    pub from_level: Level,
}

/// Whether an element moved for which a next step was done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StepTaken {
    /// The step.
    pub next_step: NextStepId,
    /// Its element.
    pub element: ElementKey,
    /// The level from which it was to move.
    pub from_level: Level,
    /// Where the element moved. Omitted, as is how far, where it is not compared: not rated on either side, withheld, or
    /// no longer in the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub moved: Option<Movement>,
    /// How far, as its distance says, −3 to 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = -3, maximum = 3)]
    pub levels_moved: Option<f64>,
}

impl StepTaken {
    fn of(step: &DoneStep, distances: &[ElementDistance]) -> Self {
        let distance = distances.iter().find(|distance| distance.element == step.element);
        Self {
            next_step: step.next_step,
            element: step.element.clone(),
            from_level: step.from_level,
            moved: distance.map(|distance| distance.moved),
            levels_moved: distance.map(|distance| distance.levels_moved),
        }
    }
}

/// The distance from `baseline` to `now`.
pub(super) fn distance_travelled(
    baseline: &Baseline<'_>,
    now: &Analysis,
    definition: &Definition,
) -> DistanceTravelled {
    let (before, after) = (by_element(baseline.analysis), by_element(now));
    let kept: Vec<ElementKey> = element_changes(baseline.definition, definition)
        .into_iter()
        .filter(|change| matches!(change.change, Change::Same | Change::Reworded))
        .map(|change| change.element)
        .collect();
    let (mut elements, mut withheld) = (Vec::new(), Vec::new());
    for element in kept {
        let Some((before, after)) = before.get(&element).zip(after.get(&element)) else {
            continue;
        };
        let sides = [compared(before, after), compared(after, before)];
        if let [Some(before), Some(after)] = &sides {
            elements.extend(
                medians(before)
                    .zip(medians(after))
                    .map(|(from, to)| distance(element, from, to)),
            );
        } else {
            withheld.push(element);
        }
    }
    let mut done: Vec<&DoneStep> = baseline.done.iter().collect();
    done.sort_by_key(|step| step.next_step);
    let comparability = comparability::of_analyses(baseline.analysis, now);
    DistanceTravelled {
        baseline: BaselineRef {
            gap_analysis: baseline.gap_analysis,
            version: baseline.version,
            digest: baseline.digest.clone(),
        },
        comparable: comparability.comparable,
        reasons: comparability.reasons,
        next_steps: done.into_iter().map(|step| StepTaken::of(step, &elements)).collect(),
        elements,
        withheld,
    }
}

fn by_element(analysis: &Analysis) -> BTreeMap<&ElementKey, &ElementReading> {
    let elements = analysis.elements.iter();
    elements.map(|reading| (&reading.element, reading)).collect()
}

/// One side's reading of all, without the perspectives that the other side withholds: they would move it by coming or going.
/// None where nothing is shown that could be compared.
fn compared<'a>(side: &'a ElementReading, other: &ElementReading) -> Option<Cow<'a, Reading>> {
    let is_silent = |perspective| {
        other
            .by_perspective
            .get(perspective)
            .is_some_and(Disclosed::is_withheld)
    };
    if !side.by_perspective.keys().any(is_silent) {
        return side.all.reading().map(Cow::Borrowed);
    }
    let readings = side.by_perspective.iter();
    let shown = readings.filter(|(perspective, _)| !is_silent(perspective));
    let shown: Vec<&Reading> = shown.filter_map(|(_, reading)| reading.reading()).collect();
    (!shown.is_empty()).then(|| Cow::Owned(Reading::pooled(shown)))
}

/// The current median and the median gap.
fn medians(reading: &Reading) -> Option<(f64, f64)> {
    Some((reading.current.median?, reading.gap.as_ref()?.median))
}

/// How far an element moved, from (current median, median gap) to (current median, median gap).
fn distance(element: ElementKey, (from, gap_then): (f64, f64), (to, gap_now): (f64, f64)) -> ElementDistance {
    let levels_moved = to - from;
    let moved = if levels_moved == 0.0 {
        Movement::None
    } else if levels_moved * gap_then > 0.0 {
        Movement::Toward
    } else {
        Movement::Away
    };
    ElementDistance {
        element,
        levels_moved,
        gap_closed: gap_then - gap_now,
        intended: gap_then != 0.0,
        moved,
    }
}
