//! A command as the caller typed it to the open file that will be executed, checked against the policy's `exec` patterns.

use crate::failure::{Code, Failure};
use crate::sys;
use crate::walk::{Found, Stop, walk};
use canc_bundle::LaunchEntry;
use canc_bundle::glob::Glob;
use rustix::fs::{CWD, FileType, Mode, OFlags, fstat, openat};
use rustix::io::Errno;
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// A program that may be started.
#[derive(Debug)]
pub struct Program {
    /// The file, opened for its path alone: what is executed, whatever happens to the path later.
    pub file: OwnedFd,
    /// Where it was when it was opened, without links.
    pub path: PathBuf,
}

impl Program {
    /// Finds and opens a command. One without a slash is searched in `search`, a list with colons; of that, only absolute directories
    /// count, so that nothing comes from the current directory unless it is named.
    ///
    /// # Errors
    /// Not found (127), not executable (126).
    pub fn find(command: &OsStr, search: &OsStr) -> Result<Self, Failure> {
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

    fn open(path: &Path) -> Result<Self, Errno> {
        let Found { file, stat, path } = walk(path, |_, _| Ok(())).map_err(|stop| match stop {
            Stop::Kernel(error) => error,
            Stop::Refused(_) => Errno::ACCESS,
        })?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(Errno::ACCESS);
        }
        match sys::may_execute(file.as_fd()).map_err(|e| Errno::from_io_error(&e)) {
            // Before Linux 5.8 only the exec itself can tell.
            Ok(()) | Err(Some(Errno::NOSYS)) => Ok(Self { file, path }),
            Err(error) => Err(error.unwrap_or(Errno::ACCESS)),
        }
    }

    /// Checks the file against what the policy starts, and that the kernel can execute it by descriptor.
    ///
    /// # Errors
    /// A program that `exec` does not name (125), a script (126), a pattern that is damaged (125).
    pub fn check(&self, launch: &LaunchEntry) -> Result<(), Failure> {
        let path = self.path.as_os_str().as_bytes();
        let mut allowed = false;
        for pattern in &launch.exec {
            let glob = Glob::parse(pattern).map_err(|e| {
                Failure::refused(format!("exec pattern {pattern:?}"), e.to_string(), "build the bundle again")
            })?;
            allowed |= glob.matches(path);
        }
        if !allowed {
            return Err(Failure::refused(
                self.path.display().to_string(),
                format!("the policy starts only {}", launch.exec.join(", ")),
                format!("add to the policy: exec \"{}\";", self.path.display()),
            ));
        }
        self.interpreter().map_or(Ok(()), |interpreter| Err(self.script(&interpreter)))
    }

    /// The interpreter of a script, for the message alone: the kernel itself does not execute a script by a descriptor that is closed on
    /// exec. So a file that cannot be read, or another one at its path, is taken for no script.
    fn interpreter(&self) -> Option<OsString> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::NOFOLLOW;
        let file = openat(CWD, &self.path, flags, Mode::empty()).ok()?;
        let (mine, other) = (fstat(&self.file).ok()?, fstat(&file).ok()?);
        if (mine.st_dev, mine.st_ino) != (other.st_dev, other.st_ino) {
            return None;
        }
        let mut buffer = [0; 256];
        let size = rustix::io::pread(file, &mut buffer[..], 0).ok()?;
        let line = buffer.get(..size)?.strip_prefix(b"#!")?.split(|b| *b == b'\n').next()?;
        let word = line.split(|b| matches!(b, b' ' | b'\t')).find(|w| !w.is_empty()).unwrap_or_default();
        Some(OsString::from_vec(word.to_vec()))
    }

    fn script(&self, interpreter: &OsStr) -> Failure {
        let (path, interpreter) = (self.path.display(), interpreter.display());
        Failure::refused(
            path.to_string(),
            "it is a script, and the kernel starts scripts by path, which could be another file by then",
            format!("name its interpreter in `exec` and start it by that: {interpreter} {path}"),
        )
        .with_code(Code::CannotExecute)
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
