//! A gap analysis as a report that a team can read aloud (Markdown).

mod next_steps;
mod safety;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

use crate::domain::{
    gap_analysis::{
        Analysis, DistanceTravelled, ElementDistance, GapAnalysis, Movement, PerceptionGap, Reading, Reason,
        ReasonCode, wording, wording::Wording,
    },
    level::Level,
    model::{Definition, SAFETY},
    next_step::NextStep,
    slug::Slug,
};

/// What stands for a figure that is not shown.
const WITHHELD: &str = "withheld";

/// The report, with what is being done about it.
pub fn markdown(gap_analysis: &GapAnalysis, definition: &Definition, next_steps: &[NextStep]) -> String {
    let analysis = &gap_analysis.analysis;
    let wording = Wording::of(definition);
    let mut sections = vec![
        heading(analysis, definition, &wording),
        safety::section(analysis, definition, &wording),
        perception(analysis),
        priorities(analysis, &wording),
    ];
    sections.extend(next_steps::section(next_steps, &wording));
    sections.push(strengths(analysis, &wording));
    let travelled = analysis.distance_travelled.as_ref();
    sections.extend(travelled.map(|travelled| distance(travelled, &wording)));
    sections.push(comparability(analysis));
    sections.push(themes(analysis, definition, &wording));
    sections.push(elements(analysis, &wording));
    sections.join("\n")
}

fn heading(analysis: &Analysis, definition: &Definition, wording: &Wording<'_>) -> String {
    let mut inputs: BTreeMap<&Slug, u32> = BTreeMap::new();
    for input in &analysis.inputs {
        *inputs.entry(&input.perspective).or_default() += input.counted();
    }
    let withheld = withheld(analysis, wording);
    let heard = inputs
        .iter()
        .map(|(perspective, n)| format!("- {}: {n}\n", name(perspective)));
    let levels = Level::ALL.map(|level| format!("{} {}", level.value(), text(wording.level(level))));
    format!(
        "# {}\n\nMade with {}, version {} (`{}`, formula version {}), from {}:\n\n{}\n\
         {withheld}The levels are {}. A median is the rating in the middle when all are laid in a row; a gap is how many levels \
         lie between where people are and where they want to be.\n",
        text(analysis.title.as_deref().unwrap_or("Gap analysis")),
        text(&definition.title),
        analysis.model.version,
        analysis.model.slug,
        text(&analysis.formula_version),
        counted(inputs.values().sum::<u32>(), "assessment"),
        heard.collect::<String>(),
        levels.join(", "),
    )
}

/// What is withheld, of whom and of what; nothing where nothing ever is.
fn withheld(analysis: &Analysis, wording: &Wording<'_>) -> String {
    let Some(least) = analysis.minimum_group else {
        return String::new();
    };
    let rule = format!(
        "What fewer than {least} of a perspective say is withheld, and counts in nothing: neither in a median of all nor in any \
         finding."
    );
    let withheld = analysis.withheld();
    if withheld.is_empty() {
        return format!("{rule} Here, nothing is.\n\n");
    }
    let lines = withheld.into_iter().map(|(perspective, elements)| {
        let elements = if elements.len() == analysis.elements.len() {
            "everything".to_owned()
        } else {
            let names: Vec<String> = elements
                .into_iter()
                .map(|element| text(wording.element(element)))
                .collect();
            names.join("; ")
        };
        format!("- {}: {elements}\n", name(perspective))
    });
    format!("{rule} Here, that is:\n\n{}\n", lines.collect::<String>())
}

fn perception(analysis: &Analysis) -> String {
    let perspectives: BTreeSet<&Slug> = analysis.inputs.iter().map(|input| &input.perspective).collect();
    let (blind, other): (Vec<&PerceptionGap>, Vec<_>) = analysis.perception_gaps.iter().partition(|gap| gap.blind_spot);
    let findings = |gaps: &[&PerceptionGap]| -> String {
        let lines = gaps.iter().map(|gap| {
            let shared = gap.overlap * 100.0;
            format!("- {} Their answers overlap by {shared:.0}%.\n", text(&gap.detail))
        });
        lines.collect()
    };
    let mut section = "## What you see differently\n".to_owned();
    let is_partial = !analysis.withheld().is_empty();
    if perspectives.len() < 2 && is_partial {
        section += "\nFewer than two perspectives are shown, so there is nothing to compare.\n";
    } else if perspectives.len() < 2 {
        section += "\nThere is one perspective only, so nothing to compare. Who else should be heard?\n";
    } else if analysis.perception_gaps.is_empty() {
        let shown = if is_partial { " that are shown" } else { "" };
        _ = writeln!(section, "\nNo two perspectives{shown} differ in a median.");
    }
    if !blind.is_empty() {
        _ = write!(
            section,
            "\n### Blind spots\n\nOne side stands in the upper half of the levels, the other in the lower.\n\n{}",
            findings(&blind)
        );
    }
    if !other.is_empty() {
        _ = write!(section, "\n### Other differences\n\n{}", findings(&other));
    }
    section
}

