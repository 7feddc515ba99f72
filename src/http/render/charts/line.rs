//! The line chart: medians over time, for whoever follows a relationship.

use super::{
    figures::{Labels, Value, letter},
    frame::{LINE, sample_of_line},
};
use crate::http::render::svg::{
    Anchor, Area, Canvas, Cell, Fill, Font, Ink, MARGIN, Point, Role, Shape, Stroke, Table, Theme, WIDTH,
};

/// How wide the names of the levels are.
const NAMES: f64 = 78.0;
/// From one level to the next.
const LEVEL: f64 = 46.0;
/// From a line to the next one, where they run together.
const APART: f64 = 4.0;
/// The names of the times.
const TIME: Font = Font {
    size: 11.0,
    is_bold: false,
    ink: Ink::Quiet,
};
/// Where the first time stands, the last, and the letters of the series.
const FIRST: f64 = MARGIN + NAMES + 12.0;
const LAST: f64 = WIDTH - 44.0;
const LETTERS: f64 = WIDTH - MARGIN - 9.0;
/// A letter and what is free about it.
const LETTER: f64 = 19.0;
/// As many lines can be followed in one plot; those that follow have a plot of their own below, on the same scale.
const TOGETHER: usize = 4;

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
    let mut y = canvas.head(timeline.title, timeline.shows);
    let places: Vec<usize> = (0..timeline.series.len()).collect();
    for places in places.chunks(TOGETHER) {
        let lines = places
            .iter()
            .filter_map(|place| Some((*place, timeline.series.get(*place)?)));
        let plot = Plot::of(timeline, lines.collect());
        y = canvas.group(Role::Hidden, |canvas| {
            let y = plot.key(canvas, y) + 16.0;
            plot.draw(canvas, y)
        });
        y = canvas.table(&plot.table(), (MARGIN, y + 8.0), MARGIN + LINE) + 16.0;
    }
    let names: Vec<&str> = timeline.series.iter().map(|series| series.name.as_str()).collect();
    let description = format!(
        "{} {} at {} times, on four levels: {}.",
        timeline.shows,
        names.join(", "),
        timeline.times.len(),
        timeline.labels.levels().join(", ")
    );
    canvas.finish(timeline.title, &description, y)
}

/// Some of the series, on one scale.
struct Plot<'a> {
    labels: &'a Labels<'a>,
    times: &'a [String],
    /// By their places among all.
    lines: Vec<(usize, &'a Series)>,
    /// From one time to the next.
    step: f64,
    /// Whether the times stand by their numbers, because their names are wider than a step.
    is_numbered: bool,
    /// Whether the levels stand by their names, because those are not too wide.
    has_level_names: bool,
}

