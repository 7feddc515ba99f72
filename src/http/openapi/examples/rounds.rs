//! Examples of rounds, invitations, and what they are redeemed for.

use super::{
    Examples, Outcome,
    world::{id, moment},
};
use crate::{
    domain::{
        access::Respondent,
        capability::Token,
        external_id::ExternalId,
        round::{Consent, Content, Expected, Life, Privacy, Progress, Round, RoundStatus},
    },
    http::routes::redemption::Access,
    service::{
        invitations::{Answered, Invitation, Invitations},
        redemption::Redeemed,
    },
};

const TOKEN: &str = "q2mJk4n0dYw0s2Cq3vTjKQ8m1Yb7xZfLr6HhP5uEoNA";

fn life() -> Outcome<Life> {
    let asked = |perspective: &str, expected| {
        Ok::<_, Box<dyn std::error::Error>>(Expected {
            perspective_version: Some(1),
            perspective: perspective.parse()?,
            expected,
        })
    };
    Ok(Life {
        id: id(10),
        revision: 2,
        status: RoundStatus::Open,
        content: Content {
            title: "Spring 2026".to_owned(),
            model: "meaningful-connections".parse()?,
            model_version: Some(1),
            constellation: None,
            relationship: None,
            perspectives: vec![asked("service_user", 8)?, asked("team", 3)?],
            opens_at: None,
            closes_at: Some(moment()),
            privacy: Privacy::Anonymous,
            minimum_group: Some(3),
            consent: Consent {
                text: "We use your answers to improve our service.".to_owned(),
                version: "2026-03".to_owned(),
                language: Some("en".to_owned()),
            },
            baseline: None,
        },
        constellation_version: None,
        gap_analysis: None,
        opened_at: Some(moment()),
        closed_at: None,
        revealed_at: None,
        cancelled_at: None,
        created_at: moment(),
        updated_at: moment(),
    })
}

impl Examples {
    pub(super) fn rounds(&mut self) -> Outcome {
        let life = life()?;
        self.add_page("Round", Round::of(&life, None))?;
        let progress = life.content.perspectives.iter().map(|one| Progress {
            perspective: one.perspective.clone(),
            expected: one.expected,
            invited: 8,
            started: 4,
            submitted: 3,
        });
        self.add("Round", Round::of(&life, Some(progress.collect())))?;
        let invitation = Invitation {
            id: id(11),
            round: id(10),
            perspective: "service_user".to_owned(),
            revision: 1,
            uses: 1,
            used: None,
            label: Some("Mary".to_owned()),
            external_id: Some(ExternalId {
                system: "https://crm.example.org".to_owned(),
                value: "person-12".to_owned(),
            }),
            answered: Some(Answered::Started),
            token: None,
            url: None,
        };
        self.add_with_page("Invitation", invitation.clone())?;
        let made = Invitation {
            label: None,
            external_id: None,
            answered: None,
            token: Some(TOKEN.to_owned()),
            url: Some(format!("https://answer.example.org/#{TOKEN}")),
            ..invitation
        };
        let invitations = vec![made];
        self.add("MadeInvitations", Invitations { invitations })?;
        let redeemed = Redeemed {
            respondent: Respondent {
                round: id(10),
                assessment: Token::new(TOKEN.to_owned()).assessment(),
                perspective: id(12),
                since: moment().midnight(),
                privacy: Privacy::Anonymous,
                by_receipt: false,
            },
            round: life,
            perspective: "service_user".parse()?,
            token: None,
        };
        let token = "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJFZERTQSJ9.e30.c2lnbmF0dXJl";
        self.add("Access", Access::of(redeemed, token.to_owned()))
    }
}
