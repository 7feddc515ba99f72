//! Readings of elements, themes and Safety.

use serde_json::json;

use super::*;

#[test]
fn a_reading_states_counts_medians_means_agreement_gaps_and_transitions() {
    // current 2 3 3, desired 3 3 4. Sorted current 2,3,3: median 3, mean 8/3 = 2.666…; A of [0,1,2,0] is 7/9 = 0.777….
    // Sorted desired 3,3,4: median 3, mean 10/3 = 3.333…; [0,0,2,1]: 1 × 0011 (2/3 · 2/3) + 1 × 0010 (1/3) = 7/9.
    // Gaps 3−2 = 1, 3−3 = 0, 4−3 = 1: sorted 0,1,1, median 1.
    let analysis = analysis(&[
        ("team", "feelings.heard=23"),
        ("team", "feelings.heard=33"),
        ("team", "feelings.heard=34"),
        ("team", "feelings.heard=na"),
    ]);
    assert_eq!(
        serde_json::to_value(&element(&analysis, "feelings.heard").all).expect("JSON"),
        json!({
            "n": 3,
            "not_applicable": 1,
            "current": {
                "counts": {"early_stages": 0, "forming": 1, "maturing": 2, "embedded": 0},
                "median": 3.0, "mean": 2.67, "agreement": 0.78
            },
            "desired": {
                "counts": {"early_stages": 0, "forming": 0, "maturing": 2, "embedded": 1},
                "median": 3.0, "mean": 3.33, "agreement": 0.78
            },
            "gap": {"median": 1.0, "counts": {"-3": 0, "-2": 0, "-1": 0, "0": 1, "1": 2, "2": 0, "3": 0}},
            "transitions": [[0, 0, 0, 0], [0, 0, 1, 0], [0, 0, 1, 1], [0, 0, 0, 0]]
        })
    );
}

