//! The database as the rest of the house sees it: reads and writes on behalf of an actor.

use std::sync::{Arc, mpsc};

pub use super::tx::{Clock, Tx};

use super::{
    error::{Error, Failure, Result},
    fork::Place,
    lane::{Lane, Work},
    meters::Counted,
    tx::Shared,
};
use crate::domain::{access::Actor, moment::Moment};

/// How many threads read, and on `PostgreSQL` also write: each holds one connection.
const THREADS: usize = 8;
/// How many waiting writes share a transaction where there is one writer.
const GROUP: usize = 64;

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
        Counted::begin();
        Ok(Self {
            place: place.clone(),
            shared: Arc::new(Shared::new(clock)),
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

    /// Brings the metrics up to date that tell how things stand.
    pub fn observe(&self) {
        self.reads.observe();
        if let Some(writer) = &self.writer {
            writer.observe();
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
            .take(Box::new(Work::new(&self.shared, actor, false, work, done)));
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
        let lane = self.writer.as_ref().unwrap_or(&self.reads);
        lane.take(Box::new(Work::new(&self.shared, actor, true, work, done)));
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
