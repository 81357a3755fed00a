//! A PID namespace that was made for the next child to its first process and to the program: this process stays outside as the one that
//! its caller waits for, its child is the namespace's first process and reaps, and only the child of that goes on with the launch.

use crate::caps::{CapSet, KILL};
use crate::sys;
use rustix::fd::{AsRawFd, OwnedFd};
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{DumpableBehavior, Signal, dumpable_behavior, set_dumpable_behavior};
use rustix::thread::{CapabilitySet, CapabilitySets, set_capabilities, set_no_new_privs};
use std::io;

/// What the program's number is in its namespace.
pub const PROGRAM_PID: u32 = 2;

/// Comes back in the process that is to become the program alone. The two others never come back: they end as the program does, and the
/// first process of the namespace takes the rest of it along.
///
/// # Errors
/// What fork(2), pipe(2), prctl(2) or sigprocmask(2) say.
pub fn stay() -> io::Result<()> {
    let dumpable = dumpable_behavior()?;
    // Neither is for the program to trace or to read, though they run as its user.
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    sys::take_signals()?;
    let (alive, held) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
    if let Some(first) = sys::fork()? {
        wait(first, &held);
    }
    drop(held);
    end_with_parent(&alive)?;
    if let Some(program) = sys::fork()? {
        // Of no job of the terminal: what is sent to the program's group reaches the program by itself.
        let _ = rustix::process::setpgid(None, None);
        wait(program, &alive);
    }
    set_dumpable_behavior(dumpable)
        .map_err(io::Error::from)
        .and_then(|()| rustix::process::set_parent_process_death_signal(None).map_err(io::Error::from))
}

/// Ends this process when its parent does; the kernel then ends the namespace.
fn end_with_parent(alive: &OwnedFd) -> io::Result<()> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    // A parent that ended before that sent no signal, but nobody holds the other end any more.
    match rustix::io::read(alive, &mut [0; 1][..]) {
        Err(Errno::AGAIN) => Ok(()),
        _ => Err(Errno::SRCH.into()),
    }
}

/// Keeps nothing but what handing signals on needs, and ends with the child's code.
fn wait(child: i32, kept: &OwnedFd) -> ! {
    sys::close_all_but(kept.as_raw_fd());
    let kill = CapabilitySet::from_bits_retain(CapSet::default().with(KILL).0);
    let _ = rustix::thread::capabilities(None).and_then(|now| {
        let permitted = now.permitted & kill;
        let sets = CapabilitySets { permitted, effective: permitted, inheritable: CapabilitySet::empty() };
        set_capabilities(None, sets)
    });
    let _ = set_no_new_privs(true);
    sys::exit_quietly(sys::wait_for(child))
}
