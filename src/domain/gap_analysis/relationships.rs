//! How each relationship stands that an analysis counted assessments of.

use std::collections::{BTreeMap, BTreeSet};

use super::{Analysis, Input, Voice, counting::Counted, figures::median};
use crate::domain::id::RelationshipId;

/// With fewer inputs than this, how a relationship stands is withheld: it would tell what single people said.
const FEWEST_INPUTS: usize = 3;

/// How a relationship stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum RelationshipReading {
    /// Fewer than three inputs are about it.
    Withheld,
    /// Nobody has rated anything of it.
    Unrated,
    /// By all ratings of all elements.
    Stands {
        /// The median of the current levels, 1 to 4.
        current: f64,
        /// How many inputs are about it.
        inputs: usize,
    },
}

/// How each relationship stands that `voices` are about, on a model with this many elements.
pub fn by_relationship(voices: Vec<Voice>, elements: usize) -> BTreeMap<RelationshipId, RelationshipReading> {
    let mut about: BTreeMap<RelationshipId, Vec<Voice>> = BTreeMap::new();
    for voice in voices {
        if let Some(id) = voice.relationship {
            about.entry(id).or_default().push(voice);
        }
    }
    let places: Vec<usize> = (0..elements).collect();
    about
        .into_iter()
        .map(|(id, mut voices)| {
            voices.sort_by(|a, b| a.order().cmp(&b.order()));
            let reading = match Counted::of(&voices, elements, None)
                .readings(&places)
                .0
                .current_median()
            {
                _ if voices.len() < FEWEST_INPUTS => RelationshipReading::Withheld,
                None => RelationshipReading::Unrated,
                Some(current) => RelationshipReading::Stands {
                    current,
                    inputs: voices.len(),
                },
            };
            (id, reading)
        })
        .collect()
}

/// The same of an analysis that names no inputs, by what it shows: it is about one relationship, or about none.
pub fn by_shown_relationship(analysis: &Analysis) -> BTreeMap<RelationshipId, RelationshipReading> {
    let mut counts = [0_u32; 4];
    for reading in analysis.elements.iter().filter_map(|element| element.all.reading()) {
        let counted = counts.iter_mut().zip(reading.current.counts.in_order());
        counted.for_each(|(count, more)| *count = count.saturating_add(more));
    }
    let inputs = analysis.inputs.iter().map(Input::counted).sum::<u32>();
    let reading = median(&counts, 1).map_or(RelationshipReading::Withheld, |current| RelationshipReading::Stands {
        current,
        inputs: usize::try_from(inputs).unwrap_or(usize::MAX),
    });
    let relationships = analysis.inputs.iter().filter_map(|input| input.relationship);
    relationships.map(|id| (id, reading)).collect()
}

/// Those that stand lowest, where others stand higher.
pub fn weakest_relationships(readings: &BTreeMap<RelationshipId, RelationshipReading>) -> BTreeSet<RelationshipId> {
    let medians = || {
        readings.iter().filter_map(|(id, reading)| match reading {
            RelationshipReading::Stands { current, .. } => Some((*id, *current)),
            _ => None,
        })
    };
    let lowest = medians().map(|(_, median)| median).fold(f64::INFINITY, f64::min);
    let is_lowest = |median: f64| median <= lowest;
    if medians().all(|(_, median)| is_lowest(median)) {
        return BTreeSet::new();
    }
    medians()
        .filter(|(_, median)| is_lowest(*median))
        .map(|(id, _)| id)
        .collect()
}
