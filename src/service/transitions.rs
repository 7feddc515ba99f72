//! What becomes of an assessment: submitted, amended, withdrawn, restored.

use super::{
    Expected, Result, Revised,
    assessments::{emit, find, shown, shown_draft},
    seal,
};
use crate::{
    domain::{
        assessment::{Assessment, Life},
        fault::Broken,
        id::AssessmentId,
        life_cycle::Sealed,
        tombstone::Gone,
    },
    store::{self, db::Tx},
};

/// Seals the draft as the next version.
pub fn submit(tx: &mut Tx<'_>, id: AssessmentId, expected: &Expected) -> Result<Revised<Assessment>> {
    let mut found = find(tx, id)?;
    let before = found.life.clone();
    let answers = found.life.submittable()?.clone();
    expected.met_by(before.versioned.revision)?;
    let model = store::models::sealed_for_sure(tx, found.model, answers.model_version)?;
    Broken::unless_empty(answers.faults(&model.content))?;
    Broken::unless_incomplete(answers.missing(&model.content))?;
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
    change: impl FnOnce(&mut Life, &Tx<'_>) -> Result<()>,
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
    shown_draft(&change(tx, id, expected, "amended", |life, _| Ok(life.amend()?))?)
}

/// Discards an amendment.
pub fn discard_draft(tx: &mut Tx<'_>, id: AssessmentId, expected: &Expected) -> Result<()> {
    change(tx, id, expected, "draft_discarded", |life, _| {
        expected.required()?;
        life.not_withdrawn()?;
        Ok(life.versioned.discard_draft()?)
    })
    .map(drop)
}

/// Withdraws an assessment: it is never analysed again and, unless restored, erased after 30 days.
pub fn withdraw(tx: &mut Tx<'_>, id: AssessmentId, expected: &Expected) -> Result<()> {
    change(tx, id, expected, "withdrawn", |life, tx| {
        expected.required()?;
        Ok(life.withdraw(tx.now())?)
    })?;
    Ok(store::tombstones::bury(tx, Gone::AssessmentWithdrawn, id.uuid())?)
}

/// Takes a withdrawal back.
pub fn restore(tx: &mut Tx<'_>, id: AssessmentId, expected: &Expected) -> Result<Revised<Assessment>> {
    let life = change(tx, id, expected, "restored", |life, _| Ok(life.restore()?))?;
    store::tombstones::bury(tx, Gone::WithdrawalTakenBack, id.uuid())?;
    shown(&life)
}
