//! Worked examples: every expected figure is computed by hand in the comment beside it.

#![expect(
    clippy::float_cmp,
    reason = "the figures are halves or rounded, so they are equal or wrong"
)]

mod distance;
mod findings;
mod properties;
mod readings;
mod timeline;
mod withholding;

use uuid::Uuid;

use super::*;
use crate::domain::{
    id::{AssessmentId, NextStepId},
    level::Level,
    model::{MEANINGFUL_CONNECTIONS, meaningful_connections},
    ratings::{Levels, Mark},
};

pub(crate) fn definition() -> Definition {
    meaningful_connections().expect("the seed")
}

pub(crate) fn model() -> ModelRef {
    ModelRef {
        slug: MEANINGFUL_CONNECTIONS.parse().expect("a slug"),
        version: 1,
        digest: Digest::kept("sha256:00".to_owned()),
    }
}

/// A voice that rates what it names, `element=` current and desired or `na`, and nothing else.
pub(crate) fn voice(perspective: &str, id: u128, ratings: &str) -> Voice {
    let level = |digit: char| Level::from_value(u8::try_from(digit.to_digit(10)?).ok()?);
    let mark = |key: &ElementKey| {
        let mut rated = ratings.split(' ').filter_map(|rating| rating.split_once('='));
        match rated.rfind(|(name, _)| *name == key.as_str()) {
            Some((_, "na")) => Mark::NotApplicable,
            levels => {
                let mut digits = levels.map(|(_, levels)| levels.chars()).into_iter().flatten();
                Mark::Rated {
                    current: digits.next().and_then(level),
                    desired: digits.next().and_then(level),
                }
            }
        }
    };
    Voice {
        assessment: Some(AssessmentId::from_uuid(Uuid::from_u128(id))),
        version: Some(1),
        digest: Some(Digest::kept(format!("sha256:{id:064x}"))),
        perspective: perspective.parse().expect("a slug"),
        relationship: None,
        levels: definition().keys().map(mark).collect(),
    }
}

/// An analysis of these (perspective, ratings).
pub(crate) fn analysis(voices: &[(&str, &str)]) -> Analysis {
    let voices = (1..).zip(voices).map(|(id, (who, ratings))| voice(who, id, ratings));
    analyse(&definition(), model(), voices.collect(), Options::default())
}

fn element<'a>(analysis: &'a Analysis, key: &str) -> &'a ElementReading {
    let mut elements = analysis.elements.iter();
    elements.find(|e| e.element.as_str() == key).expect("an element")
}

fn shown(reading: &Disclosed) -> &Reading {
    reading.reading().expect("it is shown")
}

fn gate<'a>(analysis: &'a Analysis, theme: &str) -> &'a SafetyGate {
    let mut themes = analysis.themes.iter();
    &themes.find(|t| t.theme == theme).expect("a theme").safety
}

fn keys<'a>(keys: impl IntoIterator<Item = &'a ElementKey>) -> Vec<&'a str> {
    keys.into_iter().map(ElementKey::as_str).collect()
}

fn ranks(analysis: &Analysis) -> Vec<&str> {
    keys(analysis.priorities.iter().map(|p| &p.element))
}
