//! Gap analyses and constellations in forms other than JSON.

pub mod charts;
pub mod constellation;
pub mod csv;
pub mod qr;
pub mod report;
pub mod svg;

#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;
