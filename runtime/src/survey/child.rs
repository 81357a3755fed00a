//! A trial in a child process to its outcome: what the child says of itself comes by a pipe, and what the kernel did to it by its end.
//!
//! The child must not allocate: see [`sys::in_child`].

use super::Outcome;
use crate::errno;
use crate::sys::{self, Ended};
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};
use std::io;
use std::os::fd::OwnedFd;

/// What a child was doing when it failed. The number is what it writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Step {
    Clone,
    Unshare,
    Setgroups,
    GidMap,
    UidMap,
    Mount,
    NoNewPrivs,
    Seccomp,
    CreateRuleset,
    RestrictSelf,
    Move,
    /// Every call succeeded, and what should have come of it did not.
    Effect,
}

impl Step {
    const ALL: [Self; 12] = [
        Self::Clone,
        Self::Unshare,
        Self::Setgroups,
        Self::GidMap,
        Self::UidMap,
        Self::Mount,
        Self::NoNewPrivs,
        Self::Seccomp,
        Self::CreateRuleset,
        Self::RestrictSelf,
        Self::Move,
        Self::Effect,
    ];

    /// The call or the file, for reports.
    fn word(self) -> &'static str {
        match self {
            Self::Clone => "clone",
            Self::Unshare => "unshare",
            Self::Setgroups => "setgroups",
            Self::GidMap => "gid_map",
            Self::UidMap => "uid_map",
            Self::Mount => "mount",
            Self::NoNewPrivs => "no_new_privs",
            Self::Seccomp => "seccomp",
            Self::CreateRuleset => "landlock_create_ruleset",
            Self::RestrictSelf => "landlock_restrict_self",
            Self::Move => "move",
            Self::Effect => "effect",
        }
    }

    fn of(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|step| *step as u8 == number)
    }
}

/// The error of a step.
pub(super) fn at(step: Step) -> impl Fn(Errno) -> (Step, Errno) {
    move |error| (step, error)
}

/// The same of an error of the standard library.
pub(super) fn of_io(step: Step) -> impl Fn(io::Error) -> (Step, Errno) {
    move |error| (step, Errno::from_io_error(&error).unwrap_or(Errno::IO))
}

/// What a child says of itself before it ends, in one write.
#[derive(Debug)]
pub(super) struct Said {
    step: u8,
    errno: i32,
    /// A short text, such as a label.
    label: [u8; 256],
    length: usize,
}

/// The step that failed, and its error; the effect that is missing has none.
pub(super) type Tried = Result<(), (Step, Errno)>;

impl Said {
    fn new() -> Self {
        Self { step: 0, errno: 0, label: [0; 256], length: 0 }
    }

    /// Tells the parent a few bytes as a text.
    pub(super) fn say(&mut self, bytes: impl IntoIterator<Item = u8>) {
        self.length = 0;
        for (to, from) in self.label.iter_mut().zip(bytes) {
            *to = from;
            self.length += 1;
        }
    }

    /// Tells the parent what a file holds.
    pub(super) fn read(&mut self, file: &OwnedFd) {
        self.length = rustix::io::read(file, &mut self.label[..]).unwrap_or(0);
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
        (said.step, said.errno) = (step as u8, error.raw_os_error());
    }
    let _ = rustix::io::write(writer, &said.bytes());
}

fn outcome(said: &Said) -> Outcome {
    match (said.errno, Step::of(said.step)) {
        (0, _) => Outcome::Works,
        (_, Some(Step::Effect) | None) => Outcome::WithoutEffect,
        (number, Some(step)) => Outcome::Failed {
            step: step.word().to_owned(),
            errno: errno::name(Errno::from_raw_os_error(number)),
        },
    }
}

fn label(said: &Said) -> Option<String> {
    let bytes = said.label.get(..said.length).filter(|b| !b.is_empty())?;
    Some(String::from_utf8_lossy(bytes).trim_end_matches(['\n', '\0']).to_owned())
}

/// Does `work` in a child of the child, in new namespaces: what making them does to whoever asks, it does to the child.
pub(super) fn inside(
    namespaces: libc::c_int,
    said: &mut Said,
    work: impl FnOnce(&mut Said) -> Tried,
) -> Tried {
    let (reader, writer) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK).map_err(at(Step::Clone))?;
    let ended = sys::in_child(namespaces, || tell(&writer, work)).map_err(of_io(Step::Clone))?;
    if let Ended::Signalled(signal) = ended {
        // The child does as its own child was done by, so that the parent learns of it.
        if let Some(signal) = rustix::process::Signal::from_named_raw(signal) {
            let _ = rustix::process::kill_process(rustix::process::getpid(), signal);
        }
        return Err((Step::Effect, Errno::IO));
    }
    let mut bytes = [0; 512];
    let read = rustix::io::read(&reader, &mut bytes[..]).map_err(at(Step::Effect))?;
    *said = bytes.get(..read).and_then(Said::parse).ok_or((Step::Effect, Errno::IO))?;
    match said.errno {
        0 => Ok(()),
        number => Err((Step::of(said.step).unwrap_or(Step::Effect), Errno::from_raw_os_error(number))),
    }
}
