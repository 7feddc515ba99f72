//! Assessments, many at a time: lists, and the inputs of an analysis.

use std::collections::BTreeMap;

use diesel::{BoolExpressionMethods, ExpressionMethods, NullableExpressionMethods, QueryDsl, RunQueryDsl};

use super::{
    assessments::{Head, Newest, life},
    disclosure::disclosed,
    error::Result,
    external_ids,
    fork::either,
    journal,
    page::{Page, Position},
    schema::{assessments::dsl, sealed_versions},
    tx::Tx,
};
use crate::domain::{
    assessment::{AssessmentStatus, Life},
    digest::Digest,
    event::Kind,
    external_id::ExternalId,
    id::{AssessmentId, ModelId, OrganisationId, RelationshipId, RoundId},
    life_cycle::Version,
    moment::Moment,
    ratings::Levels,
    slug::Slug,
};

/// Which assessments to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// In this state; without one, all but the withdrawn.
    pub status: Option<AssessmentStatus>,
    /// From this perspective.
    pub perspective: Option<Slug>,
    /// Of this model.
    pub model: Option<Slug>,
    /// About this relationship.
    pub relationship: Option<RelationshipId>,
    /// Of this round.
    pub round: Option<RoundId>,
    /// With this name in another system.
    pub external_id: Option<ExternalId>,
    /// Changed at or after; also orders by that, oldest first.
    pub updated_since: Option<Moment>,
    /// Whose newest sealed version was sealed at or after.
    pub submitted_from: Option<Moment>,
    /// Whose newest sealed version was sealed before.
    pub submitted_to: Option<Moment>,
}

macro_rules! with_newest {
    () => {
        dsl::assessments.left_join(journal::newest!(dsl, nullable))
    };
}

/// The levels are the longest part, and left out of lists: NULL stands for them.
macro_rules! no_levels {
    () => {
        diesel::dsl::sql::<diesel::sql_types::Nullable<diesel::sql_types::Binary>>("NULL")
    };
}

/// The columns of an assessment and its newest version, without their levels.
macro_rules! without_levels {
    () => {
        (
            (
                dsl::id,
                dsl::model_id,
                dsl::revision,
                dsl::withdrawn_at,
                dsl::created_at,
                dsl::updated_at,
                dsl::draft,
                no_levels!(),
                dsl::draft_based_on,
            ),
            (
                sealed_versions::version,
                sealed_versions::document,
                no_levels!(),
                sealed_versions::digest,
                sealed_versions::sealed_at,
                sealed_versions::sealed_by,
            )
                .nullable(),
        )
    };
}

/// The organisation's assessments that its clients see.
macro_rules! listed {
    ($tx:expr) => {
        with_newest!()
            .filter(dsl::organisation_id.eq($tx.own()))
            .filter(disclosed!())
            .select(without_levels!())
    };
}

/// A page of the organisation's assessments, without their ratings: one query.
pub fn list(tx: &mut Tx<'_>, filter: &Filter, page: &Page) -> Result<(Vec<Life>, Option<Position>)> {
    let mut query = listed!(tx).into_boxed();
    query = match filter.status {
        None => query.filter(dsl::withdrawn_at.is_null()),
        Some(AssessmentStatus::Withdrawn) => query.filter(dsl::withdrawn_at.is_not_null()),
        Some(AssessmentStatus::Submitted) => query
            .filter(dsl::withdrawn_at.is_null())
            .filter(dsl::version.is_not_null()),
        Some(AssessmentStatus::Draft) => query.filter(dsl::withdrawn_at.is_null()).filter(dsl::version.is_null()),
    };
    if let Some(perspective) = &filter.perspective {
        query = query.filter(dsl::perspective.eq(perspective.as_str()));
    }
    if let Some(model) = &filter.model {
        query = query.filter(dsl::model.eq(model.as_str()));
    }
    if let Some(relationship) = filter.relationship {
        query = query.filter(dsl::relationship_id.eq(relationship));
    }
    if let Some(round) = filter.round {
        query = query.filter(dsl::round_id.eq(round));
    }
    if let Some(from) = filter.submitted_from {
        query = query.filter(dsl::submitted_at.ge(from));
    }
    if let Some(to) = filter.submitted_to {
        query = query.filter(dsl::submitted_at.lt(to));
    }
    if let Some(name) = &filter.external_id {
        match external_ids::find::<crate::domain::id::Assessment>(tx, Kind::Assessment, name)? {
            Some(id) => query = query.filter(dsl::id.eq(id)),
            None => return Ok((Vec::new(), None)),
        }
    }
    if let Some(since) = filter.updated_since {
        query = query
            .filter(dsl::updated_at.ge(since))
            .order((dsl::updated_at, dsl::id));
        if let Some(Position { at: Some(at), id }) = page.after {
            let after = dsl::updated_at.gt(at).or(dsl::id.gt(AssessmentId::from_uuid(id)));
            query = query.filter(dsl::updated_at.ge(at).and(after));
        }
    } else {
        query = query.order(dsl::id.desc());
        if let Some(after) = page.after {
            query = query.filter(dsl::id.lt(AssessmentId::from_uuid(after.id)));
        }
    }
    let rows: Vec<(Head, Newest)> = query.limit(page.rows()).load(tx.conn)?;
    let lives: Vec<Life> = rows
        .into_iter()
        .map(|(head, newest)| life(tx, head, newest).map(|(_, life)| life))
        .collect::<Result<_>>()?;
    let by_update = filter.updated_since.is_some();
    Ok(page.cut(lives, |life| Position {
        at: by_update.then_some(life.updated_at),
        id: life.id.uuid(),
    }))
}