fn priorities(analysis: &Analysis, wording: &Wording<'_>) -> String {
    let mut section = "## Priorities and the next step\n\n".to_owned();
    if analysis.priorities.is_empty() {
        section += if analysis.withheld().is_empty() {
            "There is no gap and no alarm.\n"
        } else {
            "Nothing that is shown has a gap or is in alarm.\n"
        };
    }
    for priority in &analysis.priorities {
        let next = priority.next_level.map_or_else(String::new, |next| {
            format!(" → next step: {}", text(wording.level(next)))
        });
        _ = writeln!(
            section,
            "{}. **{}**: now {}{next} → desired: {}",
            priority.rank,
            text(wording.element(&priority.element)),
            text(&wording.median(priority.current_median)),
            text(wording.level(priority.desired_level)),
        );
        // Where it stands now is in the line above.
        let reasons = priority.reasons.iter();
        for reason in reasons.filter(|reason| reason.code != ReasonCode::CurrentMedian) {
            _ = writeln!(section, "    - {}", text(&reason.detail));
        }
    }
    section
}

fn strengths(analysis: &Analysis, wording: &Wording<'_>) -> String {
    let strengths = analysis.strengths.iter().map(|strength| {
        let element = text(wording.element(&strength.element));
        format!("- {element}: {}\n", text(&wording.median(strength.current_median)))
    });
    let strengths: String = strengths.collect();
    let none = "Nothing yet stands where people want it to be, in everybody's eyes.\n";
    format!(
        "## Strengths\n\n{}",
        if strengths.is_empty() { none } else { &strengths }
    )
}

fn distance(travelled: &DistanceTravelled, wording: &Wording<'_>) -> String {
    let mut section = format!(
        "## Distance travelled\n\nSince version {} of the gap analysis `{}`.\n\n",
        travelled.baseline.version, travelled.baseline.gap_analysis
    );
    if !travelled.comparable {
        _ = writeln!(
            section,
            "Read this with care, the two are not fully comparable:\n\n{}",
            bullets(&travelled.reasons)
        );
    }
    if !travelled.withheld.is_empty() {
        let withheld: Vec<String> = travelled
            .withheld
            .iter()
            .map(|element| text(wording.element(element)))
            .collect();
        _ = writeln!(section, "Withheld: {}.\n", withheld.join(", "));
    }
    if travelled.elements.is_empty() {
        let shown = if travelled.withheld.is_empty() {
            ""
        } else {
            " that is shown"
        };
        return format!("{section}The two analyses share no rated element{shown}.\n");
    }
    section += "| element | levels moved | gap closed | moved |\n| --- | ---: | ---: | --- |\n";
    for element in &travelled.elements {
        _ = writeln!(
            section,
            "| {} | {} | {} | {} |",
            text(wording.element(&element.element)),
            element.levels_moved,
            element.gap_closed,
            moved(element),
        );
    }
    section + &next_steps::taken(travelled, wording)
}

fn moved(element: &ElementDistance) -> &'static str {
    match (element.moved, element.intended) {
        (Movement::Toward, _) => "to where people wanted it",
        (Movement::Away, true) => "away from where people wanted it",
        (Movement::Away, false) => "though people wanted it to stay",
        (Movement::None, true) => "not at all, though people wanted it to",
        (Movement::None, false) => "not at all, as people wanted",
    }
}

fn comparability(analysis: &Analysis) -> String {
    let caveats = if analysis.comparability.comparable {
        "Nothing speaks against comparing the perspectives.\n".to_owned()
    } else {
        bullets(&analysis.comparability.reasons)
    };
    format!("## How far this can be compared\n\n{caveats}")
}

