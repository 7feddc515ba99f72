//! Assessments: saved as people type, submitted, amended, withdrawn, migrated.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, OneOfBuilder, Ref, RefOr, Schema, Type},
};

use super::{
    Checked, Error, Expected, Result, Revised,
    diff::Diff,
    merged,
    models::{Validation, referred},
};
use crate::{
    domain::{
        assessment::{Answers, Assessment, Life},
        event::{Event, Kind},
        external_id::ExternalId,
        fault::{Broken, Fault},
        id::{AssessmentId, RelationshipId},
        level::Level,
        life_cycle::{Version, Versioned},
        model::{Head, ModelStatus},
        ratings::Ratings,
        slug::{ElementKey, Slug},
    },
    store::{
        self,
        assessment_lists::Filter,
        assessments::Found,
        db::Tx,
        journal,
        models::SealedModel,
        page::{Page, Position},
        perspectives::Name,
    },
};

const ASSESSMENT: &str = "assessment";

/// A new assessment, as complete as it is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateAssessment {
    /// The model to rate.
    #[schema(example = "meaningful-connections")]
    pub model: Slug,
    /// The version of that model; the newest where it is not said.
    #[schema(value_type = Option<i32>, nullable = false, minimum = 1)]
    pub model_version: Option<Version>,
    /// From whose perspective.
    #[schema(example = "service_user")]
    pub perspective: Slug,
    /// The relationship it is about, of the newest version of a constellation; the service as a whole where none is named.
    #[serde(default)]
    #[schema(nullable = false)]
    pub relationship: Option<RelationshipId>,
    /// The caller's own reference to who answered. No personal data is needed here.
    #[schema(nullable = false, max_length = 200, example = "respondent-17")]
    pub respondent_ref: Option<String>,
    /// The ratings so far, by element.
    #[serde(default)]
    #[schema(value_type = BTreeMap<ElementKey, crate::domain::ratings::Rating>)]
    pub ratings: Ratings,
    /// The assessment's names in other systems.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub external_ids: Vec<ExternalId>,
    /// Whether the respondent agrees that research may use this, where they were asked.
    #[schema(nullable = false)]
    pub research_consent: Option<bool>,
}

/// What to change of an assessment's draft (JSON merge patch, RFC 7396): one rating can be saved alone.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(
    dead_code,
    reason = "the schema against which a patch is checked; it is applied as JSON"
)]
pub struct PatchAssessment {
    /// The caller's own reference to who answered; `null` takes it away.
    #[schema(max_length = 200, example = "respondent-17")]
    respondent_ref: Option<String>,
    /// The ratings to change, by element; `null` takes a rating away, or all of them.
    #[schema(value_type = Option<BTreeMap<ElementKey, RatingOrNull>>)]
    ratings: Option<BTreeMap<ElementKey, Option<PatchRating>>>,
    /// The assessment's names in other systems, all of them; `null` takes them away.
    #[schema(max_items = 20)]
    external_ids: Option<Vec<ExternalId>>,
    /// Whether the respondent agrees that research may use this; `null` where they were not asked.
    research_consent: Option<bool>,
}

/// What to change of one rating; `null` takes a part of it away.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(
    dead_code,
    reason = "the schema against which a patch is checked; it is applied as JSON"
)]
pub struct PatchRating {
    /// Where we are.
    current: Option<Level>,
    /// Where we want to be.
    desired: Option<Level>,
    /// What the respondent wants to say with it.
    #[schema(max_length = 4000)]
    note: Option<String>,
    /// The element does not apply.
    not_applicable: Option<bool>,
    /// Why it does not apply.
    #[schema(max_length = 4000)]
    reason: Option<String>,
}

/// A change of one rating, or `null`, which takes the rating away: for the schema only.
struct RatingOrNull;

impl PartialSchema for RatingOrNull {
    fn schema() -> RefOr<Schema> {
        OneOfBuilder::new()
            .item(ObjectBuilder::new().schema_type(Type::Null))
            .item(Ref::from_schema_name(PatchRating::name()))
            .description(Some("What to change of the rating, or `null`, which takes it away."))
            .into()
    }
}

impl ToSchema for RatingOrNull {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((PatchRating::name().into(), PatchRating::schema()));
        PatchRating::schemas(schemas);
    }
}

/// The part of a draft that a patch can change.
#[derive(Debug, Serialize, Deserialize)]
struct Editable {
    respondent_ref: Option<String>,
    #[serde(default)]
    external_ids: Vec<ExternalId>,
    research_consent: Option<bool>,
    #[serde(default)]
    ratings: Ratings,
}

