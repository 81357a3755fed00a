//! The Debian 13 root file system to commands that run inside it, seeing either the tree itself, read-only, or a private
//! writable layer over it.
//!
//! Each command has its own mount and process namespaces: nothing is left mounted, no descendant survives, and any number
//! may run at once. It must not know what the commands are for.

mod build;
mod layer;

pub use layer::Layer;

use crate::Error;
use crate::cache::Cache;
use crate::run::Run;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// Enters the tree; `/mnt` inside is a directory of the caller's choice.
const ENTER: &str = include_str!("rootfs/enter.sh");

/// The unpacked Debian 13.
#[derive(Debug, Clone)]
pub struct Rootfs {
    entry: PathBuf,
    cache: Cache,
}

impl Rootfs {
    /// Takes it from the user's cache, or builds it, which takes about a minute and a half.
    pub fn open() -> Result<Self, Error> {
        Self::open_in(Cache::open()?)
    }

    /// The same in a given cache.
    pub fn open_in(cache: Cache) -> Result<Self, Error> {
        if !rustix::process::geteuid().is_root() {
            return Err(Error::Missing(
                "the test bed needs root: it mounts, changes root and sets labels".to_owned(),
            ));
        }
        let entry = cache.entry("debian13", &build::digest(), build::build)?;
        Ok(Self { entry, cache })
    }

    /// The tree. Nobody may change it.
    pub fn tree(&self) -> PathBuf {
        self.entry.join(build::TREE)
    }

    /// The one file in `/boot` whose name starts with `prefix`.
    pub fn boot_file(&self, prefix: &str) -> Result<PathBuf, Error> {
        let boot = self.tree().join("boot");
        let entries = std::fs::read_dir(&boot).map_err(Error::io("listing", &boot))?;
        let mut found = entries.flatten().map(|e| e.path());
        let named =
            |path: &PathBuf| path.file_name().is_some_and(|n| n.to_string_lossy().starts_with(prefix));
        found.find(named).ok_or_else(|| Error::Missing(format!("{}: no {prefix}*", boot.display())))
    }

    /// Where this root file system and everything derived from it is cached.
    pub fn cache(&self) -> &Cache {
        &self.cache
    }

    /// A command that sees the tree, read-only, with an empty `/tmp`.
    pub fn run(&self, program: impl AsRef<OsStr>) -> Run {
        self.enter("", Path::new("")).arg(program)
    }

    /// The same, with `share` writable at `/mnt`.
    pub fn run_sharing(&self, share: &Path, program: impl AsRef<OsStr>) -> Run {
        self.enter("", share).arg(program)
    }

    /// A private writable layer over the tree.
    pub fn layer(&self) -> Result<Layer, Error> {
        Layer::new(self.clone())
    }

    /// `setpriv` ends `unshare` if this process is killed; `unshare` gives the namespaces and ends every process in
    /// them when it is itself ended.
    fn enter(&self, layer: impl AsRef<OsStr>, share: &Path) -> Run {
        Run::new("setpriv")
            .args(["--pdeathsig", "KILL", "unshare"])
            .args(["--mount", "--pid", "--fork", "--kill-child=KILL", "--propagation", "private", "--"])
            .args(["sh", "-c", ENTER, "enter"])
            .arg(self.tree())
            .arg(layer)
            .arg(share)
    }
}
