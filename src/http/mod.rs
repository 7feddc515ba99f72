//! The JSON API over HTTP.

pub mod render;
