//! The database as the rest of the house sees it: reads and writes on behalf of an actor.

use std::sync::{Arc, mpsc};

use diesel::{BoolExpressionMethods, ExpressionMethods};
use quick_cache::sync::Cache;
use uuid::Uuid;

use super::{
    error::{Error, Failure, Result},
    fork::{Conn, Place, Uid},
    lane::{Lane, Work},
    models::SealedModel,
};
use crate::domain::{
    access::Actor,
    id::{Id, ModelId, OrganisationId},
    life_cycle::Version,
    moment::Moment,
};

/// Tells the time. Tests bring their own.
pub type Clock = Arc<dyn Fn() -> Moment + Send + Sync>;

/// How many threads read, and on `PostgreSQL` also write: each holds one connection.
const THREADS: usize = 8;
/// How many waiting writes share a transaction where there is one writer.
const GROUP: usize = 64;
/// How many parsed model versions are kept in memory.
const MODELS: usize = 256;

/// What all connections share.
pub(super) struct Shared {
    clock: Clock,
    models: Cache<(ModelId, Version), Arc<SealedModel>>,
}

/// The database.
pub struct Db {
    place: Place,
    shared: Arc<Shared>,
    reads: Lane,
    /// The one writer, where there is one; elsewhere whoever reads also writes.
    writer: Option<Lane>,
}

impl Db {
    /// Starts the threads; they connect when the first work comes.
    pub fn open(place: &Place, clock: Clock) -> Result<Self> {
        let one_writer = place.one_writer();
        Ok(Self {
            place: place.clone(),
            shared: Arc::new(Shared {
                clock,
                models: Cache::new(MODELS),
            }),
            reads: Lane::start("database", place, THREADS, 1, one_writer)?,
            writer: if one_writer {
                Some(Lane::start("writer", place, 1, GROUP, false)?)
            } else {
                None
            },
        })
    }

    /// Brings the schema up to date; of several processes, one does and the others wait. Returns how many steps it took.
    pub fn migrate(&self) -> Result<usize> {
        self.place.connect()?.migrate()
    }

    /// Whether the database answers and its schema is up to date.
    pub fn is_ready(&self) -> Result<bool> {
        self.place.connect()?.is_migrated()
    }

    /// The time.
    pub fn now(&self) -> Moment {
        (self.shared.clock)()
    }

    /// How many writes and how many reads wait.
    pub fn waiting(&self) -> (usize, usize) {
        (self.writer.as_ref().map_or(0, Lane::waiting), self.reads.waiting())
    }

    /// Runs `work`, which only reads, and hands what it returns to `done`. It may run twice.
    pub fn read<T, E>(
        &self,
        actor: Actor,
        work: impl FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        done: impl FnOnce(Result<T, E>) + Send + 'static,
    ) where
        T: Send + 'static,
        E: Failure,
    {
        let shared = Arc::clone(&self.shared);
        self.reads.take(Box::new(Work {
            shared,
            actor,
            writes: false,
            run: work,
            done,
            result: None,
        }));
    }

    /// Runs `work` in a transaction, and hands what it returns to `done` after the commit. It may run several times.
    pub fn write<T, E>(
        &self,
        actor: Actor,
        work: impl FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        done: impl FnOnce(Result<T, E>) + Send + 'static,
    ) where
        T: Send + 'static,
        E: Failure,
    {
        let shared = Arc::clone(&self.shared);
        let lane = self.writer.as_ref().unwrap_or(&self.reads);
        lane.take(Box::new(Work {
            shared,
            actor,
            writes: true,
            run: work,
            done,
            result: None,
        }));
    }

    /// [`read`](Self::read), waiting for the outcome. Not for threads that serve requests.
    pub fn read_now<T, E>(
        &self,
        actor: Actor,
        work: impl FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: Failure,
    {
        let (sender, receiver) = mpsc::sync_channel(1);
        self.read(actor, work, move |result| drop(sender.send(result)));
        receiver.recv().unwrap_or_else(|_| Err(Error::Unavailable.into()))
    }

    /// [`write`](Self::write), waiting for the outcome. Not for threads that serve requests.
    pub fn write_now<T, E>(
        &self,
        actor: Actor,
        work: impl FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: Failure,
    {
        let (sender, receiver) = mpsc::sync_channel(1);
        self.write(actor, work, move |result| drop(sender.send(result)));
        receiver.recv().unwrap_or_else(|_| Err(Error::Unavailable.into()))
    }
}

/// One transaction (or, for work that only reads, one connection) on behalf of an actor.
///
/// Its fields are private to the store: no query is written past the organisation in it.
pub struct Tx<'a> {
    pub(super) conn: &'a mut Conn,
    pub(super) actor: Actor,
    pub(super) models: &'a Cache<(ModelId, Version), Arc<SealedModel>>,
    now: Moment,
}

impl<'a> Tx<'a> {
    pub(super) fn new(conn: &'a mut Conn, actor: Actor, shared: &'a Shared) -> Self {
        Self {
            conn,
            actor,
            models: &shared.models,
            now: (shared.clock)(),
        }
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
