//! A checked policy to seccomp filters: decisions per system call, a tree over numbers, blocks over arguments, BPF.
//!
//! `implied` and `model` turn rules into clauses about calls, `decisions` into diagrams, `tree` and `layout` into programs, `encode`
//! into bytes. `sim` runs what was emitted, `checker` judges it as the kernel does, `decide` answers what a filter does and why, `walk` how it
//! comes to that.

pub mod arguments;
mod ask;
mod calls;
pub mod cases;
pub mod checker;
mod combine;
mod condition;
mod coverage;
mod decide;
mod decisions;
mod diagram;
mod differ;
pub mod encode;
mod errnos;
mod errors;
mod families;
pub mod frequencies;
mod guards;
mod implied;
mod layout;
mod listing;
mod lower;
mod measure;
mod model;
mod reach;
pub mod same;
pub mod sim;
mod split;
#[cfg(test)]
pub(crate) mod tests;
mod tree;
mod verdicts;
pub mod walk;
mod word;

pub use ask::{Asked, Witness};
pub use coverage::layer;
pub use decide::{Decided, Why};
pub use errors::LowerError;
pub use lower::lower;

use crate::verdict::Outcome;
use canc_dsl::policy::RuleId;
use canc_sets::syscalls::Arch;
use diagram::NodeId;
use frequencies::Frequencies;
use layout::Program;
use model::Clauses;
use std::collections::BTreeMap;

/// What a build asks of this back end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeccompOptions {
    /// The architectures to serve; a companion such as x32 becomes part of its host's filter.
    pub arches: Vec<Arch>,
    /// The descriptor whose `execveat(fd, "", …, AT_EMPTY_PATH)` every filter permits.
    pub launch_fd: u32,
    /// Whether filters permit the launch: its exec, `exit_group`, and writing to standard error. Off only where filters are compared
    /// with those of other tools.
    pub base: bool,
    /// How often calls are expected; `None` counts every call alike.
    pub frequencies: Option<Frequencies>,
}

impl Default for SeccompOptions {
    fn default() -> Self {
        Self {
            arches: Arch::DEFAULT.to_vec(),
            launch_fd: canc_bundle::LAUNCH_FD,
            base: true,
            frequencies: None,
        }
    }
}

/// A lowered policy.
#[derive(Debug)]
pub struct Lowered {
    /// By the architecture of the kernel: the filters to load, in this order. Their conjunction is the policy.
    pub filters: BTreeMap<Arch, Vec<Filter>>,
    /// The verdict on each rule, by `RuleId`.
    pub outcomes: Vec<Outcome>,
    /// What every filter permits whatever the policy says.
    pub base: Outcome,
    /// Allows of which the filters refuse every call, with one of the calls.
    pub dead: Vec<(RuleId, &'static str)>,
    /// Whether some call asks a tracer.
    pub needs_tracer: bool,
    /// Whether some call asks a listener.
    pub needs_listener: bool,
    /// Whether some rule on system calls is to be logged, so that the loader asks for `SECCOMP_FILTER_FLAG_LOG`.
    pub wants_log: bool,
    /// The architectures served, companions included.
    pub arches: Vec<Arch>,
    /// The launch's descriptor.
    pub launch_fd: u32,
    clauses: Clauses,
    /// The calls whose answer depends on their arguments, and where their decisions start.
    roots: Vec<(Arch, &'static str, NodeId)>,
}

/// One program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// The architecture of the kernel.
    pub arch: Arch,
    /// The architectures whose calls it decides.
    pub serves: Vec<Arch>,
    program: Program,
}

impl Filter {
    /// The instructions.
    #[must_use]
    pub fn instructions(&self) -> &[encode::Instruction] {
        &self.program.instructions
    }

    /// The bytes that `seccomp(2)` takes, in the byte order of the architecture.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        encode::bytes(self.instructions(), self.arch)
    }

    /// What it returns for a call; `None` only for a program that the kernel would refuse.
    #[must_use]
    pub fn answer(&self, data: &sim::Data) -> Option<u32> {
        sim::answer(self.instructions(), data, self.arch.is_big_endian())
    }
}

impl Lowered {
    /// The rules that stand behind a decision, for those who explain it.
    fn rules(&self, source: &model::Source) -> Vec<RuleId> {
        self.clauses.rules(source).to_vec()
    }
}
