//! Filters of one host to the OCI runtime's seccomp object, with a verdict for what it cannot say.
//!
//! The default is what unknown numbers answer, so that newer calls are refused as the policy has it; every other call is listed.
//! Conditions become masked equalities, since runtimes compare whole registers and the kernel looks at parts of them.

use super::oci::{ArgEntry, Entry, Profile, arch_name};
use super::{Verdict, named, other_rules};
use crate::seccomp::Lowered;
use crate::seccomp::cases::{Case, Cases};
use canc_dsl::policy::{Action, PolicyData};
use canc_sets::syscalls::Arch;
use std::collections::BTreeMap;

/// An exported profile.
#[derive(Debug)]
pub struct Exported {
    /// The object, as JSON.
    pub text: String,
    /// The same, for those who look at it.
    pub profile: Profile,
    /// What it does not say.
    pub verdicts: Vec<Verdict>,
}

/// The filters of a host's kernel as a profile; `None` where the build serves no such host.
#[must_use]
pub fn export(lowered: &Lowered, policy: &PolicyData, host: Arch) -> Option<Exported> {
    lowered.filters.get(&host)?;
    let mut verdicts: Vec<Verdict> = other_rules(policy).into_iter().collect();
    let default = lowered.unknown();
    let own = lowered.cases(host, default);
    let mut all: BTreeMap<&'static str, Cases> = own.into_iter().collect();
    let mut arches = vec![host];
    for companion in lowered.arches.iter().copied().filter(|a| *a != host && a.host() == host) {
        let theirs = lowered.cases(companion, default);
        let other: Vec<&str> =
            theirs.iter().filter(|(n, c)| all.get(n).is_some_and(|own| own != c)).map(|c| c.0).collect();
        if other.is_empty() {
            all.extend(theirs);
            arches.push(companion);
        } else {
            let why = format!(
                "entries are for all architectures at once, and these calls differ: {}",
                named(&other)
            );
            verdicts.push(Verdict::new(companion.word(), "dropped", format!("{why}; its calls are killed")));
        }
    }
    let (default_action, default_errno_ret) = word(default);
    let profile = Profile {
        default_action: default_action.to_owned(),
        default_errno_ret,
        architectures: Some(arches.iter().map(|a| arch_name(*a).to_owned()).collect()),
        flags: lowered.wants_log.then(|| vec!["SECCOMP_FILTER_FLAG_LOG".to_owned()]),
        syscalls: Some(entries(&all, default, lowered.unmatched(), &mut verdicts)),
        ..Profile::default()
    };
    verdicts.extend(remarks(&all, &arches, default));
    // Maps have string keys and numbers are finite, so writing cannot fail.
    let mut text = serde_json::to_string_pretty(&profile).unwrap_or_default();
    text.push('\n');
    Some(Exported { text, profile, verdicts })
}

/// The word of an action, and its number.
fn word(action: Action) -> (&'static str, Option<u32>) {
    match action {
        Action::Kill => ("SCMP_ACT_KILL_PROCESS", None),
        Action::KillThread => ("SCMP_ACT_KILL_THREAD", None),
        Action::Trap => ("SCMP_ACT_TRAP", None),
        Action::Errno(number) => ("SCMP_ACT_ERRNO", Some(u32::from(number))),
        Action::Notify => ("SCMP_ACT_NOTIFY", None),
        // Runtimes give a tracer EPERM where no number is said.
        Action::Trace => ("SCMP_ACT_TRACE", Some(0)),
        Action::Log => ("SCMP_ACT_LOG", None),
        Action::Allow => ("SCMP_ACT_ALLOW", None),
    }
}

fn entries(
    all: &BTreeMap<&'static str, Cases>,
    default: Action,
    unmatched: Action,
    verdicts: &mut Vec<Verdict>,
) -> Vec<Entry> {
    let mut always: BTreeMap<Action, Vec<String>> = BTreeMap::new();
    let mut depends: Vec<Entry> = Vec::new();
    for (name, cases) in all {
        match cases {
            Cases::Always(action) if *action == default => (),
            Cases::Always(action) => always.entry(*action).or_default().push((*name).to_owned()),
            Cases::Depends(list) => {
                depends.extend(list.iter().map(|c| entry(vec![(*name).to_owned()], c.action, arguments(c))));
            }
            Cases::TooMany => {
                let why = "its conditions are too many to be listed; it is refused";
                verdicts.push(Verdict::new(*name, "narrowed", why));
                if unmatched != default {
                    always.entry(unmatched).or_default().push((*name).to_owned());
                }
            }
        }
    }
    let mut out: Vec<Entry> = always.into_iter().map(|(a, names)| entry(names, a, Vec::new())).collect();
    out.reverse();
    out.extend(depends);
    out
}

fn entry(names: Vec<String>, action: Action, args: Vec<ArgEntry>) -> Entry {
    let (action, errno_ret) = word(action);
    let args = (!args.is_empty()).then_some(args);
    Entry { names: Some(names), action: action.to_owned(), errno_ret, args, ..Entry::default() }
}

fn arguments(case: &Case) -> Vec<ArgEntry> {
    let asked = (0u32..).zip(case.registers).filter(|(_, (mask, _))| *mask != 0);
    let one = |(index, (mask, value)): (u32, (u64, u64))| {
        if mask == u64::MAX {
            ArgEntry { index, value, value_two: None, op: "SCMP_CMP_EQ".to_owned() }
        } else {
            ArgEntry { index, value: mask, value_two: Some(value), op: "SCMP_CMP_MASKED_EQ".to_owned() }
        }
    };
    asked.map(one).collect()
}

/// What a reader should know besides.
fn remarks(all: &BTreeMap<&'static str, Cases>, arches: &[Arch], default: Action) -> Vec<Verdict> {
    let mut out = Vec::new();
    let has = |name: &str, action: Action| match all.get(name) {
        Some(Cases::Always(own)) => *own == action,
        Some(Cases::Depends(list)) => list.iter().any(|c| c.action == action),
        _ => false,
    };
    if !has("execve", Action::Allow) && !has("execve", Action::Log) {
        let why =
            "runtimes load the filter before they start the program, so it needs `allow syscall execve`";
        out.push(Verdict::new("the program's start", "blocks", why));
    }
    let multiplexed: Vec<&str> = arches
        .iter()
        .filter(|a| matches!(a, Arch::X86 | Arch::S390x | Arch::Ppc64le))
        .map(|a| a.word())
        .collect();
    if !multiplexed.is_empty() {
        let why = "libseccomp lets `socketcall` and `ipc` through for the calls that they stand for";
        out.push(Verdict::new(multiplexed.join(", "), "widened", why));
    }
    let any = |action: Action| default == action || all.keys().any(|n| has(n, action));
    if any(Action::Notify) {
        out.push(Verdict::new(
            "notify",
            "exact",
            "the runtime needs a `listenerPath`, which a policy does not name",
        ));
    }
    out.push(Verdict::new(
        "other architectures",
        "exact",
        "killed; libseccomp ends the thread, canc the process",
    ));
    out
}
