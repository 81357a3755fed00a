//! seccomp(2): which actions the kernel knows, and loading a program.

use super::check;
use std::io;

/// The most instructions of one program: `BPF_MAXINSNS` in `linux/bpf_common.h`.
pub const MAX_INSTRUCTIONS: usize = 4096;

/// One instruction of classic BPF, `struct sock_filter` in `linux/filter.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub struct Instruction {
    /// Operation.
    pub code: u16,
    /// Instructions to skip where a condition holds.
    pub jump_true: u8,
    /// Instructions to skip where it does not.
    pub jump_false: u8,
    /// Operand.
    pub operand: u32,
}

/// An action of a filter, by its constant in `linux/seccomp.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Action {
    /// `SECCOMP_RET_ERRNO`
    Errno = libc::SECCOMP_RET_ERRNO,
    /// `SECCOMP_RET_KILL_PROCESS`
    KillProcess = libc::SECCOMP_RET_KILL_PROCESS,
    /// `SECCOMP_RET_LOG`
    Log = libc::SECCOMP_RET_LOG,
}

/// Whether the kernel knows an action; false also where it has no seccomp(2), or refuses it.
#[must_use]
pub fn action_available(action: Action) -> bool {
    let value = action as u32;
    // SAFETY: SECCOMP_GET_ACTION_AVAIL reads one u32 from the pointer, and `value` is one that outlives the call.
    let result = unsafe {
        libc::syscall(libc::SYS_seccomp, libc::SECCOMP_GET_ACTION_AVAIL, 0, std::ptr::from_ref(&value))
    };
    result == 0
}

/// Loads a program for the calling thread. With `log` the kernel audits what the program does not allow. Allocates nothing.
///
/// # Errors
/// `EACCES` without `no_new_privs` and CAP_SYS_ADMIN, `EINVAL` for a program that the kernel's checker refuses or one longer than
/// [`MAX_INSTRUCTIONS`], `ENOMEM` where all loaded programs together are too long, and what an earlier filter makes of seccomp(2).
pub fn load_filter(program: &[Instruction], log: bool) -> io::Result<()> {
    const { assert!(size_of::<Instruction>() == size_of::<libc::sock_filter>()) };
    let Ok(len) = u16::try_from(program.len()) else {
        return Err(io::Error::from_raw_os_error(libc::EINVAL));
    };
    let program = libc::sock_fprog { len, filter: program.as_ptr().cast_mut().cast() };
    let flags = if log { libc::SECCOMP_FILTER_FLAG_LOG } else { 0 };
    // SAFETY: SECCOMP_SET_MODE_FILTER reads `len` instructions from `filter` and writes none. They are those of the slice, which outlives
    // the call; an `Instruction` has the fields of `struct sock_filter` in its order, as `repr(C)` lays them out.
    let result = unsafe {
        libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, flags, std::ptr::from_ref(&program))
    };
    check(result).map(drop)
}
