//! The heat map: the current median of every element and perspective.
//!
//! The picture is its own table. Eight perspectives stand beside each other at most, so that figures stay legible on a
//! telephone; those that follow have a map of their own below.

use super::{
    Chart,
    figures::{Figures, Row, Side, Value, Voice},
    frame::{FAINT, LINE, NOTHING, THEME, from_inputs, scale},
};
use crate::http::render::svg::{Anchor, Area, Canvas, Fill, Font, Ink, MARGIN, Role, Stroke, Theme};

/// How many perspectives stand beside each other.
const ABREAST: usize = 8;
/// The narrowest and the widest cell.
const CELL: (f64, f64) = (22.0, 44.0);

/// Draws it.
pub fn draw(figures: &Figures<'_>, theme: Theme) -> String {
    let mut canvas = figures.canvas(Chart::HeatMap, theme);
    let shows = "Where each perspective sees each element: the current median.";
    let mut y = canvas.head(figures.title, shows);
    y = canvas.group(Role::Hidden, |canvas| key(canvas, figures, y)) + 6.0;
    let places: Vec<usize> = (0..figures.voices.len()).collect();
    for abreast in places.chunks(ABREAST) {
        for (theme, rows) in figures.by_theme() {
            let map = Map::of(&figures.voices, abreast);
            y = canvas.group(Role::Table(theme), |canvas| map.draw(canvas, figures, theme, rows, y)) + 10.0;
        }
    }
    let description = format!(
        "{}, the current median of every element as {} see it, {}.",
        from_inputs(figures),
        figures.heard(),
        scale(figures)
    );
    canvas.finish(&format!("{}: heat map", figures.title), &description, y)
}

/// The perspectives by their letters, and the levels by their tints.
fn key(canvas: &mut Canvas, figures: &Figures<'_>, top: f64) -> f64 {
    let mut y = top;
    for voice in &figures.voices {
        y = canvas.key(y, &voice.name, |canvas, (x, middle)| {
            canvas.text((x, middle + 5.0), Anchor::Middle, Font::BODY.bold(), &voice.letter);
        });
    }
    for (level, name) in [1.0, 2.0, 3.0, 4.0].into_iter().zip(figures.labels.levels()) {
        y = canvas.key(y, &name, |canvas, (x, middle)| {
            let field = Area {
                x: x - 14.0,
                y: middle - 8.0,
                width: 28.0,
                height: 16.0,
            };
            canvas.rect(field, Fill::Solid(Ink::tint(level)), Some(Stroke::RULE));
        });
    }
    let mut readings = figures.elements.iter().flat_map(|row| &row.readings);
    if readings.any(|reading| reading.median(Side::Current) == Value::Withheld) {
        y = canvas.key_of_withheld(y);
    }
    y
}

/// The map of one theme, for some of the perspectives.
struct Map<'a> {
    voices: Vec<(usize, &'a Voice)>,
    cell: f64,
    /// How wide the names of the elements are.
    names: f64,
}

impl<'a> Map<'a> {
    fn of(voices: &'a [Voice], places: &[usize]) -> Self {
        let voices: Vec<_> = places
            .iter()
            .filter_map(|place| Some((*place, voices.get(*place)?)))
            .collect();
        let columns = voices.iter().map(|_| 1.0).sum::<f64>();
        let cell = f64::clamp(LINE * 0.58 / columns, CELL.0, CELL.1);
        Self {
            names: LINE - cell * columns,
            voices,
            cell,
        }
    }

    fn draw(&self, canvas: &mut Canvas, figures: &Figures<'_>, theme: &str, rows: &[Row<'_>], top: f64) -> f64 {
        // A name that is too long for its column stands over the letters.
        let is_long = THEME.lines(theme, self.names - 4.0).len() > 1;
        let mut y = canvas.group(Role::Row, |canvas| {
            let width = if is_long { LINE } else { self.names - 4.0 };
            let named = canvas.group(Role::ColumnHeader, |canvas| {
                canvas.paragraph((MARGIN, top), width, THEME, theme)
            });
            let bottom = named + if is_long { THEME.line_height() } else { 0.0 };
            for ((_, voice), middle) in self.voices.iter().zip(self.middles()) {
                let at = (middle, bottom - 5.0);
                canvas.group(Role::ColumnHeader, |canvas| {
                    canvas.group(Role::Spoken(&voice.name), |canvas| {
                        canvas.text(at, Anchor::Middle, Font::BODY.bold(), &voice.letter);
                    });
                });
            }
            bottom + 1.0
        });
        for row in rows {
            y = canvas.group(Role::Row, |canvas| self.row(canvas, figures, row, y));
        }
        y
    }

    fn row(&self, canvas: &mut Canvas, figures: &Figures<'_>, row: &Row<'_>, top: f64) -> f64 {
        let named = canvas.group(Role::RowHeader, |canvas| {
            canvas.paragraph((MARGIN, top + 3.0), self.names - 4.0, Font::BODY, row.label)
        });
        let bottom = f64::max(named + 3.0, top + 22.0);
        for ((place, _), middle) in self.voices.iter().zip(self.middles()) {
            let value = row
                .readings
                .get(*place)
                .map_or(Value::Unrated, |reading| reading.median(Side::Current));
            let field = Area {
                x: middle - self.cell / 2.0 + 0.5,
                y: top + 0.5,
                width: self.cell - 1.0,
                height: bottom - top - 1.0,
            };
            canvas.group(Role::Cell, |canvas| {
                canvas.group(Role::Spoken(&value.said(&figures.labels)), |canvas| {
                    cell(canvas, value, field);
                });
            });
        }
        bottom
    }

    /// The middle of each column.
    fn middles(&self) -> impl Iterator<Item = f64> {
        let cell = self.cell;
        std::iter::successors(Some(MARGIN + self.names + cell / 2.0), move |middle| {
            Some(middle + cell)
        })
    }
}

fn cell(canvas: &mut Canvas, value: Value, field: Area) {
    let at = (field.x + field.width / 2.0, field.y + field.height / 2.0 + 4.0);
    match value {
        Value::Median(median) => {
            let tint = Ink::tint(median);
            canvas.rect(field, Fill::Solid(tint), None);
            canvas.text(at, Anchor::Middle, Font::SMALL.in_ink(tint.on()), &median.to_string());
        }
        Value::Unrated => {
            canvas.rect(field, Fill::None, Some(Stroke::RULE));
            canvas.text(at, Anchor::Middle, Font::SMALL.in_ink(FAINT), NOTHING);
        }
        Value::Withheld => canvas.withheld(field),
    }
}
