//! Files and directories to the disk, so that after a crash each is what it was or what it should be.
//!
//! Paths are safe here: [`super::store`] saw that nobody else can change a directory on the way.

use super::Stop;
use crate::failure::Failure;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// An error of the file system as a failure of the host.
pub fn at(path: &Path) -> impl Fn(io::Error) -> Stop + '_ {
    move |error| {
        let remedy = match Errno::from_io_error(&error) {
            Some(Errno::NOSPC | Errno::DQUOT) => "make room, then repeat the command",
            Some(Errno::ROFS) => "mount it writable, then repeat the command",
            _ => "",
        };
        Stop::Host(Failure::refused(path.display().to_string(), error.to_string(), remedy))
    }
}

/// `None` for what is not there; everything else that fails is a failure.
pub fn known<T>(found: io::Result<T>) -> io::Result<Option<T>> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e),
    }
}

/// Makes what a directory names last over a crash.
pub fn sync_dir(path: &Path) -> Result<(), Stop> {
    File::open(path).and_then(|dir| dir.sync_all()).map_err(at(path))
}

/// Where a file stands until it is whole. AppArmor's tools pass over names with a dot.
pub fn fresh(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.canc-new"))
}

/// Writes a file that is new or replaced whole, for everybody to read.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), Stop> {
    let fresh = fresh(path);
    remove(&fresh)?;
    write(&fresh, bytes)?;
    fs::rename(&fresh, path).map_err(at(path))?;
    sync_dir(path.parent().unwrap_or(Path::new("/")))
}

/// A new file. Its mode is not the umask's to say.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), Stop> {
    let mut file =
        OpenOptions::new().write(true).create_new(true).mode(0o644).open(path).map_err(at(path))?;
    file.write_all(bytes)
        .and_then(|()| file.set_permissions(Permissions::from_mode(0o644)))
        .and_then(|()| file.sync_all())
        .map_err(at(path))
}

/// A directory, new or there already.
pub fn directory(path: &Path) -> Result<(), Stop> {
    match DirBuilder::new().mode(0o755).create(path) {
        Ok(()) => {
            fs::set_permissions(path, Permissions::from_mode(0o755)).map_err(at(path))?;
            sync_dir(path.parent().unwrap_or(Path::new("/")))
        }
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(e) => Err(at(path)(e)),
    }
}

/// A whole tree of files (relative path, contents) at `path`, in one rename; what stands there is replaced.
pub fn tree(path: &Path, files: &[(String, Vec<u8>)]) -> Result<(), Stop> {
    let fresh = fresh(path);
    remove(&fresh)?;
    directory(&fresh)?;
    for (name, contents) in files {
        let file = fresh.join(name);
        let inner: Vec<&Path> = file.ancestors().skip(1).take_while(|d| *d != fresh).collect();
        for dir in inner.iter().rev() {
            directory(dir)?;
        }
        write(&file, contents)?;
        sync_dir(file.parent().unwrap_or(&fresh))?;
    }
    sync_dir(&fresh)?;
    match renameat_with(CWD, &fresh, CWD, path, RenameFlags::EXCHANGE) {
        Err(Errno::NOENT) => fs::rename(&fresh, path).map_err(at(path))?,
        other => other.map_err(|e| at(path)(e.into()))?,
    }
    sync_dir(path.parent().unwrap_or(Path::new("/")))?;
    remove(&fresh)
}

/// A link that is new or replaced whole.
pub fn link(path: &Path, target: &Path) -> Result<(), Stop> {
    let fresh = fresh(path);
    remove(&fresh)?;
    std::os::unix::fs::symlink(target, &fresh).map_err(at(&fresh))?;
    fs::rename(&fresh, path).map_err(at(path))?;
    sync_dir(path.parent().unwrap_or(Path::new("/")))
}

/// Removes a file or a tree, where there is one.
pub fn remove(path: &Path) -> Result<(), Stop> {
    let removed = match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(e) => Err(e),
    };
    match removed {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other.map_err(at(path)),
    }
}

/// Removes it so that it stays removed.
pub fn remove_for_good(path: &Path) -> Result<(), Stop> {
    if fs::symlink_metadata(path).is_err_and(|e| e.kind() == io::ErrorKind::NotFound) {
        return Ok(());
    }
    remove(path)?;
    sync_dir(path.parent().unwrap_or(Path::new("/")))
}

/// The whole file, `None` where there is none.
pub fn read(path: &Path) -> Result<Option<Vec<u8>>, Stop> {
    known(fs::read(path)).map_err(at(path))
}
