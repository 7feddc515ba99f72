//! The rules of a round's states.

use sha2::{Digest as _, Sha256};

use super::{ANONYMITY, ANONYMITY_VERSION, Consent, Content, Expected, Life, Privacy, RoundStatus};
use crate::domain::{
    digest::hex,
    fault::Broken,
    id::{GapAnalysisId, RoundId},
    moment::Moment,
};

fn at(seconds: i64) -> Moment {
    Moment::from_micros(seconds * 1_000_000).expect("a moment")
}

fn content() -> Content {
    Content {
        title: "Spring".to_owned(),
        model: "meaningful-connections".parse().expect("a slug"),
        model_version: None,
        constellation: None,
        relationship: None,
        perspectives: vec![Expected {
            perspective_version: None,
            perspective: "team".parse().expect("a slug"),
            expected: 3,
        }],
        opens_at: None,
        closes_at: Some(at(100)),
        privacy: Privacy::Anonymous,
        minimum_group: Some(3),
        consent: Consent {
            text: "Yes.".to_owned(),
            version: "1".to_owned(),
            language: None,
        },
        baseline: None,
    }
}

fn round(status: RoundStatus) -> Life {
    Life {
        id: RoundId::NIL,
        revision: 1,
        status,
        content: content(),
        constellation_version: None,
        gap_analysis: None,
        opened_at: None,
        closed_at: None,
        revealed_at: None,
        cancelled_at: None,
        created_at: at(0),
        updated_at: at(0),
    }
}

fn codes(broken: Result<(), Broken>) -> Vec<String> {
    match broken {
        Err(Broken::Invalid(faults)) => faults
            .into_iter()
            .map(|fault| fault.pointer + " " + fault.code)
            .collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_round_goes_from_draft_to_revealed_and_never_back() {
    use RoundStatus::{Cancelled, Closed, Draft, Open, Revealed};
    type Step = fn(&mut Life) -> Result<(), Broken>;
    let steps: [(Step, &[RoundStatus], RoundStatus); 4] = [
        (|round| round.open(at(1), 1, &[1], None), &[Draft], Open),
        (|round| round.close(at(2)), &[Open], Closed),
        (|round| round.reveal(at(3), GapAnalysisId::NIL), &[Closed], Revealed),
        (|round| round.cancel(at(4)), &[Draft, Open, Closed], Cancelled),
    ];
    for (step, from, to) in steps {
        for status in RoundStatus::ALL {
            let mut life = round(status);
            let allowed = from.contains(&status);
            assert_eq!(step(&mut life).is_ok(), allowed, "{status:?} to {to:?}");
            assert_eq!(life.status, if allowed { to } else { status });
        }
    }
}

#[test]
fn answers_are_taken_while_it_is_open_until_its_end_comes() {
    for status in RoundStatus::ALL {
        let life = round(status);
        assert_eq!(life.takes_answers(at(99)), status == RoundStatus::Open);
        assert!(!life.takes_answers(at(100)));
    }
}

#[test]
fn of_an_open_round_only_its_title_and_a_later_end_can_be_set() {
    let mut life = round(RoundStatus::Open);
    let mut other = content();
    other.title = "Summer".to_owned();
    other.closes_at = Some(at(200));
    life.edit(other, at(99)).expect("it is later");
    let mut other = life.content.clone();
    other.closes_at = Some(at(150));
    other.privacy = Privacy::Named;
    other.minimum_group = Some(5);
    let told = codes(life.edit(other, at(99)));
    assert_eq!(
        told,
        ["/closes_at immutable", "/privacy immutable", "/minimum_group immutable"]
    );
    // What only the reveal uses can be set until then.
    let mut other = content();
    other.title = "Autumn".to_owned();
    other.baseline = Some(RoundId::NIL);
    for status in [RoundStatus::Open, RoundStatus::Closed] {
        round(status).edit(other.clone(), at(99)).expect("it is not over");
    }
    other.closes_at = Some(at(200));
    assert_eq!(
        codes(round(RoundStatus::Closed).edit(other, at(99))),
        ["/closes_at immutable"]
    );
    for status in [RoundStatus::Revealed, RoundStatus::Cancelled] {
        assert!(round(status).edit(content(), at(1)).is_err());
    }
}

#[test]
fn two_are_no_group_where_nobody_may_be_known() {
    let mut small = content();
    small.minimum_group = Some(2);
    small.perspectives.extend(small.perspectives.clone());
    small.opens_at = Some(at(100));
    let told = codes(round(RoundStatus::Draft).edit(small.clone(), at(1)));
    let expected = [
        "/perspectives/1/perspective duplicate",
        "/minimum_group minimum",
        "/closes_at minimum",
    ];
    assert_eq!(told, expected);
    small.privacy = Privacy::Pseudonymous;
    assert!(
        !small
            .faults(at(1))
            .iter()
            .any(|fault| fault.pointer == "/minimum_group")
    );
}

#[test]
fn a_minimum_group_holds_wherever_it_is_given_and_in_anonymous_rounds_always() {
    for (privacy, usual) in [
        (Privacy::Anonymous, Some(3)),
        (Privacy::Pseudonymous, None),
        (Privacy::Named, None),
    ] {
        let of = |minimum_group| Content {
            privacy,
            minimum_group,
            ..content()
        };
        assert_eq!((of(None).least_shown(), of(Some(5)).least_shown()), (usual, Some(5)));
    }
}

#[test]
fn what_would_close_before_it_opens_does_not_open() {
    assert_eq!(
        codes(round(RoundStatus::Draft).open(at(100), 1, &[1], None)),
        ["/closes_at minimum"]
    );
    let mut past = round(RoundStatus::Draft);
    assert_eq!(codes(past.edit(content(), at(100))), ["/closes_at minimum"]);
    past.can_be_edited().expect("a later end can be set");
}

#[test]
fn the_words_of_anonymity_have_a_version_that_changes_with_them() {
    // Whoever changes the words raises the version, and puts both here.
    let words = hex(&Sha256::digest(ANONYMITY));
    assert_eq!(
        (ANONYMITY_VERSION, &*words),
        ("2", "aefaa75cc78c627ab1031d370c8bed74316b2f99d8eb01421808f246e8942f26")
    );
}
