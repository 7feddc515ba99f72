//! The API as its callers know it: one suite, run on either database (`TEST_DATABASE`), a file a noun.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod access;
mod access_tokens;
mod app;
mod assessment_drafts;
mod assessment_versions;
mod assessments;
mod bodies;
mod clients;
mod concurrency;
mod contract;
mod erasure;
mod external_ids;
mod faults;
mod forms;
mod gap_analyses;
mod gap_analysis_distance;
mod gap_analysis_findings;
mod gap_analysis_formats;
mod gap_analysis_previews;
mod gap_analysis_versions;
mod headers;
mod idempotency;
mod lists;
mod making;
mod migration;
mod models;
mod openapi;
mod perspectives;
mod problems;
mod publishing;
mod rating_properties;
mod retention;
mod smoke;
mod world;
