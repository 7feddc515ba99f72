//! Rounds, as they are kept.

use std::collections::BTreeMap;

use diesel::{
    BoolExpressionMethods, ExpressionMethods, Insertable, OptionalExtension, QueryDsl, Queryable, RunQueryDsl,
    dsl::{count_star, not, sum},
};

use super::{
    constellations,
    error::{Error, Result},
    fork::{Json, either},
    page::{Page, Position},
    responses,
    schema::{
        assessments::dsl as assessments,
        invitations::dsl as invitations,
        rounds::{self, dsl},
    },
    tx::Tx,
};
use crate::domain::{
    id::{ConstellationId, GapAnalysisId, OrganisationId, RelationshipId, RoundId},
    life_cycle::Version,
    moment::Moment,
    round::{Content, Life, Progress, RoundStatus},
};

#[derive(Queryable)]
struct Row {
    id: RoundId,
    revision: i64,
    status: String,
    content: Json<Content>,
    constellation_version: Option<Version>,
    gap_analysis_id: Option<GapAnalysisId>,
    opened_at: Option<Moment>,
    closed_at: Option<Moment>,
    revealed_at: Option<Moment>,
    cancelled_at: Option<Moment>,
    created_at: Moment,
    updated_at: Moment,
}

macro_rules! columns {
    () => {
        (
            dsl::id,
            dsl::revision,
            dsl::status,
            dsl::content,
            dsl::constellation_version,
            dsl::gap_analysis_id,
            dsl::opened_at,
            dsl::closed_at,
            dsl::revealed_at,
            dsl::cancelled_at,
            dsl::created_at,
            dsl::updated_at,
        )
    };
}

fn life(row: Row) -> Result<Life> {
    let Json(content) = row.content;
    Ok(Life {
        id: row.id,
        revision: row.revision,
        status: RoundStatus::of_key(&row.status).ok_or(Error::Corrupt("a round's status"))?,
        content,
        constellation_version: row.constellation_version,
        gap_analysis: row.gap_analysis_id,
        opened_at: row.opened_at,
        closed_at: row.closed_at,
        revealed_at: row.revealed_at,
        cancelled_at: row.cancelled_at,
        created_at: row.created_at,
        updated_at: row.updated_at,
    })
}

/// One of the organisation's rounds.
pub fn find(tx: &mut Tx<'_>, id: RoundId) -> Result<Option<Life>> {
    let query = dsl::rounds
        .filter(dsl::organisation_id.eq(tx.own()))
        .filter(dsl::id.eq(id))
        .select(columns!());
    let row: Option<Row> = either!(tx.conn, conn => query.get_result(conn)).optional()?;
    row.map(life).transpose()
}

/// The round that found this.
pub fn of_gap_analysis(tx: &mut Tx<'_>, id: GapAnalysisId) -> Result<Option<Life>> {
    let row: Option<Row> = dsl::rounds
        .filter(dsl::organisation_id.eq(tx.own()))
        .filter(dsl::gap_analysis_id.eq(id))
        .select(columns!())
        .first(tx.conn)
        .optional()?;
    row.map(life).transpose()
}

/// The rounds about a relationship that were revealed, oldest first; of more than so many the newest.
pub fn revealed_about(tx: &mut Tx<'_>, relationship: RelationshipId, most: i64) -> Result<Vec<Life>> {
    let rows: Vec<Row> = dsl::rounds
        .filter(dsl::organisation_id.eq(tx.own()))
        .filter(dsl::relationship_id.eq(relationship))
        .filter(dsl::status.eq(RoundStatus::Revealed.key()))
        .select(columns!())
        .order((dsl::revealed_at.desc(), dsl::id.desc()))
        .limit(most)
        .load(tx.conn)?;
    rows.into_iter().rev().map(life).collect()
}

/// Which rounds to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Changed at or after.
    pub updated_since: Option<Moment>,
    /// The constellation they are about, or one of its relationships.
    pub constellation: Option<ConstellationId>,
    /// Where they stand.
    pub status: Option<RoundStatus>,
    /// The relationship they are about.
    pub relationship: Option<RelationshipId>,
}

