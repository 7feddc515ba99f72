//! The one way in which pictures are drawn (SVG): ink, text, shapes, tables.
//!
//! **For the eye.** A unit is a pixel on a telephone of 320 pixels: a [`Canvas`] of [`WIDTH`] in one column is read there as it
//! is, and up to half as large again elsewhere. Colour is never alone: series also have letters, shapes and dashes, what is
//! withheld is hatched, and every figure is written out. A dark picture is printed in the light theme's ink, by the only style
//! sheet there is; everything else is in attributes, which every reader of SVG understands.
//!
//! **For the ear.** The root is a `figure`, named by its `<title>` and described by its `<desc>`, which says what is compared
//! and what stands out. What only draws is hidden from screen readers ([`Role::Hidden`]); the figures are a table or a list of
//! ARIA's, whose cells speak in words where they show a number ([`Role::Spoken`]). So it is read where the SVG is opened by
//! itself, inlined, or in an `<object>` or `<iframe>`. As an `<img>` it is one image to a screen reader, and needs an `alt`:
//! the title will do, beside a link to the picture or to the analysis.
//!
//! **From right to left**, as Arabic is written, the same picture is drawn in a mirror, but for the letters.

mod ink;
mod shapes;
mod table;
mod text;

#[cfg(test)]
mod geometry;
#[cfg(test)]
mod tests;

use std::{collections::BTreeSet, fmt::Write};

#[cfg(test)]
pub(super) use geometry::Geometry;
pub use ink::{Ink, Theme};
pub use shapes::{Fill, Pattern, Shape, Stroke};
pub use table::{Cell, Seen, Table};
pub use text::Font;
pub use text::escaped;
use text::is_right_to_left;

/// The width of a picture in one column.
pub const WIDTH: f64 = 320.0;
/// What stays free at either side.
pub const MARGIN: f64 = 8.0;
/// How many times as large as on a telephone a picture grows.
const LARGEST: f64 = 1.5;

/// A place in the picture: from the side on which lines begin, and from the top.
pub type Point = (f64, f64);

/// A field of the picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Area {
    /// Where it begins.
    pub x: f64,
    /// Its top.
    pub y: f64,
    /// How wide it is.
    pub width: f64,
    /// How high it is.
    pub height: f64,
}

impl Area {
    /// A square about its middle.
    pub fn about((x, y): Point, side: f64) -> Self {
        Self {
            x: x - side / 2.0,
            y: y - side / 2.0,
            width: side,
            height: side,
        }
    }
}

/// Which end of a text is at its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// Where it begins.
    Start,
    /// Its middle.
    Middle,
    /// Where it ends.
    End,
}

