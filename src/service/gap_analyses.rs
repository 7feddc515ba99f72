//! Gap analyses: computed while reading, sealed while writing.

use std::{collections::BTreeMap, sync::Arc};

use uuid::Uuid;

use super::{
    Error, Expected, Result, Revised,
    computation::{Computed, compute, renewed},
    diff::Diff,
    models::referred,
    round_analysis, seal,
};
use crate::{
    domain::{
        agreed_reading,
        event::{Event, Kind},
        gap_analysis::{Analysis, GapAnalysis, GapAnalysisItem, Life, may_follow},
        id::{AssessmentId, GapAnalysisId},
        life_cycle::{Sealed, Version},
    },
    store::{
        self,
        db::Tx,
        gap_analysis_lists::Filter,
        journal,
        models::SealedModel,
        page::{Page, Position},
    },
};

const GAP_ANALYSIS: &str = "gap analysis";

/// How recomputing ended.
#[derive(Debug, Clone)]
pub enum Recomputed {
    /// The inputs, the baseline and the formula are the same: nothing was sealed.
    Same(Revised<GapAnalysis>),
    /// The next version.
    Next(Revised<GapAnalysis>),
}

/// Whether every input of a computed analysis is still the newest version of a submitted assessment; none of them is erased
/// before the transaction ends.
fn still_stands(tx: &mut Tx<'_>, computed: &Computed) -> Result<()> {
    store::gap_analyses::hold_off_erasures(tx)?;
    let sources = &computed.sources;
    let expected: BTreeMap<AssessmentId, Version> = sources
        .assessments
        .iter()
        .map(|(id, (version, _))| (*id, *version))
        .collect();
    let ids: Vec<AssessmentId> = expected.keys().copied().collect();
    let standing = match computed.request.round {
        None => store::assessment_lists::standing(tx, &ids)?,
        Some(round) => round_analysis::standing(tx, round, &ids)?,
    };
    let baseline_stands = match sources.baseline {
        None => true,
        Some((id, version)) => store::gap_analyses::newest_version(tx, id)? == Some(version),
    };
    if standing == expected && baseline_stands {
        Ok(())
    } else {
        Err(Error::InputsChanged)
    }
}

/// Seals a computed analysis as version 1 of a new one.
pub fn create(tx: &mut Tx<'_>, computed: &Computed) -> Result<Revised<GapAnalysis>> {
    still_stands(tx, computed)?;
    keep(tx, computed)
}

/// The same, of what still stands for sure.
pub(super) fn keep(tx: &mut Tx<'_>, computed: &Computed) -> Result<Revised<GapAnalysis>> {
    let Computed {
        request,
        analysis,
        sources,
    } = computed;
    let id = tx.new_id();
    let life = Life {
        id,
        revision: 1,
        last_version: 1,
        request: request.clone(),
        updated_at: tx.now(),
        newest: sealed(tx, id, 1, analysis.clone())?,
    };
    store::gap_analyses::insert(tx, &life, sources)?;
    emit(tx, &life)?;
    Ok(revised(&life))
}

pub(super) fn sealed(tx: &Tx<'_>, id: GapAnalysisId, version: Version, content: Analysis) -> Result<Sealed<Analysis>> {
    let seal = seal(tx, &GapAnalysis::of_version(id, version, content.clone()))?;
    Ok(Sealed { version, content, seal })
}

pub(super) fn emit(tx: &mut Tx<'_>, life: &Life) -> Result<()> {
    let event = Event::new(Kind::GapAnalysis, life.id.uuid(), "sealed", Some(life.newest.version));
    Ok(store::events::emit(tx, &event)?)
}

fn revised(life: &Life) -> Revised<GapAnalysis> {
    Revised {
        shown: GapAnalysis::of_sealed(life.id, &life.newest),
        revision: life.revision,
    }
}

/// One of the organisation's gap analyses, or that there is none.
pub fn find(tx: &mut Tx<'_>, id: GapAnalysisId) -> Result<Life> {
    store::gap_analyses::find(tx, id)?.ok_or(Error::NotFound(GAP_ANALYSIS))
}

/// Fails where there is no such gap analysis; reads nothing of it.
fn exists(tx: &mut Tx<'_>, id: GapAnalysisId) -> Result<()> {
    let newest = store::gap_analyses::newest_version(tx, id)?;
    newest.map(drop).ok_or(Error::NotFound(GAP_ANALYSIS))
}

