//! The running host to a [`Survey`]: tries what can only be tried, and reads the rest.

use super::{Inherited, Survey, Tool, cgroup, modules, trials};
use crate::host;
use crate::label::{self, Attribute};
use crate::procfs::{Procfs, explain};
use rustix::process::geteuid;
use std::collections::BTreeMap;
use std::fs;

/// Settings that decide on user namespaces, below `/proc/sys`: the kernel's own, Debian's, Ubuntu's.
const SETTINGS: [&str; 4] = [
    "kernel.apparmor_restrict_unprivileged_unconfined",
    "kernel.apparmor_restrict_unprivileged_userns",
    "kernel.unprivileged_userns_clone",
    "user.max_user_namespaces",
];
/// What of the kernel's build matters here.
const BUILT: [&str; 8] = [
    "CGROUPS",
    "LSM",
    "SECCOMP_FILTER",
    "SECURITY_APPARMOR",
    "SECURITY_LANDLOCK",
    "SECURITY_SELINUX",
    "SYSCTL",
    "USER_NS",
];

/// Looks. `tools` are the owners' tools, which somebody else has to ask: this crate starts no program.
#[must_use]
pub fn survey(tools: BTreeMap<String, Tool>) -> Survey {
    let kernel = rustix::system::uname().release().to_string_lossy().into_owned();
    let modules = host::modules();
    let active = |name: &str| match &modules {
        Some(names) => names.iter().any(|n| n == name),
        None => fs::exists(format!("/sys/module/{name}")).unwrap_or(false),
    };
    Survey {
        arch: std::env::consts::ARCH.into(),
        uid: geteuid().as_raw(),
        built: built(&kernel),
        no_proc: Procfs::open().err().map(|e| explain(&e)),
        inherited: inherited(active("apparmor"), active("selinux")),
        child: trials::child(),
        seccomp: trials::seccomp(),
        landlock: trials::landlock(),
        user_namespaces: trials::user_namespaces(settings()),
        apparmor: active("apparmor").then(self::modules::apparmor),
        selinux: active("selinux").then(self::modules::selinux),
        cgroup: cgroup::survey(&read("/proc/self/cgroup"), &read("/proc/self/mountinfo")),
        tools,
        kernel,
        modules,
    }
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

fn inherited(apparmor: bool, selinux: bool) -> Inherited {
    let file = |path: &str| fs::read_to_string(path).ok();
    let mut found =
        trials::inherited(file("/proc/self/status").as_deref(), file("/proc/self/uid_map").as_deref());
    found.apparmor = apparmor.then(|| label::read(Attribute::ApparmorCurrent).ok()).flatten();
    found.selinux = selinux.then(|| label::read(Attribute::SelinuxCurrent).ok()).flatten();
    found
}

fn settings() -> BTreeMap<String, String> {
    let value = |name: &str| fs::read_to_string(format!("/proc/sys/{}", name.replace('.', "/"))).ok();
    let named = |name: &&str| Some(((*name).to_owned(), value(name)?.trim().to_owned()));
    SETTINGS.iter().filter_map(named).collect()
}

fn built(kernel: &str) -> BTreeMap<String, String> {
    let text = read(&format!("/boot/config-{kernel}"));
    let lines = text.lines().filter_map(|line| line.strip_prefix("CONFIG_")?.split_once('='));
    let wanted = lines.filter(|(name, _)| BUILT.contains(name));
    let mut found: BTreeMap<String, String> =
        wanted.map(|(name, value)| (name.to_owned(), value.trim_matches('"').to_owned())).collect();
    if !found.is_empty() {
        for name in BUILT {
            found.entry(name.to_owned()).or_insert_with(|| "n".to_owned());
        }
    }
    found
}
