//! Lanes: threads that own connections and take work from a bounded queue.
//!
//! A job hands its outcome to a callback, so that no thread waits for another, and none is needed per request.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread,
};

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use diesel::connection::{Connection, TransactionManager};

use super::{
    error::{Error, Failure},
    fork::{Conn, Place},
    tx::{Shared, Tx},
};
use crate::domain::{access::Actor, tombstone::Tombstone};

/// How many jobs may wait before more are refused.
const QUEUE: usize = 1024;
/// How often work is done anew when another writer came between.
const ATTEMPTS: usize = 6;

/// What became of a job inside its transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Keep,
    Undo,
    /// Roll back and run the work again.
    Again,
    /// The connection is of no use any more.
    Broken,
}

/// A piece of work on its way through a lane.
pub(super) trait Job: Send {
    /// Whether the work may write, and so runs in a transaction.
    fn writes(&self) -> bool;
    #[doc(hidden)]
    fn run(&mut self, conn: &mut Conn) -> Outcome;
    /// Hands the outcome over; `committed` tells whether the transaction stands.
    fn settle(self: Box<Self>, committed: Result<(), Error>);
}

/// What [`Job::run`] says of the work.
pub(super) struct Outcome(Verdict);

/// The one kind of job: a closure, and a callback for what it returns.
pub(super) struct Work<T, E, F, D> {
    pub(super) shared: Arc<Shared>,
    pub(super) actor: Actor,
    pub(super) writes: bool,
    pub(super) run: F,
    pub(super) done: D,
    pub(super) result: Option<Result<T, E>>,
    /// What has ended in the transaction that stands.
    pub(super) buried: Vec<Tombstone>,
}

impl<T, E, F, D> Job for Work<T, E, F, D>
where
    T: Send,
    E: Failure,
    F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send,
    D: FnOnce(Result<T, E>) + Send,
{
    fn writes(&self) -> bool {
        self.writes
    }

    fn run(&mut self, conn: &mut Conn) -> Outcome {
        let mut tx = Tx::new(conn, self.actor, &self.shared);
        let result =
            catch_unwind(AssertUnwindSafe(|| (self.run)(&mut tx))).unwrap_or_else(|_| Err(E::from(Error::Panicked)));
        let verdict = match result.as_ref().map_err(Failure::store_error) {
            Ok(_) => Verdict::Keep,
            Err(Some(Error::Contended)) => Verdict::Again,
            Err(Some(Error::Unavailable)) => Verdict::Broken,
            Err(_) => Verdict::Undo,
        };
        self.buried = tx.buried;
        self.result = Some(result);
        Outcome(verdict)
    }

    fn settle(self: Box<Self>, committed: Result<(), Error>) {
        let Self {
            shared,
            done,
            result,
            buried,
            ..
        } = *self;
        done(match (committed, result) {
            // Work that failed by itself has the better reason.
            (Err(_), Some(Err(own))) => Err(own),
            (Err(error), _) => {
                // A commit that broke off may stand all the same.
                if !buried.is_empty() {
                    shared.ledger.doubt();
                }
                Err(error.into())
            }
            (Ok(()), Some(Ok(value))) if !buried.is_empty() => match shared.ledger.write(&buried) {
                Ok(()) => Ok(value),
                Err(error) => Err(error.into()),
            },
            (Ok(()), Some(result)) => result,
            (Ok(()), None) => Err(Error::Unavailable.into()),
        });
    }
}

/// A bounded queue and the threads that serve it, each with a connection of its own.
pub(super) struct Lane {
    queue: Sender<Box<dyn Job>>,
}

impl Lane {
    /// Starts `threads` threads. Up to `group` waiting writes share a transaction.
    pub(super) fn start(
        name: &str,
        place: &Place,
        threads: usize,
        group: usize,
        reads_only: bool,
    ) -> Result<Self, Error> {
        let (queue, jobs) = bounded(QUEUE);
        for number in 0..threads {
            let worker = Worker {
                place: place.clone(),
                jobs: jobs.clone(),
                group,
                reads_only,
                conn: None,
            };
            thread::Builder::new()
                .name(format!("{name}-{number}"))
                .spawn(move || worker.serve())
                .map_err(|_| Error::Overloaded)?;
        }
        Ok(Self { queue })
    }

