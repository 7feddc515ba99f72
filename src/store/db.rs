//! The database as the rest of the house sees it: reads and writes on behalf of an actor.

use std::{
    path::Path,
    sync::{Arc, mpsc},
};

pub use super::tx::{Clock, Tx};

use super::{
    error::{Error, Failure, Result},
    fork::{Place, Position},
    job::{Job, Kind, Work},
    lane::Lane,
    ledger::LedgerError,
    meters::Counted,
    organisations,
    replicas::Replicas,
    tombstones,
    tx::Shared,
};
use crate::domain::{access::Actor, moment::Moment};

/// How many threads read: each holds one connection.
const THREADS: usize = 8;

/// The database.
pub struct Db {
    place: Place,
    shared: Arc<Shared>,
    reads: Arc<Lane>,
    writes: Lane,
    replicas: Option<Replicas>,
}

impl Db {
    /// Starts the threads; they connect when the first work comes.
    pub fn open(place: &Place, clock: Clock) -> Result<Self> {
        Self::open_with(place, &[], clock)
    }

    /// [`open`](Self::open), with replicas that answer [`read_at`](Self::read_at).
    pub fn open_with(place: &Place, replicas: &[Place], clock: Clock) -> Result<Self> {
        let (one_writer, (writers, group)) = (place.one_writer(), place.writers());
        Counted::begin();
        let shared = Arc::new(Shared::new(clock));
        let reads = Arc::new(Lane::start("database", place, &shared, THREADS, 1, one_writer)?);
        Ok(Self {
            replicas: if replicas.is_empty() {
                None
            } else {
                Some(Replicas::start(place, replicas, &reads)?)
            },
            place: place.clone(),
            reads,
            writes: Lane::start("writer", place, &shared, writers, group, false)?,
            shared,
        })
    }

    /// Brings the schema up to date; of several processes, one does and the others wait. Returns how many steps it took.
    pub fn migrate(&self) -> Result<usize> {
        self.place.create()?.migrate()
    }

    /// Whether the database answers and its schema is up to date.
    pub fn is_ready(&self) -> Result<bool> {
        self.place.connect()?.is_migrated()
    }

    /// Brings the metrics up to date that tell how things stand.
    pub fn observe(&self) {
        self.reads.observe();
        self.writes.observe();
    }

    /// From now on, what ends for good is also written to this file before anybody is told; what the file lacks is added at
    /// once. Returns how many lines that were.
    pub fn keep_ledger(&self, path: &Path) -> Result<usize, LedgerError> {
        let (database, tombstones) = self.read_now(Actor::SERVICE, |tx| {
            Ok::<_, Error>((organisations::first_start(tx)?, tombstones::list(tx, None)?))
        })?;
        self.shared.ledger.open(path, database, &tombstones)
    }

    /// Writes down what ended and could not be written down before.
    pub fn catch_up_ledger(&self) -> Result<(), LedgerError> {
        match self.shared.ledger.in_doubt() {
            Some(path) => self.keep_ledger(&path).map(drop),
            None => Ok(self.shared.ledger.write(&[])?),
        }
    }

    /// The time.
    pub fn now(&self) -> Moment {
        (self.shared.clock)()
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
        self.reads
            .take(self.job(Kind::Reads, actor, work, |result, _| done(result)));
    }

    /// [`read`](Self::read), by a replica where one has all that was written up to this position, and all that was written
    /// more than five seconds ago.
    pub fn read_at<T, E>(
        &self,
        position: Position,
        actor: Actor,
        work: impl FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        done: impl FnOnce(Result<T, E>) + Send + 'static,
    ) where
        T: Send + 'static,
        E: Failure,
    {
        match &self.replicas {
            Some(replicas) => {
                replicas.take(self.job(Kind::Reads, actor, work, |result, _| done(result)), position);
            }
            None => self.read(actor, work, done),
        }
    }

    /// Whether there are replicas.
    pub fn has_replicas(&self) -> bool {
        self.replicas.is_some()
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
        self.take_write(self.job(Kind::Writes, actor, work, |result, _| done(result)));
    }

    /// [`write`](Self::write); where there are replicas, `done` also gets a position at which what was written is there.
    /// None: it could not be found out.
    pub fn write_and_tell<T, E>(
        &self,
        actor: Actor,
        work: impl FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        done: impl FnOnce(Result<T, E>, Option<Position>) + Send + 'static,
    ) where
        T: Send + 'static,
        E: Failure,
    {
        let kind = if self.has_replicas() {
            Kind::WritesAndTells
        } else {
            Kind::Writes
        };
        self.take_write(self.job(kind, actor, work, done));
    }

    fn take_write(&self, job: Box<dyn Job>) {
        self.writes.take(job);
    }

    fn job<T, E>(
        &self,
        kind: Kind,
        actor: Actor,
        run: impl FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        done: impl FnOnce(Result<T, E>, Option<Position>) + Send + 'static,
    ) -> Box<dyn Job>
    where
        T: Send + 'static,
        E: Failure,
    {
        Box::new(Work::new(&self.shared, actor, kind, run, done))
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
