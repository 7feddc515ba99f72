//! What runs beside requests.

use std::{
    sync::Weak,
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use metrics::{counter, gauge};

use crate::{
    domain::access::Actor,
    service::{self, erasure},
    store::{db::Db, idempotency},
};

/// How often the jobs run.
const EVERY: Duration = Duration::from_secs(60);
/// How many assessments are erased at a time.
const BATCH: i64 = 100;

/// Starts the jobs in a thread of their own; it ends with the database.
pub fn start(db: Weak<Db>) -> std::io::Result<()> {
    let run = move || {
        while let Some(db) = db.upgrade() {
            counter!("retention_runs_total").increment(1);
            let outcome = retain(&db);
            match &outcome {
                Ok(0) => {}
                Ok(erased) => tracing::info!(erased, "erased what was withdrawn long enough ago"),
                Err(error) => tracing::warn!(%error, "retention failed; it is tried again"),
            }
            counter!("retention_failures_total").increment(u64::from(outcome.is_err()));
            if outcome.is_ok() {
                gauge!("retention_last_success_timestamp_seconds").set(now());
            }
            drop(db);
            thread::sleep(EVERY);
        }
    };
    thread::Builder::new().name("jobs".to_owned()).spawn(run).map(drop)
}

/// Seconds since the epoch, for the metrics.
fn now() -> f64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0.0, |since| since.as_secs_f64())
}

/// Erases assessments that were withdrawn 30 days ago, and forgets answers after 24 hours. Returns how many it erased.
pub fn retain(db: &Db) -> service::Result<usize> {
    db.write_now(Actor::SERVICE, |tx| {
        idempotency::delete_expired(tx).map_err(service::Error::from)
    })?;
    let due = db.read_now(Actor::SERVICE, |tx| erasure::due(tx, BATCH))?;
    let mut erased = 0;
    for (organisation, id) in due {
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
