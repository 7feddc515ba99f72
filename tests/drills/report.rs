//! What a drill found, as a line of the table that `tests/drills/run` prints at the end.

use std::{fs::OpenOptions, io::Write, time::Duration};

/// What a drill found.
#[derive(Debug, Default)]
pub struct Row {
    pub drill: &'static str,
    pub database: &'static str,
    /// How often it was done.
    pub count: usize,
    /// Requests answered a second, while there was load.
    pub rate: usize,
    /// Writes that were acknowledged.
    pub acknowledged: usize,
    /// Of these, answers that came again from memory: the write had been done, its first answer lost.
    pub replayed: usize,
    pub lost: usize,
    pub doubled: usize,
    /// Versions without their row, rows without their version, events without their write, and the other way round.
    pub orphans: usize,
    /// Answers with 503.
    pub unavailable: usize,
    /// Requests without an answer.
    pub cut: usize,
    /// The longest that one request took to be answered, with all its repetitions.
    pub outage: Duration,
}

impl Row {
    /// Adds the line to the file that `DRILLS_REPORT` names.
    pub fn tell(&self) {
        let line = format!(
            "{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{} ms\n",
            self.drill,
            self.database,
            self.count,
            self.rate,
            self.acknowledged,
            self.replayed,
            self.lost,
            self.doubled,
            self.orphans,
            self.unavailable,
            self.cut,
            self.outage.as_millis()
        );
        eprint!("{line}");
        if let Ok(path) = std::env::var("DRILLS_REPORT") {
            let file = OpenOptions::new().append(true).create(true).open(path);
            file.and_then(|mut file| file.write_all(line.as_bytes()))
                .expect("the report can be written");
        }
    }
}
