//! Safety, priorities, perception gaps and strengths.

use super::*;

#[test]
fn one_perspective_in_alarm_is_not_averaged_away_by_another() {
    // Service user 1; team 4, 4, 4: the median of all is 4, and still the alarm outranks a gap of 3.
    let analysis = analysis(&[
        ("service_user", "space.safe=11"),
        ("team", "space.safe=44 feelings.heard=14"),
        ("team", "space.safe=44"),
        ("team", "space.safe=44"),
    ]);
    assert_eq!(ranks(&analysis), ["space.safe", "feelings.heard"]);
    let first = &analysis.priorities[0];
    assert_eq!((first.current_median, first.median_gap), (4.0, 0.0));
    assert_eq!((first.next_level, first.desired_level), (None, Level::Embedded));
    let codes: Vec<_> = first.reasons.iter().map(|reason| reason.code).collect();
    assert_eq!(
        codes,
        [
            ReasonCode::SafetyAlarm,
            ReasonCode::PerceptionDifference,
            ReasonCode::CurrentMedian
        ]
    );
    assert_eq!(
        first.reasons[0].perspective.as_ref().map(Slug::as_str),
        Some("service_user")
    );
    assert_eq!(
        first.reasons[0].detail,
        "On “Space: safe”, service user sees Early stages (median 1): a Safety alarm."
    );
    assert_eq!(gate(&analysis, "space").status, GateStatus::Provisional);
    assert_eq!(gate(&analysis, "space").reasons[0].code, ReasonCode::OwnSafetyElement);
    assert_eq!(gate(&analysis, "tools").status, GateStatus::Clear);
}

#[test]
fn a_consideration_in_alarm_makes_every_theme_provisional() {
    let analysis = analysis(&[("team", "safety.confidentiality=12")]);
    for theme in &analysis.themes {
        assert_eq!(theme.safety.status, GateStatus::Provisional);
        assert_eq!(theme.safety.reasons.len(), 1);
        assert_eq!(theme.safety.reasons[0].code, ReasonCode::SafetyConsideration);
    }
}

#[test]
fn early_stages_within_a_perspective_is_told_without_an_alarm() {
    // current 1, 2, 3: median 2, so no alarm; one of three is at Early stages.
    let analysis = analysis(&[
        ("team", "tools.safety=11"),
        ("team", "tools.safety=22"),
        ("team", "tools.safety=33"),
    ]);
    let tools = gate(&analysis, "tools");
    assert_eq!((tools.status, tools.reasons.len()), (GateStatus::Clear, 1));
    assert_eq!(tools.reasons[0].code, ReasonCode::EarlyStagesWithin);
    assert_eq!(
        tools.reasons[0].detail,
        "On “Tools: safety”, 1 of 3 ratings from team are at Early stages, though their median is 2."
    );
    assert!(gate(&analysis, "space").reasons.is_empty());
    assert!(analysis.priorities.is_empty());
}

#[test]
fn an_element_outside_safety_raises_no_alarm() {
    let analysis = analysis(&[("team", "feelings.heard=11")]);
    assert!(analysis.priorities.is_empty());
    assert!(analysis.themes.iter().all(|theme| theme.safety.reasons.is_empty()));
}

#[test]
fn priorities_are_ordered_by_alarm_gap_perception_current_and_model_order() {
    // Two voices each, a (service user) and b (team); medians of all are means of the two.
    //                        a     b    gap   difference  current
    // skills.safety         1→1   1→1    0        0         1     alarm
    // space.caring          1→4   1→4    3        0         1     larger gap
    // tools.time            1→2   3→4    1        2         2     larger difference
    // relationship.genuine  1→2   1→2    1        0         1     lower current median
    // feelings.heard        2→3   2→3    1        0         2     model order
    // feelings.supported    2→3   2→3    1        0         2
    let a = "skills.safety=11 space.caring=14 tools.time=12 relationship.genuine=12 feelings.heard=23 feelings.supported=23";
    let b = "skills.safety=11 space.caring=14 tools.time=34 relationship.genuine=12 feelings.heard=23 feelings.supported=23";
    let analysis = analysis(&[("service_user", a), ("team", b)]);
    assert_eq!(
        ranks(&analysis),
        [
            "skills.safety",
            "space.caring",
            "tools.time",
            "relationship.genuine",
            "feelings.heard",
            "feelings.supported"
        ]
    );
    let ranked: Vec<u32> = analysis.priorities.iter().map(|p| p.rank).collect();
    assert_eq!(ranked, [1, 2, 3, 4, 5, 6]);
    assert_eq!(analysis.priorities[2].perception_difference, 2.0);
    // An alarm where nobody desires more: the next level, Forming, is beyond what is desired.
    let alarm = &analysis.priorities[0];
    assert_eq!(
        (alarm.next_level, alarm.desired_level),
        (Some(Level::Forming), Level::EarlyStages)
    );
    assert_eq!(
        alarm.reasons.last().map(|reason| reason.code),
        Some(ReasonCode::BeyondDesired)
    );
}

#[test]
fn the_journey_is_one_step_up_and_the_desired_median_rounded_up() {
    // current 1, 2 → 1.5, rounded down 1, next Forming; desired 2, 3 → 2.5, rounded up Maturing.
    let analysis = analysis(&[("team", "feelings.heard=12"), ("team", "feelings.heard=23")]);
    let priority = &analysis.priorities[0];
    assert_eq!(
        (priority.next_level, priority.desired_level),
        (Some(Level::Forming), Level::Maturing)
    );
    assert_eq!(
        priority.reasons.iter().map(|r| r.detail.as_str()).collect::<Vec<_>>(),
        [
            "The median gap is 1 level (n = 2).",
            "Over all inputs the current level is between Early stages and Forming (median 1.5)."
        ]
    );
}