/// What an analysis reads of an assessment: its newest sealed version's levels, and nothing that people wrote.
#[derive(Debug, Clone, PartialEq)]
pub struct Input {
    /// The assessment.
    pub id: AssessmentId,
    /// Its model.
    pub model: ModelId,
    /// The version of that model.
    pub model_version: Version,
    /// From whose perspective.
    pub perspective: Slug,
    /// The relationship it is about; none for the service as a whole.
    pub relationship: Option<RelationshipId>,
    /// The newest sealed version; none where nothing was ever submitted.
    pub sealed: Option<(Version, Digest, Levels)>,
    /// Whether it is withdrawn.
    pub withdrawn: bool,
}

type InputRow = (
    AssessmentId,
    ModelId,
    Version,
    String,
    Option<RelationshipId>,
    Option<Moment>,
    Option<(Version, String, Option<Vec<u8>>)>,
);

fn input((id, model, model_version, perspective, relationship, withdrawn_at, sealed): InputRow) -> Result<Input> {
    Ok(Input {
        id,
        model,
        model_version,
        perspective: perspective
            .parse()
            .map_err(|_| super::error::Error::Corrupt("a slug"))?,
        relationship,
        sealed: sealed.map(|(version, digest, levels)| {
            (
                version,
                Digest::kept(digest),
                Levels::from_bytes(levels.unwrap_or_default()),
            )
        }),
        withdrawn: withdrawn_at.is_some(),
    })
}

macro_rules! input_columns {
    () => {
        (
            dsl::id,
            dsl::model_id,
            dsl::model_version,
            dsl::perspective,
            dsl::relationship_id,
            dsl::withdrawn_at,
            (
                sealed_versions::version,
                sealed_versions::digest,
                sealed_versions::levels,
            )
                .nullable(),
        )
    };
}

macro_rules! inputs {
    ($tx:expr) => {
        with_newest!()
            .filter(dsl::organisation_id.eq($tx.own()))
            .filter(disclosed!())
            .select(input_columns!())
    };
}

/// How many ids one statement names: `SQLite` takes no more than 32,766 values.
const CHUNK: usize = 5000;

/// Those of these assessments that are the organisation's, in no particular order.
pub fn inputs(tx: &mut Tx<'_>, ids: &[AssessmentId]) -> Result<Vec<Input>> {
    let mut found = Vec::with_capacity(ids.len());
    for chunk in ids.chunks(CHUNK) {
        let query = inputs!(tx).filter(dsl::id.eq_any(chunk));
        let rows: Vec<InputRow> = either!(tx.conn, conn => query.load(conn))?;
        for row in rows {
            found.push(input(row)?);
        }
    }
    Ok(found)
}

