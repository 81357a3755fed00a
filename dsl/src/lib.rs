//! Source text of the policy language to a checked [`policy::Policy`], and the evaluator of its meaning.
//!
//! Pure: it reads no file, no clock and no environment; texts come in through [`source::SourceMap`] and a loader that the caller gives.
#![forbid(unsafe_code)]

pub mod diag;
pub mod meaning;
pub mod policy;
pub mod source;
