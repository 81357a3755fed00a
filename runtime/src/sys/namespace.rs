//! New namespaces, and the loopback device in one.

use super::check;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// Moves the process to new namespaces of these kinds (`CLONE_NEW…`).
///
/// # Errors
/// What unshare(2) says: `EPERM` without privilege, `ENOSPC` or `EUSERS` where there are too many, `EINVAL` for a user namespace while
/// the process has more threads.
pub fn unshare(flags: libc::c_int) -> io::Result<()> {
    // SAFETY: unshare(2) takes a number. The flags make namespaces and none of them splits memory or descriptors of this process.
    check(unsafe { libc::unshare(flags) }.into()).map(drop)
}

/// Sets `IFF_UP` on `lo`.
///
/// # Errors
/// `EPERM` without CAP_NET_ADMIN in the network namespace.
pub fn bring_loopback_up() -> io::Result<()> {
    // SAFETY: socket(2) takes numbers.
    let raw = unsafe { libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0) };
    check(raw.into())?;
    // SAFETY: the call above made `raw` just now, and this is its only owner.
    let socket = unsafe { OwnedFd::from_raw_fd(raw) };
    // SAFETY: ifreq is plain data for which all zeroes is a value: an empty name, no flags.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(c"lo".to_bytes()) {
        *to = libc::c_char::from_ne_bytes([*from]);
    }
    request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as libc::c_short;
    // SAFETY: SIOCSIFFLAGS reads an ifreq with a NUL-terminated name from the pointer, and `request` outlives the call.
    let result = unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS, &raw const request) };
    check(result.into()).map(drop)
}
