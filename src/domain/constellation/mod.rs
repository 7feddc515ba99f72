//! Constellations: who takes part in a service, and the relationships between them.
//!
//! No personal data is needed: a label is a role ("Key worker"), not a name.

mod authored;

#[cfg(test)]
mod tests;

pub use authored::{Authored, RelationshipInput};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    external_id::ExternalId,
    id::{ConstellationId, RelationshipId},
    life_cycle::{Seal, Sealed, Version},
    slug::Slug,
};

/// The most parties of one constellation, those that are retired included.
pub const MOST_PARTIES: usize = 50;
/// The most relationships of one constellation, those that are retired included.
pub const MOST_RELATIONSHIPS: usize = 200;

/// What takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PartyKind {
    /// Who uses the service.
    ServiceUser,
    /// Who works in it.
    TeamMember,
    /// Those who work in it together.
    Team,
    /// Who runs it.
    Organisation,
    /// Who has an interest in it.
    Stakeholder,
    /// Who works with it from outside.
    Partner,
    /// Anything else.
    Other,
}

impl PartyKind {
    /// Its word.
    pub const fn key(self) -> &'static str {
        match self {
            Self::ServiceUser => "service_user",
            Self::TeamMember => "team_member",
            Self::Team => "team",
            Self::Organisation => "organisation",
            Self::Stakeholder => "stakeholder",
            Self::Partner => "partner",
            Self::Other => "other",
        }
    }

    /// What people call it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::ServiceUser => "Service user",
            Self::TeamMember => "Team member",
            Self::Team => "Team",
            Self::Organisation => "Organisation",
            Self::Stakeholder => "Stakeholder",
            Self::Partner => "Partner",
            Self::Other => "Other",
        }
    }
}

/// How many there are at one end of a relationship.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Cardinality {
    /// Exactly one.
    One,
    /// A few, who are known to each other.
    Some,
    /// Any number.
    Many,
}

impl Cardinality {
    /// Its word.
    pub const fn key(self) -> &'static str {
        match self {
            Self::One => "one",
            Self::Some => "some",
            Self::Many => "many",
        }
    }
}

/// How many there are at either end of a relationship: "one to some", "many to many" and every other variation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RelationshipCardinality)]
pub struct Ends {
    /// Where it comes from.
    pub from: Cardinality,
    /// Where it leads to.
    pub to: Cardinality,
}

/// Where a relationship takes place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Setting {
    /// In one place.
    InPerson,
    /// Online.
    Digital,
    /// Both in one place and online.
    Hybrid,
    /// By telephone.
    Phone,
}

impl Setting {
    /// Its word.
    pub const fn key(self) -> &'static str {
        match self {
            Self::InPerson => "in_person",
            Self::Digital => "digital",
            Self::Hybrid => "hybrid",
            Self::Phone => "phone",
        }
    }

    /// What people call it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::InPerson => "in person",
            Self::Digital => "digital",
            Self::Hybrid => "hybrid",
            Self::Phone => "by phone",
        }
    }
}

/// Who or what takes part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Party {
    /// Its name within the constellation, which relationships refer to.
    #[schema(example = "key_worker")]
    pub key: Slug,
    /// What it is.
    pub kind: PartyKind,
    /// What people call it: a role; no personal data is needed here.
    #[schema(example = "Key worker", min_length = 1, max_length = 200)]
    pub label: String,
    /// Its names in other systems. The same party may stand in several constellations.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 20)]
    pub external_ids: Vec<ExternalId>,
    /// Set where it was left out and stays, because a retired relationship refers to it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub retired: bool,
}

