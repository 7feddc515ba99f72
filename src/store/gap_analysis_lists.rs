//! Lists of gap analyses.

use diesel::{BoolExpressionMethods, ExpressionMethods, NullableExpressionMethods, QueryDsl, RunQueryDsl};

use super::{
    error::Result,
    fork::Json,
    journal,
    page::{Page, Position},
    schema::{gap_analyses::dsl, rounds::dsl as rounds, sealed_versions},
    tx::Tx,
};
use crate::domain::{
    digest::Digest,
    gap_analysis::{GapAnalysisItem, GapAnalysisStatus, Summary},
    id::{ClientId, GapAnalysisId, RelationshipId, RoundId},
    life_cycle::{Seal, Version},
    moment::Moment,
};

type ItemRow = (GapAnalysisId, Version, Json<Summary>, Moment, String, Moment, ClientId);

fn item((id, version, Json(summary), updated_at, digest, sealed_at, sealed_by): ItemRow) -> GapAnalysisItem {
    GapAnalysisItem {
        id,
        version,
        status: GapAnalysisStatus::Sealed,
        summary,
        updated_at,
        seal: Seal {
            digest: Digest::kept(digest),
            sealed_at,
            sealed_by,
        },
    }
}

/// Which gap analyses to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Changed at or after.
    pub updated_since: Option<Moment>,
    /// What this round found.
    pub round: Option<RoundId>,
    /// What rounds about this relationship found.
    pub relationship: Option<RelationshipId>,
}

/// A page of the organisation's gap analyses: newest first or, with `updated_since`, the longest unchanged first.
pub fn list(tx: &mut Tx<'_>, filter: &Filter, page: &Page) -> Result<(Vec<GapAnalysisItem>, Option<Position>)> {
    let updated_since = filter.updated_since;
    let found_by = || {
        let own = rounds::rounds.filter(rounds::organisation_id.eq(tx.actor.organisation));
        own.filter(rounds::gap_analysis_id.is_not_null())
            .select(rounds::gap_analysis_id.assume_not_null())
    };
    let mut query = dsl::gap_analyses
        .inner_join(journal::newest!(dsl))
        .filter(dsl::organisation_id.eq(tx.own()))
        .select((
            dsl::id,
            dsl::version,
            dsl::summary,
            dsl::updated_at,
            sealed_versions::digest,
            sealed_versions::sealed_at,
            sealed_versions::sealed_by,
        ))
        .into_boxed();
    if let Some(round) = filter.round {
        query = query.filter(dsl::id.eq_any(found_by().filter(rounds::id.eq(round))));
    }
    if let Some(relationship) = filter.relationship {
        query = query.filter(dsl::id.eq_any(found_by().filter(rounds::relationship_id.eq(relationship))));
    }
    if let Some(since) = updated_since {
        query = query
            .filter(dsl::updated_at.ge(since))
            .order((dsl::updated_at, dsl::id));
        if let Some(Position { at: Some(at), id }) = page.after {
            let after = dsl::updated_at.gt(at).or(dsl::id.gt(GapAnalysisId::from_uuid(id)));
            query = query.filter(dsl::updated_at.ge(at).and(after));
        }
    } else {
        query = query.order(dsl::id.desc());
        if let Some(after) = page.after {
            query = query.filter(dsl::id.lt(GapAnalysisId::from_uuid(after.id)));
        }
    }
    let rows: Vec<ItemRow> = query.limit(page.rows()).load(tx.conn)?;
    let items = rows.into_iter().map(item).collect();
    Ok(page.cut(items, |item| Position {
        at: updated_since.map(|_| item.updated_at),
        id: item.id.uuid(),
    }))
}
