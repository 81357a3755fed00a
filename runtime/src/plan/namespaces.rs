//! The namespaces that a policy isolates its program in, to the step that makes them.

use super::Step;
use crate::caps::SYS_ADMIN;
use crate::failure::reason;
use crate::host::HostFacts;
use canc_bundle::{LaunchEntry, Refusal};
use serde::Serialize;

/// A kind of namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Namespace {
    /// Users; the caller is mapped to itself.
    User,
    /// Networks, with a loopback device that is up.
    Net,
    /// System V and POSIX message queues, semaphores, shared memory.
    Ipc,
    /// Host name.
    Uts,
    /// Mounts.
    Mount,
    /// Processes.
    Pid,
}

impl Namespace {
    /// All, in the order that they are made in.
    pub const ALL: [Self; 6] = [Self::User, Self::Net, Self::Ipc, Self::Uts, Self::Mount, Self::Pid];

    /// The word of the language.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Net => "net",
            Self::Ipc => "ipc",
            Self::Uts => "uts",
            Self::Mount => "mount",
            Self::Pid => "pid",
        }
    }

    /// The namespace of a word.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|n| n.word() == word)
    }
}

/// Whether the program gets a user namespace, in which the launch has every capability until it drops them.
pub(super) fn has_user(launch: &LaunchEntry) -> bool {
    launch.isolate.iter().any(|word| word == Namespace::User.word())
}

/// Whether processes of the launcher stay beside the program.
pub(super) fn has_pid(launch: &LaunchEntry) -> bool {
    launch.isolate.iter().any(|word| word == Namespace::Pid.word())
}

/// The steps, where anything is isolated.
pub(super) fn steps(
    launch: &LaunchEntry,
    host: &HostFacts,
    reasons: &mut Vec<Refusal>,
    notes: &mut Vec<String>,
) -> Vec<Step> {
    let asked = |n: &Namespace| launch.isolate.iter().any(|word| word == n.word());
    let kinds: Vec<Namespace> = Namespace::ALL.into_iter().filter(asked).collect();
    if kinds.is_empty() {
        return Vec::new();
    }
    let (user, mount, pid) = (has_user(launch), asked(&Namespace::Mount), has_pid(launch));
    if user && mount && !pid {
        reasons.push(reason(
            "isolate user, mount",
            "the fresh /proc is that of a PID namespace, and this user namespace would own none",
            "write `isolate user, mount, pid;`",
        ));
    }
    if pid {
        notes.push(
            "isolate pid: a parent outside and a first process inside stay until the program ends".into(),
        );
    }
    if pid && !mount {
        notes.push("isolate pid: /proc stays the caller's; `isolate mount` gives a fresh one".into());
    }
    if !user && !host.process.capabilities.effective.has(SYS_ADMIN) {
        let words: Vec<&str> = kinds.iter().map(|kind| kind.word()).collect();
        reasons.push(reason(
            format!("isolate {}", words.join(", ")),
            "making them without a user namespace needs CAP_SYS_ADMIN",
            format!("write `isolate user, {};`, or start it as root", words.join(", ")),
        ));
    }
    let made = Step::Namespaces(kinds);
    [Some(made), pid.then_some(Step::Parent), mount.then_some(Step::Mounts)].into_iter().flatten().collect()
}
