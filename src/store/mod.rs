//! What is kept, in either database.

pub mod assessment_lists;
pub mod assessments;
pub mod auth_revisions;
pub mod backup;
pub mod clients;
pub mod db;
pub mod error;
pub mod events;
mod external_ids;
pub mod fork;
pub mod gap_analyses;
pub mod idempotency;
mod job;
pub mod journal;
pub mod keys;
mod lane;
pub mod ledger;
mod meters;
pub mod models;
pub mod organisations;
pub mod page;
pub mod perspectives;
mod replicas;
mod schema;
mod swift;
pub mod tombstones;
mod tx;
