//! What happens to rounds by itself: they open, close, and are told.

use std::collections::BTreeMap;

use crate::{
    domain::{
        access::Actor,
        fault::Broken,
        id::{OrganisationId, RoundId},
    },
    service::{self, rounds},
    store::db::{Db, Tx},
};

/// How many rounds are opened, and how many closed, at a time.
const BATCH: i64 = 100;

/// The rounds that did not open or close though they were due, and why, as it was logged.
pub type Stuck = BTreeMap<RoundId, String>;

/// Opens and closes what is due, and erases what was being saved when a round ended and came late. What fails is tried again with
/// the next run, and logged again only where it fails for another reason; that a round is closed late takes no answers.
pub fn step(db: &Db, stuck: &mut Stuck) {
    let mut failed = each(db, |tx| rounds::due(tx, BATCH), rounds::step);
    failed.extend(each(db, rounds::just_ended, rounds::clear_again));
    for (round, (organisation, why)) in &failed {
        if stuck.get(round) != Some(why) {
            tracing::warn!(%organisation, %round, why, "a round does not open or close yet");
        }
    }
    *stuck = failed.into_iter().map(|(round, (_, why))| (round, why)).collect();
}

/// Finds rounds, and whose they are.
type Find = fn(&mut Tx<'_>) -> service::Result<Vec<(OrganisationId, RoundId)>>;

/// Whose a round is that could not be stepped, and why.
type Failed = BTreeMap<RoundId, (OrganisationId, String)>;

fn each(db: &Db, find: Find, work: fn(&mut Tx<'_>, RoundId) -> service::Result<()>) -> Failed {
    let found = db.read_now(Actor::SERVICE, find).unwrap_or_else(|error| {
        tracing::warn!(%error, "rounds that are due cannot be read; it is tried again");
        Vec::new()
    });
    let mut failed = Failed::new();
    for (organisation, id) in found {
        let actor = Actor::service_for(organisation);
        if let Err(error) = db.write_now(actor, move |tx| work(tx, id)) {
            failed.insert(id, (organisation, reason(&error)));
        }
    }
    failed
}

/// Why, for the log: where in the round and what, by codes.
fn reason(error: &service::Error) -> String {
    match error {
        service::Error::Broken(Broken::Invalid(faults)) => {
            let faults: Vec<String> = faults
                .iter()
                .map(|one| format!("{} {}", one.pointer, one.code))
                .collect();
            faults.join(", ")
        }
        other => other.to_string(),
    }
}
