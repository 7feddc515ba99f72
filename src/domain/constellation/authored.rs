//! What an author writes, and the version that it makes after the one that stands.
//!
//! What assessments name cannot vanish: a relationship that is left out stays in the next version, retired, and so do its
//! parties. `retired: true` says the same as leaving out; what is named again without it is back.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Content, Ends, MOST_PARTIES, MOST_RELATIONSHIPS, Party, Relationship, Setting};
use crate::domain::{
    external_id::ExternalId,
    fault::{Broken, Fault},
    id::RelationshipId,
    slug::Slug,
};

/// A relationship, as its author writes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RelationshipInput {
    /// Which relationship of the constellation this is. Without one, it is new, and gets its id from the service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub id: Option<RelationshipId>,
    /// The key of the party it comes from. It does not change once an assessment names the relationship.
    #[schema(example = "key_worker")]
    pub from: Slug,
    /// The key of the party it leads to; of the same one for peers. It does not change once an assessment names the
    /// relationship.
    #[schema(example = "service_user")]
    pub to: Slug,
    /// How many there are at either end.
    pub cardinality: Ends,
    /// Where it takes place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub setting: Option<Setting>,
    /// Under which circumstances. No personal data is needed here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 4000)]
    pub circumstances: Option<String>,
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_length = 1, max_length = 200, example = "Weekly visits")]
    pub label: Option<String>,
    /// The same as leaving the relationship out: one that an assessment names stays, retired, as it was.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub retired: bool,
}

impl From<Relationship> for RelationshipInput {
    fn from(relationship: Relationship) -> Self {
        Self {
            id: Some(relationship.id),
            from: relationship.from,
            to: relationship.to,
            cardinality: relationship.cardinality,
            setting: relationship.setting,
            circumstances: relationship.circumstances,
            label: relationship.label,
            retired: relationship.retired,
        }
    }
}

/// What an author writes: a new constellation, or the whole of its next version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateConstellation)]
pub struct Authored {
    /// What people call it.
    #[schema(example = "Supported housing", min_length = 1, max_length = 200)]
    pub title: String,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 4000)]
    pub description: Option<String>,
    /// Its names in other systems.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub external_ids: Vec<ExternalId>,
    /// Who takes part.
    #[serde(default)]
    #[schema(max_items = 50)]
    pub parties: Vec<Party>,
    /// How they relate.
    #[serde(default)]
    #[schema(max_items = 200)]
    pub relationships: Vec<RelationshipInput>,
}

impl From<Content> for Authored {
    fn from(content: Content) -> Self {
        Self {
            title: content.title,
            description: content.description,
            external_ids: content.external_ids,
            parties: content.parties,
            relationships: content.relationships.into_iter().map(Into::into).collect(),
        }
    }
}

impl Authored {
    /// The version that this makes, after the one that stands, if any; `used` are the relationships that assessments name.
    ///
    /// # Errors
    /// Everything that is wrong, by pointer.
    pub fn sealed_after(
        self,
        stands: Option<&Content>,
        used: &BTreeSet<RelationshipId>,
        new_id: impl Fn() -> RelationshipId,
    ) -> Result<Content, Broken> {
        let mut faults = ExternalId::faults(&self.external_ids);
        faults.extend(self.faults_of_parties(stands));
        faults.extend(self.faults_of_relationships(stands, used));
        Broken::unless_empty(faults)?;
        let (mut parties, mut relationships) = (self.parties, Vec::new());
        parties.retain(|party| !party.retired);
        for input in self.relationships.into_iter().filter(|input| !input.retired) {
            relationships.push(Relationship {
                id: input.id.unwrap_or_else(&new_id),
                from: input.from,
                to: input.to,
                cardinality: input.cardinality,
                setting: input.setting,
                circumstances: input.circumstances,
                label: input.label,
                retired: false,
            });
        }
        let kept: BTreeSet<RelationshipId> = relationships.iter().map(|relationship| relationship.id).collect();
        for left_out in stands.iter().flat_map(|stands| &stands.relationships) {
            if used.contains(&left_out.id) && !kept.contains(&left_out.id) {
                relationships.push(Relationship {
                    retired: true,
                    ..left_out.clone()
                });
            }
        }
        for left_out in stands.iter().flat_map(|stands| &stands.parties) {
            let mut ends = relationships.iter().flat_map(|one| [&one.from, &one.to]);
            let is_there = parties.iter().any(|party| party.key == left_out.key);
            if !is_there && ends.any(|end| *end == left_out.key) {
                parties.push(Party {
                    retired: true,
                    ..left_out.clone()
                });
            }
        }
        Broken::unless_empty(too_many(&parties, &relationships))?;
        Ok(Content {
            title: self.title,
            description: self.description,
            external_ids: self.external_ids,
            parties,
            relationships,
        })
    }

