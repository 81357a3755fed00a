//! What a host offers to confine programs with, as plain data: what was tried and how it went, and what was read. A recorded host is a
//! file of it. It must not know what any of it means for a policy.

mod cgroup;
mod child;
mod modules;
mod read;
mod trials;

pub use read::survey;

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Everything that was tried and read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Survey {
    /// The architecture as the manifest names it.
    pub arch: String,
    /// The kernel's release.
    pub kernel: String,
    /// Effective user id.
    pub uid: u32,
    /// The active security modules in the kernel's order; `None` where nobody says.
    pub modules: Option<Vec<String>>,
    /// Settings of the kernel's build that matter here, by name without `CONFIG_`; empty where its file in `/boot` cannot be read.
    pub built: BTreeMap<String, String>,
    /// Why `/proc` cannot be used; `None` where it can.
    pub no_proc: Option<String>,
    /// What this process was started with, by whom ever.
    pub inherited: Inherited,
    /// Starting a child process at all.
    pub child: Outcome,
    /// seccomp.
    pub seccomp: SeccompSurvey,
    /// Landlock.
    pub landlock: LandlockSurvey,
    /// User namespaces.
    pub user_namespaces: NamespaceSurvey,
    /// AppArmor; `None` where it is not active.
    pub apparmor: Option<ApparmorSurvey>,
    /// SELinux; `None` where it is not active.
    pub selinux: Option<SelinuxSurvey>,
    /// Control groups.
    pub cgroup: CgroupSurvey,
    /// The owners' tools by name.
    pub tools: BTreeMap<String, Tool>,
}

/// How a trial went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum Outcome {
    /// It had the effect that it should have.
    Works,
    /// A step failed.
    Failed {
        /// Which.
        step: String,
        /// The error's name.
        errno: String,
    },
    /// The kernel ended the process that tried.
    Killed {
        /// By this signal.
        signal: i32,
    },
    /// Every step went well, and nothing came of it.
    WithoutEffect,
    /// There was no process to try it in.
    NotTried {
        /// Why.
        why: String,
    },
}

impl Outcome {
    /// Whether it works.
    #[must_use]
    pub fn works(&self) -> bool {
        *self == Self::Works
    }
}

/// What confines this process already, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inherited {
    /// Whether `no_new_privs` is set.
    pub no_new_privs: bool,
    /// How many seccomp filters it runs under; `None` where the kernel does not count (before Linux 5.9).
    pub filters: Option<u32>,
    /// Whether it runs under any filter.
    pub filtered: bool,
    /// Its AppArmor label.
    pub apparmor: Option<String>,
    /// Its SELinux context.
    pub selinux: Option<String>,
    /// Whether its user namespace is another one than the kernel's first.
    pub own_user_namespace: bool,
}

/// seccomp, tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeccompSurvey {
    /// A filter that gives an error for one call.
    pub filter: Outcome,
    /// Whether `SECCOMP_RET_LOG` exists.
    pub log: bool,
    /// Whether `SECCOMP_RET_KILL_PROCESS` exists.
    pub kill_process: bool,
}

/// Landlock, tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LandlockSurvey {
    /// The kernel's ABI; 0 where there is none.
    pub abi: u32,
    /// A ruleset that permits nothing.
    pub ruleset: Outcome,
}

/// User namespaces, tried by this user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamespaceSurvey {
    /// A child made in one by clone(2), mapped to itself.
    pub clone: Outcome,
    /// A process that moves itself into one by unshare(2).
    pub unshare: Outcome,
    /// A mount in one.
    pub mount: Outcome,
    /// The AppArmor label inside one.
    pub label_inside: Option<String>,
    /// The settings that are there, by name.
    pub settings: BTreeMap<String, String>,
}

/// AppArmor, read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApparmorSurvey {
    /// What the kernel mediates, in the form that `apparmor_parser -M` reads; `None` where securityfs cannot be read.
    pub features: Option<String>,
    /// The policy ABIs that the installed parser's files name.
    pub abis: Vec<String>,
}

/// SELinux, read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SelinuxSurvey {
    /// Whether it enforces; `None` where selinuxfs cannot be read.
    pub enforcing: Option<bool>,
    /// The newest version of policies that the kernel reads.
    pub policy_version: Option<u32>,
    /// Whether the loaded policy has levels.
    pub mls: Option<bool>,
    /// Whether the loaded policy has each class that canc may need and older policies lack.
    pub classes: BTreeMap<String, bool>,
    /// Whether the loaded policy has the capability `nnp_nosuid_transition`.
    pub nnp_transition: Option<bool>,
    /// `SELINUX=` of `/etc/selinux/config`: what the next boot brings.
    pub configured: Option<String>,
    /// `SELINUXTYPE=` there.
    pub policy: Option<String>,
}

/// Control groups, tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CgroupSurvey {
    /// Where the second version's hierarchy is mounted.
    pub mounted: Option<String>,
    /// This process's group in it.
    pub own: Option<String>,
    /// The controllers of the own group.
    pub controllers: Vec<String>,
    /// Making a group below the own one and moving a process there.
    pub delegated: Outcome,
    /// The controllers of the group that was made.
    pub handed_down: Vec<String>,
}

/// A tool of a target language's owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum Tool {
    /// Not installed.
    Missing,
    /// It answers.
    Found {
        /// What it says of its version.
        version: String,
    },
    /// It is there and gives no answer.
    Silent {
        /// Why.
        why: String,
    },
}
