//! What a launch changes in its own process: descriptors, signals, keyring, and the program itself.

use super::check;
use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};

/// Highest signal number plus one: `_NSIG` in `asm/signal.h`, 64 signals on every architecture of canc.
const SIGNALS_END: libc::c_int = 65;

/// `KEYCTL_JOIN_SESSION_KEYRING` of `linux/keyctl.h`.
const JOIN_SESSION_KEYRING: libc::c_int = 1;

/// Marks every descriptor from `first` to `last` close-on-exec.
///
/// # Errors
/// `ENOSYS` before Linux 5.9, `EINVAL` before 5.11.
pub fn close_on_exec_from(first: u32, last: u32) -> io::Result<()> {
    // SAFETY: close_range(2) takes two numbers and flags; with CLOSE_RANGE_CLOEXEC it closes nothing, so no owner loses a descriptor.
    check(unsafe { libc::syscall(libc::SYS_close_range, first, last, libc::CLOSE_RANGE_CLOEXEC) }).map(drop)
}

/// Closes every descriptor from `first` to `last`, in a process that is about to use no other. Before Linux 5.9 they stay open.
pub(super) fn close_range(first: u32, last: u32) {
    // SAFETY: close_range(2) takes two numbers and flags. The process is a child whose owners of these numbers never run again.
    unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) };
}

/// Duplicates a descriptor to a fixed number, close-on-exec. What was at that number is closed: the caller owns the number.
///
/// # Errors
/// `EBADF` where the number is not below `RLIMIT_NOFILE`.
pub fn put_at(from: BorrowedFd<'_>, number: RawFd) -> io::Result<()> {
    // SAFETY: dup3(2) takes numbers alone. `number` is the launch descriptor, which no object of this program owns.
    check(libc::c_long::from(unsafe { libc::dup3(from.as_raw_fd(), number, libc::O_CLOEXEC) })).map(drop)
}

/// Whether the process may execute an open file, as far as its mode and its file system's mount options tell.
///
/// # Errors
/// `EACCES` where it may not, `ENOSYS` before Linux 5.8.
pub fn may_execute(file: BorrowedFd<'_>) -> io::Result<()> {
    let flags = libc::AT_EACCESS | libc::AT_EMPTY_PATH;
    // SAFETY: the path is a NUL-terminated constant and is only read.
    let result =
        unsafe { libc::syscall(libc::SYS_faccessat2, file.as_raw_fd(), c"".as_ptr(), libc::X_OK, flags) };
    check(result).map(drop)
}

/// Whether a descriptor is open.
fn is_open(number: u32) -> bool {
    let Ok(number) = RawFd::try_from(number) else { return false };
    // SAFETY: F_GETFD takes a number and reads or writes no memory.
    unsafe { libc::fcntl(number, libc::F_GETFD) != -1 }
}

/// Duplicates a descriptor that the caller of the process opened.
///
/// # Errors
/// `EBADF` where it is not open.
pub fn duplicate(number: u32) -> io::Result<OwnedFd> {
    let number = RawFd::try_from(number).map_err(|_| io::Error::from_raw_os_error(libc::EBADF))?;
    // SAFETY: F_DUPFD_CLOEXEC takes two numbers; the new descriptor is nobody else's.
    let new = unsafe { libc::fcntl(number, libc::F_DUPFD_CLOEXEC, 3) };
    check(new.into())?;
    // SAFETY: the call above made `new` just now, and this is its only owner.
    Ok(unsafe { OwnedFd::from_raw_fd(new) })
}

/// Marks one descriptor close-on-exec.
///
/// # Errors
/// `EBADF` where it is not open.
pub fn mark_close_on_exec(number: u32) -> io::Result<()> {
    let number = RawFd::try_from(number).map_err(|_| io::Error::from_raw_os_error(libc::EBADF))?;
    // SAFETY: F_SETFD takes two numbers; it closes nothing now, so no owner loses a descriptor.
    check(unsafe { libc::fcntl(number, libc::F_SETFD, libc::FD_CLOEXEC) }.into()).map(drop)
}

/// Opens the null device where one of descriptors 0 to 2 is closed, and tells which were. Called before anything else is opened, because
/// that would get these numbers.
///
/// # Errors
/// What open(2) says.
pub fn open_standard_descriptors() -> io::Result<Vec<u32>> {
    let mut opened = Vec::new();
    for number in (0..3).filter(|n| !is_open(*n)) {
        let null = std::fs::OpenOptions::new().read(true).write(true).open("/dev/null")?;
        give_away(null.into(), number)?;
        opened.push(number);
    }
    Ok(opened)
}

/// Leaves an open file at a number that was closed, for the program that follows, which gets it over the exec.
fn give_away(file: OwnedFd, number: u32) -> io::Result<()> {
    let raw = file.into_raw_fd();
    let to = RawFd::try_from(number).map_err(|_| io::Error::from_raw_os_error(libc::EBADF))?;
    // SAFETY: all are numbers. `raw` was taken out of its owner above; it stays open where it is the number itself and is closed once
    // otherwise. `to` was closed, so nobody owns it.
    let result = unsafe {
        if raw == to {
            libc::fcntl(raw, libc::F_SETFD, 0)
        } else {
            let result = libc::dup2(raw, to);
            libc::close(raw);
            result
        }
    };
    check(result.into()).map(drop)
}

