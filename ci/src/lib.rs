//! The test bed: a Debian 13 root file system, the target languages' own tools as oracles, and enforcing machines.
//!
//! Everything here needs root and Debian's packages, so plain `cargo test` does not come here: `ci/test` does, by way of
//! this crate's binary. It must not know how a policy is compiled.

#[cfg(test)]
mod arrows;
pub mod base_facts;
pub mod cache;
pub mod error;
pub mod oracle;
pub mod oracle_apparmor;
pub mod oracle_seccomp;
#[cfg(test)]
mod papers;
pub mod policy;
pub mod proofs;
pub mod rootfs;
pub mod run;
pub mod steps;
pub mod vm;
#[cfg(test)]
mod words;

pub use error::Error;
pub use rootfs::Rootfs;
