//! A path to an open file and the path that it really has: every component is opened by itself and every link is read, so that what was
//! looked at is what is opened, and no `/proc` is needed to ask where it is.

use crate::failure::Failure;
use rustix::fs::{CWD, FileType, Mode, OFlags, Stat, fstat, openat, readlinkat};
use rustix::io::Errno;
use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path, PathBuf};

/// As in path_resolution(7).
const MAX_LINKS: usize = 40;

/// What a path led to.
#[derive(Debug)]
pub struct Found {
    /// The file, opened for its path alone.
    pub file: OwnedFd,
    /// What it is.
    pub stat: Stat,
    /// Its path without links, `.` and `..`.
    pub path: PathBuf,
}

/// Why a walk ended early.
#[derive(Debug)]
pub enum Stop {
    /// The kernel's error.
    Kernel(Errno),
    /// The visitor's.
    Refused(Failure),
}

impl From<Errno> for Stop {
    fn from(error: Errno) -> Self {
        Self::Kernel(error)
    }
}

/// Walks to the end of a path, showing each directory and link on the way, and the end, to `visit`. A relative path starts at the current
/// directory, which is shown too.
///
/// # Errors
/// What openat(2) says of a component, or what `visit` does.
pub fn walk(path: &Path, mut visit: impl FnMut(&Stat, &Path) -> Result<(), Failure>) -> Result<Found, Stop> {
    let mut seen = |stat: &Stat, place: &Path| visit(stat, place).map_err(Stop::Refused);
    let mut here = if path.is_absolute() { root()? } else { current()? };
    seen(&here.stat, &here.path)?;
    let mut todo = components(path);
    let mut links = 0;
    while let Some(name) = todo.pop() {
        let next = open(&here, name)?;
        seen(&next.stat, &next.path)?;
        if FileType::from_raw_mode(next.stat.st_mode) != FileType::Symlink {
            here = next;
            continue;
        }
        links += 1;
        if links > MAX_LINKS {
            return Err(Errno::LOOP.into());
        }
        let target = PathBuf::from(OsString::from_vec(readlinkat(&next.file, "", Vec::new())?.into_bytes()));
        if target.is_absolute() {
            here = root()?;
        }
        todo.extend(components(&target));
    }
    Ok(here)
}

const FLAGS: OFlags = OFlags::PATH.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

fn root() -> Result<Found, Errno> {
    let file = openat(CWD, "/", FLAGS, Mode::empty())?;
    Ok(Found { stat: fstat(&file)?, file, path: "/".into() })
}

fn current() -> Result<Found, Errno> {
    let file = openat(CWD, ".", FLAGS, Mode::empty())?;
    let path = PathBuf::from(OsString::from_vec(rustix::process::getcwd(Vec::new())?.into_bytes()));
    // A directory outside of the process's root has no path.
    if path.is_absolute() { Ok(Found { stat: fstat(&file)?, file, path }) } else { Err(Errno::NOENT) }
}

fn open(here: &Found, name: OsString) -> Result<Found, Errno> {
    let file = openat(&here.file, &name, FLAGS, Mode::empty())?;
    let mut path = here.path.clone();
    if name == ".." {
        path.pop();
    } else {
        path.push(name);
    }
    Ok(Found { stat: fstat(&file)?, file, path })
}

/// The names of a path, last first.
fn components(path: &Path) -> Vec<OsString> {
    let name = |c: Component<'_>| match c {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    };
    path.components().rev().filter_map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    /// The C library's answer to the same question.
    #[test]
    fn finds_what_realpath_finds() {
        let home = tempfile::tempdir().unwrap();
        let home = home.path().canonicalize().unwrap();
        fs::create_dir_all(home.join("a/b")).unwrap();
        fs::write(home.join("a/b/file"), "").unwrap();
        symlink("b/../b/file", home.join("a/short")).unwrap();
        symlink(home.join("a"), home.join("long")).unwrap();
        symlink("loop", home.join("loop")).unwrap();
        for path in [
            "a/b/file",
            "a/short",
            "long/short",
            "long/../a/./b//file",
            "a/b/..",
            "../../../../../../..",
            "loop",
        ] {
            let path = home.join(path);
            let found = walk(&path, |_, _| Ok(()));
            match path.canonicalize() {
                Ok(real) => assert_eq!(found.unwrap().path, real, "{}", path.display()),
                Err(_) => assert!(matches!(found, Err(Stop::Kernel(Errno::LOOP))), "{}", path.display()),
            }
        }
        assert!(matches!(walk(&home.join("a/b/file/x"), |_, _| Ok(())), Err(Stop::Kernel(Errno::NOTDIR))));
        assert!(matches!(walk(&home.join("none"), |_, _| Ok(())), Err(Stop::Kernel(Errno::NOENT))));
    }

    #[test]
    fn relative_paths_start_at_the_current_directory() {
        let here = std::env::current_dir().unwrap();
        assert_eq!(
            walk(Path::new("src"), |_, _| Ok(())).unwrap().path,
            here.join("src").canonicalize().unwrap()
        );
    }

    #[test]
    fn everything_on_the_way_is_shown() {
        let home = tempfile::tempdir().unwrap();
        let home = home.path().canonicalize().unwrap();
        fs::create_dir(home.join("a")).unwrap();
        symlink("a", home.join("link")).unwrap();
        let mut places = Vec::new();
        let visit = |_: &Stat, place: &Path| {
            places.push(place.to_owned());
            Ok(())
        };
        walk(&home.join("link"), visit).unwrap();
        assert!(places.ends_with(&[home.clone(), home.join("link"), home.join("a")]), "{places:?}");
        let stop = walk(&home.join("link"), |_, place| {
            if place.ends_with("link") { Err(Failure::refused("no", "", "")) } else { Ok(()) }
        });
        assert!(matches!(stop, Err(Stop::Refused(_))));
    }
}