/// Makes the process a session keyring of its own, so that it does not hold its starter's keys.
///
/// # Errors
/// `ENOSYS` without keyrings, `EDQUOT` where the user's quota of keys is used up, `EPERM` where a filter refuses keyctl(2).
pub fn new_session_keyring() -> io::Result<()> {
    // SAFETY: KEYCTL_JOIN_SESSION_KEYRING with a null name makes an anonymous keyring and reads no memory.
    let result =
        unsafe { libc::syscall(libc::SYS_keyctl, JOIN_SESSION_KEYRING, std::ptr::null::<libc::c_char>()) };
    check(result).map(drop)
}

/// How a signal is left for the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Default action, whatever it was.
    Default,
    /// Ignored if it was ignored, else default: exec(2) makes handlers default anyhow.
    KeepIgnored,
}

/// Unblocks every signal, and gives each its default action but those that `ending` lets stay ignored.
///
/// # Errors
/// What sigaction(2) or sigprocmask(2) say; signals that cannot be changed (`SIGKILL`, `SIGSTOP`, the C library's own) are passed over.
pub fn reset_signals(ending: impl Fn(libc::c_int) -> Ending) -> io::Result<()> {
    for signal in 1..SIGNALS_END {
        if ending(signal) == Ending::Default {
            set_action(signal, libc::SIG_DFL)?;
        }
    }
    // SAFETY: sigset_t is plain data for which all zeroes is a value, and sigemptyset makes it the empty set.
    let mut none: libc::sigset_t = unsafe { std::mem::zeroed() };
    // SAFETY: both calls take pointers to `none`, which outlives them; the old set is not asked for.
    let result = unsafe {
        libc::sigemptyset(&raw mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut())
    };
    check(result.into()).map(drop)
}

/// Makes a write beyond `RLIMIT_FSIZE`, or to a pipe that nobody reads, an error instead of the end of the process, for as long as canc
/// itself runs.
///
/// # Errors
/// What sigaction(2) says.
pub fn ignore_write_signals() -> io::Result<()> {
    set_action(libc::SIGXFSZ, libc::SIG_IGN)?;
    set_action(libc::SIGPIPE, libc::SIG_IGN)
}

pub(super) fn set_action(signal: libc::c_int, action: libc::sighandler_t) -> io::Result<()> {
    // SAFETY: sigaction is plain data for which all zeroes is a value: no flags, no restorer, an empty mask.
    let mut new: libc::sigaction = unsafe { std::mem::zeroed() };
    new.sa_sigaction = action;
    // SAFETY: `new` outlives the call and installs no handler, only SIG_DFL or SIG_IGN; the old action is not asked for.
    match check(unsafe { libc::sigaction(signal, &raw const new, std::ptr::null_mut()) }.into()) {
        Err(e) if e.raw_os_error() == Some(libc::EINVAL) => Ok(()),
        other => other.map(drop),
    }
}

/// Replaces the program by the one on descriptor `number`. Comes back only with an error. Allocates nothing after the pointers are laid
/// out, and those are laid out by [`Arguments::new`], so that a filter may be loaded between the two.
#[must_use]
pub fn exec_descriptor(number: RawFd, arguments: &Arguments) -> io::Error {
    // SAFETY: the path is a NUL-terminated constant; both arrays end with a null pointer and hold pointers into `arguments`, which owns
    // the strings and is borrowed across the call. The kernel copies them.
    unsafe {
        libc::syscall(
            libc::SYS_execveat,
            number,
            c"".as_ptr(),
            arguments.argv.as_ptr(),
            arguments.envp.as_ptr(),
            libc::AT_EMPTY_PATH,
        );
    }
    io::Error::last_os_error()
}

/// The arguments and the environment of a program, as execveat(2) wants them.
#[derive(Debug)]
pub struct Arguments {
    argv: Vec<*const libc::c_char>,
    envp: Vec<*const libc::c_char>,
    _strings: [Vec<CString>; 2],
}

impl Arguments {
    /// Lays out both lists.
    #[must_use]
    pub fn new(argv: Vec<CString>, environment: Vec<CString>) -> Self {
        let pointers = |strings: &[CString]| {
            strings.iter().map(|s| s.as_ptr()).chain([std::ptr::null()]).collect::<Vec<_>>()
        };
        Self { argv: pointers(&argv), envp: pointers(&environment), _strings: [argv, environment] }
    }
}

/// Writes a message to standard error and ends the process, with no more system calls than these two: what comes after a filter.
pub fn exit_now(message: &CStr, code: i32) -> ! {
    let bytes = message.to_bytes();
    // SAFETY: `bytes` is valid for its length. write(2) failing changes nothing that follows, and _exit(2) runs no code of ours.
    unsafe {
        libc::write(2, bytes.as_ptr().cast(), bytes.len());
        libc::_exit(code)
    }
}
