//! The API as its callers know it: one suite, run on either database (`TEST_DATABASE`), a file a noun.

#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

mod access_tokens;
mod app;
mod bodies;
mod clients;
mod concurrency;
mod forms;
mod headers;
mod idempotency;
mod lists;
mod models;
mod perspectives;
mod problems;
mod publishing;
mod retention;
mod smoke;
