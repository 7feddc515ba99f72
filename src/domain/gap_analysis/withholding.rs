//! Withholding: what too few people said is not shown, nor can it be worked out from what is.
//!
//! One rule, from which all else follows: a perspective's reading of an element is shown where at least `minimum_group` of it
//! rated the element. Whatever pools readings (`all`, a theme, Safety, and every finding) pools those that are shown, and so
//! there is never anything to subtract. This is the threshold rule of statistical disclosure control, with the totals computed
//! after suppression instead of before.
//!
//! Two versions of an analysis can be subtracted, too. So a later one is sealed only where of every perspective either nobody's
//! submission changed (added, removed, amended) or at least `minimum_group` did: what two versions tell is again of a group.
//! An erasure is the exception, because it is done at once: who kept the version before, which is deleted here, and subtracts the
//! one after, has what the erased person said. Only that person can ask for it, and should be told.
//!
//! The promise is the size of the group, not of a cell: where a reading is shown, so are its distribution and its transitions, in
//! which single ratings can stand alone.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use uuid::Uuid;

use super::{Analysis, Input, Reading, Sources};
use crate::domain::{
    life_cycle::Version,
    slug::{ElementKey, Slug},
};

/// How few people are too few to be shown, and who was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withholding {
    /// Of fewer people than this, nothing is shown: 2 or more.
    pub minimum_group: u32,
    /// The perspectives that were asked: each is in every reading, so that nobody can tell none who answered from a few.
    pub perspectives: BTreeSet<Slug>,
}

/// Why a reading is withheld.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WithheldReason {
    /// Fewer people than the analysis's `minimum_group` rated it; maybe none.
    BelowMinimumGroup,
}

/// That a reading is withheld.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Withheld {
    /// Why.
    pub reason: WithheldReason,
}

/// A reading, or that it is withheld. Only an analysis with a `minimum_group` withholds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
#[schema(as = ReadingOrWithheld)]
pub enum Disclosed {
    /// It is shown.
    #[schema(title = "Shown")]
    Shown(Box<Reading>),
    /// It is not.
    #[schema(title = "WithheldReading")]
    Withheld {
        /// Why not.
        withheld: Withheld,
    },
}

impl Disclosed {
    /// What is said in place of the reading of too few.
    pub const BELOW_MINIMUM_GROUP: Self = Self::Withheld {
        withheld: Withheld {
            reason: WithheldReason::BelowMinimumGroup,
        },
    };

    /// The reading, where it is shown.
    pub fn reading(&self) -> Option<&Reading> {
        match self {
            Self::Shown(reading) => Some(reading),
            Self::Withheld { .. } => None,
        }
    }

    /// Whether it is withheld.
    pub const fn is_withheld(&self) -> bool {
        matches!(self, Self::Withheld { .. })
    }

    /// The current median, where it is shown and there is one.
    pub fn current_median(&self) -> Option<f64> {
        self.reading()?.current.median
    }
}

impl Analysis {
    /// The elements of which a perspective's reading is withheld, in model order, by perspective.
    pub fn withheld(&self) -> BTreeMap<&Slug, Vec<&ElementKey>> {
        let mut withheld: BTreeMap<&Slug, Vec<&ElementKey>> = BTreeMap::new();
        for element in &self.elements {
            let readings = element.by_perspective.iter();
            for (perspective, _) in readings.filter(|(_, reading)| reading.is_withheld()) {
                withheld.entry(perspective).or_default().push(&element.element);
            }
        }
        withheld
    }
}

/// Whether an analysis of `now` may follow one that counted `inputs`, by their ids `before`: of no perspective did a few change.
pub fn may_follow(minimum_group: u32, inputs: &[Input], before: &BTreeMap<Uuid, Version>, now: &Sources) -> bool {
    // What of it was counted before, what is counted now, and what in both: changed or not.
    let mut changed: BTreeMap<&Slug, u32> = BTreeMap::new();
    for input in inputs {
        *changed.entry(&input.perspective).or_default() += input.counted();
    }
    for (id, (version, perspective)) in &now.assessments {
        let changed = changed.entry(perspective).or_default();
        match before.get(&id.uuid()) {
            Some(counted) if counted == version => *changed = changed.saturating_sub(1),
            Some(_) => {}
            None => *changed = changed.saturating_add(1),
        }
    }
    changed
        .values()
        .all(|changed| *changed == 0 || *changed >= minimum_group)
}
