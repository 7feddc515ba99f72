//! A relationship's timeline as a line chart: the current medians, round by round.

use super::{
    figures::{Labels, Value},
    line::{self, Series},
};
use crate::{
    domain::{
        gap_analysis::timeline::{Absence, AbsenceReason, Timeline, TimelineRound, TimelineSeries},
        perspective::ALL,
    },
    http::render::svg::Theme,
};

/// Draws its series: of one element a line for each perspective, of several a line for each element.
pub fn svg(timeline: &Timeline, labels: &Labels<'_>, theme: Theme) -> String {
    let times: Vec<String> = timeline
        .rounds
        .iter()
        .map(|round| format!("{}, {}", round.title, day(&round.revealed_at.to_string())))
        .collect();
    let mut elements: Vec<_> = timeline.series.iter().map(|series| &series.element).collect();
    elements.dedup();
    let mut perspectives: Vec<&str> = timeline.series.iter().map(|series| &*series.perspective).collect();
    perspectives.sort_unstable();
    perspectives.dedup();
    let name = |series: &TimelineSeries| {
        let who = who(&series.perspective);
        match (elements.len(), perspectives.len()) {
            (0 | 1, _) => who,
            (_, 0 | 1) => labels.element(&series.element).to_owned(),
            _ => format!("{}, {who}", labels.element(&series.element)),
        }
    };
    let lines: Vec<Series> = timeline
        .series
        .iter()
        .map(|series| Series {
            name: name(series),
            values: values(timeline, series),
        })
        .collect();
    let about = match (elements.as_slice(), perspectives.as_slice()) {
        ([element], _) => format!(", of “{}”", labels.element(element)),
        (_, [perspective]) => format!(", as {} sees it", who(perspective)),
        _ => String::new(),
    };
    let shows = if timeline.rounds.is_empty() {
        "No round about this relationship has been revealed yet.".to_owned()
    } else {
        format!("The current median of each round, by the day of its reveal{about}.")
    };
    let chart = line::Timeline {
        id: &format!("timeline-{}", timeline.relationship),
        title: "Timeline of a relationship",
        shows: &shows,
        labels,
        times: &times,
        series: &lines,
    };
    line::draw(&chart, theme)
}

/// The day of a timestamp.
fn day(timestamp: &str) -> String {
    timestamp.chars().take_while(|c| *c != 'T').collect()
}

fn who(perspective: &str) -> String {
    if perspective == ALL {
        "everybody".to_owned()
    } else {
        perspective.replace(['_', '-'], " ")
    }
}

fn values(timeline: &Timeline, series: &TimelineSeries) -> Vec<Value> {
    let rounds = timeline.rounds.iter().zip(&series.current);
    let value = |(round, median): (&TimelineRound, &Option<f64>)| {
        let is_withheld = |absence: &Absence| absence.round == round.id && absence.reason == AbsenceReason::Withheld;
        match median {
            Some(median) => Value::Median(*median),
            None if series.absent.iter().any(is_withheld) => Value::Withheld,
            None => Value::Unrated,
        }
    };
    rounds.map(value).collect()
}
