//! Constellations, as they are kept: versions in the journal, and a row for each relationship that assessments may name.

use std::collections::BTreeSet;

use diesel::{BoolExpressionMethods, ExpressionMethods, Insertable, OptionalExtension, QueryDsl, RunQueryDsl};

use super::{
    error::{Error, Result},
    external_ids,
    fork::{Json, either, held},
    journal,
    page::{Page, Position},
    schema::{
        assessments,
        constellations::{self, dsl},
        relationships::{self, dsl as own_relationships},
        rounds, sealed_versions,
    },
    tx::Tx,
};
use crate::domain::{
    constellation::{ConstellationItem, ConstellationStatus, Content, Life, Summary},
    digest::Digest,
    event::Kind,
    external_id::ExternalId,
    id::{ClientId, ConstellationId, OrganisationId, RelationshipId},
    life_cycle::{Seal, Sealed, Version},
    moment::Moment,
};

/// One of the organisation's constellations.
pub fn find(tx: &mut Tx<'_>, id: ConstellationId) -> Result<Option<Life>> {
    let query = dsl::constellations
        .inner_join(journal::newest!(dsl))
        .filter(dsl::organisation_id.eq(tx.own()))
        .filter(dsl::id.eq(id))
        .select((dsl::revision, journal::columns!()));
    let row: Option<(i64, journal::Columns<Content>)> = either!(tx.conn, conn => query.get_result(conn)).optional()?;
    Ok(row.map(|(revision, columns)| Life {
        id,
        revision,
        newest: journal::without_levels(journal::sealed(columns)),
    }))
}

type ItemRow = (ConstellationId, Version, Json<Summary>, String, Moment, ClientId);

/// A page of the organisation's constellations, newest first; only the one of this name in another system, where one is asked
/// for.
pub fn list(
    tx: &mut Tx<'_>,
    external_id: Option<&ExternalId>,
    page: &Page,
) -> Result<(Vec<ConstellationItem>, Option<Position>)> {
    let mut query = dsl::constellations
        .inner_join(journal::newest!(dsl))
        .filter(dsl::organisation_id.eq(tx.own()))
        .select((
            dsl::id,
            dsl::version,
            sealed_versions::document,
            sealed_versions::digest,
            sealed_versions::sealed_at,
            sealed_versions::sealed_by,
        ))
        .into_boxed();
    if let Some(name) = external_id {
        match external_ids::find::<crate::domain::id::Constellation>(tx, Kind::Constellation, name)? {
            Some(id) => query = query.filter(dsl::id.eq(id)),
            None => return Ok((Vec::new(), None)),
        }
    }
    if let Some(after) = page.after {
        query = query.filter(dsl::id.lt(ConstellationId::from_uuid(after.id)));
    }
    let rows: Vec<ItemRow> = query.order(dsl::id.desc()).limit(page.rows()).load(tx.conn)?;
    let items = rows
        .into_iter()
        .map(
            |(id, version, Json(summary), digest, sealed_at, sealed_by)| ConstellationItem {
                id,
                version,
                status: ConstellationStatus::Sealed,
                summary,
                seal: Seal {
                    digest: Digest::kept(digest),
                    sealed_at,
                    sealed_by,
                },
            },
        )
        .collect();
    Ok(page.cut(items, |item: &ConstellationItem| Position {
        at: None,
        id: item.id.uuid(),
    }))
}

/// A version of one of the organisation's constellations.
pub fn version(tx: &mut Tx<'_>, id: ConstellationId, version: Version) -> Result<Option<Sealed<Content>>> {
    Ok(journal::find::<_, Content>(tx, id, version)?.map(journal::without_levels))
}

#[derive(Insertable)]
#[diesel(table_name = constellations, treat_none_as_default_value = false)]
struct NewRow {
    organisation_id: OrganisationId,
    id: ConstellationId,
    revision: i64,
    version: Version,
    created_at: Moment,
    updated_at: Moment,
}

/// Keeps a new constellation and its first version.
pub fn insert(tx: &mut Tx<'_>, life: &Life) -> Result<()> {
    diesel::insert_into(dsl::constellations)
        .values(NewRow {
            organisation_id: tx.own(),
            id: life.id,
            revision: life.revision,
            version: life.newest.version,
            created_at: tx.now(),
            updated_at: tx.now(),
        })
        .execute(tx.conn)?;
    seal(tx, None, life)
}

/// Keeps the next version after `before`, if nobody else changed the constellation meanwhile, and raises the revision.
pub fn save(tx: &mut Tx<'_>, before: &Content, life: &mut Life) -> Result<()> {
    let own = dsl::constellations
        .filter(dsl::organisation_id.eq(tx.own()))
        .filter(dsl::id.eq(life.id));
    let changed = diesel::update(own.filter(dsl::revision.eq(life.revision)))
        .set((
            dsl::revision.eq(life.revision + 1),
            dsl::version.eq(life.newest.version),
            dsl::updated_at.eq(tx.now()),
        ))
        .execute(tx.conn)?;
    life.revision += 1;
    if changed == 1 {
        seal(tx, Some(before), life)
    } else {
        Err(Error::Contended)
    }
}

