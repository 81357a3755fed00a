//! Starts a program under a compiled policy: probes the host, plans, performs the plan and executes in place, or refuses and says why.
//!
//! It contains no parser of policies, no shell and no network. Unsafe code is in `sys` alone.

pub mod args;
mod bundle;
mod caps;
mod environment;
mod failure;
pub mod host;
mod label;
mod landlock;
mod launch;
mod limits;
mod machine;
mod perform;
mod plan;
mod procfs;
mod program;
mod report;
mod sys;
mod system;
mod trusted;
mod walk;

pub use bundle::Bundle;
pub use caps::CapSet;
pub use failure::{Code, Failure};
pub use launch::{Decision, decide, launch};
pub use plan::{Layer, LayerState, Plan, Policy, Step};
pub use program::Program;
pub use report::{Enforcement, Format, LayerReport, State};
pub use sys::{Instruction, load_filter};
