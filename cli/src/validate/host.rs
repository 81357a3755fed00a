//! A tool's name to its answer, from this host's tools or from those of another root file system, in bounded time.
//!
//! It must not know what a tool is asked.

use super::process::run;
use rustix::process::geteuid;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

/// Where administrators' tools lie.
const PLACES: [&str; 4] = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"];
/// A store's transaction takes some ten seconds, a very large profile twenty.
const LIMIT: Duration = Duration::from_secs(300);

/// Where tools are looked for and run.
#[derive(Debug)]
pub struct Host {
    sysroot: Option<PathBuf>,
    /// Whether tools run inside of the other root, or in this one with its files.
    inside: bool,
    limit: Duration,
}

/// How a tool ended.
#[derive(Debug)]
pub struct Ran {
    /// Whether it exited with 0.
    pub good: bool,
    /// What it printed, errors after output.
    pub text: String,
}

/// A private directory that tools see too.
#[derive(Debug)]
pub struct Workplace {
    dir: TempDir,
    inside: PathBuf,
}

impl Workplace {
    /// The directory, for this process.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// A file in it, for tools.
    pub fn inside(&self, name: &str) -> OsString {
        self.inside.join(name).into()
    }
}

impl Host {
    /// This host.
    pub fn here() -> Self {
        Self { sysroot: None, inside: false, limit: LIMIT }
    }

    /// The tools of a root file system run in this one, where they see its files by their paths here.
    pub fn beside(root: &Path, limit: Option<Duration>) -> Self {
        Self { sysroot: Some(root.to_owned()), inside: false, limit: limit.unwrap_or(LIMIT) }
    }

    /// A path of the root as its tools see it.
    pub fn seen(&self, inside: &str) -> PathBuf {
        if self.inside { inside.into() } else { self.path(inside) }
    }

    /// This host, or a root file system on it.
    pub fn new(sysroot: Option<&Path>) -> Result<Self, String> {
        let Some(root) = sysroot else { return Ok(Self::here()) };
        if !root.join("usr").is_dir() {
            return Err(format!("`{}` is no root file system", root.display()));
        }
        if !geteuid().is_root() {
            return Err("--sysroot changes root, which only root may".to_owned());
        }
        let root = root.canonicalize().map_err(|e| format!("{}: {e}", root.display()))?;
        Ok(Self { sysroot: Some(root), inside: true, limit: LIMIT })
    }

    /// A path of the root that tools see, for this process.
    pub fn path(&self, inside: impl AsRef<Path>) -> PathBuf {
        let inside = inside.as_ref();
        match &self.sysroot {
            Some(root) => root.join(inside.strip_prefix("/").unwrap_or(inside)),
            None => inside.to_owned(),
        }
    }

    /// Whether the host has the tool.
    pub fn has(&self, tool: &str) -> bool {
        self.find(tool).is_some()
    }

    fn find(&self, tool: &str) -> Option<PathBuf> {
        let path = std::env::var_os("PATH").filter(|_| self.sysroot.is_none()).unwrap_or_default();
        let places =
            PLACES.iter().map(PathBuf::from).chain(std::env::split_paths(&path).filter(|p| p.is_absolute()));
        places.map(|place| place.join(tool)).find(|file| self.path(file).is_file())
    }

    /// A private directory below the temporary one of the root that tools see.
    pub fn workplace(&self) -> Result<Workplace, String> {
        let parent = self.sysroot.as_ref().map_or_else(std::env::temp_dir, |root| root.join("tmp"));
        let made = tempfile::Builder::new().prefix("canc-validate-").tempdir_in(&parent);
        let dir = made.map_err(|e| format!("{}: {e}", parent.display()))?;
        let inside = match &self.sysroot {
            Some(root) if self.inside => {
                Path::new("/").join(dir.path().strip_prefix(root).unwrap_or(dir.path()))
            }
            _ => dir.path().to_owned(),
        };
        Ok(Workplace { dir, inside })
    }

    /// Runs a tool. An error means that it gave no answer at all.
    pub fn run<S: Into<OsString>>(
        &self,
        tool: &str,
        args: impl IntoIterator<Item = S>,
        input: &[u8],
    ) -> Result<Ran, String> {
        let program = self.find(tool).ok_or_else(|| format!("{tool} is not installed"))?;
        let mut command = match &self.sysroot {
            Some(root) if self.inside => {
                let mut command = Command::new("chroot");
                command.arg(root).arg(&program);
                command
            }
            _ => Command::new(self.path(&program)),
        };
        command.args(args.into_iter().map(Into::into)).env("LC_ALL", "C").current_dir("/");
        let ran = run(command, input, self.limit).map_err(|e| format!("{tool}: {e}"))?;
        match ran.code {
            // What chroot(1) answers when it could not run the program.
            Some(125..=127) => Err(format!("{tool} did not run: {}", ran.text.trim())),
            Some(code) => Ok(Ran { good: code == 0, text: ran.text }),
            None => Err(format!("{tool} was ended by signal {}", ran.signal.unwrap_or_default())),
        }
    }
}