fn themes(analysis: &Analysis, definition: &Definition, wording: &Wording<'_>) -> String {
    let mut section = "## All themes\n\n\
        | theme | ratings | current median | desired median | median gap | weakest |\n\
        | --- | ---: | ---: | ---: | ---: | --- |\n"
        .to_owned();
    let themes = analysis.themes.iter();
    let themes = themes.map(|theme| (theme.theme.as_str(), &theme.all, &theme.weakest));
    for (theme, reading, weakest) in themes.chain([(SAFETY, &analysis.safety.all, &analysis.safety.weakest)]) {
        let weakest: Vec<String> = weakest.iter().map(|element| text(wording.element(element))).collect();
        let figures = match reading.reading() {
            None => [WITHHELD; 4].map(ToOwned::to_owned),
            Some(reading) => [
                reading.n.to_string(),
                figure(reading.current.median),
                figure(reading.desired.median),
                figure(reading.gap.as_ref().map(|gap| gap.median)),
            ],
        };
        let theme = text(wording::theme_label(definition, theme));
        _ = writeln!(
            section,
            "| {theme} | {} | {} |",
            figures.join(" | "),
            weakest.join(", ")
        );
    }
    section
}

fn elements(analysis: &Analysis, wording: &Wording<'_>) -> String {
    let mut section = "## All elements\n\n\
        | element | n | not applicable | current median | current mean | agreement on current | desired median \
        | desired mean | agreement on desired | median gap |\n\
        | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n"
        .to_owned();
    for element in &analysis.elements {
        let figures = element
            .all
            .reading()
            .map_or_else(|| [WITHHELD; 9].map(ToOwned::to_owned), figures);
        let name = text(wording.element(&element.element));
        _ = writeln!(section, "| {name} | {} |", figures.join(" | "));
    }
    section + &agreed(analysis, wording)
}

fn figures(reading: &Reading) -> [String; 9] {
    let Reading { current, desired, .. } = reading;
    [
        reading.n.to_string(),
        reading.not_applicable.to_string(),
        figure(current.median),
        figure(current.mean),
        figure(current.agreement),
        figure(desired.median),
        figure(desired.mean),
        figure(desired.agreement),
        figure(reading.gap.as_ref().map(|gap| gap.median)),
    ]
}

/// What the team agreed on, beside what the answers say.
fn agreed(analysis: &Analysis, wording: &Wording<'_>) -> String {
    let rows = analysis.elements.iter().filter_map(|element| {
        let (agreed, reading) = (element.agreed.as_ref()?, element.all.reading());
        let spread = reading.map_or_else(
            || WITHHELD.to_owned(),
            |reading| {
                reading
                    .current
                    .counts
                    .in_order()
                    .map(|count| count.to_string())
                    .join(" · ")
            },
        );
        Some(format!(
            "| {} | {} | {} | {spread} |\n",
            text(wording.element(&element.element)),
            text(wording.level(agreed.current)),
            text(wording.level(agreed.desired)),
        ))
    });
    let rows: String = rows.collect();
    if rows.is_empty() {
        return rows;
    }
    format!(
        "\n## What the team agreed on\n\nAfter it had seen the answers. It counts in no figure above.\n\n\
         | element | agreed current | agreed desired | answers at levels 1 · 2 · 3 · 4 |\n| --- | --- | --- | --- |\n{rows}"
    )
}

fn figure(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| value.to_string())
}

fn bullets<'a>(reasons: impl IntoIterator<Item = &'a Reason>) -> String {
    let lines = reasons
        .into_iter()
        .map(|reason| format!("- {}\n", text(&reason.detail)));
    lines.collect()
}

fn counted<N: std::fmt::Display + Copy + PartialEq + From<u8>>(n: N, noun: &str) -> String {
    let plural = if n == N::from(1) { "" } else { "s" };
    format!("{n} {noun}{plural}")
}

fn name(perspective: &Slug) -> String {
    text(&wording::perspective(perspective))
}

/// Text from outside, so that it reads as it stands: neither Markdown nor HTML, neither a link nor a mention.
pub(in crate::http) fn text(content: &str) -> String {
    let mut escaped = String::with_capacity(content.len());
    let mut rest = content.chars().peekable();
    while let Some(c) = rest.next() {
        let next = rest.peek().copied().unwrap_or(' ');
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            c if c.is_control() || c.is_whitespace() => escaped.push(' '),
            // Full stops and colons stay legible unless they would make a link of a bare address.
            '.' if !next.is_alphabetic() => escaped.push('.'),
            ':' if next != '/' => escaped.push(':'),
            c if r"\`*_{}[]#+!|~^$@.:".contains(c) => escaped.extend(['\\', c]),
            c => escaped.push(c),
        }
    }
    escaped
}
