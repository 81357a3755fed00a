//! A command as the caller typed it to the open file that will be executed, checked against the policy's `exec` patterns.

use crate::failure::{Code, Failure};
use crate::sys;
use crate::walk::{Found, Stop, walk};
use canc_bundle::LaunchEntry;
use canc_bundle::glob::Glob;
use rustix::fs::FileType;
use rustix::io::Errno;
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// A program that may be started.
#[derive(Debug)]
#[non_exhaustive]
pub struct Program {
    /// The file, opened for its path alone: what is executed, whatever happens to the path later.
    pub file: OwnedFd,
    /// Where it was when it was opened, without links.
    pub path: PathBuf,
    /// Where it is the interpreter of a script: what stands before the arguments, its own name first and the script's path last.
    pub before: Vec<OsString>,
}

impl Program {
    /// Finds and opens a command. One without a slash is searched in `search`, a list with colons; of that, only absolute directories
    /// count, so that nothing comes from the current directory unless it is named.
    ///
    /// # Errors
    /// Not found (127), not executable (126).
    pub(crate) fn find(command: &OsStr, search: &OsStr) -> Result<Self, Failure> {
        if command.as_bytes().contains(&b'/') {
            return Self::open(Path::new(command)).map_err(|e| cannot(command, e));
        }
        let mut last = Errno::NOENT;
        if command.is_empty() {
            return Err(cannot(command, last));
        }
        for directory in std::env::split_paths(search).filter(|d| d.is_absolute()) {
            match Self::open(&directory.join(command)) {
                Ok(found) => return Ok(found),
                // As execvp(3): go on, and remember that there was something.
                Err(Errno::NOENT | Errno::NOTDIR) => {}
                Err(error) => last = error,
            }
        }
        Err(cannot(command, last))
    }

    /// Opens a program by its path.
    ///
    /// # Errors
    /// What openat(2) says, `EACCES` for what is no regular file or not executable.
    pub(crate) fn open(path: &Path) -> Result<Self, Errno> {
        let Found { file, stat, path } = walk(path, |_, _| Ok(())).map_err(|stop| match stop {
            Stop::Kernel(error) => error,
            Stop::Refused(_) => Errno::ACCESS,
        })?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(Errno::ACCESS);
        }
        match sys::may_execute(file.as_fd()).map_err(|e| Errno::from_io_error(&e)) {
            // Before Linux 5.8 only the exec itself can tell.
            Ok(()) | Err(Some(Errno::NOSYS)) => Ok(Self { file, path, before: Vec::new() }),
            Err(error) => Err(error.unwrap_or(Errno::ACCESS)),
        }
    }

    /// Whether the policy starts it.
    ///
    /// # Errors
    /// A pattern that is damaged (125).
    pub(crate) fn is_started_by(&self, launch: &LaunchEntry) -> Result<bool, Failure> {
        let path = self.path.as_os_str().as_bytes();
        launch.exec.iter().try_fold(false, |allowed, pattern| {
            let glob = Glob::parse(pattern).map_err(|e| {
                Failure::refused(format!("exec pattern {pattern:?}"), e.to_string(), "build the bundle again")
            })?;
            Ok(allowed | glob.matches(path))
        })
    }

    /// Checks the file against what the policy starts.
    ///
    /// # Errors
    /// A program that `exec` does not name, a pattern that is damaged (125).
    pub(crate) fn check(&self, launch: &LaunchEntry) -> Result<(), Failure> {
        if !self.is_started_by(launch)? {
            return Err(Failure::refused(
                self.path.display().to_string(),
                format!("the policy starts only {}", launch.exec.join(", ")),
                format!("add to the policy: exec \"{}\";", self.path.display()),
            ));
        }
        Ok(())
    }
}

fn cannot(command: &OsStr, error: Errno) -> Failure {
    let (code, why) = match error {
        Errno::NOENT | Errno::NOTDIR => (Code::NotFound, "no such program".to_owned()),
        // The caller's own limits say nothing about the program.
        Errno::MFILE | Errno::NFILE | Errno::NOMEM => {
            (Code::Refused, std::io::Error::from(error).to_string())
        }
        _ => (Code::CannotExecute, std::io::Error::from(error).to_string()),
    };
    Failure::refused(command.display().to_string(), why, "").with_code(code)
}
