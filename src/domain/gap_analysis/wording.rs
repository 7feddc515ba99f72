//! How an analysis puts its findings into words. None of them come from respondents.

use std::collections::BTreeMap;

use super::{Analysis, Reason, perception, priorities, safety};
use crate::domain::{
    level::Level,
    model::{Definition, SAFETY},
    slug::{ElementKey, Slug},
};

/// The words of one model version.
pub struct Wording<'a> {
    definition: &'a Definition,
    elements: BTreeMap<&'a ElementKey, String>,
}

impl<'a> Wording<'a> {
    /// The words of this model version.
    pub fn of(definition: &'a Definition) -> Self {
        let names = definition.ratables().map(|ratable| {
            let theme = theme_label(definition, ratable.theme);
            (ratable.key, format!("{theme}: {}", ratable.label))
        });
        Self {
            definition,
            elements: names.collect(),
        }
    }

    /// An element with its theme: "Feelings: feel heard".
    pub fn element<'s>(&'s self, key: &'s ElementKey) -> &'s str {
        self.elements.get(key).map_or(key.as_str(), String::as_str)
    }

    /// A level: "Maturing".
    pub fn level(&self, level: Level) -> &str {
        self.definition.level_label(level)
    }

    /// Where a median stands: "Maturing (median 3)", "between Forming and Maturing (median 2.5)".
    pub fn median(&self, median: f64) -> String {
        match (at_most(median), at_least(median)) {
            (Some(lower), Some(upper)) if lower != upper => {
                format!(
                    "between {} and {} (median {median})",
                    self.level(lower),
                    self.level(upper)
                )
            }
            (_, Some(level)) => format!("{} (median {median})", self.level(level)),
            (_, None) => format!("median {median}"),
        }
    }
}

impl Analysis {
    /// The same findings, their sentences with the labels of `definition`: the model version in another language. The
    /// sentences themselves stay ours, and English.
    #[must_use]
    pub fn with_labels_of(mut self, definition: &Definition) -> Self {
        let wording = Wording::of(definition);
        let gaps = perception::perception_gaps(&self.elements, &wording);
        for (gap, anew) in self.perception_gaps.iter_mut().zip(&gaps) {
            if (&gap.element, &gap.higher, &gap.lower) == (&anew.element, &anew.higher, &anew.lower) {
                gap.detail.clone_from(&anew.detail);
            }
        }
        for theme in &mut self.themes {
            let gate = safety::gate(&theme.theme, &self.elements, &wording);
            reword(&mut theme.safety.reasons, &gate.reasons);
        }
        let priorities = priorities::priorities(&self.elements, &gaps, &wording);
        for (priority, anew) in self.priorities.iter_mut().zip(&priorities) {
            if priority.element == anew.element {
                reword(&mut priority.reasons, &anew.reasons);
            }
        }
        self
    }
}

/// Takes over the sentences of the same reasons.
fn reword(reasons: &mut [Reason], anew: &[Reason]) {
    for (reason, anew) in reasons.iter_mut().zip(anew) {
        if (reason.code, &reason.element, &reason.perspective) == (anew.code, &anew.element, &anew.perspective) {
            reason.detail.clone_from(&anew.detail);
        }
    }
}

/// What a theme is called; Safety too.
pub fn theme_label<'a>(definition: &'a Definition, theme: &'a str) -> &'a str {
    if theme == SAFETY {
        return &definition.safety.label;
    }
    definition
        .themes
        .iter()
        .find(|candidate| candidate.key == theme)
        .map_or(theme, |theme| &theme.label)
}

/// A perspective as it is spoken of: "service user".
pub fn perspective(slug: &Slug) -> String {
    slug.as_str().replace(['_', '-'], " ")
}

/// A distance in levels: "half a level", "1 level", "2.5 levels".
pub fn levels(distance: f64) -> String {
    match distance.to_string().as_str() {
        "0.5" => "half a level".to_owned(),
        "1" => "1 level".to_owned(),
        number => format!("{number} levels"),
    }
}

/// The lowest level that is at the median or above it.
pub(super) fn at_least(median: f64) -> Option<Level> {
    Level::ALL.into_iter().find(|level| f64::from(level.value()) >= median)
}

/// The lowest level above the median.
pub(super) fn above(median: f64) -> Option<Level> {
    Level::ALL.into_iter().find(|level| f64::from(level.value()) > median)
}

/// The highest level that is at the median or below it.
pub(super) fn at_most(median: f64) -> Option<Level> {
    Level::ALL.into_iter().rfind(|level| f64::from(level.value()) <= median)
}