    fn faults_of_parties(&self, stands: Option<&Content>) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut keys = BTreeSet::new();
        for (place, party) in self.parties.iter().enumerate() {
            let at = format!("/parties/{place}");
            if !keys.insert(&party.key) {
                let detail = "Another party of the constellation has this key.";
                faults.push(Fault::new(format!("{at}/key"), "duplicate", detail));
            }
            if party.retired && stands.is_none_or(|stands| stands.party(&party.key).is_none()) {
                faults.push(new_and_retired(&at));
            }
            faults.extend(ExternalId::faults(&party.external_ids).into_iter().map(|fault| Fault {
                pointer: format!("{at}{}", fault.pointer),
                ..fault
            }));
        }
        faults
    }

    fn faults_of_relationships(&self, stands: Option<&Content>, used: &BTreeSet<RelationshipId>) -> Vec<Fault> {
        let known: BTreeMap<RelationshipId, &Relationship> = stands
            .iter()
            .flat_map(|stands| &stands.relationships)
            .map(|relationship| (relationship.id, relationship))
            .collect();
        let parties = self.parties.iter().filter(|party| !party.retired);
        let parties: BTreeSet<&Slug> = parties.map(|party| &party.key).collect();
        let (mut faults, mut seen) = (Vec::new(), BTreeSet::new());
        for (place, input) in self.relationships.iter().enumerate() {
            let at = format!("/relationships/{place}");
            let stood = input.id.and_then(|id| known.get(&id));
            match (input.id, stood) {
                (Some(_), None) => {
                    let detail = "The constellation has no such relationship; one without an id is new.";
                    faults.push(Fault::new(format!("{at}/id"), "unknown_reference", detail));
                }
                (None, _) if input.retired => faults.push(new_and_retired(&at)),
                _ => {}
            }
            if input.id.is_some_and(|id| !seen.insert(id)) {
                let detail = "This relationship stands in the list twice.";
                faults.push(Fault::new(format!("{at}/id"), "duplicate", detail));
            }
            if input.retired {
                continue;
            }
            let stood = stood.filter(|stood| used.contains(&stood.id));
            let ends = [
                ("from", &input.from, stood.map(|stood| &stood.from)),
                ("to", &input.to, stood.map(|stood| &stood.to)),
            ];
            for (name, end, stood) in ends {
                if !parties.contains(end) {
                    let detail = "The constellation has no party of this key.";
                    faults.push(Fault::new(format!("{at}/{name}"), "unknown_reference", detail));
                } else if stood.is_some_and(|stood| stood != end) {
                    let detail = "An assessment names this relationship, so it stays between these parties.";
                    faults.push(Fault::new(format!("{at}/{name}"), "immutable", detail));
                }
            }
        }
        faults
    }
}

fn new_and_retired(at: &str) -> Fault {
    let detail = "What is new is not retired.";
    Fault::new(format!("{at}/retired"), "contradiction", detail)
}

/// What was left out and stays counts as well.
fn too_many(parties: &[Party], relationships: &[Relationship]) -> Vec<Fault> {
    let counts = [
        ("/parties", parties.len(), MOST_PARTIES),
        ("/relationships", relationships.len(), MOST_RELATIONSHIPS),
    ];
    let beyond = counts.into_iter().filter(|(_, count, most)| count > most);
    let detail = |most| format!("At most {most}, with those that stay because an assessment names them.");
    beyond
        .map(|(at, _, most)| Fault::new(at, "too_many", detail(most)))
        .collect()
}
