//! The API as its callers know it: one suite, run on either database (`TEST_DATABASE`), a file a noun.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod access;
mod app;
mod bodies;
mod concurrency;
mod idempotency;
mod openapi;
mod problems;
mod smoke;
mod world;
