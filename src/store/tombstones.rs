//! What ended for good, so that no backup brings it back.

use diesel::{ExpressionMethods, Insertable, OptionalExtension, QueryDsl, RunQueryDsl};
use uuid::Uuid;

use super::{
    error::{Error, Result},
    fork::either,
    schema::tombstones::{self, dsl},
    tx::Tx,
};
use crate::domain::{
    id::{Id, OrganisationId},
    moment::Moment,
    tombstone::{Gone, Tombstone},
};

#[derive(Insertable)]
#[diesel(table_name = tombstones, treat_none_as_default_value = false)]
struct NewRow {
    organisation_id: OrganisationId,
    resource_id: Id<()>,
    what: &'static str,
    at: Moment,
}

/// Fails while the ledger lacks something that has ended already: nothing more ends until it is written down.
pub fn ready(tx: &Tx<'_>) -> Result<()> {
    tx.ledger.ready()
}

/// Keeps that something of the organisation's ends now. It goes into the ledger as well, after the commit and before
/// anybody is told.
pub fn bury(tx: &mut Tx<'_>, what: Gone, resource: Uuid) -> Result<()> {
    ready(tx)?;
    let tombstone = Tombstone {
        at: tx.ends_at(),
        organisation: tx.own(),
        what,
        resource,
    };
    keep(tx, &tombstone)
}

/// Keeps that something ended, be it now or before.
pub fn keep(tx: &mut Tx<'_>, tombstone: &Tombstone) -> Result<()> {
    let statement = diesel::insert_into(dsl::tombstones)
        .values(NewRow {
            organisation_id: tombstone.organisation,
            resource_id: Id::from_uuid(tombstone.resource),
            what: tombstone.what.key(),
            at: tombstone.at,
        })
        .on_conflict((dsl::organisation_id, dsl::resource_id, dsl::what))
        .do_update()
        .set(dsl::at.eq(tombstone.at));
    either!(tx.conn, conn => statement.execute(conn))?;
    tx.buried.push(*tombstone);
    Ok(())
}

/// Whether it is known already that this ended, then or later.
pub fn knows(tx: &mut Tx<'_>, tombstone: &Tombstone) -> Result<bool> {
    let at: Option<Moment> = dsl::tombstones
        .filter(dsl::organisation_id.eq(tombstone.organisation))
        .filter(dsl::resource_id.eq(Id::<()>::from_uuid(tombstone.resource)))
        .filter(dsl::what.eq(tombstone.what.key()))
        .select(dsl::at)
        .first(tx.conn)
        .optional()?;
    Ok(at.is_some_and(|at| at >= tombstone.at))
}

/// All that ended in any organisation, oldest first. For the operator alone.
pub fn list(tx: &mut Tx<'_>, since: Option<Moment>) -> Result<Vec<Tombstone>> {
    let mut query = dsl::tombstones
        .select((dsl::at, dsl::organisation_id, dsl::what, dsl::resource_id))
        .order((dsl::at, dsl::organisation_id, dsl::resource_id))
        .into_boxed();
    if let Some(since) = since {
        query = query.filter(dsl::at.ge(since));
    }
    let rows: Vec<(Moment, OrganisationId, String, Id<()>)> = query.load(tx.conn)?;
    rows.into_iter()
        .map(|(at, organisation, what, resource)| {
            Ok(Tombstone {
                at,
                organisation,
                what: Gone::of_key(&what).ok_or(Error::Corrupt("an unknown kind of tombstone"))?,
                resource: resource.uuid(),
            })
        })
        .collect()
}
