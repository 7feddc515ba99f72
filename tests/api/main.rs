//! The API as its callers know it: one suite, run on either database (`TEST_DATABASE`), a file a noun.

#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

mod app;
mod assessment_drafts;
mod assessment_versions;
mod assessments;
mod external_ids;
mod making;
mod migration;
mod smoke;
