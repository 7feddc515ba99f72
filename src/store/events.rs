//! What happened, written where it happened.

use diesel::RunQueryDsl;

use super::{error::Result, fork::either, schema::events, swift::Happened, tx::Tx};
use crate::domain::{event::Event, id::Id};

/// Writes an event into the transaction in which it happened. An event carries no answers: only what it happened to.
/// Whoever answers anonymously or under a pseudonym leaves none: it would say when.
pub fn emit(tx: &mut Tx<'_>, event: &Event) -> Result<()> {
    if tx.actor.untimed().is_some() {
        return Ok(());
    }
    let row = Happened {
        organisation_id: tx.own(),
        id: tx.new_id(),
        kind: event.kind.key(),
        resource_id: Id::from_uuid(event.resource),
        what: event.what,
        version: event.version,
        client_id: tx.actor.client,
        at: tx.now(),
    };
    match &mut tx.swift {
        Some(swift) => swift.events.push(row),
        None => {
            either!(tx.conn, conn => diesel::insert_into(events::table).values(row).execute(conn))?;
        }
    }
    Ok(())
}
