//! Starts a program under a compiled policy: probes the host, plans, performs the plan and executes in place, or refuses and says why.
//!
//! It contains no parser of policies, no shell and no network. Unsafe code is in `sys` alone.
//!
//! ```no_run
//! use canc_runtime::{Bundle, Host, Plan, Program, Request, enforce};
//!
//! # fn main() -> Result<(), canc_runtime::Failure> {
//! let bundle = Bundle::open("webd.canc".as_ref())?;
//! let policy = bundle.policy(None)?;
//! let program = Program::of(policy, "/usr/sbin/webd".as_ref(), "".as_ref())?;
//! let host = Host::probe(policy, Some(&program))?;
//! let plan = Plan::new(policy, &host)?;
//! // Comes back only if the program was not started.
//! let request = Request { command: vec!["webd".into(), "-f".into()], ..Request::default() };
//! match enforce(&bundle, &host, &plan, &program, request)? {}
//! # }
//! ```
//!
//! [`launch`] does all of this in one call.

pub mod apply;
pub mod args;
mod bundle;
mod caps;
mod cgroup;
pub mod diagnose;
mod environment;
mod errno;
mod failure;
pub mod host;
mod instance;
mod label;
mod landlock;
mod launch;
mod limits;
mod load;
mod loaded;
mod machine;
mod mounts;
mod namespaces;
mod perform;
mod plan;
mod procfs;
mod program;
mod report;
mod resident;
mod script;
pub mod selinux;
pub mod survey;
mod sys;
mod system;
mod tools;
mod trusted;
pub mod unit;
mod walk;

pub use bundle::{Bundle, Files};
pub use caps::CapSet;
pub use failure::{Code, Failure};
pub use host::HostFacts as Host;
pub use launch::{Decision, Request, decide, enforce, launch, standard_descriptors};
pub use plan::{CgroupLimit, Layer, LayerState, Namespace, Plan, Policy, Step};
pub use program::Program;
pub use report::{Enforcement, Format, LayerReport, Refused, State};
pub use sys::{Instruction, load_filter};
