//! The analysis of a round: what was submitted to it, as far as it may be shown, and what its team agreed on.

use std::collections::BTreeMap;

use super::{Error, Result};
use crate::{
    domain::{
        agreed_reading,
        gap_analysis::Withholding,
        id::{AssessmentId, GapAnalysisId, ModelId, RelationshipId, RoundId},
        life_cycle::{Sealed, Version},
        moment::Moment,
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

/// A round that was revealed.
pub(super) struct Revealed {
    /// Its id.
    pub id: RoundId,
    /// Its title.
    pub title: String,
    /// When.
    pub at: Moment,
    /// What it found.
    pub gap_analysis: GapAnalysisId,
}

/// The rounds about a relationship that were revealed, oldest first; of more than so many the newest.
pub(super) fn revealed(_tx: &mut Tx<'_>, _relationship: RelationshipId, _most: i64) -> Result<Vec<Revealed>> {
    Ok(Vec::new())
}

/// What a round found, if it is revealed.
pub(super) fn gap_analysis(_tx: &mut Tx<'_>, _round: RoundId) -> Result<Option<GapAnalysisId>> {
    Err(Error::NotFound("round"))
}
