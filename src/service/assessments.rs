//! Assessments: saved as people type, submitted, amended, withdrawn, migrated.

use std::{collections::BTreeMap, sync::Arc};

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
    seal,
};
use crate::{
    domain::{
        assessment::{Answers, Assessment, Life, MigrationEffect, migration_effects},
        event::{Event, Kind},
        external_id::ExternalId,
        fault::{Broken, Fault},
        id::AssessmentId,
        level::Level,
        life_cycle::{Draft, Sealed, Version, Versioned},
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

/// Where to migrate an assessment to.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Migrate {
    /// A later version of the same model.
    #[schema(value_type = i32, minimum = 1, example = 2)]
    pub to_version: Version,
    /// Only show what would happen.
    #[serde(default)]
    pub dry_run: bool,
}

/// What migrating does, or would do.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Migration {
    /// The version of the model migrated from.
    #[schema(value_type = i32, minimum = 1)]
    pub from_version: Version,
    /// The version of the model migrated to.
    #[schema(value_type = i32, minimum = 1)]
    pub to_version: Version,
    /// Whether nothing was changed.
    pub dry_run: bool,
    /// The effect, element by element.
    pub effects: Vec<MigrationEffect>,
    /// The draft that was opened; absent from a dry run.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub draft: Option<Assessment>,
}

/// One of the organisation's assessments, or that there is none.
pub fn find(tx: &mut Tx<'_>, id: AssessmentId) -> Result<Found> {
    store::assessments::find(tx, id)?.ok_or(Error::NotFound(ASSESSMENT))
}

fn shown(life: &Life) -> Result<Revised<Assessment>> {
    let shown = Assessment::shown(life).ok_or(Error::NotFound(ASSESSMENT))?;
    Ok(Revised {
        shown,
        revision: life.versioned.revision,
    })
}

fn shown_draft(life: &Life) -> Result<Revised<Assessment>> {
    let shown = Assessment::draft_of(life).ok_or(Error::NotFound("draft"))?;
    Ok(Revised {
        shown,
        revision: life.versioned.revision,
    })
}

fn emit(tx: &mut Tx<'_>, life: &Life, what: &'static str) -> Result<()> {
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

/// What a body refers to, and what it says; where it is wrong, every fault.
fn read(tx: &mut Tx<'_>, body: CreateAssessment) -> Result<(Head, Arc<SealedModel>, Answers)> {
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
    let (head, sealed) = match model {
        Ok(found) => found,
        Err(Error::Broken(Broken::Invalid(more))) => {
            faults.extend(more);
            return Err(Broken::Invalid(faults).into());
        }
        Err(other) => return Err(other),
    };
    let answers = Answers {
        model: body.model,
        model_version: sealed.version,
        perspective: body.perspective,
        perspective_version: perspective.map_or(0, |life| life.newest.version),
        respondent_ref: body.respondent_ref,
        external_ids: body.external_ids,
        research_consent: body.research_consent,
        ratings: body.ratings,
    };
    faults.extend(answers.faults(&sealed.content));
    Broken::unless_empty(faults)?;
    Ok((head, sealed, answers))
}

/// Opens the draft of a new assessment.
pub fn create(tx: &mut Tx<'_>, body: Checked<CreateAssessment>) -> Result<Revised<Assessment>> {
    let (head, _, answers) = body.check(|body| read(tx, body))?;
    open(tx, &head, answers)
}

fn open(tx: &mut Tx<'_>, head: &Head, answers: Answers) -> Result<Revised<Assessment>> {
    if head.status() == ModelStatus::Retired {
        return Err(Broken::ModelRetired.into());
    }
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
        let (_, sealed, answers) = read(tx, body)?;
        Ok(Broken::unless_empty(answers.faults_at_submission(&sealed.content))?)
    });
    match checked {
        Ok(()) => Ok(Vec::new().into()),
        Err(Error::Broken(Broken::Invalid(faults))) => Ok(faults.into()),
        Err(other) => Err(other),
    }
}

/// Creates the assessment with this name in another system, or replaces its draft. Says whether it was created.
pub fn upsert(
    tx: &mut Tx<'_>,
    name: &ExternalId,
    expected: &Expected,
    body: Checked<CreateAssessment>,
) -> Result<(bool, Revised<Assessment>)> {
    let Some(found) = store::assessments::find_by_external_id(tx, name)? else {
        expected.met_by_nothing()?;
        let (head, _, answers) = body.check(|body| read(tx, named(body, name)?))?;
        // Another request with the same name may have come between: then the work is done anew, and replaces its draft.
        return match open(tx, &head, answers) {
            Err(Error::Store(store::error::Error::Taken(store::error::Taken::ExternalId))) => {
                Err(store::error::Error::Contended.into())
            }
            other => other.map(|created| (true, created)),
        };
    };
    replace(tx, found, name, expected, body).map(|replaced| (false, replaced))
}

/// The body with the name it is put under, unless it gives another one.
fn named(mut body: CreateAssessment, name: &ExternalId) -> Result<CreateAssessment> {
    let faults = ExternalId::faults(std::slice::from_ref(name));
    Broken::unless_empty(faults)?;
    for (place, other) in body.external_ids.iter().enumerate() {
        if other.system == name.system && other.value != name.value {
            let detail = "This contradicts the external id in the URL.";
            return Err(Broken::fault(format!("/external_ids/{place}"), "contradiction", detail).into());
        }
    }
    if !body.external_ids.contains(name) {
        body.external_ids.insert(0, name.clone());
    }
    Ok(body)
}

