//! What callers send and get of models, beside the models themselves.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    domain::{
        fault::{Fault, MOST_FAULTS},
        id::ModelId,
        life_cycle::{Seal, Version},
        model::{
            Consideration, ElementChange, GuideStep, LanguageChange, LevelLabel, ModelStatus, Origin, Safety, Theme,
        },
        slug::Slug,
    },
    service::diff::Diff,
};

/// A new model: from nothing, or derived from a published version, with what differs from it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(
    dead_code,
    reason = "the schema against which a body is checked; most of it is applied as JSON"
)]
pub struct CreateModel {
    /// Its name in URLs; it never changes.
    #[schema(example = "our-connections")]
    slug: Slug,
    /// The published version to begin from; the lineage is kept.
    #[schema(nullable = false)]
    derived_from: Option<Origin>,
    /// Its title.
    #[schema(nullable = false, max_length = 200, example = "Our connections")]
    title: Option<String>,
    /// Who made it.
    #[schema(nullable = false, max_length = 4000)]
    attribution: Option<String>,
    /// Under what terms it may be used.
    #[schema(nullable = false, max_length = 4000)]
    copyright: Option<String>,
    /// What the four levels are called, lowest first.
    #[schema(nullable = false, max_items = 4)]
    levels: Option<Vec<LevelLabel>>,
    /// The themes, in order.
    #[schema(nullable = false, max_items = 200)]
    themes: Option<Vec<Theme>>,
    /// What underpins them.
    #[schema(nullable = false)]
    safety: Option<Safety>,
    /// How a team works with the model.
    #[schema(nullable = false, max_items = 200)]
    guide: Option<Vec<GuideStep>>,
}

/// What to change of a model's draft (JSON merge patch, RFC 7396): a list is replaced as a whole.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(
    dead_code,
    reason = "the schema against which a patch is checked; it is applied as JSON"
)]
pub struct PatchModel {
    /// Its title.
    #[schema(nullable = false, max_length = 200, example = "Our connections, reworded")]
    title: Option<String>,
    /// Who made it.
    #[schema(nullable = false, max_length = 4000)]
    attribution: Option<String>,
    /// Under what terms it may be used; `null` takes that away.
    #[schema(max_length = 4000)]
    copyright: Option<String>,
    /// What the four levels are called, lowest first.
    #[schema(nullable = false, max_items = 4)]
    levels: Option<Vec<LevelLabel>>,
    /// The themes, in order.
    #[schema(nullable = false, max_items = 200)]
    themes: Option<Vec<Theme>>,
    /// What underpins them.
    #[schema(nullable = false)]
    safety: Option<PatchSafety>,
    /// How a team works with the model.
    #[schema(nullable = false, max_items = 200)]
    guide: Option<Vec<GuideStep>>,
}

/// What to change of Safety.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(
    dead_code,
    reason = "the schema against which a patch is checked; it is applied as JSON"
)]
pub struct PatchSafety {
    /// Its name.
    #[schema(nullable = false, min_length = 1, max_length = 200)]
    label: Option<String>,
    /// Its considerations, in order.
    #[schema(nullable = false, max_items = 200)]
    considerations: Option<Vec<Consideration>>,
}

/// A model in a list: without its levels, themes, Safety and guide.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ModelItem {
    /// Its id.
    pub id: ModelId,
    /// Its name in URLs.
    pub slug: Slug,
    /// The newest version, 1 or more; absent where nothing has been published yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i32>, nullable = false, minimum = 1)]
    pub version: Option<Version>,
    /// Its state.
    pub status: ModelStatus,
    /// Whether a draft is open.
    pub has_draft: bool,
    /// Its title.
    #[schema(max_length = 200)]
    pub title: String,
    /// Who made it.
    #[schema(max_length = 4000)]
    pub attribution: String,
    /// Under what terms it may be used, as far as its authors say so.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 4000)]
    pub copyright: Option<String>,
    /// What it was derived from.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub lineage: Option<Origin>,
    /// Its seal; absent where nothing has been published yet.
    #[serde(flatten)]
    #[schema(inline)]
    pub seal: Option<Seal>,
}

/// What became of a model from one version to another.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ModelDiff {
    /// The versions, and all that differs.
    #[serde(flatten)]
    #[schema(inline)]
    pub diff: Diff,
    /// What became of each element.
    #[schema(max_items = 400)]
    pub elements: Vec<ElementChange>,
    /// What became of each language into which either version is translated.
    #[schema(max_items = 100)]
    pub translations: Vec<LanguageChange>,
}

/// What would keep a draft from being published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Validation {
    /// Whether nothing would.
    pub valid: bool,
    /// Everything that would.
    #[schema(max_items = 100_000)]
    pub errors: Vec<Fault>,
}

impl From<Vec<Fault>> for Validation {
    fn from(mut errors: Vec<Fault>) -> Self {
        errors.truncate(MOST_FAULTS);
        Self {
            valid: errors.is_empty(),
            errors,
        }
    }
}
