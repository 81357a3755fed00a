//! Exact sets that policies speak of: path languages, intervals of ports, addresses and words, and system calls.
//!
//! Everything here is pure: no file system, no clock, no environment, no knowledge of any policy language.
#![forbid(unsafe_code)]

mod bit_set;
pub mod interval;
pub mod mix;
pub mod path;
pub mod syscalls;
#[cfg(feature = "testing")]
pub mod testing;
