//! Tests of this room: policies written as text, lowered, and asked.

use super::sim::Data;
use super::{Lowered, SeccompOptions, lower};
use canc_dsl::policy::{Action, Policy, PolicySet};
use canc_dsl::{NoFiles, Options, compile};
use canc_sets::syscalls::{Arch, number};

mod arches;
mod bounds;
mod corpus;
mod figures;
mod limits;
mod listings;
mod oracle;
mod paths;
pub(crate) mod random;
mod rules;
mod verdicts;
mod walks;
pub(crate) mod words;

/// The policies of a text without its frame.
fn set(body: &str) -> PolicySet {
    let text = format!("can 1;\npolicy p {{\n  exec \"/usr/bin/p\";\n{body}\n}}\n");
    let done = compile("p.can", text.as_bytes(), &NoFiles, &Options::default());
    assert!(done.policies.is_some(), "{:?}", done.diagnostics);
    done.policies.unwrap()
}

/// The policy with these statements.
fn policy(body: &str) -> Policy {
    set(body).policies().first().unwrap().clone()
}

fn lowered(body: &str) -> Lowered {
    lower(&policy(body), &SeccompOptions::default()).unwrap()
}

/// What the filters of x86_64 do with a call.
fn x86_64(lowered: &Lowered, call: &str, args: &[u64]) -> Action {
    on(lowered, Arch::X86_64, call, args)
}

fn on(lowered: &Lowered, arch: Arch, call: &str, args: &[u64]) -> Action {
    let mut registers = [0; 6];
    registers[..args.len()].copy_from_slice(args);
    let nr = number(arch, call).unwrap_or_else(|| panic!("{call}"));
    lowered.decide(arch, nr, registers).unwrap().action
}

const EPERM: Action = Action::Errno(1);
const ENOSYS: Action = Action::Errno(38);
const EOPNOTSUPP: Action = Action::Errno(95);
