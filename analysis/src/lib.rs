//! Exact questions over policies and what was emitted for them: are the policy's own tests true, and if not, why not; why is a
//! request allowed or denied, what differs between two builds, who starts whom.
//!
//! Pure. It asks the meaning of the policy and the layers' own readers; only `audit` reads text, which is a log.
#![forbid(unsafe_code)]

pub mod audit;
pub mod cover;
pub mod diff;
pub mod graph;
pub mod prove;
mod reach;
pub mod why;

pub use reach::{edges, path};
