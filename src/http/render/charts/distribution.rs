//! Distribution bars: how many ratings an element has at each level, current and desired.
//!
//! The picture is its own table: a row a side, a column a level. A bar is as long as its share of the ratings, so that voices
//! of different numbers can be compared; the count stands beside it.

use super::{
    Chart,
    figures::{Figures, Row, Shown, Side, Voice},
    frame::{FAINT, LINE, NOTHING, THEME, from_inputs, scale},
};
use crate::http::render::svg::{Anchor, Area, Canvas, Fill, Font, Ink, MARGIN, Pattern, Role, Stroke, Theme};

/// How wide the names of the sides are; the levels share what remains.
const NAMES: f64 = 58.0;
const COLUMN: f64 = (LINE - NAMES) / 4.0;
const BAR: f64 = 12.0;
const ROW: f64 = 17.0;

/// Draws them.
pub fn draw(figures: &Figures<'_>, theme: Theme) -> String {
    let mut canvas = figures.canvas(Chart::Distribution, theme);
    let shows = match figures.voices.len() {
        1 => format!(
            "How many ratings stand at each level: {}. A full bar is all of them.",
            figures.heard()
        ),
        _ => "How many ratings stand at each level. A full bar is everybody in that perspective.".to_owned(),
    };
    let mut y = canvas.head(figures.title, &shows);
    y = canvas.group(Role::Hidden, |canvas| key(canvas, figures, y)) + 4.0;
    let counts = Counts::of(figures);
    for (theme, rows) in figures.by_theme() {
        y = canvas.group(Role::Table(theme), |canvas| {
            counts.theme(canvas, figures, theme, rows, y)
        }) + 10.0;
    }
    let description = format!(
        "{}, how many ratings of {} stand at each level of every element, current and desired, {}.",
        from_inputs(figures),
        figures.heard(),
        scale(figures)
    );
    canvas.finish(&format!("{}: distribution of ratings", figures.title), &description, y)
}

fn key(canvas: &mut Canvas, figures: &Figures<'_>, top: f64) -> f64 {
    let mut y = canvas.voices(top, &figures.voices);
    for side in Side::BOTH {
        y = canvas.key(y, side.name(), |canvas, (x, middle)| {
            bar(
                canvas,
                Area {
                    x: x - 16.0,
                    y: middle - BAR / 2.0,
                    width: 32.0,
                    height: BAR,
                },
                side,
                0,
            );
        });
    }
    if figures
        .elements
        .iter()
        .flat_map(|row| &row.readings)
        .any(|reading| *reading == Shown::Withheld)
    {
        y = canvas.key_of_withheld(y);
    }
    canvas.levels(y, &figures.labels)
}

fn bar(canvas: &mut Canvas, area: Area, side: Side, place: usize) {
    let ink = Ink::Series(place);
    let fill = match side {
        Side::Current => Fill::Solid(ink),
        Side::Desired => Fill::Pattern(Pattern::Stripes, ink),
    };
    canvas.rect(area, fill, Some(Stroke::solid(ink, 1.0)));
}

/// How long bars can be beside their counts.
struct Counts {
    longest: f64,
}

impl Counts {
    fn of(figures: &Figures<'_>) -> Self {
        let readings = figures.elements.iter().flat_map(|row| &row.readings);
        let most = readings
            .map(|reading| {
                if let Shown::Rated(reading) = reading {
                    reading.n
                } else {
                    0
                }
            })
            .max();
        Self {
            longest: COLUMN - 14.0 - Font::SMALL.width(&most.unwrap_or_default().to_string()),
        }
    }