#[test]
fn a_perception_gap_names_both_sides_the_overlap_and_the_blind_spot() {
    // Service user 1, 2, 3 (median 2: [1,1,1,0]/3); team 3, 3, 4, 4 (median 3.5: [0,0,2,2]/4).
    // Overlap: min(1/3, 0) + min(1/3, 0) + min(1/3, 2/4) + min(0, 2/4) = 1/3.
    let analysis = analysis(&[
        ("service_user", "feelings.heard=13"),
        ("service_user", "feelings.heard=23"),
        ("service_user", "feelings.heard=33"),
        ("team", "feelings.heard=33"),
        ("team", "feelings.heard=33"),
        ("team", "feelings.heard=44"),
        ("team", "feelings.heard=44"),
    ]);
    let [gap] = analysis.perception_gaps.as_slice() else {
        panic!("one gap")
    };
    assert_eq!((gap.higher.as_str(), gap.lower.as_str()), ("team", "service_user"));
    assert_eq!((gap.difference, gap.overlap, gap.blind_spot), (1.5, 0.33, true));
    assert_eq!(
        gap.detail,
        "On “Feelings: feel heard”, team sees between Maturing and Embedded (median 3.5) \
         where service user sees Forming (median 2): 1.5 levels apart."
    );
}

#[test]
fn perception_gaps_come_largest_first_then_in_model_order_then_by_slug() {
    let analysis = analysis(&[
        (
            "organisation",
            "feelings.heard=44 feelings.supported=33 space.caring=33 tools.time=na",
        ),
        (
            "service_user",
            "feelings.heard=33 feelings.supported=33 space.caring=11 tools.time=11",
        ),
        (
            "team",
            "feelings.heard=33 feelings.supported=22 space.caring=22 tools.time=na",
        ),
    ]);
    let gaps = analysis.perception_gaps.iter();
    let gaps: Vec<_> = gaps
        .map(|g| {
            (
                g.element.as_str(),
                g.higher.as_str(),
                g.lower.as_str(),
                g.difference,
                g.blind_spot,
            )
        })
        .collect();
    assert_eq!(
        gaps,
        [
            ("space.caring", "organisation", "service_user", 2.0, true),
            ("feelings.heard", "organisation", "service_user", 1.0, false),
            ("feelings.heard", "organisation", "team", 1.0, false),
            ("feelings.supported", "organisation", "team", 1.0, true),
            ("feelings.supported", "service_user", "team", 1.0, true),
            ("space.caring", "organisation", "team", 1.0, true),
            ("space.caring", "team", "service_user", 1.0, false),
        ]
    );
}

#[test]
fn a_strength_has_no_gap_stands_at_maturing_and_is_nobodys_blind_spot() {
    let analysis = analysis(&[
        (
            "service_user",
            "feelings.heard=33 feelings.supported=22 space.caring=22 tools.time=32",
        ),
        (
            "team",
            "feelings.heard=43 feelings.supported=22 space.caring=44 tools.time=34",
        ),
    ]);
    // heard: median 3.5, gaps 0 and −1. supported: only Forming. caring: median 3, but 4 against 2 is a blind spot.
    // time: median 3, gaps −1 and 1 have median 0.
    let strengths = keys(analysis.strengths.iter().map(|strength| &strength.element));
    assert_eq!(strengths, ["feelings.heard", "tools.time"]);
    assert_eq!(analysis.strengths[0].current_median, 3.5);
}

#[test]
fn the_labels_of_another_language_change_sentences_and_nothing_else() {
    let analysis = analysis(&[
        ("service_user", "space.safe=11 feelings.heard=14 safety.diversity=12"),
        ("service_user", "space.safe=13 feelings.heard=23 safety.diversity=34"),
        ("service_user", "space.safe=13 feelings.heard=23 safety.diversity=34"),
        ("team", "space.safe=43 feelings.heard=34 safety.diversity=33"),
    ]);
    assert_eq!(analysis.clone().with_labels_of(&definition()), analysis);
    let mut other = definition();
    for theme in &mut other.themes {
        theme.label.insert_str(0, "cy ");
        theme.elements.iter_mut().for_each(|one| one.label.insert_str(0, "cy "));
    }
    other.safety.label.insert_str(0, "cy ");
    other
        .safety
        .considerations
        .iter_mut()
        .for_each(|one| one.label.insert_str(0, "cy "));
    other
        .levels
        .iter_mut()
        .for_each(|level| level.label.insert_str(0, "cy "));
    let translated = analysis.clone().with_labels_of(&other);
    let within = |analysis: &Analysis| {
        gate(analysis, "feelings")
            .reasons
            .last()
            .map(|reason| reason.detail.clone())
    };
    assert_eq!(
        within(&translated).as_deref(),
        Some(
            "On “cy Safety: cy Diversity”, 1 of 3 ratings from service user are at cy Early stages, though their median is 3."
        )
    );
    // Taking the mark away again gives what there was.
    let told = |analysis: &Analysis| serde_json::to_string(analysis).expect("JSON");
    assert_eq!(told(&translated).replace("cy ", ""), told(&analysis));
    assert!(told(&translated).matches("cy ").count() > 20);
}
