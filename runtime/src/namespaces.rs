//! Makes namespaces for this process: nothing stays outside of them.

use crate::plan::Namespace;
use crate::procfs::{Procfs, explain, write_text};
use crate::sys;
use rustix::fs::OFlags;
use rustix::process::{getegid, geteuid};
use std::io;

/// Makes them, and what belongs to them.
///
/// # Errors
/// The step that failed, and the kernel's error.
pub fn make(kinds: &[Namespace]) -> Result<(), String> {
    let (uid, gid) = (geteuid().as_raw(), getegid().as_raw());
    sys::unshare(kinds.iter().map(|kind| flag(*kind)).fold(0, |all, flag| all | flag))
        .map_err(|e| format!("unshare: {e}"))?;
    if kinds.contains(&Namespace::User) {
        // An ordinary user may map itself only after giving up setgroups(2): user_namespaces(7).
        map("setgroups", "deny")?;
        map("gid_map", &format!("{gid} {gid} 1"))?;
        map("uid_map", &format!("{uid} {uid} 1"))?;
    }
    if kinds.contains(&Namespace::Net) {
        sys::bring_loopback_up().map_err(|e| format!("bringing the loopback device up: {e}"))?;
    }
    Ok(())
}

fn flag(kind: Namespace) -> libc::c_int {
    match kind {
        Namespace::User => libc::CLONE_NEWUSER,
        Namespace::Net => libc::CLONE_NEWNET,
        Namespace::Ipc => libc::CLONE_NEWIPC,
        Namespace::Uts => libc::CLONE_NEWUTS,
        Namespace::Mount => libc::CLONE_NEWNS,
        Namespace::Pid => libc::CLONE_NEWPID,
    }
}

fn map(file: &str, text: &str) -> Result<(), String> {
    let write = || -> io::Result<()> { write_text(Procfs::open()?.thread_file(file, OFlags::WRONLY)?, text) };
    write().map_err(|e| format!("writing {file}: {}", explain(&e)))
}
