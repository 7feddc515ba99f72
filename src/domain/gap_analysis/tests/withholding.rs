//! What is withheld stays so: nothing that is shown depends on it.

use proptest::prelude::*;

use super::*;

const NAMES: [&str; 3] = ["organisation", "service_user", "team"];
const ELEMENTS: usize = 34;
/// A byte of levels: the element does not apply.
const NOT_APPLICABLE: u8 = 255;

fn slug(name: &str) -> Slug {
    name.parse().expect("a slug")
}

fn withholding(minimum_group: u32) -> Withholding {
    Withholding {
        minimum_group,
        perspectives: NAMES.map(slug).into(),
    }
}

fn of(voices: Vec<Voice>, minimum_group: u32) -> Analysis {
    let withholding = withholding(minimum_group);
    let options = Options {
        withholding: Some(&withholding),
        ..Options::default()
    };
    analyse(&definition(), model(), voices, options)
}

fn with(voices: &[(&str, &str)]) -> Analysis {
    let voices = (1..).zip(voices).map(|(id, (who, ratings))| voice(who, id, ratings));
    of(voices.collect(), 3)
}

fn byte() -> impl Strategy<Value = u8> {
    prop_oneof![3 => (1_u8..=4, 1_u8..=4).prop_map(|(c, d)| c | (d << 4)), 1 => Just(NOT_APPLICABLE)]
}

/// What each perspective's people answered: complete assessments, of few and of many.
type Answers = Vec<Vec<Vec<u8>>>;

fn answers() -> impl Strategy<Value = Answers> {
    let people = prop::collection::vec(prop::collection::vec(byte(), ELEMENTS), 0..7);
    prop::collection::vec(people, NAMES.len())
}

fn voices(answers: &Answers) -> Vec<Voice> {
    let people = NAMES.iter().zip(answers);
    let people = people.flat_map(|(name, people)| people.iter().map(move |levels| (name, levels)));
    (1..)
        .zip(people)
        .map(|(id, (name, levels))| Voice {
            levels: Levels::from_bytes(levels.clone()),
            ..voice(name, id, "")
        })
        .collect()
}

fn rated(people: &[Vec<u8>], place: usize) -> usize {
    people.iter().filter(|levels| levels[place] != NOT_APPLICABLE).count()
}

/// Other answers of all who are withheld: wherever too few rated, whatever too few may say; where too few answered at all, also so
/// many others.
fn otherwise(answers: &Answers, least: usize, others: &Answers) -> Answers {
    let people = answers.iter().zip(others);
    people
        .map(|(people, others)| {
            if people.len() < least {
                return others.iter().take(least - 1).cloned().collect();
            }
            let mut changed = people.clone();
            for place in (0..ELEMENTS).filter(|place| rated(people, *place) < least) {
                let (mut left, replacements) = (least - 1, others.iter().cycle());
                for (levels, other) in changed.iter_mut().zip(replacements) {
                    let says = if left > 0 { other[place] } else { NOT_APPLICABLE };
                    left -= usize::from(says != NOT_APPLICABLE);
                    levels[place] = says;
                }
            }
            changed
        })
        .collect()
}

