//! A path to an open directory that nobody but root and the caller can have put there or can change.

use crate::failure::Failure;
use crate::walk::{Stop, walk};
use rustix::fs::{FileType, Stat};
use rustix::io::Errno;
use rustix::process::geteuid;
use std::os::fd::OwnedFd;
use std::path::Path;

const STICKY: u32 = 0o1000;
const OTHERS_WRITE: u32 = 0o022;

/// Opens a directory. Each directory on the way, and each link, must belong to root or the caller, and be writable by nobody else; a
/// sticky directory such as `/tmp` may be, because nobody can replace the entries of others in it. A relative path is judged from the
/// current directory on.
///
/// # Errors
/// The directory or link that others can change, or what open(2) says.
pub fn open_directory(path: &Path) -> Result<OwnedFd, Failure> {
    match walk(path, check) {
        Ok(found) if FileType::from_raw_mode(found.stat.st_mode) == FileType::Directory => Ok(found.file),
        Ok(_) => Err(cannot(path, Errno::NOTDIR)),
        Err(Stop::Kernel(error)) => Err(cannot(path, error)),
        Err(Stop::Refused(failure)) => Err(failure),
    }
}

/// Refuses what somebody else owns or can write.
///
/// # Errors
/// Who can change it.
pub fn check(stat: &Stat, place: &Path) -> Result<(), Failure> {
    let Some(why) = changeable(stat) else { return Ok(()) };
    let uid = geteuid().as_raw();
    let remedy = if belongs_to_others(stat) {
        format!("copy the bundle to a place of your own, or: chown {uid} {}", place.display())
    } else {
        format!("chmod go-w {}", place.display())
    };
    let what = format!("bundle path {}", place.display());
    Err(Failure::refused(what, format!("{why}, and so change what is enforced"), remedy))
}

/// How somebody other than root and the caller can change something.
#[must_use]
pub fn changeable(stat: &Stat) -> Option<String> {
    if belongs_to_others(stat) {
        return Some(format!("it belongs to user {}, who could change it", stat.st_uid));
    }
    let open = match FileType::from_raw_mode(stat.st_mode) {
        // The mode of a link means nothing; its owner and its directory decide.
        FileType::Symlink => false,
        FileType::Directory => stat.st_mode & OTHERS_WRITE != 0 && stat.st_mode & STICKY == 0,
        _ => stat.st_mode & OTHERS_WRITE != 0,
    };
    open.then(|| format!("others can write it (mode {:03o})", stat.st_mode & 0o777))
}

fn belongs_to_others(stat: &Stat) -> bool {
    stat.st_uid != 0 && stat.st_uid != geteuid().as_raw()
}

fn cannot(path: &Path, error: Errno) -> Failure {
    let remedy = if error == Errno::NOENT { "build it with `canc build`" } else { "" };
    let error = std::io::Error::from(error);
    Failure::refused(format!("bundle {}", path.display()), format!("cannot open it: {error}"), remedy)
}
