//! Assessments: one respondent's (or one group's) ratings of a published model version, from a perspective.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    external_id::ExternalId,
    fault::{Broken, Fault},
    id::{AssessmentId, RelationshipId, RoundId},
    life_cycle::{Sealed, Version, Versioned},
    model::{Change, Definition, ElementChange, element_changes},
    moment::Moment,
    ratings::{self, Ratings},
    slug::{ElementKey, Slug},
};

/// How long a withdrawn assessment can be restored before it is erased, in seconds: 30 days.
pub const WITHDRAWN_FOR: i64 = 30 * 24 * 60 * 60;

/// What is answered, and with what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answers {
    /// The model.
    pub model: Slug,
    /// The model's version.
    pub model_version: Version,
    /// The perspective.
    pub perspective: Slug,
    /// The perspective's version.
    pub perspective_version: Version,
    /// The relationship it is about; none for the service as a whole.
    pub relationship: Option<RelationshipId>,
    /// The round in which it was asked for.
    pub round: Option<RoundId>,
    /// The caller's own reference to who answered.
    pub respondent_ref: Option<String>,
    /// The assessment's names in other systems.
    pub external_ids: Vec<ExternalId>,
    /// Whether the respondent agrees that research may use this, where they were asked.
    pub research_consent: Option<bool>,
    /// The ratings.
    pub ratings: Ratings,
}

/// The longest respondent reference, in characters.
pub const LONGEST_REFERENCE: usize = 200;

impl Answers {
    /// What is wrong with these answers, complete or not.
    pub fn faults(&self, definition: &Definition) -> Vec<Fault> {
        let mut faults = ratings::faults(&self.ratings, definition.keys());
        faults.extend(ExternalId::faults(&self.external_ids));
        if self
            .respondent_ref
            .as_ref()
            .is_some_and(|text| text.chars().count() > LONGEST_REFERENCE)
        {
            faults.push(Fault::new("/respondent_ref", "max_length", "At most 200 characters."));
        }
        faults
    }

    /// What is missing before these answers can be submitted.
    pub fn missing(&self, definition: &Definition) -> Vec<Fault> {
        ratings::missing(&self.ratings, definition.keys())
    }

    /// The same without ratings that say nothing, which are not kept.
    #[must_use]
    pub fn without_empty_ratings(mut self) -> Self {
        self.ratings.retain(|_, rating| !rating.is_empty());
        self
    }

    /// These answers on a later version of their model: what kept its meaning is kept, no level is guessed.
    #[must_use]
    pub fn migrated(&self, to_version: Version, effects: &[MigrationEffect]) -> Self {
        let ratings = effects
            .iter()
            .filter(|effect| effect.effect == Effect::Kept)
            .filter_map(|effect| self.ratings.get_key_value(&effect.change.element))
            .map(|(key, rating)| (key.clone(), rating.clone()))
            .collect();
        Self {
            model_version: to_version,
            ratings,
            ..self.clone()
        }
    }
}

/// What migrating does to one rating.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// The rating stays as it is.
    Kept,
    /// Somebody has to rate it anew.
    NeedsReview,
    /// The element is gone; the rating stays in the earlier versions.
    Retired,
}

/// What migrating does, element by element.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct MigrationEffect {
    /// What became of the element.
    #[serde(flatten)]
    #[schema(inline)]
    pub change: ElementChange,
    /// What happens to the rating.
    pub effect: Effect,
}

/// What migrating from one version of a model to another does, element by element.
pub fn migration_effects(from: &Definition, to: &Definition) -> Vec<MigrationEffect> {
    element_changes(from, to)
        .into_iter()
        .map(|change| {
            let effect = match (&change.label_to, change.change) {
                (None, _) => Effect::Retired,
                (Some(_), Change::Same | Change::Reworded) => Effect::Kept,
                (Some(_), _) => Effect::NeedsReview,
            };
            MigrationEffect { change, effect }
        })
        .collect()
}

/// An assessment through its life.
#[derive(Debug, Clone, PartialEq)]
pub struct Life {
    /// Its id.
    pub id: AssessmentId,
    /// When it was made.
    pub created_at: Moment,
    /// When it last changed.
    pub updated_at: Moment,
    /// When it was withdrawn.
    pub withdrawn_at: Option<Moment>,
    /// Its draft and its newest sealed version.
    pub versioned: Versioned<Answers>,
}

/// The state of an assessment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AssessmentStatus {
    /// It can be changed, and has never been submitted.
    Draft,
    /// A version of it is sealed.
    Submitted,
    /// It was withdrawn, and is erased 30 days later unless restored.
    Withdrawn,
}

impl AssessmentStatus {
    /// The word under which it is kept.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Submitted => "submitted",
            Self::Withdrawn => "withdrawn",
        }
    }
}

const IS_WITHDRAWN: Broken = Broken::InvalidTransition("The assessment is withdrawn; restore it first.");

impl Life {
    /// The round in which it was asked for.
    pub fn round(&self) -> Option<RoundId> {
        self.versioned.shown().and_then(|answers| answers.round)
    }

    /// Its state.
    pub fn status(&self) -> AssessmentStatus {
        match (self.withdrawn_at, &self.versioned.newest) {
            (Some(_), _) => AssessmentStatus::Withdrawn,
            (None, Some(_)) => AssessmentStatus::Submitted,
            (None, None) => AssessmentStatus::Draft,
        }
    }

    /// The rule that a withdrawn assessment does not change.
    pub fn not_withdrawn(&self) -> Result<(), Broken> {
        if self.withdrawn_at.is_some() {
            Err(IS_WITHDRAWN)
        } else {
            Ok(())
        }
    }

