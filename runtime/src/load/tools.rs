//! A tool of a module's owner to its end: from fixed places, with nothing of the caller's environment, in bounded time.

use crate::failure::Failure;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Where administrators' tools lie. The caller's `PATH` is not asked.
const PLACES: [&str; 4] = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"];
/// Each tool's package on Debian, where it can be installed from.
const PACKAGES: [(&str, &str); 5] = [
    ("apparmor_parser", "apparmor"),
    ("checkmodule", "checkpolicy"),
    ("semodule_package", "semodule-utils"),
    ("semodule", "policycoreutils"),
    ("restorecon", "policycoreutils"),
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
        let nanos = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let nanos = nanos.map_or(0, |now| now.subsec_nanos());
        let path = PathBuf::from(format!("/tmp/canc-load-{}-{nanos:x}", std::process::id()));
        // mkdir(2) fails where anything stands there already, a link too.
        match DirBuilder::new().mode(0o700).create(&path) {
            Ok(()) => Ok(Self(path)),
            Err(e) => Err(Failure::refused(
                "--load",
                format!("{}: {e}", path.display()),
                "make /tmp writable for root",
            )),
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
            Err(e) => Err(Failure::refused("--load", format!("{path}: {e}"), "")),
        }
    }
}

impl Drop for Workplace {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Runs a tool to a good end.
///
/// # Errors
/// It is not installed, cannot be started, does not end, or refuses, with its own words.
pub fn run(tool: &str, arguments: &[&str], place: &Workplace) -> Result<(), Failure> {
    let package = PACKAGES.iter().find(|(name, _)| *name == tool).map_or(tool, |(_, package)| package);
    let found = PLACES.iter().map(|place| Path::new(place).join(tool)).find(|path| path.is_file());
    let Some(program) = found else {
        return Err(Failure::refused(tool, "it is not installed", format!("apt-get install {package}")));
    };
    let odd = |why: String| Failure::refused(tool, why, "run `canc doctor`, which says what the host lacks");
    let words = place.file("words");
    let file = File::create(&words).and_then(|file| Ok((file.try_clone()?, file)));
    let (out, err) = file.map_err(|e| odd(format!("{words}: {e}")))?;
    let mut command = Command::new(&program);
    command.args(arguments).env_clear().env("PATH", PLACES.join(":")).env("LC_ALL", "C").current_dir("/");
    command.stdin(Stdio::null()).stdout(out).stderr(err);
    let mut child = command.spawn().map_err(|e| odd(format!("{}: {e}", program.display())))?;
    let start = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return Ok(()),
            Ok(Some(status)) => return Err(odd(format!("{status}: {}", told(&words)))),
            Ok(None) if start.elapsed() < LIMIT => std::thread::sleep(Duration::from_millis(5)),
            other => {
                let _ = child.kill();
                let _ = child.wait();
                let why =
                    other.map_or_else(|e| e.to_string(), |_| format!("no end within {} s", LIMIT.as_secs()));
                return Err(odd(why));
            }
        }
    }
}

fn told(file: &str) -> String {
    let bytes = fs::read(file).unwrap_or_default();
    let text = String::from_utf8_lossy(bytes.get(..WORDS.min(bytes.len())).unwrap_or_default()).into_owned();
    text.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}
