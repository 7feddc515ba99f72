//! What is kept, in either database.

pub mod auth_revisions;
pub mod clients;
pub mod db;
pub mod error;
pub mod fork;
pub mod journal;
pub mod keys;
mod lane;
pub mod models;
pub mod organisations;
pub mod page;
mod schema;
