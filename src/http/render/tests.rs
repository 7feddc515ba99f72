//! What people see of a gap analysis: the radar and the report.

use super::{radar::svg, report::markdown, sample};
use crate::domain::{
    gap_analysis::{GapAnalysis, analyse, tests},
    model::Definition,
};

/// A model that somebody wrote to break out of its page.
fn hostile() -> (GapAnalysis, Definition) {
    let (mut gap_analysis, mut definition) = sample::gap_analysis();
    let hostile = "<script>alert(1)</script> & \"q\" | [x](http://evil.example) ![i](x) `c` *b* \u{1} www.evil.example a@b.example\n# h";
    gap_analysis.analysis.title = Some(hostile.to_owned());
    for theme in &mut definition.themes {
        theme.label = hostile.to_owned();
        theme.elements[0].label = hostile.to_owned();
    }
    definition.levels[0].label = hostile.to_owned();
    definition.safety.label = hostile.to_owned();
    // The details were written with those labels too.
    let voices = vec![
        tests::voice("service_user", 1, "feelings.heard=13 feelings.safe=12"),
        tests::voice("team", 2, "feelings.heard=34 feelings.safe=33"),
    ];
    let title = gap_analysis.analysis.title.clone();
    gap_analysis.analysis = analyse(&definition, tests::model(), title, voices, None);
    (gap_analysis, definition)
}

#[test]
fn the_radar_says_every_figure_in_words() {
    let (gap_analysis, definition) = sample::gap_analysis();
    let picture = svg(&gap_analysis, &definition);
    let id = "radar-00000000-0000-0000-0000-000000000008";
    assert!(picture.contains(&format!("role=\"img\" aria-labelledby=\"{id}-title {id}-desc\"")));
    assert!(picture.contains(&format!(
        "<title id=\"{id}-title\">Chat counselling, autumn &lt;2026&gt; &amp;"
    )));
    // Tools, 30 ratings: service users 2 but for tools.safety at 1, 3 × 5; team 3, 3 × 5. So 15 below 3 and 15 at 3: 2.5.
    assert!(picture.contains(
        "Tools: current between Forming and Maturing (median 2.5), desired Maturing (median 3), from 30 ratings."
    ));
    assert!(picture.contains("Safety: current between Forming and Maturing (median 2.5), desired"));
    // A marker for each of the six axes and one in the legend; the solid line and the dashed one.
    assert_eq!(picture.matches("<circle").count(), 7);
    assert_eq!(picture.matches("<rect x=").count(), 7);
    assert!(picture.contains("stroke-dasharray=\"6 4\""));
}

#[test]
fn the_radar_says_where_nothing_was_rated() {
    let definition = tests::definition();
    let picture = svg(
        &GapAnalysis::preview(tests::analysis(&[("team", "space.caring=23")])),
        &definition,
    );
    assert!(picture.contains(
        "Feelings: no ratings. Space: current Forming (median 2), desired Maturing (median 3), from 1 rating."
    ));
    assert!(picture.contains("aria-labelledby=\"radar-preview-title radar-preview-desc\""));
    assert_eq!(picture.matches(">(no ratings)<").count(), 5);
    let empty = svg(&GapAnalysis::preview(tests::analysis(&[])), &definition);
    assert!(empty.contains("of 0 inputs"));
}

#[test]
fn fewer_than_three_axes_are_drawn_as_scales_and_many_are_numbered() {
    let (mut gap_analysis, definition) = sample::gap_analysis();
    let themes = gap_analysis.analysis.themes.clone();
    gap_analysis.analysis.themes.truncate(1);
    let few = svg(&gap_analysis, &definition);
    assert_eq!((few.matches("<circle").count(), few.matches("NaN").count()), (3, 0));
    gap_analysis.analysis.themes.clear();
    assert_eq!(svg(&gap_analysis, &definition).matches("<circle").count(), 2);
    gap_analysis.analysis.themes = [themes.clone(), themes].concat();
    let many = svg(&gap_analysis, &definition);
    assert!(many.contains(">11<") && many.contains(">11 Safety<"));
}

