//! From whose perspective a reflection is made.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    id::{OrganisationId, PerspectiveId},
    life_cycle::{Seal, Sealed, Version},
    slug::Slug,
};

/// Whether a perspective speaks as one or as many: "where am I", "where are we".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Voice {
    /// "I need to …"
    Individual,
    /// "We need to …"
    Collective,
}

/// What a perspective says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Description {
    /// What people call it.
    #[schema(example = "Service user", min_length = 1, max_length = 200)]
    pub label: String,
    /// The voice in which its forms are written.
    pub voice: Voice,
    /// Who speaks from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 4000)]
    pub description: Option<String>,
}

/// A sealed version of a perspective.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Perspective {
    /// Its id.
    pub id: PerspectiveId,
    /// Its name in URLs and in gap analyses.
    pub slug: Slug,
    /// The version, 1 or more.
    #[schema(value_type = i32, minimum = 1)]
    pub version: Version,
    /// Always `sealed`: a perspective has no draft.
    pub status: PerspectiveStatus,
    /// What it says.
    #[serde(flatten)]
    #[schema(inline)]
    pub content: Description,
    /// Its seal, which every version has that is shown.
    #[serde(flatten)]
    #[schema(inline, value_type = Seal)]
    pub seal: Option<Seal>,
}

/// A perspective is always sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PerspectiveStatus {
    /// Every version is sealed as it is made.
    Sealed,
}

/// The four of the model (slides, page 5), in the order in which the slides name them: slug, label, voice.
pub const BUILT_IN: [(&str, &str, Voice); 4] = [
    ("service_user", "Service user", Voice::Individual),
    ("team_member", "Team member", Voice::Individual),
    ("team", "Team", Voice::Collective),
    ("organisation", "Organisation", Voice::Collective),
];

/// Everybody, counted together: stands where a perspective is named, and so is the slug of none.
pub const ALL: &str = "all";

/// A perspective through its life.
#[derive(Debug, Clone, PartialEq)]
pub struct Life {
    /// Its id.
    pub id: PerspectiveId,
    /// Whose it is; nil where it is built in.
    pub owner: OrganisationId,
    /// Its name in URLs and in gap analyses.
    pub slug: Slug,
    /// Raised by every write.
    pub revision: i64,
    /// The newest version.
    pub newest: Sealed<Description>,
}

impl Life {
    /// The perspective, showing one of its versions.
    pub fn showing(&self, sealed: &Sealed<Description>) -> Perspective {
        let document = Perspective::of_version(self.id, self.slug.clone(), sealed.version, sealed.content.clone());
        Perspective {
            seal: Some(sealed.seal.clone()),
            ..document
        }
    }
}

impl Perspective {
    /// What a version says, for ever: the document of its digest.
    pub fn of_version(id: PerspectiveId, slug: Slug, version: Version, content: Description) -> Self {
        Self {
            id,
            slug,
            version,
            status: PerspectiveStatus::Sealed,
            content,
            seal: None,
        }
    }
}