impl<'a> Plot<'a> {
    fn of(timeline: &'a Timeline<'a>, lines: Vec<(usize, &'a Series)>) -> Self {
        let Timeline { labels, times, .. } = timeline;
        let steps = times.iter().skip(1).map(|_| 1.0).sum::<f64>();
        let step = (LAST - FIRST) / f64::max(1.0, steps);
        Self {
            labels,
            times,
            lines,
            step,
            is_numbered: times.iter().any(|name| TIME.width(name) > step - 5.0),
            has_level_names: labels.levels().iter().all(|name| Font::SMALL.fits(name, NAMES)),
        }
    }

    fn key(&self, canvas: &mut Canvas, top: f64) -> f64 {
        let mut y = top;
        for (place, series) in &self.lines {
            let meaning = format!("{} {}", letter(*place), series.name);
            y = canvas.key(y, &meaning, |canvas, at| {
                let stroke = Stroke::of_series(*place);
                sample_of_line(canvas, at, stroke, Shape::of_series(*place), Fill::Solid(stroke.ink));
            });
        }
        if self
            .lines
            .iter()
            .any(|(_, series)| series.values.contains(&Value::Withheld))
        {
            y = canvas.key_of_withheld(y);
        }
        if self.has_level_names {
            y
        } else {
            canvas.levels(y, self.labels)
        }
    }

    fn across(&self) -> impl Iterator<Item = f64> + use<> {
        let step = self.step;
        std::iter::successors(Some(FIRST), move |x| Some(x + step))
    }

    fn draw(&self, canvas: &mut Canvas, top: f64) -> f64 {
        let down = |median: f64| top + (4.0 - median) * LEVEL;
        for ((level, number), name) in [(1.0, "1"), (2.0, "2"), (3.0, "3"), (4.0, "4")]
            .into_iter()
            .zip(self.labels.levels())
        {
            let name = if self.has_level_names { name.as_str() } else { number };
            let height: f64 = Font::SMALL
                .lines(name, NAMES)
                .iter()
                .map(|_| Font::SMALL.line_height())
                .sum();
            canvas.paragraph((MARGIN, down(level) - height / 2.0), NAMES, Font::SMALL, name);
            canvas.line(&[(FIRST - 8.0, down(level)), (LAST + 8.0, down(level))], Stroke::RULE);
        }
        let bottom = self.feet(canvas, down(1.0));
        let mut ends = Vec::new();
        let mut shift = -APART * self.lines.iter().skip(1).map(|_| 0.5).sum::<f64>();
        for (place, series) in &self.lines {
            let points = self.across().zip(&series.values);
            let points = points.map(|(x, value)| Some((x, down(value.shown()?) + shift)));
            let points: Vec<Option<Point>> = points.collect();
            line(canvas, *place, &points);
            ends.extend(points.into_iter().flatten().last().map(|end| (*place, end)));
            shift += APART;
        }
        letters(canvas, ends, down(4.0), down(1.0));
        bottom
    }

    /// Under the plot: the times, by their names or by as many of their numbers as fit, and where something is withheld.
    fn feet(&self, canvas: &mut Canvas, foot: f64) -> f64 {
        let mut free = MARGIN;
        for (((x, name), number), place) in self.across().zip(self.times).zip(1..).zip(0..) {
            canvas.line(&[(x, foot - 3.0), (x, foot + 3.0)], Stroke::RULE);
            if self
                .lines
                .iter()
                .any(|(_, series)| series.values.get(place) == Some(&Value::Withheld))
            {
                canvas.withheld(Area::about((x, foot + 15.0), f64::min(10.0, self.step - 1.0)));
            }
            let name = if self.is_numbered {
                format!("{number}")
            } else {
                name.clone()
            };
            let half = TIME.width(&name) / 2.0;
            let middle = x.max(MARGIN + half).min(WIDTH - MARGIN - half);
            if middle - half >= free {
                canvas.text((middle, foot + 22.0 + TIME.size), Anchor::Middle, TIME, &name);
                free = middle + half + 5.0;
            }
        }
        foot + 26.0 + TIME.size
    }

    fn table(&self) -> Table {
        let rows = self.times.iter().enumerate().map(|(time, name)| {
            let cells = self.lines.iter().map(|(_, series)| cell(self.labels, series, time));
            let head = if self.is_numbered {
                format!("{} · {name}", time + 1)
            } else {
                name.clone()
            };
            (head, cells.collect())
        });
        let heads = self
            .lines
            .iter()
            .map(|(place, series)| (letter(*place), series.name.clone()));
        Table {
            name: "Medians".to_owned(),
            columns: std::iter::once(("Time".to_owned(), "Time".to_owned()))
                .chain(heads)
                .collect(),
            rows: rows.collect(),
        }
    }
}

fn line(canvas: &mut Canvas, place: usize, points: &[Option<Point>]) {
    let stroke = Stroke::of_series(place);
    canvas.broken_line(points, stroke);
    let edge = Some(Stroke::solid(Ink::Ground, 0.5));
    for at in points.iter().flatten() {
        canvas.marker(Shape::of_series(place), *at, 3.5, Fill::Solid(stroke.ink), edge);
    }
}

/// A letter for each line, as near to its end as the others let it.
fn letters(canvas: &mut Canvas, mut ends: Vec<(usize, Point)>, top: f64, bottom: f64) {
    ends.sort_by(|(_, (_, one)), (_, (_, other))| one.total_cmp(other));
    let mut after: f64 = ends.iter().skip(1).map(|_| LETTER).sum();
    let mut free = top - LETTER / 2.0;
    for (place, (x, y)) in ends {
        // No higher than those before it, no lower than leaves room for those after it.
        let at = y.max(free).min(bottom + LETTER / 2.0 - after);
        canvas.line(&[(x + 4.0, y), (LETTERS - 9.0, at)], Stroke::RULE);
        canvas.lettered(place, (LETTERS, at), &letter(place));
        free = at + LETTER;
        after -= LETTER;
    }
}

fn cell(labels: &Labels<'_>, series: &Series, time: usize) -> Cell {
    let value = series.values.get(time).copied().unwrap_or(Value::Unrated);
    Cell {
        seen: value.seen(),
        said: value.said(labels),
    }
}