#[test]
fn the_json_has_the_fixed_shape_in_its_order() {
    let json = serde_json::to_string(&GapAnalysis::of_version(
        GapAnalysisId::NIL,
        1,
        analysis(&[("team", "feelings.heard=13")]),
    ))
    .expect("JSON");
    let head = r#"{"id":"00000000-0000-0000-0000-000000000000","version":1,"status":"sealed","formula_version":"1","model":{"slug":"#;
    assert!(json.starts_with(head), "{json}");
    let members = [
        "\"model\":",
        "\"inputs\":",
        "\"elements\":",
        "\"themes\":",
        "\"perception_gaps\":",
        "\"priorities\":",
        "\"strengths\":",
        "\"comparability\":",
    ];
    let places: Vec<_> = members.iter().map(|member| json.find(member)).collect();
    assert!(places.is_sorted() && !places.contains(&None), "{places:?}");
    assert!(json.contains(r#""counts":{"-3":0,"-2":0,"-1":0,"0":0,"1":0,"2":1,"3":0}"#));
}

#[test]
fn the_median_of_an_even_n_moves_in_halves() {
    // current 1,2 → 1.5; desired 3,3 → 3; gaps 2,1 → 1.5.
    let analysis = analysis(&[("team", "feelings.heard=13"), ("team", "feelings.heard=23")]);
    let all = shown(&element(&analysis, "feelings.heard").all);
    assert_eq!((all.current.median, all.desired.median), (Some(1.5), Some(3.0)));
    assert_eq!(all.gap.as_ref().map(|gap| gap.median), Some(1.5));
}

#[test]
fn the_median_gap_is_not_the_difference_of_the_medians() {
    // (1→1) (2→4) (3→3): medians 2 and 3 differ by 1, but the gaps 0, 2, 0 have median 0.
    let analysis = analysis(&[
        ("team", "feelings.heard=11"),
        ("team", "feelings.heard=24"),
        ("team", "feelings.heard=33"),
    ]);
    let all = shown(&element(&analysis, "feelings.heard").all);
    assert_eq!((all.current.median, all.desired.median), (Some(2.0), Some(3.0)));
    assert_eq!(all.gap.as_ref().map(|gap| gap.median), Some(0.0));
    assert!(analysis.priorities.is_empty());
}

#[test]
fn a_gap_beyond_desired_is_negative_and_counted() {
    let analysis = analysis(&[("team", "feelings.heard=41")]);
    let gap = shown(&element(&analysis, "feelings.heard").all)
        .gap
        .as_ref()
        .expect("a gap");
    assert_eq!((gap.median, gap.counts.three_beyond), (-3.0, 1));
}

#[test]
fn means_round_half_away_from_zero() {
    // 1/8 = 0.125 → 0.13; −1/8 → −0.13; 1/3 → 0.33; 2/3 → 0.67; 5/2 is exact.
    let rounded = [(1, 8), (-1, 8), (1, 3), (2, 3), (5, 2), (0, 7)].map(|(n, d)| figures::rounded(n, d));
    assert_eq!(rounded, [0.13, -0.13, 0.33, 0.67, 2.5, 0.0]);
}

#[test]
fn where_nothing_applies_there_are_counts_and_no_figures() {
    let analysis = analysis(&[("team", "feelings.heard=na"), ("team", "feelings.heard=na")]);
    let zero = json!({"counts": {"early_stages": 0, "forming": 0, "maturing": 0, "embedded": 0}});
    assert_eq!(
        serde_json::to_value(&element(&analysis, "feelings.heard").all).expect("JSON"),
        json!({"n": 0, "not_applicable": 2, "current": zero, "desired": zero, "transitions": [[0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]})
    );
    assert!(analysis.themes.iter().all(|theme| theme.weakest.is_empty()));
    assert!(analysis.priorities.is_empty() && analysis.strengths.is_empty());
}

#[test]
fn a_half_rated_mark_counts_in_nothing() {
    let analysis = analysis(&[("team", "feelings.heard=3")]);
    let all = shown(&element(&analysis, "feelings.heard").all);
    assert_eq!((all.n, all.not_applicable), (0, 0));
}

#[test]
fn a_single_input_agrees_with_nobody_however_many_elements_it_rates() {
    let one = ("team", "feelings.heard=13 feelings.listened_to=23");
    let none = analysis(&[one, ("team", "space.caring=11")]);
    let (feelings, heard) = (shown(&none.themes[0].all), shown(&element(&none, "feelings.heard").all));
    assert_eq!((feelings.n, feelings.current.agreement), (2, None));
    assert_eq!(heard.current.agreement, None);
    assert_eq!((heard.current.median, heard.current.mean), (Some(1.0), Some(1.0)));
    // Two inputs, pooled: current 1, 2, 2 = [1,2,0,0] → 7/9; each perspective alone still has one input.
    let two = analysis(&[one, ("service_user", "feelings.heard=22")]);
    assert_eq!(shown(&two.themes[0].all).current.agreement, Some(0.78));
    assert!(
        two.themes[0]
            .by_perspective
            .values()
            .all(|r| shown(r).current.agreement.is_none())
    );
}

#[test]
fn a_theme_pools_its_elements_and_safety_pools_considerations_and_safety_elements() {
    let analysis = analysis(&[(
        "team",
        "feelings.heard=13 feelings.safe=34 tools.safety=24 safety.diversity=44 safety.operations=na",
    )]);
    let feelings = shown(&analysis.themes[0].all);
    assert_eq!((feelings.n, feelings.current.median), (2, Some(2.0)));
    // feelings.safe 3, tools.safety 2, safety.diversity 4: median 3; the not applicable one is counted beside.
    let safety = shown(&analysis.safety.all);
    assert_eq!((safety.n, safety.not_applicable), (3, 1));
    assert_eq!(safety.current.median, Some(3.0));
    assert_eq!(keys(&analysis.safety.weakest), ["tools.safety"]);
}

#[test]
fn the_weakest_are_all_that_tie() {
    let analysis = analysis(&[(
        "team",
        "feelings.heard=33 feelings.listened_to=22 feelings.supported=44 feelings.understood=22 feelings.safe=na",
    )]);
    assert_eq!(
        keys(&analysis.themes[0].weakest),
        ["feelings.listened_to", "feelings.understood"]
    );
}
