//! What runs beside requests.

mod rounds;

use std::{
    io,
    sync::Arc,
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TryRecvError, bounded};
use metrics::{counter, gauge};

use crate::{
    domain::access::Actor,
    service::{self, erasure},
    store::{db::Db, idempotency},
};

/// How often the jobs run.
const EVERY: Duration = Duration::from_secs(60);
/// How long what is being erased may take to end once the service was told to.
const SLOWEST_END: Duration = Duration::from_secs(5);
/// How many assessments are erased at a time.
const BATCH: i64 = 100;

/// The jobs, in a thread of their own, for as long as this is kept.
pub struct Jobs {
    running: Option<Sender<()>>,
    ended: Receiver<()>,
}

impl Jobs {
    /// Starts them.
    pub fn start(db: Arc<Db>) -> io::Result<Self> {
        let (running, stopped) = bounded(0);
        let (ending, ended) = bounded(0);
        let run = move || {
            let _ending: Sender<()> = ending;
            let mut stuck = Stuck::new();
            loop {
                counter!("retention_runs_total").increment(1);
                let outcome = retain_until(&db, || stopped.try_recv() != Err(TryRecvError::Empty));
                match &outcome {
                    Ok(0) => {}
                    Ok(erased) => tracing::info!(erased, "erased what was withdrawn long enough ago"),
                    Err(error) => tracing::warn!(%error, "retention failed; it is tried again"),
                }
                counter!("retention_failures_total").increment(u64::from(outcome.is_err()));
                if outcome.is_ok() {
                    gauge!("retention_last_success_timestamp_seconds").set(now());
                }
                rounds::step(&db, &mut stuck);
                if let Err(error) = db.catch_up_ledger() {
                    tracing::error!(%error, "the ledger of erasures is behind; until it is not, nothing is erased");
                }
                if stopped.recv_timeout(EVERY) != Err(RecvTimeoutError::Timeout) {
                    break;
                }
            }
        };
        thread::Builder::new().name("jobs".to_owned()).spawn(run)?;
        Ok(Self {
            running: Some(running),
            ended,
        })
    }
}

impl Drop for Jobs {
    /// Waits for what is being erased just now; the rest has its time after the next start.
    fn drop(&mut self) {
        drop(self.running.take());
        if self.ended.recv_timeout(SLOWEST_END) == Err(RecvTimeoutError::Timeout) {
            tracing::warn!("a job is cut off: what it did is rolled back, and done after the next start");
        }
    }
}

pub use rounds::{Stuck, step};

/// Seconds since the epoch, for the metrics.
fn now() -> f64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0.0, |since| since.as_secs_f64())
}

/// Erases assessments that were withdrawn 30 days ago, and forgets answers after 24 hours. Returns how many it erased.
pub fn retain(db: &Db) -> service::Result<usize> {
    retain_until(db, || false)
}

/// The same, but begins nothing more once it was told to end.
fn retain_until(db: &Db, told_to_end: impl Fn() -> bool) -> service::Result<usize> {
    db.write_now(Actor::SERVICE, |tx| {
        idempotency::delete_expired(tx).map_err(service::Error::from)
    })?;
    let due = db.read_now(Actor::SERVICE, |tx| erasure::due(tx, BATCH))?;
    let mut erased = 0;
    for (organisation, id) in due {
        if told_to_end() {
            break;
        }
        let actor = Actor::service_for(organisation);
        match db.write_now(actor, move |tx| erasure::erase_if_due(tx, id)) {
            Ok(()) => erased += 1,
            // Another process was faster, or it was restored meanwhile.
            Err(service::Error::NotFound(_)) => {}
            // One that cannot be erased must not keep the others.
            Err(error) => {
                counter!("retention_failures_total").increment(1);
                tracing::warn!(%organisation, %id, %error, "an assessment is not erased yet");
            }
        }
    }
    Ok(erased)
}
