//! The artefact format that the compiler writes and the runtime reads: a directory with a manifest and one file per artefact.
//!
//! It knows no policy language and no host. Everything is data; nothing here parses policy text.
#![forbid(unsafe_code)]

pub mod glob;
pub mod manifest;

pub use manifest::*;