/// One of the organisation's assessments, or that there is none.
pub fn find(tx: &mut Tx<'_>, id: AssessmentId) -> Result<Found> {
    store::assessments::find(tx, id)?.ok_or(Error::NotFound(ASSESSMENT))
}

pub(super) fn shown(life: &Life) -> Result<Revised<Assessment>> {
    let shown = Assessment::shown(life).ok_or(Error::NotFound(ASSESSMENT))?;
    Ok(Revised {
        shown,
        revision: life.versioned.revision,
    })
}

pub(super) fn shown_draft(life: &Life) -> Result<Revised<Assessment>> {
    let shown = Assessment::draft_of(life).ok_or(Error::NotFound("draft"))?;
    Ok(Revised {
        shown,
        revision: life.versioned.revision,
    })
}

pub(super) fn emit(tx: &mut Tx<'_>, life: &Life, what: &'static str) -> Result<()> {
    let version = life.versioned.newest.as_ref().map(|sealed| sealed.version);
    Ok(store::events::emit(
        tx,
        &Event::new(Kind::Assessment, life.id.uuid(), what, version),
    )?)
}

/// An assessment: its newest version or, where none is, its draft.
pub fn get(tx: &mut Tx<'_>, id: AssessmentId) -> Result<Revised<Assessment>> {
    shown(&find(tx, id)?.life)
}

/// An assessment's draft.
pub fn get_draft(tx: &mut Tx<'_>, id: AssessmentId) -> Result<Revised<Assessment>> {
    shown_draft(&find(tx, id)?.life)
}

/// A page of the organisation's assessments, without their ratings.
pub fn list(tx: &mut Tx<'_>, filter: &Filter, page: &Page) -> Result<(Vec<Assessment>, Option<Position>)> {
    let (lives, next) = store::assessment_lists::list(tx, filter, page)?;
    let item = |life: &Life| {
        let shown = Assessment::shown(life)?;
        Some(Assessment {
            ratings: None,
            updated_at: Some(life.updated_at),
            ..shown
        })
    };
    Ok((lives.iter().filter_map(item).collect(), next))
}

/// A body, read.
pub(super) struct Read {
    /// The model it refers to.
    pub(super) head: Head,
    /// The version of that model.
    pub(super) model: Arc<SealedModel>,
    /// What it says.
    pub(super) answers: Answers,
    /// Everything that is wrong with it.
    pub(super) faults: Vec<Fault>,
}

impl Read {
    /// The same, unless its model is retired and takes no new assessments, whatever they say.
    pub(super) fn of_standing_model(self) -> Result<Self> {
        match self.head.status() {
            ModelStatus::Retired => Err(Broken::ModelRetired.into()),
            _ => Ok(self),
        }
    }

    /// The same, unless anything is wrong with it. A rating that says nothing is no rating.
    pub(super) fn valid(self) -> Result<Self> {
        Broken::unless_empty(self.faults)?;
        Ok(Self {
            faults: Vec::new(),
            answers: self.answers.without_empty_ratings(),
            ..self
        })
    }
}

/// What a body refers to, what it says, and what is wrong with it. Fails with what can be told without its model where there
/// is none of that name.
pub(super) fn read(tx: &mut Tx<'_>, body: CreateAssessment) -> Result<Read> {
    let model = referred(tx, &body.model, body.model_version);
    let perspective = store::perspectives::find(tx, &Name::Slug(body.perspective.clone()))?;
    let mut faults = Vec::new();
    if perspective.is_none() {
        faults.push(Fault::new(
            "/perspective",
            "unknown_reference",
            "There is no perspective of this name.",
        ));
    }
    faults.extend(relationship_fault(tx, body.relationship)?);
    let (head, model) = match model {
        Ok(found) => found,
        Err(Error::Broken(Broken::Invalid(more))) => {
            faults.extend(more);
            faults.extend(ExternalId::faults(&body.external_ids));
            return Err(Broken::Invalid(faults).into());
        }
        Err(other) => return Err(other),
    };
    let answers = Answers {
        model: body.model,
        model_version: model.version,
        perspective: body.perspective,
        perspective_version: perspective.map_or(0, |life| life.newest.version),
        relationship: body.relationship,
        respondent_ref: body.respondent_ref,
        external_ids: body.external_ids,
        research_consent: body.research_consent,
        ratings: body.ratings,
    };
    faults.extend(answers.faults(&model.content));
    Ok(Read {
        head,
        model,
        answers,
        faults,
    })
}