/// Appends the newest version to the journal, and lets its names and relationships be found.
fn seal(tx: &mut Tx<'_>, before: Option<&Content>, life: &Life) -> Result<()> {
    let Sealed { version, content, seal } = &life.newest;
    journal::append(tx, Kind::Constellation, life.id, *version, content.clone(), None, seal)?;
    if before.is_none_or(|before| before.external_ids != content.external_ids) {
        external_ids::replace(tx, Kind::Constellation, life.id, content.external_ids.iter())?;
    }
    keep_relationships(tx, before, life)
}

#[derive(Insertable)]
#[diesel(table_name = relationships, treat_none_as_default_value = false)]
struct NewRelationship {
    organisation_id: OrganisationId,
    id: RelationshipId,
    constellation_id: ConstellationId,
    retired_at: Option<Moment>,
}

/// Brings the rows of the relationships to what the newest version says.
fn keep_relationships(tx: &mut Tx<'_>, before: Option<&Content>, life: &Life) -> Result<()> {
    let now = &life.newest.content;
    let organisation_id = tx.own();
    let own = || own_relationships::relationships.filter(own_relationships::organisation_id.eq(organisation_id));
    let gone: Vec<RelationshipId> = before
        .iter()
        .flat_map(|before| &before.relationships)
        .map(|relationship| relationship.id)
        .filter(|id| now.relationship(*id).is_none())
        .collect();
    if !gone.is_empty() {
        diesel::delete(own().filter(own_relationships::id.eq_any(&gone))).execute(tx.conn)?;
        // Deleting waited for those who had named one meanwhile.
        let named = assessments::table
            .filter(assessments::organisation_id.eq(organisation_id))
            .filter(assessments::relationship_id.eq_any(&gone));
        let asked = rounds::table
            .filter(rounds::organisation_id.eq(organisation_id))
            .filter(rounds::relationship_id.eq_any(&gone));
        let is_used = diesel::dsl::exists(named).or(diesel::dsl::exists(asked));
        if diesel::select(is_used).get_result(tx.conn)? {
            return Err(Error::Contended);
        }
    }
    let (mut new, mut retired, mut back) = (Vec::new(), Vec::new(), Vec::new());
    for relationship in &now.relationships {
        let stood = before.and_then(|before| before.relationship(relationship.id));
        match (stood.map(|stood| stood.retired), relationship.retired) {
            (None, _) => new.push(NewRelationship {
                organisation_id,
                id: relationship.id,
                constellation_id: life.id,
                retired_at: None,
            }),
            (Some(false), true) => retired.push(relationship.id),
            (Some(true), false) => back.push(relationship.id),
            _ => {}
        }
    }
    if !new.is_empty() {
        either!(tx.conn, conn => diesel::insert_into(own_relationships::relationships).values(&new).execute(conn))?;
    }
    for (ids, retired_at) in [(retired, Some(tx.now())), (back, None)] {
        if !ids.is_empty() {
            diesel::update(own().filter(own_relationships::id.eq_any(ids)))
                .set(own_relationships::retired_at.eq(retired_at))
                .execute(tx.conn)?;
        }
    }
    Ok(())
}

/// Those of a constellation's relationships that any assessment names, a draft or a withdrawn one included, or any round.
pub fn used(tx: &mut Tx<'_>, id: ConstellationId) -> Result<BTreeSet<RelationshipId>> {
    let named: Vec<RelationshipId> = own_relationships::relationships
        .filter(own_relationships::organisation_id.eq(tx.own()))
        .filter(own_relationships::constellation_id.eq(id))
        .filter(
            diesel::dsl::exists(
                assessments::table
                    .filter(assessments::organisation_id.eq(tx.own()))
                    .filter(
                        diesel::NullableExpressionMethods::assume_not_null(assessments::relationship_id)
                            .eq(own_relationships::id),
                    ),
            )
            .or(diesel::dsl::exists(
                rounds::table.filter(rounds::organisation_id.eq(tx.own())).filter(
                    diesel::NullableExpressionMethods::assume_not_null(rounds::relationship_id)
                        .eq(own_relationships::id),
                ),
            )),
        )
        .select(own_relationships::id)
        .load(tx.conn)?;
    Ok(named.into_iter().collect())
}

/// Lets nobody delete a relationship that is about to be named, until this transaction ends.
pub(super) fn hold(tx: &mut Tx<'_>, id: RelationshipId) -> Result<()> {
    let query = own_relationships::relationships
        .filter(own_relationships::organisation_id.eq(tx.own()))
        .filter(own_relationships::id.eq(id))
        .select(own_relationships::id);
    let row: Option<RelationshipId> = held!(tx.conn, query).optional()?;
    row.map(drop).ok_or(Error::Contended)
}

/// Where a relationship stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The constellation whose newest version has it.
    pub constellation: ConstellationId,
    /// Whether it takes no new assessments.
    pub is_retired: bool,
}

/// Where one of the organisation's relationships stands: one look by primary key.
pub fn standing(tx: &mut Tx<'_>, id: RelationshipId) -> Result<Option<Standing>> {
    let row: Option<(ConstellationId, Option<Moment>)> = own_relationships::relationships
        .filter(own_relationships::organisation_id.eq(tx.own()))
        .filter(own_relationships::id.eq(id))
        .select((own_relationships::constellation_id, own_relationships::retired_at))
        .get_result(tx.conn)
        .optional()?;
    Ok(row.map(|(constellation, retired_at)| Standing {
        constellation,
        is_retired: retired_at.is_some(),
    }))
}
