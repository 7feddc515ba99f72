//! Replicas: servers that follow the primary, and answer reads once they have followed far enough.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TrySendError, bounded};

use super::{
    error::{Error, Result},
    fork::{Conn, Place, Position},
    job::{Job, Verdict},
    lane::Lane,
};

/// How many threads read from a replica: each holds one connection.
const THREADS: usize = 8;
/// How many reads may wait for a replica before the primary is asked instead.
const QUEUE: usize = 256;
/// How long a read waits for a replica that is behind.
const PATIENCE: Duration = Duration::from_millis(100);
/// How often a replica is asked meanwhile how far it is.
const POLL: Duration = Duration::from_millis(5);
/// For how long nobody waits for a replica that somebody waited for in vain.
const IMPATIENCE: Duration = Duration::from_secs(1);
/// How soon a replica that is down is tried again.
const RETRY: Duration = Duration::from_secs(1);
/// How often the primary is asked how far it is.
const BEAT: Duration = Duration::from_secs(1);
/// What was written longer ago than this is in whatever a replica answers, whoever wrote it.
const OLDEST: Duration = Duration::from_secs(5);

/// A read that a replica may answer.
struct Reading {
    job: Box<dyn Job>,
    wanted: Position,
    until: Instant,
}

/// The replicas, and the primary that answers in their stead.
pub(super) struct Replicas {
    all: Vec<Replica>,
    next: AtomicUsize,
    pulse: Arc<Pulse>,
    primary: Arc<Lane>,
    /// Dropped with the rest, which ends the thread that asks the primary.
    _running: Sender<()>,
}

struct Replica {
    queue: Sender<Reading>,
    /// How many of its threads are connected.
    connected: Arc<AtomicUsize>,
}

impl Replicas {
    pub(super) fn start(place: &Place, replicas: &[Place], primary: &Arc<Lane>) -> Result<Self> {
        let pulse = Arc::new(Pulse::default());
        let (running, stopped) = bounded(0);
        let (heart, place) = (Arc::clone(&pulse), place.clone());
        spawn("pulse", move || heart.beat(&place, &stopped))?;
        let start = |place: &Place| Replica::start(place, &pulse, primary);
        Ok(Self {
            all: replicas.iter().map(start).collect::<Result<_>>()?,
            next: AtomicUsize::new(0),
            pulse,
            primary: Arc::clone(primary),
            _running: running,
        })
    }

    /// Lets a replica do the work once it reaches this position, and the primary where none does in time.
    pub(super) fn take(&self, job: Box<dyn Job>, wanted: Position) {
        let Some(floor) = self.pulse.floor() else {
            return answer_from(&self.primary, job);
        };
        let mut reading = Reading {
            job,
            wanted: wanted.and(floor.position),
            until: Instant::now() + PATIENCE,
        };
        let first = self.next.fetch_add(1, Ordering::Relaxed);
        let (before, after) = self.all.split_at(first % self.all.len().max(1));
        for replica in after.iter().chain(before) {
            if replica.connected.load(Ordering::Acquire) == 0 {
                continue;
            }
            match replica.queue.try_send(reading) {
                Ok(()) => return,
                Err(TrySendError::Full(back) | TrySendError::Disconnected(back)) => reading = back,
            }
        }
        answer_from(&self.primary, reading.job);
    }
}

