//! The Meaningful Connections API.

pub mod auth;
pub mod config;
pub mod domain;
pub mod http;
pub mod service;
pub mod store;
