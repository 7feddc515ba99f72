//! A model through its life: drafted, published, retired.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Definition, TranslationItem};
use crate::domain::{
    fault::Broken,
    id::{ModelId, OrganisationId},
    life_cycle::{Draft, Seal, Sealed, Version, Versioned},
    moment::Moment,
    slug::Slug,
};

/// The state of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ModelStatus {
    /// Nothing has been published yet.
    Draft,
    /// New assessments may be made with it.
    Published,
    /// No new assessments; open drafts may still be submitted.
    Retired,
}

/// A model: a sealed version of it, or its draft.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Model {
    /// Its id.
    pub id: ModelId,
    /// Its name in URLs.
    pub slug: Slug,
    /// The version, 1 or more; absent on a draft.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i32>, nullable = false, minimum = 1)]
    pub version: Option<Version>,
    /// Its state.
    pub status: ModelStatus,
    /// The version that a draft amends.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i32>, nullable = false, minimum = 1)]
    pub based_on: Option<Version>,
    /// Whether a draft is open. Absent under `versions/{n}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub has_draft: Option<bool>,
    /// What it says.
    #[serde(flatten)]
    #[schema(inline)]
    pub definition: Definition,
    /// What the translations lack; no part of the digest.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 50)]
    pub languages: Vec<TranslationItem>,
    /// Its seal; absent on a draft.
    #[serde(flatten)]
    #[schema(inline)]
    pub seal: Option<Seal>,
}

/// A model's state, without what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Its id.
    pub id: ModelId,
    /// Whose it is; nil where it is public.
    pub owner: OrganisationId,
    /// Its name in URLs.
    pub slug: Slug,
    /// Raised by every write.
    pub revision: i64,
    /// The newest sealed version.
    pub version: Option<Version>,
    /// Whether a draft is open.
    pub has_draft: bool,
    /// When it was retired.
    pub retired_at: Option<Moment>,
}

impl Head {
    /// Its state.
    pub fn status(&self) -> ModelStatus {
        match (self.retired_at, self.version) {
            (Some(_), _) => ModelStatus::Retired,
            (None, Some(_)) => ModelStatus::Published,
            (None, None) => ModelStatus::Draft,
        }
    }

    /// This model, showing a sealed version as it was sealed.
    pub fn showing_version(&self, sealed: &Sealed<Definition>) -> Model {
        Model {
            languages: sealed.content.languages(),
            seal: Some(sealed.seal.clone()),
            ..Model::of_version(self.id, self.slug.clone(), sealed.version, sealed.content.clone())
        }
    }

    /// This model as it stands, showing its newest sealed version.
    pub fn showing_newest(&self, sealed: &Sealed<Definition>) -> Model {
        Model {
            status: self.status(),
            has_draft: Some(self.has_draft),
            ..self.showing_version(sealed)
        }
    }

    /// This model, showing its draft.
    pub fn showing_draft(&self, draft: &Draft<Definition>) -> Model {
        Model {
            version: None,
            status: ModelStatus::Draft,
            based_on: draft.based_on,
            has_draft: Some(true),
            languages: draft.content.languages(),
            ..Model::of_version(self.id, self.slug.clone(), 0, draft.content.clone())
        }
    }
}

impl Model {
    /// What a sealed version says, for ever: the document of its digest.
    pub fn of_version(id: ModelId, slug: Slug, version: Version, definition: Definition) -> Self {
        Self {
            id,
            slug,
            version: Some(version),
            status: ModelStatus::Published,
            based_on: None,
            has_draft: None,
            definition,
            languages: Vec::new(),
            seal: None,
        }
    }
}

/// A model through its life.
#[derive(Debug, Clone, PartialEq)]
pub struct Life {
    /// Its id.
    pub id: ModelId,
    /// Whose it is; nil where it is public.
    pub owner: OrganisationId,
    /// Its name in URLs.
    pub slug: Slug,
    /// When it was retired.
    pub retired_at: Option<Moment>,
    /// Its draft and its newest sealed version.
    pub versioned: Versioned<Definition>,
}

impl Life {
    /// Its state, without what it says.
    pub fn head(&self) -> Head {
        Head {
            id: self.id,
            owner: self.owner,
            slug: self.slug.clone(),
            revision: self.versioned.revision,
            version: self.versioned.newest.as_ref().map(|sealed| sealed.version),
            has_draft: self.versioned.draft.is_some(),
            retired_at: self.retired_at,
        }
    }

    /// The model as `GET /{id}` shows it: its newest sealed version or, where none is, its draft.
    pub fn shown(&self) -> Option<Model> {
        match (&self.versioned.newest, &self.versioned.draft) {
            (Some(sealed), _) => Some(self.head().showing_newest(sealed)),
            (None, Some(draft)) => Some(self.head().showing_draft(draft)),
            (None, None) => None,
        }
    }

    /// The model as `GET /{id}/draft` shows it.
    pub fn shown_draft(&self) -> Option<Model> {
        self.versioned
            .draft
            .as_ref()
            .map(|draft| self.head().showing_draft(draft))
    }

    /// Retires it: no new assessments are made with it.
    pub fn retire(&mut self, now: Moment) -> Result<(), Broken> {
        if self.versioned.newest.is_none() {
            return Err(Broken::InvalidTransition(
                "A model that was never published cannot be retired.",
            ));
        }
        if self.retired_at.is_some() {
            return Err(Broken::InvalidTransition("The model is retired already."));
        }
        self.retired_at = Some(now);
        Ok(())
    }
}
