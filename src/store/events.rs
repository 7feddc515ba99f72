//! What happened, written where it happened.

use diesel::{Insertable, RunQueryDsl};

use super::{
    error::Result,
    fork::{Conn, insert_few},
    schema::events::{self, dsl},
    tx::Tx,
};
use crate::domain::{
    event::Event,
    id::{ClientId, EventId, Id, OrganisationId},
    life_cycle::Version,
    moment::Moment,
};

#[derive(Insertable)]
#[diesel(table_name = events, treat_none_as_default_value = false)]
pub(super) struct NewRow {
    organisation_id: OrganisationId,
    id: EventId,
    kind: &'static str,
    resource_id: Id<()>,
    what: &'static str,
    version: Option<Version>,
    client_id: ClientId,
    at: Moment,
}

/// Writes an event into the transaction in which it happened. An event carries no answers: only what it happened to.
pub fn emit(tx: &mut Tx<'_>, event: &Event) -> Result<()> {
    let row = NewRow {
        organisation_id: tx.own(),
        id: tx.new_id(),
        kind: event.kind.key(),
        resource_id: Id::from_uuid(event.resource),
        what: event.what,
        version: event.version,
        client_id: tx.actor.client,
        at: tx.now(),
    };
    match &mut tx.later {
        Some(later) => later.events.push(row),
        None => insert(tx.conn, &[row])?,
    }
    Ok(())
}

/// Writes events.
pub(super) fn insert(conn: &mut Conn, rows: &[NewRow]) -> Result<()> {
    if !rows.is_empty() {
        insert_few!(conn, dsl::events, rows)?;
    }
    Ok(())
}
