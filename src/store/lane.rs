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
    fork::{Begins, Conn, Place, Position},
    tx::{Shared, Tx},
};
use crate::domain::access::Actor;

/// How many jobs may wait before more are refused.
const QUEUE: usize = 1024;
/// How often work is done anew when another writer came between.
const ATTEMPTS: usize = 6;

/// What became of a job inside its transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Keep,
    Undo,
    /// Roll back and run the work again.
    Again,
    /// The connection is of no use any more.
    Broken,
}

/// A piece of work on its way through a lane.
pub(super) trait Job: Send {
    /// Whether the work may write.
    fn kind(&self) -> Kind;
    fn run(&mut self, conn: &mut Conn) -> Verdict;
    /// Hands the outcome over; `committed` tells whether the transaction stands, and where it stands in the log.
    fn settle(self: Box<Self>, committed: Result<Option<Position>, Error>);
}

/// What a job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Reads,
    Writes,
    /// It writes, and whoever asked is told where in the log that stands.
    WritesAndTells,
}

/// The one kind of job: a closure, and a callback for what it returns.
pub(super) struct Work<T, E, F, D> {
    pub(super) shared: Arc<Shared>,
    pub(super) actor: Actor,
    pub(super) kind: Kind,
    pub(super) run: F,
    pub(super) done: D,
    pub(super) result: Option<Result<T, E>>,
}

impl<T, E, F, D> Job for Work<T, E, F, D>
where
    T: Send,
    E: Failure,
    F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send,
    D: FnOnce(Result<T, E>, Option<Position>) + Send,
{
    fn kind(&self) -> Kind {
        self.kind
    }

    fn run(&mut self, conn: &mut Conn) -> Verdict {
        let (run, actor, shared) = (&mut self.run, self.actor, &*self.shared);
        let result = catch_unwind(AssertUnwindSafe(|| run(&mut Tx::new(conn, actor, shared))))
            .unwrap_or_else(|_| Err(E::from(Error::Panicked)));
        let verdict = match result.as_ref().map_err(Failure::store_error) {
            Ok(_) => Verdict::Keep,
            Err(Some(Error::Contended)) => Verdict::Again,
            Err(Some(Error::Unavailable)) => Verdict::Broken,
            Err(_) => Verdict::Undo,
        };
        self.result = Some(result);
        verdict
    }

    fn settle(self: Box<Self>, committed: Result<Option<Position>, Error>) {
        let Self { done, result, .. } = *self;
        let position = committed.as_ref().ok().copied().flatten();
        let result = match (committed, result) {
            // Work that failed by itself has the better reason.
            (Err(_), Some(Err(own))) => Err(own),
            (Err(error), _) => Err(error.into()),
            (Ok(_), Some(result)) => result,
            (Ok(_), None) => Err(Error::Unavailable.into()),
        };
        done(result, position);
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
                begins: place.begins(),
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
    begins: Begins,
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

    /// Runs the job once. `Ok((Broken, Ok(_)))` is a commit whose fate is unknown.
    fn attempt(&mut self, job: &mut Box<dyn Job>) -> Result<(Verdict, Result<Option<Position>, Error>), Error> {
        let kind = job.kind();
        let begin = match kind {
            Kind::Reads => self.begins.read,
            Kind::Writes | Kind::WritesAndTells => Some(self.begins.write),
        };
        let conn = self.conn()?;
        let Some(begin) = begin else {
            let verdict = job.run(conn);
            let broken = verdict == Verdict::Broken;
            return Ok((verdict, if broken { Err(Error::Unavailable) } else { Ok(None) }));
        };
        conn.begin(begin)?;
        match job.run(conn) {
            Verdict::Keep => match conn.commit() {
                Ok(()) if kind == Kind::WritesAndTells => Ok((Verdict::Keep, Ok(self.position()))),
                Ok(()) => Ok((Verdict::Keep, Ok(None))),
                Err(error) => match Error::from(error) {
                    Error::Contended => {
                        // Diesel may still count the transaction that the server refused: a fresh connection knows better.
                        self.conn = None;
                        Ok((Verdict::Again, Err(Error::Contended)))
                    }
                    error if kind == Kind::Reads => Err(error),
                    _ => Ok((Verdict::Broken, Ok(None))),
                },
            },
            Verdict::Broken => Ok((Verdict::Broken, Err(Error::Unavailable))),
            verdict @ (Verdict::Undo | Verdict::Again) => {
                if conn.roll_back().is_err() {
                    self.conn = None;
                }
                Ok((verdict, Ok(None)))
            }
        }
    }

    /// Where in the log it stands what has just been committed.
    fn position(&mut self) -> Option<Position> {
        let written = self.conn.as_mut()?.written();
        if written.is_err() {
            self.conn = None;
        }
        Some(written.ok()?.position)
    }

    /// Several writes in one transaction, each in a savepoint, all answered after the one commit.
    fn together(&mut self, mut group: Vec<Box<dyn Job>>) {
        let begin = self.begins.write;
        let committed = self.conn().and_then(|conn| {
            conn.begin(begin)?;
            for job in &mut group {
                <Conn as Connection>::TransactionManager::begin_transaction(conn)?;
                match job.run(conn) {
                    Verdict::Keep => <Conn as Connection>::TransactionManager::commit_transaction(conn)?,
                    // Where the database rolled everything back by itself, this fails, and with it the whole group.
                    _ => <Conn as Connection>::TransactionManager::rollback_transaction(conn)?,
                }
            }
            Ok(conn.commit()?)
        });
        if committed.is_err() {
            self.conn = None;
        }
        for job in group {
            job.settle(committed.as_ref().map(|()| None).map_err(|_| Error::Unavailable));
        }
    }
}
