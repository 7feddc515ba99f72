//! The words of the trade: levels, model definitions, perspectives, assessments, gap analyses and the rules they obey.
//!
//! Nothing in here reads a clock, draws a random number or does I/O: everything is a function of its arguments.

pub mod access;
pub mod agreed_reading;
pub mod assessment;
pub mod capability;
pub mod constellation;
pub mod date;
pub mod digest;
pub mod event;
pub mod external_id;
pub mod fault;
pub mod gap_analysis;
pub mod id;
pub mod language;
pub mod level;
pub mod life_cycle;
pub mod model;
pub mod moment;
pub mod next_step;
pub mod perspective;
pub mod ratings;
pub mod round;
pub mod slug;
pub mod tombstone;
