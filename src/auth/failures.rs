//! How often a client and address failed lately.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, PoisonError},
};

use sha2::{Digest, Sha256};

use super::Error;
use crate::domain::moment::Moment;

/// Each failure is forgiven after so many seconds: ten a minute.
const FORGIVEN_AFTER: i64 = 6;
/// So many unforgiven failures are borne.
const BORNE: i64 = 10;
/// So many of whoever guesses tokens, while many do.
const BORNE_IN_A_CROWD: i64 = 1;
/// Many guess where more than so many sources have failures that are not forgiven.
const CROWD: usize = 256;
/// Beyond so many entries, forgiven ones are dropped. A failure costs the time of a verification, so that far fewer can
/// be unforgiven at a time.
const ENTRIES: usize = 4096;

/// A client as it named itself, and the address it came from.
///
/// A digest, because the name is whatever somebody sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Source([u8; 32]);

impl Source {
    /// Whoever presents tokens from this address.
    pub(super) fn guessing(peer: IpAddr) -> Self {
        let from = match peer {
            IpAddr::V4(_) => peer,
            // Whoever has one address of a network has all of it.
            IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        };
        Self::new("tokens of invitations, and receipts", from)
    }

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
        self.bear(source, now, |_| BORNE)
    }

    /// [`admit`](Self::admit), for those whose tokens led nowhere: while many fail from wherever, each may fail once.
    pub(super) fn admit_guess(&self, source: Source, now: Moment) -> Result<(), Error> {
        self.bear(source, now, |known| {
            let unforgiven = known
                .values()
                .filter(|forgiven| **forgiven > now)
                .take(CROWD + 1)
                .count();
            if unforgiven > CROWD { BORNE_IN_A_CROWD } else { BORNE }
        })
    }

    fn bear(
        &self,
        source: Source,
        now: Moment,
        borne: impl FnOnce(&HashMap<Source, Moment>) -> i64,
    ) -> Result<(), Error> {
        let failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(forgiven) = failures.get(&source) else {
            return Ok(());
        };
        let bearable = now.plus_seconds((borne(&failures) - 1) * FORGIVEN_AFTER);
        if *forgiven <= bearable {
            return Ok(());
        }
        Err(Error::TooManyFailures {
            // Rounded up: who waits for that long is let in.
            retry_after_seconds: (forgiven.micros() - bearable.micros()).saturating_add(999_999) / 1_000_000,
        })
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
    fn while_many_guess_each_may_fail_once_and_who_never_failed_is_let_in() {
        let guesses = Failures::default();
        let now = Moment::from_micros(1_700_000_000_000_000).expect("a moment");
        let from = |number: u32| Source::guessing(std::net::Ipv4Addr::from(number).into());
        guesses.note(from(0), now);
        guesses.admit_guess(from(0), now).expect("alone, ten are borne");
        for number in 1..=256 {
            guesses.note(from(number), now);
        }
        assert!(matches!(
            guesses.admit_guess(from(0), now),
            Err(Error::TooManyFailures { retry_after_seconds: 6 })
        ));
        guesses.admit_guess(from(1000), now).expect("it never failed");
        guesses
            .admit_guess(from(0), now.plus_seconds(6))
            .expect("all are forgiven");
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
