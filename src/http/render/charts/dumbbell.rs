//! The dumbbell: how far perspectives stand apart on each element.
//!
//! Every element has one scale of the four levels, on which the current median of each perspective is a marker with its letter;
//! a bar joins the lowest and the highest. The same stands beside it in words.

use std::collections::BTreeMap;

use super::{
    Chart,
    figures::{Figures, Row, Side, Value},
    frame::{LINE, THEME, from_inputs, scale},
};
use crate::{
    domain::gap_analysis::wording,
    http::render::svg::{Anchor, Canvas, Font, Ink, MARGIN, Role, Stroke, Theme},
};

/// From one level to the next.
const LEVEL: f64 = LINE / 4.0;
/// How wide and high a marker is, with what is free about it.
const MARKER: f64 = 18.0;
/// As many markers stand beside each other where medians are the same, half a level apart from the next ones.
const ABREAST: usize = 2;

/// Draws it.
pub fn draw(figures: &Figures<'_>, theme: Theme) -> String {
    let mut canvas = figures.canvas(Chart::Dumbbell, theme);
    let shows = "How far perspectives stand apart: the current median of each element.";
    let mut y = canvas.head(figures.title, shows);
    y = canvas.group(Role::Hidden, |canvas| {
        let y = canvas.voices(y, &figures.voices);
        canvas.levels(y, &figures.labels)
    }) + 4.0;
    for (theme, rows) in figures.by_theme() {
        y = canvas.group(Role::Hidden, |canvas| {
            let y = canvas.paragraph((MARGIN, y), LINE, THEME, theme) + 2.0;
            canvas.level_names(&figures.labels, Anchor::Middle, (MARGIN, y), LEVEL)
        });
        y = canvas.group(Role::List(theme), |canvas| {
            rows.iter().fold(y, |y, row| element(canvas, figures, row, y))
        }) + 10.0;
    }
    let spots = figures.elements.iter().filter(|row| row.is_blind_spot).count();
    let description = format!(
        "{}, the current median of every element as {} see it, {}. Blind spots, where one perspective stands in the upper half \
         of the levels and another in the lower: {spots} of {} elements.",
        from_inputs(figures),
        figures.heard(),
        scale(figures),
        figures.elements.len(),
    );
    canvas.finish(&format!("{}: perception gaps", figures.title), &description, y)
}

fn element(canvas: &mut Canvas, figures: &Figures<'_>, row: &Row<'_>, top: f64) -> f64 {
    let values: Vec<Value> = row
        .readings
        .iter()
        .map(|reading| reading.median(Side::Current))
        .collect();
    canvas.group(Role::Item, |canvas| {
        canvas.group(Role::Spoken(&said(figures, row, &values)), |canvas| {
            canvas.line(&[(MARGIN, top + 1.0), (MARGIN + LINE, top + 1.0)], Stroke::RULE);
            let (alarm, spot) = (
                Font::SMALL.bold().in_ink(Ink::Alarm),
                if row.is_blind_spot { "blind spot" } else { "" },
            );
            if row.is_blind_spot {
                canvas.text((MARGIN + LINE, top + 4.0 + Font::BODY.size), Anchor::End, alarm, spot);
            }
            let room = LINE - alarm.width(spot) - 4.0;
            let y = canvas.paragraph((MARGIN, top + 4.0), room, Font::BODY, row.label);
            let y = canvas.paragraph((MARGIN, y), LINE, Font::SMALL, &seen(figures, &values));
            markers(canvas, figures, &values, y + 2.0)
        })
    })
}

/// Where a median stands across.
fn across(median: f64) -> f64 {
    MARGIN + LEVEL * (median - 0.5)
}

/// The scale with its markers; and where it ends.
fn markers(canvas: &mut Canvas, figures: &Figures<'_>, values: &[Value], top: f64) -> f64 {
    // By halves of a level, which is as fine as medians are.
    let mut slots: BTreeMap<i64, (f64, Vec<usize>)> = BTreeMap::new();
    for (place, median) in values
        .iter()
        .enumerate()
        .filter_map(|(place, value)| Some((place, value.shown()?)))
    {
        let half = (2..=8).rfind(|half| f64::from(*half) / 2.0 <= median).unwrap_or(2);
        slots
            .entry(i64::from(half))
            .or_insert((median, Vec::new()))
            .1
            .push(place);
    }
    let lines = slots
        .values()
        .map(|(_, places)| places.len().div_ceil(ABREAST))
        .max()
        .unwrap_or_default()
        .max(1);
    let bottom = top + std::iter::repeat_n(MARKER, lines).sum::<f64>();
    for level in [1.0, 2.0, 3.0, 4.0] {
        canvas.line(&[(across(level), top), (across(level), bottom)], Stroke::RULE);
    }
    let middle = top + MARKER / 2.0;
    let ends = (slots.values().next(), slots.values().next_back());
    if let (Some((low, _)), Some((high, _))) = ends {
        canvas.line(
            &[(across(*low), middle), (across(*high), middle)],
            Stroke::solid(Ink::Rule, 4.0),
        );
    }
    for (median, places) in slots.values() {
        let mut y = middle;
        for abreast in places.chunks(ABREAST) {
            let mut x = across(*median) - MARKER / 2.0 * abreast.iter().skip(1).map(|_| 1.0).sum::<f64>();
            for place in abreast {
                let letter = figures.voices.get(*place).map_or("", |voice| voice.letter.as_str());
                canvas.lettered(*place, (x, y), letter);
                x += MARKER;
            }
            y += MARKER;
        }
    }
    bottom + 3.0
}

/// How far the lowest stands from the highest; none where fewer than two are shown.
fn distance(values: &[Value]) -> Option<f64> {
    let medians: Vec<f64> = values.iter().filter_map(|value| value.shown()).collect();
    let low = medians.iter().copied().reduce(f64::min)?;
    let high = medians.iter().copied().reduce(f64::max)?;
    (medians.len() > 1).then_some(high - low)
}

/// The medians by letter: "A 1, B 3: 2 levels apart".
fn seen(figures: &Figures<'_>, values: &[Value]) -> String {
    let each = figures.voices.iter().zip(values).map(|(voice, value)| {
        let figure = match value {
            Value::Median(median) => median.to_string(),
            other => other.said(&figures.labels),
        };
        if figures.voices.len() > 1 {
            format!("{}\u{a0}{figure}", voice.letter)
        } else {
            figure
        }
    });
    each.collect::<Vec<_>>().join(", ") + &apart(values)
}

/// The same in words, for who hears it.
fn said(figures: &Figures<'_>, row: &Row<'_>, values: &[Value]) -> String {
    let each = figures.voices.iter().zip(values);
    let each = each.map(|(voice, value)| format!("{} {}", voice.name, value.said(&figures.labels)));
    let spot = if row.is_blind_spot { ", a blind spot" } else { "" };
    format!(
        "{}: {}{}{spot}",
        row.label,
        each.collect::<Vec<_>>().join(", "),
        apart(values)
    )
}

fn apart(values: &[Value]) -> String {
    match distance(values) {
        Some(distance) if distance > 0.0 => format!(": {} apart", wording::levels(distance)),
        Some(_) => ": the same".to_owned(),
        None => String::new(),
    }
}
