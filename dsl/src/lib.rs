//! Source text of the policy language to a checked [`policy::PolicySet`], and the evaluator of its meaning.
//!
//! Pure: it reads no file, no clock and no environment; texts come in through [`compile()`] and a [`Loader`] that the caller gives.
#![forbid(unsafe_code)]

// pest's generated code names it, because pest is used without its `std` feature.
extern crate alloc;

pub mod ast;
mod check;
pub mod codes;
mod compile;
pub mod diag;
pub mod format;
pub mod limits;
pub mod meaning;
mod parse;
pub mod policy;
mod request;
mod resolve;
mod sink;
pub mod source;
pub mod spell;
mod standard;
mod suggest;
pub mod tables;
mod words;

pub use compile::{
    Compilation, LoadError, Loaded, Loader, MemoryFiles, NoFiles, Options, Version, compile, parse,
};
pub use request::{RequestReading, parse_request};
pub use standard::std_fragments;
pub use suggest::nearest_of_many;
pub use words::reserved_words;
