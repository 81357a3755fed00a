//! The running host to [`HostFacts`]: asks the kernel, tries what can only be tried, and changes nothing of the process.

use super::{
    ApparmorFacts, CapabilityFacts, CgroupFacts, HostFacts, LimitFacts, ProcessFacts, SeccompFacts,
    SelinuxFacts,
};
use super::{apparmor, cgroup, selinux};
use crate::caps::CapSet;
use crate::limits::RLIMITS;
use crate::procfs::KernelDir;
use crate::sys::{self, Action};
use rustix::process::{geteuid, getrlimit};
use rustix::thread::{
    CapabilitySet, capabilities, capability_is_in_ambient_set, capability_is_in_bounding_set, no_new_privs,
};
use std::io;
use std::os::fd::BorrowedFd;

/// What a policy wants of the host, which decides what is asked.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The SELinux domain.
    pub domain: Option<&'a str>,
    /// The AppArmor profile.
    pub profile: Option<&'a str>,
    /// The program that is to run in the domain; without one, what depends on its label is not asked.
    pub program: Option<BorrowedFd<'a>>,
    /// Whether the program will run under `no_new_privs`.
    pub no_new_privs: bool,
    /// Whether the run gets categories of its own.
    pub separate_instances: bool,
    /// Whether a limit needs a cgroup.
    pub cgroup: bool,
}

/// Asks.
///
/// # Errors
/// Only where the process cannot learn its own capabilities: everything else is a fact too.
pub fn probe(wanted: &Wanted<'_>) -> io::Result<HostFacts> {
    let modules = modules();
    let has = |name: &str| modules.as_ref().map(|all| all.iter().any(|m| m == name));
    Ok(HostFacts {
        arch: std::env::consts::ARCH.into(),
        kernel: rustix::system::uname().release().to_string_lossy().into_owned(),
        process: process()?,
        selinux: match (wanted.domain, has("selinux")) {
            (None, _) => SelinuxFacts::NotAsked,
            (_, Some(false)) => SelinuxFacts::Absent { why: NOT_ACTIVE.into() },
            (Some(domain), _) => selinux::facts(domain, wanted),
        },
        apparmor: match (wanted.profile, has("apparmor")) {
            (None, _) => ApparmorFacts::NotAsked,
            (_, Some(false)) => ApparmorFacts::Absent { why: NOT_ACTIVE.into() },
            (Some(profile), _) => apparmor::facts(profile),
        },
        landlock_abi: sys::landlock_abi(),
        seccomp: SeccompFacts {
            filter: sys::action_available(Action::Errno),
            log: sys::action_available(Action::Log),
            kill_process: sys::action_available(Action::KillProcess),
        },
        cgroup: if wanted.cgroup { cgroup::facts() } else { CgroupFacts::NotAsked },
        modules,
    })
}

const NOT_ACTIVE: &str = "not among the kernel's active security modules";

/// Names of the active modules by `LSM_ID_…` of `linux/lsm.h`; from securityfs before Linux 6.8.
pub(crate) fn modules() -> Option<Vec<String>> {
    const NAMES: [(u64, &str); 14] = [
        (100, "capability"),
        (101, "selinux"),
        (102, "smack"),
        (103, "tomoyo"),
        (104, "apparmor"),
        (105, "yama"),
        (106, "loadpin"),
        (107, "safesetid"),
        (108, "lockdown"),
        (109, "bpf"),
        (110, "landlock"),
        (111, "ima"),
        (112, "evm"),
        (113, "ipe"),
    ];
    let name = |id: u64| {
        NAMES
            .iter()
            .find(|(n, _)| *n == id)
            .map_or_else(|| format!("lsm {id}"), |(_, name)| (*name).to_owned())
    };
    if let Ok(ids) = sys::lsm_ids() {
        return Some(ids.into_iter().map(name).collect());
    }
    let list = KernelDir::security().and_then(|dir| dir.text("lsm")).ok()?;
    Some(list.split(',').map(str::to_owned).collect())
}

fn process() -> io::Result<ProcessFacts> {
    let (bounding, last_capability) = bounding();
    Ok(ProcessFacts {
        uid: geteuid().as_raw(),
        capabilities: CapabilityFacts { bounding, ..four_sets()? },
        last_capability,
        no_new_privs: no_new_privs()?,
        limits: RLIMITS
            .iter()
            .map(|(word, resource)| {
                let limit = getrlimit(*resource);
                ((*word).to_owned(), LimitFacts { soft: limit.current, hard: limit.maximum })
            })
            .collect(),
    })
}

/// The sets of the calling thread but the bounding one, which takes a system call for each capability.
///
/// # Errors
/// What capget(2) says.
pub(crate) fn four_sets() -> io::Result<CapabilityFacts> {
    let sets = capabilities(None)?;
    let mut facts = CapabilityFacts {
        permitted: CapSet(sets.permitted.bits()),
        effective: CapSet(sets.effective.bits()),
        inheritable: CapSet(sets.inheritable.bits()),
        ..CapabilityFacts::default()
    };
    // The kernel keeps the ambient set within these two.
    for n in facts.permitted.and(facts.inheritable).numbers() {
        if capability_is_in_ambient_set(CapabilitySet::from_bits_retain(1 << n))? {
            facts.ambient = facts.ambient.with(n);
        }
    }
    Ok(facts)
}

/// The bounding set, and the highest capability that the kernel knows.
fn bounding() -> (CapSet, u8) {
    let (mut set, mut last) = (CapSet::default(), 0);
    for n in 0..64 {
        match capability_is_in_bounding_set(CapabilitySet::from_bits_retain(1 << n)) {
            Ok(true) => (set, last) = (set.with(n), n),
            Ok(false) => last = n,
            // From the first number on that the kernel does not know.
            Err(_) => break,
        }
    }
    (set, last)
}
