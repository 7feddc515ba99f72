//! What the examples are about.

use std::collections::BTreeSet;

use chrono::DateTime;
use serde::Serialize;
use uuid::Uuid;

use super::Outcome;
use crate::domain::{
    assessment::Answers,
    constellation::{
        Authored, Cardinality, Constellation, Content, Ends, Party, PartyKind, RelationshipInput, Setting,
    },
    digest::Digest,
    external_id::ExternalId,
    id::{Id, OrganisationId},
    level::Level,
    life_cycle::{Seal, Sealed},
    model::{self, Definition, Element, Head},
    moment::Moment,
    perspective::{Description, Perspective, Voice},
    ratings::{Rating, Ratings},
};

/// What the examples are about: the seed model, shortened to one theme, and one assessment with it.
pub(super) struct World {
    pub(super) head: Head,
    pub(super) model: Sealed<Definition>,
    /// The next version of the model.
    pub(super) reworded: Definition,
    pub(super) seal: Seal,
    pub(super) answers: Answers,
}

impl World {
    /// All of it.
    pub(super) fn new() -> Outcome<Self> {
        let mut definition = model::meaningful_connections()?;
        definition.themes.truncate(1);
        definition
            .themes
            .iter_mut()
            .for_each(|theme| theme.elements.truncate(2));
        definition.safety.considerations.truncate(1);
        definition.guide.truncate(2);
        let head = Head {
            id: model::MEANINGFUL_CONNECTIONS_ID,
            owner: OrganisationId::NIL,
            slug: model::MEANINGFUL_CONNECTIONS.parse()?,
            revision: 1,
            version: Some(1),
            has_draft: false,
            retired_at: None,
        };
        let document = model::Model::of_version(head.id, head.slug.clone(), 1, definition.clone());
        let seal = seal(&document)?;
        let mut reworded = definition.clone();
        let labels = reworded.themes.iter_mut().flat_map(|theme| &mut theme.elements);
        for Element { label, .. } in labels.take(1) {
            label.push_str(" by everybody");
        }
        let answers = Answers {
            model: head.slug.clone(),
            model_version: 1,
            perspective: "service_user".parse()?,
            perspective_version: 1,
            relationship: Some(id(8)),
            round: None,
            respondent_ref: Some("respondent-17".to_owned()),
            external_ids: vec![ExternalId {
                system: "https://crm.example.org".to_owned(),
                value: "case-4711".to_owned(),
            }],
            research_consent: None,
            ratings: ratings(&definition, Level::EarlyStages, Level::Maturing),
        };
        let model = Sealed {
            version: 1,
            content: definition,
            seal: seal.clone(),
        };
        Ok(Self {
            head,
            model,
            reworded,
            seal,
            answers,
        })
    }
}

/// A version of an organisation's own perspective.
pub(super) fn commissioner(version: i32) -> Outcome<Perspective> {
    let label = if version == 1 { "Commissioner" } else { "Funder" };
    let content = Description {
        label: label.to_owned(),
        voice: Voice::Collective,
        description: Some("Those who fund the service.".to_owned()),
    };
    let document = Perspective::of_version(id(7), "commissioner".parse()?, version, content);
    Ok(Perspective {
        seal: Some(seal(&document)?),
        ..document
    })
}

/// A version of a constellation.
pub(super) fn constellation() -> Outcome<Constellation> {
    let party = |key: &str, kind, label: &str| {
        Ok::<_, Box<dyn std::error::Error>>(Party {
            key: key.parse()?,
            kind,
            label: label.to_owned(),
            external_ids: Vec::new(),
            retired: false,
        })
    };
    let visits = RelationshipInput {
        id: None,
        from: "key_worker".parse()?,
        to: "residents".parse()?,
        cardinality: Ends {
            from: Cardinality::One,
            to: Cardinality::Some,
        },
        setting: Some(Setting::Hybrid),
        circumstances: None,
        label: Some("Weekly visits".to_owned()),
        retired: false,
    };
    let authored = Authored {
        title: "Supported housing".to_owned(),
        description: None,
        external_ids: Vec::new(),
        parties: vec![
            party("residents", PartyKind::ServiceUser, "Residents")?,
            party("key_worker", PartyKind::TeamMember, "Key worker")?,
        ],
        relationships: vec![visits],
    };
    let content: Content = authored.sealed_after(None, &BTreeSet::new(), || id(8))?;
    let document = Constellation::of_version(id(9), 1, content);
    Ok(Constellation {
        seal: Some(seal(&document)?),
        ..document
    })
}

/// The same id wherever the same thing is meant.
pub(super) fn id<K>(number: u128) -> Id<K> {
    Id::from_uuid(Uuid::from_u128(0x0190_5a2e_8c00_7000_8000_0000_0000_0000 | number))
}

/// 1 March 2026, half past nine.
pub(super) fn moment() -> Moment {
    Moment::from(DateTime::from_timestamp_nanos(1_772_357_400_000_000_000))
}

pub(super) fn seal(document: &impl Serialize) -> Outcome<Seal> {
    Ok(Seal {
        digest: Digest::of(document)?,
        sealed_at: moment(),
        sealed_by: id(3),
    })
}

/// Every element, rated alike.
pub(super) fn ratings(definition: &Definition, current: Level, desired: Level) -> Ratings {
    let rating = Rating {
        current: Some(current),
        desired: Some(desired),
        ..Rating::default()
    };
    definition.keys().map(|key| (key.clone(), rating.clone())).collect()
}
