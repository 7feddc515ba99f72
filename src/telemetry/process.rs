//! What the system says of this process (Linux: `/proc`, see `proc(5)`), under the names that Prometheus' clients give it.
//! Where there is no `/proc`, nothing is said.

use std::fs;

use metrics::{counter, gauge};

/// The kernel tells times to programs in hundredths of a second, on every architecture.
const TICKS: f64 = 100.0;

/// Brings the metrics of the process up to date.
pub(super) fn observe() {
    if let Some(stat) = Stat::read() {
        // Whole seconds: a counter of this library counts in whole numbers.
        counter!("process_cpu_seconds_total").absolute(stat.cpu_ticks / 100);
        gauge!("process_threads").set(stat.threads);
        gauge!("process_start_time_seconds").set(stat.started);
    }
    if let Some(kibibytes) = number_after("/proc/self/status", "VmRSS:") {
        gauge!("process_resident_memory_bytes").set(kibibytes * 1024.0);
    }
    if let Some(most) = number_after("/proc/self/limits", "Max open files") {
        gauge!("process_max_fds").set(most);
    }
    if let Ok(open) = fs::read_dir("/proc/self/fd") {
        gauge!("process_open_fds").set(f64::from(u32::try_from(open.count()).unwrap_or(u32::MAX)));
    }
}

/// What stands in `/proc/self/stat`.
struct Stat {
    cpu_ticks: u64,
    threads: f64,
    started: f64,
}

impl Stat {
    fn read() -> Option<Self> {
        let stat = fs::read_to_string("/proc/self/stat").ok()?;
        // The second field is the program's name in parentheses, with whatever is in it.
        let (_, rest) = stat.rsplit_once(')')?;
        let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
        // The first of these is field 3 in proc(5).
        let field = |number: usize| fields.get(number.checked_sub(3)?);
        let ticks = |number: usize| field(number)?.parse::<u64>().ok();
        let booted = number_after("/proc/stat", "btime")?;
        Some(Self {
            cpu_ticks: ticks(14)?.saturating_add(ticks(15)?),
            threads: field(20)?.parse().ok()?,
            started: booted + field(22)?.parse::<f64>().ok()? / TICKS,
        })
    }
}

/// The first number in the line that begins so.
fn number_after(file: &str, label: &str) -> Option<f64> {
    let text = fs::read_to_string(file).ok()?;
    let rest = text.lines().find_map(|line| line.strip_prefix(label))?;
    rest.split_ascii_whitespace().next()?.parse().ok()
}
