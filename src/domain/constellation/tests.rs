use std::collections::BTreeSet;

use proptest::prelude::*;
use uuid::Uuid;

use super::{Authored, Cardinality, Content, Ends, Party, PartyKind, RelationshipInput};
use crate::domain::{id::RelationshipId, slug::Slug};

fn key(number: u8) -> Slug {
    format!("p{number}").parse().expect("a slug")
}

fn id(number: u128) -> RelationshipId {
    RelationshipId::from_uuid(Uuid::from_u128(number))
}

fn party(number: u8, retired: bool) -> Party {
    Party {
        key: key(number),
        kind: PartyKind::Other,
        label: "Somebody".to_owned(),
        external_ids: Vec::new(),
        retired,
    }
}

fn relationship(id: Option<RelationshipId>, from: u8, to: u8, retired: bool) -> RelationshipInput {
    RelationshipInput {
        id,
        from: key(from),
        to: key(to),
        cardinality: Ends {
            from: Cardinality::One,
            to: Cardinality::Many,
        },
        setting: None,
        circumstances: None,
        label: None,
        retired,
    }
}

fn authored(parties: Vec<Party>, relationships: Vec<RelationshipInput>) -> Authored {
    Authored {
        title: "Any".to_owned(),
        description: None,
        external_ids: Vec::new(),
        parties,
        relationships,
    }
}

/// Four parties, every one related to every other; the ids of the relationships count from 1.
fn first() -> Content {
    let parties = (0..4).map(|number| party(number, false)).collect();
    let relationships = (0..4).flat_map(|from| (0..4).map(move |to| relationship(None, from, to, false)));
    let number = std::cell::Cell::new(0);
    let count = || {
        number.set(number.get() + 1);
        id(number.get())
    };
    authored(parties, relationships.collect())
        .sealed_after(None, &BTreeSet::new(), count)
        .expect("a constellation")
}

proptest! {
    #[test]
    fn whatever_an_author_leaves_out_what_assessments_name_stays_and_everything_leads_somewhere(
        left_parties in prop::collection::btree_map(0_u8..4, any::<bool>(), 0..5),
        left in prop::collection::btree_map(1_u128..=16, any::<bool>(), 0..17),
        used in prop::collection::btree_set((1_u128..=16).prop_map(id), 0..8),
    ) {
        let stands = first();
        let parties = left_parties.iter().map(|(number, retired)| party(*number, *retired)).collect();
        let relationships = Authored::from(stands.clone()).relationships.into_iter().filter_map(|one| {
            let number = one.id?.uuid().as_u128();
            left.get(&number).map(|retired| RelationshipInput { retired: *retired, ..one })
        });
        let next = authored(parties, relationships.collect()).sealed_after(Some(&stands), &used, || id(99));
        let Ok(next) = next else {
            // Only what stands can lack a party.
            let lacks = |one: &RelationshipInput| [&one.from, &one.to].into_iter().any(|end| {
                !left_parties.iter().any(|(number, retired)| !retired && key(*number) == *end)
            });
            let standing = Authored::from(stands).relationships.into_iter();
            let mut standing = standing.filter(|one| one.id.is_some_and(|one| left.get(&one.uuid().as_u128()) == Some(&false)));
            prop_assert!(standing.any(|one| lacks(&one)));
            return Ok(());
        };
        for named in &used {
            let kept = next.relationship(*named).expect("it stays");
            let stood = stands.relationship(*named).expect("it stood");
            prop_assert_eq!((&kept.from, &kept.to), (&stood.from, &stood.to));
            prop_assert_eq!(kept.retired, left.get(&named.uuid().as_u128()) != Some(&false));
        }
        for one in &next.relationships {
            prop_assert!(used.contains(&one.id) || !one.retired);
            for end in [&one.from, &one.to] {
                let party = next.party(end).expect("a party");
                prop_assert!(one.retired || !party.retired);
            }
        }
        let is_needed = |party: &Party| next.relationships.iter().any(|one| one.from == party.key || one.to == party.key);
        prop_assert!(next.parties.iter().all(|party| !party.retired || is_needed(party)));
    }
}
