//! What can only be tried: a child process that does something and ends, and a Landlock ruleset that permits nothing.

use super::check;
use rustix::process::{Pid, WaitOptions, waitpid};
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// How a child ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// By itself.
    Exited,
    /// By this signal.
    Signalled(i32),
}

/// Ends the child whatever way its work is left by, so that it never runs its parent's code.
struct Leave;

impl Drop for Leave {
    fn drop(&mut self) {
        // SAFETY: _exit(2) takes a number, runs no code of ours and does not come back.
        unsafe { libc::_exit(0) }
    }
}

/// Makes a child in new namespaces of these kinds (`CLONE_NEW…`, or 0), lets it do `work`, and waits for its end. The child is a copy
/// with one thread, so `work` must not allocate and must take no lock: another thread may have held it.
///
/// # Errors
/// What clone(2) says of the child.
pub fn in_child(namespaces: libc::c_int, work: impl FnOnce()) -> io::Result<Ended> {
    let flags = namespaces | libc::SIGCHLD;
    // SAFETY: without CLONE_VM and with a null stack the child is a copy with its own memory, as after fork(2); the flags come first on
    // every architecture of canc. No pointer is read or written, since no flag that wants one is given.
    let child = check(unsafe { libc::syscall(libc::SYS_clone, flags, 0_usize, 0_usize, 0_usize, 0_usize) })?;
    let Some(pid) = i32::try_from(child).ok().and_then(Pid::from_raw) else {
        let leave = Leave;
        work();
        drop(leave);
        // Not reached: the drop ended the child.
        return Err(io::ErrorKind::Other.into());
    };
    loop {
        match waitpid(Some(pid), WaitOptions::empty()) {
            Ok(Some((_, status))) => {
                return Ok(status.terminating_signal().map_or(Ended::Exited, Ended::Signalled));
            }
            Ok(None) | Err(rustix::io::Errno::INTR) => {}
            Err(e) => return Err(e.into()),
        }
    }
}

/// Forbids this process to list any directory, by a ruleset that permits nothing. Allocates nothing.
///
/// # Errors
/// What landlock_create_ruleset(2) or landlock_restrict_self(2) say; the latter `EPERM` without `no_new_privs`.
pub fn refuse_all_directories() -> io::Result<()> {
    /// `LANDLOCK_ACCESS_FS_READ_DIR` of `linux/landlock.h`.
    const READ_DIR: u64 = 1 << 3;
    // SAFETY: the kernel reads 8 bytes, the first field of `struct landlock_ruleset_attr`, from the pointer, which is a u64 that outlives
    // the call; the flags are 0.
    let raw = check(unsafe {
        let access = READ_DIR;
        libc::syscall(libc::SYS_landlock_create_ruleset, std::ptr::from_ref(&access), size_of::<u64>(), 0)
    })?;
    let raw = i32::try_from(raw).map_err(|_| io::Error::from_raw_os_error(libc::EBADF))?;
    // SAFETY: the call above made `raw` just now, and this is its only owner.
    let ruleset = unsafe { OwnedFd::from_raw_fd(raw) };
    // SAFETY: landlock_restrict_self(2) takes two numbers.
    check(unsafe { libc::syscall(libc::SYS_landlock_restrict_self, ruleset.as_raw_fd(), 0) }).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_ends_by_itself_or_by_a_signal() {
        assert_eq!(in_child(0, || ()).unwrap(), Ended::Exited);
        let killed = in_child(0, || {
            let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
        });
        assert_eq!(killed.unwrap(), Ended::Signalled(9));
    }
}
