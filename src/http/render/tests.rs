//! What people read of a gap analysis: the report.

use super::{report::markdown, sample};
use crate::domain::{
    gap_analysis::{GapAnalysis, Options, Withholding, analyse, tests},
    model::Definition,
};

/// A model that somebody wrote to break out of its page.
pub(super) fn hostile() -> (GapAnalysis, Definition) {
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
    let options = Options {
        title,
        ..Options::default()
    };
    gap_analysis.analysis = analyse(&definition, tests::model(), voices, options);
    (gap_analysis, definition)
}

#[test]
fn the_report_begins_with_safety_and_ends_with_the_tables() {
    let (gap_analysis, definition) = sample::gap_analysis();
    let report = markdown(&gap_analysis, &definition, &[]);
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
fn what_is_withheld_is_named_and_nothing_of_it_is_called_clear() {
    let definition = tests::definition();
    let all: Vec<String> = definition.keys().map(|key| format!("{key}=33")).collect();
    let (all, no_time) = (all.join(" "), format!("{} tools.time=na", all.join(" ")));
    let report_of = |people: &[(&str, &str)]| {
        let withholding = Withholding {
            minimum_group: 3,
            perspectives: people.iter().map(|(who, _)| who.parse().expect("a slug")).collect(),
        };
        let voices = (1..)
            .zip(people)
            .map(|(id, (who, ratings))| tests::voice(who, id, ratings));
        let options = Options {
            withholding: Some(&withholding),
            ..Options::default()
        };
        let analysis = analyse(&definition, tests::model(), voices.collect(), options);
        markdown(&GapAnalysis::preview(analysis), &definition, &[])
    };
    let users = [
        ("service_user", &*all),
        ("service_user", &*all),
        ("service_user", &*no_time),
    ];
    let partial = report_of(&[&users[..], &[("team", &all), ("team", &all)]].concat());
    for words in [
        "- service user: Tools: time\n- team: everything\n",
        "No perspective that is shown sees a rated part of Safety below Forming.",
        "Not known, because some of what people say of it is withheld: Feelings, Space, Tools, Skills, Relationship.",
        "Fewer than two perspectives are shown",
        "Nothing that is shown has a gap or is in alarm.",
    ] {
        assert!(partial.contains(words), "{words}\n{partial}");
    }
    assert!(!partial.contains("Clear:"), "{partial}");
    // What is withheld and no part of Safety leaves it clear.
    let known = report_of(&users);
    assert!(
        known.contains("Clear: Feelings, Space, Tools, Skills, Relationship."),
        "{known}"
    );
    let nobody = report_of(&[("team", &all)]);
    assert!(
        !nobody.contains("Clear:") && !nobody.contains("No perspective"),
        "{nobody}"
    );
}

#[test]
fn a_report_of_one_perspective_or_of_nothing_says_so() {
    let definition = tests::definition();
    let one = markdown(
        &GapAnalysis::preview(tests::analysis(&[("team", "space.caring=33")])),
        &definition,
        &[],
    );
    assert!(one.starts_with("# Gap analysis\n"));
    assert!(one.contains("from 1 assessment:") && one.contains("There is one perspective only"));
    assert!(one.contains("## Safety first\n\nNot known, because nobody rated it: Feelings,"));
    let none = markdown(&GapAnalysis::preview(tests::analysis(&[])), &definition, &[]);
    assert!(one.contains("Safety has no ratings."));
    let safe = tests::analysis(&[("team", "space.safe=33")]);
    assert!(
        markdown(&GapAnalysis::preview(safe), &definition, &[])
            .contains("No perspective sees a rated part of Safety below Forming.")
    );
    assert!(none.contains("from 0 assessments:") && none.contains("There is no gap and no alarm."));
    assert!(!none.contains("Distance travelled"));
}

#[test]
fn the_report_escapes_what_comes_from_outside() {
    let (gap_analysis, definition) = hostile();
    let report = markdown(&gap_analysis, &definition, &[]);
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
