//! The filters of a bundle to the answers of this kernel's own checker, each asked in a process of its own.

use super::bundle::{Bundle, check as one};
use super::process::run;
use super::{Answer, Check, filter};
use std::process::Command;
use std::time::Duration;

const TOOL: &str = "kernel";
const LIMIT: Duration = Duration::from_secs(10);

/// One question per program. The checker looks at instructions and offsets, which are the same for every architecture of
/// this host's byte order, so programs for other architectures are asked about too.
pub fn check(bundle: &Bundle) -> Vec<Check> {
    let mut checks = Vec::new();
    for policy in &bundle.manifest.policies {
        let programs = policy.seccomp.iter().flat_map(|entry| entry.programs.values().flatten());
        for program in programs {
            let answer = bundle.read(program).map_or_else(Answer::Refused, |bytes| ask(&bytes));
            checks.push(one(policy, "seccomp", program, TOOL, answer));
        }
    }
    checks
}

fn ask(program: &[u8]) -> Answer {
    let own = match std::env::current_exe() {
        Ok(own) => own,
        Err(e) => return Answer::NotChecked(format!("finding the running program: {e}")),
    };
    let mut command = Command::new(own);
    command.arg(filter::COMMAND);
    match run(command, program, LIMIT) {
        Ok(ended) => filter::answer(&ended.text),
        Err(why) => Answer::NotChecked(format!("loading a filter: {why}")),
    }
}