    /// Puts a job into the queue; where it is full, the job is settled with [`Error::Overloaded`].
    pub(super) fn take(&self, job: Box<dyn Job>) {
        match self.queue.try_send(job) {
            Ok(()) => {}
            Err(TrySendError::Full(job)) => job.settle(Err(Error::Overloaded)),
            Err(TrySendError::Disconnected(job)) => job.settle(Err(Error::Unavailable)),
        }
    }
}

struct Worker {
    place: Place,
    jobs: Receiver<Box<dyn Job>>,
    group: usize,
    reads_only: bool,
    conn: Option<Conn>,
}

impl Worker {
    fn serve(mut self) {
        while let Ok(first) = self.jobs.recv() {
            let mut group = vec![first];
            while group.len() < self.group {
                match self.jobs.try_recv() {
                    Ok(job) => group.push(job),
                    Err(_) => break,
                }
            }
            match <[Box<dyn Job>; 1]>::try_from(group) {
                Ok([job]) => self.alone(job),
                Err(group) => self.together(group),
            }
        }
    }

    fn conn(&mut self) -> Result<&mut Conn, Error> {
        if self.conn.is_none() {
            self.conn = Some(if self.reads_only {
                self.place.connect_to_read()?
            } else {
                self.place.connect()?
            });
        }
        self.conn.as_mut().ok_or(Error::Unavailable)
    }

    /// One job by itself, done anew where another writer came between or the connection had died unnoticed.
    fn alone(&mut self, mut job: Box<dyn Job>) {
        let mut reconnected = false;
        for attempt in 1.. {
            let had_conn = self.conn.is_some();
            let (verdict, committed) = match self.attempt(&mut job) {
                Ok(done) => done,
                Err(error) => (Verdict::Broken, Err(error)),
            };
            match verdict {
                Verdict::Again if attempt < ATTEMPTS => {}
                Verdict::Broken => {
                    self.conn = None;
                    // A commit that failed may stand: only work that never got there is done anew.
                    if had_conn && !reconnected && committed.is_err() {
                        reconnected = true;
                        continue;
                    }
                    return job.settle(Err(Error::Unavailable));
                }
                Verdict::Keep | Verdict::Undo | Verdict::Again => return job.settle(committed),
            }
        }
    }

    /// Runs the job once. `Ok((Broken, Ok(())))` is a commit whose fate is unknown.
    fn attempt(&mut self, job: &mut Box<dyn Job>) -> Result<(Verdict, Result<(), Error>), Error> {
        let conn = self.conn()?;
        if !job.writes() {
            let Outcome(verdict) = job.run(conn);
            let broken = verdict == Verdict::Broken;
            return Ok((verdict, if broken { Err(Error::Unavailable) } else { Ok(()) }));
        }
        conn.begin()?;
        let Outcome(verdict) = job.run(conn);
        match verdict {
            Verdict::Keep => match conn.commit() {
                Ok(()) => Ok((Verdict::Keep, Ok(()))),
                Err(error) => match Error::from(error) {
                    Error::Contended => {
                        // Diesel may still count the transaction that the server refused: a fresh connection knows better.
                        self.conn = None;
                        Ok((Verdict::Again, Err(Error::Contended)))
                    }
                    _ => Ok((Verdict::Broken, Ok(()))),
                },
            },
            Verdict::Broken => Ok((Verdict::Broken, Err(Error::Unavailable))),
            Verdict::Undo | Verdict::Again => {
                if conn.roll_back().is_err() {
                    self.conn = None;
                }
                Ok((verdict, Ok(())))
            }
        }
    }

    /// Several writes in one transaction, each in a savepoint, all answered after the one commit.
    fn together(&mut self, mut group: Vec<Box<dyn Job>>) {
        let committed = self.conn().and_then(|conn| {
            conn.begin()?;
            for job in &mut group {
                <Conn as Connection>::TransactionManager::begin_transaction(conn)?;
                match job.run(conn) {
                    Outcome(Verdict::Keep) => <Conn as Connection>::TransactionManager::commit_transaction(conn)?,
                    // Where the database rolled everything back by itself, this fails, and with it the whole group.
                    Outcome(_) => <Conn as Connection>::TransactionManager::rollback_transaction(conn)?,
                }
            }
            Ok(conn.commit()?)
        });
        if committed.is_err() {
            self.conn = None;
        }
        for job in group {
            job.settle(committed.as_ref().copied().map_err(|_| Error::Unavailable));
        }
    }
}
