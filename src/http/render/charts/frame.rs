//! What charts share: their heads, keys and columns of levels.

use super::figures::{Figures, Labels, Voice};
use crate::http::render::svg::{Anchor, Area, Canvas, Fill, Font, Ink, MARGIN, Point, Role, Shape, Stroke, WIDTH};

/// How wide a line of text is.
pub const LINE: f64 = WIDTH - 2.0 * MARGIN;
/// From an entry of a key to its words.
const INDENT: f64 = 44.0;

impl Canvas {
    /// The title of a chart, and what it shows; and where they end. A screen reader has both from the picture itself.
    pub fn head(&mut self, title: &str, shows: &str) -> f64 {
        self.group(Role::Hidden, |canvas| {
            let bottom = canvas.paragraph((MARGIN, MARGIN), LINE, Font::TITLE, title);
            canvas.paragraph((MARGIN, bottom + 2.0), LINE, Font::SMALL, shows) + 6.0
        })
    }

    /// An entry of a key: what `sample` draws about its place, and what that means; and where it ends.
    pub fn key(&mut self, top: f64, meaning: &str, sample: impl FnOnce(&mut Self, Point)) -> f64 {
        let middle = top + 9.0;
        sample(self, (MARGIN + 18.0, middle));
        self.paragraph((MARGIN + INDENT, top), LINE - INDENT, Font::BODY, meaning)
            .max(top + 18.0)
            + 3.0
    }

    /// The voices with their letters, where there are several; and where they end.
    pub fn voices(&mut self, top: f64, voices: &[Voice]) -> f64 {
        let mut bottom = top;
        if voices.len() > 1 {
            for (place, voice) in voices.iter().enumerate() {
                bottom = self.key(bottom, &voice.name, |canvas, at| {
                    canvas.lettered(place, at, &voice.letter);
                });
            }
        }
        bottom
    }

    /// What a hatched field means; and where that ends.
    pub fn key_of_withheld(&mut self, top: f64) -> f64 {
        self.key(top, "withheld: too few people", |canvas, (x, y)| {
            canvas.withheld(Area {
                x: x - 14.0,
                y: y - 7.0,
                width: 28.0,
                height: 14.0,
            });
        })
    }

    /// The levels by number and name, in a sentence; and where it ends.
    pub fn levels(&mut self, top: f64, labels: &Labels<'_>) -> f64 {
        let names = labels.levels().map(|name| name.replacen(' ', "\u{a0}", 1));
        self.paragraph(
            (MARGIN, top),
            LINE,
            Font::SMALL,
            &format!("Levels: {}", names.join(", ")),
        )
    }

    /// The heads of columns of this width, of which the first begins at `left`: the names of the levels, or their numbers,
    /// where a word is too long; and where they end.
    pub fn level_names(&mut self, labels: &Labels<'_>, anchor: Anchor, (left, top): Point, column: f64) -> f64 {
        let font = Font {
            size: 11.0,
            ..Font::SMALL
        };
        let names = labels.levels();
        let fits = names.iter().all(|name| font.fits(name, column - 2.0));
        let mut x = if anchor == Anchor::Middle {
            left + column / 2.0
        } else {
            left + 2.0
        };
        let mut bottom = top;
        for (name, number) in names.iter().zip(["1", "2", "3", "4"]) {
            self.group(Role::ColumnHeader, |canvas| {
                canvas.group(Role::Spoken(name), |canvas| {
                    let mut y = top;
                    for line in font.lines(if fits { name } else { number }, column - 2.0) {
                        canvas.text((x, y + font.size), anchor, font, &line);
                        y += font.line_height();
                    }
                    bottom = f64::max(bottom, y);
                });
            });
            x += column;
        }
        bottom + 2.0
    }
}

/// A line with a marker on it, for a key.
pub fn sample_of_line(canvas: &mut Canvas, (x, y): Point, stroke: Stroke, shape: Shape, fill: Fill) {
    canvas.line(&[(x - 16.0, y), (x + 16.0, y)], stroke);
    canvas.marker(shape, (x, y), 5.0, fill, Some(Stroke::solid(stroke.ink, 2.0)));
}

/// The levels in a sentence, for a description.
pub fn scale(figures: &Figures<'_>) -> String {
    format!("on four levels: {}", figures.labels.levels().join(", "))
}

/// The end of a description where the readings of several are shown.
pub fn from_inputs(figures: &Figures<'_>) -> String {
    match figures.inputs {
        1 => "From 1 assessment".to_owned(),
        inputs => format!("From {inputs} assessments"),
    }
}

/// A heading over the elements of a theme.
pub const THEME: Font = Font::HEADING;
/// What stands for a figure that there is not.
pub const NOTHING: &str = "–";
/// The ink of what there is none of.
pub const FAINT: Ink = Ink::Quiet;
