//! An OCI seccomp profile to a policy that says the same of every system call, or to what is wrong with the profile.
//!
//! The meaning is that of runc on libseccomp: entries with the default action say nothing; the comparisons of an entry hold together,
//! but where two of them are on one argument each is an entry of its own; values are compared without sign.

use super::oci::{self, Entry, Profile, Where};
use super::oci_rules::{Case, Comparison, Rule, Said, rules};
use super::oci_sets::condition_of;
use super::oci_text;
use canc_dsl::nearest_of_many;
use canc_dsl::policy::Action;
use canc_sets::syscalls::{self, Arch};
use std::collections::{BTreeMap, BTreeSet};

/// What the profile leaves open.
#[derive(Debug, Clone)]
pub struct ImportOptions {
    /// The policy's name.
    pub name: String,
    /// The program that may be started.
    pub exec: String,
    /// Capabilities that the container has, such as `CAP_SYS_ADMIN`, for entries that ask.
    pub capabilities: BTreeSet<String>,
    /// The kernel's version, for entries that ask; the newest where it is not said.
    pub kernel: Option<(u32, u32)>,
}

/// One thing that is wrong, or one that is good to know.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Remark {
    /// Where in the profile, such as `syscalls[3].args[0]`.
    pub at: String,
    /// What.
    pub message: String,
}

/// An imported profile.
#[derive(Debug)]
pub struct Imported {
    /// The policy's text.
    pub text: String,
    /// The architectures that the profile serves.
    pub arches: Vec<Arch>,
    /// What the policy cannot say, or what was assumed.
    pub notes: Vec<Remark>,
}

/// The policy.
#[derive(Debug)]
pub(super) struct Policy {
    pub name: String,
    pub exec: String,
    pub notes: Vec<String>,
    pub default: Option<Action>,
    pub rules: Vec<Rule>,
}

/// Reads a profile.
///
/// # Errors
/// What is no JSON of this form, with line and column.
pub fn parse(text: &[u8]) -> Result<Profile, Remark> {
    serde_json::from_slice(text)
        .map_err(|e| Remark { at: format!("{}:{}", e.line(), e.column()), message: plain(&e.to_string()) })
}

/// The message without the place that it ends with.
fn plain(message: &str) -> String {
    message.rsplit_once(" at line ").map_or(message, |m| m.0).to_owned()
}

/// Imports a profile.
///
/// # Errors
/// Everything in it that no policy can say, and everything that is wrong with it.
pub fn import(profile: &Profile, options: &ImportOptions) -> Result<Imported, Vec<Remark>> {
    let mut reader = Reader { options, errors: Vec::new(), notes: Vec::new(), arches: Vec::new() };
    let arches = reader.architectures(profile);
    reader.arches.clone_from(&arches);
    let default = reader.action("defaultAction", &profile.default_action, profile.default_errno_ret);
    reader.unsaid(profile);
    let mut said: Said = BTreeMap::new();
    for (index, entry) in profile.syscalls.iter().flatten().enumerate() {
        reader.entry(&format!("syscalls[{index}]"), entry, default, &mut said);
    }
    reader.conflicts(&said);
    let Some(default) = default.filter(|_| reader.errors.is_empty()) else { return Err(reader.errors) };
    if matches!(default, Action::Allow | Action::Log) {
        let message = "numbers that no table has fail with ENOSYS, where the profile lets them through";
        reader.note("defaultAction", message);
    }
    let rules = rules(&said, default, &arches);
    let words: Vec<&str> = arches.iter().map(|a| a.word()).collect();
    let mut notes = vec![format!("Build it with `--arch {}`.", words.join(","))];
    notes.extend(reader.notes.iter().map(|n| format!("{}: {}", n.at, n.message)));
    let refuses = Some(default).filter(|a| !matches!(a, Action::Allow | Action::Log));
    let policy =
        Policy { name: options.name.clone(), exec: options.exec.clone(), notes, default: refuses, rules };
    Ok(Imported { text: oci_text::print(&policy), arches, notes: reader.notes })
}

struct Reader<'a> {
    options: &'a ImportOptions,
    errors: Vec<Remark>,
    notes: Vec<Remark>,
    arches: Vec<Arch>,
}

