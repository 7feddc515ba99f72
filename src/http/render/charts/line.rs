//! The line chart: medians over time, for whoever follows a relationship.

use super::{
    figures::{Labels, Value, letter},
    frame::{LINE, NOTHING, sample_of_line},
};
use crate::http::render::svg::{
    Anchor, Canvas, Cell, Fill, Font, Ink, MARGIN, Point, Role, Seen, Shape, Stroke, Table, Theme, WIDTH,
};

/// How wide the names of the levels are.
const NAMES: f64 = 78.0;
/// From one level to the next, at least.
const LEVEL: f64 = 46.0;
/// Where the first time stands, the last, and the letters of the series.
const FIRST: f64 = MARGIN + NAMES + 12.0;
const LAST: f64 = WIDTH - 44.0;
const LETTERS: f64 = WIDTH - MARGIN - 9.0;
/// A letter and what is free about it.
const LETTER: f64 = 19.0;
/// As many series stand beside each other in a table.
const ABREAST: usize = 6;

/// Medians at several times.
pub struct Timeline<'a> {
    /// What tells the picture from others on a page.
    pub id: &'a str,
    /// What it is called.
    pub title: &'a str,
    /// What is shown, as a sentence.
    pub shows: &'a str,
    /// The words of the levels.
    pub labels: &'a Labels<'a>,
    /// The times in order, as they are to be read: "March 2026".
    pub times: &'a [String],
    /// The series.
    pub series: &'a [Series],
}

/// One line: a perspective, or an element.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// What it is called.
    pub name: String,
    /// A value for each time.
    pub values: Vec<Value>,
}

/// Draws it. Lines that run together are set a little apart; where there is no value, a line has a gap.
pub fn draw(timeline: &Timeline<'_>, theme: Theme) -> String {
    let mut canvas = Canvas::new(timeline.id, timeline.labels.language(), theme, WIDTH);
    let y = canvas.head(timeline.title, timeline.shows);
    let y = canvas.group(Role::Hidden, |canvas| {
        let y = key(canvas, timeline.series, y) + 8.0;
        Plot::of(timeline, y).draw(canvas, timeline)
    });
    let y = tables(&mut canvas, timeline, y + 10.0);
    let names: Vec<&str> = timeline.series.iter().map(|series| series.name.as_str()).collect();
    let description = format!(
        "{} {} at {} times, on four levels: {}.",
        timeline.shows,
        names.join(", "),
        timeline.times.len(),
        timeline.labels.levels().join(", ")
    );
    canvas.finish(timeline.title, &description, y + MARGIN)
}

fn key(canvas: &mut Canvas, series: &[Series], top: f64) -> f64 {
    let mut y = top;
    for (place, series) in series.iter().enumerate() {
        let meaning = format!("{} {}", letter(place), series.name);
        y = canvas.key(y, &meaning, |canvas, at| {
            let stroke = Stroke::of_series(place);
            sample_of_line(canvas, at, stroke, Shape::of_series(place), Fill::Solid(stroke.ink));
        });
    }
    if series.iter().any(|series| series.values.contains(&Value::Withheld)) {
        y = canvas.key_of_withheld(y);
    }
    y
}

/// Where things stand.
struct Plot {
    /// The highest level.
    top: f64,
    level: f64,
    /// From one time to the next.
    step: f64,
    /// From a series to the next one, where they run together.
    apart: f64,
}

impl Plot {
    fn of(timeline: &Timeline<'_>, top: f64) -> Self {
        let count = |items: usize| std::iter::repeat_n(1.0, items).sum::<f64>();
        let series = count(timeline.series.len());
        Self {
            top: top + LETTER / 2.0,
            // The letters at the end need room under each other.
            level: f64::max(LEVEL, series * LETTER / 3.0),
            step: (LAST - FIRST) / f64::max(1.0, count(timeline.times.len()) - 1.0),
            apart: f64::min(4.0, 18.0 / f64::max(1.0, series)),
        }
    }

    fn down(&self, median: f64) -> f64 {
        self.top + (4.0 - median) * self.level
    }

    fn across(&self) -> impl Iterator<Item = f64> + use<> {
        let step = self.step;
        std::iter::successors(Some(FIRST), move |x| Some(x + step))
    }

    fn draw(&self, canvas: &mut Canvas, timeline: &Timeline<'_>) -> f64 {
        for (level, name) in [1.0, 2.0, 3.0, 4.0].into_iter().zip(timeline.labels.levels()) {
            let lines = Font::SMALL.lines(&name, NAMES);
            let height: f64 = lines.iter().map(|_| Font::SMALL.line_height()).sum();
            canvas.paragraph((MARGIN, self.down(level) - height / 2.0), NAMES, Font::SMALL, &name);
            canvas.line(
                &[(FIRST - 8.0, self.down(level)), (LAST + 8.0, self.down(level))],
                Stroke::RULE,
            );
        }
        let middle = self.apart * (std::iter::repeat_n(1.0, timeline.series.len()).sum::<f64>() - 1.0) / 2.0;
        let mut ends = Vec::new();
        let mut shift = -middle;
        for (place, series) in timeline.series.iter().enumerate() {
            let points: Vec<Option<Point>> = self
                .across()
                .zip(&series.values)
                .map(|(x, value)| Some((x, self.down(value.shown()?) + shift)))
                .collect();
            self.series(canvas, place, series, &points);
            ends.extend(points.into_iter().flatten().last().map(|end| (place, end)));
            shift += self.apart;
        }
        self.letters(canvas, ends);
        self.times(canvas, timeline.times)
    }

