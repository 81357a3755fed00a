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

pub use lower::{LowerError, LowerErrorKind, Lowered, lower};

/// TEMPORARY until the reader is here.
#[must_use]
pub fn layer<'a>(_: &canc_dsl::policy::PolicySet, _: &canc_dsl::policy::Policy, l: &'a Lowered, _: &base::Base) -> crate::coverage::Layer<'a> {
    crate::coverage::Layer {
        name: crate::coverage::LayerName::Target(canc_dsl::policy::Target::Selinux),
        outcomes: &l.outcomes,
        permitted: Box::new(|_, _| Ok(crate::coverage::Permitted::Everything)),
        sees: Box::new(|_| true),
    }
}
