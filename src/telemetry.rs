//! What the operator is told: logs, metrics and traces.

pub mod metrics;
mod process;
pub mod traces;

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;

use crate::config::{Config, LogFormat};

/// Begins to log, to stderr: stdout is for what was asked for.
pub fn log(config: &Config) {
    let logs = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(&config.log))
        .with_writer(io::stderr);
    let usual = if io::stderr().is_terminal() {
        LogFormat::Text
    } else {
        LogFormat::Json
    };
    match config.log_format.unwrap_or(usual) {
        LogFormat::Json => logs.json().flatten_event(true).with_span_list(false).init(),
        LogFormat::Text => logs.init(),
    }
}