impl Reader<'_> {
    fn fail(&mut self, at: impl Into<String>, message: impl Into<String>) {
        self.errors.push(Remark { at: at.into(), message: message.into() });
    }

    fn note(&mut self, at: impl Into<String>, message: impl Into<String>) {
        self.notes.push(Remark { at: at.into(), message: message.into() });
    }

    fn architectures(&mut self, profile: &Profile) -> Vec<Arch> {
        let listed = profile.architectures.iter().flatten().enumerate();
        let mut names: Vec<(String, &String)> =
            listed.map(|(i, name)| (format!("architectures[{i}]"), name)).collect();
        for (i, map) in profile.arch_map.iter().flatten().enumerate() {
            let all = std::iter::once(&map.architecture).chain(map.sub_architectures.iter().flatten());
            names.extend(all.map(|name| (format!("archMap[{i}]"), name)));
        }
        let mut out = BTreeSet::new();
        for (at, name) in names {
            match oci::arch(name) {
                Some(arch) => drop(out.insert(arch)),
                None if oci::WITHOUT_TABLES.contains(&name.as_str()) => {
                    self.note(at, format!("canc has no tables for {name}; its calls are killed"));
                }
                None => {
                    self.fail(at, unknown("architecture", name, Arch::ALL.iter().map(|a| oci::arch_name(*a))))
                }
            }
        }
        if out.is_empty() { Arch::DEFAULT.to_vec() } else { out.into_iter().collect() }
    }

    /// What stands beside the calls.
    fn unsaid(&mut self, profile: &Profile) {
        for (i, flag) in profile.flags.iter().flatten().enumerate() {
            let at = format!("flags[{i}]");
            match flag.as_str() {
                "SECCOMP_FILTER_FLAG_LOG"
                | "SECCOMP_FILTER_FLAG_TSYNC"
                | "SECCOMP_FILTER_FLAG_SPEC_ALLOW"
                | "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV" => {
                    self.note(at, format!("{flag} is the loader's matter and is not carried over"));
                }
                _ => self.fail(at, format!("unknown flag `{flag}`")),
            }
        }
        if profile.listener_path.is_some() || profile.listener_metadata.is_some() {
            self.note("listenerPath", "who listens is not part of a policy");
        }
    }

    fn action(&mut self, at: &str, word: &str, errno: Option<u32>) -> Option<Action> {
        const WORDS: [&str; 9] = [
            "SCMP_ACT_ALLOW",
            "SCMP_ACT_ERRNO",
            "SCMP_ACT_KILL",
            "SCMP_ACT_KILL_PROCESS",
            "SCMP_ACT_KILL_THREAD",
            "SCMP_ACT_LOG",
            "SCMP_ACT_NOTIFY",
            "SCMP_ACT_TRACE",
            "SCMP_ACT_TRAP",
        ];
        /// `EPERM`, which runtimes take where no number is given.
        const USUAL: u32 = 1;
        /// `MAX_ERRNO` of `linux/err.h`: the kernel cuts greater ones to it.
        const GREATEST: u16 = 4_095;
        Some(match word {
            "SCMP_ACT_ALLOW" => Action::Allow,
            "SCMP_ACT_LOG" => Action::Log,
            "SCMP_ACT_KILL" | "SCMP_ACT_KILL_THREAD" => Action::KillThread,
            "SCMP_ACT_KILL_PROCESS" => Action::Kill,
            "SCMP_ACT_TRAP" => Action::Trap,
            "SCMP_ACT_NOTIFY" => Action::Notify,
            "SCMP_ACT_TRACE" => {
                self.note(at, "the number that a tracer is given is not carried over");
                Action::Trace
            }
            "SCMP_ACT_ERRNO" => match u16::try_from(errno.unwrap_or(USUAL)) {
                Ok(number) if (1..=GREATEST).contains(&number) => Action::Errno(number),
                _ => {
                    let given = errno.unwrap_or_default();
                    self.fail(at, format!("{given} is no error number; those are 1 to {GREATEST}"));
                    return None;
                }
            },
            _ => {
                self.fail(at, unknown("action", word, WORDS));
                return None;
            }
        })
    }

    fn entry(&mut self, at: &str, entry: &Entry, default: Option<Action>, said: &mut Said) {
        let action = self.action(&format!("{at}.action"), &entry.action, entry.errno_ret);
        let mut names: Vec<(String, &String)> = Vec::new();
        names.extend(entry.names.iter().flatten().enumerate().map(|(i, n)| (format!("{at}.names[{i}]"), n)));
        names.extend(entry.name.iter().map(|n| (format!("{at}.name"), n)));
        if names.is_empty() {
            self.fail(at, "names no call");
        }
        let arches = self.applies(at, entry);
        let groups = conjunctions(entry);
        for (place, name) in names {
            let Some(call) = syscalls::lookup(name) else {
                self.fail(place, unknown("system call", name, syscalls::names()));
                continue;
            };
            let there: BTreeSet<Arch> =
                arches.iter().copied().filter(|a| syscalls::number(*a, call).is_some()).collect();
            for group in &groups {
                for (own, all) in self.compared(at, entry, group, call, &there) {
                    // An entry that does what is done anyway is none.
                    if let Some(action) = action.filter(|a| Some(*a) != default) {
                        let case = Case { at: at.to_owned(), arches: own, action, all };
                        said.entry(call).or_default().push(case);
                    }
                }
            }
        }
    }

    /// The architectures on which an entry applies.
    fn applies(&mut self, at: &str, entry: &Entry) -> BTreeSet<Arch> {
        let mut out: BTreeSet<Arch> = self.arches.iter().copied().collect();
        for (place, clause, wanted) in
            [("includes", &entry.includes, true), ("excludes", &entry.excludes, false)]
        {
            let Some(clause) = clause else { continue };
            let at = format!("{at}.{place}");
            let hosts = self.hosts(&at, clause);
            let (listed, versioned) = (clause.arches.is_some(), clause.min_kernel.is_some());
            let caps: Vec<bool> =
                clause.caps.iter().flatten().map(|c| self.options.capabilities.contains(c)).collect();
            let recent = self.recent(&at, clause);
            if wanted {
                out.retain(|a| !listed || hosts.contains(&a.host()));
                if !caps.iter().all(|has| *has) || versioned && !recent {
                    out.clear();
                }
            } else {
                out.retain(|a| !hosts.contains(&a.host()));
                if caps.iter().any(|has| *has) || versioned && recent {
                    out.clear();
                }
            }
        }
        out
    }

    fn hosts(&mut self, at: &str, clause: &Where) -> BTreeSet<Arch> {
        /// Those of Go for which there are no tables here.
        const OTHERS: [&str; 11] = [
            "mips",
            "mips64",
            "mips64n32",
            "mipsel",
            "mipsel64",
            "mipsel64n32",
            "ppc",
            "ppc64",
            "s390",
            "mipsle",
            "mips64le",
        ];
        let mut out = BTreeSet::new();
        for name in clause.arches.iter().flatten() {
            match oci::go_arch(name) {
                Some(arch) => drop(out.insert(arch.host())),
                None if OTHERS.contains(&name.as_str()) => {}
                None => self.fail(format!("{at}.arches"), format!("unknown architecture `{name}`")),
            }
        }
        out
    }

    /// Whether the kernel is as new as a clause asks.
    fn recent(&mut self, at: &str, clause: &Where) -> bool {
        let Some(text) = &clause.min_kernel else { return false };
        match (version(text), self.options.kernel) {
            (Some(wanted), Some(kernel)) => kernel >= wanted,
            (Some(_), None) => true,
            (None, _) => {
                self.fail(format!("{at}.minKernel"), format!("`{text}` is no version such as 4.8"));
                false
            }
        }
    }

    /// The comparisons of some indices of an entry, by the architectures that have the same arguments there.
    fn compared(
        &mut self,
        at: &str,
        entry: &Entry,
        group: &[usize],
        call: &'static str,
        arches: &BTreeSet<Arch>,
    ) -> Vec<(BTreeSet<Arch>, Vec<Comparison>)> {
        let mut out: BTreeMap<Vec<Comparison>, BTreeSet<Arch>> = BTreeMap::new();
        let args = entry.args.as_deref().unwrap_or_default();
        for arch in arches {
            let mut all = Vec::new();
            let mut wrong = None;
            for (index, arg) in group.iter().filter_map(|i| Some((*i, args.get(*i)?))) {
                match condition_of(arg, call, *arch) {
                    Ok(comparison) => all.extend(comparison),
                    Err(message) => wrong = Some((format!("{at}.args[{index}]"), message)),
                }
            }
            match wrong {
                Some((at, message)) => {
                    let known = self.errors.iter().any(|e| e.at == at && e.message == message);
                    if !known {
                        self.fail(at, message);
                    }
                }
                None => drop(out.entry(all).or_default().insert(*arch)),
            }
        }
        out.into_iter().map(|(all, arches)| (arches, all)).collect()
    }

    /// Two actions for one call where no argument tells them apart: what a runtime does then depends on its library.
    fn conflicts(&mut self, said: &Said) {
        for (call, cases) in said {
            for (index, one) in cases.iter().enumerate() {
                let meets = |other: &&Case| {
                    other.action != one.action
                        && !other.arches.is_disjoint(&one.arches)
                        && !disjoint(&one.all, &other.all)
                };
                if let Some(other) = cases.get(index + 1..).into_iter().flatten().find(meets) {
                    let message =
                        format!("`{call}` has another action in {}, and both may match one call", one.at);
                    self.fail(other.at.clone(), message);
                }
            }
        }
    }
}

fn unknown<'k>(what: &str, word: &str, known: impl IntoIterator<Item = &'k str>) -> String {
    match nearest_of_many(word, known) {
        Some(near) => format!("unknown {what} `{word}`; did you mean `{near}`?"),
        None => format!("unknown {what} `{word}`"),
    }
}

fn version(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.split('.');
    let major = parts.next()?.parse().ok()?;
    Some((major, parts.next().map_or(Some(0), |m| m.parse().ok())?))
}

/// Which comparisons of an entry hold together. Where two are on one argument, each stands alone (runc's `matchCall`).
fn conjunctions(entry: &Entry) -> Vec<Vec<usize>> {
    let args = entry.args.as_deref().unwrap_or_default();
    let registers: BTreeSet<u32> = args.iter().map(|a| a.index).collect();
    if registers.len() == args.len() {
        vec![(0..args.len()).collect()]
    } else {
        (0..args.len()).map(|i| vec![i]).collect()
    }
}

fn disjoint(one: &[Comparison], other: &[Comparison]) -> bool {
    let apart = |a: &Comparison| other.iter().any(|b| a.name == b.name && a.set.is_disjoint(b.set));
    one.iter().any(apart)
}