    fn series(&self, canvas: &mut Canvas, place: usize, series: &Series, points: &[Option<Point>]) {
        let stroke = Stroke::of_series(place);
        canvas.broken_line(points, stroke);
        for at in points.iter().flatten() {
            canvas.marker(
                Shape::of_series(place),
                *at,
                3.5,
                Fill::Solid(stroke.ink),
                Some(Stroke::solid(Ink::Ground, 0.5)),
            );
        }
        let withheld = self
            .across()
            .zip(&series.values)
            .filter(|(_, value)| **value == Value::Withheld);
        for (x, _) in withheld {
            let height = self.down(1.0) - self.down(4.0);
            canvas.withheld(crate::http::render::svg::Area {
                x: x - 5.0,
                y: self.top,
                width: 10.0,
                height,
            });
        }
    }

    /// A letter for each line, as near to its end as the others let it.
    fn letters(&self, canvas: &mut Canvas, mut ends: Vec<(usize, Point)>) {
        ends.sort_by(|(_, (_, one)), (_, (_, other))| one.total_cmp(other));
        let mut room: f64 = ends.iter().map(|_| LETTER).sum();
        let mut free = self.top - LETTER / 2.0;
        for (place, (x, y)) in ends {
            // No higher than those before it, no lower than leaves room for those after it.
            let at = y
                .max(free + LETTER / 2.0)
                .min(self.down(1.0) + LETTER / 2.0 - room + LETTER / 2.0);
            canvas.line(&[(x + 4.0, y), (LETTERS - 10.0, at)], Stroke::solid(Ink::Rule, 0.5));
            canvas.lettered(place, (LETTERS, at), &letter(place));
            free = at + LETTER / 2.0;
            room -= LETTER;
        }
    }

    /// The times, by their names where those fit, else by numbers, as many as fit.
    fn times(&self, canvas: &mut Canvas, times: &[String]) -> f64 {
        let font = Font {
            size: 11.0,
            ..Font::SMALL
        };
        let (tick, base) = (self.down(1.0), self.down(1.0) + 14.0 + font.size);
        for (x, _) in self.across().zip(times) {
            canvas.line(&[(x, tick - 3.0), (x, tick + 3.0)], Stroke::RULE);
        }
        let names = names_of(times, self.step);
        // The first and the last may not stand out over what is beside them.
        let mut free = FIRST - 14.0;
        for (x, name) in self.across().zip(names) {
            let half = font.width(&name) / 2.0;
            let middle = x.max(MARGIN + half).min(WIDTH - MARGIN - half);
            if middle - half >= free {
                canvas.text((middle, base), Anchor::Middle, font, &name);
                free = middle + half + 5.0;
            }
        }
        base + 6.0
    }
}

/// What stands under the times: their names, where none is wider than a step; else their numbers.
fn names_of(times: &[String], step: f64) -> Vec<String> {
    let font = Font {
        size: 11.0,
        ..Font::SMALL
    };
    if times.iter().all(|name| font.width(name) <= step - 5.0) {
        return times.to_vec();
    }
    (1..=times.len()).map(|number| number.to_string()).collect()
}

/// The figures, some series at a time; and where they end.
fn tables(canvas: &mut Canvas, timeline: &Timeline<'_>, top: f64) -> f64 {
    let places: Vec<usize> = (0..timeline.series.len()).collect();
    places.chunks(ABREAST).fold(top, |y, abreast| {
        let series = || {
            abreast
                .iter()
                .filter_map(|place| Some((*place, timeline.series.get(*place)?)))
        };
        let heads = series().map(|(place, _)| letter(place));
        let rows = timeline.times.iter().enumerate().map(|(time, name)| {
            let cells = series().map(|(_, series)| cell(timeline.labels, series, time));
            (format!("{} {name}", time + 1), cells.collect())
        });
        let table = Table {
            name: "Medians".to_owned(),
            columns: std::iter::once("Time".to_owned()).chain(heads).collect(),
            rows: rows.collect(),
        };
        canvas.table(&table, (MARGIN, y), MARGIN + LINE) + 8.0
    })
}

fn cell(labels: &Labels<'_>, series: &Series, time: usize) -> Cell {
    let value = series.values.get(time).copied().unwrap_or(Value::Unrated);
    let seen = match value {
        Value::Median(median) => Seen::Figure(median.to_string()),
        Value::Unrated => Seen::Figure(NOTHING.to_owned()),
        Value::Withheld => Seen::Withheld,
    };
    Cell {
        seen,
        said: format!("{}: {}", series.name, value.said(labels)),
    }
}
