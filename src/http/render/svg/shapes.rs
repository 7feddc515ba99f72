//! Shapes: fields, lines, markers, and the patterns that tell fields apart without colour.

use std::{fmt::Write, iter};

use super::{Anchor, Area, Canvas, Font, Ink, Point, number};

/// The radius of a marker that holds a letter.
pub(super) const LETTERED: f64 = 7.0;
/// That letter, and how far below the middle it stands.
pub(super) const LETTER: Font = Font {
    size: 11.0,
    is_bold: true,
    ink: Ink::Text,
};
pub(super) const LETTER_FOOT: f64 = 4.0;

/// A pattern that repeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pattern {
    /// Slanting lines: what is desired.
    Stripes,
    /// Crossed lines: what is withheld.
    Hatch,
}

/// What a field is filled with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fill {
    /// Nothing: what lies under it is seen.
    None,
    /// A colour.
    Solid(Ink),
    /// Lines of a colour.
    Pattern(Pattern, Ink),
}

/// How a line is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stroke {
    /// Its colour.
    pub ink: Ink,
    /// How wide it is.
    pub width: f64,
    /// How long its dashes and the gaps between them are; none where it is solid.
    pub dashes: &'static [f64],
}

impl Stroke {
    /// A thin line of an axis, a grid or a frame.
    pub const RULE: Self = Self::solid(Ink::Rule, 1.0);

    /// Dashes by the place of a series: 0 is solid.
    const DASHES: [&'static [f64]; 5] = [&[], &[7.0, 4.0], &[2.0, 3.0], &[9.0, 3.0, 2.0, 3.0], &[4.0, 2.0]];

    /// A solid line.
    pub const fn solid(ink: Ink, width: f64) -> Self {
        Self {
            ink,
            width,
            dashes: &[],
        }
    }

    /// The same, dashed.
    #[must_use]
    pub const fn dashed(self) -> Self {
        Self {
            dashes: &[5.0, 4.0],
            ..self
        }
    }

    /// The line of a series, by its place.
    pub fn of_series(place: usize) -> Self {
        let dashes = Self::DASHES
            .get(place % Self::DASHES.len())
            .copied()
            .unwrap_or_default();
        Self {
            ink: Ink::Series(place),
            width: 2.0,
            dashes,
        }
    }
}

/// The shape of a marker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// ●
    Circle,
    /// ◆
    Diamond,
    /// ■
    Square,
    /// ▲, its tip cut off, so that it holds a letter.
    Triangle,
}

impl Shape {
    /// The shape of a series, by its place.
    pub fn of_series(place: usize) -> Self {
        match place % 4 {
            0 => Self::Circle,
            1 => Self::Diamond,
            2 => Self::Square,
            _ => Self::Triangle,
        }
    }

    /// Its corners, none of a circle.
    pub(super) fn corners(self, (x, y): Point, radius: f64) -> Vec<Point> {
        let turned = |corners: &[Point]| {
            corners
                .iter()
                .map(|(dx, dy)| (x + dx * radius, y + dy * radius))
                .collect()
        };
        match self {
            Self::Circle => Vec::new(),
            Self::Diamond => turned(&[(0.0, -1.25), (1.25, 0.0), (0.0, 1.25), (-1.25, 0.0)]),
            Self::Square => turned(&[(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)]),
            Self::Triangle => turned(&[(-0.5, -1.1), (0.5, -1.1), (1.3, 0.9), (-1.3, 0.9)]),
        }
    }
}

impl Canvas {
    /// A field.
    pub fn rect(&mut self, area: Area, fill: Fill, frame: Option<Stroke>) {
        let paint = self.paint(fill, frame);
        let x = if self.is_mirrored {
            self.width - area.x - area.width
        } else {
            area.x
        };
        _ = writeln!(
            self.body,
            r#"<rect x="{}" y="{}" width="{}" height="{}"{paint}/>"#,
            number(x),
            number(area.y),
            number(area.width),
            number(area.height)
        );
    }

    /// A field whose figure is withheld: it is there, and not shown.
    pub fn withheld(&mut self, area: Area) {
        self.rect(area, Fill::Pattern(Pattern::Hatch, Ink::Rule), Some(Stroke::RULE));
    }

    /// A line through these places.
    pub fn line(&mut self, points: &[Point], stroke: Stroke) {
        self.path(points, "", Fill::None, Some(stroke));
    }

    /// A line through these places, broken where one is missing.
    pub fn broken_line(&mut self, points: &[Option<Point>], stroke: Stroke) {
        for part in points.split(Option::is_none) {
            let part: Vec<Point> = part.iter().copied().flatten().collect();
            if part.len() > 1 {
                self.line(&part, stroke);
            }
        }
    }