fn sum<'a>(readings: impl Iterator<Item = &'a Disclosed>) -> ([[u32; 4]; 4], u32) {
    let readings = readings.filter_map(Disclosed::reading);
    readings.fold(([[0; 4]; 4], 0), |(mut sum, na), reading| {
        let cells = sum
            .as_flattened_mut()
            .iter_mut()
            .zip(reading.transitions.as_flattened());
        cells.for_each(|(sum, more)| *sum += more);
        (sum, na + reading.not_applicable)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    /// The attack in its strongest form: who sees the analysis, every number of it, cannot tell one set of withheld answers from
    /// another.
    #[test]
    fn nothing_that_is_shown_depends_on_what_is_withheld(answers in answers(), others in answers(), least in 2_usize..6) {
        let minimum_group = u32::try_from(least).expect("a few");
        let shown = [&answers, &otherwise(&answers, least, &others)]
            .map(|answers| serde_json::to_string(&of(voices(answers), minimum_group)).expect("JSON"));
        prop_assert_eq!(&shown[0], &shown[1]);
    }

    #[test]
    fn there_is_nothing_to_subtract(answers in answers(), least in 2_u32..6) {
        let analysis = of(voices(&answers), least);
        for element in &analysis.elements {
            let all = sum([&element.all].into_iter());
            prop_assert_eq!(all, sum(element.by_perspective.values()));
        }
        let themes = analysis.themes.iter().map(|theme| (&theme.theme, &theme.all, &theme.by_perspective));
        for (key, all, by_perspective) in themes {
            let elements = || analysis.elements.iter().filter(|element| element.theme == *key);
            prop_assert_eq!(sum([all].into_iter()), sum(elements().map(|element| &element.all)));
            for (name, reading) in by_perspective {
                prop_assert_eq!(sum([reading].into_iter()), sum(elements().map(|element| &element.by_perspective[name])));
            }
        }
        let safety = || analysis.elements.iter().filter(|element| element.strand.is_some());
        prop_assert_eq!(sum([&analysis.safety.all].into_iter()), sum(safety().map(|element| &element.all)));
        for reading in analysis.elements.iter().flat_map(|element| element.by_perspective.values().chain([&element.all])) {
            prop_assert!(reading.reading().is_none_or(|reading| reading.n >= least));
        }
        for input in &analysis.inputs {
            prop_assert!(input.counted() >= least && input.assessment.is_none() && input.digest.is_none());
        }
    }

    #[test]
    fn where_all_groups_are_large_enough_nothing_is_withheld(levels in prop::collection::vec(prop::collection::vec((1_u8..=4).prop_map(|l| l | 0x20), ELEMENTS), 12)) {
        let answers: Answers = levels.chunks(4).map(<[Vec<u8>]>::to_vec).collect();
        let plain = analyse(&definition(), model(), voices(&answers), Options::default());
        let with = of(voices(&answers), 4);
        prop_assert_eq!(Analysis { inputs: plain.inputs.clone(), minimum_group: None, ..with }, plain);
    }
}

#[test]
fn a_perspective_below_the_minimum_enters_nothing_and_says_so() {
    // Three service users at 3, two of the team at 1: in alarm, if it counted.
    let user = "space.safe=33 feelings.heard=34";
    let analysis = with(&[
        ("service_user", user),
        ("service_user", user),
        ("service_user", user),
        ("team", "space.safe=14 feelings.heard=11"),
        ("team", "space.safe=14 feelings.heard=11"),
    ]);
    let heard = element(&analysis, "feelings.heard");
    assert_eq!(heard.by_perspective[&slug("team")], Disclosed::BELOW_MINIMUM_GROUP);
    assert_eq!(
        serde_json::to_value(&heard.by_perspective[&slug("organisation")]).expect("JSON"),
        serde_json::json!({"withheld": {"reason": "below_minimum_group"}})
    );
    assert_eq!(heard.all, heard.by_perspective[&slug("service_user")]);
    assert_eq!(ranks(&analysis), ["feelings.heard"]);
    assert!(analysis.perception_gaps.is_empty());
    assert_eq!(keys(analysis.strengths.iter().map(|s| &s.element)), ["space.safe"]);
    let gate = gate(&analysis, "space");
    // No alarm is shown; whether there is one is not known.
    assert_eq!(gate.status, GateStatus::Provisional);
    let silent: Vec<_> = gate
        .reasons
        .iter()
        .map(|reason| (reason.code, reason.perspective.as_ref().map(Slug::as_str)))
        .collect();
    // The nine considerations nobody rated at all.
    assert_eq!(silent, NAMES.map(|name| (ReasonCode::Withheld, Some(name))).to_vec());
    let inputs = serde_json::to_value(&analysis.inputs).expect("JSON");
    assert_eq!(inputs, serde_json::json!([{"perspective": "service_user", "count": 3}]));
    assert!(!analysis.comparability.comparable);
    assert_eq!(
        analysis.comparability.reasons[1].detail,
        "Too few answered from team: what they say is withheld, and compared with nothing."
    );
}

#[test]
fn an_element_that_too_few_rated_is_withheld_there_and_missing_from_its_theme() {
    let analysis = with(&[
        ("team", "feelings.heard=12 feelings.safe=33"),
        ("team", "feelings.heard=12 feelings.safe=33"),
        ("team", "feelings.heard=na feelings.safe=33"),
        ("service_user", "feelings.heard=44 feelings.safe=44"),
        ("service_user", "feelings.heard=44 feelings.safe=44"),
        ("service_user", "feelings.heard=44 feelings.safe=44"),
    ]);
    let heard = element(&analysis, "feelings.heard");
    assert!(heard.by_perspective[&slug("team")].is_withheld());
    assert_eq!(shown(&heard.all).n, 3);
    let feelings = &analysis.themes[0];
    let team = shown(&feelings.by_perspective[&slug("team")]);
    assert_eq!((team.n, team.not_applicable, team.current.median), (3, 0, Some(3.0)));
    assert_eq!(shown(&feelings.all).n, 9);
    // Of the team alone nothing would be left to show.
    let alone = with(&[
        ("team", "feelings.heard=12"),
        ("team", "feelings.heard=12"),
        ("team", "feelings.heard=na"),
    ]);
    assert!(element(&alone, "feelings.heard").all.is_withheld());
}

#[test]
fn a_distance_is_withheld_where_either_side_is() {
    let three = ["feelings.heard=13 space.caring=12"; 3].map(|ratings| ("team", ratings));
    let two = [
        ("team", "feelings.heard=23 space.caring=22"),
        ("team", "feelings.heard=23 space.caring=22"),
        ("team", "feelings.heard=23 space.caring=na"),
    ];
    let (before, withholding, definition) = (with(&three), withholding(3), definition());
    let baseline = Baseline {
        gap_analysis: GapAnalysisId::NIL,
        version: 1,
        digest: Digest::kept("sha256:01".to_owned()),
        analysis: &before,
        definition: &definition,
        done: &[],
    };
    let options = Options {
        baseline: Some(&baseline),
        withholding: Some(&withholding),
        ..Options::default()
    };
    let voices = (1..).zip(two).map(|(id, (who, ratings))| voice(who, id, ratings));
    let now = analyse(&definition, model(), voices.collect(), options);
    let distance = now.distance_travelled.expect("a baseline");
    assert_eq!(keys(distance.elements.iter().map(|e| &e.element)), ["feelings.heard"]);
    assert!(keys(&distance.withheld).contains(&"space.caring"));
    assert_eq!(distance.elements.len() + distance.withheld.len(), ELEMENTS);
}

#[test]
fn a_later_version_may_follow_where_nobody_or_enough_changed_in_every_perspective() {
    let inputs = |counts: &[(&str, u32)]| -> Vec<Input> {
        let inputs = counts.iter().map(|(who, count)| Input {
            count: Some(*count),
            ..Input::from(voice(who, 1, ""))
        });
        inputs.collect()
    };
    let sources = |ids: &[(u128, i32, &str)]| Sources {
        assessments: ids
            .iter()
            .map(|(id, version, who)| (AssessmentId::from_uuid(Uuid::from_u128(*id)), (*version, slug(who))))
            .collect(),
        baseline: None,
    };
    let before = sources(&[(1, 1, "team"), (2, 1, "team"), (3, 1, "team"), (4, 1, "team")]);
    let counted: BTreeMap<Uuid, Version> = before.all().collect();
    let was = inputs(&[("team", 4)]);
    let may = |now: &[(u128, i32, &str)]| may_follow(3, &was, &counted, &sources(now));
    let three = [(1, 1, "team"), (2, 1, "team"), (3, 1, "team")];
    let four = [(1, 1, "team"), (2, 1, "team"), (3, 1, "team"), (4, 1, "team")];
    assert!(may(&four), "nobody changed");
    assert!(!may(&three), "one left");
    assert!(
        !may(&[(1, 2, "team"), (2, 1, "team"), (3, 1, "team"), (4, 1, "team")]),
        "one amended"
    );
    assert!(!may(&[&four[..], &[(5, 1, "team")]].concat()), "one came");
    assert!(
        !may(&[(1, 2, "team"), (2, 1, "team"), (3, 1, "team"), (5, 1, "team")][..3]),
        "two changed"
    );
    assert!(
        may(&[(1, 2, "team"), (2, 1, "team"), (3, 1, "team"), (5, 1, "team")]),
        "one amended, one left, one came"
    );
    // Of another perspective three came, of this one one left: the difference would be theirs alone.
    let came = [(5, 1, "service_user"), (6, 1, "service_user"), (7, 1, "service_user")];
    assert!(may(&[&four[..], &came[..]].concat()));
    assert!(!may(&[&three[..], &came[..]].concat()));
    // Too few are left to be shown at all: what changed is the whole group.
    assert!(may(&[]));
}

#[test]
fn what_a_team_agreed_on_stands_beside_the_spread_and_counts_in_nothing() {
    let before = with(&[
        ("team", "feelings.heard=12"),
        ("team", "feelings.heard=12"),
        ("team", "feelings.heard=44"),
    ]);
    let mut after = before.clone();
    let agreed = Sealed {
        version: 1,
        content: serde_json::from_value(serde_json::json!({
            "ratings": {"feelings.heard": {"current": "forming", "desired": "embedded", "note": "One of us disagrees."}}
        }))
        .expect("an agreed reading"),
        seal: Seal {
            digest: Digest::kept("sha256:02".to_owned()),
            sealed_at: "2026-03-01T09:30:00Z".parse().expect("a moment"),
            sealed_by: crate::domain::id::ClientId::NIL,
        },
    };
    after.agree(Some(&agreed));
    let heard = element(&after, "feelings.heard");
    assert_eq!(
        heard.agreed,
        Some(AgreedLevels {
            current: Level::Forming,
            desired: Level::Embedded
        })
    );
    assert_eq!(shown(&heard.all).current.counts.in_order(), [2, 0, 0, 1]);
    assert!(!serde_json::to_string(&after).expect("JSON").contains("disagrees"));
    // Taken away, nothing is left of it.
    after.agree(None);
    assert_eq!(after, before);
}

#[test]
fn an_ordinary_analysis_has_the_bytes_that_it_always_had() {
    let analysis = analysis(&[
        ("service_user", "feelings.heard=13 space.safe=12 safety.diversity=na"),
        ("team", "feelings.heard=34 space.safe=33 safety.diversity=22"),
    ]);
    let digest = Digest::of(&analysis).expect("canonical JSON");
    assert_eq!(
        digest.as_str(),
        "sha256:dc3ce2a236533f1902e294096caa004b860dc86ff03bed9c829168ccb3037091"
    );
}

/// What became of an element, and what is not compared, from one round to the next.
fn travelled(before: &[(&str, &str)], after: &[(&str, &str)]) -> DistanceTravelled {
    let (earlier, before) = (with(before), definition());
    let baseline = Baseline {
        gap_analysis: GapAnalysisId::NIL,
        version: 1,
        digest: Digest::kept("sha256:01".to_owned()),
        analysis: &earlier,
        definition: &before,
        done: &[],
    };
    let withholding = withholding(3);
    let options = Options {
        withholding: Some(&withholding),
        baseline: Some(&baseline),
        ..Options::default()
    };
    let voices = (1..).zip(after).map(|(id, (who, ratings))| voice(who, id, ratings));
    let analysis = analyse(&definition(), model(), voices.collect(), options);
    analysis.distance_travelled.expect("a baseline")
}

#[test]
fn what_one_side_withholds_is_compared_on_neither() {
    let users = [("service_user", "feelings.heard=34"); 3];
    let team = [("team", "feelings.heard=13"); 4];
    let both = [&users[..], &team[..]].concat();
    // The median of all falls from 3 to 1 because the team comes, and rises again because it goes; nobody moved.
    for (before, after) in [(&users[..], &both[..]), (&both[..], &users[..])] {
        let distance = travelled(before, after);
        let moved: Vec<_> = distance
            .elements
            .iter()
            .map(|e| (e.element.as_str(), e.levels_moved, e.moved))
            .collect();
        assert_eq!(moved, [("feelings.heard", 0.0, Movement::None)]);
        let reasons: Vec<_> = distance.reasons.iter().map(|reason| reason.code).collect();
        assert_eq!(reasons, [ReasonCode::Withheld; 3]);
        assert_eq!(
            distance.reasons[2].detail,
            "Some or all of what team says is withheld: what is withheld on one side is compared on neither."
        );
        // The others nobody rated.
        assert_eq!(distance.withheld.len(), ELEMENTS - 1);
    }
    let apart = travelled(&users, &team);
    assert!(apart.elements.is_empty());
    assert_eq!(apart.withheld.len(), ELEMENTS);
    // Who is shown on both sides is compared as ever.
    let better = [&users[..], &[("team", "feelings.heard=23"); 4]].concat();
    assert_eq!(travelled(&both, &better).elements[0].levels_moved, 1.0);
}
