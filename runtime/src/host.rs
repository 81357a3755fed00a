//! What a launch must know of its host, as plain data: a recorded host is a file of it, and a plan needs nothing else. Finding it out is
//! the business of the modules below.

mod apparmor;
mod cgroup;
mod loaded;
mod probe;
mod selinux;

pub(crate) use apparmor::kernel_digest;
pub use probe::{Wanted, probe};
pub(crate) use probe::{four_sets, modules};

use crate::caps::CapSet;
use crate::loaded::Record;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The host, and the process that wants to launch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostFacts {
    /// The architecture as the manifest names it: `x86_64`, `aarch64`, `riscv64`.
    pub arch: String,
    /// The kernel's release, for reports.
    pub kernel: String,
    /// The active security modules in the kernel's order; `None` where nobody says.
    pub modules: Option<Vec<String>>,
    /// The launching process.
    pub process: ProcessFacts,
    /// SELinux, and the domain that the policy wants.
    pub selinux: SelinuxFacts,
    /// AppArmor, and the profile that the policy wants.
    pub apparmor: ApparmorFacts,
    /// Landlock's ABI; 0 where it is missing or off.
    pub landlock_abi: u32,
    /// seccomp.
    pub seccomp: SeccompFacts,
    /// The caller's own cgroup.
    #[serde(default)]
    pub cgroup: CgroupFacts,
}

/// What the launching process is and may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProcessFacts {
    /// Effective user id.
    pub uid: u32,
    /// The five sets.
    pub capabilities: CapabilityFacts,
    /// The highest capability that the kernel knows, `/proc/sys/kernel/cap_last_cap`.
    pub last_capability: u8,
    /// Whether `no_new_privs` is set already.
    pub no_new_privs: bool,
    /// Resource limits by the language's word.
    pub limits: BTreeMap<String, LimitFacts>,
}

/// The five sets of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CapabilityFacts {
    /// May be made effective.
    pub permitted: CapSet,
    /// In force.
    pub effective: CapSet,
    /// Kept over an exec of a file that has them inheritable.
    pub inheritable: CapSet,
    /// What an exec can bring.
    pub bounding: CapSet,
    /// Kept over an exec of an ordinary file.
    pub ambient: CapSet,
}

/// A resource limit; `None` is without bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitFacts {
    /// In force.
    pub soft: Option<u64>,
    /// How far the soft one can be raised.
    pub hard: Option<u64>,
}

/// What the kernel's seccomp can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeccompFacts {
    /// Whether filters can be loaded at all.
    pub filter: bool,
    /// Whether `SECCOMP_RET_LOG` exists, which complain mode needs.
    pub log: bool,
    /// Whether `SECCOMP_RET_KILL_PROCESS` exists.
    pub kill_process: bool,
}

/// The caller's own cgroup, of version 2.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum CgroupFacts {
    /// The policy limits nothing that needs one, so nobody looked.
    #[default]
    NotAsked,
    /// There is none.
    Absent {
        /// Why.
        why: String,
    },
    /// There is one.
    Present {
        /// Its path from the root of the hierarchy.
        path: String,
        /// `cgroup.controllers`: what can be enabled below it.
        controllers: Vec<String>,
        /// `cgroup.subtree_control`: what is enabled below it.
        enabled: Vec<String>,
        /// Whether the caller can make another below it and enable controllers.
        writable: bool,
        /// Whether the caller is its only process: controllers can be enabled only below one without any.
        alone: bool,
        /// Whether it is the root of the hierarchy, to which that does not apply.
        root: bool,
        /// The unit of systemd's that it belongs to, unless it was delegated.
        managed_by: Option<String>,
    },
}

/// SELinux on this host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum SelinuxFacts {
    /// The policy does not want it, so nobody looked.
    NotAsked,
    /// It is not there: not in the kernel, switched off, without a policy, or its file system is not mounted here.
    Absent {
        /// Which of these.
        why: String,
    },
    /// It is there but does not answer.
    Unreadable {
        /// The question and the error.
        why: String,
    },
    /// It is there.
    Active {
        /// Whether it enforces.
        enforcing: bool,
        /// The context of this process.
        own: String,
        /// What the loaded policy says of the wanted domain; `None` where it does not know the type.
        domain: Option<DomainFacts>,
    },
}

/// What the loaded SELinux policy says of a domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DomainFacts {
    /// The context that a launch would set: own user and role, the domain's type, own low level.
    pub context: String,
    /// Whether that context is valid: the role may have the type, the user the role and level.
    pub valid: bool,
    /// Whether the type is permissive.
    pub permissive: bool,
    /// What the transition needs and the policy does not allow, such as `process transition`.
    pub missing: Vec<String>,
    /// What canc remembers of the module; `None` where canc did not install it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<Record>,
    /// With categories of its own; `None` where they are not asked for, or the caller has no two to give.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<InstanceFacts>,
}

/// A run that has categories of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstanceFacts {
    /// Pipes and sockets among descriptors 0 to 2 that its context may not use.
    pub closed: Vec<u32>,
}

impl HostFacts {
    /// The context of a run with categories of its own, and the standard descriptors that are closed to it.
    #[must_use]
    pub fn instance(&self) -> Option<(&str, &[u32])> {
        match &self.selinux {
            SelinuxFacts::Active { domain: Some(domain), .. } => {
                Some((&domain.context, &domain.instance.as_ref()?.closed))
            }
            _ => None,
        }
    }
}

/// AppArmor on this host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum ApparmorFacts {
    /// The policy does not want it, so nobody looked.
    NotAsked,
    /// It is not there.
    Absent {
        /// Why.
        why: String,
    },
    /// It is there but does not answer.
    Unreadable {
        /// The question and the error.
        why: String,
    },
    /// It is there.
    Active {
        /// The label of this process, with its mode.
        own: String,
        /// What came of choosing the wanted profile for a thread that then ended.
        profile: ProfileFacts,
    },
}

/// What AppArmor makes of a wish for a profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum ProfileFacts {
    /// No such profile is loaded.
    Missing,
    /// It is loaded and may be chosen.
    Loaded {
        /// `enforce`, `complain`, `kill`, `unconfined`, `mixed`.
        mode: String,
        /// The kernel's digest of it; `None` where the kernel tells none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        digest: Option<String>,
        /// What canc remembers of it; `None` where canc did not load it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        record: Option<Record>,
    },
    /// It may not be chosen by this process.
    Refused {
        /// The error.
        why: String,
    },
}
