//! What the store is asked through: one transaction, on behalf of an actor.

use std::sync::Arc;

use diesel::{BoolExpressionMethods, ExpressionMethods};
use quick_cache::sync::Cache;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{
    error::Result,
    fork::{Conn, Uid},
    meters::Counted,
};
use crate::domain::{
    access::Actor,
    id::{Id, ModelId, OrganisationId},
    life_cycle::{Sealed, Version},
    model::Definition,
    moment::Moment,
};

/// Tells the time. Tests bring their own.
pub type Clock = Arc<dyn Fn() -> Moment + Send + Sync>;

/// How many parsed model versions are kept in memory.
const MODELS: usize = 256;

/// Sealed versions of models: they never change, so each is read from the database once.
type Models = Cache<(ModelId, Version), Arc<Sealed<Definition>>>;

/// What all connections share.
pub(super) struct Shared {
    pub(super) clock: Clock,
    models: Models,
}

impl Shared {
    pub(super) fn new(clock: Clock) -> Self {
        Self {
            clock,
            models: Cache::new(MODELS),
        }
    }
}

/// One transaction (or, for work that only reads, one connection) on behalf of an actor.
///
/// Its fields are private to the store: no query is written past the organisation in it.
pub struct Tx<'a> {
    pub(super) conn: &'a mut Conn,
    pub(super) actor: Actor,
    pub(super) models: &'a Models,
    now: Moment,
    counted: Vec<Counted>,
}

impl<'a> Tx<'a> {
    pub(super) fn new(conn: &'a mut Conn, actor: Actor, shared: &'a Shared) -> Self {
        Self {
            conn,
            actor,
            models: &shared.models,
            now: (shared.clock)(),
            counted: Vec::new(),
        }
    }

    /// Counts something, once it stands.
    pub(super) fn count(&mut self, what: Counted) {
        self.counted.push(what);
    }

    /// What is to be counted once it stands.
    pub(super) fn counted(self) -> Vec<Counted> {
        self.counted
    }

    /// When this transaction began.
    pub fn now(&self) -> Moment {
        self.now
    }

    /// Whether every migration has been applied.
    pub fn is_migrated(&mut self) -> Result<bool> {
        self.conn.is_migrated()
    }

    /// On whose behalf it runs.
    pub fn actor(&self) -> Actor {
        self.actor
    }

    /// The organisation whose things are written.
    pub(super) fn own(&self) -> OrganisationId {
        self.actor.organisation
    }

    /// Holds something of the organisation's until the transaction ends: alone, so that everybody else waits for it, or
    /// together with all who do not want it alone. What is read afterwards is what those left behind who held it before.
    pub(super) fn hold(&mut self, kind: &str, name: &[&str], alone: bool) -> Result<()> {
        let mut hash = Sha256::new();
        hash.update(self.own().uuid());
        for part in [kind].iter().chain(name) {
            hash.update(part);
            hash.update([0]);
        }
        // Where two things have the same number, one waits for the other without need.
        let number = hash.finalize().first_chunk().copied().map_or(0, i64::from_be_bytes);
        Ok(self.conn.hold(number, alone)?)
    }

    /// A new id: a `UUIDv7`.
    pub fn new_id<K>(&self) -> Id<K> {
        Id::from_uuid(Uuid::now_v7())
    }
}

/// The rows an actor may see: their organisation's own, and the public ones of the nil organisation.
pub(super) fn visible<C>(
    column: C,
    own: OrganisationId,
) -> diesel::dsl::Or<diesel::dsl::Eq<C, OrganisationId>, diesel::dsl::Eq<C, OrganisationId>>
where
    C: diesel::Expression<SqlType = Uid> + ExpressionMethods + Copy,
{
    column.eq(own).or(column.eq(OrganisationId::NIL))
}