#[test]
fn the_radar_escapes_what_comes_from_outside() {
    let (gap_analysis, definition) = hostile();
    let picture = svg(&gap_analysis, &definition);
    assert!(!picture.contains("<script") && !picture.contains('\u{1}') && picture.contains("&lt;script&gt;"));
    // Nothing but what it draws with.
    let tags: std::collections::BTreeSet<&str> = picture
        .split('<')
        .skip(1)
        .filter_map(|tag| tag.split([' ', '>', '\n']).next())
        .filter(|tag| !tag.starts_with('/'))
        .collect();
    let drawn = ["circle", "desc", "g", "path", "rect", "svg", "text", "title"];
    assert_eq!(tags.into_iter().collect::<Vec<_>>(), drawn);
}

#[test]
fn the_report_begins_with_safety_and_ends_with_the_tables() {
    let (gap_analysis, definition) = sample::gap_analysis();
    let report = markdown(&gap_analysis, &definition);
    let headings: Vec<&str> = report.lines().filter(|line| line.starts_with('#')).collect();
    assert_eq!(
        headings,
        [
            r"# Chat counselling, autumn &lt;2026&gt; &amp; \*half a year after\*",
            "## Safety first",
            "## What you see differently",
            "### Blind spots",
            "## Priorities and the next step",
            "## Strengths",
            "## Distance travelled",
            "## How far this can be compared",
            "## All themes",
            "## All elements",
        ]
    );
    for line in [
        "- service user: 3",
        "- On “Feelings: safe”, service user sees Early stages (median 1): a Safety alarm.",
        "Provisional, until the alarms are dealt with: Feelings, Tools.",
        "- On “Safety: Diversity”, 1 of 3 ratings from service user are at Early stages, though their median is 2.",
        "1. **Feelings: safe**: now Forming (median 2) → next step: Maturing → desired: Maturing",
        "- Relationship: genuine: Embedded (median 4)",
        "| Relationship: genuine | 2 | 1 | to where people wanted it |",
        "| Safety: Environment | 0 | 6 | – | – | – | – | – | – | – |",
    ] {
        assert!(report.lines().any(|found| found == line), "{line}\n{report}");
    }
}

#[test]
fn a_report_of_one_perspective_or_of_nothing_says_so() {
    let definition = tests::definition();
    let one = markdown(
        &GapAnalysis::preview(tests::analysis(&[("team", "space.caring=33")])),
        &definition,
    );
    assert!(one.starts_with("# Gap analysis\n"));
    assert!(one.contains("from 1 assessment:") && one.contains("There is one perspective only"));
    assert!(one.contains("## Safety first\n\nClear: Feelings,"));
    let none = markdown(&GapAnalysis::preview(tests::analysis(&[])), &definition);
    assert!(one.contains("Safety has no ratings."));
    let safe = tests::analysis(&[("team", "space.safe=33")]);
    assert!(
        markdown(&GapAnalysis::preview(safe), &definition)
            .contains("No perspective sees a rated part of Safety below Forming.")
    );
    assert!(none.contains("from 0 assessments:") && none.contains("There is no gap and no alarm."));
    assert!(!none.contains("Distance travelled"));
}

#[test]
fn the_report_escapes_what_comes_from_outside() {
    let (gap_analysis, definition) = hostile();
    let report = markdown(&gap_analysis, &definition);
    for raw in [
        "<script", "[x](", "![i]", " *b*", "`c`", "http://", "www.evil", "a@b", "\n# h", "\u{1}",
    ] {
        assert!(!report.contains(raw), "{raw}\n{report}");
    }
    let columns = |line: &str| line.replace(r"\|", "").matches('|').count();
    assert!(
        report
            .lines()
            .filter(|line| line.starts_with('|'))
            .all(|line| matches!(columns(line), 7 | 11))
    );
}
