//! A key to a directory that is built once: atomically, by one process at a time, and safe to delete at any moment.
//!
//! It must not know what is in the directories.

use crate::Error;
use rustix::fs::{FlockOperation, flock};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use tempfile::TempDir;

/// An entry that nobody used for so long goes when another is built.
const KEEP: Duration = Duration::from_secs(14 * 24 * 3600);

/// The directory that holds everything that is built once.
#[derive(Debug, Clone)]
pub struct Cache {
    root: PathBuf,
}

impl Cache {
    /// `$CANC_CACHE`, else `canc` below the user's cache directory.
    pub fn open() -> Result<Self, Error> {
        let var = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let root = var("CANC_CACHE")
            .or_else(|| var("XDG_CACHE_HOME").map(|dir| dir.join("canc")))
            .or_else(|| var("HOME").map(|dir| dir.join(".cache/canc")))
            .ok_or_else(|| Error::Missing("no cache directory: set CANC_CACHE or HOME".to_owned()))?;
        Self::at(root)
    }

    /// The cache in `root`, which is made if need be.
    pub fn at(root: impl Into<PathBuf>) -> Result<Self, Error> {
        let root = root.into();
        fs::create_dir_all(&root).map_err(Error::io("making", &root))?;
        let root = root.canonicalize().map_err(Error::io("finding", &root))?;
        Ok(Self { root })
    }

    /// The directory `KIND-DIGEST`. If it is not there, `build` fills an empty directory, which then takes the name.
    pub fn entry(
        &self,
        kind: &str,
        digest: &str,
        build: impl FnOnce(&Path) -> Result<(), Error>,
    ) -> Result<PathBuf, Error> {
        let name = format!("{kind}-{digest}");
        let path = self.root.join(&name);
        let _lock = self.lock(&name)?;
        if !path.is_dir() {
            self.forget_old(kind, &name);
            let partial = self.root.join(format!("{name}.partial"));
            remove(&partial)?;
            fs::create_dir(&partial).map_err(Error::io("making", &partial))?;
            build(&partial).inspect_err(|_| drop(remove(&partial)))?;
            fs::rename(&partial, &path).map_err(Error::io("renaming", &partial))?;
        }
        self.mark_used(&name)?;
        Ok(path)
    }

    /// A fresh directory of this process in the cache's file system, removed when dropped.
    pub fn scratch(&self) -> Result<TempDir, Error> {
        sweep(&self.root);
        scratch_in(&self.root)
    }

    /// Held until the file is closed, which the kernel does even for a process that is killed.
    fn lock(&self, name: &str) -> Result<File, Error> {
        let path = self.root.join(format!("{name}.lock"));
        let file =
            File::options().create(true).append(true).open(&path).map_err(Error::io("opening", &path))?;
        flock(&file, FlockOperation::LockExclusive).map_err(|e| Error::io("locking", &path)(e.into()))?;
        Ok(file)
    }

    fn mark_used(&self, name: &str) -> Result<(), Error> {
        let path = self.root.join(format!("{name}.lock"));
        let file = File::options().append(true).open(&path).map_err(Error::io("opening", &path))?;
        file.set_modified(SystemTime::now()).map_err(Error::io("touching", &path))
    }

    /// Removes entries of the same kind that were not used for [`KEEP`]. Failing at it is no fault.
    fn forget_old(&self, kind: &str, but: &str) {
        for entry in fs::read_dir(&self.root).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let Some(key) = name.strip_suffix(".lock") else { continue };
            let age = entry.metadata().and_then(|m| m.modified()).ok().and_then(|t| t.elapsed().ok());
            if key != but && key.starts_with(&format!("{kind}-")) && age.is_some_and(|age| age > KEEP) {
                let _ = remove(&self.root.join(key));
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

/// The name tells whose it is, so that what a killed process left behind is found.
const SCRATCH: &str = "canc-scratch-";

/// A fresh directory of this process in `root`, removed when dropped.
pub fn scratch_in(root: &Path) -> Result<TempDir, Error> {
    let prefix = format!("{SCRATCH}{}-", std::process::id());
    tempfile::Builder::new()
        .prefix(&prefix)
        .tempdir_in(root)
        .map_err(Error::io("making a scratch directory in", root))
}

/// Removes the scratch directories of processes that are gone. Failing at it is no fault.
pub fn sweep(root: &Path) {
    for entry in fs::read_dir(root).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let owner = name.strip_prefix(SCRATCH).and_then(|rest| rest.split('-').next());
        if owner.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
            let _ = remove(&entry.path());
        }
    }
}

fn remove(path: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Error::io("removing", path)(e)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache() -> (tempfile::TempDir, Cache) {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::at(dir.path()).unwrap();
        (dir, cache)
    }

    #[test]
    fn an_entry_is_built_once() {
        let (_dir, cache) = cache();
        let build = |dir: &Path| fs::write(dir.join("f"), "1").map_err(Error::io("writing", dir));
        let path = cache.entry("k", "1", build).unwrap();
        let again = cache.entry("k", "1", |_| Err(Error::Odd("built twice".to_owned()))).unwrap();
        assert_eq!((fs::read(path.join("f")).unwrap(), again), (b"1".to_vec(), path));
    }

    #[test]
    fn a_failed_or_interrupted_build_leaves_no_entry() {
        let (dir, cache) = cache();
        assert!(cache.entry("k", "1", |_| Err(Error::Odd("no".to_owned()))).is_err());
        fs::create_dir_all(dir.path().join("k-1.partial/left")).unwrap();
        let path = cache.entry("k", "1", |_| Ok(())).unwrap();
        assert_eq!(fs::read_dir(path).unwrap().count(), 0);
    }

    #[test]
    fn two_at_once_build_one() {
        let (_dir, cache) = cache();
        let built = std::sync::atomic::AtomicU32::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let build = |_: &Path| {
                        built.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                        std::thread::sleep(Duration::from_millis(20));
                        Ok(())
                    };
                    cache.entry("k", "1", build).unwrap();
                });
            }
        });
        assert_eq!(built.into_inner(), 1);
    }

    #[test]
    fn scratch_of_a_process_that_is_gone_is_swept() {
        let (dir, cache) = cache();
        let ours = cache.scratch().unwrap();
        let left = dir.path().join("canc-scratch-4194305-x");
        fs::create_dir(&left).unwrap();
        let _other = cache.scratch().unwrap();
        assert_eq!((ours.path().exists(), left.exists()), (true, false));
    }

    #[test]
    fn what_was_not_used_for_long_goes() {
        let (dir, cache) = cache();
        for digest in ["old", "new"] {
            cache.entry("k", digest, |_| Ok(())).unwrap();
        }
        let lock = File::options().append(true).open(dir.path().join("k-old.lock")).unwrap();
        lock.set_modified(SystemTime::now() - KEEP - KEEP).unwrap();
        cache.entry("k", "newest", |_| Ok(())).unwrap();
        let left: Vec<_> =
            ["old", "new", "newest"].map(|d| dir.path().join(format!("k-{d}")).exists()).into();
        assert_eq!(left, [false, true, true]);
    }
}
