//! Readings: ratings counted, and the figures that follow from the counts.

use serde::{Deserialize, Serialize};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ArrayBuilder, KnownFormat, ObjectBuilder, RefOr, Schema, SchemaFormat, Type},
};

use super::{
    agreement::agreement,
    figures::{mean, median},
};
/// How many ratings stand at each level.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LevelCounts {
    /// Ratings at level 1.
    pub early_stages: u32,
    /// Ratings at level 2.
    pub forming: u32,
    /// Ratings at level 3.
    pub maturing: u32,
    /// Ratings at level 4.
    pub embedded: u32,
}

impl LevelCounts {
    /// The counts from level 1 to level 4.
    pub const fn in_order(self) -> [u32; 4] {
        [self.early_stages, self.forming, self.maturing, self.embedded]
    }
}

impl From<[u32; 4]> for LevelCounts {
    fn from([early_stages, forming, maturing, embedded]: [u32; 4]) -> Self {
        Self {
            early_stages,
            forming,
            maturing,
            embedded,
        }
    }
}

/// How many ratings have each gap. A negative gap is beyond what is desired.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GapCounts {
    /// Ratings three levels beyond desired.
    #[serde(rename = "-3")]
    pub three_beyond: u32,
    /// Ratings two levels beyond desired.
    #[serde(rename = "-2")]
    pub two_beyond: u32,
    /// Ratings one level beyond desired.
    #[serde(rename = "-1")]
    pub one_beyond: u32,
    /// Ratings at the desired level.
    #[serde(rename = "0")]
    pub none: u32,
    /// Ratings one level short of desired.
    #[serde(rename = "1")]
    pub one: u32,
    /// Ratings two levels short of desired.
    #[serde(rename = "2")]
    pub two: u32,
    /// Ratings three levels short of desired.
    #[serde(rename = "3")]
    pub three: u32,
}

impl GapCounts {
    /// The counts from −3 to 3.
    pub const fn in_order(self) -> [u32; 7] {
        [
            self.three_beyond,
            self.two_beyond,
            self.one_beyond,
            self.none,
            self.one,
            self.two,
            self.three,
        ]
    }
}

/// A map from gap to count: as members of their own, `-1` and `1` would be one name in most languages.
impl PartialSchema for GapCounts {
    fn schema() -> RefOr<Schema> {
        let gap = ObjectBuilder::new()
            .schema_type(Type::String)
            .enum_values(Some((-3..=3).map(|gap: i32| gap.to_string())));
        let count = ObjectBuilder::new()
            .schema_type(Type::Integer)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int32)))
            .minimum(Some(0));
        ObjectBuilder::new()
            .property_names(Some(gap))
            .additional_properties(Some(count))
            .min_properties(Some(7))
            .max_properties(Some(7))
            .description(Some(
                "How many ratings have each gap, from -3 to 3: all seven. A negative gap is beyond what is desired.",
            ))
            .into()
    }
}

impl ToSchema for GapCounts {}

impl From<[u32; 7]> for GapCounts {
    fn from([three_beyond, two_beyond, one_beyond, none, one, two, three]: [u32; 7]) -> Self {
        Self {
            three_beyond,
            two_beyond,
            one_beyond,
            none,
            one,
            two,
            three,
        }
    }
}

/// One side of the ratings: where people are, or where they want to be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Side {
    /// The distribution over the levels.
    pub counts: LevelCounts,
    /// The median in levels, 1 to 4, in halves. Omitted where n = 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1, maximum = 4)]
    pub median: Option<f64>,
    /// The arithmetic mean of the levels as numbers, 1 to 4, two decimals. Levels are ordinal: read the median first. Omitted where n = 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1, maximum = 4)]
    pub mean: Option<f64>,
    /// Van der Eijk's A, −1 (split to the ends) to 1 (all agree), two decimals. Only of two inputs or more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = -1, maximum = 1)]
    pub agreement: Option<f64>,
}

/// What stands between: desired minus current, in levels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Gap {
    /// The median of the gaps, −3 to 3, in halves; never the difference of the medians.
    #[schema(minimum = -3, maximum = 3)]
    pub median: f64,
    /// The distribution of the gaps.
    pub counts: GapCounts,
}

/// What ratings say: of an element, or pooled over several.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Reading {
    /// Ratings with both levels.
    pub n: u32,
    /// Ratings as not applicable: neither a zero nor a gap.
    pub not_applicable: u32,
    /// Where people are.
    pub current: Side,
    /// Where people want to be.
    pub desired: Side,
    /// What stands between. Omitted where n = 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub gap: Option<Gap>,
    /// Ratings by current level (row, 1 to 4) and desired level (column, 1 to 4).
    #[schema(value_type = Transitions)]
    pub transitions: [[u32; 4]; 4],
}

/// Four rows of four counts: for the schema only, which otherwise would not say how many.
struct Transitions;

impl PartialSchema for Transitions {
    fn schema() -> RefOr<Schema> {
        let count = ObjectBuilder::new()
            .schema_type(Type::Integer)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int32)))
            .minimum(Some(0));
        let four = |items: RefOr<Schema>| ArrayBuilder::new().items(items).min_items(Some(4)).max_items(Some(4));
        four(four(count.into()).into()).into()
    }
}

impl ToSchema for Transitions {}

impl Reading {
    /// The figures of these readings' ratings together, each of at least one input.
    pub(super) fn pooled(readings: Vec<&Self>) -> Self {
        let several_inputs = readings.len() > 1 || readings.iter().any(|reading| reading.current.agreement.is_some());
        let (mut transitions, mut not_applicable) = ([[0; 4]; 4], 0);
        for reading in readings {
            not_applicable += reading.not_applicable;
            let cells = reading.transitions.as_flattened();
            for (ratings, more) in transitions.as_flattened_mut().iter_mut().zip(cells) {
                *ratings += more;
            }
        }
        Self::of(transitions, not_applicable, several_inputs)
    }

    /// The figures of these ratings, by current and desired level. One input that rated several elements does not agree with itself: `several_inputs`.
    pub(super) fn of(transitions: [[u32; 4]; 4], not_applicable: u32, several_inputs: bool) -> Self {
        let current = transitions.map(|row| row.into_iter().sum());
        let desired = std::array::from_fn(|level| transitions.iter().filter_map(|row| row.get(level)).sum());
        let gaps: [u32; 7] = std::array::from_fn(|gap_and_3| {
            let rows = transitions.iter().enumerate();
            rows.filter_map(|(current, row)| row.get((current + gap_and_3).checked_sub(3)?))
                .sum()
        });
        Self {
            n: current.into_iter().sum(),
            not_applicable,
            current: Side::of(current, several_inputs),
            desired: Side::of(desired, several_inputs),
            gap: median(&gaps, -3).map(|median| Gap {
                median,
                counts: gaps.into(),
            }),
            transitions,
        }
    }
}

impl Side {
    fn of(counts: [u32; 4], several_inputs: bool) -> Self {
        let median = median(&counts, 1);
        Self {
            counts: counts.into(),
            median,
            mean: median.map(|_| mean(counts)),
            agreement: median.filter(|_| several_inputs).map(|_| agreement(counts)),
        }
    }
}
