//! Counting ratings.

use std::collections::BTreeMap;

use super::{Disclosed, Input, Reading, Voice, Withholding};
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

    /// How many rated both levels.
    fn n(&self) -> u32 {
        self.transitions.as_flattened().iter().sum()
    }

    fn reading(&self, several_inputs: bool) -> Disclosed {
        let reading = Reading::of(self.transitions, self.not_applicable, several_inputs);
        Disclosed::Shown(Box::new(reading))
    }
}

fn place(level: Level) -> usize {
    usize::from(level.value().saturating_sub(1))
}

/// The inputs, counted by perspective; and of how few nothing is shown.
pub(super) struct Counted<'a> {
    perspectives: BTreeMap<&'a Slug, CountedPerspective<'a>>,
    minimum_group: Option<u32>,
}

/// The inputs of one perspective, with the tally of each element in model order.
struct CountedPerspective<'a> {
    voices: &'a [Voice],
    elements: Vec<Tally>,
}

impl<'a> Counted<'a> {
    /// Counts inputs, sorted by perspective, of a model with this many elements.
    pub(super) fn of(voices: &'a [Voice], elements: usize, withholding: Option<&'a Withholding>) -> Self {
        let heard = voices.chunk_by(|a, b| a.perspective == b.perspective);
        let heard = heard.filter_map(|voices| Some((&voices.first()?.perspective, voices)));
        let asked = withholding
            .into_iter()
            .flat_map(|withholding| &withholding.perspectives);
        let unheard: &[Voice] = &[];
        let voices: BTreeMap<&Slug, &[Voice]> = asked.map(|asked| (asked, unheard)).chain(heard).collect();
        let counted = voices.into_iter().map(|(perspective, voices)| {
            let elements = Tally::of_elements(voices.iter().map(|voice| &voice.levels), elements);
            (perspective, CountedPerspective { voices, elements })
        });
        Self {
            perspectives: counted.collect(),
            minimum_group: withholding.map(|withholding| withholding.minimum_group),
        }
    }

    /// The readings of the elements at these places, pooled as far as they are shown: of all inputs, and of each perspective.
    pub(super) fn readings(&self, places: &[usize]) -> (Disclosed, BTreeMap<Slug, Disclosed>) {
        let (mut all, mut all_inputs, mut is_shown) = (Tally::default(), 0, self.minimum_group.is_none());
        let by_perspective = self
            .perspectives
            .iter()
            .map(|(perspective, counted)| {
                let shown = self.shown(counted, places);
                if self.minimum_group.is_some() && shown.is_empty() {
                    return ((*perspective).clone(), Disclosed::BELOW_MINIMUM_GROUP);
                }
                let (pool, inputs) = counted.pool(&shown);
                all.add(&pool);
                all_inputs += inputs;
                is_shown = true;
                ((*perspective).clone(), pool.reading(inputs >= 2))
            })
            .collect();
        let all = if is_shown {
            all.reading(all_inputs >= 2)
        } else {
            Disclosed::BELOW_MINIMUM_GROUP
        };
        (all, by_perspective)
    }

    /// The perspectives of which too few are heard.
    pub(super) fn withheld(&self) -> Vec<&'a Slug> {
        let perspectives = self.perspectives.iter();
        let withheld = perspectives.filter(|(_, counted)| counted.len() < self.minimum_group.unwrap_or_default());
        withheld.map(|(perspective, _)| *perspective).collect()
    }

    /// How many of each perspective are heard that is not withheld, without naming any.
    pub(super) fn inputs(&self) -> Vec<Input> {
        let perspectives = self.perspectives.iter();
        let shown = perspectives.filter(|(_, counted)| counted.len() >= self.minimum_group.unwrap_or_default());
        shown
            .map(|(perspective, counted)| Input {
                assessment: None,
                version: None,
                digest: None,
                perspective: (*perspective).clone(),
                // A round is about one, or about none.
                relationship: counted.voices.first().and_then(|voice| voice.relationship),
                count: Some(counted.len()),
            })
            .collect()
    }

    /// Those of these places where enough of a perspective rated the element.
    fn shown(&self, counted: &CountedPerspective<'_>, places: &[usize]) -> Vec<usize> {
        let places = places.iter().copied();
        let is_shown = |place: &usize| {
            let tally = counted.elements.get(*place);
            self.minimum_group
                .is_none_or(|least| tally.is_some_and(|tally| tally.n() >= least))
        };
        places.filter(is_shown).collect()
    }
}

impl CountedPerspective<'_> {
    fn len(&self) -> u32 {
        u32::try_from(self.voices.len()).unwrap_or(u32::MAX)
    }

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
