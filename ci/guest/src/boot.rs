//! A kernel that has just started to a machine with its file systems mounted and its access control active.
//!
//! It must not know which tests follow.

use crate::text;
use canc_guest::{Hello, Mac};
use rustix::mount::{MountFlags, mount};
use std::ffi::CStr;
use std::fs;
use std::process::Command;

/// Where SELinux shows itself.
pub const ENFORCE: &str = "/sys/fs/selinux/enforce";

/// Mounts what every program expects. What the initial ram disk has mounted already stays.
pub fn mount_all() -> Result<(), String> {
    let kernel = [
        ("proc", "/proc", "proc", None),
        ("sysfs", "/sys", "sysfs", None),
        ("devtmpfs", "/dev", "devtmpfs", None),
        ("devpts", "/dev/pts", "devpts", Some(c"mode=620,gid=5,ptmxmode=666")),
        ("tmpfs", "/dev/shm", "tmpfs", Some(c"mode=1777")),
        ("tmpfs", "/run", "tmpfs", Some(c"mode=755")),
        ("tmpfs", "/tmp", "tmpfs", Some(c"mode=1777")),
        ("securityfs", "/sys/kernel/security", "securityfs", None),
        ("cgroup2", "/sys/fs/cgroup", "cgroup2", None),
    ];
    for (source, target, kind, options) in kernel {
        mount_once(source, target, kind, options)?;
    }
    run("/usr/sbin/ip", &["link", "set", "lo", "up"])
}

fn mount_once(source: &str, target: &str, kind: &str, options: Option<&CStr>) -> Result<(), String> {
    let mounted = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    if mounted.lines().any(|line| line.split(' ').nth(1) == Some(target)) {
        return Ok(());
    }
    if target.starts_with("/dev/") {
        fs::create_dir_all(target).map_err(|e| format!("{target}: {e}"))?;
    }
    mount(source, target, kind, MountFlags::empty(), options).map_err(|e| format!("mounting {target}: {e}"))
}

/// Makes `mac` active, or tells why it is not.
pub fn activate(mac: Mac) -> Result<(), String> {
    match mac {
        Mac::Selinux => selinux(),
        Mac::Apparmor => apparmor(),
        Mac::None => none(),
    }
}

/// Loads the policy, then labels what was mounted before it: until then nobody may use `/dev/null`.
fn selinux() -> Result<(), String> {
    mount_once("selinuxfs", "/sys/fs/selinux", "selinuxfs", None)?;
    run("/usr/sbin/load_policy", &["-i"])?;
    if text::read(ENFORCE)? != "1" {
        return Err("SELinux is not enforcing after its policy was loaded".to_owned());
    }
    run("/usr/sbin/restorecon", &["-F", "-R", "/dev", "/run", "/tmp"])
}

fn apparmor() -> Result<(), String> {
    match text::read("/sys/module/apparmor/parameters/enabled")?.as_str() {
        "Y" => Ok(()),
        other => Err(format!("AppArmor is not enabled: {other:?}")),
    }
}

fn none() -> Result<(), String> {
    let lsm = text::read("/sys/kernel/security/lsm")?;
    match lsm.split(',').find(|name| matches!(*name, "selinux" | "apparmor")) {
        None => Ok(()),
        Some(found) => Err(format!("{found} is active on a machine that should have none")),
    }
}

/// What the machine says of itself.
pub fn hello() -> Result<Hello, String> {
    Ok(Hello {
        kernel: text::read("/proc/sys/kernel/osrelease")?,
        lsm: text::read("/sys/kernel/security/lsm")?,
        label: text::read("/proc/self/attr/current").unwrap_or_default(),
        uptime: text::read("/proc/uptime")?.split(' ').next().unwrap_or_default().to_owned(),
    })
}

/// Runs a tool of the machine; its output goes to the console.
fn run(program: &str, args: &[&str]) -> Result<(), String> {
    match Command::new(program).args(args).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{program} {}: {status}", args.join(" "))),
        Err(e) => Err(format!("{program}: {e}")),
    }
}
