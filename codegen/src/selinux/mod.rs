//! A checked policy to an SELinux module: type enforcement, file contexts and, for own ports, a CIL side module.

pub mod base;
