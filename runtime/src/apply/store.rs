//! The store below `/var/lib/canc`: bundles and generations by digest, the link to the current one, the journal, the history, the lock.

use super::disk::{self, at};
use super::state::{State, applied, digest};
use super::{Input, Stop};
use crate::bundle::Bundle;
use crate::failure::Failure;
use crate::trusted;
use rustix::fs::{CWD, FileType, FlockOperation, Mode, OFlags, flock, fstat, openat};
use rustix::io::Errno;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Where the store is, below the root.
pub const STORE: &str = "var/lib/canc";
/// The directories in it, all of them canc's alone to write.
const ROOMS: [&str; 3] = ["bundles", "generations", "loaded"];
/// So many entries has the history at most, and so many generations can be gone back to.
const KEPT: usize = 20;
/// What is kept of a policy's source in the directory of its bundle.
const SOURCE: &str = "source.json";
/// How often the lock is tried.
const PAUSE: Duration = Duration::from_millis(20);

/// The store of a root.
#[derive(Debug)]
pub struct Store {
    dir: PathBuf,
}

/// What a change is about to do, written before it does anything that shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Journal {
    /// The generation before; `None` where there was none.
    pub from: Option<String>,
    /// The generation after.
    pub to: String,
    /// Whether it failed and is being undone.
    pub undo: bool,
    /// Its entry in the history, once it is done.
    pub entry: Entry,
}

/// A line of the history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// From 1 on.
    pub number: u64,
    /// The generation's digest.
    pub generation: String,
    /// Seconds since 1970.
    pub at: u64,
    /// What was done, in words.
    pub did: String,
}

impl Store {
    /// The store of a root, whether it is there or not.
    ///
    /// # Errors
    /// It is a link, or others can change it or a directory on the way.
    pub fn open(root: &Path) -> Result<Self, Stop> {
        let this = Self { dir: root.join(STORE) };
        let parent = root.join("var/lib");
        if let Err(failure) = trusted::open_directory(&parent) {
            return Err(Stop::Host(failure));
        }
        let rooms = ROOMS.iter().map(|room| this.dir.join(room));
        std::iter::once(this.dir.clone()).chain(rooms).try_for_each(|dir| trust(&dir))?;
        Ok(this)
    }

