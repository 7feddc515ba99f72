//! How what is said of a relationship moves from round to round.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Analysis, Disclosed};
use crate::domain::{
    id::{GapAnalysisId, RelationshipId, RoundId},
    life_cycle::Version,
    moment::Moment,
    perspective::ALL,
    slug::{ElementKey, Slug},
};

/// A round that was revealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TimelineRound {
    /// Its id.
    pub id: RoundId,
    /// Its title.
    #[schema(max_length = 200)]
    pub title: String,
    /// When it was revealed.
    pub revealed_at: Moment,
    /// Its gap analysis.
    pub gap_analysis: GapAnalysisId,
    /// The version of that: the newest.
    #[schema(value_type = i32, minimum = 1)]
    pub gap_analysis_version: Version,
}

/// Why a series has no point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AbsenceReason {
    /// Fewer people than the round's `minimum_group` rated it; maybe none.
    Withheld,
    /// Nobody rated it, or all marked it as not applicable.
    Unrated,
    /// The round did not hear the perspective.
    NotHeard,
    /// The round's model version does not have the element.
    NotInModel,
}

/// That a series has no point, which is `null` in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Absence {
    /// Of this round.
    pub round: RoundId,
    /// Why.
    pub reason: AbsenceReason,
}

/// What a perspective says of an element: a point a round, in their order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TimelineSeries {
    /// The perspective; `all` for everybody together.
    #[schema(pattern = "^[a-z][a-z0-9_-]{0,62}$", example = "service_user")]
    pub perspective: String,
    /// The element.
    pub element: ElementKey,
    /// The medians of the current levels, 1 to 4; `null` where there is no point.
    #[schema(max_items = 100)]
    pub current: Vec<Option<f64>>,
    /// The medians of the desired levels, 1 to 4; `null` where there is no point.
    #[schema(max_items = 100)]
    pub desired: Vec<Option<f64>>,
    /// Why there is no point, for every `null`.
    #[schema(max_items = 100)]
    pub absent: Vec<Absence>,
}

/// The medians of a relationship's rounds, as series that are ready to plot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Timeline {
    /// The relationship.
    pub relationship: RelationshipId,
    /// The revealed rounds about it, by when they were revealed, oldest first; of more than a hundred the newest.
    #[schema(max_items = 100)]
    pub rounds: Vec<TimelineRound>,
    /// The series: by element in the newest round's model order, then those of older rounds; `all` first, then by perspective.
    #[schema(max_items = 10_000)]
    pub series: Vec<TimelineSeries>,
}

/// Which series to tell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of this perspective, or of `all`.
    pub perspective: Option<Slug>,
    /// Of this element.
    pub element: Option<ElementKey>,
    /// Of this theme's elements; `safety` for the considerations.
    pub theme: Option<String>,
}

impl Filter {
    fn has(&self, perspective: &str, element: &ElementKey) -> bool {
        self.perspective
            .as_ref()
            .is_none_or(|wanted| wanted.as_str() == perspective)
            && self.element.as_ref().is_none_or(|wanted| wanted == element)
            && self.theme.as_ref().is_none_or(|wanted| wanted == element.theme())
    }
}

/// The timeline of these rounds, oldest first.
pub fn timeline(relationship: RelationshipId, rounds: &[(TimelineRound, Analysis)], filter: &Filter) -> Timeline {
    let mut elements: Vec<&ElementKey> = Vec::new();
    let mut perspectives: BTreeSet<&str> = BTreeSet::new();
    let mut seen = BTreeSet::new();
    for element in rounds.iter().rev().flat_map(|(_, analysis)| &analysis.elements) {
        if seen.insert(&element.element) {
            elements.push(&element.element);
        }
        perspectives.extend(element.by_perspective.keys().map(Slug::as_str));
    }
    let readings: Vec<(RoundId, Readings<'_>)> = rounds
        .iter()
        .map(|(round, analysis)| (round.id, Readings::of(analysis)))
        .collect();
    let series = elements.into_iter().flat_map(|element| {
        let perspectives = std::iter::once(ALL).chain(perspectives.iter().copied());
        let wanted = perspectives.filter(move |perspective| filter.has(perspective, element));
        wanted
            .map(|perspective| series(perspective, element, &readings))
            .collect::<Vec<_>>()
    });
    Timeline {
        relationship,
        series: series.collect(),
        rounds: rounds.iter().map(|(round, _)| round.clone()).collect(),
    }
}

/// The readings of one analysis by element and perspective.
struct Readings<'a>(BTreeMap<&'a ElementKey, BTreeMap<&'a str, &'a Disclosed>>);

impl<'a> Readings<'a> {
    fn of(analysis: &'a Analysis) -> Self {
        let elements = analysis.elements.iter().map(|element| {
            let each = element
                .by_perspective
                .iter()
                .map(|(slug, reading)| (slug.as_str(), reading));
            (
                &element.element,
                std::iter::once((ALL, &element.all)).chain(each).collect(),
            )
        });
        Self(elements.collect())
    }

    /// The medians, current and desired, or why there are none.
    fn medians(&self, perspective: &str, element: &ElementKey) -> Result<(f64, f64), AbsenceReason> {
        let of_element = self.0.get(element).ok_or(AbsenceReason::NotInModel)?;
        match of_element.get(perspective) {
            None => Err(AbsenceReason::NotHeard),
            Some(Disclosed::Withheld { .. }) => Err(AbsenceReason::Withheld),
            Some(Disclosed::Shown(reading)) => {
                let medians = reading.current.median.zip(reading.desired.median);
                medians.ok_or(AbsenceReason::Unrated)
            }
        }
    }
}

fn series(perspective: &str, element: &ElementKey, rounds: &[(RoundId, Readings<'_>)]) -> TimelineSeries {
    let mut series = TimelineSeries {
        perspective: perspective.to_owned(),
        element: element.clone(),
        current: Vec::with_capacity(rounds.len()),
        desired: Vec::with_capacity(rounds.len()),
        absent: Vec::new(),
    };
    for (round, readings) in rounds {
        let medians = readings.medians(perspective, element);
        series.current.push(medians.ok().map(|(current, _)| current));
        series.desired.push(medians.ok().map(|(_, desired)| desired));
        series
            .absent
            .extend(medians.err().map(|reason| Absence { round: *round, reason }));
    }
    series
}
