//! Several writers at once, and what they find afterwards.

use std::{
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use crate::{
    evidence::Evidence,
    report::Row,
    server::Server,
    writer::{Caller, Tally, Writer},
};

/// How many write at once.
const WRITERS: usize = 8;

/// Several writers.
pub struct Load {
    pub writers: Vec<Writer>,
    pub caller: Arc<Caller>,
    lasted: Duration,
    lost: Vec<String>,
    doubled: Vec<String>,
    orphans: Vec<String>,
}

impl Load {
    /// Writers of one organisation, which is made for them on this server.
    pub fn new(server: &Server) -> Self {
        Self::through(Caller::new(server.address, server.organisation()))
    }

    /// Writers that call so.
    pub fn through(caller: Caller) -> Self {
        let caller = Arc::new(caller);
        caller.renew();
        let writer = |number| Writer::new(format!("w{number}"), &caller);
        Self {
            writers: (0..WRITERS).map(writer).collect(),
            caller: Arc::clone(&caller),
            lasted: Duration::ZERO,
            lost: Vec::new(),
            doubled: Vec::new(),
            orphans: Vec::new(),
        }
    }

    /// Writes while `meanwhile` runs, and until every request that has begun is answered.
    pub fn run<T>(&mut self, meanwhile: impl FnOnce() -> T) -> T {
        /// Stops the writers, whether `meanwhile` returns or panics.
        struct Stop<'a>(&'a AtomicBool);
        impl Drop for Stop<'_> {
            fn drop(&mut self) {
                self.0.store(true, Ordering::SeqCst);
            }
        }
        let stop = AtomicBool::new(false);
        let began = Instant::now();
        let meant = thread::scope(|scope| {
            for writer in &mut self.writers {
                let stop = &stop;
                scope.spawn(move || {
                    while !stop.load(Ordering::SeqCst) {
                        writer.step();
                    }
                });
            }
            let _stop = Stop(&stop);
            meanwhile()
        });
        self.lasted += began.elapsed();
        meant
    }

    /// The sum of something over all writers.
    pub fn sum(&self, of: impl Fn(&Tally) -> usize) -> usize {
        self.writers.iter().map(|writer| of(&writer.tally)).sum()
    }

    /// Holds what the database has against what was acknowledged.
    pub fn compare(&mut self, evidence: &mut Evidence) {
        let organisation = &self.caller.credentials.organisation;
        let found = evidence.against(organisation, &self.writers);
        self.lost.extend(found.lost);
        self.doubled.extend(found.doubled);
        self.orphans.extend(found.orphans);
    }

    /// Holds what the service says against what was acknowledged: of the newest things, or of all.
    pub fn look(&mut self, newest: Option<usize>) {
        let range = |writer: &Writer| -> Range<usize> {
            let all = writer.things.len();
            newest.map_or(0, |newest| all.saturating_sub(newest))..all
        };
        let missed: Vec<String> = thread::scope(|scope| {
            let looking: Vec<_> = self
                .writers
                .iter_mut()
                .map(|writer| scope.spawn(move || writer.missed(range(writer))))
                .collect();
            looking
                .into_iter()
                .flat_map(|looked| looked.join().expect("no panic"))
                .collect()
        });
        self.lost.extend(missed);
    }

    /// Tells what was found, and fails where anything was lost, doubled or orphaned, or answered as it should not be.
    pub fn conclude(self, drill: &'static str, database: &'static str, count: usize) {
        let tallies = || self.writers.iter().map(|writer| &writer.tally);
        let rate = self
            .sum(|tally| tally.answered)
            .checked_div(usize::try_from(self.lasted.as_secs()).expect("minutes"));
        let row = Row {
            drill,
            database,
            count,
            rate: rate.unwrap_or_default(),
            acknowledged: self.sum(|tally| tally.acknowledged),
            replayed: self.sum(|tally| tally.replayed),
            lost: self.lost.len(),
            doubled: self.doubled.len(),
            orphans: self.orphans.len(),
            unavailable: self.sum(|tally| tally.unavailable),
            cut: self.sum(|tally| tally.cut),
            outage: tallies().map(|tally| tally.outage).max().unwrap_or_default(),
        };
        row.tell();
        let complaints: Vec<&String> = tallies().flat_map(|tally| &tally.complaints).collect();
        let some = |list: &[String]| list.iter().take(5).cloned().collect::<Vec<_>>().join("\n");
        assert!(self.lost.is_empty(), "lost:\n{}", some(&self.lost));
        assert!(self.doubled.is_empty(), "doubled:\n{}", some(&self.doubled));
        assert!(self.orphans.is_empty(), "orphaned:\n{}", some(&self.orphans));
        assert!(
            complaints.is_empty(),
            "{} complaints, the first: {}",
            complaints.len(),
            complaints[0]
        );
        assert!(row.acknowledged > 0, "nobody wrote anything");
    }
}
