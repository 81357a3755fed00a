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

    /// What makes it impossible in place, without a process that stays.
    fn not_done(self) -> Option<&'static str> {
        match self {
            Self::User | Self::Net | Self::Ipc | Self::Uts => None,
            Self::Mount => Some("this canc-run mounts nothing"),
            Self::Pid => Some("this canc-run leaves no process behind that could reap others"),
        }
    }
}

/// Whether the program gets a user namespace, in which the launch has every capability until it drops them.
pub(super) fn has_user(launch: &LaunchEntry) -> bool {
    launch.isolate.iter().any(|word| word == Namespace::User.word())
}

/// The step, where anything is isolated.
pub(super) fn step(launch: &LaunchEntry, host: &HostFacts, reasons: &mut Vec<Refusal>) -> Option<Step> {
    let asked = |n: &Namespace| launch.isolate.iter().any(|word| word == n.word());
    let kinds: Vec<Namespace> = Namespace::ALL.into_iter().filter(asked).collect();
    for (kind, why) in kinds.iter().filter_map(|kind| Some((kind, kind.not_done()?))) {
        reasons.push(reason(
            format!("isolate {}", kind.word()),
            why,
            "start it inside one made by unshare(1) or by the service unit, and remove the statement",
        ));
    }
    if !kinds.is_empty() && !has_user(launch) && !host.process.capabilities.effective.has(SYS_ADMIN) {
        let words: Vec<&str> = kinds.iter().map(|kind| kind.word()).collect();
        reasons.push(reason(
            format!("isolate {}", words.join(", ")),
            "making them without a user namespace needs CAP_SYS_ADMIN",
            format!("write `isolate user, {};`, or start it as root", words.join(", ")),
        ));
    }
    (!kinds.is_empty()).then_some(Step::Namespaces(kinds))
}
