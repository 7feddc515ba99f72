//! Erasing an assessment, everywhere, at once and for good.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Error, Expected, Result,
    assessments::find,
    computation::{Computed, compute, renewed},
    gap_analyses::{emit, sealed},
    respondents,
};
use crate::{
    domain::{
        assessment::WITHDRAWN_FOR,
        event::{Event, Kind},
        fault::Broken,
        gap_analysis::{Analysis, Life},
        id::{AssessmentId, GapAnalysisId, OrganisationId},
        life_cycle::{Sealed, Version},
        moment::Moment,
        tombstone::Gone,
    },
    store::{self, db::Tx, gap_analyses::Remains},
};

/// Erases an assessment, and every version of a gap analysis that counted it or was compared with one that did.
///
/// Where the newest version of an analysis goes, the next is sealed from what remains; where nothing remains, the analysis
/// goes too. Numbers of deleted versions are never given again. Stored answers about any of these are blanked.
pub fn erase(tx: &mut Tx<'_>, id: AssessmentId, expected: &Expected) -> Result<()> {
    store::tombstones::ready(tx)?;
    store::gap_analyses::hold_off_sealing(tx)?;
    let found = find(tx, id)?;
    expected.met_by(found.life.versioned.revision)?;
    if store::responses::has(tx, &found.life) {
        return respondents::erase(tx, &found.life);
    }
    let erase = |tx: &mut Tx<'_>| {
        let counting = store::gap_analyses::counting(tx, id)?;
        store::assessments::erase(tx, &found.life)?;
        store::idempotency::blank(tx, id)?;
        erase_counted(tx, id, counting)?;
        store::events::emit(tx, &Event::new(Kind::Assessment, id.uuid(), "erased", None))?;
        Ok(store::tombstones::bury(tx, Gone::AssessmentErased, id.uuid())?)
    };
    respondents::told(tx, &found.life, erase)
}

/// Erases the versions of gap analyses that counted an assessment, and those that were compared with any of them; seals anew
/// what remains. Analyses are the organisation's: that they changed, and when, is told like any other change.
pub(super) fn erase_counted(
    tx: &mut Tx<'_>,
    erased: AssessmentId,
    counting: Vec<(GapAnalysisId, Version)>,
) -> Result<()> {
    tx.openly(|tx| erase_versions(tx, erased, counting))
}

fn erase_versions(tx: &mut Tx<'_>, erased: AssessmentId, counting: Vec<(GapAnalysisId, Version)>) -> Result<()> {
    let tainted = tainted(tx, counting)?;
    for (&analysis, versions) in &tainted {
        for &version in versions {
            store::gap_analyses::delete_version(tx, analysis, version)?;
        }
        store::idempotency::blank(tx, analysis)?;
    }
    let mut open: BTreeSet<GapAnalysisId> = tainted.keys().copied().collect();
    while let Some(&analysis) = open.first() {
        restore(tx, analysis, erased, &mut open)?;
    }
    Ok(())
}

/// These versions of gap analyses, and those that were compared, by however many steps, with one of them.
fn tainted(
    tx: &mut Tx<'_>,
    mut open: Vec<(GapAnalysisId, Version)>,
) -> Result<BTreeMap<GapAnalysisId, BTreeSet<Version>>> {
    let mut tainted: BTreeMap<GapAnalysisId, BTreeSet<Version>> = BTreeMap::new();
    while !open.is_empty() {
        open.retain(|(analysis, version)| tainted.entry(*analysis).or_default().insert(*version));
        open = store::gap_analyses::compared_with(tx, &open)?;
    }
    Ok(tainted)
}

/// Seals the next version of an analysis whose newest one was deleted, or deletes the analysis where nothing remains.
/// An analysis stands anew before those that are compared with it: the `open` ones it depends on come first.
fn restore(tx: &mut Tx<'_>, id: GapAnalysisId, erased: AssessmentId, open: &mut BTreeSet<GapAnalysisId>) -> Result<()> {
    open.remove(&id);
    let Some(mut remains) = store::gap_analyses::remains(tx, id)? else {
        return Ok(());
    };
    if let Some(baseline) = remains.request.baseline.filter(|baseline| open.contains(baseline)) {
        restore(tx, baseline, erased, open)?;
    }
    if let Some(named) = &mut remains.request.assessments {
        named.retain(|assessment| *assessment != erased);
    }
    if remains.left.contains(&remains.version) {
        return stand(tx, id, remains);
    }
    let renewed = renewed(tx, &remains.request)?;
    match compute(tx, renewed) {
        Ok(Computed { analysis, sources, .. }) => {
            let version = remains.last_version.saturating_add(1);
            let newest = sealed(tx, id, version, analysis)?;
            let mut life = Life {
                last_version: version,
                ..life(tx, id, remains, newest)
            };
            store::gap_analyses::save(tx, &mut life, Some(&sources))?;
            emit(tx, &life)
        }
        Err(Error::Broken(Broken::Invalid(_))) => stand(tx, id, remains),
        Err(other) => Err(other),
    }
}

/// Lets the newest version that is left stand; without any, the analysis goes.
fn stand(tx: &mut Tx<'_>, id: GapAnalysisId, remains: Remains) -> Result<()> {
    let Some(&version) = remains.left.last() else {
        return Ok(store::gap_analyses::delete(tx, id)?);
    };
    let newest = store::gap_analyses::version(tx, id, version)?.ok_or(Error::NotFound("version"))?;
    let mut life = life(tx, id, remains, newest);
    Ok(store::gap_analyses::save(tx, &mut life, None)?)
}

fn life(tx: &Tx<'_>, id: GapAnalysisId, remains: Remains, newest: Sealed<Analysis>) -> Life {
    let Remains {
        revision,
        last_version,
        request,
        ..
    } = remains;
    Life {
        id,
        revision,
        last_version,
        request,
        updated_at: tx.now(),
        newest,
    }
}

/// The assessments of all organisations whose time as withdrawn is over, at most so many.
pub fn due(tx: &mut Tx<'_>, most: i64) -> Result<Vec<(OrganisationId, AssessmentId)>> {
    let before = over(tx);
    Ok(store::assessment_lists::withdrawn_before(tx, before, most)?)
}

/// What was withdrawn before this is due.
fn over(tx: &Tx<'_>) -> Moment {
    tx.now().plus_seconds(-WITHDRAWN_FOR)
}

/// Erases an assessment whose time as withdrawn is over; one that was restored meanwhile is not found.
pub fn erase_if_due(tx: &mut Tx<'_>, id: AssessmentId) -> Result<()> {
    match find(tx, id)?.life.withdrawn_at {
        Some(at) if at < over(tx) => erase(tx, id, &Expected::Unsaid),
        _ => Err(Error::NotFound("assessment that is due")),
    }
}