/// The levels of these versions of the organisation's assessments, which an analysis has counted.
pub fn levels(tx: &mut Tx<'_>, counted: &BTreeMap<AssessmentId, Version>) -> Result<BTreeMap<AssessmentId, Levels>> {
    let ids: Vec<AssessmentId> = counted.keys().copied().collect();
    let mut levels = BTreeMap::new();
    for chunk in ids.chunks(CHUNK) {
        let query = sealed_versions::table
            .filter(sealed_versions::organisation_id.eq(tx.own()))
            .filter(sealed_versions::resource_id.eq_any(chunk))
            .select((
                sealed_versions::resource_id,
                sealed_versions::version,
                sealed_versions::levels,
            ));
        let rows: Vec<(AssessmentId, Version, Option<Vec<u8>>)> = either!(tx.conn, conn => query.load(conn))?;
        let counted = rows
            .into_iter()
            .filter(|(id, version, _)| counted.get(id) == Some(version));
        levels.extend(counted.map(|(id, _, bytes)| (id, Levels::from_bytes(bytes.unwrap_or_default()))));
    }
    Ok(levels)
}

/// Which assessments an analysis selects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// Of this model.
    pub model: ModelId,
    /// Of this version of it.
    pub model_version: Option<Version>,
    /// From one of these perspectives; from any where empty.
    pub perspectives: Vec<Slug>,
    /// About this relationship; about any, and about the service as a whole, where none is named.
    pub relationship: Option<RelationshipId>,
    /// Whose newest sealed version was sealed at or after.
    pub submitted_from: Option<Moment>,
    /// Whose newest sealed version was sealed before.
    pub submitted_to: Option<Moment>,
}

/// The submitted assessments that meet a selection, at most so many, in the order of their ids.
pub fn selected(tx: &mut Tx<'_>, selection: &Selection, most: i64) -> Result<Vec<Input>> {
    let mut query = inputs!(tx)
        .filter(dsl::withdrawn_at.is_null())
        .filter(dsl::version.is_not_null())
        .filter(dsl::model_id.eq(selection.model))
        .into_boxed();
    if let Some(version) = selection.model_version {
        query = query.filter(dsl::model_version.eq(version));
    }
    if !selection.perspectives.is_empty() {
        let slugs: Vec<String> = selection.perspectives.iter().map(ToString::to_string).collect();
        query = query.filter(dsl::perspective.eq_any(slugs));
    }
    if let Some(relationship) = selection.relationship {
        query = query.filter(dsl::relationship_id.eq(relationship));
    }
    if let Some(from) = selection.submitted_from {
        query = query.filter(dsl::submitted_at.ge(from));
    }
    if let Some(to) = selection.submitted_to {
        query = query.filter(dsl::submitted_at.lt(to));
    }
    let rows: Vec<InputRow> = query.order(dsl::id).limit(most).load(tx.conn)?;
    rows.into_iter().map(input).collect()
}

/// The submitted assessments of a round, concealed or not, in the order of their ids.
pub fn of_round(tx: &mut Tx<'_>, round: RoundId) -> Result<Vec<Input>> {
    let query = with_newest!()
        .filter(dsl::organisation_id.eq(tx.own()))
        .filter(dsl::round_id.eq(round))
        .filter(dsl::withdrawn_at.is_null())
        .filter(dsl::version.is_not_null())
        .select(input_columns!())
        .order(dsl::id);
    let rows: Vec<InputRow> = either!(tx.conn, conn => query.load(conn))?;
    rows.into_iter().map(input).collect()
}

/// Those of these assessments that an analysis may count, each with the number of its newest sealed version.
pub fn standing(tx: &mut Tx<'_>, ids: &[AssessmentId]) -> Result<BTreeMap<AssessmentId, Version>> {
    let mut standing = BTreeMap::new();
    for chunk in ids.chunks(CHUNK) {
        let query = dsl::assessments
            .filter(dsl::organisation_id.eq(tx.own()))
            .filter(dsl::withdrawn_at.is_null())
            .filter(dsl::id.eq_any(chunk))
            .select((dsl::id, dsl::version));
        let rows: Vec<(AssessmentId, Option<Version>)> = either!(tx.conn, conn => query.load(conn))?;
        standing.extend(rows.into_iter().filter_map(|(id, version)| Some((id, version?))));
    }
    Ok(standing)
}

/// The assessments of all organisations that were withdrawn before `before`, at most so many.
pub fn withdrawn_before(tx: &mut Tx<'_>, before: Moment, most: i64) -> Result<Vec<(OrganisationId, AssessmentId)>> {
    Ok(dsl::assessments
        .filter(dsl::withdrawn_at.lt(before))
        .select((dsl::organisation_id, dsl::id))
        .order(dsl::withdrawn_at)
        .limit(most)
        .load(tx.conn)?)
}
