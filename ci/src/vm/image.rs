//! A layer over the root file system and a job's files to a disk image, labelled if the machine needs it.
//!
//! It must not know how the machine is booted.

use super::guest;
use super::job::{File, Source, VmJob};
use crate::rootfs::Layer;
use crate::{Error, Rootfs};
use canc_guest::{JOB, PROGRAM};
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Component, Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

const LIMIT: Duration = Duration::from_secs(300);
/// The tree's own size is about 400 MiB; the file is sparse.
const DISK_SIZE: &str = "1500M";
const FILE_CONTEXTS: &str = "/etc/selinux/default/contexts/files/file_contexts";

/// A disk that is removed when dropped.
pub struct Image {
    dir: TempDir,
}

impl Image {
    /// The disk's file.
    pub fn disk(&self) -> PathBuf {
        self.dir.path().join("disk.img")
    }

    /// A directory for whatever belongs to the machine while it runs.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }
}

/// Puts the job's files, the guest program and the job itself into the layer, and makes a disk of it.
pub fn build(rootfs: &Rootfs, layer: &Layer, job: &VmJob) -> Result<Image, Error> {
    let image = Image { dir: rootfs.cache().scratch()? };
    let text = serde_json::to_vec(&job.for_guest()).map_err(|e| Error::Odd(e.to_string()))?;
    let own =
        [File::program(PROGRAM, guest::build_program("canc-guest", "canc-guest")?), File::text(JOB, text)];
    install(layer, job.files.iter().chain(&own))?;
    if job.kind.is_selinux() {
        layer.run("setfiles").args(["-F", FILE_CONTEXTS, "/"]).limit(LIMIT).ok()?;
    }
    layer
        .outside("mke2fs")
        .args(["-q", "-t", "ext4", "-O", "^has_journal", "-E", "lazy_itable_init=1", "-d"])
        .arg(layer.outside_root())
        .arg(image.disk())
        .arg(DISK_SIZE)
        .limit(LIMIT)
        .ok()?;
    Ok(image)
}

/// Puts files into the layer's root.
pub fn install<'a>(layer: &Layer, files: impl Iterator<Item = &'a File>) -> Result<(), Error> {
    stage(&layer.share(), files)?;
    layer.run("cp").args(["-dR", "--preserve=mode,ownership", "/mnt/.", "/"]).ok().map(|_| ())
}

/// Lays the files out below the emptied directory `share` as they shall lie below the machine's root.
fn stage<'a>(share: &Path, files: impl Iterator<Item = &'a File>) -> Result<(), Error> {
    fs::remove_dir_all(share).map_err(Error::io("emptying", share))?;
    fs::create_dir(share).map_err(Error::io("making", share))?;
    set_mode(share, 0o755)?;
    files.into_iter().try_for_each(|file| place(share, file))
}

fn place(share: &Path, file: &File) -> Result<(), Error> {
    let to = below(share, &file.to)?;
    make_parents(share, &to)?;
    match &file.from {
        Source::Bytes(bytes) => fs::write(&to, bytes).map_err(Error::io("writing", &to))?,
        Source::Host(from) => fs::copy(from, &to).map(|_| ()).map_err(Error::io("copying", from))?,
        Source::Directory if to.is_dir() => {}
        Source::Directory => fs::create_dir(&to).map_err(Error::io("making", &to))?,
    }
    chown(&to, Some(file.uid), Some(file.gid)).map_err(Error::io("chowning", &to))?;
    set_mode(&to, file.mode)
}

/// A mode that does not depend on the umask: these directories replace the mode of the machine's own.
fn make_parents(share: &Path, to: &Path) -> Result<(), Error> {
    let Some(parent) = to.parent().filter(|parent| *parent != share && !parent.is_dir()) else {
        return Ok(());
    };
    make_parents(share, parent)?;
    fs::create_dir(parent).map_err(Error::io("making", parent))?;
    set_mode(parent, 0o755)
}

fn set_mode(path: &Path, mode: u32) -> Result<(), Error> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
        .map_err(Error::io("setting the mode of", path))
}

fn below(share: &Path, to: &str) -> Result<PathBuf, Error> {
    let relative = Path::new(to).strip_prefix("/").ok();
    let plain = |path: &&Path| path.components().all(|part| matches!(part, Component::Normal(_)));
    match relative.filter(plain).filter(|path| *path != Path::new("")) {
        Some(path) => Ok(share.join(path)),
        None => Err(Error::Odd(format!("a file of a machine needs an absolute, plain path: {to:?}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_below() {
        let share = Path::new("/s");
        assert_eq!(below(share, "/a/b").unwrap(), Path::new("/s/a/b"));
        for bad in ["a", "/", "/a/../b", ""] {
            assert!(below(share, bad).is_err(), "{bad}");
        }
    }
}