    /// Takes the lock, which ends with the file, makes the store where it is missing, and removes what an interrupted write left.
    ///
    /// # Errors
    /// Somebody else holds the lock all the time, or the file system refuses.
    pub fn lock(&self, wait: Duration) -> Result<OwnedFd, Stop> {
        disk::directory(&self.dir)?;
        let path = self.dir.join("lock");
        // Tools inherit it: where this process is killed, the next one waits for the end of the tool.
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW;
        let file = openat(CWD, &path, flags, Mode::RUSR | Mode::WUSR).map_err(|e| at(&path)(e.into()))?;
        let start = Instant::now();
        loop {
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => break,
                Err(Errno::INTR) => {}
                Err(Errno::WOULDBLOCK) if start.elapsed() < wait => std::thread::sleep(PAUSE),
                Err(Errno::WOULDBLOCK) => {
                    let why = format!("another canc has been changing this host for {} s", wait.as_secs());
                    let remedy = "wait for its end, or wait longer with --wait SECONDS";
                    return Err(Stop::Host(Failure::refused(path.display().to_string(), why, remedy)));
                }
                Err(e) => return Err(at(&path)(e.into())),
            }
        }
        for room in ROOMS {
            disk::directory(&self.dir.join(room))?;
        }
        for dir in [self.dir.clone(), self.dir.join("bundles"), self.dir.join("generations")] {
            for entry in fs::read_dir(&dir).map_err(at(&dir))? {
                let entry = entry.map_err(at(&dir))?;
                if entry.file_name().as_encoded_bytes().starts_with(b".") {
                    disk::remove(&entry.path())?;
                }
            }
        }
        Ok(file)
    }

    /// The current generation's digest; `None` where there is none.
    pub fn current(&self) -> Result<Option<String>, Stop> {
        let path = self.dir.join("current");
        match fs::read_link(&path) {
            Ok(target) => Ok(target.file_name().map(|name| name.to_string_lossy().into_owned())),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(at(&path)(e)),
        }
    }

    /// A generation's state; the empty one for `None`.
    pub fn state(&self, generation: Option<&str>) -> Result<State, Stop> {
        let Some(generation) = generation else { return Ok(State::default()) };
        let path = self.dir.join("generations").join(generation).join("state.json");
        let bytes = read(&path)?.ok_or_else(|| damaged(&path, "it is gone"))?;
        if digest(&bytes) != generation {
            return Err(damaged(&path, "it is not what its name says"));
        }
        serde_json::from_slice(&bytes).map_err(|e| damaged(&path, &e.to_string()))
    }

    /// Writes a generation.
    pub fn put_state(&self, state: &State) -> Result<String, Stop> {
        let name = state.digest();
        let path = self.dir.join("generations").join(&name);
        if self.state(Some(&name)).is_ok_and(|found| found == *state) {
            return Ok(name);
        }
        disk::tree(&path, &[("state.json".into(), state.bytes())])?;
        Ok(name)
    }

    /// Makes a generation the current one.
    pub fn switch(&self, generation: Option<&str>) -> Result<(), Stop> {
        let path = self.dir.join("current");
        match generation {
            Some(_) if self.current()?.as_deref() == generation => Ok(()),
            Some(name) => disk::link(&path, &Path::new("generations").join(name)),
            None => disk::remove_for_good(&path),
        }
    }

    /// Puts a bundle in the store.
    pub fn put_bundle(&self, input: &Input) -> Result<(), Stop> {
        let (manifest, mut files) = input.bundle.files().map_err(Stop::Host)?;
        let path = self.bundle_path(&digest(&manifest));
        if Bundle::open(&path).and_then(|bundle| bundle.files()).is_ok_and(|(found, _)| found == manifest) {
            return Ok(());
        }
        files.push((canc_bundle::MANIFEST.into(), manifest));
        files.extend(input.source.clone().map(|source| (SOURCE.into(), source)));
        files.sort();
        files.dedup();
        disk::tree(&path, &files)
    }

    /// Where a bundle is.
    pub fn bundle_path(&self, digest: &str) -> PathBuf {
        self.dir.join("bundles").join(digest)
    }

    /// A bundle of the store.
    pub fn bundle(&self, digest: &str) -> Result<Bundle, Stop> {
        Bundle::open(&self.bundle_path(digest)).map_err(Stop::Host)
    }

    /// What was kept of the source beside a bundle.
    pub fn source(&self, digest: &str) -> Option<Vec<u8>> {
        read(&self.bundle_path(digest).join(SOURCE)).ok().flatten()
    }

    /// The journal of a change that did not come to its end.
    pub fn journal(&self) -> Result<Option<Journal>, Stop> {
        self.json("journal.json")
    }

    /// Writes the journal.
    pub fn put_journal(&self, journal: &Journal) -> Result<(), Stop> {
        self.put_json("journal.json", journal)
    }

    /// The change came to its end.
    pub fn end_journal(&self) -> Result<(), Stop> {
        disk::remove_for_good(&self.dir.join("journal.json"))
    }

    /// What was done so far, oldest first.
    pub fn history(&self) -> Result<Vec<Entry>, Stop> {
        Ok(self.json("history.json")?.unwrap_or_default())
    }

    /// Adds to the history what is not in it yet.
    pub fn remember(&self, entry: &Entry) -> Result<(), Stop> {
        let mut history = self.history()?;
        if history.last() != Some(entry) {
            history.push(entry.clone());
            history.drain(..history.len().saturating_sub(KEPT));
            self.put_json("history.json", &history)?;
        }
        Ok(())
    }

    /// Removes the generations that the history no longer names, and the bundles that none of the others has. They are nobody's any
    /// more when this begins, so that it can be interrupted anywhere.
    pub fn forget(&self) -> Result<(), Stop> {
        let mut kept: BTreeSet<String> = self.history()?.into_iter().map(|entry| entry.generation).collect();
        kept.extend(self.current()?);
        self.keep("generations", &kept)?;
        let mut bundles = BTreeSet::new();
        for generation in &kept {
            // What a damaged generation had is left where it is.
            let Ok(state) = self.state(Some(generation)) else { return Ok(()) };
            bundles.extend(state.policies.into_values().map(|applied| applied.bundle));
        }
        self.keep("bundles", &bundles)
    }

    /// Removes all others from a room.
    fn keep(&self, room: &str, kept: &BTreeSet<String>) -> Result<(), Stop> {
        let dir = self.dir.join(room);
        for entry in fs::read_dir(&dir).map_err(at(&dir))? {
            let entry = entry.map_err(at(&dir))?;
            if entry.file_name().to_str().is_none_or(|name| !kept.contains(name)) {
                disk::remove(&entry.path())?;
            }
        }
        Ok(())
    }

    /// A JSON file of the store.
    pub fn json<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Stop> {
        let path = self.dir.join(name);
        let Some(bytes) = read(&path)? else { return Ok(None) };
        serde_json::from_slice(&bytes).map(Some).map_err(|e| damaged(&path, &e.to_string()))
    }

    /// Writes one.
    pub fn put_json<T: Serialize>(&self, name: &str, value: &T) -> Result<(), Stop> {
        let bytes = serde_json::to_vec_pretty(value).unwrap_or_default();
        disk::replace(&self.dir.join(name), &bytes)
    }
}

