//! Safety, the heart of the model: alarms, and the gate that every theme passes.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    ElementReading, Reading, Reason, ReasonCode,
    wording::{self, Wording},
};
use crate::domain::{model::SAFETY, slug::Slug};

/// Whether what is said of a theme can be relied on as far as Safety goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum GateStatus {
    /// Nothing in Safety is in alarm, and nothing of it is withheld.
    Clear,
    /// The theme's own safety element or a consideration is in alarm, or may be, in what is withheld. No rating is lowered for it.
    Provisional,
}

/// What Safety says of a theme.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SafetyGate {
    /// `provisional` where anything is in alarm, or something of what a perspective says of Safety is withheld, and so not known.
    pub status: GateStatus,
    /// The alarms (`own_safety_element`, `safety_consideration`), then `early_stages_within`, which raises none, then `withheld`:
    /// a perspective that may see an alarm or none. Where no alarm is among them, nothing that is shown is in alarm.
    #[schema(max_items = 10_000_000)]
    pub reasons: Vec<Reason>,
}

/// The perspectives in which a part of Safety stands at Early stages, so that none is averaged away by another.
pub(super) fn alarms(element: &ElementReading) -> impl Iterator<Item = (&Slug, f64)> {
    let readings = element.strand.is_some().then_some(&element.by_perspective);
    readings
        .into_iter()
        .flatten()
        .filter_map(|(perspective, reading)| Some((perspective, median_in_alarm(reading.reading()?)?)))
}

fn median_in_alarm(reading: &Reading) -> Option<f64> {
    reading.current.median.filter(|median| *median < 2.0)
}

/// The gate of a theme.
pub(super) fn gate(theme: &str, elements: &[ElementReading], wording: &Wording<'_>) -> SafetyGate {
    let own = elements
        .iter()
        .filter(|element| element.theme == theme && element.strand.is_some());
    let considerations = elements.iter().filter(|element| element.theme == SAFETY);
    let parts = || own.clone().chain(considerations.clone());
    let mut reasons: Vec<Reason> = parts()
        .flat_map(|element| {
            let code = if element.theme == SAFETY {
                ReasonCode::SafetyConsideration
            } else {
                ReasonCode::OwnSafetyElement
            };
            alarms(element).map(move |(perspective, median)| alarm(code, element, perspective, median, wording))
        })
        .collect();
    let is_in_alarm = !reasons.is_empty();
    reasons.extend(parts().flat_map(|element| early_stages_within(element, wording)));
    let withheld = parts().flat_map(|element| {
        element
            .by_perspective
            .iter()
            .filter(|(_, reading)| reading.is_withheld())
    });
    let withheld: BTreeSet<&Slug> = withheld.map(|(perspective, _)| perspective).collect();
    let status = if is_in_alarm || !withheld.is_empty() {
        GateStatus::Provisional
    } else {
        GateStatus::Clear
    };
    reasons.extend(withheld.into_iter().map(silent));
    SafetyGate { status, reasons }
}

/// What a perspective says of Safety is withheld, in part at least: it raises no alarm, whatever it says.
fn silent(perspective: &Slug) -> Reason {
    Reason {
        perspective: Some(perspective.clone()),
        ..Reason::new(
            ReasonCode::Withheld,
            format!(
                "Some or all of what {} says of Safety is withheld: whatever they say, it raises no alarm here.",
                wording::perspective(perspective)
            ),
        )
    }
}

/// Why a part of Safety is in alarm.
pub(super) fn alarm(
    code: ReasonCode,
    element: &ElementReading,
    perspective: &Slug,
    median: f64,
    wording: &Wording<'_>,
) -> Reason {
    Reason {
        code,
        element: Some(element.element.clone()),
        perspective: Some(perspective.clone()),
        detail: format!(
            "On “{}”, {} sees {}: a Safety alarm.",
            wording.element(&element.element),
            wording::perspective(perspective),
            wording.median(median),
        ),
    }
}

/// Where the median of a perspective raises no alarm, but somebody within it stands at Early stages.
fn early_stages_within<'a>(
    element: &'a ElementReading,
    wording: &'a Wording<'_>,
) -> impl Iterator<Item = Reason> + use<'a> {
    let readings = element.by_perspective.iter();
    readings
        .filter_map(|(perspective, reading)| Some((perspective, reading.reading()?)))
        .filter(|(_, reading)| reading.current.counts.early_stages > 0 && median_in_alarm(reading).is_none())
        .map(|(perspective, reading)| Reason {
            code: ReasonCode::EarlyStagesWithin,
            element: Some(element.element.clone()),
            perspective: Some(perspective.clone()),
            detail: format!(
                "On “{}”, {} of {} ratings from {} are at {}, though their median is {}.",
                wording.element(&element.element),
                reading.current.counts.early_stages,
                reading.n,
                wording::perspective(perspective),
                wording.level(crate::domain::level::Level::EarlyStages),
                reading.current.median.unwrap_or_default(),
            ),
        })
}
