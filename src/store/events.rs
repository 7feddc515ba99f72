//! What happened, written where it happened.

use super::{
    error::Result,
    swift::{self, Happened},
    tx::Tx,
};
use crate::domain::{event::Event, id::Id};

/// Writes an event into the transaction in which it happened. An event carries no answers: only what it happened to.
pub fn emit(tx: &mut Tx<'_>, event: &Event) -> Result<()> {
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
        None => swift::insert_events(tx.conn, &[row])?,
    }
    Ok(())
}