/// A page of the organisation's rounds: newest first or, with `updated_since`, the longest unchanged first.
pub fn list(tx: &mut Tx<'_>, filter: &Filter, page: &Page) -> Result<(Vec<Life>, Option<Position>)> {
    let mut query = dsl::rounds
        .filter(dsl::organisation_id.eq(tx.own()))
        .select(columns!())
        .into_boxed();
    if let Some(status) = filter.status {
        query = query.filter(dsl::status.eq(status.key()));
    }
    if let Some(relationship) = filter.relationship {
        query = query.filter(dsl::relationship_id.eq(relationship));
    }
    if let Some(constellation) = filter.constellation {
        query = query.filter(dsl::constellation_id.eq(constellation));
    }
    if let Some(since) = filter.updated_since {
        query = query
            .filter(dsl::updated_at.ge(since))
            .order((dsl::updated_at, dsl::id));
        if let Some(Position { at: Some(at), id }) = page.after {
            let after = dsl::updated_at.gt(at).or(dsl::id.gt(RoundId::from_uuid(id)));
            query = query.filter(dsl::updated_at.ge(at).and(after));
        }
    } else {
        query = query.order(dsl::id.desc());
        if let Some(after) = page.after {
            query = query.filter(dsl::id.lt(RoundId::from_uuid(after.id)));
        }
    }
    let rows: Vec<Row> = query.limit(page.rows()).load(tx.conn)?;
    let lives = rows.into_iter().map(life).collect::<Result<_>>()?;
    Ok(page.cut(lives, |life: &Life| Position {
        at: filter.updated_since.map(|_| life.updated_at),
        id: life.id.uuid(),
    }))
}

#[derive(Insertable)]
#[diesel(table_name = rounds, treat_none_as_default_value = false)]
struct NewRow<'a> {
    organisation_id: OrganisationId,
    id: RoundId,
    revision: i64,
    status: &'a str,
    content: Json<Content>,
    relationship_id: Option<RelationshipId>,
    constellation_id: Option<ConstellationId>,
    opens_at: Option<Moment>,
    closes_at: Option<Moment>,
    created_at: Moment,
    updated_at: Moment,
}

/// Lets nobody delete the relationship that a round names, until this transaction ends.
fn hold(tx: &mut Tx<'_>, life: &Life) -> Result<()> {
    match life.content.relationship {
        Some(relationship) => constellations::hold(tx, relationship),
        None => Ok(()),
    }
}

/// Keeps a new round.
pub fn insert(tx: &mut Tx<'_>, life: &Life) -> Result<()> {
    hold(tx, life)?;
    diesel::insert_into(dsl::rounds)
        .values(NewRow {
            organisation_id: tx.own(),
            id: life.id,
            revision: life.revision,
            status: life.status.key(),
            relationship_id: life.content.relationship,
            constellation_id: life.content.constellation,
            opens_at: life.content.opens_at,
            closes_at: life.content.closes_at,
            content: Json(life.content.clone()),
            created_at: life.created_at,
            updated_at: life.updated_at,
        })
        .execute(tx.conn)?;
    Ok(())
}

/// Keeps a round if nobody else changed it meanwhile, and raises the revision.
pub fn save(tx: &mut Tx<'_>, life: &mut Life) -> Result<()> {
    if life.status == RoundStatus::Draft {
        hold(tx, life)?;
    }
    let own = dsl::rounds
        .filter(dsl::organisation_id.eq(tx.own()))
        .filter(dsl::id.eq(life.id));
    let changed = diesel::update(own.filter(dsl::revision.eq(life.revision)))
        .set((
            dsl::revision.eq(life.revision + 1),
            dsl::status.eq(life.status.key()),
            dsl::content.eq(Json(life.content.clone())),
            dsl::relationship_id.eq(life.content.relationship),
            dsl::constellation_id.eq(life.content.constellation),
            dsl::constellation_version.eq(life.constellation_version),
            dsl::gap_analysis_id.eq(life.gap_analysis),
            dsl::opens_at.eq(life.content.opens_at),
            dsl::closes_at.eq(life.content.closes_at),
            dsl::opened_at.eq(life.opened_at),
            dsl::closed_at.eq(life.closed_at),
            dsl::revealed_at.eq(life.revealed_at),
            dsl::cancelled_at.eq(life.cancelled_at),
            dsl::updated_at.eq(tx.now()),
        ))
        .execute(tx.conn)?;
    life.revision += 1;
    life.updated_at = tx.now();
    if changed == 1 { Ok(()) } else { Err(Error::Contended) }
}

/// Deletes a round to which nobody answered, with its invitations, if nobody else changed it meanwhile.
pub fn delete(tx: &mut Tx<'_>, life: &Life) -> Result<()> {
    diesel::delete(
        invitations::invitations
            .filter(invitations::organisation_id.eq(tx.own()))
            .filter(invitations::round_id.eq(life.id)),
    )
    .execute(tx.conn)?;
    let own = dsl::rounds
        .filter(dsl::organisation_id.eq(tx.own()))
        .filter(dsl::id.eq(life.id));
    let deleted = diesel::delete(own.filter(dsl::revision.eq(life.revision))).execute(tx.conn)?;
    if deleted == 1 { Ok(()) } else { Err(Error::Contended) }
}

/// The draft amendments of a round's assessments are discarded.
pub fn discard_drafts(tx: &mut Tx<'_>, id: RoundId) -> Result<()> {
    tx.by_itself()?;
    diesel::update(
        assessments::assessments
            .filter(assessments::organisation_id.eq(tx.own()))
            .filter(assessments::round_id.eq(id))
            .filter(assessments::draft.is_not_null()),
    )
    .set((
        assessments::draft.eq(None::<Json<serde_json::Value>>),
        assessments::draft_levels.eq(None::<Vec<u8>>),
        assessments::draft_based_on.eq(None::<Version>),
    ))
    .execute(tx.conn)?;
    Ok(())
}