/// How two parties relate, or the members of one to each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Relationship {
    /// Its id, the same in all versions: what assessments name.
    pub id: RelationshipId,
    /// The key of the party it comes from.
    #[schema(example = "key_worker")]
    pub from: Slug,
    /// The key of the party it leads to; of the same one for peers.
    #[schema(example = "service_user")]
    pub to: Slug,
    /// How many there are at either end.
    pub cardinality: Ends,
    /// Where it takes place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub setting: Option<Setting>,
    /// Under which circumstances.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 4000)]
    pub circumstances: Option<String>,
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_length = 1, max_length = 200)]
    pub label: Option<String>,
    /// Set where it was left out and stays, because an assessment names it. It takes no new ones.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub retired: bool,
}

/// What a constellation says: the content of a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Content {
    /// What people call it.
    #[schema(example = "Supported housing", min_length = 1, max_length = 200)]
    pub title: String,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 4000)]
    pub description: Option<String>,
    /// Its names in other systems.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 20)]
    pub external_ids: Vec<ExternalId>,
    /// Who takes part: those of today in the author's order, then those that are retired.
    #[schema(max_items = 50)]
    pub parties: Vec<Party>,
    /// How they relate: those of today in the author's order, then those that are retired.
    #[schema(max_items = 200)]
    pub relationships: Vec<Relationship>,
}

impl Content {
    /// The party of this key.
    pub fn party(&self, key: &Slug) -> Option<&Party> {
        self.parties.iter().find(|party| party.key == *key)
    }

    /// The relationship of this id.
    pub fn relationship(&self, id: RelationshipId) -> Option<&Relationship> {
        self.relationships.iter().find(|relationship| relationship.id == id)
    }
}

/// A constellation is always sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConstellationStatus {
    /// Every version is sealed as it is made.
    Sealed,
}

/// A sealed version of a constellation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Constellation {
    /// Its id.
    pub id: ConstellationId,
    /// The version, 1 or more.
    #[schema(value_type = i32, minimum = 1)]
    pub version: Version,
    /// Always `sealed`: a constellation has no draft.
    pub status: ConstellationStatus,
    /// What it says.
    #[serde(flatten)]
    #[schema(inline)]
    pub content: Content,
    /// Its seal, which every version has that is shown.
    #[serde(flatten)]
    #[schema(inline, value_type = Seal)]
    pub seal: Option<Seal>,
}

impl Constellation {
    /// What a version says, for ever: the document of its digest.
    pub fn of_version(id: ConstellationId, version: Version, content: Content) -> Self {
        Self {
            id,
            version,
            status: ConstellationStatus::Sealed,
            content,
            seal: None,
        }
    }

    /// A sealed version with its seal.
    pub fn of_sealed(id: ConstellationId, sealed: Sealed<Content>) -> Self {
        Self {
            seal: Some(sealed.seal),
            ..Self::of_version(id, sealed.version, sealed.content)
        }
    }
}

/// What a constellation is, in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Summary {
    /// What people call it.
    #[schema(min_length = 1, max_length = 200)]
    pub title: String,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 4000)]
    pub description: Option<String>,
    /// Its names in other systems.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 20)]
    pub external_ids: Vec<ExternalId>,
}

/// A constellation in a list: without its parties and relationships.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ConstellationItem {
    /// Its id.
    pub id: ConstellationId,
    /// Its newest version, 1 or more.
    #[schema(value_type = i32, minimum = 1)]
    pub version: Version,
    /// Always `sealed`: a constellation has no draft.
    pub status: ConstellationStatus,
    /// What it is, in short.
    #[serde(flatten)]
    #[schema(inline)]
    pub summary: Summary,
    /// Its seal.
    #[serde(flatten)]
    #[schema(inline)]
    pub seal: Seal,
}

/// A constellation through its life.
#[derive(Debug, Clone, PartialEq)]
pub struct Life {
    /// Its id.
    pub id: ConstellationId,
    /// Raised by every write.
    pub revision: i64,
    /// The newest version.
    pub newest: Sealed<Content>,
}

impl Life {
    /// The constellation, showing its newest version.
    pub fn shown(&self) -> Constellation {
        Constellation::of_sealed(self.id, self.newest.clone())
    }
}
