//! A program, its listing and a system call to the steps that the kernel takes, each with the words and policy lines of the listing.
//!
//! It reads what was emitted, so that it serves a bundle whose source is elsewhere.

use super::encode::{Instruction, action, op, rank};
use super::sim::{Data, run};
use canc_dsl::policy::Action;
use canc_sets::syscalls::Arch;

/// A filter as its listing has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The architecture of the kernel.
    pub arch: Arch,
    /// Its instructions.
    pub lines: Vec<ListedLine>,
}

/// An instruction as its listing has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedLine {
    /// What it does.
    pub text: String,
    /// What the listing says before it.
    pub remarks: Vec<Remark>,
}

/// A remark of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// Where it applies.
    pub when: When,
    /// What it says.
    pub text: String,
    /// The lines of the policy behind it, each as `FILE:LINE: TEXT`.
    pub rules: Vec<String>,
}

/// Where a remark applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// To everything that comes here.
    Always,
    /// Where the comparison holds.
    Holds,
    /// Where it does not.
    Fails,
}

/// One instruction that the kernel runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WalkStep {
    /// Which, from 0.
    pub at: usize,
    /// What it does.
    pub text: String,
    /// The accumulator after it.
    pub accumulator: u32,
    /// Whether its comparison holds; `None` where it compares nothing.
    pub holds: Option<bool>,
    /// The remarks that apply to this call.
    pub remarks: Vec<Remark>,
}

/// A call's way through one filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Walk {
    /// The steps, the return last.
    pub steps: Vec<WalkStep>,
    /// How many instructions the filter has.
    pub length: usize,
    /// What it returns.
    pub action: Action,
}

/// Reads a listing; `None` for text that this compiler does not write.
#[must_use]
pub fn read_listing(text: &str) -> Option<Vec<Listed>> {
    let mut out: Vec<Listed> = Vec::new();
    let mut remarks: Vec<Remark> = Vec::new();
    let mut lines = text.lines();
    lines.next()?.strip_prefix("; seccomp filters of policy ")?;
    for line in lines.filter(|l| !l.is_empty()) {
        let Some(remark) = line.strip_prefix(';') else {
            let listed = out.last_mut()?;
            let (number, text) = line.trim_start().split_once("  ")?;
            if number.parse() != Ok(listed.lines.len()) {
                return None;
            }
            listed.lines.push(ListedLine { text: text.to_owned(), remarks: std::mem::take(&mut remarks) });
            continue;
        };
        // Text of the policy stands in such lines alone.
        if let Some(rule) = remark.strip_prefix("       ") {
            remarks.last_mut()?.rules.push(rule.to_owned());
        } else if let Some(arch) = header(remark) {
            out.push(Listed { arch, lines: Vec::new() });
        } else {
            let text = remark.trim_start();
            let (when, text) = match (text.strip_prefix("then "), text.strip_prefix("else ")) {
                (Some(text), _) => (When::Holds, text),
                (_, Some(text)) => (When::Fails, text),
                _ => (When::Always, text),
            };
            remarks.push(Remark { when, text: text.to_owned(), rules: Vec::new() });
        }
    }
    Some(out)
}

/// The architecture of ` ARCH: filter N of M, L instructions`.
fn header(remark: &str) -> Option<Arch> {
    let (arch, rest) = remark.trim_start().split_once(": filter ")?;
    rest.ends_with(" instructions").then_some(())?;
    Arch::parse(arch)
}

/// The way of a call through a filter; `None` where the listing is another program's, or the kernel would refuse the program.
#[must_use]
pub fn walk(program: &[Instruction], listed: &Listed, data: &Data) -> Option<Walk> {
    if program.len() != listed.lines.len() {
        return None;
    }
    let mut visited: Vec<(usize, u32)> = Vec::new();
    let value =
        run(program, data, listed.arch.is_big_endian(), |step| visited.push((step.at, step.accumulator)))?;
    let mut steps = Vec::with_capacity(visited.len());
    for (index, (at, before)) in visited.iter().enumerate() {
        let (instruction, line) = (program.get(*at)?, listed.lines.get(*at)?);
        let next = visited.get(index + 1);
        let holds = instruction.branches().then(|| compares(instruction, *before));
        let applies = |r: &&Remark| match r.when {
            When::Always => true,
            When::Holds => holds == Some(true),
            When::Fails => holds == Some(false),
        };
        steps.push(WalkStep {
            at: *at,
            text: line.text.clone(),
            accumulator: next.map_or(*before, |n| n.1),
            holds,
            remarks: line.remarks.iter().filter(applies).cloned().collect(),
        });
    }
    Some(Walk { steps, length: program.len(), action: action(value) })
}

fn compares(instruction: &Instruction, accumulator: u32) -> bool {
    match instruction.code {
        op::EQUAL => accumulator == instruction.k,
        op::GREATER => accumulator > instruction.k,
        op::AT_LEAST => accumulator >= instruction.k,
        _ => accumulator & instruction.k != 0,
    }
}

/// What the kernel does after several filters: the most restrictive of their answers.
#[must_use]
pub fn together(actions: impl IntoIterator<Item = Action>) -> Option<Action> {
    actions.into_iter().min_by_key(|a| (rank(*a), *a))
}
