//! A process that stays: forks, waits for a child, and hands signals on to it.

use super::check;
use std::io;

/// Signals that a parent neither takes nor hands on: they report a fault of its own, cannot be taken, or stop the terminal's job, which
/// the kernel does to the child by itself.
const OWN: [libc::c_int; 12] = [
    libc::SIGKILL,
    libc::SIGSTOP,
    libc::SIGSEGV,
    libc::SIGBUS,
    libc::SIGILL,
    libc::SIGFPE,
    libc::SIGABRT,
    libc::SIGTRAP,
    libc::SIGSYS,
    libc::SIGTSTP,
    libc::SIGTTIN,
    libc::SIGTTOU,
];

/// Forks the process, which should have one thread: the number of the child, and in the child nothing.
///
/// # Errors
/// What fork(2) says: `EAGAIN` where a limit on processes is reached, `ENOMEM`.
pub fn fork() -> io::Result<Option<i32>> {
    // SAFETY: fork(2) takes nothing. The launcher has one thread, so the child finds every lock as the only thread left it.
    let child = check(unsafe { libc::fork() }.into())?;
    Ok(i32::try_from(child).ok().filter(|child| *child != 0))
}

/// Blocks the signals that [`wait_for`] takes, and has children be waited for whatever the caller did with `SIGCHLD`. Done before the fork,
/// so that no signal is lost; the program has them unblocked with the rest.
///
/// # Errors
/// What sigaction(2) or sigprocmask(2) say.
pub fn take_signals() -> io::Result<()> {
    super::process::set_action(libc::SIGCHLD, libc::SIG_DFL)?;
    let taken = taken();
    // SAFETY: the set is initialised and outlives the call; the old one is not asked for.
    check(unsafe { libc::sigprocmask(libc::SIG_SETMASK, &raw const taken, std::ptr::null_mut()) }.into())
        .map(drop)
}

fn taken() -> libc::sigset_t {
    // SAFETY: sigset_t is plain data for which all zeroes is a value.
    let mut set: libc::sigset_t = unsafe { std::mem::zeroed() };
    // SAFETY: both calls write to `set` alone, and the numbers are signals.
    unsafe {
        libc::sigfillset(&raw mut set);
        for signal in OWN {
            libc::sigdelset(&raw mut set, signal);
        }
    }
    set
}

/// Waits until this child ends, reaps every other one, and hands on what other processes send. What the kernel sends, as for a key on the
/// terminal, it sends to the child too. Returns the child's exit code, 128+n where signal n ended it.
#[must_use]
pub fn wait_for(child: i32) -> u8 {
    let taken = taken();
    loop {
        if let Some(code) = reaped(child) {
            return code;
        }
        // SAFETY: siginfo_t is plain data for which all zeroes is a value.
        let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
        // SAFETY: sigwaitinfo(2) reads the set and writes one siginfo_t; both outlive the call.
        let signal = unsafe { libc::sigwaitinfo(&raw const taken, &raw mut info) };
        if signal > 0 && signal != libc::SIGCHLD && info.si_code <= 0 {
            // SAFETY: kill(2) takes two numbers. The child was not waited for, so its number is no other process's.
            unsafe { libc::kill(child, signal) };
        }
    }
}

/// Reaps all that ended; the exit code where this child is among them.
fn reaped(child: i32) -> Option<u8> {
    loop {
        let mut status = 0;
        // SAFETY: waitpid(2) writes one int to `status`, which outlives the call.
        let ended = unsafe { libc::waitpid(-1, &raw mut status, libc::WNOHANG) };
        if ended <= 0 {
            return None;
        }
        if ended == child {
            let code = if libc::WIFSIGNALED(status) {
                128 + libc::WTERMSIG(status)
            } else {
                libc::WEXITSTATUS(status)
            };
            return Some(u8::try_from(code).unwrap_or(u8::MAX));
        }
    }
}

/// Closes every descriptor of a process that only waits from now on, but one. Kernels before Linux 5.9 keep them open until it ends.
pub fn close_all_but(kept: i32) {
    let Ok(kept) = u32::try_from(kept) else { return };
    // SAFETY: close_range(2) takes numbers. The descriptors have owners, none of which is used or dropped any more: the caller ends by
    // `exit_quietly`, which runs no destructor.
    unsafe {
        if kept > 0 {
            libc::syscall(libc::SYS_close_range, 0, kept - 1, 0);
        }
        libc::syscall(libc::SYS_close_range, kept + 1, u32::MAX, 0);
    }
}

/// Ends the process without running anything of it.
pub fn exit_quietly(code: u8) -> ! {
    // SAFETY: _exit(2) takes a number and does not come back.
    unsafe { libc::_exit(code.into()) }
}
