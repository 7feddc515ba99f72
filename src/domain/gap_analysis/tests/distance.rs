//! Distance travelled, and what can be compared with what.

use super::*;

fn since(baseline: &Analysis, before: &Definition, now: &[(&str, &str)], model: ModelRef) -> DistanceTravelled {
    let baseline = Baseline {
        gap_analysis: GapAnalysisId::NIL,
        version: 2,
        digest: Digest::kept("sha256:01".to_owned()),
        analysis: baseline,
        definition: before,
        done: &[],
    };
    let voices = (1..).zip(now).map(|(id, (who, ratings))| voice(who, id, ratings));
    let options = Options {
        baseline: Some(&baseline),
        ..Options::default()
    };
    let analysis = analyse(&definition(), model, voices.collect(), options);
    analysis.distance_travelled.expect("a baseline")
}

fn codes(reasons: &[Reason]) -> Vec<(ReasonCode, Option<&str>)> {
    let reasons = reasons.iter();
    reasons
        .map(|reason| (reason.code, reason.perspective.as_ref().map(Slug::as_str)))
        .collect()
}

#[test]
fn distance_says_what_moved_where_people_wanted_it_to() {
    //                      baseline   now    moved   gap closed   intended
    // feelings.heard         1→3      2→3     +1      2 − 1 =  1    yes, up: toward
    // feelings.supported     2→4      1→4     −1      2 − 3 = −1    yes, up: away
    // feelings.understood    3→3      4→4     +1      0 − 0 =  0    no: away, they wanted to stay
    // space.caring           4→2      3→2     −1     −2 + 1 = −1    yes, down: toward
    // space.safe             2→3      2→2      0      1 − 0 =  1    yes: none
    // tools.time             1→2      na       —      not rated now, so not compared
    let baseline = analysis(&[(
        "team",
        "feelings.heard=13 feelings.supported=24 feelings.understood=33 space.caring=42 space.safe=23 tools.time=12",
    )]);
    let now = (
        "team",
        "feelings.heard=23 feelings.supported=14 feelings.understood=44 space.caring=32 space.safe=22 tools.time=na",
    );
    let distance = since(&baseline, &definition(), &[now], model());
    let elements: Vec<_> = distance
        .elements
        .iter()
        .map(|e| (e.element.as_str(), e.levels_moved, e.gap_closed, e.intended, e.moved))
        .collect();
    assert_eq!(
        elements,
        [
            ("feelings.heard", 1.0, 1.0, true, Movement::Toward),
            ("feelings.supported", -1.0, -1.0, true, Movement::Away),
            ("feelings.understood", 1.0, 0.0, false, Movement::Away),
            ("space.caring", -1.0, -1.0, true, Movement::Toward),
            ("space.safe", 0.0, 1.0, true, Movement::None),
        ]
    );
    assert_eq!(
        (distance.baseline.version, distance.baseline.digest.as_str()),
        (2, "sha256:01")
    );
}

#[test]
fn a_distance_is_comparable_with_the_same_model_and_perspectives_and_three_inputs_each() {
    let three = [("team", "feelings.heard=13"); 3];
    let distance = since(&analysis(&three), &definition(), &three, model());
    assert!(distance.comparable && distance.reasons.is_empty());
}

#[test]
fn a_distance_says_why_it_is_not_comparable() {
    let heard = "feelings.heard=13";
    let baseline = analysis(&[("team", heard), ("team", heard), ("team", heard), ("partner", heard)]);
    let now = [("team", heard), ("team", heard)];
    let distance = since(&baseline, &definition(), &now, ModelRef { version: 2, ..model() });
    assert!(!distance.comparable);
    assert_eq!(
        codes(&distance.reasons),
        [
            (ReasonCode::ModelVersion, None),
            (ReasonCode::Perspectives, None),
            (ReasonCode::SmallN, Some("partner")),
            (ReasonCode::SmallN, Some("team")),
        ]
    );
    assert_eq!(
        distance.reasons[1].detail,
        "The baseline heard partner, team; this analysis heard team."
    );
    assert_eq!(
        distance.reasons[3].detail,
        "There are only 2 inputs from team in this analysis; below 3, a single one can decide the median."
    );
}

#[test]
fn only_elements_that_both_versions_have_are_compared() {
    let both = ("team", "feelings.heard=13 feelings.supported=13 safety.diversity=22");
    let mut before = definition();
    before.themes[0]
        .elements
        .retain(|element| element.key.as_str() != "feelings.heard");
    before.themes[0].elements[1].label = "be held".to_owned();
    let distance = since(&analysis(&[both]), &before, &[both], model());
    // feelings.heard is new since; feelings.supported is reworded; safety.diversity is the same.
    assert_eq!(
        keys(distance.elements.iter().map(|element| &element.element)),
        ["feelings.supported", "safety.diversity"]
    );
}

#[test]
fn perspectives_with_fewer_than_three_inputs_compare_badly() {
    let heard = "feelings.heard=13";
    let few = analysis(&[
        ("service_user", heard),
        ("team", heard),
        ("team", heard),
        ("team", heard),
    ]);
    assert!(!few.comparability.comparable);
    assert_eq!(
        codes(&few.comparability.reasons),
        [(ReasonCode::SmallN, Some("service_user"))]
    );
    // One perspective has nothing to be compared with.
    assert!(analysis(&[("team", heard)]).comparability.comparable);
    assert!(analysis(&[]).comparability.comparable);
}

#[test]
fn a_next_step_that_was_done_says_whether_its_element_moved() {
    let step = |number, element: &str| DoneStep {
        next_step: NextStepId::from_uuid(Uuid::from_u128(number)),
        element: element.parse().expect("a key"),
        from_level: Level::EarlyStages,
    };
    let then = analysis(&[("team", "feelings.heard=13 tools.time=12")]);
    let done = [
        step(2, "tools.time"),
        step(1, "feelings.heard"),
        step(3, "space.caring"),
    ];
    let (now, definition) = (voice("team", 1, "feelings.heard=23 tools.time=12"), definition());
    let baseline = Baseline {
        gap_analysis: GapAnalysisId::NIL,
        version: 1,
        digest: Digest::kept("sha256:01".to_owned()),
        analysis: &then,
        definition: &definition,
        done: &done,
    };
    let options = Options {
        baseline: Some(&baseline),
        ..Options::default()
    };
    let analysis = analyse(&definition, model(), vec![now], options);
    let taken = analysis.distance_travelled.expect("a baseline").next_steps;
    let moved: Vec<_> = taken
        .iter()
        .map(|step| (step.element.as_str(), step.moved, step.levels_moved))
        .collect();
    assert_eq!(
        moved,
        [
            ("feelings.heard", Some(Movement::Toward), Some(1.0)),
            ("tools.time", Some(Movement::None), Some(0.0)),
            // Nobody rated it.
            ("space.caring", None, None),
        ]
    );
}
