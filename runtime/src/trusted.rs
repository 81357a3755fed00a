//! A path to an open directory that nobody but root and the caller can have put there or can change.

use crate::failure::Failure;
use rustix::fs::{CWD, FileType, Mode, OFlags, Stat, fstat, openat, readlinkat};
use rustix::io::Errno;
use rustix::process::geteuid;
use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path, PathBuf};

/// As in path_resolution(7).
const MAX_LINKS: usize = 40;
const STICKY: u32 = 0o1000;
const OTHERS_WRITE: u32 = 0o022;

/// Opens a directory. Each directory on the way, and each link, must belong to root or the caller, and be writable by nobody else; a
/// sticky directory such as `/tmp` may be, because nobody can replace the entries of others in it. A relative path is judged from the
/// current directory on.
///
/// # Errors
/// The directory or link that others can change, or what open(2) says.
pub fn open_directory(path: &Path) -> Result<OwnedFd, Failure> {
    let mut seen = PathBuf::from(if path.is_absolute() { "/" } else { "." });
    let mut here = open(None, seen.as_os_str().as_bytes(), path)?;
    check(&fstat(&here).map_err(|e| cannot(path, e))?, &seen)?;
    let mut todo: Vec<OsString> = components(path);
    let mut links = 0;
    while let Some(name) = todo.pop() {
        let next = open(Some(&here), name.as_bytes(), path)?;
        let stat = fstat(&next).map_err(|e| cannot(path, e))?;
        let place = seen.join(&name);
        check(&stat, &place)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::Symlink {
            (here, seen) = (next, place);
            continue;
        }
        links += 1;
        if links > MAX_LINKS {
            return Err(cannot(path, Errno::LOOP));
        }
        let target = readlinkat(&next, "", Vec::new()).map_err(|e| cannot(path, e))?;
        let target = PathBuf::from(OsString::from_vec(target.into_bytes()));
        if target.is_absolute() {
            (here, seen) = (open(None, b"/", path)?, "/".into());
        }
        todo.extend(components(&target));
    }
    let stat = fstat(&here).map_err(|e| cannot(path, e))?;
    if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
        Ok(here)
    } else {
        Err(cannot(path, Errno::NOTDIR))
    }
}

/// The names of a path, last first; `..` stays, since it is opened like any other.
fn components(path: &Path) -> Vec<OsString> {
    let name = |c: Component<'_>| match c {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    };
    path.components().rev().filter_map(name).collect()
}

fn open(at: Option<&OwnedFd>, name: &[u8], whole: &Path) -> Result<OwnedFd, Failure> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match at {
        Some(dir) => openat(dir, name, flags, Mode::empty()),
        None => openat(CWD, name, flags, Mode::empty()),
    }
    .map_err(|e| cannot(whole, e))
}

/// Refuses what somebody else owns or can write.
///
/// # Errors
/// Who can change it.
pub fn check(stat: &Stat, place: &Path) -> Result<(), Failure> {
    let uid = geteuid().as_raw();
    let refuse = |why: String, remedy: String| {
        Err(Failure::refused(format!("bundle path {}", place.display()), why, remedy))
    };
    if stat.st_uid != 0 && stat.st_uid != uid {
        return refuse(
            format!("it belongs to user {}, who could change what is enforced", stat.st_uid),
            format!("copy the bundle to a place of your own, or: chown {uid} {}", place.display()),
        );
    }
    let open = match FileType::from_raw_mode(stat.st_mode) {
        // The mode of a link means nothing; its owner and its directory decide.
        FileType::Symlink => false,
        FileType::Directory => stat.st_mode & OTHERS_WRITE != 0 && stat.st_mode & STICKY == 0,
        _ => stat.st_mode & OTHERS_WRITE != 0,
    };
    if open {
        return refuse(
            format!(
                "others can write it (mode {:03o}), and so change what is enforced",
                stat.st_mode & 0o777
            ),
            format!("chmod go-w {}", place.display()),
        );
    }
    Ok(())
}

fn cannot(path: &Path, error: Errno) -> Failure {
    let remedy = if error == Errno::NOENT { "build it with `canc build`" } else { "" };
    let error = std::io::Error::from(error);
    Failure::refused(format!("bundle {}", path.display()), format!("cannot open it: {error}"), remedy)
}
