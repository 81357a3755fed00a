//! A private writable view of the root file system, kept until it is dropped.
//!
//! It must not know what is changed in it.

use super::Rootfs;
use crate::Error;
use crate::cache;
use crate::run::Run;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// The changes that commands made over the tree. Commands of one layer see each other's changes, but may not run at the
/// same time.
#[derive(Debug)]
pub struct Layer {
    rootfs: Rootfs,
    dir: TempDir,
}

impl Layer {
    /// In the cache's file system, or, where overlays cannot be written there, in memory.
    pub(super) fn new(rootfs: Rootfs) -> Result<Self, Error> {
        let in_cache = Self::try_in(&rootfs, rootfs.cache.scratch()?);
        in_cache.or_else(|_| {
            let memory = Path::new("/dev/shm");
            cache::sweep(memory);
            Self::try_in(&rootfs, cache::scratch_in(memory)?)
        })
    }

    fn try_in(rootfs: &Rootfs, dir: TempDir) -> Result<Self, Error> {
        for name in ["root", "upper", "work", "share"] {
            let path = dir.path().join(name);
            std::fs::create_dir(&path).map_err(Error::io("making", path))?;
        }
        let layer = Self { rootfs: rootfs.clone(), dir };
        layer.run("true").ok()?;
        Ok(layer)
    }

    /// A directory of the host that commands inside see, writable, at `/mnt`.
    pub fn share(&self) -> PathBuf {
        self.dir.path().join("share")
    }

    /// A command inside.
    pub fn run(&self, program: impl AsRef<OsStr>) -> Run {
        self.rootfs.enter(self.dir.path(), &self.share()).arg(program)
    }

    /// A command of the host that sees the layer's root at [`Layer::outside_root`].
    pub fn outside(&self, program: impl AsRef<OsStr>) -> Run {
        self.rootfs.enter(self.dir.path(), Path::new("")).arg("--outside").arg(program)
    }

    /// Where [`Layer::outside`] commands find the root.
    pub fn outside_root(&self) -> PathBuf {
        self.dir.path().join("root")
    }
}
