//! Metrics, as Prometheus reads them. `k8s/README.md` has the table of them all.

use std::{io, thread, time::Duration};

use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

use super::process;

/// Upper bounds of histograms of time, in seconds.
const SECONDS: &[f64] = &[
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];
/// Upper bounds of how many writes share a transaction.
const GROUPS: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0];
/// How often what was measured is summed up where nobody asks for it.
const UPKEEP: Duration = Duration::from_secs(5);

/// The page of all metrics.
#[derive(Clone)]
pub struct Page(PrometheusHandle);

impl Page {
    /// The metrics as they stand, in Prometheus' text format.
    pub fn text(&self) -> String {
        process::observe();
        self.0.render()
    }
}

/// Begins to measure. What was asked to be measured before is not.
pub fn start() -> io::Result<Page> {
    let handle = recorder().map_err(io::Error::other)?;
    describe();
    for name in ZEROS {
        counter!(*name).increment(0);
    }
    let commit = option_env!("GIT_COMMIT").unwrap_or("unknown");
    gauge!("meaningful_connections_build_info", "version" => env!("CARGO_PKG_VERSION"), "commit" => commit).set(1);
    let kept = handle.clone();
    // Until they are summed up, all single measurements are held in memory.
    thread::Builder::new().name("metrics".to_owned()).spawn(move || {
        loop {
            thread::sleep(UPKEEP);
            kept.run_upkeep();
        }
    })?;
    Ok(Page(handle))
}

fn recorder() -> Result<PrometheusHandle, BuildError> {
    PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), SECONDS)?
        .set_buckets_for_metric(Matcher::Full("database_group_size".to_owned()), GROUPS)?
        .install_recorder()
}

/// Counters that are there before anything is counted: what is absent cannot be told from what is zero.
const ZEROS: &[&str] = &[
    "auth_tokens_issued_total",
    "idempotent_replays_total",
    "retention_failures_total",
    "retention_runs_total",
];

const COUNTERS: &[(&str, &str)] = &[
    (
        "http_requests_total",
        "Requests answered, by operation of the OpenAPI document and status.",
    ),
    (
        "sealed_versions_total",
        "Versions sealed and committed, by kind of resource.",
    ),
    (
        "erased_assessments_total",
        "Assessments erased for good, by request or by retention.",
    ),
    (
        "idempotent_replays_total",
        "Requests that were answered with the stored answer of an earlier one.",
    ),
    ("auth_tokens_issued_total", "Access tokens issued."),
    (
        "auth_tokens_refused_total",
        "Requests for a token that were refused, by reason.",
    ),
    (
        "auth_requests_refused_total",
        "Requests that were refused for want of a token or scope, by reason.",
    ),
    (
        "database_connections_opened_total",
        "Connections opened; more than there are threads: some were lost and opened anew.",
    ),
    (
        "database_connections_failed_total",
        "Connections that could not be opened.",
    ),
    (
        "database_retries_total",
        "Work done anew because another writer came between.",
    ),
    (
        "database_work_refused_total",
        "Work refused because the queue was full.",
    ),
    ("retention_runs_total", "Runs of the job that erases what is due."),
    (
        "retention_failures_total",
        "Runs that failed, and assessments that could not be erased.",
    ),
    ("process_cpu_seconds_total", "Processor time used, by user and system."),
];

const GAUGES: &[(&str, &str)] = &[
    ("http_requests_in_flight", "Requests being answered."),
    (
        "database_up",
        "1 where the database was read in the last 5 seconds, else 0.",
    ),
    (
        "database_threads",
        "Threads that work for the database, each with at most one connection.",
    ),
    ("database_threads_busy", "Threads at work."),
    ("database_connections", "Open connections."),
    ("database_queue_length", "Work that waits for a thread."),
    (
        "database_queue_capacity",
        "How much work may wait before more is refused.",
    ),
    (
        "auth_snapshot_age_seconds",
        "How long ago clients and keys were read; beyond 5 nobody is let in.",
    ),
    (
        "retention_last_success_timestamp_seconds",
        "When the retention job last ran without a failure.",
    ),
    (
        "meaningful_connections_build_info",
        "1, labelled with version and commit.",
    ),
    ("process_resident_memory_bytes", "Resident memory."),
    ("process_open_fds", "Open file descriptors."),
    ("process_max_fds", "How many file descriptors may be open."),
    ("process_threads", "Threads."),
    (
        "process_start_time_seconds",
        "When the process started, since the epoch.",
    ),
];

const HISTOGRAMS: &[(&str, &str)] = &[
    (
        "http_request_duration_seconds",
        "From a request's head to its answer's head, by operation.",
    ),
    ("database_queue_wait_seconds", "How long work waited for a thread."),
    (
        "database_work_duration_seconds",
        "From taking work, or a group of writes, off the queue to its outcome.",
    ),
    ("database_commit_duration_seconds", "How long commits took."),
    (
        "database_group_size",
        "How many jobs a thread took at once: writes that share a transaction.",
    ),
];

fn describe() {
    let unit = |name: &str| match name {
        name if name.contains("_seconds") => Unit::Seconds,
        name if name.ends_with("_bytes") => Unit::Bytes,
        _ => Unit::Count,
    };
    for (name, help) in COUNTERS {
        describe_counter!(*name, unit(name), *help);
    }
    for (name, help) in GAUGES {
        describe_gauge!(*name, unit(name), *help);
    }
    for (name, help) in HISTOGRAMS {
        describe_histogram!(*name, unit(name), *help);
    }
}
