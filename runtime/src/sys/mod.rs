//! The system calls that no safe wrapper covers: arguments in, `io::Result` out. The only folder of the crate with unsafe code; it knows
//! no manifest and no plan.
#![expect(
    unsafe_code,
    reason = "system calls that rustix and std do not wrap; each block argues about its own arguments"
)]

mod filter;
#[cfg(feature = "libselinux")]
pub mod libselinux;
mod lsm;
mod namespace;
mod parent;
mod process;
mod relay;
mod trial;

pub use filter::{Action, Instruction, MAX_INSTRUCTIONS, action_available, load_filter};
pub use lsm::{SelfAttribute, landlock_abi, landlock_version, lsm_ids, own_attribute};
pub use namespace::{bring_loopback_up, unshare};
pub use parent::{close_all_but, exit_quietly, fork, take_signals, wait_for};
pub use process::{
    Arguments, Ending, close_on_exec_from, duplicate, exec_descriptor, exit_now, ignore_write_signals,
    mark_close_on_exec, may_execute, new_session_keyring, open_standard_descriptors, put_at, reset_signals,
};
pub use relay::{close_others, close_standard, detached, put_standard, random};
pub use trial::{Ended, in_child, refuse_all_directories};

use std::io;

/// The value of a system call, or the error that libc left in `errno`.
fn check(result: libc::c_long) -> io::Result<libc::c_long> {
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(result) }
}
