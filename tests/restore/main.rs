//! Backups are restored for real: what was there at the backup's moment is there again, byte for byte, and what was erased
//! since is not.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

mod cluster;
mod files;
mod keys;
#[path = "../ports/mod.rs"]
mod ports;
mod postgres;
mod server;
mod sqlite;
mod world;