fn replace(
    tx: &mut Tx<'_>,
    mut found: Found,
    name: &ExternalId,
    expected: &Expected,
    body: Checked<CreateAssessment>,
) -> Result<Revised<Assessment>> {
    let before = found.life.clone();
    found.life.not_withdrawn()?;
    expected.met_by(before.versioned.revision)?;
    if found.life.versioned.draft.is_none() {
        found.life.amend()?;
    }
    let Some(draft) = &mut found.life.versioned.draft else {
        return Err(Error::NotFound("draft"));
    };
    let stands = &draft.content;
    let (_, _, answers) = body.check(|body| {
        let body = named(body, name)?;
        let version = body.model_version.unwrap_or(stands.model_version);
        let unchanged = [
            ("/model", body.model == stands.model),
            ("/model_version", version == stands.model_version),
            ("/perspective", body.perspective == stands.perspective),
        ];
        let detail = "This does not change once an assessment is made.";
        let changed = unchanged.into_iter().filter(|(_, same)| !same);
        Broken::unless_empty(changed.map(|(at, _)| Fault::new(at, "immutable", detail)).collect())?;
        read(
            tx,
            CreateAssessment {
                model_version: Some(version),
                ..body
            },
        )
    })?;
    draft.content = Answers {
        perspective_version: stands.perspective_version,
        ..answers
    };
    store::assessments::save(tx, &before, &mut found)?;
    shown_draft(&found.life)
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
        Ok(answers)
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

/// Seals the draft as the next version.
pub fn submit(tx: &mut Tx<'_>, id: AssessmentId, expected: &Expected) -> Result<Revised<Assessment>> {
    let mut found = find(tx, id)?;
    let before = found.life.clone();
    let answers = found.life.submittable()?.clone();
    expected.met_by(before.versioned.revision)?;
    let model = store::models::sealed_for_sure(tx, found.model, answers.model_version)?;
    Broken::unless_empty(answers.faults_at_submission(&model.content))?;
    let version = found.life.versioned.next_version();
    let document = Assessment::of_version(id, found.life.created_at, version, &answers);
    let seal = seal(tx, &document)?;
    found.life.versioned.seal(Sealed {
        version,
        content: answers,
        seal,
    });
    store::assessments::save(tx, &before, &mut found)?;
    store::assessments::seal(tx, &found)?;
    emit(tx, &found.life, "submitted")?;
    shown(&found.life)
}

/// Loads an assessment, changes it, and keeps it.
fn change(
    tx: &mut Tx<'_>,
    id: AssessmentId,
    expected: &Expected,
    what: &'static str,
    change: impl FnOnce(&mut Life, &Tx<'_>) -> std::result::Result<(), Broken>,
) -> Result<Life> {
    let mut found = find(tx, id)?;
    let before = found.life.clone();
    change(&mut found.life, tx)?;
    expected.met_by(before.versioned.revision)?;
    store::assessments::save(tx, &before, &mut found)?;
    emit(tx, &found.life, what)?;
    Ok(found.life)
}

/// Opens the next draft from the newest version.
pub fn amend(tx: &mut Tx<'_>, id: AssessmentId, expected: &Expected) -> Result<Revised<Assessment>> {
    shown_draft(&change(tx, id, expected, "amended", |life, _| life.amend())?)
}

/// Discards an amendment.
pub fn discard_draft(tx: &mut Tx<'_>, id: AssessmentId, expected: &Expected) -> Result<()> {
    find(tx, id)?;
    expected.required()?;
    change(tx, id, expected, "draft_discarded", |life, _| {
        life.not_withdrawn()?;
        life.versioned.discard_draft()
    })
    .map(drop)
}

/// Withdraws an assessment: it is never analysed again and, unless restored, erased after 30 days.
pub fn withdraw(tx: &mut Tx<'_>, id: AssessmentId, expected: &Expected) -> Result<()> {
    find(tx, id)?;
    expected.required()?;
    change(tx, id, expected, "withdrawn", |life, tx| life.withdraw(tx.now())).map(drop)
}

/// Takes a withdrawal back.
pub fn restore(tx: &mut Tx<'_>, id: AssessmentId, expected: &Expected) -> Result<Revised<Assessment>> {
    shown(&change(tx, id, expected, "restored", |life, _| life.restore())?)
}

/// Moves an assessment to a later version of its model: what kept its meaning is kept, no level is guessed.
pub fn migrate(
    tx: &mut Tx<'_>,
    id: AssessmentId,
    expected: &Expected,
    body: Checked<Migrate>,
) -> Result<Revised<Migration>> {
    let mut found = find(tx, id)?;
    let before = found.life.clone();
    found.life.not_withdrawn()?;
    expected.met_by(before.versioned.revision)?;
    let Migrate { to_version, dry_run } = body.valid()?;
    if found.life.versioned.draft.is_none() {
        found.life.amend()?;
    }
    let Some(Draft { content, .. }) = &mut found.life.versioned.draft else {
        return Err(Error::NotFound("draft"));
    };
    let from_version = content.model_version;
    let unfit = |detail| Error::Broken(Broken::fault("/to_version", "unknown_reference", detail));
    if to_version <= from_version {
        return Err(unfit("Only a later version of the model will do."));
    }
    let from = store::models::sealed_for_sure(tx, found.model, from_version)?;
    let to = store::models::sealed(tx, found.model, to_version)?;
    let to = to.ok_or_else(|| unfit("The model has no such version."))?;
    let effects = migration_effects(&from.content, &to.content);
    let mut migration = Migration {
        from_version,
        to_version,
        dry_run,
        effects,
        draft: None,
    };
    if !dry_run {
        *content = content.migrated(to_version, &migration.effects);
        store::assessments::save(tx, &before, &mut found)?;
        emit(tx, &found.life, "migrated")?;
        migration.draft = Some(shown_draft(&found.life)?.shown);
    }
    Ok(Revised {
        shown: migration,
        revision: found.life.versioned.revision,
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
