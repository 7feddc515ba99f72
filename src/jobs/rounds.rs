//! Rounds that open and close by themselves.

use crate::{
    domain::{
        access::Actor,
        id::{OrganisationId, RoundId},
    },
    service::{self, rounds},
    store::db::{Db, Tx},
};

/// How many rounds are opened, and how many closed, at a time.
const BATCH: i64 = 100;

/// Opens and closes what is due, and erases what was being saved when a round ended and came late. What fails is tried again with
/// the next run; that a round is closed late takes no answers.
pub fn step(db: &Db) {
    each(db, |tx| rounds::due(tx, BATCH), rounds::step);
    each(db, rounds::just_ended, rounds::clear_again);
}

/// Finds rounds, and whose they are.
type Find = fn(&mut Tx<'_>) -> service::Result<Vec<(OrganisationId, RoundId)>>;

fn each(db: &Db, find: Find, work: fn(&mut Tx<'_>, RoundId) -> service::Result<()>) {
    let found = db.read_now(Actor::SERVICE, find).unwrap_or_else(|error| {
        tracing::warn!(%error, "rounds that are due cannot be read; it is tried again");
        Vec::new()
    });
    for (organisation, id) in found {
        let actor = Actor::service_for(organisation);
        if let Err(error) = db.write_now(actor, move |tx| work(tx, id)) {
            tracing::warn!(%organisation, round = %id, %error, "a round does not open or close yet");
        }
    }
}
