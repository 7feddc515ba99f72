//! Ratings, as people give them and as they are kept.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    fault::{Fault, pointer},
    level::Level,
    slug::ElementKey,
};

/// One element, rated: `current` and `desired`, or `not_applicable`. In a draft any of it may still be missing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rating {
    /// Where we are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub current: Option<Level>,
    /// Where we want to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub desired: Option<Level>,
    /// What the respondent wants to say with it. Never part of an analysis.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 4000)]
    pub note: Option<String>,
    /// The element does not apply: neither a zero nor a gap.
    #[serde(default, skip_serializing_if = "is_false")]
    pub not_applicable: bool,
    /// Why it does not apply. Only beside `not_applicable`. Never part of an analysis.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 4000)]
    pub reason: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

/// The most characters of a note or a reason.
pub const LONGEST_NOTE: usize = 4000;

/// Ratings by element.
pub type Ratings = BTreeMap<ElementKey, Rating>;

impl Rating {
    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Each fault below the pointer that `at` makes.
    fn faults(&self, at: impl Fn() -> String) -> Vec<Fault> {
        let mut faults = Vec::new();
        if self.not_applicable && (self.current.is_some() || self.desired.is_some()) {
            faults.push(Fault::new(
                at() + "/not_applicable",
                "not_applicable_with_level",
                "An element that does not apply has no level; set the levels to null in the same patch.",
            ));
        }
        if self.reason.is_some() && !self.not_applicable {
            faults.push(Fault::new(
                at() + "/reason",
                "reason_without_not_applicable",
                "A reason says why an element does not apply; it stands only beside `not_applicable`.",
            ));
        }
        for (name, text) in [("note", &self.note), ("reason", &self.reason)] {
            if text.as_ref().is_some_and(|text| text.chars().count() > LONGEST_NOTE) {
                faults.push(Fault::new(
                    format!("{}/{name}", at()),
                    "max_length",
                    "At most 4,000 characters.",
                ));
            }
        }
        faults
    }
}

/// What is wrong with ratings of these elements, complete or not; each fault under `/ratings`.
pub fn faults<'a>(ratings: &Ratings, keys: impl Iterator<Item = &'a ElementKey>) -> Vec<Fault> {
    let known: std::collections::BTreeSet<_> = keys.collect();
    ratings
        .iter()
        .flat_map(|(key, rating)| {
            let at = || pointer(["ratings", key.as_str()]);
            if known.contains(key) {
                rating.faults(at)
            } else {
                vec![Fault::new(
                    at(),
                    "unknown_element",
                    "The model version has no such element.",
                )]
            }
        })
        .collect()
}

/// What is still missing before these ratings can be submitted; each fault under `/ratings`.
pub fn missing<'a>(ratings: &Ratings, keys: impl Iterator<Item = &'a ElementKey>) -> Vec<Fault> {
    const CODE: &str = "required";
    let mut faults = Vec::new();
    for key in keys {
        let at = || pointer(["ratings", key.as_str()]);
        match ratings.get(key) {
            Some(rating) if rating.not_applicable => {}
            Some(rating) if rating.current.is_some() || rating.desired.is_some() => {
                for (side, level) in [("current", rating.current), ("desired", rating.desired)] {
                    if level.is_none() {
                        faults.push(Fault::new(format!("{}/{side}", at()), CODE, "This level is missing."));
                    }
                }
            }
            _ => faults.push(Fault::new(at(), CODE, "Neither rated nor marked as not applicable.")),
        }
    }
    faults
}

/// The levels of one assessment, one byte an element in the order of its model version's elements.
///
/// The low four bits are the current level, the high four the desired one, 0 where there is none yet; 255 is *not applicable*.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Levels(Vec<u8>);

/// One element's place in [`Levels`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// The element does not apply.
    NotApplicable,
    /// What has been rated so far; both sides in a submitted assessment.
    Rated {
        /// Where we are.
        current: Option<Level>,
        /// Where we want to be.
        desired: Option<Level>,
    },
}

impl Levels {
    const NOT_APPLICABLE: u8 = u8::MAX;

    /// Levels as they were kept.
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes to keep.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The mark of the element at this place of the model version's order; unrated beyond the end.
    pub fn mark(&self, place: usize) -> Mark {
        match self.0.get(place).copied().unwrap_or(0) {
            Self::NOT_APPLICABLE => Mark::NotApplicable,
            byte => Mark::Rated {
                current: Level::from_value(byte & 0x0f),
                desired: Level::from_value(byte >> 4),
            },
        }
    }

    /// The marks in the model version's order.
    pub fn marks(&self) -> impl Iterator<Item = Mark> + '_ {
        (0..self.0.len()).map(|place| self.mark(place))
    }
}

impl FromIterator<Mark> for Levels {
    fn from_iter<I: IntoIterator<Item = Mark>>(marks: I) -> Self {
        Self(
            marks
                .into_iter()
                .map(|mark| match mark {
                    Mark::NotApplicable => Self::NOT_APPLICABLE,
                    Mark::Rated { current, desired } => {
                        current.map_or(0, Level::value) | (desired.map_or(0, Level::value) << 4)
                    }
                })
                .collect(),
        )
    }
}

/// The words beside the levels: notes and reasons.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remark {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// The words beside the levels, by element.
pub type Remarks = BTreeMap<ElementKey, Remark>;

/// Takes ratings apart into what is kept: levels in the order of `keys`, and the words beside them.
pub fn pack<'a>(ratings: &Ratings, keys: impl Iterator<Item = &'a ElementKey>) -> (Levels, Remarks) {
    let levels = keys
        .map(|key| match ratings.get(key) {
            Some(rating) if rating.not_applicable => Mark::NotApplicable,
            Some(rating) => Mark::Rated {
                current: rating.current,
                desired: rating.desired,
            },
            None => Mark::Rated {
                current: None,
                desired: None,
            },
        })
        .collect();
    let remarks = ratings
        .iter()
        .filter(|(_, rating)| rating.note.is_some() || rating.reason.is_some())
        .map(|(key, rating)| {
            (
                key.clone(),
                Remark {
                    note: rating.note.clone(),
                    reason: rating.reason.clone(),
                },
            )
        })
        .collect();
    (levels, remarks)
}

/// Puts ratings together again; the inverse of [`pack`] for ratings without empty entries.
pub fn unpack<'a>(levels: &Levels, mut remarks: Remarks, keys: impl Iterator<Item = &'a ElementKey>) -> Ratings {
    keys.enumerate()
        .filter_map(|(place, key)| {
            let Remark { note, reason } = remarks.remove(key).unwrap_or_default();
            let rating = match levels.mark(place) {
                Mark::NotApplicable => Rating {
                    not_applicable: true,
                    note,
                    reason,
                    ..Rating::default()
                },
                Mark::Rated { current, desired } => Rating {
                    current,
                    desired,
                    note,
                    reason,
                    ..Rating::default()
                },
            };
            (!rating.is_empty()).then(|| (key.clone(), rating))
        })
        .collect()
}
