//! The caller's own cgroup to what a launch may do below it: [`CgroupFacts`]. It changes nothing.

use super::CgroupFacts;
use crate::cgroup::{own, words};
use crate::procfs::{KernelDir, Procfs, explain};
use rustix::fs::{Access, AtFlags, CWD, OFlags, accessat};
use std::fs::exists;
use std::os::fd::AsFd;

/// Asks.
pub fn facts() -> CgroupFacts {
    let Procs { proc, path } = match Procs::open() {
        Ok(found) => found,
        Err(why) => return CgroupFacts::Absent { why },
    };
    let root = match KernelDir::cgroup() {
        Ok(root) => root,
        Err(_) => {
            return CgroupFacts::Absent { why: "no cgroup2 file system is mounted at /sys/fs/cgroup".into() };
        }
    };
    let below = |file: &str| match format!("{}/{file}", path.trim_matches('/')).trim_matches('/') {
        "" => ".".to_owned(),
        name => name.to_owned(),
    };
    let list = |file: &str| root.text(below(file)).map(|text| words(&text)).unwrap_or_default();
    let writable = |file: &str| {
        root.file(below(file), OFlags::PATH).is_ok_and(|file| {
            accessat(CWD, proc.path_of(file.as_fd()), Access::WRITE_OK, AtFlags::EACCESS).is_ok()
        })
    };
    let pid = std::process::id().to_string();
    CgroupFacts::Present {
        controllers: list("cgroup.controllers"),
        enabled: list("cgroup.subtree_control"),
        writable: ["", "cgroup.procs", "cgroup.subtree_control"].into_iter().all(writable),
        alone: list("cgroup.procs") == [pid],
        // The root of the hierarchy alone has no type, and may have processes beside controllers: cgroups(7).
        root: root.file(below("cgroup.type"), OFlags::PATH).is_err(),
        managed_by: managed_by(&root, &proc, &path),
        path,
    }
}

/// `/proc` and what it says of the own cgroup.
struct Procs {
    proc: Procfs,
    path: String,
}

impl Procs {
    fn open() -> Result<Self, String> {
        let proc = Procfs::open().map_err(|e| format!("/proc: {}", explain(&e)))?;
        let path = own(&proc)?;
        Ok(Self { proc, path })
    }
}

/// The unit of systemd's that the cgroup belongs to, unless it was delegated: then whatever is made below, systemd may undo.
/// `user.delegate` and `trusted.delegate` are its marks (systemd.resource-control(5), <https://systemd.io/CGROUP_DELEGATION>).
fn managed_by(root: &KernelDir, proc: &Procfs, path: &str) -> Option<String> {
    if !exists("/run/systemd/system").unwrap_or(false) {
        return None;
    }
    let is_unit = |name: &str| [".service", ".scope", ".slice"].iter().any(|kind| name.ends_with(kind));
    let names: Vec<&str> = path.split('/').filter(|name| !name.is_empty()).collect();
    let last = names.iter().rposition(|name| is_unit(name))?;
    let unit = names.get(..=last)?.join("/");
    let directory = root.file(&unit, OFlags::PATH).ok();
    let marked = |mark: &str| {
        directory.as_ref().is_some_and(|d| proc.attribute_of(d.as_fd(), mark).is_ok_and(|value| value == "1"))
    };
    let delegated = marked("user.delegate") || marked("trusted.delegate");
    (!delegated).then(|| names.get(last).copied().unwrap_or_default().to_owned())
}
