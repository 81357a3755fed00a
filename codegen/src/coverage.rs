//! Rules, layers and deployments crossed: what each kind of host really enforces, and whether it may launch the policy at all.
//!
//! Everything follows from the sets of requests that the layers refuse together, never from combining the words of verdicts.

mod bounded;
mod decision;
mod deployment;
mod held;
mod layer;

pub use bounded::{Boundedness, bounded_classes};
pub use decision::{Combination, DEPLOYED_LANDLOCK, NEWEST_LANDLOCK, PolicyLayers, decisions, rule_name};
pub use deployment::{Judge, RuleResult};
pub use layer::{Grant, Layer, LayerName, Permitted, Source};