/// How far a round has come, in the order in which it names its perspectives.
pub fn progress(tx: &mut Tx<'_>, life: &Life) -> Result<Vec<Progress>> {
    let query = invitations::invitations
        .filter(invitations::organisation_id.eq(tx.own()))
        .filter(invitations::round_id.eq(life.id))
        .group_by(invitations::perspective)
        .select((invitations::perspective, sum(invitations::uses), sum(invitations::used)));
    let invited: Vec<(String, Option<i64>, Option<i64>)> = either!(tx.conn, conn => query.load(conn))?;
    // A use that was taken has made an invitation of its own.
    let invited: BTreeMap<String, i64> = invited
        .into_iter()
        .map(|(perspective, uses, used)| (perspective, uses.unwrap_or_default() - used.unwrap_or_default()))
        .collect();
    let query = assessments::assessments
        .filter(assessments::organisation_id.eq(tx.own()))
        .filter(assessments::round_id.eq(life.id))
        .filter(assessments::withdrawn_at.is_null())
        .group_by(assessments::perspective)
        .select((assessments::perspective, count_star()));
    let submitted: Vec<(String, i64)> = either!(tx.conn, conn => query.load(conn))?;
    let mut answered: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    let submitted = submitted
        .into_iter()
        .map(|(perspective, count)| (perspective, count, count));
    for (perspective, started, submitted) in responses::progress(tx, life.id)?.into_iter().chain(submitted) {
        let counts = answered.entry(perspective).or_default();
        *counts = (counts.0 + started, counts.1 + submitted);
    }
    let of = |one: &crate::domain::round::Expected| {
        let (started, submitted) = answered.get(one.perspective.as_str()).copied().unwrap_or_default();
        Progress {
            perspective: one.perspective.clone(),
            expected: one.expected,
            invited: invited.get(one.perspective.as_str()).copied().unwrap_or_default(),
            started,
            submitted,
        }
    };
    Ok(life.content.perspectives.iter().map(of).collect())
}

/// The rounds of all organisations that ended less than an hour ago: what was being saved at that moment may have come late.
pub fn just_ended(tx: &mut Tx<'_>) -> Result<Vec<(OrganisationId, RoundId)>> {
    let lately = tx.now().plus_seconds(-60 * 60);
    let ended = dsl::closed_at.gt(lately).or(dsl::cancelled_at.gt(lately));
    let query = dsl::rounds.filter(ended).select((dsl::organisation_id, dsl::id));
    Ok(query.load(tx.conn)?)
}

/// Whatever was submitted to a round changed when that was revealed, for who asks for what has changed since. It is said afterwards,
/// so that a reveal takes as long for many as for few.
pub fn tell(tx: &mut Tx<'_>, id: RoundId) -> Result<()> {
    tx.by_itself()?;
    diesel::update(
        assessments::assessments
            .filter(assessments::organisation_id.eq(tx.own()))
            .filter(assessments::round_id.eq(id)),
    )
    .set(assessments::updated_at.eq(tx.now()))
    .execute(tx.conn)?;
    let own = dsl::rounds
        .filter(dsl::organisation_id.eq(tx.own()))
        .filter(dsl::id.eq(id));
    diesel::update(own).set(dsl::is_told.eq(true)).execute(tx.conn)?;
    Ok(())
}

/// The rounds of all organisations that open or close by themselves now, or were revealed and are not told yet: at most so many of each.
pub fn due(tx: &mut Tx<'_>, most: i64) -> Result<Vec<(OrganisationId, RoundId)>> {
    let (draft, open) = (RoundStatus::Draft.key(), RoundStatus::Open.key());
    let opens = dsl::status.eq(draft).and(dsl::opens_at.le(tx.now()));
    let closes = dsl::status.eq(open).and(dsl::closes_at.le(tx.now()));
    // The latest first: what has not opened for long has something in its way.
    let opening = dsl::rounds
        .filter(opens)
        .order(dsl::opens_at.desc())
        .select((dsl::organisation_id, dsl::id));
    let mut due: Vec<(OrganisationId, RoundId)> = opening.limit(most).load(tx.conn)?;
    let closing = dsl::rounds.filter(closes).select((dsl::organisation_id, dsl::id));
    due.extend(closing.limit(most).load::<(OrganisationId, RoundId)>(tx.conn)?);
    let revealed = dsl::status.eq(RoundStatus::Revealed.key()).and(not(dsl::is_told));
    let telling = dsl::rounds.filter(revealed).select((dsl::organisation_id, dsl::id));
    due.extend(telling.limit(most).load::<(OrganisationId, RoundId)>(tx.conn)?);
    Ok(due)
}
