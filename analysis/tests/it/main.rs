//! Questions about small policies, with their answers and with other ways to the same answers.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may fail by panic"
)]

mod cover;
mod diff;
mod graph;
mod support;
mod why;
