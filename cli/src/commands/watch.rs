//! A command on a policy to the same command again whenever a file changes that it read or looked for.

use super::Outcome;
use crate::exit::Exit;
use crate::input::Disk;
use crate::stream::Streams;
use canc_dsl::{LoadError, Loaded, Loader};
use std::cell::RefCell;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often files are looked at. Polling works on every file system, and a policy has few files.
const INTERVAL: Duration = Duration::from_millis(200);

/// What tells a file from what it was: device, inode, length, time of the last change. `None` while it is not there.
type State = Option<(u64, u64, u64, i64, i64)>;

fn state(path: &Path) -> State {
    let meta = path.metadata().ok()?;
    Some((meta.dev(), meta.ino(), meta.len(), meta.ctime(), meta.ctime_nsec()))
}

/// The files of the disk, remembering each one that was asked for as it was before it was read.
struct Remembering {
    seen: RefCell<Vec<(PathBuf, State)>>,
}

impl Remembering {
    fn new(policy: &Path) -> Self {
        Self { seen: RefCell::new(vec![(policy.to_owned(), state(policy))]) }
    }

    fn changed(&self) -> bool {
        self.seen.borrow().iter().any(|(path, before)| state(path) != *before)
    }
}

impl Loader for Remembering {
    fn load(&self, relative_to: &str, path: &str) -> Result<Loaded, LoadError> {
        let target = Path::new(relative_to).parent().unwrap_or(Path::new("")).join(path);
        self.seen.borrow_mut().push((target.clone(), state(&target)));
        Disk.load(relative_to, path)
    }
}

/// Runs `once` now and after every change; ends when nobody reads what it prints.
///
/// A policy that cannot be read the first time is an error; afterwards it may be gone for a while, as editors do it.
pub fn run<'s>(
    policy: &Path,
    streams: &mut Streams<'s>,
    once: impl Fn(&dyn Loader, &mut Streams<'s>) -> Outcome,
) -> Outcome {
    let mut first = true;
    loop {
        let files = Remembering::new(policy);
        match once(&files, streams) {
            Ok(_) => {}
            Err(failure) if first || failure.exit == Exit::Usage => return Err(failure),
            Err(failure) => streams.err(&format!("canc: {}\n", failure.message)),
        }
        first = false;
        streams.err(&format!("canc: watching {}\n", policy.display()));
        while !files.changed() {
            if streams.is_closed() {
                return Ok(Exit::Done);
            }
            std::thread::sleep(INTERVAL);
        }
    }
}
