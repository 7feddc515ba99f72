//! What becomes of an assessment: submitted, amended, withdrawn, restored.

use super::{
    Expected, Result, Revised,
    assessments::{emit, find, shown, shown_draft},
    erasure, respondents, seal,
};
use crate::{
    domain::{
        assessment::{Assessment, Life},
        fault::Broken,
        id::AssessmentId,
        life_cycle::Sealed,
        tombstone::Gone,
    },
    store::{self, assessments::Found, db::Tx},
};

/// Seals the draft as the next version.
pub fn submit(tx: &mut Tx<'_>, id: AssessmentId, expected: &Expected) -> Result<Revised<Assessment>> {
    let found = find(tx, id)?;
    submit_as(tx, found, expected, id)
}

/// The same, under another id from now on.
pub(super) fn submit_as(
    tx: &mut Tx<'_>,
    mut found: Found,
    expected: &Expected,
    id: AssessmentId,
) -> Result<Revised<Assessment>> {
    let before = found.life.clone();
    respondents::may_change(tx, &before)?;
    let mut answers = found.life.submittable()?.clone();
    expected.met_by(before.versioned.revision)?;
    let model = store::models::sealed_for_sure(tx, found.model, answers.model_version)?;
    Broken::unless_empty(answers.faults(&model.content))?;
    Broken::unless_incomplete(answers.missing(&model.content))?;
    let version = found.life.versioned.next_version();
    if id != before.id {
        found.life.id = id;
        found.life.created_at = tx.now();
        respondents::rename(tx, &mut answers, id);
    }
    let document = Assessment::of_version(id, found.life.created_at, version, &answers);
    let seal = seal(tx, &document)?;
    found.life.versioned.seal(Sealed {
        version,
        content: answers,
        seal,
    });
    respondents::keep(tx, &before, &mut found)?;
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
    change: impl FnOnce(&mut Life, &mut Tx<'_>) -> Result<()>,
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
    let amended = change(tx, id, expected, "amended", |life, tx| {
        respondents::may_change(tx, life)?;
        Ok(life.amend()?)
    });
    shown_draft(&amended?)
}

/// Discards an amendment.
pub fn discard_draft(tx: &mut Tx<'_>, id: AssessmentId, expected: &Expected) -> Result<()> {
    change(tx, id, expected, "draft_discarded", |life, tx| {
        expected.required()?;
        respondents::may_change(tx, life)?;
        life.not_withdrawn()?;
        Ok(life.versioned.discard_draft()?)
    })
    .map(drop)
}

/// Withdraws an assessment: it is never analysed again and, unless restored, erased after 30 days. What nobody could restore for
/// its respondent is erased at once.
pub fn withdraw(tx: &mut Tx<'_>, id: AssessmentId, expected: &Expected) -> Result<()> {
    let found = find(tx, id)?;
    expected.required()?;
    respondents::may_withdraw(tx, &found.life)?;
    if store::responses::has(tx, &found.life) {
        return erasure::erase(tx, id, expected);
    }
    let withdraw = |tx: &mut Tx<'_>| {
        change(tx, id, expected, "withdrawn", |life, tx| Ok(life.withdraw(tx.now())?))?;
        Ok(store::tombstones::bury(tx, Gone::AssessmentWithdrawn, id.uuid())?)
    };
    respondents::told(tx, &found.life, withdraw)
}

/// Takes a withdrawal back.
pub fn restore(tx: &mut Tx<'_>, id: AssessmentId, expected: &Expected) -> Result<Revised<Assessment>> {
    let life = change(tx, id, expected, "restored", |life, tx| {
        respondents::may_change(tx, life)?;
        Ok(life.restore()?)
    })?;
    store::tombstones::bury(tx, Gone::WithdrawalTakenBack, id.uuid())?;
    shown(&life)
}