/// What a group is to a screen reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role<'a> {
    /// Nothing: it only draws what is said elsewhere.
    Hidden,
    /// One thing, which is spoken in these words.
    Spoken(&'a str),
    /// A table with this name.
    Table(&'a str),
    /// A row of a table.
    Row,
    /// The head of a column.
    ColumnHeader,
    /// The head of a row.
    RowHeader,
    /// A cell of a row.
    Cell,
    /// A list with this name.
    List(&'a str),
    /// An item of a list.
    Item,
}

/// A picture while it is drawn.
#[derive(Debug)]
pub struct Canvas {
    id: String,
    language: String,
    theme: Theme,
    width: f64,
    is_mirrored: bool,
    body: String,
    /// What a dark picture is printed with: the property (`fill`, `stroke`) and the ink.
    printed: BTreeSet<(&'static str, Ink)>,
    patterns: BTreeSet<(Pattern, Ink)>,
}

impl Canvas {
    /// An empty one, of this width. The id tells apart the pictures that one page shows; the language (BCP 47) is that of its
    /// words.
    pub fn new(id: impl Into<String>, language: &str, theme: Theme, width: f64) -> Self {
        Self {
            id: id.into(),
            language: language.to_owned(),
            theme,
            width,
            is_mirrored: is_right_to_left(language),
            body: String::new(),
            printed: BTreeSet::new(),
            patterns: BTreeSet::new(),
        }
    }

    /// A text on one line; `y` is that of its base line.
    pub fn text(&mut self, (x, y): Point, anchor: Anchor, font: Font, content: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let weight = if font.is_bold { r#" font-weight="bold""# } else { "" };
        // From right to left, a text that is in another script still reads in its own direction.
        let bidi = if self.is_mirrored {
            r#" unicode-bidi="plaintext""#
        } else {
            ""
        };
        let fill = self.painted(&[("fill", font.ink)]);
        _ = writeln!(
            self.body,
            r#"<text x="{}" y="{}" text-anchor="{anchor}" font-size="{}"{weight}{bidi}{fill}>{}</text>"#,
            number(self.across(x)),
            number(y),
            font.size,
            escaped(content)
        );
    }

    /// A text that is at most `width` wide, on as many lines as it needs from `top`; and where it ends.
    pub fn paragraph(&mut self, (x, top): Point, width: f64, font: Font, content: &str) -> f64 {
        let mut bottom = top;
        for line in font.lines(content, width) {
            self.text((x, bottom + font.size), Anchor::Start, font, &line);
            bottom += font.line_height();
        }
        bottom
    }

    /// What is drawn within, as one thing to a screen reader.
    pub fn group<T>(&mut self, role: Role<'_>, draw: impl FnOnce(&mut Self) -> T) -> T {
        let attributes = match role {
            Role::Hidden => r#"aria-hidden="true""#.to_owned(),
            Role::Spoken(words) => format!(r#"role="img" aria-label="{}""#, escaped(words)),
            Role::Table(name) => format!(r#"role="table" aria-label="{}""#, escaped(name)),
            Role::Row => r#"role="row""#.to_owned(),
            Role::ColumnHeader => r#"role="columnheader""#.to_owned(),
            Role::RowHeader => r#"role="rowheader""#.to_owned(),
            Role::Cell => r#"role="cell""#.to_owned(),
            Role::List(name) => format!(r#"role="list" aria-label="{}""#, escaped(name)),
            Role::Item => r#"role="listitem""#.to_owned(),
        };
        _ = writeln!(self.body, "<g {attributes}>");
        let drawn = draw(self);
        self.body.push_str("</g>\n");
        drawn
    }

    /// The picture, down to `height`: what it is called, and what there is to see in it, as one who describes it would say.
    pub fn finish(mut self, title: &str, description: &str, height: f64) -> String {
        let (ground, definitions) = (self.painted(&[("fill", Ink::Ground)]), self.definitions());
        let Self { id, width, theme, .. } = &self;
        let (id, height) = (escaped(id), number(height.ceil()));
        let (language, direction) = (
            escaped(&self.language),
            if self.is_mirrored { " direction=\"rtl\"" } else { "" },
        );
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"100%\" \
             style=\"max-width:{}px;height:auto\" class=\"mc-{}\" role=\"figure\" aria-labelledby=\"{id}-title\" \
             aria-describedby=\"{id}-desc\" lang=\"{language}\" xml:lang=\"{language}\"{direction} \
             font-family=\"system-ui, sans-serif\">\n\
             <title id=\"{id}-title\">{}</title>\n<desc id=\"{id}-desc\">{}</desc>\n{}{}\
             <rect width=\"{width}\" height=\"{height}\"{ground}/>\n{}</svg>\n",
            number(width * LARGEST),
            if *theme == Theme::Dark { "dark" } else { "light" },
            escaped(title),
            escaped(description),
            self.style(),
            definitions,
            self.body,
        )
    }

    /// On paper, a dark picture has the light one's ink.
    fn style(&self) -> String {
        if self.theme == Theme::Light {
            return String::new();
        }
        let rules = self.printed.iter().map(|(property, ink)| {
            let colour = ink.colour(Theme::Light);
            format!(".mc-dark .{property}-{ink}{{{property}:{colour}}}")
        });
        format!("<style>@media print{{{}}}</style>\n", rules.collect::<String>())
    }

    /// The attributes that paint with these inks. In a dark picture they are classes as well, for the printer.
    fn painted(&mut self, inks: &[(&'static str, Ink)]) -> String {
        let (mut attributes, mut classes) = (String::new(), Vec::new());
        for (property, ink) in inks {
            _ = write!(attributes, " {property}=\"{}\"", ink.colour(self.theme));
            classes.push(format!("{property}-{ink}"));
        }
        if self.theme == Theme::Dark && !classes.is_empty() {
            self.printed.extend(inks);
            _ = write!(attributes, " class=\"{}\"", classes.join(" "));
        }
        attributes
    }

    /// Where a place across stands, be it in a mirror.
    fn across(&self, x: f64) -> f64 {
        if self.is_mirrored { self.width - x } else { x }
    }
}

/// A coordinate, to a tenth of a unit.
fn number(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map(ToOwned::to_owned).unwrap_or(text)
}
