//! The Debian 13 policy in a root file system to the tables of facts that `codegen/data/base/debian13` keeps; nothing is typed by hand.
//!
//! It reads with the policy's own tools (`semodule`, `sesearch`, `seinfo`) in a private copy of the root, because it installs a
//! module of probe types there: what a fresh domain, a fresh data type and a fresh port type get is asked, not derived.

mod cil;
mod contexts;
mod probe;
mod setools;
mod tables;

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The tables by file name.
pub type Tables = BTreeMap<&'static str, String>;

/// Why no tables were made.
#[derive(Debug)]
pub enum Error {
    /// A file could not be read or written.
    Io(PathBuf, std::io::Error),
    /// A tool failed or is missing.
    Tool(String, String),
    /// A tool's answer is not what it was when this was written.
    Answer(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(path, error) => write!(f, "{}: {error}", path.display()),
            Self::Tool(command, why) => write!(f, "`{command}`: {why}"),
            Self::Answer(what) => write!(f, "unexpected answer: {what}"),
        }
    }
}

impl std::error::Error for Error {}

/// A root file system that may be changed.
#[derive(Debug, Clone)]
pub struct Root(PathBuf);

impl Root {
    /// The root at `path`: a private copy, since the probe module is installed in it.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    fn read(&self, path: &str) -> Result<String, Error> {
        let path = self.0.join(path.trim_start_matches('/'));
        fs::read_to_string(&path).map_err(|e| Error::Io(path, e))
    }

    fn write(&self, path: &str, text: &str) -> Result<(), Error> {
        let path = self.0.join(path.trim_start_matches('/'));
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|e| Error::Io(parent.into(), e))?;
        }
        fs::write(&path, text).map_err(|e| Error::Io(path, e))
    }

    /// Runs a command inside the root and gives what it prints.
    fn run(&self, directory: &str, command: &[&str]) -> Result<String, Error> {
        let shown = command.join(" ");
        let mut process = Command::new("chroot");
        process
            .arg(&self.0)
            .args(["sh", "-c", "cd \"$1\" && shift && exec \"$@\"", "sh", directory])
            .args(command);
        process.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("LC_ALL", "C");
        let output = process.output().map_err(|e| Error::Tool(shown.clone(), e.to_string()))?;
        if !output.status.success() {
            return Err(Error::Tool(shown, String::from_utf8_lossy(&output.stderr).trim().into()));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

/// All tables, read from the policy installed in `root`.
///
/// # Errors
/// When a tool is missing or fails.
pub fn generate(root: &Root) -> Result<Tables, Error> {
    let modules = cil::modules(root)?;
    probe::install(root)?;
    let mut out = Tables::new();
    out.insert("file_contexts.tsv", contexts::file_contexts(root)?);
    out.insert("homedirs.tsv", contexts::homedirs(root)?);
    out.insert("subs_dist.tsv", contexts::substitutions(root)?);
    out.insert("genfs.tsv", tables::genfs(root)?);
    out.insert("fs_use.tsv", tables::fs_use(root)?);
    out.insert("ports.tsv", tables::ports(root)?);
    out.insert("classes.tsv", tables::classes(root)?);
    out.insert("domain.tsv", probe::domain(root)?);
    out.insert("reach.tsv", probe::reach(root)?);
    out.insert("assertions.tsv", cil::assertions(&modules)?);
    out.insert("launchers.tsv", tables::launchers(root, &modules)?);
    out.insert("users.tsv", tables::users(root)?);
    out.insert("booleans.tsv", tables::booleans(root, &out)?);
    out.insert("types.tsv", tables::types(root, &modules, &out)?);
    Ok(out)
}

/// Writes the tables to `directory`.
///
/// # Errors
/// When a file cannot be written.
pub fn write(tables: &Tables, directory: &Path) -> Result<(), Error> {
    for (name, text) in tables {
        let path = directory.join(name);
        fs::write(&path, text).map_err(|e| Error::Io(path, e))?;
    }
    Ok(())
}

/// Which committed tables differ from these, each with its first differing line; empty when all agree.
///
/// # Errors
/// When a committed table cannot be read.
pub fn difference(tables: &Tables, directory: &Path) -> Result<Vec<String>, Error> {
    let mut out = Vec::new();
    for (name, text) in tables {
        let path = directory.join(name);
        let committed = fs::read_to_string(&path).map_err(|e| Error::Io(path, e))?;
        if committed != *text {
            let line = committed.lines().zip(text.lines()).position(|(a, b)| a != b);
            let at = line.unwrap_or_else(|| committed.lines().count().min(text.lines().count()));
            let (old, new) = (committed.lines().nth(at).unwrap_or(""), text.lines().nth(at).unwrap_or(""));
            out.push(format!("{name}:{}: committed `{old}`, the policy says `{new}`", at + 1));
        }
    }
    Ok(out)
}