/// What is wrong with the relationship that a new assessment names.
fn relationship_fault(tx: &mut Tx<'_>, relationship: Option<RelationshipId>) -> Result<Option<Fault>> {
    let Some(id) = relationship else { return Ok(None) };
    let detail = match store::constellations::standing(tx, id)? {
        None => "There is no such relationship.",
        Some(standing) if standing.is_retired => "The relationship is retired, and takes no new assessments.",
        Some(_) => return Ok(None),
    };
    Ok(Some(Fault::new("/relationship", "unknown_reference", detail)))
}

/// Opens the draft of a new assessment.
pub fn create(tx: &mut Tx<'_>, body: Checked<CreateAssessment>) -> Result<Revised<Assessment>> {
    let Read { head, answers, .. } = body.check(|body| read(tx, body)?.of_standing_model()?.valid())?;
    open(tx, &head, answers)
}

pub(super) fn open(tx: &mut Tx<'_>, head: &Head, answers: Answers) -> Result<Revised<Assessment>> {
    let life = Life {
        id: tx.new_id(),
        created_at: tx.now(),
        updated_at: tx.now(),
        withdrawn_at: None,
        versioned: Versioned::drafted(answers),
    };
    let found = Found { model: head.id, life };
    store::assessments::insert(tx, &found)?;
    emit(tx, &found.life, "created")?;
    shown(&found.life)
}

/// What would keep this body from being submitted; nothing is stored.
pub fn validate(tx: &mut Tx<'_>, body: Checked<CreateAssessment>) -> Result<Validation> {
    let checked = body.check(|body| {
        let Read {
            model,
            answers,
            mut faults,
            ..
        } = read(tx, body)?;
        faults.extend(answers.missing(&model.content));
        Ok(Broken::unless_empty(faults)?)
    });
    match checked {
        Ok(()) => Ok(Vec::new().into()),
        Err(Error::Broken(Broken::Invalid(mut faults))) => {
            // What is wrong was left out of what was read, and so seems to be missing as well.
            let mut seen = BTreeSet::new();
            faults.retain(|fault| seen.insert(fault.pointer.clone()) || fault.code != "required");
            Ok(faults.into())
        }
        Err(other) => Err(other),
    }
}

/// Changes the draft.
pub fn patch(
    tx: &mut Tx<'_>,
    id: AssessmentId,
    expected: &Expected,
    body: Checked<Value>,
) -> Result<Revised<Assessment>> {
    let mut found = find(tx, id)?;
    let before = found.life.clone();
    expected.required()?;
    let answers = found.life.editable()?;
    expected.met_by(before.versioned.revision)?;
    let stands = answers.clone();
    let sealed = store::models::sealed_for_sure(tx, found.model, stands.model_version)?;
    *answers = body.check(|patch| {
        let answers = edited(stands, &patch)?;
        Broken::unless_empty(answers.faults(&sealed.content))?;
        Ok(answers.without_empty_ratings())
    })?;
    store::assessments::save(tx, &before, &mut found)?;
    shown_draft(&found.life)
}

/// The answers, after a merge patch of what can be edited.
fn edited(answers: Answers, patch: &Value) -> Result<Answers> {
    let stands = Editable {
        respondent_ref: answers.respondent_ref.clone(),
        external_ids: answers.external_ids.clone(),
        research_consent: answers.research_consent,
        ratings: answers.ratings.clone(),
    };
    let Editable {
        respondent_ref,
        external_ids,
        research_consent,
        ratings,
    } = merged(&stands, patch)?;
    Ok(Answers {
        respondent_ref,
        external_ids,
        research_consent,
        ratings,
        ..answers
    })
}

/// A page of an assessment's versions.
pub fn versions(tx: &mut Tx<'_>, id: AssessmentId, page: &Page) -> Result<(Vec<journal::Line>, Option<Position>)> {
    find(tx, id)?;
    Ok(journal::list(tx, id, page)?)
}

/// A version of an assessment.
pub fn version(tx: &mut Tx<'_>, id: AssessmentId, version: Version) -> Result<Assessment> {
    let (created_at, sealed) = store::assessments::version(tx, id, version)?.ok_or(Error::NotFound("version"))?;
    Ok(Assessment::of_sealed(id, created_at, &sealed))
}

/// What differs between two versions.
pub fn diff(tx: &mut Tx<'_>, id: AssessmentId, from: Version, to: Version) -> Result<Diff> {
    let (before, after) = (version(tx, id, from)?, version(tx, id, to)?);
    Diff::between((from, &before), (to, &after))
}