/// A gap analysis's newest version.
pub fn get(tx: &mut Tx<'_>, id: GapAnalysisId) -> Result<Revised<GapAnalysis>> {
    Ok(revised(&find(tx, id)?))
}

/// The definition that an analysis was made with, for its labels.
pub fn definition(tx: &mut Tx<'_>, analysis: &Analysis) -> Result<Arc<SealedModel>> {
    Ok(referred(tx, &analysis.model.slug, Some(analysis.model.version))?.1)
}

/// Computes an analysis anew.
pub fn recompute(tx: &mut Tx<'_>, id: GapAnalysisId, expected: &Expected) -> Result<Computed> {
    let life = find(tx, id)?;
    expected.met_by(life.revision)?;
    let request = renewed(tx, &life.request)?;
    compute(tx, request)
}

/// Seals what was computed anew as the next version, unless nothing it was computed from has changed.
pub fn seal_recomputed(
    tx: &mut Tx<'_>,
    id: GapAnalysisId,
    expected: &Expected,
    computed: &Computed,
) -> Result<Recomputed> {
    let mut life = find(tx, id)?;
    expected.met_by(life.revision)?;
    still_stands(tx, computed)?;
    if !may_be_next(tx, &life, computed)? {
        return Ok(Recomputed::Same(revised(&life)));
    }
    life.last_version = life.last_version.saturating_add(1);
    life.newest = sealed(tx, id, life.last_version, computed.analysis.clone())?;
    store::gap_analyses::save(tx, &mut life, Some(&computed.sources))?;
    emit(tx, &life)?;
    Ok(Recomputed::Next(revised(&life)))
}

/// Whether what was computed anew is another analysis, and one that may be shown beside the last.
fn may_be_next(tx: &mut Tx<'_>, life: &Life, computed: &Computed) -> Result<bool> {
    let Sealed { version, content, .. } = &life.newest;
    let before: BTreeMap<Uuid, Version> = store::gap_analyses::sources(tx, life.id, *version)?
        .into_iter()
        .collect();
    let now: BTreeMap<Uuid, Version> = computed.sources.all().collect();
    let is_same = before == now && computed.analysis.is_made_like(content);
    let may_follow = content
        .minimum_group
        .is_none_or(|least| may_follow(least, &content.inputs, &before, &computed.sources));
    Ok(!is_same && may_follow)
}

/// Seals the same analysis with what a team agreed on: nothing is counted anew, so that no two versions can be subtracted.
pub(super) fn agree(tx: &mut Tx<'_>, mut life: Life, agreed: &Sealed<agreed_reading::Content>) -> Result<()> {
    // What the version before was computed from is erased with it, and so must this one be.
    store::gap_analyses::hold_off_erasures(tx)?;
    let (id, before) = (life.id, life.newest.version);
    let mut content = life.newest.content;
    content.agree(Some(agreed));
    life.last_version = life.last_version.saturating_add(1);
    life.newest = sealed(tx, id, life.last_version, content)?;
    store::gap_analyses::save_like(tx, &mut life, before)?;
    emit(tx, &life)
}

/// A page of the organisation's gap analyses, without their longest parts.
pub fn list(tx: &mut Tx<'_>, filter: &Filter, page: &Page) -> Result<(Vec<GapAnalysisItem>, Option<Position>)> {
    Ok(store::gap_analysis_lists::list(tx, filter, page)?)
}

/// A page of a gap analysis's versions.
pub fn versions(tx: &mut Tx<'_>, id: GapAnalysisId, page: &Page) -> Result<(Vec<journal::Line>, Option<Position>)> {
    exists(tx, id)?;
    Ok(journal::list(tx, id, page)?)
}

/// A version of a gap analysis.
pub fn version(tx: &mut Tx<'_>, id: GapAnalysisId, version: Version) -> Result<GapAnalysis> {
    exists(tx, id)?;
    let sealed = store::gap_analyses::version(tx, id, version)?.ok_or(Error::NotFound("version"))?;
    Ok(GapAnalysis::of_sealed(id, &sealed))
}

/// What differs between two versions.
pub fn diff(tx: &mut Tx<'_>, id: GapAnalysisId, from: Version, to: Version) -> Result<Diff> {
    let (before, after) = (version(tx, id, from)?, version(tx, id, to)?);
    Diff::between((from, &before), (to, &after))
}
