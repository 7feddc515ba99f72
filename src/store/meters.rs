//! What is measured of work for the database: its waiting, its running, and what of it came to stand.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};
use opentelemetry::{
    Context, KeyValue,
    global::{self, BoxedSpan},
    trace::{Span as _, SpanKind, Status, TraceContextExt, Tracer},
};

use super::error::Error;
use crate::domain::event::Kind;

/// What is measured of one lane. Every handle is looked up once.
pub(super) struct Meters {
    lane: Arc<str>,
    busy: Gauge,
    open: Gauge,
    queue: Gauge,
    waited: Histogram,
    read: Histogram,
    wrote: Histogram,
    group: Histogram,
    committed: Histogram,
    pub(super) opened: Counter,
    pub(super) failed: Counter,
    pub(super) retries: Counter,
    pub(super) refused: Counter,
}

impl Meters {
    pub(super) fn new(lane: &str, threads: usize, capacity: usize) -> Self {
        let lane: Arc<str> = lane.into();
        let label = || [("lane", lane.to_string())];
        let work = |kind| histogram!("database_work_duration_seconds", "lane" => lane.to_string(), "kind" => kind);
        let set = |gauge: Gauge, value: usize| gauge.set(f64::from(u32::try_from(value).unwrap_or(u32::MAX)));
        set(gauge!("database_threads", &label()), threads);
        set(gauge!("database_queue_capacity", &label()), capacity);
        Self {
            busy: gauge!("database_threads_busy", &label()),
            open: gauge!("database_connections", &label()),
            queue: gauge!("database_queue_length", &label()),
            waited: histogram!("database_queue_wait_seconds", &label()),
            read: work("read"),
            wrote: work("write"),
            group: histogram!("database_group_size", &label()),
            committed: histogram!("database_commit_duration_seconds", &label()),
            opened: counter!("database_connections_opened_total", &label()),
            failed: counter!("database_connections_failed_total", &label()),
            retries: counter!("database_retries_total", &label()),
            refused: counter!("database_work_refused_total", &label()),
            lane,
        }
    }

    /// Says how much is waiting now.
    pub(super) fn queue(&self, length: usize) {
        self.queue.set(f64::from(u32::try_from(length).unwrap_or(u32::MAX)));
    }

    /// A thread begins with work that came off the queue.
    pub(super) fn took<'a>(&self, group: impl ExactSizeIterator<Item = &'a mut Asked>) {
        self.busy.increment(1);
        self.group
            .record(f64::from(u32::try_from(group.len()).unwrap_or(u32::MAX)));
        for asked in group {
            self.waited.record(asked.at.elapsed());
            asked.taken(&self.lane);
        }
    }

    /// A thread is done with it, and has or has not won or lost its connection.
    pub(super) fn did(&self, writes: bool, took: Duration, was_open: bool, is_open: bool) {
        self.busy.decrement(1);
        if writes { &self.wrote } else { &self.read }.record(took);
        match (was_open, is_open) {
            (false, true) => self.open.increment(1),
            (true, false) => self.open.decrement(1),
            _ => {}
        }
    }

    /// Times a commit.
    pub(super) fn commit<T>(&self, commit: impl FnOnce() -> T) -> T {
        let began = Instant::now();
        let outcome = commit();
        self.committed.record(began.elapsed());
        outcome
    }
}

/// When and by whom work was asked for, so that what a thread logs and traces belongs to the request.
pub(super) struct Asked {
    at: Instant,
    writes: bool,
    log: tracing::Span,
    trace: Option<Context>,
    span: Option<BoxedSpan>,
}

impl Asked {
    pub(super) fn now(writes: bool) -> Self {
        Self {
            at: Instant::now(),
            writes,
            log: tracing::Span::current(),
            // Where no traces are wanted, no request has a span.
            trace: Context::map_current(|context| context.has_active_span().then(|| context.clone())),
            span: None,
        }
    }

    /// What is logged in here is logged of the request.
    pub(super) fn log(&self) -> tracing::Span {
        self.log.clone()
    }

    fn taken(&mut self, lane: &str) {
        let Some(parent) = self.trace.take() else { return };
        let tracer = global::tracer(env!("CARGO_PKG_NAME"));
        let name = if self.writes { "database write" } else { "database read" };
        let waited = i64::try_from(self.at.elapsed().as_micros()).unwrap_or(i64::MAX);
        let described = tracer.span_builder(name).with_kind(SpanKind::Client).with_attributes([
            KeyValue::new("lane", lane.to_owned()),
            KeyValue::new("waited_us", waited),
        ]);
        self.span = Some(described.start_with_context(&tracer, &parent));
    }

    /// The work has ended, by a failure of the store's or in any other way.
    pub(super) fn ended(self, failure: Option<&Error>) {
        if let Some(mut span) = self.span {
            if let Some(failure) = failure {
                span.set_status(Status::error(failure.to_string()));
            }
            span.end();
        }
    }
}

/// What is counted once it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// A version was sealed.
    Sealed(Kind),
    /// An assessment was erased.
    Erased,
}

impl Counted {
    fn counter(self) -> Counter {
        match self {
            Self::Sealed(kind) => counter!("sealed_versions_total", "kind" => kind.key()),
            Self::Erased => counter!("erased_assessments_total"),
        }
    }

    /// Counts one more.
    pub(super) fn stands(self) {
        self.counter().increment(1);
    }

    /// Lets everything be seen as zero before the first of it.
    pub(super) fn begin() {
        for kind in Kind::ALL {
            Self::Sealed(kind).counter().increment(0);
        }
        Self::Erased.counter().increment(0);
    }
}
