//! A process beside the launch, and what it does to its own descriptors.

use super::check;
use super::process::close_range;
use super::trial::in_child;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, IntoRawFd, OwnedFd, RawFd};

/// Lets a process do `work` that is nobody's child here: its parent ends at once. What [`in_child`] says of `work` holds here too.
///
/// # Errors
/// What clone(2) says.
pub fn detached(work: impl FnOnce()) -> io::Result<()> {
    in_child(0, || {
        // SAFETY: as in `in_child`: a copy with its own memory, no pointer is read or written. Nobody waits, since the process ends next.
        let child =
            unsafe { libc::syscall(libc::SYS_clone, libc::SIGCHLD, 0_usize, 0_usize, 0_usize, 0_usize) };
        if child == 0 {
            work();
        }
    })
    .map(drop)
}

/// Closes descriptors 0 to 2.
pub fn close_standard() {
    close_range(0, 2);
}

/// Closes every descriptor from 3 on but these two.
pub fn close_others(kept: &[BorrowedFd<'_>; 2]) {
    let [a, b] = kept.map(|fd| u32::try_from(fd.as_raw_fd()).unwrap_or(u32::MAX));
    let (low, high) = (a.min(b), a.max(b));
    for (first, last) in
        [(3, low.saturating_sub(1)), (low + 1, high.saturating_sub(1)), (high.saturating_add(1), u32::MAX)]
    {
        if first <= last {
            close_range(first, last);
        }
    }
}

/// Puts an open file at one of descriptors 0 to 2, for the program that follows.
///
/// # Errors
/// What dup2(2) says.
pub fn put_standard(file: OwnedFd, number: u32) -> io::Result<()> {
    let to = RawFd::try_from(number).map_err(|_| io::Error::from_raw_os_error(libc::EBADF))?;
    let raw = file.into_raw_fd();
    // SAFETY: both are numbers. `raw` was taken out of its owner above and is closed once; `to` is a standard descriptor, which stays open.
    let result = unsafe {
        let result = libc::dup2(raw, to);
        libc::close(raw);
        result
    };
    check(result.into()).map(drop)
}

/// A random number of the kernel's; `None` where it gives none.
#[must_use]
pub fn random() -> Option<u64> {
    let mut value = 0_u64;
    // SAFETY: the kernel writes at most 8 bytes to `value`, which is that large and outlives the call.
    let count = unsafe { libc::getrandom((&raw mut value).cast(), size_of::<u64>(), 0) };
    (count == 8).then_some(value)
}
