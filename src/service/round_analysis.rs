//! The analysis of a round: what was submitted to it, as far as it may be shown, and what its team agreed on.

use std::collections::BTreeMap;

use super::{Error, Result};
use crate::{
    domain::{
        agreed_reading,
        gap_analysis::Withholding,
        id::{AssessmentId, ModelId, RoundId},
        life_cycle::{Sealed, Version},
    },
    store::{assessment_lists::Input, db::Tx},
};

/// What an analysis of a round is made from.
pub(super) struct Heard {
    /// The model and its version, which the round fixed when it opened: there may be no submission to tell.
    pub model: (ModelId, Version),
    /// What was submitted, and neither withdrawn nor erased since.
    pub submissions: Vec<Input>,
    /// Of how few nothing is shown.
    pub withholding: Option<Withholding>,
    /// What the team agreed on.
    pub agreed: Option<Sealed<agreed_reading::Content>>,
}

pub(super) fn heard(_tx: &mut Tx<'_>, _round: RoundId) -> Result<Heard> {
    Err(Error::NotFound("round"))
}

pub(super) fn standing(
    _tx: &mut Tx<'_>,
    _round: RoundId,
    _ids: &[AssessmentId],
) -> Result<BTreeMap<AssessmentId, Version>> {
    Err(Error::NotFound("round"))
}