    /// The answers to edit.
    pub fn editable(&mut self) -> Result<&mut Answers, Broken> {
        self.not_withdrawn()?;
        self.versioned.draft_mut().map(|draft| &mut draft.content)
    }

    /// The answers that submitting would seal, where they are complete.
    pub fn submittable(&self) -> Result<&Answers, Broken> {
        self.not_withdrawn()?;
        match &self.versioned.draft {
            Some(draft) => Ok(&draft.content),
            None => Err(Broken::InvalidTransition("There is no open draft to submit.")),
        }
    }

    /// Opens the next draft.
    pub fn amend(&mut self) -> Result<(), Broken> {
        self.not_withdrawn()?;
        self.versioned.open_draft()
    }

    /// Withdraws it.
    pub fn withdraw(&mut self, now: Moment) -> Result<(), Broken> {
        self.not_withdrawn()?;
        self.withdrawn_at = Some(now);
        Ok(())
    }

    /// Takes the withdrawal back.
    pub fn restore(&mut self) -> Result<(), Broken> {
        match self.withdrawn_at.take() {
            Some(_) => Ok(()),
            None => Err(Broken::InvalidTransition("The assessment is not withdrawn.")),
        }
    }
}

/// An assessment: a sealed version of it, or its draft.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Assessment {
    /// Its id.
    pub id: AssessmentId,
    /// The version, 1 or more; absent on a draft.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i32>, nullable = false, minimum = 1)]
    pub version: Option<Version>,
    /// Its state.
    pub status: AssessmentStatus,
    /// The version that a draft amends.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i32>, nullable = false, minimum = 1)]
    pub based_on: Option<Version>,
    /// Whether a draft is open. Absent under `versions/{n}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub has_draft: Option<bool>,
    /// The model it rates.
    pub model: Slug,
    /// The version of that model.
    #[schema(value_type = i32, minimum = 1)]
    pub model_version: Version,
    /// From whose perspective.
    pub perspective: Slug,
    /// The version of that perspective.
    #[schema(value_type = i32, minimum = 1)]
    pub perspective_version: Version,
    /// The relationship it is about; omitted where that is the service as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub relationship: Option<RelationshipId>,
    /// The round in which it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub round: Option<RoundId>,
    /// The caller's own reference to who answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 200)]
    pub respondent_ref: Option<String>,
    /// Its names in other systems.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 20)]
    pub external_ids: Vec<ExternalId>,
    /// Whether the respondent agrees that research may use this, where they were asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub research_consent: Option<bool>,
    /// The ratings by element. Left out of lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Option<std::collections::BTreeMap<ElementKey, ratings::Rating>>)]
    pub ratings: Option<Ratings>,
    /// When it was made.
    pub created_at: Moment,
    /// When it last changed. In drafts and in lists; a sealed version never changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub updated_at: Option<Moment>,
    /// When it was withdrawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub withdrawn_at: Option<Moment>,
    /// Its seal; absent on a draft.
    #[serde(flatten)]
    #[schema(inline)]
    pub seal: Option<super::life_cycle::Seal>,
    /// What leads to it from now on, shown this once: in the answer to a respondent who submits it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(
        nullable = false,
        pattern = "^[0-9A-Z-]{30}$",
        example = "3F8KQ-7MZ0T-V2N6C-9XHWA-R5D1PE"
    )]
    pub receipt: Option<String>,
}

impl Assessment {
    fn of(id: AssessmentId, created_at: Moment, answers: &Answers) -> Self {
        let answers = answers.clone();
        Self {
            id,
            version: None,
            status: AssessmentStatus::Draft,
            based_on: None,
            has_draft: None,
            model: answers.model,
            model_version: answers.model_version,
            perspective: answers.perspective,
            perspective_version: answers.perspective_version,
            relationship: answers.relationship,
            round: answers.round,
            respondent_ref: answers.respondent_ref,
            external_ids: answers.external_ids,
            research_consent: answers.research_consent,
            ratings: Some(answers.ratings),
            created_at,
            updated_at: None,
            withdrawn_at: None,
            seal: None,
            receipt: None,
        }
    }

    /// What a sealed version says, for ever: the document of its digest.
    pub fn of_version(id: AssessmentId, created_at: Moment, version: Version, answers: &Answers) -> Self {
        Self {
            version: Some(version),
            status: AssessmentStatus::Submitted,
            ..Self::of(id, created_at, answers)
        }
    }

    /// A sealed version with its seal.
    pub fn of_sealed(id: AssessmentId, created_at: Moment, sealed: &Sealed<Answers>) -> Self {
        Self {
            seal: Some(sealed.seal.clone()),
            ..Self::of_version(id, created_at, sealed.version, &sealed.content)
        }
    }

    /// What `GET /{id}/draft` answers with.
    pub fn draft_of(life: &Life) -> Option<Self> {
        let draft = life.versioned.draft.as_ref()?;
        Some(Self {
            based_on: draft.based_on,
            has_draft: Some(true),
            updated_at: Some(life.updated_at),
            ..Self::of(life.id, life.created_at, &draft.content)
        })
    }

    /// What `GET /{id}` answers with: the newest sealed version or, where none is, the draft.
    pub fn shown(life: &Life) -> Option<Self> {
        let shown = match &life.versioned.newest {
            Some(sealed) => Self::of_sealed(life.id, life.created_at, sealed),
            None => Self::draft_of(life)?,
        };
        Some(Self {
            status: life.status(),
            has_draft: Some(life.versioned.draft.is_some()),
            withdrawn_at: life.withdrawn_at,
            ..shown
        })
    }
}
