//! What happened after a backup was taken, and must happen again after it was restored.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use uuid::Uuid;

use super::{Error, Expected, Result, erasure, respondents, transitions};
use crate::{
    domain::{
        access::Actor,
        fault::Broken,
        id::{AssessmentId, ClientId},
        tombstone::{Gone, Tombstone},
    },
    store::{
        self,
        db::{Db, Tx},
    },
};

/// What became of a tombstone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// The thing was there, and it happened.
    Done,
    /// There was nothing to do.
    Absent,
    /// It was known already.
    Known,
}

/// Does what a tombstone of the actor's organisation says has happened: erases or withdraws the assessment as if its owner
/// had asked, revokes the client, or takes its secret. A second time, nothing happens.
pub fn apply(tx: &mut Tx<'_>, tombstone: &Tombstone) -> Result<Effect> {
    if store::tombstones::knows(tx, tombstone)? {
        return Ok(Effect::Known);
    }
    let assessment = AssessmentId::from_uuid(tombstone.resource);
    let client = ClientId::from_uuid(tombstone.resource);
    let done = match tombstone.what {
        Gone::AssessmentErased => possible(erasure::erase(tx, assessment, &Expected::Unsaid))?,
        Gone::ResponseErased => respondents::erase_again(tx, assessment)?,
        Gone::AssessmentWithdrawn => possible(transitions::withdraw(tx, assessment, &Expected::Any))?,
        Gone::WithdrawalTakenBack => possible(transitions::restore(tx, assessment, &Expected::Any))?,
        Gone::ClientRevoked => store::clients::revoke(tx, client)?,
        Gone::SecretReplaced => store::clients::lock(tx, client, tombstone.at)?,
    };
    if !store::tombstones::knows(tx, tombstone)? {
        store::tombstones::keep(tx, tombstone)?;
    }
    Ok(if done { Effect::Done } else { Effect::Absent })
}

/// Whether something was done; `false` where it is not there, or is so already.
fn possible<T>(done: Result<T>) -> Result<bool> {
    match done {
        Ok(_) => Ok(true),
        Err(Error::NotFound(_) | Error::Broken(Broken::InvalidTransition(_))) => Ok(false),
        Err(error) => Err(error),
    }
}

/// What became of many tombstones.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Applied {
    /// Assessments that were there, and are erased now.
    pub assessments_erased: usize,
    /// Assessments that are withdrawn now; their 30 days begin anew.
    pub assessments_withdrawn: usize,
    /// Assessments whose withdrawal is taken back now.
    pub withdrawals_taken_back: usize,
    /// Clients that could ask for tokens, and are revoked now.
    pub clients_revoked: usize,
    /// Clients whose secret was replaced after the backup: they have none now, and need a new one.
    pub clients_without_secret: Vec<Uuid>,
    /// What was not there, or was so already.
    pub absent: usize,
    /// What the database knew.
    pub known: usize,
}

/// [`apply`] for each, in a transaction of its own. Where it fails in between it can be done again.
pub fn apply_all(db: &Db, tombstones: &BTreeSet<Tombstone>) -> Result<Applied> {
    let mut applied = Applied::default();
    for tombstone in last(tombstones) {
        let actor = Actor::service_for(tombstone.organisation);
        match (db.write_now(actor, move |tx| apply(tx, &tombstone))?, tombstone.what) {
            (Effect::Done, Gone::AssessmentErased | Gone::ResponseErased) => applied.assessments_erased += 1,
            (Effect::Done, Gone::AssessmentWithdrawn) => applied.assessments_withdrawn += 1,
            (Effect::Done, Gone::WithdrawalTakenBack) => applied.withdrawals_taken_back += 1,
            (Effect::Done, Gone::ClientRevoked) => applied.clients_revoked += 1,
            (Effect::Done, Gone::SecretReplaced) => applied.clients_without_secret.push(tombstone.resource),
            (Effect::Absent, _) => applied.absent += 1,
            (Effect::Known, _) => applied.known += 1,
        }
    }
    Ok(applied)
}

/// Those that count: of what happened to a thing again and again, only the last.
fn last(tombstones: &BTreeSet<Tombstone>) -> impl Iterator<Item = Tombstone> {
    let mut last = BTreeMap::new();
    for &tombstone in tombstones {
        let Tombstone {
            organisation,
            what,
            resource,
            ..
        } = tombstone;
        let turn = match what {
            Gone::WithdrawalTakenBack => Gone::AssessmentWithdrawn,
            other => other,
        };
        // They come in the order in which they happened.
        last.insert((organisation, resource, turn), tombstone);
    }
    last.into_values()
}
