//! What follows a round: what its team agreed on, what it does next, and how the relationship comes along.

use std::collections::BTreeMap;

use super::{
    Examples, Outcome,
    world::{World, id, moment, ratings, seal},
};
use crate::domain::{
    agreed_reading::{self, AgreedRating, AgreedReading},
    gap_analysis::{
        ModelRef, Options, Voice, analyse,
        timeline::{Filter, TimelineRound, Told, timeline},
    },
    level::Level,
    life_cycle::Sealed,
    next_step::{self, ByWhom, NextStep, NextStepStatus},
    ratings::pack,
};

impl Examples {
    pub(super) fn follow_up(&mut self, world: &World) -> Outcome {
        self.add("AgreedReading", agreed_reading()?)?;
        self.add_with_page("NextStep", next_step()?)?;
        self.timeline(world)
    }

    fn timeline(&mut self, world: &World) -> Outcome {
        let definition = &world.model.content;
        let model = ModelRef {
            slug: world.head.slug.clone(),
            version: 1,
            digest: world.seal.digest.clone(),
        };
        let voice = Voice {
            assessment: Some(id(4)),
            version: Some(1),
            digest: None,
            perspective: "service_user".parse()?,
            relationship: Some(id(8)),
            levels: pack(&ratings(definition, Level::Forming, Level::Maturing), definition.keys()).0,
        };
        let analysis = analyse(definition, model, vec![voice], Options::default());
        let round = TimelineRound {
            id: id(10),
            title: "Spring 2026".to_owned(),
            model: world.head.slug.clone(),
            model_version: 1,
            revealed_at: moment(),
            gap_analysis: id(6),
            gap_analysis_version: 1,
        };
        let filter = Filter {
            element: Some("feelings.heard".parse()?),
            ..Filter::default()
        };
        let told = Told {
            round,
            analysis,
            family: world.head.slug.clone(),
        };
        self.add("Timeline", timeline(id(8), &[told], &filter))
    }
}

fn agreed_reading() -> Outcome<AgreedReading> {
    let rating = AgreedRating {
        current: Level::Forming,
        desired: Level::Maturing,
        note: Some("Two of us see it lower.".to_owned()),
    };
    let content = agreed_reading::Content {
        ratings: BTreeMap::from([("feelings.heard".parse()?, rating)]),
    };
    let document = AgreedReading::of_version(id(10), 1, content.clone());
    Ok(AgreedReading::of_sealed(
        id(10),
        Sealed {
            version: 1,
            content,
            seal: seal(&document)?,
        },
    ))
}

/// A version of a next step: what came of a gap analysis.
fn next_step() -> Outcome<NextStep> {
    let content = next_step::Content {
        gap_analysis: id(6),
        gap_analysis_version: 1,
        round: None,
        element: "feelings.heard".parse()?,
        from_level: Level::Forming,
        next_level: Level::Maturing,
        what: "Ring back within a day.".to_owned(),
        by_whom: Some(ByWhom {
            label: Some("The duty team".to_owned()),
            external_id: None,
        }),
        due: Some("2026-06-30".parse()?),
        status: NextStepStatus::Doing,
        evidence: Vec::new(),
    };
    let document = NextStep::of_version(id(13), 1, content);
    Ok(NextStep {
        seal: Some(seal(&document)?),
        ..document
    })
}
