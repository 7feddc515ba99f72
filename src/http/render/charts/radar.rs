//! The radar: the medians of the themes and of Safety round a centre, current and desired, of one voice or of two.

use std::f64::consts::TAU;

use super::{
    Chart,
    figures::{Figures, Row, Shown, Side, Value, Voice},
    frame::{LINE, from_inputs, sample_of_line, scale},
};
use crate::{
    domain::gap_analysis::wording,
    http::render::svg::{
        Anchor, Area, Canvas, Cell, Fill, Font, Ink, MARGIN, Point, Role, Shape, Stroke, Table, Theme, WIDTH,
    },
};

const CENTRE: f64 = WIDTH / 2.0;
const RADIUS: f64 = 80.0;
/// From the outer ring to a name.
const OUT: f64 = 9.0;
/// Fewer axes than the first make no area, and more than the second are too close: they are drawn as scales.
const AXES: std::ops::RangeInclusive<usize> = 3..=24;
const NAME: Font = Font {
    size: 12.0,
    is_bold: false,
    ink: Ink::Text,
};

/// Draws it.
pub fn draw(figures: &Figures<'_>, theme: Theme) -> String {
    let mut canvas = figures.canvas(Chart::Radar, theme);
    let shows = format!("Current and desired medians by theme: {}.", figures.heard());
    let y = canvas.head(figures.title, &shows);
    let names = Names::of(figures);
    let y = canvas.group(Role::Hidden, |canvas| {
        let y = key(canvas, figures, y) + 4.0;
        let y = if AXES.contains(&figures.themes.len()) {
            radar(canvas, figures, &names, y)
        } else {
            scales(canvas, figures, y)
        };
        canvas.levels(y + 8.0, &figures.labels)
    });
    let y = canvas.table(&table(figures, &names), (MARGIN, y + 8.0), MARGIN + LINE);
    let description = format!(
        "{}, the current and desired medians of {} for each theme, {}.{}",
        from_inputs(figures),
        figures.heard(),
        scale(figures),
        widest(figures)
    );
    canvas.finish(
        &format!("{}: current and desired medians", figures.title),
        &description,
        y + MARGIN,
    )
}

/// What stands out.
fn widest(figures: &Figures<'_>) -> String {
    let mut widest: Option<(f64, &str)> = None;
    for row in &figures.themes {
        if let Some(Shown::Rated(reading)) = row.readings.first()
            && let Some(gap) = &reading.gap
            && gap.median > widest.map_or(0.0, |(gap, _)| gap)
        {
            widest = Some((gap.median, row.label));
        }
    }
    widest.map_or_else(String::new, |(gap, label)| {
        format!(" The widest median gap is in {label}: {}.", wording::levels(gap))
    })
}

/// How one side of what a voice says is drawn. One voice has a colour for each side; of two, each has its own.
struct Style {
    stroke: Stroke,
    shape: Shape,
    fill: Fill,
    radius: f64,
}

impl Style {
    fn of(figures: &Figures<'_>, voice: usize, side: Side) -> Self {
        let place = match side {
            Side::Desired if figures.voices.len() == 1 => 1,
            _ => voice,
        };
        let stroke = Stroke::solid(Ink::Series(place), 2.0);
        let shape = Shape::of_series(voice);
        // The open marker is the larger one, so that it is seen round a full one at the same place.
        match side {
            Side::Current => Self {
                stroke,
                shape,
                fill: Fill::Solid(stroke.ink),
                radius: 3.5,
            },
            Side::Desired => Self {
                stroke: stroke.dashed(),
                shape,
                fill: Fill::None,
                radius: 6.5,
            },
        }
    }

    fn mark(&self, canvas: &mut Canvas, at: Point) {
        canvas.marker(
            self.shape,
            at,
            self.radius,
            self.fill,
            Some(Stroke::solid(self.stroke.ink, 1.75)),
        );
    }
}

fn key(canvas: &mut Canvas, figures: &Figures<'_>, top: f64) -> f64 {
    let mut y = top;
    for (voice, Voice { name, letter }) in figures.voices.iter().enumerate() {
        for side in Side::BOTH {
            let meaning = match figures.voices.len() {
                1 => side.name().to_owned(),
                _ => format!("{letter} {name}, {}", side.name()),
            };
            let style = Style::of(figures, voice, side);
            y = canvas.key(y, &meaning, |canvas, at| {
                sample_of_line(canvas, at, style.stroke, style.shape, style.fill);
            });
        }
    }
    if figures
        .themes
        .iter()
        .flat_map(|row| &row.readings)
        .any(|reading| *reading == Shown::Withheld)
    {
        y = canvas.key_of_withheld(y);
    }
    y
}

