//! The API as its callers know it: one suite, run on either database (`TEST_DATABASE`), a file a noun.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test that cannot go on fails; some tell what they counted"
)]

mod access;
mod access_references;
mod access_tokens;
mod anonymity;
mod app;
mod assessment_drafts;
mod assessment_versions;
mod assessments;
mod bodies;
mod canaries;
mod catalogue;
mod clients;
mod commands;
mod concurrency;
mod constellation_drawings;
mod constellations;
mod contract;
mod draining;
mod erasure;
mod external_ids;
mod faults;
mod forger;
mod forms;
mod gap_analyses;
mod gap_analysis_charts;
mod gap_analysis_distance;
mod gap_analysis_findings;
mod gap_analysis_formats;
mod gap_analysis_limits;
mod gap_analysis_previews;
mod gap_analysis_versions;
mod headers;
mod hostile_requests;
mod hostile_tokens;
mod idempotency;
mod inviting;
mod languages;
mod lists;
mod logs;
mod making;
mod metrics;
mod migration;
mod models;
mod next_steps;
mod openapi;
mod perspectives;
#[path = "../ports/mod.rs"]
mod ports;
mod precedence;
mod problems;
mod publishing;
mod rating_properties;
mod recovery;
mod regimes;
mod relationships;
mod respondents;
mod retention;
mod round_analyses;
mod round_limits;
mod rounds;
mod rows;
mod server;
mod server_owned_fields;
mod smoke;
mod tombstones;
mod traces;
mod translations;
mod wire;
mod world;
