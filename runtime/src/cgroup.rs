//! The limits of a plan to a cgroup of the program's own, below the caller's: makes it, moves this process there, sets the limits and
//! reads them back. What cannot be set is undone.
//!
//! Nothing stays to remove it after the program: each launch removes the empty ones that it finds beside its own, and systemd removes
//! them with the unit that was delegated.

use crate::plan::CgroupLimit;
use crate::procfs::{KernelDir, Procfs, explain, read_text, write_text};
use rustix::fs::{AtFlags, Dir, Mode, OFlags, mkdirat, openat, unlinkat};
use rustix::io::Errno;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

/// What the names of cgroups made by launches start with.
const PREFIX: &str = "canc-";
/// How many names are tried: another launch may have one, or take an empty one away.
const TRIES: u32 = 32;
/// The period of a quota of processor time, in microseconds: the kernel's default for `cpu.max`.
const PERIOD: u64 = 100_000;

/// The words of a file.
#[must_use]
pub fn words(text: &str) -> Vec<String> {
    text.split_ascii_whitespace().map(str::to_owned).collect()
}

/// The path of the caller's cgroup in the version 2 hierarchy: cgroups(7), `/proc/pid/cgroup`.
///
/// # Errors
/// Why there is none.
pub fn own(proc: &Procfs) -> Result<String, String> {
    let text = proc
        .thread_file("cgroup", OFlags::RDONLY)
        .and_then(read_text)
        .map_err(|e| format!("the own cgroup: {}", explain(&e)))?;
    let path = text.lines().find_map(|line| line.strip_prefix("0::"));
    match path {
        Some(path) if path.split('/').any(|name| name == "..") => {
            Err("the own cgroup lies outside of what this cgroup namespace shows".into())
        }
        Some(path) => Ok(path.to_owned()),
        None => Err("the process is in no version 2 cgroup".into()),
    }
}

/// Makes the cgroup below `parent`, enables controllers there where they are not, moves this process and sets the limits. Returns its path.
///
/// # Errors
/// What could not be done, and the kernel's error. The process is then back where it was.
pub fn enter(parent: &str, enable: &[String], limits: &[CgroupLimit]) -> Result<String, String> {
    let at = |what: String| move |e: io::Error| format!("{what}: {}", explain(&e));
    let root = KernelDir::cgroup().map_err(at("/sys/fs/cgroup".into()))?;
    let path = parent.trim_matches('/');
    let directory = root
        .file(if path.is_empty() { "." } else { path }, OFlags::RDONLY | OFlags::DIRECTORY)
        .map_err(at(format!("cgroup {parent}")))?;
    remove_empty(&directory);
    let (name, own) = move_to_new(&directory).map_err(at(format!("a cgroup below {parent}")))?;
    let set = || -> Result<(), String> {
        if !enable.is_empty() {
            let words: Vec<String> = enable.iter().map(|c| format!("+{c}")).collect();
            write(&directory, "cgroup.subtree_control", &words.join(" "))
                .map_err(at(format!("enabling {} in cgroup {parent}", enable.join(", "))))?;
        }
        limits.iter().try_for_each(|limit| bound(&own, limit).map_err(at(format!("limit {}", limit.word))))
    };
    set().inspect_err(|_| {
        let _ = write(&directory, "cgroup.procs", "0");
        let _ = unlinkat(&directory, &name, AtFlags::REMOVEDIR);
    })?;
    Ok(format!("/{path}/{name}").replace("//", "/"))
}

/// The kernel refuses to remove one with processes in it.
fn remove_empty(directory: &OwnedFd) {
    let Ok(entries) = Dir::read_from(directory) else { return };
    for entry in entries.flatten() {
        if entry.file_name().to_bytes().starts_with(PREFIX.as_bytes()) {
            let _ = unlinkat(directory, entry.file_name(), AtFlags::REMOVEDIR);
        }
    }
}

fn move_to_new(directory: &OwnedFd) -> io::Result<(String, OwnedFd)> {
    let pid = std::process::id();
    let mut last = Errno::EXIST;
    for n in 0..TRIES {
        let name = format!("{PREFIX}{pid}-{n}");
        let made = mkdirat(directory, &name, Mode::from_raw_mode(0o755)).and_then(|()| {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            openat(directory, &name, flags, Mode::empty())
        });
        let moved =
            made.map_err(io::Error::from).and_then(|own| write(&own, "cgroup.procs", "0").map(|()| own));
        match moved.map_err(|e| (Errno::from_io_error(&e), e)) {
            Ok(own) => return Ok((name, own)),
            // Taken, or removed by another launch before this one was in it.
            Err((Some(error @ (Errno::EXIST | Errno::NOENT | Errno::NODEV)), _)) => last = error,
            Err((_, error)) => {
                let _ = unlinkat(directory, &name, AtFlags::REMOVEDIR);
                return Err(error);
            }
        }
    }
    Err(last.into())
}

fn bound(own: &OwnedFd, limit: &CgroupLimit) -> io::Result<()> {
    let CgroupLimit { word, value } = limit;
    match word.as_str() {
        "memory" => {
            write(own, "memory.max", &value.to_string())?;
            // Where there is swap, what does not fit into memory would go there, without bound.
            match write(own, "memory.swap.max", "0") {
                Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                other => other?,
            }
            // In whole pages.
            took(read(own, "memory.max")?.parse().is_ok_and(|now: u64| now <= *value))
        }
        "processes" => {
            write(own, "pids.max", &value.to_string())?;
            took(read(own, "pids.max")? == value.to_string())
        }
        "cpu" => {
            let quota = format!("{} {PERIOD}", value.saturating_mul(PERIOD / 100));
            write(own, "cpu.max", &quota)?;
            took(read(own, "cpu.max")? == quota)
        }
        _ => Err(Errno::INVAL.into()),
    }
}

fn took(it_did: bool) -> io::Result<()> {
    if it_did { Ok(()) } else { Err(io::Error::other("the kernel did not take it")) }
}

fn write(directory: &OwnedFd, file: &str, text: &str) -> io::Result<()> {
    write_text(open(directory, file, OFlags::WRONLY)?, text)
}

fn read(directory: &OwnedFd, file: &str) -> io::Result<String> {
    read_text(open(directory, file, OFlags::RDONLY)?)
}

fn open(directory: &OwnedFd, file: &str, flags: OFlags) -> io::Result<OwnedFd> {
    Ok(openat(directory.as_fd(), file, flags | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())?)
}
