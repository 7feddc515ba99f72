//! The Meaningful Connections API.
//!
//! Six rooms, and imports that point one way:
//!
//! ```text
//! domain  ←  store  ←  service  ←  auth  ←  http        (jobs: like http, but never imports it, nor is imported by it)
//! ```

pub mod auth;
pub mod config;
pub mod domain;
pub mod http;
pub mod jobs;
pub mod service;
pub mod store;
pub mod telemetry;
