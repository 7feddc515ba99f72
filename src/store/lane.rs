//! Lanes: threads that own connections and take work from a bounded queue.
//!
//! A job hands its outcome to a callback, so that no thread waits for another, and none is needed per request.

use std::{sync::Arc, thread, time::Instant};

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use diesel::{
    QueryResult,
    connection::{Connection, TransactionManager},
};

use super::{
    error::Error,
    fork::{Begins, Conn, Place, Position},
    job::{Job, Kind, Verdict},
    meters::Meters,
    swift::Swift,
    tx::Shared,
};

/// How many jobs may wait before more are refused.
const QUEUE: usize = 1024;
/// How often work is done anew when another writer came between.
const ATTEMPTS: usize = 6;
/// How many connections of a pooler may have died one after the other: what it lends next may be as old.
const LENT: usize = 3;

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
        shared: &Arc<Shared>,
        threads: usize,
        group: usize,
        reads_only: bool,
    ) -> Result<Self, Error> {
        let (queue, jobs) = bounded(QUEUE);
        let meters = Arc::new(Meters::new(name, threads, group, QUEUE));
        for number in 0..threads {
            let worker = Worker {
                begins: place.begins(),
                place: place.clone(),
                shared: Arc::clone(shared),
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
    begins: Begins,
    shared: Arc<Shared>,
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
            let writes = group.iter().any(|job| job.kind() != Kind::Reads);
            match <[Box<dyn Job>; 1]>::try_from(group) {
                Ok([job]) => self.alone(job),
                Err(group) => self.swiftly(group),
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
        let log = job.asked().log();
        let _logged = log.enter();
        let mut reconnections = 0;
        for attempt in 1.. {
            let had_conn = self.conn.is_some();
            let (verdict, committed) = match self.attempt(&mut job) {
                Ok(done) => done,
                Err(Error::LockTimeout) => return self.refuse(vec![job]),
                Err(error) => (Verdict::Broken, Err(error)),
            };
            match verdict {
                Verdict::Again if attempt < ATTEMPTS => self.meters.retries.increment(1),
                Verdict::Broken => {
                    self.conn = None;
                    // A commit that failed may stand: only work that never got there is done anew.
                    let most = if self.place.is_pooled() {
                        LENT
                    } else {
                        usize::from(had_conn)
                    };
                    if reconnections < most && committed.is_err() {
                        reconnections += 1;
                        continue;
                    }
                    return job.settle(Err(if committed.is_ok() {
                        Error::FateUnknown
                    } else {
                        Error::Unavailable
                    }));
                }
                Verdict::Keep | Verdict::Undo | Verdict::Again => return job.settle(committed),
            }
        }
    }

    /// Runs the job once. `Ok((Broken, Ok(_)))` is a commit whose fate is unknown.
    fn attempt(&mut self, job: &mut Box<dyn Job>) -> Result<(Verdict, Result<Option<Position>, Error>), Error> {
        let (meters, shared, kind) = (Arc::clone(&self.meters), Arc::clone(&self.shared), job.kind());
        let begin = match kind {
            Kind::Reads => self.begins.read,
            Kind::Writes | Kind::WritesAndTells => Some(self.begins.write),
        };
        let conn = self.conn()?;
        let Some(begin) = begin else {
            let verdict = job.run(conn, None);
            let broken = verdict == Verdict::Broken;
            return Ok((verdict, if broken { Err(Error::Unavailable) } else { Ok(None) }));
        };
        conn.begin(begin)?;
        match job.run(conn, None) {
            Verdict::Keep => match commit(conn, &meters, &shared) {
                Ok(()) => {
                    let tells = kind == Kind::WritesAndTells;
                    Ok((Verdict::Keep, Ok(if tells { self.position() } else { None })))
                }
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

    /// Another process holds the lock of the one writer for longer than anybody waits. Whoever has queued behind this work
    /// would wait as long once more, and is told now.
    fn refuse(&self, group: Vec<Box<dyn Job>>) {
        // All of them before anybody is told: whoever asks again thereafter is not among them.
        let behind: Vec<_> = self.jobs.try_iter().collect();
        for job in group.into_iter().chain(behind) {
            job.settle(Err(Error::LockTimeout));
        }
    }

    /// Several writes in one transaction, on the assumption that nothing fails: no savepoints, nothing claimed before, and what
    /// nobody reads is written at the end, for all at once. Where anything fails, all is undone, and each done with care.
    fn swiftly(&mut self, mut group: Vec<Box<dyn Job>>) {
        let (meters, shared, begin) = (Arc::clone(&self.meters), Arc::clone(&self.shared), self.begins.swift);
        let mut done = 0;
        let committed = self.conn().and_then(|conn| {
            conn.begin(begin)?;
            let mut swift = Swift::default();
            for job in &mut group {
                if job.run(conn, Some(&mut swift)) != Verdict::Keep {
                    return Ok(None);
                }
                done += 1;
            }
            swift.write(conn)?;
            Ok(Some(commit(conn, &meters, &shared).is_ok()))
        });
        let committed = match committed {
            Ok(Some(committed)) => committed,
            Err(Error::LockTimeout) if self.place.one_writer() => {
                self.conn = None;
                return self.refuse(group);
            }
            Ok(None) | Err(_) => {
                if self.conn.as_mut().is_none_or(|conn| conn.roll_back().is_err()) {
                    self.conn = None;
                }
                // Whoever failed may wait for a lock, and comes last.
                let failed = (done < group.len()).then(|| group.remove(done));
                return self.with_care(group.into_iter().chain(failed).collect());
            }
        };
        let tells = committed && group.iter().any(|job| job.kind() == Kind::WritesAndTells);
        let position = if tells { self.position() } else { None };
        if !committed {
            self.conn = None;
        }
        for job in group {
            job.settle(if committed {
                Ok(position)
            } else {
                Err(Error::FateUnknown)
            });
        }
    }

    /// Each write as if it were alone; where there is one writer, they still share the commit.
    fn with_care(&mut self, group: Vec<Box<dyn Job>>) {
        self.meters.retries.increment(1);
        if self.place.one_writer() {
            return self.together(group);
        }
        for job in group {
            self.alone(job);
        }
    }

    /// Several writes in one transaction, each in a savepoint, all answered after the one commit.
    fn together(&mut self, mut group: Vec<Box<dyn Job>>) {
        let (meters, shared, begin) = (Arc::clone(&self.meters), Arc::clone(&self.shared), self.begins.write);
        let done = self.conn().and_then(|conn| {
            conn.begin(begin)?;
            for job in &mut group {
                <Conn as Connection>::TransactionManager::begin_transaction(conn)?;
                match job.run(conn, None) {
                    Verdict::Keep => <Conn as Connection>::TransactionManager::commit_transaction(conn)?,
                    // Where the database rolled everything back by itself, this fails, and with it the whole group.
                    _ => <Conn as Connection>::TransactionManager::rollback_transaction(conn)?,
                }
            }
            Ok(commit(conn, &meters, &shared).is_ok())
        });
        match done {
            Err(Error::LockTimeout) => {
                self.conn = None;
                return self.refuse(group);
            }
            Ok(true) => {}
            Ok(false) | Err(_) => self.conn = None,
        }
        for job in group {
            job.settle(match done {
                Ok(true) => Ok(None),
                Ok(false) => Err(Error::FateUnknown),
                Err(_) => Err(Error::Unavailable),
            });
        }
    }
}

/// Commits, and leaves no trace of what was deleted.
fn commit(conn: &mut Conn, meters: &Meters, shared: &Shared) -> QueryResult<()> {
    meters.commit(|| conn.commit())?;
    shared.leave_no_trace(conn);
    Ok(())
}
