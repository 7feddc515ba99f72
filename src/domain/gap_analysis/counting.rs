//! Counting ratings.

use std::collections::BTreeMap;

use super::{Reading, Voice};
use crate::domain::{
    level::Level,
    ratings::{Levels, Mark},
    slug::Slug,
};

/// Ratings, counted. Everything else follows from the transitions.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    not_applicable: u32,
    transitions: [[u32; 4]; 4],
}

impl Tally {
    /// The ratings of each element, in one pass over the inputs' bytes.
    fn of_elements<'a>(inputs: impl Iterator<Item = &'a Levels>, elements: usize) -> Vec<Self> {
        let mut tallies = vec![Self::default(); elements];
        for levels in inputs {
            for (tally, mark) in tallies.iter_mut().zip(levels.marks()) {
                tally.count(mark);
            }
        }
        tallies
    }

    fn count(&mut self, mark: Mark) {
        match mark {
            Mark::NotApplicable => self.not_applicable += 1,
            Mark::Rated {
                current: Some(current),
                desired: Some(desired),
            } => {
                if let Some(ratings) = self
                    .transitions
                    .get_mut(place(current))
                    .and_then(|row| row.get_mut(place(desired)))
                {
                    *ratings += 1;
                }
            }
            Mark::Rated { .. } => {}
        }
    }

    fn add(&mut self, other: &Self) {
        self.not_applicable += other.not_applicable;
        for (ratings, more) in self
            .transitions
            .as_flattened_mut()
            .iter_mut()
            .zip(other.transitions.as_flattened())
        {
            *ratings += more;
        }
    }

    fn reading(&self, several_inputs: bool) -> Reading {
        Reading::of(self.transitions, self.not_applicable, several_inputs)
    }
}

fn place(level: Level) -> usize {
    usize::from(level.value().saturating_sub(1))
}

/// The inputs, counted by perspective.
pub(super) struct Counted<'a>(BTreeMap<&'a Slug, CountedPerspective<'a>>);

/// The inputs of one perspective, with the tally of each element in model order.
struct CountedPerspective<'a> {
    voices: &'a [Voice],
    elements: Vec<Tally>,
}

impl<'a> Counted<'a> {
    /// Counts inputs, sorted by perspective, of a model with this many elements.
    pub(super) fn of(voices: &'a [Voice], elements: usize) -> Self {
        let perspectives = voices.chunk_by(|a, b| a.perspective == b.perspective);
        let counted = perspectives.filter_map(|voices| {
            let elements = Tally::of_elements(voices.iter().map(|voice| &voice.levels), elements);
            Some((&voices.first()?.perspective, CountedPerspective { voices, elements }))
        });
        Self(counted.collect())
    }

    /// The readings of the elements at these places, pooled: of all inputs, and of each perspective.
    pub(super) fn readings(&self, places: &[usize]) -> (Reading, BTreeMap<Slug, Reading>) {
        let (mut all, mut all_inputs) = (Tally::default(), 0);
        let by_perspective = self
            .0
            .iter()
            .map(|(perspective, counted)| {
                let (pool, inputs) = counted.pool(places);
                all.add(&pool);
                all_inputs += inputs;
                ((*perspective).clone(), pool.reading(inputs >= 2))
            })
            .collect();
        (all.reading(all_inputs >= 2), by_perspective)
    }
}

impl CountedPerspective<'_> {
    /// The ratings of the elements at these places, and how many inputs gave them, as far as two.
    fn pool(&self, places: &[usize]) -> (Tally, usize) {
        let mut pool = Tally::default();
        for tally in places.iter().filter_map(|place| self.elements.get(*place)) {
            pool.add(tally);
        }
        let rated = |voice: &&Voice| places.iter().any(|place| is_rated(voice.levels.mark(*place)));
        (pool, self.voices.iter().filter(rated).take(2).count())
    }
}

fn is_rated(mark: Mark) -> bool {
    matches!(
        mark,
        Mark::Rated {
            current: Some(_),
            desired: Some(_)
        }
    )
}