/// The state in which these inputs are added to another.
pub fn with(state: &State, inputs: &[Input], layers: (bool, bool)) -> Result<State, Stop> {
    let mut state = state.clone();
    for input in inputs {
        let name = digest(&input.bundle.files().map_err(Stop::Host)?.0);
        for policy in input.bundle.policies() {
            let new = applied(&input.bundle, policy, &name, input.origin.as_deref(), layers)?;
            state.policies.insert(policy.name.clone(), new);
        }
    }
    Ok(state)
}

/// A directory, not a link to one, that only root and the caller can change. One that is missing is made by whoever trusts the rest.
fn trust(dir: &Path) -> Result<(), Stop> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let stat = match openat(CWD, dir, flags, Mode::empty()).and_then(fstat) {
        Ok(stat) => stat,
        Err(Errno::NOENT) => return Ok(()),
        Err(e) => return Err(at(dir)(e.into())),
    };
    let why = match FileType::from_raw_mode(stat.st_mode) {
        FileType::Directory => trusted::changeable(&stat),
        FileType::Symlink => Some("it is a symbolic link, and canc's store is a directory".to_owned()),
        _ => Some("it is no directory".to_owned()),
    };
    let Some(why) = why else { return Ok(()) };
    let remedy = "see who made it so, then put it right: root's, mode 755";
    Err(Stop::Host(Failure::refused(format!("store {}", dir.display()), why, remedy)))
}

/// A file that nobody else can have written, and no link to one.
fn read(path: &Path) -> Result<Option<Vec<u8>>, Stop> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match openat(CWD, path, flags, Mode::empty()) {
        Ok(file) => file,
        Err(Errno::NOENT) => return Ok(None),
        Err(Errno::LOOP) => return Err(damaged(path, "it is a symbolic link")),
        Err(e) => return Err(at(path)(e.into())),
    };
    let stat = fstat(&file).map_err(|e| at(path)(e.into()))?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(damaged(path, "it is no file"));
    }
    if let Some(why) = trusted::changeable(&stat) {
        return Err(damaged(path, &why));
    }
    let mut bytes = Vec::new();
    fs::File::from(file).read_to_end(&mut bytes).map_err(at(path))?;
    Ok(Some(bytes))
}

fn damaged(path: &Path, why: &str) -> Stop {
    let remedy = "restore it from a backup, or remove the store and apply the policies again";
    Stop::Host(Failure::refused(path.display().to_string(), why, remedy))
}
