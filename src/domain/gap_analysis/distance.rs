//! Distance travelled since an earlier analysis.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Analysis, Reason, comparability};
use crate::domain::{
    digest::Digest,
    id::GapAnalysisId,
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
    /// The elements that both model versions have and both analyses have ratings of, in model order.
    #[schema(max_items = 200)]
    pub elements: Vec<ElementDistance>,
}

/// The distance from `baseline` to `now`.
pub(super) fn distance_travelled(
    baseline: &Baseline<'_>,
    now: &Analysis,
    definition: &Definition,
) -> DistanceTravelled {
    let medians = |analysis: &Analysis| -> BTreeMap<ElementKey, (f64, f64)> {
        let elements = analysis.elements.iter();
        elements
            .filter_map(|element| {
                let gap = element.all.gap.as_ref()?;
                Some((element.element.clone(), (element.all.current.median?, gap.median)))
            })
            .collect()
    };
    let (before, after) = (medians(baseline.analysis), medians(now));
    let elements = element_changes(baseline.definition, definition)
        .into_iter()
        .filter(|change| matches!(change.change, Change::Same | Change::Reworded))
        .filter_map(|change| {
            let (from, to) = (before.get(&change.element)?, after.get(&change.element)?);
            Some(distance(change.element, *from, *to))
        })
        .collect();
    let comparability = comparability::of_analyses(baseline.analysis, now);
    DistanceTravelled {
        baseline: BaselineRef {
            gap_analysis: baseline.gap_analysis,
            version: baseline.version,
            digest: baseline.digest.clone(),
        },
        comparable: comparability.comparable,
        reasons: comparability.reasons,
        elements,
    }
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
