//! Each way of confining to how it goes when a child process tries it. Nothing of the calling process changes.

use super::{Inherited, LandlockSurvey, NamespaceSurvey, Outcome, SeccompSurvey};
use crate::errno;
use crate::sys::{self, Action, Ended, Instruction};
use rustix::fs::{CWD, Mode, OFlags, mkdirat, open, openat};
use rustix::io::Errno;
use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_change};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{getegid, geteuid};
use std::collections::BTreeMap;
use std::ffi::CStr;
use std::io;
use std::os::fd::OwnedFd;

/// The steps of trials, in the order of the numbers that a child writes.
const STEPS: [&str; 12] = [
    "clone",
    "unshare",
    "setgroups",
    "gid_map",
    "uid_map",
    "mount",
    "no_new_privs",
    "seccomp",
    "landlock_restrict_self",
    "move",
    "effect",
    "landlock_create_ruleset",
];
const CLONE: u8 = 0;
const UNSHARE: u8 = 1;
const SETGROUPS: u8 = 2;
const GID_MAP: u8 = 3;
const UID_MAP: u8 = 4;
const MOUNT: u8 = 5;
const NO_NEW_PRIVS: u8 = 6;
const SECCOMP: u8 = 7;
const LANDLOCK: u8 = 8;
pub(super) const MOVE: u8 = 9;
const EFFECT: u8 = 10;
const RULESET: u8 = 11;

/// What a child says of itself before it ends, in one write.
#[derive(Debug)]
pub(super) struct Said {
    step: u8,
    errno: i32,
    label: [u8; 256],
    length: usize,
}

/// The step that failed, and its error; the effect that is missing has none.
pub(super) type Tried = Result<(), (u8, Errno)>;

impl Said {
    fn new() -> Self {
        Self { step: 0, errno: 0, label: [0; 256], length: 0 }
    }

    /// Adds a few bytes to what the parent gets as a text.
    fn say(&mut self, bytes: impl IntoIterator<Item = u8>) {
        self.length = 0;
        for (to, from) in self.label.iter_mut().zip(bytes) {
            *to = from;
            self.length += 1;
        }
    }

    fn bytes(&self) -> [u8; 263] {
        let mut out = [0; 263];
        let head = [self.step].into_iter().chain(self.errno.to_ne_bytes());
        let length = u16::try_from(self.length).unwrap_or(0).to_ne_bytes();
        for (to, from) in out.iter_mut().zip(head.chain(length).chain(self.label)) {
            *to = from;
        }
        out
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let (step, rest) = bytes.split_first()?;
        let (errno, rest) = rest.split_first_chunk()?;
        let (length, rest) = rest.split_first_chunk()?;
        let label = *rest.first_chunk()?;
        let length = usize::from(u16::from_ne_bytes(*length));
        Some(Self { step: *step, errno: i32::from_ne_bytes(*errno), label, length })
    }
}

/// Does `work` in a child. What it is about may end the child, so the child is told apart from this process in any case.
pub(super) fn attempt(work: impl FnOnce(&mut Said) -> Tried) -> (Outcome, Option<String>) {
    let not_tried = |why: String| (Outcome::NotTried { why }, None);
    let (reader, writer) = match pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK) {
        Ok(ends) => ends,
        Err(e) => return not_tried(format!("pipe: {}", errno::name(e))),
    };
    let ended = sys::in_child(0, || tell(&writer, work));
    drop(writer);
    let mut bytes = [0; 512];
    let read = rustix::io::read(&reader, &mut bytes[..]).unwrap_or(0);
    let said = bytes.get(..read).and_then(Said::parse);
    match (ended, said) {
        (Err(e), _) => not_tried(format!("clone: {}", errno::of(&e))),
        (Ok(Ended::Signalled(signal)), _) => (Outcome::Killed { signal }, None),
        (Ok(Ended::Exited), None) => not_tried("the child said nothing".to_owned()),
        (Ok(Ended::Exited), Some(said)) => (outcome(&said), label(&said)),
    }
}

fn tell(writer: &OwnedFd, work: impl FnOnce(&mut Said) -> Tried) {
    let mut said = Said::new();
    if let Err((step, error)) = work(&mut said) {
        (said.step, said.errno) = (step, error.raw_os_error());
    }
    let _ = rustix::io::write(writer, &said.bytes());
}

