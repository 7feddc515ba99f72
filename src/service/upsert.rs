//! Assessments by the names that other systems give them: created, or their draft replaced.

use super::{
    Checked, Error, Expected, Result, Revised,
    assessments::{CreateAssessment, Read, emit, open, read, shown_draft},
};
use crate::{
    domain::{
        assessment::{Answers, Assessment},
        external_id::ExternalId,
        fault::{Broken, Fault},
    },
    store::{
        self,
        assessments::Found,
        db::Tx,
        error::{Error as StoreError, Taken},
    },
};

/// Creates the assessment with this name in another system, or replaces its draft. Says whether it was created.
pub fn upsert(
    tx: &mut Tx<'_>,
    name: &ExternalId,
    expected: &Expected,
    body: Checked<CreateAssessment>,
) -> Result<(bool, Revised<Assessment>)> {
    // The name need not be anybody's yet, so those who put under it queue for the name rather than for a row.
    store::assessments::hold_name(tx, name)?;
    let Some(found) = store::assessments::find_by_external_id(tx, name)? else {
        expected.met_by_nothing()?;
        return create(tx, name, body).map(|created| (true, created));
    };
    replace(tx, found, name, expected, body).map(|replaced| (false, replaced))
}

fn create(tx: &mut Tx<'_>, name: &ExternalId, body: Checked<CreateAssessment>) -> Result<Revised<Assessment>> {
    Broken::unless_empty(faults_of_the_url(name))?;
    let Read { head, answers, .. } = body.check(|body| read_as(tx, name, body)?.of_standing_model()?.valid())?;
    for other in answers.external_ids.iter().filter(|other| *other != name) {
        if store::assessments::find_by_external_id(tx, other)?.is_some() {
            return Err(StoreError::Taken(Taken::ExternalId).into());
        }
    }
    match open(tx, &head, answers) {
        // Another request with the same name came between: the work is done anew, and replaces its draft.
        Err(Error::Store(StoreError::Taken(Taken::ExternalId))) => Err(StoreError::Contended.into()),
        outcome => outcome,
    }
}

/// What is wrong with the name in the URL, by parameter.
fn faults_of_the_url(name: &ExternalId) -> Vec<Fault> {
    let faults = ExternalId::faults(std::slice::from_ref(name)).into_iter();
    let parameter = |pointer: &str| pointer.trim_start_matches("/external_ids/0").to_owned();
    faults
        .map(|fault| Fault {
            pointer: parameter(&fault.pointer),
            ..fault
        })
        .collect()
}

/// Reads a body that is put under a name, which it need not repeat and must not contradict.
fn read_as(tx: &mut Tx<'_>, name: &ExternalId, mut body: CreateAssessment) -> Result<Read> {
    let given = body.external_ids.iter().enumerate();
    let contradictions: Vec<Fault> = given
        .filter(|(_, other)| other.system == name.system && other.value != name.value)
        .map(|(place, _)| {
            let detail = "This contradicts the external id in the URL.";
            Fault::new(format!("/external_ids/{place}"), "contradiction", detail)
        })
        .collect();
    if !body.external_ids.contains(name) {
        // At the end, so that the others keep the places by which their faults are told.
        body.external_ids.push(name.clone());
    }
    let mut read = read(tx, body)?;
    read.faults.extend(contradictions);
    Ok(read)
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
    let amends = found.life.versioned.draft.is_none();
    if amends {
        found.life.amend()?;
    }
    let Some(draft) = &mut found.life.versioned.draft else {
        return Err(Error::NotFound("draft"));
    };
    let stands = &draft.content;
    let Read { answers, .. } = body.check(|body| {
        let version = body.model_version.unwrap_or(stands.model_version);
        let unchanged = [
            ("/model", body.model == stands.model),
            ("/model_version", version == stands.model_version),
            ("/perspective", body.perspective == stands.perspective),
            (
                "/relationship",
                body.relationship.is_none_or(|named| stands.relationship == Some(named)),
            ),
        ];
        let detail = "This does not change once an assessment is made.";
        let changed = unchanged.into_iter().filter(|(_, same)| !same);
        Broken::unless_empty(changed.map(|(at, _)| Fault::new(at, "immutable", detail)).collect())?;
        let body = CreateAssessment {
            model_version: Some(version),
            // That it may have been retired since keeps no draft from being replaced.
            relationship: None,
            ..body
        };
        read_as(tx, name, body)?.valid()
    })?;
    draft.content = Answers {
        perspective_version: stands.perspective_version,
        relationship: stands.relationship,
        ..answers
    };
    store::assessments::save(tx, &before, &mut found)?;
    if amends {
        emit(tx, &found.life, "amended")?;
    }
    shown_draft(&found.life)
}
