//! A checked policy to an SELinux module: type enforcement, file contexts and, for own ports, a CIL side module.

pub mod base;
pub mod emit;
pub mod known;
pub mod lower;
pub mod m4;
pub mod model;
pub mod names;
pub mod path;
pub mod words;
