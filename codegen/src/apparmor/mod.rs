//! A checked policy to an AppArmor profile: a data model of the profile language, the lowering to it, its text, and its reader.

pub mod emit;
pub mod features;
pub mod glob;
mod layer;
pub mod limits;
mod lower;
pub mod model;
pub mod read;
pub mod token;

pub use emit::emit;
pub use layer::{Decision, decide, layer, profile_layer};
pub use lower::{ApparmorOptions, LowerError, LowerErrorKind, Lowered, lower};
pub use read::{ReadError, read};
