//! A checked policy to an SELinux module: type enforcement, file contexts and, for own ports, a CIL side module.

pub mod base;
pub mod emit;
pub mod known;
mod layer;
pub mod lower;
pub mod m4;
pub mod model;
pub mod names;
pub mod path;
pub mod read;
pub mod words;

pub use layer::{Reader, layer};
pub use lower::{LowerError, LowerErrorKind, Lowered, lower};
