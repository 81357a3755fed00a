//! Recorded policies: `ok/<case>/` with everything that is emitted, `bad/<case>/` with what is said of each mistake.
//!
//! A policy may start with comments for these tests: `# canc: [COMMAND] OPTIONS` says how canc is called (`build` is meant without a
//! command, and one architecture, so that texts are short), `# record: WORD, …` what is recorded besides (see `artefacts`).
//! `CANC_UPDATE=1` writes the recorded texts anew. A case without its texts fails, and so does a text that no case gives.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may fail by panic"
)]

mod alternatives;
mod artefacts;
mod audit;
mod bad;
mod canc;
mod case;
mod codes;
mod emitted;
mod filter;
mod filter_text;
mod format;
mod forms;
mod fuzz;
mod grown;
mod hostile;
mod landlock_text;
mod mistakes;
mod ok;
mod order;
mod process;
mod record;
mod same_bytes;
mod universe;
mod why;
