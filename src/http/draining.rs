//! Draining: the service was told to end, still answers, and wants to be asked no more.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// Whether the service drains. All copies of one tell the same.
#[derive(Debug, Clone, Default)]
pub struct Draining(Arc<AtomicBool>);

impl Draining {
    /// From now on `/readyz` says so, and every answer closes its connection.
    pub fn begin(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it has begun.
    pub fn has_begun(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
