//! What the operator is told: logs, metrics and traces.

pub mod metrics;
mod process;
pub mod traces;

use std::{
    env,
    fs::File,
    io::{self, IsTerminal},
    os::fd::AsFd,
};

use tracing_subscriber::{EnvFilter, fmt::writer::BoxMakeWriter};

use crate::config::{Config, LogFormat};

/// Begins to log, to stderr: stdout is for what was asked for.
pub fn log(config: &Config) {
    let is_terminal = io::stderr().is_terminal();
    let logs = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(&config.log))
        .with_ansi(is_terminal && env::var_os("NO_COLOR").is_none())
        .with_writer(lines());
    let usual = if is_terminal { LogFormat::Text } else { LogFormat::Json };
    match config.log_format.unwrap_or(usual) {
        LogFormat::Json => logs.json().flatten_event(true).with_span_list(false).init(),
        LogFormat::Text => logs.init(),
    }
}

/// Where lines go: each is one write, for which threads need not wait for each other, as they would for the lock of stderr.
fn lines() -> BoxMakeWriter {
    let stderr = io::stderr().as_fd().try_clone_to_owned();
    stderr.map_or_else(
        |_| BoxMakeWriter::new(io::stderr),
        |fd| BoxMakeWriter::new(File::from(fd)),
    )
}
