//! What a base policy has: labels of paths, ports, classes, launchers, and what every domain gets from it.
//!
//! It knows no policy of ours.

mod builtin;
pub mod pack;

pub use pack::facts::FactError;
pub use pack::rank::{Kind, Rank};
