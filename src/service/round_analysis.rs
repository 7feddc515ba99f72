//! What a round found.

use std::collections::BTreeMap;

use super::{
    Error, Result,
    computation::{Computed, compute, compute_voices},
    gap_analyses,
};
use crate::{
    domain::{
        fault::Broken,
        gap_analysis::{Request, Voice},
        id::GapAnalysisId,
        life_cycle::Version,
        round::Life,
        slug::Slug,
    },
    store::{
        self,
        db::Tx,
        page::{Page, Position},
    },
};

/// Seals what a round found as a gap analysis of what was submitted to it.
pub fn reveal(tx: &mut Tx<'_>, round: &Life) -> Result<GapAnalysisId> {
    store::rounds::unconceal(tx, round.id)?;
    let computed = if round.is_anonymous() {
        anonymous(tx, round)?
    } else {
        let inputs = store::assessment_lists::of_round(tx, round.id)?;
        let request = Request {
            assessments: Some(inputs.into_iter().map(|input| input.id).collect()),
            ..request(tx, round)?
        };
        compute(tx, request).map_err(|error| match error {
            Error::Broken(Broken::Invalid(faults)) if faults.iter().all(|fault| fault.code == "no_inputs") => NOTHING,
            other => other,
        })?
    };
    let created = gap_analyses::create(tx, &computed)?;
    created.shown.id.ok_or(Error::NotFound("gap analysis"))
}

const NOTHING: Error = Error::Broken(Broken::InvalidTransition(
    "Nothing was submitted: there is nothing to reveal.",
));

fn request(tx: &mut Tx<'_>, round: &Life) -> Result<Request> {
    let baseline = match round.content.baseline {
        Some(baseline) => store::rounds::find(tx, baseline)?.and_then(|baseline| baseline.gap_analysis),
        None => None,
    };
    Ok(Request {
        title: Some(round.content.title.clone()),
        assessments: None,
        select: None,
        baseline,
    })
}

/// What was submitted to an anonymous round, by perspectives from which enough people answered; without a word of who they are.
///
/// SEAM (branch `readings`): this only leaves small groups out. Withholding of single readings, and saying what is withheld, belong
/// here.
pub(super) fn anonymous(tx: &mut Tx<'_>, round: &Life) -> Result<Computed> {
    let submitted = store::responses::submitted(tx, round.id)?;
    if submitted.is_empty() {
        return Err(NOTHING);
    }
    let mut groups: BTreeMap<Slug, Vec<Voice>> = BTreeMap::new();
    for one in submitted {
        groups.entry(one.perspective.clone()).or_default().push(Voice {
            assessment: None,
            version: None,
            digest: None,
            perspective: one.perspective,
            relationship: round.content.relationship,
            levels: one.levels,
        });
    }
    let least = usize::try_from(round.content.minimum_group).unwrap_or(usize::MAX);
    let voices = groups
        .into_values()
        .filter(|group| group.len() >= least)
        .flatten()
        .collect();
    let request = request(tx, round)?;
    compute_voices(tx, request, (&round.content.model, round.content.model_version), voices)
}

/// Every version of a gap analysis that stands.
pub(super) fn versions(tx: &mut Tx<'_>, id: GapAnalysisId) -> Result<Vec<(GapAnalysisId, Version)>> {
    let (mut versions, mut after): (_, Option<Position>) = (Vec::new(), None);
    loop {
        let (lines, next) = store::journal::list(tx, id, &Page { limit: 200, after })?;
        versions.extend(lines.into_iter().map(|line| (id, line.version)));
        match next {
            Some(next) => after = Some(next),
            None => return Ok(versions),
        }
    }
}
