//! What is kept, in either database.

pub mod db;
pub mod error;
pub mod fork;
pub mod journal;
mod lane;
pub mod models;
pub mod page;
mod schema;
