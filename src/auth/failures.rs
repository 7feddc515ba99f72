//! How often a client and address failed lately.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

use sha2::{Digest, Sha256};

use super::Error;
use crate::domain::moment::Moment;

/// Each failure is forgiven after so many seconds: ten a minute.
const FORGIVEN_AFTER: i64 = 6;
/// So many seconds of unforgiven failures are borne: ten failures at once.
const BORNE: i64 = 10 * FORGIVEN_AFTER;
/// Beyond so many entries, forgiven ones are dropped. A failure costs the time of a verification, so that far fewer can
/// be unforgiven at a time.
const ENTRIES: usize = 4096;

/// A client as it named itself, and the address it came from.
///
/// A digest, because the name is whatever somebody sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Source([u8; 32]);

impl Source {
    pub(super) fn new(client: &str, peer: IpAddr) -> Self {
        let name = Sha256::digest(client);
        Self(
            Sha256::new()
                .chain_update(name)
                .chain_update(peer.to_string())
                .finalize()
                .into(),
        )
    }
}

/// When each source will have been forgiven everything (a leaky bucket).
#[derive(Default)]
pub(super) struct Failures(Mutex<HashMap<Source, Moment>>);

impl Failures {
    /// Lets a source try, or says how long it has to wait.
    pub(super) fn admit(&self, source: Source, now: Moment) -> Result<(), Error> {
        let failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let bearable = now.plus_seconds(BORNE - FORGIVEN_AFTER);
        match failures.get(&source) {
            Some(forgiven) if *forgiven > bearable => Err(Error::TooManyFailures {
                // Rounded up: who waits for that long is let in.
                retry_after_seconds: (forgiven.micros() - bearable.micros()).saturating_add(999_999) / 1_000_000,
            }),
            _ => Ok(()),
        }
    }

    /// Notes a failure.
    pub(super) fn note(&self, source: Source, now: Moment) {
        let mut failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() >= ENTRIES {
            failures.retain(|_, forgiven| *forgiven > now);
        }
        let forgiven = failures.entry(source).or_insert(now);
        *forgiven = (*forgiven).max(now).plus_seconds(FORGIVEN_AFTER);
    }
}

#[cfg(test)]
mod tests {
    use super::{Failures, Source};
    use crate::{auth::Error, domain::moment::Moment};

    #[test]
    fn the_eleventh_failure_in_a_minute_has_to_wait() {
        let failures = Failures::default();
        let here = Source::new("a", [127, 0, 0, 1].into());
        let now = Moment::from_micros(1_700_000_000_000_000).expect("a moment");
        for _ in 0..10 {
            failures.admit(here, now).expect("up to ten are borne");
            failures.note(here, now);
        }
        assert!(matches!(
            failures.admit(here, now),
            Err(Error::TooManyFailures { retry_after_seconds: 6 })
        ));
        failures.admit(here, now.plus_seconds(6)).expect("one was forgiven");
        for other in [
            Source::new("a", [127, 0, 0, 2].into()),
            Source::new("b", [127, 0, 0, 1].into()),
        ] {
            failures.admit(other, now).expect("others are not held responsible");
        }
    }

    #[test]
    fn forgiven_failures_take_no_room() {
        let failures = Failures::default();
        let now = Moment::from_micros(1_700_000_000_000_000).expect("a moment");
        for client in 0..super::ENTRIES {
            failures.note(Source::new(&client.to_string(), [127, 0, 0, 1].into()), now);
        }
        failures.note(Source::new("late", [127, 0, 0, 1].into()), now.plus_seconds(60));
        assert_eq!(failures.0.lock().expect("not poisoned").len(), 1);
    }
}
