//! What becomes of an assessment after it was submitted: amended, withdrawn, restored.

use super::{
    Expected, Result, Revised,
    assessments::{emit, find, shown, shown_draft},
};
use crate::{
    domain::{
        assessment::{Assessment, Life},
        fault::Broken,
        id::AssessmentId,
    },
    store::{self, db::Tx},
};

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
