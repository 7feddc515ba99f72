//! The analysis of a round: what was submitted to it, as far as it may be shown, and what its team agreed on.
//!
//! What fewer than the round's minimum group said is withheld, in an anonymous round always. In a named or pseudonymous one its
//! organisers can read every single answer after the reveal, and who answers is told so; whoever else reads the analysis cannot.

use std::collections::BTreeMap;

use super::{
    Error, Result,
    computation::{self, Computed, baseline, computed, refused, voices},
    gap_analyses,
    models::referred,
};
use crate::{
    domain::{
        agreed_reading,
        fault::Broken,
        gap_analysis::{MOST_INPUTS, ModelRef, Options, Request, Voice, Withholding},
        id::{AssessmentId, GapAnalysisId, RoundId},
        life_cycle::{Sealed, Version},
        round::{Life, RoundStatus},
        slug::Slug,
    },
    store::{self, db::Tx},
};

/// What an analysis of a round is made from.
struct Heard {
    /// The model and the version of it that the round fixed when it opened.
    model: (Slug, Option<Version>),
    /// What was submitted, and neither withdrawn nor erased since.
    voices: Vec<Voice>,
    /// Of how few nothing is shown.
    withholding: Option<Withholding>,
    /// What the team agreed on.
    agreed: Option<Sealed<agreed_reading::Content>>,
}

/// Computes the analysis of a round's submissions, with what its team agreed on.
pub(super) fn compute(tx: &mut Tx<'_>, round: RoundId, request: Request) -> Result<Computed> {
    let Heard {
        model: (slug, version),
        voices,
        withholding,
        agreed,
    } = heard(tx, round)?;
    if voices.is_empty() {
        return Err(refused("", "no_inputs", "Nothing was submitted to the round."));
    }
    if voices.len() > MOST_INPUTS {
        let detail = "More than 10,000 assessments were submitted to the round.";
        return Err(refused("", "too_many_inputs", detail));
    }
    let baseline = baseline(tx, request.baseline)?;
    let (head, sealed) = referred(tx, &slug, version)?;
    let model = ModelRef {
        slug: head.slug,
        version: sealed.version,
        digest: sealed.seal.digest.clone(),
    };
    let options = Options {
        title: request.title.clone(),
        withholding: withholding.as_ref(),
        baseline: None,
    };
    let (mut analysis, sources) = computed(tx, model, &sealed.content, voices, baseline.as_ref(), options)?;
    analysis.round = Some(round);
    analysis.agree(agreed.as_ref());
    Ok(Computed {
        request,
        analysis,
        sources,
    })
}

/// What was heard in a round so far.
fn heard(tx: &mut Tx<'_>, id: RoundId) -> Result<Heard> {
    let round = find(tx, id)?;
    let voices = if round.is_anonymous() {
        unnamed(tx, &round)?
    } else {
        named(tx, &round)?
    };
    Ok(Heard {
        voices,
        withholding: withholding(&round),
        agreed: store::agreed_readings::find(tx, id)?.map(|life| life.newest),
        model: (round.content.model, round.content.model_version),
    })
}

fn find(tx: &mut Tx<'_>, id: RoundId) -> Result<Life> {
    store::rounds::find(tx, id)?.ok_or(Error::NotFound("round"))
}

fn withholding(round: &Life) -> Option<Withholding> {
    let perspectives = round.content.perspectives.iter();
    round.content.least_shown().map(|least| Withholding {
        minimum_group: u32::try_from(least).unwrap_or(u32::MAX),
        perspectives: perspectives.map(|asked| asked.perspective.clone()).collect(),
    })
}

/// The submissions of an anonymous round. Their ids are known here, for erasing to follow, and shown nowhere.
fn unnamed(tx: &mut Tx<'_>, round: &Life) -> Result<Vec<Voice>> {
    let submitted = store::responses::submitted(tx, round.id)?.into_iter();
    let voices = submitted.map(|one| Voice {
        assessment: Some(one.id),
        version: Some(one.version),
        digest: None,
        perspective: one.perspective,
        relationship: round.content.relationship,
        levels: one.levels,
    });
    Ok(voices.collect())
}

/// The submissions of any other round, but for those that were migrated to another version of the model since.
fn named(tx: &mut Tx<'_>, round: &Life) -> Result<Vec<Voice>> {
    let version = round.content.model_version;
    let mut inputs = store::assessment_lists::of_round(tx, round.id)?;
    inputs.retain(|input| version.is_none_or(|version| input.model_version == version));
    Ok(voices(inputs))
}

/// Those of these submissions that still count, each with its version.
pub(super) fn standing(tx: &mut Tx<'_>, id: RoundId, ids: &[AssessmentId]) -> Result<BTreeMap<AssessmentId, Version>> {
    if find(tx, id)?.is_anonymous() {
        let submitted = store::responses::submitted(tx, id)?.into_iter();
        let submitted: BTreeMap<AssessmentId, Version> = submitted.map(|one| (one.id, one.version)).collect();
        return Ok(ids.iter().filter_map(|id| Some((*id, *submitted.get(id)?))).collect());
    }
    Ok(store::assessment_lists::standing(tx, ids)?)
}

/// Seals what a round found as a gap analysis of what was submitted to it.
pub fn reveal(tx: &mut Tx<'_>, round: &Life) -> Result<GapAnalysisId> {
    // What is counted here stands: it is read after whatever was erased, and nothing is until this is sealed.
    store::gap_analyses::hold_off_erasures(tx)?;
    let baseline = match round.content.baseline {
        Some(baseline) => found_by(tx, baseline)?,
        None => None,
    };
    let request = Request {
        title: Some(round.content.title.clone()),
        assessments: None,
        select: None,
        baseline,
        round: Some(round.id),
    };
    let computed = computation::compute(tx, request).map_err(|error| match error {
        Error::Broken(Broken::Invalid(faults)) if faults.iter().all(|fault| fault.code == "no_inputs") => {
            Broken::InvalidTransition("Nothing was submitted: there is nothing to reveal.").into()
        }
        other => other,
    })?;
    let created = gap_analyses::keep(tx, &computed)?;
    created.shown.id.ok_or(Error::NotFound("gap analysis"))
}

/// What a baseline found, unless that was erased since; it has to be revealed.
fn found_by(tx: &mut Tx<'_>, baseline: RoundId) -> Result<Option<GapAnalysisId>> {
    let earlier = store::rounds::find(tx, baseline)?;
    let found = earlier.and_then(|earlier| earlier.gap_analysis);
    let found = found.ok_or(Broken::BaselineNotRevealed(baseline))?;
    Ok(store::gap_analyses::newest_version(tx, found)?.map(|_| found))
}

/// What a round found, if it is revealed.
pub(super) fn gap_analysis(tx: &mut Tx<'_>, round: RoundId) -> Result<Option<GapAnalysisId>> {
    let round = find(tx, round)?;
    Ok(round.gap_analysis.filter(|_| round.status == RoundStatus::Revealed))
}
