//! A gap analysis as a picture (SVG): a radar of the current and desired medians of all inputs.
//!
//! Line, marker and words carry the meaning, colour only repeats it; a table under the picture has every figure.

use std::{f64::consts::TAU, fmt::Write};

use crate::domain::{
    gap_analysis::{GapAnalysis, Reading, wording, wording::Wording},
    level::Level,
    model::{Definition, SAFETY},
};

/// The width of the picture in its own units; read at 320 px, a text of 15 units is 12 px high.
const WIDTH: f64 = 400.0;
const CENTRE: (f64, f64) = (200.0, 206.0);
const RADIUS: f64 = 102.0;
const LINE: f64 = 19.0;
/// With more axes than this their names would meet, so they are numbered.
const MOST_NAMED_AXES: usize = 8;
const UNRATED: &str = "(no ratings)";
const INK: &str = "#1b1b1b";
const FAINT: &str = "#8a8a8a";
const SMALL: &str = r##" font-size="12" fill="#595959" stroke="#ffffff" stroke-width="4" paint-order="stroke""##;
const BOLD: &str = r#" font-weight="bold""#;

/// The two sides that are drawn, each with its own line and marker.
#[derive(Clone, Copy)]
enum Side {
    Current,
    Desired,
}

/// One theme, or Safety.
struct Axis {
    /// In the table.
    name: String,
    /// In the picture.
    mark: String,
    ratings: u32,
    medians: Option<(f64, f64)>,
}

impl Axis {
    fn of(name: &str, reading: &Reading) -> Self {
        Self {
            name: name.to_owned(),
            mark: name.to_owned(),
            ratings: reading.n,
            medians: reading.current.median.zip(reading.desired.median),
        }
    }

    fn median(&self, side: Side) -> Option<f64> {
        self.medians.map(|(current, desired)| match side {
            Side::Current => current,
            Side::Desired => desired,
        })
    }

    fn in_words(&self, wording: &Wording<'_>) -> String {
        match self.medians {
            Some((current, desired)) => format!(
                "{}: current {}, desired {}, from {} rating{}.",
                self.name,
                wording.median(current),
                wording.median(desired),
                self.ratings,
                if self.ratings == 1 { "" } else { "s" },
            ),
            None => format!("{}: no ratings.", self.name),
        }
    }
}

/// The picture.
pub fn svg(gap_analysis: &GapAnalysis, definition: &Definition) -> String {
    let analysis = &gap_analysis.analysis;
    let axes = axes(gap_analysis, definition);
    let title = analysis.title.as_deref().unwrap_or("Gap analysis");
    let wording = Wording::of(definition);
    let scale: Vec<String> = Level::ALL
        .into_iter()
        .map(|level| format!("{}\u{a0}{}", level.value(), wording.level(level)))
        .collect();
    let scale = scale.join(", ");
    let figures: Vec<String> = axes.iter().map(|axis| axis.in_words(&wording)).collect();
    let description = format!(
        "Current and desired medians of {} inputs, on four levels: {scale}. {}",
        analysis.inputs.len(),
        figures.join(" ")
    );
    let (chart, chart_ends) = if axes.len() < 3 { scales(&axes) } else { radar(&axes) };
    let (table, table_ends) = table(&axes, &scale, chart_ends);
    let (heading, moved_down) = heading(title);
    let height = moved_down + table_ends;
    let id = gap_analysis
        .id
        .map_or_else(|| "preview".to_owned(), |id| id.to_string());
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="100%" style="max-width:40rem;height:auto" role="img" aria-labelledby="radar-{id}-title radar-{id}-desc" font-family="system-ui, sans-serif" font-size="15" fill="{INK}">
<title id="radar-{id}-title">{}</title>
<desc id="radar-{id}-desc">{}</desc>
<rect width="{WIDTH}" height="{height}" fill="white"/>
{heading}<g transform="translate(0 {moved_down})">
{}{chart}{table}</g>
</svg>
"#,
        escaped(&format!("{title}: current and desired medians")),
        escaped(&description),
        legend(),
    )
}

fn axes(gap_analysis: &GapAnalysis, definition: &Definition) -> Vec<Axis> {
    let analysis = &gap_analysis.analysis;
    let themes = analysis.themes.iter();
    let themes = themes.map(|theme| Axis::of(wording::theme_label(definition, &theme.theme), &theme.all));
    let safety = Axis::of(wording::theme_label(definition, SAFETY), &analysis.safety.all);
    let mut axes: Vec<Axis> = themes.chain([safety]).collect();
    if axes.len() > MOST_NAMED_AXES {
        for (number, axis) in (1..).zip(&mut axes) {
            axis.mark = format!("{number}");
            axis.name = format!("{number} {}", axis.name);
        }
    }
    axes
}

