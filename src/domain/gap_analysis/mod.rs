//! Gap analyses.