fn outcome(said: &Said) -> Outcome {
    match (said.errno, said.step) {
        (0, _) => Outcome::Works,
        (_, EFFECT) => Outcome::WithoutEffect,
        (number, step) => Outcome::Failed {
            step: STEPS.get(usize::from(step)).copied().unwrap_or_default().to_owned(),
            errno: errno::name(Errno::from_raw_os_error(number)),
        },
    }
}

fn label(said: &Said) -> Option<String> {
    let bytes = said.label.get(..said.length).filter(|b| !b.is_empty())?;
    Some(String::from_utf8_lossy(bytes).trim_end_matches(['\n', '\0']).to_owned())
}

fn at(step: u8) -> impl Fn(Errno) -> (u8, Errno) {
    move |error| (step, error)
}

fn of_io(step: u8) -> impl Fn(io::Error) -> (u8, Errno) {
    move |error| (step, Errno::from_io_error(&error).unwrap_or(Errno::IO))
}

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
        rustix::thread::set_no_new_privs(true).map_err(at(NO_NEW_PRIVS))?;
        sys::load_filter(&program, false).map_err(of_io(SECCOMP))?;
        match mkdirat(CWD, c"", Mode::RWXU) {
            Err(error) if error == answer => Ok(()),
            _ => Err((EFFECT, Errno::IO)),
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
        let abi = sys::landlock_version().map_err(of_io(RULESET))?;
        let abi = u8::try_from(abi).unwrap_or(99).min(99);
        said.say([b'0' + abi / 10, b'0' + abi % 10]);
        Ok(())
    });
    let abi = abi.and_then(|digits| digits.parse().ok()).unwrap_or(0);
    if !asked.works() {
        return LandlockSurvey { abi, ruleset: asked };
    }
    let (ruleset, _) = attempt(|_| {
        rustix::thread::set_no_new_privs(true).map_err(at(NO_NEW_PRIVS))?;
        sys::refuse_all_directories().map_err(of_io(LANDLOCK))?;
        match open(c"/", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()) {
            Err(Errno::ACCESS) => Ok(()),
            _ => Err((EFFECT, Errno::IO)),
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
        sys::unshare(libc::CLONE_NEWUSER).map_err(of_io(UNSHARE))?;
        maps.write()
    });
    NamespaceSurvey { clone, unshare, mount, label_inside, settings }
}

/// Does `work` in a child of the child. The two share a page only for the answer, so it comes by a pipe too.
fn inside(namespaces: libc::c_int, said: &mut Said, work: impl FnOnce(&mut Said) -> Tried) -> Tried {
    let (reader, writer) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK).map_err(at(CLONE))?;
    let ended = sys::in_child(namespaces, || tell(&writer, work)).map_err(of_io(CLONE))?;
    if let Ended::Signalled(signal) = ended {
        // The child does as its own child was done by, so that the parent learns of it.
        if let Some(signal) = rustix::process::Signal::from_named_raw(signal) {
            let _ = rustix::process::kill_process(rustix::process::getpid(), signal);
        }
        return Err((EFFECT, Errno::IO));
    }
    let mut bytes = [0; 512];
    let read = rustix::io::read(&reader, &mut bytes[..]).map_err(at(EFFECT))?;
    *said = bytes.get(..read).and_then(Said::parse).ok_or((EFFECT, Errno::IO))?;
    match said.errno {
        0 => Ok(()),
        number => Err((said.step, Errno::from_raw_os_error(number))),
    }
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
        put(c"/proc/self/setgroups", b"deny").map_err(at(SETGROUPS))?;
        put(c"/proc/self/gid_map", self.gid.as_bytes()).map_err(at(GID_MAP))?;
        put(c"/proc/self/uid_map", self.uid.as_bytes()).map_err(at(UID_MAP))
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
    said.length = rustix::io::read(file, &mut said.label[..]).unwrap_or(0);
}

/// A private tree and a file system over its root: what a sandbox starts with.
fn try_mount() -> Tried {
    let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    mount_change(c"/", private).map_err(at(MOUNT))?;
    mount(c"none", c"/", c"tmpfs", MountFlags::empty(), None).map_err(at(MOUNT))
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