/// The title on one line or two, and how far the second moves the rest down.
fn heading(title: &str) -> (String, f64) {
    let mut drawing = String::new();
    let mut y = 28.0;
    for line in wrapped(title, 34, 2) {
        drawing += &text(
            (WIDTH / 2.0, y),
            "middle",
            &line,
            r#" font-size="16" font-weight="bold""#,
        );
        y += LINE;
    }
    (drawing, f64::max(0.0, y - LINE - 28.0))
}

fn legend() -> String {
    let mut legend = String::new();
    for (side, x, label) in [(Side::Current, 62.0, "current"), (Side::Desired, 222.0, "desired")] {
        legend += &path(side, &format!("M{x} 55h52"));
        legend += &marker(side, (x + 26.0, 55.0));
        legend += &text((x + 60.0, 60.0), "start", label, "");
    }
    legend
}

/// The radar, and where it ends.
fn radar(axes: &[Axis]) -> (String, f64) {
    let step = TAU / axes.iter().map(|_| 1.0).sum::<f64>();
    let directions: Vec<(f64, f64)> = std::iter::successors(Some(0.0_f64), |angle| Some(angle + step))
        .take(axes.len())
        .map(|angle| (angle.sin(), -angle.cos()))
        .collect();
    let mut drawing = rings(&directions);
    let mut ends = 0.0;
    for (axis, direction) in axes.iter().zip(&directions) {
        let (x, y) = along(*direction, 4.0);
        let unrated = axis.medians.is_none();
        let dashes = if unrated { r#" stroke-dasharray="2 4""# } else { "" };
        _ = writeln!(
            drawing,
            r#"<path d="M{} {}L{x:.1} {y:.1}" stroke="{FAINT}" stroke-width="0.75"{dashes}/>"#,
            CENTRE.0, CENTRE.1
        );
        let (mark, mark_ends) = axis_mark(*direction, &axis.mark, unrated);
        drawing += &mark;
        ends = f64::max(ends, mark_ends);
    }
    for side in [Side::Desired, Side::Current] {
        let points: Vec<Option<(f64, f64)>> = axes
            .iter()
            .zip(&directions)
            .map(|(axis, direction)| axis.median(side).map(|median| along(*direction, median)))
            .collect();
        drawing += &path(side, &closed(&points));
        drawing.extend(points.into_iter().flatten().map(|point| marker(side, point)));
    }
    drawing += &ring_numbers(step);
    (drawing, ends + 34.0)
}

/// A ring for each level.
fn rings(directions: &[(f64, f64)]) -> String {
    let mut drawing = String::new();
    for level in Level::ALL {
        let corners = directions
            .iter()
            .map(|direction| Some(along(*direction, level.value().into())));
        _ = writeln!(
            drawing,
            r#"<path d="{}" fill="none" stroke="{FAINT}" stroke-width="0.75"/>"#,
            closed(&corners.collect::<Vec<_>>())
        );
    }
    drawing
}

/// The number of each ring, between the last axis and the first, where no marker stands.
fn ring_numbers(step: f64) -> String {
    let (sin, cos) = (step / 2.0).sin_cos();
    let numbers = Level::ALL.into_iter().map(|level| {
        let (x, y) = along((-sin * cos, -cos * cos), level.value().into());
        text((x, y + 4.0), "middle", &level.value().to_string(), SMALL)
    });
    numbers.collect()
}

/// One scale under another, for fewer axes than make an area; and where they end.
fn scales(axes: &[Axis]) -> (String, f64) {
    let mut drawing = String::new();
    let mut y = 82.0;
    let x = |level: f64| 50.0 + (level - 1.0) * 100.0;
    for axis in axes {
        let missing = if axis.medians.is_none() { UNRATED } else { "" };
        drawing += &text((20.0, y), "start", &format!("{} {missing}", cut(&axis.name, 30)), "");
        let line = y + 26.0;
        _ = writeln!(
            drawing,
            r#"<path d="M{} {line}H{}" stroke="{FAINT}" stroke-width="0.75"/>"#,
            x(1.0),
            x(4.0)
        );
        for level in Level::ALL {
            let at = x(level.value().into());
            _ = writeln!(drawing, r#"<path d="M{at} {}v8" stroke="{FAINT}"/>"#, line - 4.0);
            drawing += &text((at, line + 24.0), "middle", &level.value().to_string(), SMALL);
        }
        for side in [Side::Desired, Side::Current] {
            drawing.extend(axis.median(side).map(|median| marker(side, (x(median), line))));
        }
        y += 86.0;
    }
    (drawing, y - 8.0)
}

/// Every figure, row by row, from `top`; and where the picture ends.
fn table(axes: &[Axis], scale: &str, top: f64) -> (String, f64) {
    let mut drawing = String::new();
    let mut y = top;
    for line in wrapped(&format!("Levels: {scale}"), 50, 4) {
        drawing += &text((20.0, y), "start", &line, r#" font-size="14""#);
        y += LINE;
    }
    y += 10.0;
    drawing += &text((20.0, y), "start", "Medians", BOLD);
    drawing += &text((300.0, y), "end", "current", BOLD);
    drawing += &text((380.0, y), "end", "desired", BOLD);
    for axis in axes {
        y += LINE + 4.0;
        drawing += &text((20.0, y), "start", &cut(&axis.name, 26), "");
        match axis.medians {
            Some((current, desired)) => {
                drawing += &text((300.0, y), "end", &current.to_string(), "");
                drawing += &text((380.0, y), "end", &desired.to_string(), "");
            }
            None => drawing += &text((380.0, y), "end", "no ratings", ""),
        }
    }
    (drawing, y + 20.0)
}

/// The place of a value on an axis.
fn along((x, y): (f64, f64), value: f64) -> (f64, f64) {
    let length = RADIUS * value / 4.0;
    (CENTRE.0 + x * length, CENTRE.1 + y * length)
}

/// A line round all the points there are; where one is missing the line is open.
fn closed(points: &[Option<(f64, f64)>]) -> String {
    let mut d = String::new();
    let after = points.iter().cycle().skip(1);
    for (from, to) in points.iter().zip(after) {
        if let (Some((x, y)), Some((to_x, to_y))) = (from, to) {
            _ = write!(d, "M{x:.1} {y:.1}L{to_x:.1} {to_y:.1}");
        }
    }
    d
}

fn path(side: Side, d: &str) -> String {
    let line = match side {
        Side::Current => r##"stroke="#0b4f8a" stroke-width="2.5""##,
        Side::Desired => r##"stroke="#a33b00" stroke-width="2" stroke-dasharray="6 4""##,
    };
    format!("<path d=\"{d}\" fill=\"none\" {line}/>\n")
}

/// A full circle, or an open square around it.
fn marker(side: Side, (x, y): (f64, f64)) -> String {
    match side {
        Side::Current => format!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4.5\" fill=\"#0b4f8a\"/>\n"),
        Side::Desired => format!(
            "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"14\" height=\"14\" fill=\"none\" stroke=\"#a33b00\" stroke-width=\"2\"/>\n",
            x - 7.0,
            y - 7.0
        ),
    }
}

/// What stands at the end of an axis, and the line on which it ends.
fn axis_mark((x, y): (f64, f64), mark: &str, unrated: bool) -> (String, f64) {
    // Over and under the picture there is room for a long line, beside it for two short ones.
    let (anchor, width, most) = match x {
        x if x > 0.3 => ("start", 12, 2),
        x if x < -0.3 => ("end", 12, 2),
        _ => ("middle", 30, 1),
    };
    let mut lines = wrapped(mark, width, most);
    if unrated {
        lines.push(UNRATED.to_owned());
    }
    let height: f64 = lines.iter().map(|_| LINE).sum();
    // A name over the axis ends at it, one under it begins there, one beside it has its middle there.
    let mut line_y = CENTRE.1 + y * (RADIUS + 7.0) + 15.0 - height * (1.0 - y) / 2.0;
    let mut drawing = String::new();
    for line in lines {
        let attributes = if line == UNRATED { SMALL } else { "" };
        drawing += &text((CENTRE.0 + x * (RADIUS + 14.0), line_y), anchor, &line, attributes);
        line_y += LINE;
    }
    (drawing, line_y - LINE)
}

fn text((x, y): (f64, f64), anchor: &str, content: &str, attributes: &str) -> String {
    format!(
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\"{attributes}>{}</text>\n",
        escaped(content)
    )
}

/// Lines of at most `width` characters; what does not fit into `most` lines is cut.
fn wrapped(content: &str, width: usize, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in content.split([' ', '\t', '\n', '\r']).filter(|word| !word.is_empty()) {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    if lines.len() > most {
        let rest = lines.split_off(most.saturating_sub(1));
        lines.push(rest.join(" "));
    }
    lines.iter().map(|line| cut(line, width)).collect()
}

fn cut(content: &str, width: usize) -> String {
    if content.chars().count() <= width {
        return content.to_owned();
    }
    let kept: String = content.chars().take(width.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// Text for XML 1.0, which has no place for control characters, U+FFFE and U+FFFF.
fn escaped(content: &str) -> String {
    let mut escaped = String::with_capacity(content.len());
    for c in content.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\u{fffe}' | '\u{ffff}' => {}
            c if c.is_control() => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}
