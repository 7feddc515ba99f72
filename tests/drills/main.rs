//! Drills: what becomes of acknowledged writes when servers and databases are killed, cut off, full, stopped or swapped.
//!
//! They run the real binary, take their time, and need a machine to break things on: `cargo test` passes them by, and
//! `tests/drills/run` runs them.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a drill that cannot go on fails"
)]

mod cluster;
mod evidence;
mod http;
mod ledger;
mod load;
#[path = "../ports/mod.rs"]
mod ports;
mod relay;
mod report;
mod server;
mod writer;

mod full_disks;
mod outages;
mod postgres_kills;
mod server_kills;
mod stopping;
mod swaps;

/// How often something is done: the number in this variable, or `usual`.
fn count(variable: &str, usual: usize) -> usize {
    std::env::var(variable).map_or(usual, |count| count.parse().expect("a number"))
}

/// Sleeps for a random time.
fn pause(millis: std::ops::Range<u64>) {
    let span = millis.end - millis.start;
    std::thread::sleep(std::time::Duration::from_millis(
        millis.start + rand::random::<u64>() % span,
    ));
}
