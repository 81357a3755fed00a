//! Tables of facts as text to the packed form that look-ups read. It knows no policy and no file system.
//!
//! The build script compiles this module too: a built-in base is packed once, at build time, and costs nothing at start.

pub mod facts;
pub mod packer;
pub mod program;
pub mod rank;
pub mod search;
pub mod tables;