    fn theme(&self, canvas: &mut Canvas, figures: &Figures<'_>, theme: &str, rows: &[Row<'_>], top: f64) -> f64 {
        let top = canvas.group(Role::Hidden, |canvas| {
            canvas.paragraph((MARGIN, top), LINE, THEME, theme)
        }) + 2.0;
        let mut y = canvas.group(Role::Row, |canvas| {
            canvas.group(Role::ColumnHeader, |canvas| {
                canvas.group(Role::Spoken("element and side"), |_| ());
            });
            canvas.level_names(&figures.labels, Anchor::Start, (MARGIN + NAMES, top), COLUMN)
        });
        for row in rows {
            y = canvas.group(Role::Hidden, |canvas| {
                canvas.line(&[(MARGIN, y + 1.0), (MARGIN + LINE, y + 1.0)], Stroke::RULE);
                canvas.paragraph((MARGIN, y + 4.0), LINE, Font::BODY, row.label)
            }) + 2.0;
            for (place, (voice, reading)) in figures.voices.iter().zip(&row.readings).enumerate() {
                let speaker = if figures.voices.len() > 1 { Some(voice) } else { None };
                for side in Side::BOTH {
                    let line = Line {
                        label: row.label,
                        speaker,
                        place,
                        reading: *reading,
                        side,
                    };
                    canvas.group(Role::Row, |canvas| self.line(canvas, &line, y));
                    y += ROW;
                }
            }
            y += 3.0;
        }
        y
    }

    fn line(&self, canvas: &mut Canvas, line: &Line<'_>, top: f64) {
        let (seen, said) = line.name();
        canvas.group(Role::RowHeader, |canvas| {
            canvas.group(Role::Spoken(&said), |canvas| {
                let font = Font {
                    size: 11.0,
                    ..Font::SMALL
                };
                canvas.text((MARGIN, top + BAR), Anchor::Start, font, &seen);
            });
        });
        let counts = match line.reading {
            Shown::Rated(reading) => line
                .side
                .of(reading)
                .counts
                .in_order()
                .map(|count| Some((count, reading.n))),
            Shown::Unrated | Shown::Withheld => [None; 4],
        };
        let mut x = MARGIN + NAMES;
        for count in counts {
            let at = (x + 2.0, top + BAR - 1.0);
            canvas.group(Role::Cell, |canvas| match (count, line.reading) {
                (Some((0, _)), _) => canvas.text(at, Anchor::Start, Font::SMALL.in_ink(FAINT), "0"),
                (Some((count, n)), _) => {
                    let length = f64::max(2.0, self.longest * f64::from(count) / f64::from(n));
                    let area = Area {
                        x: x + 2.0,
                        y: top + 1.0,
                        width: length,
                        height: BAR,
                    };
                    canvas.group(Role::Hidden, |canvas| bar(canvas, area, line.side, line.place));
                    let at = (x + length + 5.0, top + BAR - 1.0);
                    canvas.text(at, Anchor::Start, Font::SMALL.in_ink(Ink::Text), &count.to_string());
                }
                (None, Shown::Withheld) => canvas.group(Role::Spoken("withheld"), |canvas| {
                    canvas.withheld(Area {
                        x: x + 2.0,
                        y: top + 1.0,
                        width: COLUMN - 4.0,
                        height: BAR,
                    });
                }),
                (None, _) => canvas.group(Role::Spoken("no ratings"), |canvas| {
                    canvas.text(at, Anchor::Start, Font::SMALL.in_ink(FAINT), NOTHING);
                }),
            });
            x += COLUMN;
        }
    }
}

/// A row of the table: one side of what a voice says of an element.
struct Line<'a> {
    label: &'a str,
    /// Named where there are several.
    speaker: Option<&'a Voice>,
    place: usize,
    reading: Shown<'a>,
    side: Side,
}

impl Line<'_> {
    /// Its name, seen and said.
    fn name(&self) -> (String, String) {
        let side = self.side.name();
        match self.speaker {
            Some(voice) => (
                format!("{} {side}", voice.letter),
                format!("{}, {}, {side}", self.label, voice.name),
            ),
            None => (side.to_owned(), format!("{}, {side}", self.label)),
        }
    }
}
