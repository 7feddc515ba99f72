//! Lanes: threads that own connections and take work from a bounded queue.
//!
//! A job hands its outcome to a callback, so that no thread waits for another, and none is needed per request.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread,
    time::Instant,
};

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use diesel::connection::{Connection, TransactionManager};

use super::{
    error::{Error, Failure},
    fork::{Conn, Place},
    meters::{Asked, Counted, Meters},
    tx::{Shared, Tx},
};
use crate::domain::access::Actor;

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
    /// When and by whom it was asked for.
    fn asked(&mut self) -> &mut Asked;
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
    asked: Asked,
    shared: Arc<Shared>,
    actor: Actor,
    writes: bool,
    run: F,
    done: D,
    result: Option<Result<T, E>>,
    counted: Vec<Counted>,
}

impl<T, E, F, D> Work<T, E, F, D> {
    pub(super) fn new(shared: &Arc<Shared>, actor: Actor, writes: bool, run: F, done: D) -> Self {
        Self {
            asked: Asked::now(writes),
            shared: Arc::clone(shared),
            actor,
            writes,
            run,
            done,
            result: None,
            counted: Vec::new(),
        }
    }
}

impl<T, E, F, D> Job for Work<T, E, F, D>
where
    T: Send,
    E: Failure,
    F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send,
    D: FnOnce(Result<T, E>) + Send,
{
    fn asked(&mut self) -> &mut Asked {
        &mut self.asked
    }

    fn writes(&self) -> bool {
        self.writes
    }

    fn run(&mut self, conn: &mut Conn) -> Outcome {
        let (run, mut tx) = (&mut self.run, Tx::new(conn, self.actor, &self.shared));
        let result = self
            .asked
            .log()
            .in_scope(|| catch_unwind(AssertUnwindSafe(|| run(&mut tx))))
            .unwrap_or_else(|_| Err(E::from(Error::Panicked)));
        self.counted = tx.counted();
        let verdict = match result.as_ref().map_err(Failure::store_error) {
            Ok(_) => Verdict::Keep,
            Err(Some(Error::Contended)) => Verdict::Again,
            Err(Some(Error::Unavailable)) => Verdict::Broken,
            Err(_) => Verdict::Undo,
        };
        self.result = Some(result);
        Outcome(verdict)
    }

    fn settle(self: Box<Self>, committed: Result<(), Error>) {
        let Self {
            asked,
            done,
            result,
            counted,
            ..
        } = *self;
        let result = match (committed, result) {
            // Work that failed by itself has the better reason.
            (Err(_), Some(Err(own))) => Err(own),
            (Err(error), _) => Err(error.into()),
            (Ok(()), Some(result)) => result,
            (Ok(()), None) => Err(Error::Unavailable.into()),
        };
        if result.is_ok() {
            counted.into_iter().for_each(Counted::stands);
        }
        asked.ended(result.as_ref().err().and_then(Failure::store_error));
        done(result);
    }
}

/// A bounded queue and the threads that serve it, each with a connection of its own.
pub(super) struct Lane {
    queue: Sender<Box<dyn Job>>,
    meters: Arc<Meters>,
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
        let meters = Arc::new(Meters::new(name, threads, QUEUE));
        for number in 0..threads {
            let worker = Worker {
                place: place.clone(),
                jobs: jobs.clone(),
                meters: Arc::clone(&meters),
                group,
                reads_only,
                conn: None,
            };
            thread::Builder::new()
                .name(format!("{name}-{number}"))
                .spawn(move || worker.serve())
                .map_err(|_| Error::Overloaded)?;
        }
        Ok(Self { queue, meters })
    }

    /// Says in the metrics how much is waiting.
    pub(super) fn observe(&self) {
        self.meters.queue(self.queue.len());
    }

    /// Puts a job into the queue; where it is full, the job is settled with [`Error::Overloaded`].
    pub(super) fn take(&self, job: Box<dyn Job>) {
        match self.queue.try_send(job) {
            Ok(()) => {}
            Err(TrySendError::Full(job)) => {
                self.meters.refused.increment(1);
                job.settle(Err(Error::Overloaded));
            }
            Err(TrySendError::Disconnected(job)) => job.settle(Err(Error::Unavailable)),
        }
    }
}

struct Worker {
    place: Place,
    jobs: Receiver<Box<dyn Job>>,
    meters: Arc<Meters>,
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
            self.meters.took(group.iter_mut().map(|job| job.asked()));
            let (began, was_open) = (Instant::now(), self.conn.is_some());
            let writes = group.iter().any(|job| job.writes());
            match <[Box<dyn Job>; 1]>::try_from(group) {
                Ok([job]) => self.alone(job),
                Err(group) => self.together(group),
            }
            self.meters.did(writes, began.elapsed(), was_open, self.conn.is_some());
        }
    }

    fn conn(&mut self) -> Result<&mut Conn, Error> {
        if self.conn.is_none() {
            let opened = if self.reads_only {
                self.place.connect_to_read()
            } else {
                self.place.connect()
            };
            let outcome = if opened.is_ok() {
                &self.meters.opened
            } else {
                &self.meters.failed
            };
            outcome.increment(1);
            self.conn = Some(opened?);
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
                Verdict::Again if attempt < ATTEMPTS => self.meters.retries.increment(1),
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
        let meters = Arc::clone(&self.meters);
        let conn = self.conn()?;
        if !job.writes() {
            let Outcome(verdict) = job.run(conn);
            let broken = verdict == Verdict::Broken;
            return Ok((verdict, if broken { Err(Error::Unavailable) } else { Ok(()) }));
        }
        conn.begin()?;
        let Outcome(verdict) = job.run(conn);
        match verdict {
            Verdict::Keep => match meters.commit(|| conn.commit()) {
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
        let meters = Arc::clone(&self.meters);
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
            Ok(meters.commit(|| conn.commit())?)
        });
        if committed.is_err() {
            self.conn = None;
        }
        for job in group {
            job.settle(committed.as_ref().copied().map_err(|_| Error::Unavailable));
        }
    }
}
