//! The API as its callers know it: one suite, run on either database (`TEST_DATABASE`), a file a noun.

mod app;
mod smoke;
