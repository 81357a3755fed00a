//! A mount namespace that was just made to what `isolate mount` promises: a private `/tmp`, a fresh `/proc`, and kernel files hidden or
//! read-only. It knows no policy.

use rustix::fs::{CWD, FileType, Mode, OFlags, fstat, openat};
use rustix::io::Errno;
use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_bind, mount_change, mount_remount};
use std::io;

/// What tells of the kernel or of other processes, or does something to the whole machine. A file is then empty, a directory too.
const HIDDEN: [&str; 25] = [
    "/proc/acpi",
    "/proc/config.gz",
    "/proc/iomem",
    "/proc/ioports",
    "/proc/kallsyms",
    "/proc/kcore",
    "/proc/key-users",
    "/proc/keys",
    "/proc/kmsg",
    "/proc/kpagecgroup",
    "/proc/kpagecount",
    "/proc/kpageflags",
    "/proc/latency_stats",
    "/proc/modules",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/slabinfo",
    "/proc/sysrq-trigger",
    "/proc/timer_list",
    "/proc/vmallocinfo",
    "/sys/firmware",
    "/sys/kernel/debug",
    "/sys/kernel/security",
    "/sys/kernel/tracing",
    "/sys/module",
];

/// What a process of root could set for the whole machine.
const READ_ONLY: [&str; 4] = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys"];

/// Mounts, and tells what a reader should know. The working directory stays where it is if it is there in the namespace too, and is `/` if
/// not, so that nothing outside stays reachable by it.
///
/// # Errors
/// What could not be mounted, and the kernel's error.
pub fn make() -> Result<Vec<String>, String> {
    let at = |what: &str| {
        let what = what.to_owned();
        move |e: Errno| format!("{what}: {}", io::Error::from(e))
    };
    let directory = rustix::process::getcwd(Vec::new()).map_err(at("working directory"))?;
    // Nothing that is mounted here is seen outside.
    let down = MountPropagationFlags::DOWNSTREAM | MountPropagationFlags::REC;
    mount_change("/", down).map_err(at("making mounts private"))?;
    let safe = MountFlags::NOSUID | MountFlags::NODEV;
    mount("tmpfs", "/tmp", "tmpfs", safe, c"mode=1777").map_err(at("private /tmp"))?;
    mount("proc", "/proc", "proc", safe | MountFlags::NOEXEC, None).map_err(at("fresh /proc"))?;
    for path in HIDDEN {
        hide(path).map_err(at(&format!("hiding {path}")))?;
    }
    for path in READ_ONLY {
        seal(path).map_err(at(&format!("making {path} read-only")))?;
    }
    if rustix::process::chdir(&directory).is_ok() {
        return Ok(Vec::new());
    }
    rustix::process::chdir("/").map_err(at("working directory"))?;
    Ok(vec![format!(
        "working directory: {} is not there in the namespace, so it is /",
        directory.to_string_lossy()
    )])
}

fn hide(path: &str) -> Result<(), Errno> {
    match kind(path)? {
        None => Ok(()),
        Some(FileType::Directory) => {
            let flags = MountFlags::RDONLY | MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
            mount("tmpfs", path, "tmpfs", flags, c"size=4k,mode=0555")
        }
        Some(_) => mount_bind("/dev/null", path),
    }
}

fn seal(path: &str) -> Result<(), Errno> {
    if kind(path)?.is_none() {
        return Ok(());
    }
    mount_bind(path, path)?;
    // The flags of the mount that it is of, which a user namespace may not take away, and this one.
    let flags =
        MountFlags::BIND | MountFlags::RDONLY | MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    mount_remount(path, flags, c"")
}

/// What is there; nothing where this kernel or machine has no such file.
fn kind(path: &str) -> Result<Option<FileType>, Errno> {
    match openat(CWD, path, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty()) {
        Ok(file) => fstat(&file).map(|stat| Some(FileType::from_raw_mode(stat.st_mode))),
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(error),
    }
}
