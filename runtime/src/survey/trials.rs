//! Each way of confining to how it goes when a child process tries it. Nothing of the calling process changes.

use super::child::{Said, Step, Tried, at, attempt, inside, of_io};
use super::{Inherited, LandlockSurvey, NamespaceSurvey, Outcome, SeccompSurvey};
use crate::sys::{self, Action, Instruction};
use rustix::fs::{CWD, Mode, OFlags, mkdirat, open, openat};
use rustix::io::Errno;
use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_change};
use rustix::process::{getegid, geteuid};
use std::collections::BTreeMap;
use std::ffi::CStr;

/// A child that does nothing.
pub(super) fn child() -> Outcome {
    attempt(|_| Ok(())).0
}

/// A filter that answers one call with an error which that call never gives: mkdirat(2) of an empty path.
pub(super) fn seccomp() -> SeccompSurvey {
    /// Codes of `linux/bpf_common.h`, and `SECCOMP_RET_…` of `linux/seccomp.h`.
    const LOAD: u16 = 0x20;
    const JUMP_EQUAL: u16 = 0x15;
    const RETURN: u16 = 0x06;
    const ALLOW: u32 = 0x7fff_0000;
    const ERRNO: u32 = 0x0005_0000;
    let answer = Errno::XDEV;
    let instruction = |code, jump_false, operand| Instruction { code, jump_true: 0, jump_false, operand };
    let program = [
        instruction(LOAD, 0, 0),
        instruction(JUMP_EQUAL, 1, u32::try_from(libc::SYS_mkdirat).unwrap_or(u32::MAX)),
        instruction(RETURN, 0, ERRNO | answer.raw_os_error().cast_unsigned()),
        instruction(RETURN, 0, ALLOW),
    ];
    let (filter, _) = attempt(|_| {
        rustix::thread::set_no_new_privs(true).map_err(at(Step::NoNewPrivs))?;
        sys::load_filter(&program, false).map_err(of_io(Step::Seccomp))?;
        match mkdirat(CWD, c"", Mode::RWXU) {
            Err(error) if error == answer => Ok(()),
            _ => Err((Step::Effect, Errno::IO)),
        }
    });
    // In a child too: a filter may kill whoever asks.
    let (_, actions) = attempt(|said| {
        let known = [(Action::Log, b'l'), (Action::KillProcess, b'k')];
        let letters = known
            .into_iter()
            .map(|(action, letter)| if sys::action_available(action) { letter } else { b'-' });
        said.say(letters);
        Ok(())
    });
    let has = |letter: char| actions.as_deref().unwrap_or_default().contains(letter);
    SeccompSurvey { filter, log: has('l'), kill_process: has('k') }
}

/// A ruleset that permits no directory to be listed, and the root directory.
pub(super) fn landlock() -> LandlockSurvey {
    let (asked, abi) = attempt(|said| {
        let abi = sys::landlock_version().map_err(of_io(Step::CreateRuleset))?;
        let abi = u8::try_from(abi).unwrap_or(99).min(99);
        said.say([b'0' + abi / 10, b'0' + abi % 10]);
        Ok(())
    });
    let abi = abi.and_then(|digits| digits.parse().ok()).unwrap_or(0);
    if !asked.works() {
        return LandlockSurvey { abi, ruleset: asked };
    }
    let (ruleset, _) = attempt(|_| {
        rustix::thread::set_no_new_privs(true).map_err(at(Step::NoNewPrivs))?;
        sys::refuse_all_directories().map_err(of_io(Step::RestrictSelf))?;
        match open(c"/", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()) {
            Err(Errno::ACCESS) => Ok(()),
            _ => Err((Step::Effect, Errno::IO)),
        }
    });
    LandlockSurvey { abi, ruleset }
}

/// A namespace by each of the two calls, and a mount in one.
pub(super) fn user_namespaces(settings: BTreeMap<String, String>) -> NamespaceSurvey {
    let maps = Maps::of_caller();
    let (clone, label_inside) = attempt(|said| {
        inside(libc::CLONE_NEWUSER, said, |said| {
            maps.write()?;
            own_label(said);
            Ok(())
        })
    });
    let (mount, _) = attempt(|said| {
        inside(libc::CLONE_NEWUSER | libc::CLONE_NEWNS, said, |_| {
            maps.write()?;
            try_mount()
        })
    });
    let (unshare, _) = attempt(|_| {
        sys::unshare(libc::CLONE_NEWUSER).map_err(of_io(Step::Unshare))?;
        maps.write()
    });
    NamespaceSurvey { clone, unshare, mount, label_inside, settings }
}

/// The caller mapped to itself, put into words before there is a child.
struct Maps {
    uid: String,
    gid: String,
}

impl Maps {
    fn of_caller() -> Self {
        let (uid, gid) = (geteuid().as_raw(), getegid().as_raw());
        Self { uid: format!("{uid} {uid} 1"), gid: format!("{gid} {gid} 1") }
    }

    fn write(&self) -> Tried {
        put(c"/proc/self/setgroups", b"deny").map_err(at(Step::Setgroups))?;
        put(c"/proc/self/gid_map", self.gid.as_bytes()).map_err(at(Step::GidMap))?;
        put(c"/proc/self/uid_map", self.uid.as_bytes()).map_err(at(Step::UidMap))
    }
}

pub(super) fn put(path: &CStr, text: &[u8]) -> rustix::io::Result<()> {
    let file = openat(CWD, path, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
    rustix::io::write(file, text).map(drop)
}

fn own_label(said: &mut Said) {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    let files = [c"/proc/self/attr/apparmor/current", c"/proc/self/attr/current"];
    let Some(file) = files.into_iter().find_map(|path| open(path, flags, Mode::empty()).ok()) else { return };
    said.read(&file);
}

/// A private tree and a file system over its root: what a sandbox starts with.
fn try_mount() -> Tried {
    let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    mount_change(c"/", private).map_err(at(Step::Mount))?;
    mount(c"none", c"/", c"tmpfs", MountFlags::empty(), None).map_err(at(Step::Mount))
}

/// What the process was started with, from the status of the process; without `/proc`, what the kernel says without.
pub(super) fn inherited(status: Option<&str>, uid_map: Option<&str>) -> Inherited {
    let field = |name: &str| {
        let lines = status.unwrap_or_default().lines();
        lines.filter_map(|l| l.split_once(':')).find(|(n, _)| *n == name).map(|(_, v)| v.trim().to_owned())
    };
    let mapping = uid_map.map(|text| text.split_ascii_whitespace().collect::<Vec<_>>());
    Inherited {
        no_new_privs: rustix::thread::no_new_privs().unwrap_or(false),
        filters: field("Seccomp_filters").and_then(|n| n.parse().ok()),
        filtered: field("Seccomp").is_some_and(|mode| mode == "2"),
        apparmor: None,
        selinux: None,
        own_user_namespace: mapping.is_some_and(|words| words != ["0", "0", "4294967295"]),
    }
}
