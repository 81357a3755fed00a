//! A checked policy to the artefacts of every back end, with a verdict for each rule and target.
//!
//! Pure: it reads no file, no clock and no environment. Each target has a room with a data model, a lowering and an emitter.
#![forbid(unsafe_code)]

pub mod apparmor;
pub mod build;
pub mod coverage;
pub mod emit;
pub mod interchange;
pub mod landlock;
mod leftover;
pub mod seccomp;
pub mod selinux;
#[cfg(test)]
mod testing;
pub mod verdict;
