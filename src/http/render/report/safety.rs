//! Safety, the first thing that a report says: what is in alarm, and of what nobody can say whether it is.

use std::{collections::BTreeSet, fmt::Write};

use super::{WITHHELD, bullets, counted, text};
use crate::domain::{
    gap_analysis::{Analysis, Disclosed, ReasonCode, ThemeReading, wording, wording::Wording},
    level::Level,
    model::{Definition, SAFETY},
};

/// Its section. Nothing is called clear of which something is withheld, or of which nobody rated anything.
pub(super) fn section(analysis: &Analysis, definition: &Definition, wording: &Wording<'_>) -> String {
    let label = text(&definition.safety.label);
    let mut section = format!("## {label} first\n\n");
    let reasons = || analysis.themes.iter().flat_map(|theme| &theme.safety.reasons);
    let alarms = analysis.priorities.iter().flat_map(|priority| &priority.reasons);
    let alarms = bullets(alarms.filter(|reason| reason.code == ReasonCode::SafetyAlarm));
    if !alarms.is_empty() {
        section += &alarms;
        section.push('\n');
    } else if is_rated(&analysis.safety.all) {
        let is_partial = reasons().any(|reason| reason.code == ReasonCode::Withheld);
        let shown = if is_partial { " that is shown" } else { "" };
        let forming = text(wording.level(Level::Forming));
        _ = writeln!(
            section,
            "No perspective{shown} sees a rated part of {label} below {forming}.\n"
        );
    }
    for standing in [PROVISIONAL, SILENT, UNRATED, CLEAR] {
        let themes = analysis.themes.iter();
        let themes: Vec<String> = themes
            .filter(|theme| self::standing(analysis, theme) == standing)
            .map(|theme| text(wording::theme_label(definition, &theme.theme)))
            .collect();
        if !themes.is_empty() {
            _ = writeln!(section, "{standing}: {}.\n", themes.join(", "));
        }
    }
    // A consideration is a reason in every theme; here it is said once.
    let mut said = BTreeSet::new();
    let no_alarm = [ReasonCode::EarlyStagesWithin, ReasonCode::Withheld];
    let within = bullets(reasons().filter(|reason| no_alarm.contains(&reason.code) && said.insert(&reason.detail)));
    if !within.is_empty() {
        _ = writeln!(section, "Not an alarm, and worth a question:\n\n{within}");
    }
    section + &whole(wording::theme_label(definition, SAFETY), &analysis.safety.all, wording)
}

const PROVISIONAL: &str = "Provisional, until the alarms are dealt with";
const SILENT: &str = "Not known, because some of what people say of it is withheld";
const UNRATED: &str = "Not known, because nobody rated it";
const CLEAR: &str = "Clear";

/// What can be said of a theme as far as Safety goes.
fn standing(analysis: &Analysis, theme: &ThemeReading) -> &'static str {
    let says = |codes: &[ReasonCode]| theme.safety.reasons.iter().any(|reason| codes.contains(&reason.code));
    if says(&[ReasonCode::OwnSafetyElement, ReasonCode::SafetyConsideration]) {
        return PROVISIONAL;
    }
    if says(&[ReasonCode::Withheld]) {
        return SILENT;
    }
    let mut parts = analysis
        .elements
        .iter()
        .filter(|element| element.strand.is_some() && [theme.theme.as_str(), SAFETY].contains(&element.theme.as_str()));
    if parts.any(|element| is_rated(&element.all)) {
        CLEAR
    } else {
        UNRATED
    }
}

fn is_rated(reading: &Disclosed) -> bool {
    reading.reading().is_some_and(|reading| reading.n > 0)
}

fn whole(label: &str, reading: &Disclosed, wording: &Wording<'_>) -> String {
    let Some(reading) = reading.reading() else {
        return format!("{} as a whole: {WITHHELD}.\n", text(label));
    };
    match (reading.current.median, reading.desired.median) {
        (Some(current), Some(desired)) => format!(
            "{} as a whole: current {}, desired {}, from {}.\n",
            text(label),
            text(&wording.median(current)),
            text(&wording.median(desired)),
            counted(reading.n, "rating"),
        ),
        _ => format!("{} has no ratings.\n", text(label)),
    }
}