/// The names of the axes: where they fit, their own; else numbers, which the table explains.
struct Names {
    lines: Vec<Vec<String>>,
    is_numbered: bool,
}

impl Names {
    fn of(figures: &Figures<'_>) -> Self {
        let directions = directions(figures.themes.len());
        let named = figures.themes.iter().zip(&directions).map(|(row, direction)| {
            let room = room(*direction);
            let fits = NAME.fits(row.label, room);
            let lines = NAME.lines(row.label, room);
            (fits && lines.len() <= 3).then_some(lines)
        });
        let named: Option<Vec<Vec<String>>> = named.collect();
        match named {
            Some(lines) if figures.themes.len() <= 8 => Self {
                lines,
                is_numbered: false,
            },
            _ => Self {
                lines: (1..=figures.themes.len())
                    .map(|number| vec![number.to_string()])
                    .collect(),
                is_numbered: AXES.contains(&figures.themes.len()),
            },
        }
    }
}

/// Which way the axes point: the first upwards, the others clockwise.
fn directions(axes: usize) -> Vec<Point> {
    let angles = std::iter::successors(Some(0.0_f64), |angle| Some(angle + 2.0 * half_step(axes)));
    angles.take(axes).map(|angle| (angle.sin(), -angle.cos())).collect()
}

/// Half of the angle between two axes.
fn half_step(axes: usize) -> f64 {
    TAU / 2.0 / std::iter::repeat_n(1.0, axes).sum::<f64>()
}

/// How wide a line of a name can be at the end of an axis.
fn room((x, _): Point) -> f64 {
    if x.abs() < 0.3 {
        140.0
    } else {
        CENTRE - MARGIN - x.abs() * (RADIUS + OUT)
    }
}

fn radar(canvas: &mut Canvas, figures: &Figures<'_>, names: &Names, top: f64) -> f64 {
    let directions = directions(figures.themes.len());
    let above = names.lines.first().map_or(0.0, |lines| height(lines));
    let centre = (CENTRE, top + above + RADIUS + OUT);
    let along = |(x, y): Point, value: f64| (centre.0 + x * RADIUS * value / 4.0, centre.1 + y * RADIUS * value / 4.0);
    for level in [1.0, 2.0, 3.0, 4.0] {
        let corners: Vec<_> = directions
            .iter()
            .map(|direction| Some(along(*direction, level)))
            .collect();
        canvas.ring(&corners, Stroke::RULE);
    }
    let mut bottom = centre.1 + RADIUS;
    // Between what is withheld on two axes, half a level from the centre.
    let chord = RADIUS / 4.0 * half_step(figures.themes.len()).sin();
    for ((row, direction), lines) in figures.themes.iter().zip(&directions).zip(&names.lines) {
        let is_rated = row.readings.iter().any(|reading| matches!(reading, Shown::Rated(_)));
        canvas.line(
            &[centre, along(*direction, 4.0)],
            if is_rated { Stroke::RULE } else { Stroke::RULE.dashed() },
        );
        bottom = f64::max(bottom, name(canvas, centre, *direction, lines));
        if row.readings.contains(&Shown::Withheld) {
            // Nearer to the centre than any marker can be, and as large as leaves room for the next axis' own.
            let middle = along(*direction, 0.5);
            canvas.withheld(Area::about(middle, f64::min(7.0, 0.7 * chord)));
        }
    }
    for (voice, _) in figures.voices.iter().enumerate() {
        for side in [Side::Desired, Side::Current] {
            let points: Vec<Option<Point>> = figures
                .themes
                .iter()
                .zip(&directions)
                .map(|(row, direction)| Some(along(*direction, value(row, voice, side).shown()?)))
                .collect();
            let style = Style::of(figures, voice, side);
            canvas.ring(&points, style.stroke);
            for at in points.into_iter().flatten() {
                style.mark(canvas, at);
            }
        }
    }
    ring_numbers(canvas, centre, figures.themes.len());
    bottom
}

/// What a voice says on one side.
fn value(row: &Row<'_>, voice: usize, side: Side) -> Value {
    row.readings
        .get(voice)
        .map_or(Value::Unrated, |reading| reading.median(side))
}

