//! A tool of a module's owner to its end: from fixed places, with nothing of the caller's environment, in bounded time.

use crate::failure::Failure;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};

/// Where administrators' tools lie. The caller's `PATH` is not asked.
const PLACES: [&str; 4] = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"];
/// Each tool's package on Debian, where it can be installed from.
const PACKAGES: [(&str, &str); 6] = [
    ("apparmor_parser", "apparmor"),
    ("checkmodule", "checkpolicy"),
    ("semodule_package", "semodule-utils"),
    ("semodule", "policycoreutils"),
    ("restorecon", "policycoreutils"),
    ("systemctl", "systemd"),
];
/// A store's transaction takes some ten seconds, on an emulated processor two minutes.
const LIMIT: Duration = Duration::from_secs(600);
/// How much of a tool's words is passed on, in bytes.
const WORDS: usize = 4000;

/// A private directory that is gone when this is dropped.
pub struct Workplace(PathBuf);

impl Workplace {
    /// Makes it: new, and for root alone.
    pub fn new() -> Result<Self, Failure> {
        Self::below(Path::new("/"))
    }

    /// Makes it below another root. In `/tmp`, because there SELinux's tools may read it where SELinux enforces.
    pub fn below(root: &Path) -> Result<Self, Failure> {
        let nanos = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let nanos = nanos.map_or(0, |now| now.subsec_nanos());
        let path = root.join(format!("tmp/canc-load-{}-{nanos:x}", std::process::id()));
        Self::at(path)
    }

    /// Makes it at a path that nobody else can write to.
    pub fn at(path: PathBuf) -> Result<Self, Failure> {
        // mkdir(2) fails where anything stands there already, a link too.
        match DirBuilder::new().mode(0o700).create(&path) {
            Ok(()) => Ok(Self(path)),
            Err(e) => {
                Err(Failure::refused(path.display().to_string(), e.to_string(), "let root write to it"))
            }
        }
    }

    /// A file's path in it.
    pub fn file(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }

    /// Writes a file and returns its path.
    pub fn put(&self, name: &str, bytes: &[u8]) -> Result<String, Failure> {
        let path = self.file(name);
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        match file.and_then(|mut file| file.write_all(bytes)) {
            Ok(()) => Ok(path),
            Err(e) => Err(Failure::refused(path, e.to_string(), "")),
        }
    }
}

impl Drop for Workplace {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Where tools are taken from, and how long each may take.
#[derive(Debug, Clone)]
pub struct Tools {
    root: PathBuf,
    limit: Duration,
}

impl Default for Tools {
    fn default() -> Self {
        Self { root: "/".into(), limit: LIMIT }
    }
}

impl Tools {
    /// Those below another root; they run in this one, so that their arguments are paths of this one too.
    pub fn below(root: &Path, limit: Option<Duration>) -> Self {
        Self { root: root.to_owned(), limit: limit.unwrap_or(LIMIT) }
    }

    /// Runs a tool to a good end. Whatever it left running is ended with it.
    ///
    /// # Errors
    /// It is not installed, cannot be started, does not end, or refuses, with its own words.
    pub fn run(&self, tool: &str, arguments: &[&str], place: &Workplace) -> Result<(), Failure> {
        let package = PACKAGES.iter().find(|(name, _)| *name == tool).map_or(tool, |(_, package)| package);
        let inside = |place: &str| self.root.join(place.trim_start_matches('/')).join(tool);
        let Some(program) = PLACES.iter().map(|place| inside(place)).find(|path| path.is_file()) else {
            return Err(Failure::refused(tool, "it is not installed", format!("apt-get install {package}")));
        };
        let odd =
            |why: String| Failure::refused(tool, why, "run `canc doctor`, which says what the host lacks");
        let words = place.file("words");
        let file = File::create(&words).and_then(|file| Ok((file.try_clone()?, file)));
        let (out, err) = file.map_err(|e| odd(format!("{words}: {e}")))?;
        let mut command = Command::new(&program);
        command.args(arguments).env_clear().env("PATH", PLACES.join(":")).env("LC_ALL", "C");
        command.current_dir("/").stdin(Stdio::null()).stdout(out).stderr(err).process_group(0);
        let mut child = command.spawn().map_err(|e| odd(format!("{}: {e}", program.display())))?;
        let ended = wait(&mut child, self.limit);
        end_group(&mut child);
        match ended {
            Ok(Some(status)) if status.success() => Ok(()),
            Ok(Some(status)) => Err(odd(format!("{status}: {}", told(&words)))),
            Ok(None) => Err(odd(format!("no end within {} s, so it was ended", self.limit.as_secs()))),
            Err(e) => Err(odd(format!("waiting for its end: {e}"))),
        }
    }
}

/// Waits for the end; `None` where it does not come in time.
fn wait(child: &mut Child, limit: Duration) -> std::io::Result<Option<ExitStatus>> {
    let pid = pid(child).ok_or(Errno::SRCH)?;
    let file = pidfd_open(pid, PidfdFlags::empty())?;
    let start = Instant::now();
    while let Some(left) = limit.checked_sub(start.elapsed()) {
        let left = Timespec::try_from(left).map_err(|_| Errno::INVAL)?;
        match poll(&mut [PollFd::new(&file, PollFlags::IN)], Some(&left)) {
            Ok(0) => break,
            Ok(_) => return child.wait().map(Some),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(None)
}

fn pid(child: &Child) -> Option<Pid> {
    i32::try_from(child.id()).ok().and_then(Pid::from_raw)
}

/// The group is that of a process which this one started, and which either was not waited for or whose members still hold its number.
fn end_group(child: &mut Child) {
    if let Some(pid) = pid(child) {
        let _ = kill_process_group(pid, Signal::KILL);
    }
    let _ = child.wait();
}

fn told(file: &str) -> String {
    let bytes = fs::read(file).unwrap_or_default();
    let text = String::from_utf8_lossy(bytes.get(..WORDS.min(bytes.len())).unwrap_or_default()).into_owned();
    text.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}