    /// A line round an area, broken where a corner is missing.
    pub fn ring(&mut self, corners: &[Option<Point>], stroke: Stroke) {
        let whole: Option<Vec<Point>> = corners.iter().copied().collect();
        if let Some(corners) = whole {
            self.path(&corners, "Z", Fill::None, Some(stroke));
            return;
        }
        // From one gap round to it again.
        let gap = corners.iter().position(Option::is_none).unwrap_or_default();
        let round: Vec<Option<Point>> = corners.iter().cycle().skip(gap).take(corners.len()).copied().collect();
        self.broken_line(&round, stroke);
    }

    /// A marker of this radius: full, or with a frame only.
    pub fn marker(&mut self, shape: Shape, at: Point, radius: f64, fill: Fill, frame: Option<Stroke>) {
        if shape != Shape::Circle {
            self.path(&shape.corners(at, radius), "Z", fill, frame);
            return;
        }
        let paint = self.paint(fill, frame);
        let (x, y) = (number(self.across(at.0)), number(at.1));
        _ = writeln!(
            self.body,
            r#"<circle cx="{x}" cy="{y}" r="{}"{paint}/>"#,
            number(radius)
        );
    }

    /// A series' marker with its letter within, which tells it where colour and shape do not.
    pub fn lettered(&mut self, place: usize, (x, y): Point, letter: &str) {
        let ink = Ink::Series(place);
        let frame = Stroke::solid(Ink::Text, 0.75);
        self.marker(Shape::of_series(place), (x, y), LETTERED, Fill::Solid(ink), Some(frame));
        self.text((x, y + LETTER_FOOT), Anchor::Middle, LETTER.in_ink(ink.on()), letter);
    }

    fn path(&mut self, points: &[Point], end: &str, fill: Fill, frame: Option<Stroke>) {
        let paint = self.paint(fill, frame);
        let steps = iter::once('M').chain(iter::repeat('L')).zip(points);
        let mut d = String::new();
        for (step, (x, y)) in steps {
            _ = write!(d, "{step}{} {}", number(self.across(*x)), number(*y));
        }
        _ = writeln!(self.body, r#"<path d="{d}{end}"{paint} stroke-linejoin="round"/>"#);
    }

    /// The attributes of a fill and a frame.
    fn paint(&mut self, fill: Fill, frame: Option<Stroke>) -> String {
        let mut attributes = String::new();
        let mut inks = Vec::new();
        match fill {
            Fill::None => attributes.push_str(r#" fill="none""#),
            Fill::Solid(ink) => inks.push(("fill", ink)),
            Fill::Pattern(pattern, ink) => {
                self.patterns.insert((pattern, ink));
                _ = write!(attributes, r#" fill="url(#{})""#, self.pattern_id(pattern, ink));
            }
        }
        if let Some(Stroke { ink, width, dashes }) = frame {
            inks.push(("stroke", ink));
            _ = write!(attributes, r#" stroke-width="{width}""#);
            if !dashes.is_empty() {
                let dashes: Vec<String> = dashes.iter().map(ToString::to_string).collect();
                _ = write!(attributes, r#" stroke-dasharray="{}""#, dashes.join(" "));
            }
        }
        self.painted(&inks) + &attributes
    }

    fn pattern_id(&self, pattern: Pattern, ink: Ink) -> String {
        let name = match pattern {
            Pattern::Stripes => "stripes",
            Pattern::Hatch => "hatch",
        };
        format!("{}-{name}-{ink}", super::text::escaped(&self.id))
    }

    /// The patterns that are used.
    pub(super) fn definitions(&mut self) -> String {
        let used: Vec<(Pattern, Ink)> = self.patterns.iter().copied().collect();
        let mut definitions = String::new();
        for (pattern, ink) in used {
            let d = match pattern {
                Pattern::Stripes => "M0 8L8 0M-2 2L2 -2M6 10L10 6",
                Pattern::Hatch => "M0 8L8 0M0 0L8 8",
            };
            let (id, stroke) = (self.pattern_id(pattern, ink), self.painted(&[("stroke", ink)]));
            _ = writeln!(
                definitions,
                r#"<pattern id="{id}" width="8" height="8" patternUnits="userSpaceOnUse"><path d="{d}" fill="none"{stroke} stroke-width="1.5"/></pattern>"#
            );
        }
        if definitions.is_empty() {
            definitions
        } else {
            format!("<defs>\n{definitions}</defs>\n")
        }
    }
}
