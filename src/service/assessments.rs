//! Assessments: saved as people type, submitted, amended, withdrawn, migrated.

mod bodies;

pub use bodies::{CreateAssessment, PatchAssessment, PatchRating};

use std::{collections::BTreeSet, sync::Arc};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    Checked, Error, Expected, Result, Revised,
    diff::Diff,
    merged,
    models::{Validation, referred},
    respondents,
};
use crate::{
    domain::{
        assessment::{Answers, Assessment, Life},
        event::{Event, Kind},
        external_id::ExternalId,
        fault::{Broken, Fault},
        id::{AssessmentId, RelationshipId},
        life_cycle::{Version, Versioned},
        model::{Head, ModelStatus},
        ratings::Ratings,
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

/// One of the organisation's assessments, or that there is none. To a respondent theirs is there before they saved anything.
pub fn find(tx: &mut Tx<'_>, id: AssessmentId) -> Result<Found> {
    if let Some(respondent) = tx.actor().respondent {
        return respondents::find(tx, &respondent, id);
    }
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
        round: None,
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

/// Changes the draft. Where a respondent's change stands already, because only the answer to it was lost, it is done once more
/// without a change (RFC 9110, section 13.1.1): nothing is kept by which a repeated request could be known.
pub fn patch(
    tx: &mut Tx<'_>,
    id: AssessmentId,
    expected: &Expected,
    body: Checked<Value>,
) -> Result<Revised<Assessment>> {
    let mut found = find(tx, id)?;
    let before = found.life.clone();
    expected.required()?;
    respondents::may_change(tx, &before)?;
    let answers = found.life.editable()?;
    if tx.actor().respondent.is_none() {
        expected.met_by(before.versioned.revision)?;
    }
    let stands = answers.clone();
    let sealed = store::models::sealed_for_sure(tx, found.model, stands.model_version)?;
    let respondent = tx.actor().respondent;
    *answers = body.check(|patch| {
        let answers = edited(stands.clone(), &patch)?;
        let mut faults = answers.faults(&sealed.content);
        faults.extend(respondent.iter().flat_map(|_| respondents::beyond(&stands, &answers)));
        Broken::unless_empty(faults)?;
        Ok(answers.without_empty_ratings())
    })?;
    match expected.met_by(before.versioned.revision) {
        Ok(()) => respondents::keep(tx, &before, &mut found)?,
        Err(_) if *answers == stands => {}
        Err(stale) => return Err(stale),
    }
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
