//! Timelines: a point a round, and a reason where there is none.

use super::*;
use crate::domain::{
    gap_analysis::timeline::{self, AbsenceReason, Timeline, TimelineRound, Told},
    id::{RelationshipId, RoundId},
};

fn round(number: u128) -> TimelineRound {
    TimelineRound {
        id: RoundId::from_uuid(Uuid::from_u128(number)),
        title: format!("Round {number}"),
        model: model().slug,
        model_version: 1,
        revealed_at: format!("2026-0{number}-01T09:30:00Z").parse().expect("a moment"),
        gap_analysis: GapAnalysisId::NIL,
        gap_analysis_version: 1,
    }
}

fn of((round, analysis): (TimelineRound, Analysis)) -> Told {
    Told {
        family: analysis.model.slug.clone(),
        round,
        analysis,
    }
}

fn told(rounds: &[Told], perspective: Option<&str>, element: &str) -> Timeline {
    let filter = timeline::Filter {
        perspective: perspective.map(|slug| slug.parse().expect("a slug")),
        element: Some(element.parse().expect("a key")),
        theme: None,
    };
    timeline::timeline(RelationshipId::NIL, rounds, &filter)
}

/// Four rounds: an older model, another perspective, too few, and as it should be.
fn rounds() -> [Told; 4] {
    let withholding = Withholding {
        minimum_group: 2,
        perspectives: ["team".parse().expect("a slug")].into(),
    };
    let options = Options {
        withholding: Some(&withholding),
        ..Options::default()
    };
    let small = analyse(
        &definition(),
        model(),
        vec![voice("team", 1, "feelings.heard=13")],
        options,
    );
    let mut older = analysis(&[("team", "feelings.heard=11 feelings.heard=12")]);
    older
        .elements
        .retain(|element| element.element.as_str() != "space.safe");
    [
        (round(1), older),
        (
            round(2),
            analysis(&[("service_user", "feelings.heard=34 space.safe=22")]),
        ),
        (round(3), small),
        (
            round(4),
            analysis(&[("team", "feelings.heard=24"), ("team", "feelings.heard=34")]),
        ),
    ]
    .map(of)
}

#[test]
fn a_series_has_a_point_a_round_and_says_why_where_it_has_none() {
    let rounds = rounds();
    let heard = told(&rounds, Some("team"), "feelings.heard");
    assert_eq!(
        heard.rounds.iter().map(|round| &*round.title).collect::<Vec<_>>(),
        ["Round 1", "Round 2", "Round 3", "Round 4"]
    );
    let [series] = heard.series.as_slice() else {
        panic!("one series: {:?}", heard.series)
    };
    assert_eq!(series.current, [Some(1.0), None, None, Some(2.5)]);
    assert_eq!(series.desired, [Some(2.0), None, None, Some(4.0)]);
    let absent: Vec<_> = series
        .absent
        .iter()
        .map(|absence| (absence.round, absence.reason))
        .collect();
    assert_eq!(
        absent,
        [
            (round(2).id, AbsenceReason::NotHeard),
            (round(3).id, AbsenceReason::Withheld)
        ]
    );
    let safe = told(&rounds, Some("all"), "space.safe");
    let reasons: Vec<_> = safe.series[0].absent.iter().map(|absence| absence.reason).collect();
    assert_eq!(
        reasons,
        [
            AbsenceReason::NotInModel,
            AbsenceReason::Withheld,
            AbsenceReason::Unrated
        ]
    );
    let of_everybody = told(&rounds, None, "feelings.heard").series;
    let names: Vec<&str> = of_everybody.iter().map(|series| &*series.perspective).collect();
    assert_eq!(names, ["all", "service_user", "team"]);
}

#[test]
fn a_theme_has_its_own_elements_and_safety_its_considerations() {
    let rounds = [of((round(1), analysis(&[("team", "feelings.heard=11")])))];
    let of_theme = |theme: &str| {
        let filter = timeline::Filter {
            perspective: Some("all".parse().expect("a slug")),
            theme: Some(theme.to_owned()),
            element: None,
        };
        timeline::timeline(RelationshipId::NIL, &rounds, &filter).series.len()
    };
    assert_eq!(
        (of_theme("feelings"), of_theme("safety"), of_theme("nothing")),
        (5, 9, 0)
    );
}

#[test]
fn a_model_that_is_no_relation_shares_words_and_no_line() {
    let mut rounds = rounds();
    rounds[0].family = "another".parse().expect("a slug");
    let heard = told(&rounds, Some("team"), "feelings.heard");
    assert_eq!(heard.series[0].current, [None, None, None, Some(2.5)]);
    assert_eq!(heard.series[0].absent[0].reason, AbsenceReason::NotInModel);
}

#[test]
fn what_no_round_knows_is_told_all_at_once() {
    let filter = timeline::Filter {
        perspective: Some("nobody".parse().expect("a slug")),
        element: Some("feelings.held".parse().expect("a key")),
        theme: Some("hopes".to_owned()),
    };
    let told: Vec<_> = filter
        .faults(&rounds())
        .into_iter()
        .map(|fault| fault.pointer)
        .collect();
    assert_eq!(told, ["/perspective", "/element", "/theme_key"]);
    assert!(filter.faults(&[]).is_empty());
    assert!(timeline::Filter::default().faults(&rounds()).is_empty());
}