/// The numbers of the rings, between the last axis and the first, where no marker stands.
fn ring_numbers(canvas: &mut Canvas, centre: Point, axes: usize) {
    let (sin, cos) = half_step(axes).sin_cos();
    for level in [1.0, 2.0, 3.0, 4.0] {
        let length = RADIUS * level / 4.0 * cos;
        let (x, y) = (centre.0 - sin * length, centre.1 - cos * length);
        let ground = Area {
            x: x - 5.0,
            y: y - 6.0,
            width: 10.0,
            height: 12.0,
        };
        canvas.rect(ground, Fill::Solid(Ink::Ground), None);
        canvas.text(
            (x, y + 4.0),
            Anchor::Middle,
            Font {
                size: 11.0,
                ..Font::SMALL
            },
            &level.to_string(),
        );
    }
}

fn height(lines: &[String]) -> f64 {
    lines.iter().map(|_| NAME.line_height()).sum()
}

/// The name at the end of an axis; and where it ends.
fn name(canvas: &mut Canvas, centre: Point, (x, y): Point, lines: &[String]) -> f64 {
    let anchor = match x {
        x if x > 0.3 => Anchor::Start,
        x if x < -0.3 => Anchor::End,
        _ => Anchor::Middle,
    };
    // A name over the axis ends at it, one under it begins there, one beside it has its middle there.
    let mut top = centre.1 + y * (RADIUS + OUT) - height(lines) * (1.0 - y) / 2.0;
    for line in lines {
        canvas.text((centre.0 + x * (RADIUS + OUT), top + NAME.size), anchor, NAME, line);
        top += NAME.line_height();
    }
    top
}

/// One scale under another.
fn scales(canvas: &mut Canvas, figures: &Figures<'_>, top: f64) -> f64 {
    let column = LINE / 4.0;
    let across = |median: f64| MARGIN + column * (median - 0.5);
    let mut y = canvas.level_names(&figures.labels, Anchor::Middle, (MARGIN, top), column);
    for row in &figures.themes {
        y = canvas.paragraph((MARGIN, y + 4.0), LINE, NAME, row.label);
        for (voice, reading) in row.readings.iter().enumerate() {
            let middle = y + 10.0;
            canvas.line(&[(across(1.0), middle), (across(4.0), middle)], Stroke::RULE);
            for level in [1.0, 2.0, 3.0, 4.0] {
                canvas.line(
                    &[(across(level), middle - 4.0), (across(level), middle + 4.0)],
                    Stroke::RULE,
                );
            }
            if *reading == Shown::Withheld {
                canvas.withheld(Area {
                    x: across(1.0),
                    y: y + 4.0,
                    width: across(4.0) - across(1.0),
                    height: 12.0,
                });
            }
            for side in [Side::Desired, Side::Current] {
                if let Some(median) = value(row, voice, side).shown() {
                    Style::of(figures, voice, side).mark(canvas, (across(median), middle));
                }
            }
            y += 20.0;
        }
    }
    y
}

fn table(figures: &Figures<'_>, names: &Names) -> Table {
    let heads = figures.voices.iter().flat_map(|Voice { letter, name }| {
        Side::BOTH.map(|side| match figures.voices.len() {
            1 => (side.name().to_owned(), format!("{name}, {}", side.name())),
            _ => (format!("{letter} {}", side.name()), format!("{name}, {}", side.name())),
        })
    });
    let rows = figures.themes.iter().zip(1..).map(|(row, number)| {
        let head = if names.is_numbered {
            format!("{number} {}", row.label)
        } else {
            row.label.to_owned()
        };
        let cells = (0..figures.voices.len()).flat_map(|voice| Side::BOTH.map(|side| cell(figures, row, voice, side)));
        (head, cells.collect())
    });
    Table {
        name: "Medians".to_owned(),
        columns: std::iter::once(("Theme".to_owned(), "Theme".to_owned()))
            .chain(heads)
            .collect(),
        rows: rows.collect(),
    }
}

fn cell(figures: &Figures<'_>, row: &Row<'_>, voice: usize, side: Side) -> Cell {
    let value = value(row, voice, side);
    let ratings = match row.readings.get(voice) {
        Some(Shown::Rated(reading)) if reading.n == 1 => ", from 1 rating".to_owned(),
        Some(Shown::Rated(reading)) => format!(", from {} ratings", reading.n),
        _ => String::new(),
    };
    Cell {
        seen: value.seen(),
        said: value.said(&figures.labels) + &ratings,
    }
}
