//! How what is said of a relationship moves from round to round.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Analysis, Disclosed};
use crate::domain::{
    fault::{Fault, pointer},
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
    /// The model that was rated.
    pub model: Slug,
    /// The version of that model.
    #[schema(value_type = i32, minimum = 1)]
    pub model_version: Version,
    /// When it was revealed.
    pub revealed_at: Moment,
    /// Its gap analysis.
    pub gap_analysis: GapAnalysisId,
    /// The version of that: the newest.
    #[schema(value_type = i32, minimum = 1)]
    pub gap_analysis_version: Version,
}

/// A round that was revealed, and what it found.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// The round.
    pub round: TimelineRound,
    /// What it found.
    pub analysis: Analysis,
    /// The model at the beginning of its model's lineage: that model itself, where it is derived from none.
    pub family: Slug,
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
    /// The round's model version does not have the element, or has another under its key: a model that is neither derived from the
    /// one that the newest round with that element rated, nor the other way round, nor both from one, shares words with it alone.
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
    /// What it names that none of these rounds knows, by the parameters' names. Where there are none, nobody can tell.
    pub fn faults(&self, rounds: &[Told]) -> Vec<Fault> {
        let elements = || rounds.iter().flat_map(|told| &told.analysis.elements);
        let heard = |slug: &Slug| {
            let mut readings = rounds.iter().map(|told| &told.analysis.safety.by_perspective);
            slug.as_str() == ALL || readings.any(|readings| readings.contains_key(slug))
        };
        let perspective = self.perspective.as_ref().is_some_and(|slug| !heard(slug));
        let element = self.element.as_ref();
        let element = element.is_some_and(|key| elements().all(|element| element.element != *key));
        let theme = self.theme.as_ref();
        let theme = theme.is_some_and(|key| elements().all(|element| element.theme != *key));
        let named = [("perspective", perspective), ("element", element), ("theme_key", theme)];
        let unknown = named
            .into_iter()
            .filter(|(_, is_unknown)| *is_unknown && !rounds.is_empty());
        let detail = "No round of this timeline knows it.";
        unknown
            .map(|(name, _)| Fault::new(pointer([name]), "unknown_reference", detail))
            .collect()
    }

    fn has(&self, perspective: &str, element: &ElementKey) -> bool {
        self.perspective
            .as_ref()
            .is_none_or(|wanted| wanted.as_str() == perspective)
            && self.element.as_ref().is_none_or(|wanted| wanted == element)
            && self.theme.as_ref().is_none_or(|wanted| wanted == element.theme())
    }
}

/// The timeline of these rounds, oldest first.
pub fn timeline(relationship: RelationshipId, rounds: &[Told], filter: &Filter) -> Timeline {
    let mut elements: Vec<(&ElementKey, &Slug)> = Vec::new();
    let mut perspectives: BTreeSet<&str> = BTreeSet::new();
    let mut seen = BTreeSet::new();
    for told in rounds.iter().rev() {
        for element in &told.analysis.elements {
            if seen.insert(&element.element) {
                elements.push((&element.element, &told.family));
            }
            perspectives.extend(element.by_perspective.keys().map(Slug::as_str));
        }
    }
    let readings: Vec<Readings<'_>> = rounds.iter().map(Readings::of).collect();
    let series = elements.into_iter().flat_map(|(element, family)| {
        let perspectives = std::iter::once(ALL).chain(perspectives.iter().copied());
        let wanted = perspectives.filter(move |perspective| filter.has(perspective, element));
        wanted
            .map(|perspective| series(perspective, element, family, &readings))
            .collect::<Vec<_>>()
    });
    Timeline {
        relationship,
        series: series.collect(),
        rounds: rounds.iter().map(|told| told.round.clone()).collect(),
    }
}

/// The readings of one round by element and perspective.
struct Readings<'a> {
    round: RoundId,
    family: &'a Slug,
    elements: BTreeMap<&'a ElementKey, BTreeMap<&'a str, &'a Disclosed>>,
}

impl<'a> Readings<'a> {
    fn of(told: &'a Told) -> Self {
        let elements = told.analysis.elements.iter().map(|element| {
            let each = element
                .by_perspective
                .iter()
                .map(|(slug, reading)| (slug.as_str(), reading));
            (
                &element.element,
                std::iter::once((ALL, &element.all)).chain(each).collect(),
            )
        });
        Self {
            round: told.round.id,
            family: &told.family,
            elements: elements.collect(),
        }
    }

    /// The medians, current and desired, or why there are none.
    fn medians(&self, perspective: &str, element: &ElementKey, family: &Slug) -> Result<(f64, f64), AbsenceReason> {
        let of_element = self.elements.get(element).filter(|_| self.family == family);
        match of_element.ok_or(AbsenceReason::NotInModel)?.get(perspective) {
            None => Err(AbsenceReason::NotHeard),
            Some(Disclosed::Withheld { .. }) => Err(AbsenceReason::Withheld),
            Some(Disclosed::Shown(reading)) => {
                let medians = reading.current.median.zip(reading.desired.median);
                medians.ok_or(AbsenceReason::Unrated)
            }
        }
    }
}

fn series(perspective: &str, element: &ElementKey, family: &Slug, rounds: &[Readings<'_>]) -> TimelineSeries {
    let mut series = TimelineSeries {
        perspective: perspective.to_owned(),
        element: element.clone(),
        current: Vec::with_capacity(rounds.len()),
        desired: Vec::with_capacity(rounds.len()),
        absent: Vec::new(),
    };
    for readings in rounds {
        let medians = readings.medians(perspective, element, family);
        series.current.push(medians.ok().map(|(current, _)| current));
        series.desired.push(medians.ok().map(|(_, desired)| desired));
        let round = readings.round;
        series
            .absent
            .extend(medians.err().map(|reason| Absence { round, reason }));
    }
    series
}