fn answer_from(primary: &Lane, job: Box<dyn Job>) {
    metrics::counter!("replica_reads_total", "answered_by" => "primary").increment(1);
    primary.take(job);
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<()> {
    let thread = thread::Builder::new().name(name.to_owned()).spawn(run);
    thread.map(drop).map_err(|_| Error::Overloaded)
}

/// How far the primary was lately.
///
/// A replica that has what the primary had five seconds ago is at most five seconds behind. Asking how long ago the
/// replica's last transaction was would say the same only of a primary that is never idle, by clocks that agree.
#[derive(Default)]
struct Pulse {
    beats: Mutex<VecDeque<Beat>>,
}

#[derive(Clone, Copy)]
struct Beat {
    /// Before the primary was asked.
    at: Instant,
    position: Position,
    system: i64,
}

impl Pulse {
    /// Asks again and again, until nobody runs any more.
    fn beat(&self, place: &Place, stopped: &Receiver<()>) {
        let mut conn: Option<Conn> = None;
        loop {
            let at = Instant::now();
            let asked = match conn.take().map_or_else(|| place.connect(), Ok) {
                Ok(mut open) => open.written().map(|written| (open, written)),
                Err(error) => Err(error),
            };
            if let Ok((open, written)) = asked {
                conn = Some(open);
                self.note(Beat {
                    at,
                    position: written.position,
                    system: written.system,
                });
            }
            if stopped.recv_timeout(BEAT) != Err(RecvTimeoutError::Timeout) {
                return;
            }
        }
    }

    fn note(&self, beat: Beat) {
        let mut beats = self.beats.lock().unwrap_or_else(PoisonError::into_inner);
        // One more than counts, for as long as it counts.
        beats.retain(|old| old.at.elapsed() < OLDEST);
        beats.push_back(beat);
    }

    /// What every replica must have reached, and which system it is of; nothing where the primary has not answered lately.
    fn floor(&self) -> Option<Beat> {
        let beats = self.beats.lock().unwrap_or_else(PoisonError::into_inner);
        beats.iter().find(|beat| beat.at.elapsed() < OLDEST).copied()
    }
}

impl Replica {
    fn start(place: &Place, pulse: &Arc<Pulse>, primary: &Arc<Lane>) -> Result<Self> {
        let (queue, readings) = bounded(QUEUE);
        let connected = Arc::new(AtomicUsize::new(0));
        for number in 0..THREADS {
            let reader = Reader {
                place: place.clone(),
                readings: readings.clone(),
                connected: Arc::clone(&connected),
                pulse: Arc::clone(pulse),
                primary: Arc::clone(primary),
                waiting: Vec::new(),
                impatient_until: Instant::now(),
            };
            spawn(&format!("replica-{number}"), move || reader.serve())?;
        }
        Ok(Self { queue, connected })
    }
}

/// Nobody will ask any more.
struct Gone;

/// One thread with one connection to a replica.
struct Reader {
    place: Place,
    readings: Receiver<Reading>,
    connected: Arc<AtomicUsize>,
    pulse: Arc<Pulse>,
    primary: Arc<Lane>,
    waiting: Vec<Reading>,
    impatient_until: Instant,
}

impl Reader {
    fn serve(mut self) {
        loop {
            let ended = match self.connect() {
                Ok((conn, at)) => {
                    self.connected.fetch_add(1, Ordering::AcqRel);
                    let ended = self.answer(conn, at);
                    self.connected.fetch_sub(1, Ordering::AcqRel);
                    ended
                }
                Err(error) => {
                    tracing::debug!(%error, "a replica cannot be used");
                    Ok(())
                }
            };
            if ended.and_then(|()| self.pass_on()).is_err() {
                return;
            }
        }
    }

    /// A connection to a server that is a replica of our primary, and how far it is.
    fn connect(&self) -> Result<(Conn, Position)> {
        let beat = self.pulse.floor().ok_or(Error::Unavailable)?;
        let mut conn = self.place.connect_to_read()?;
        let at = conn.replayed()?;
        if at.system != beat.system {
            tracing::error!("a replica follows another primary than ours: it is not used");
            return Err(Error::Unavailable);
        }
        Ok((conn, at.position))
    }

    /// Answers readings, until the connection breaks.
    fn answer(&mut self, mut conn: Conn, mut at: Position) -> Result<(), Gone> {
        loop {
            let next = if self.waiting.is_empty() {
                self.readings.recv().map_err(|_| RecvTimeoutError::Disconnected)
            } else {
                self.readings.recv_timeout(POLL)
            };
            if next.as_ref().is_err_and(RecvTimeoutError::is_disconnected) {
                return Err(Gone);
            }
            self.waiting.extend(next);
            // A replica only moves on: what it reached once needs no asking.
            if self.waiting.iter().any(|reading| !at.reaches(reading.wanted)) {
                match conn.replayed() {
                    Ok(now) => at = now.position,
                    Err(_) => return Ok(()),
                }
            }
            while let Some(ready) = self.waiting.iter().position(|reading| at.reaches(reading.wanted)) {
                let reading = self.waiting.swap_remove(ready);
                if !self.answer_one(&mut conn, reading.job) {
                    return Ok(());
                }
            }
            self.wait_no_longer();
        }
    }

    /// Leaves to the primary what has waited long enough, and all that waits where somebody has just waited in vain.
    fn wait_no_longer(&mut self) {
        let now = Instant::now();
        if self.waiting.iter().any(|reading| now >= reading.until) {
            self.impatient_until = now + IMPATIENCE;
        }
        if now < self.impatient_until {
            for reading in self.waiting.drain(..) {
                answer_from(&self.primary, reading.job);
            }
        }
    }

    /// Whether the connection is still of use. Work that could not be done here is done by the primary.
    fn answer_one(&self, conn: &mut Conn, mut job: Box<dyn Job>) -> bool {
        let verdict = job.run(conn, None);
        if matches!(verdict, Verdict::Keep | Verdict::Undo) {
            metrics::counter!("replica_reads_total", "answered_by" => "replica").increment(1);
            job.settle(Ok(None));
        } else {
            answer_from(&self.primary, job);
        }
        verdict != Verdict::Broken
    }

    /// Leaves to the primary what waits and what comes, until it is time to connect again.
    fn pass_on(&mut self) -> Result<(), Gone> {
        let until = Instant::now() + RETRY;
        for reading in self.waiting.drain(..) {
            answer_from(&self.primary, reading.job);
        }
        loop {
            match self.readings.recv_deadline(until) {
                Ok(reading) => answer_from(&self.primary, reading.job),
                Err(RecvTimeoutError::Timeout) => return Ok(()),
                Err(RecvTimeoutError::Disconnected) => return Err(Gone),
            }
        }
    }
}
