//! What a machine is to do and what is expected of it, as data.
//!
//! It must not know how a machine is made.

use crate::Error;
use crate::oracle::selinux::Module;
use canc_guest::{Job, Mac, Step};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A kind of machine, as a file in `ci/vm/` describes it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kind {
    /// The access control that must be active.
    pub mac: Mac,
    /// Added to the kernel's command line.
    pub append: String,
    /// In MiB.
    pub memory: u32,
    /// AppArmor profiles that the distribution has loaded before anything else, by name.
    #[serde(default)]
    pub profiles: BTreeMap<String, String>,
}

impl Kind {
    /// The kind that `ci/vm/NAME.toml` describes.
    pub fn named(name: &str) -> Result<Self, Error> {
        let known = Self::names()?;
        if !known.iter().any(|known| known == name) {
            return Err(Error::Odd(format!("no machine is called {name}; there are {}", known.join(", "))));
        }
        let file = kinds().join(format!("{name}.toml"));
        let text = fs::read_to_string(&file).map_err(Error::io("reading", &file))?;
        toml::from_str(&text).map_err(|e| Error::Odd(format!("ci/vm/{name}.toml: {e}")))
    }

    /// All kinds.
    pub fn names() -> Result<Vec<String>, Error> {
        let dir = kinds();
        let mut names = Vec::new();
        for entry in fs::read_dir(&dir).map_err(Error::io("reading", &dir))? {
            let path = entry.map_err(Error::io("reading", &dir))?.path();
            if path.extension().is_some_and(|e| e == "toml") {
                names.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
            }
        }
        names.sort();
        Ok(names)
    }

    /// Each profile as a file of the machine, and the step that loads it.
    fn profiles(&self) -> impl Iterator<Item = (File, Step)> {
        self.profiles.iter().map(|(name, text)| {
            let path = format!("/etc/apparmor.d/{name}");
            let load = step(&format!("load {name}"), &["/usr/sbin/apparmor_parser", "-r", &path]);
            (File::text(&path, text.as_str()), load)
        })
    }

    /// Whether its policy must be built.
    pub fn is_selinux(&self) -> bool {
        self.mac == Mac::Selinux
    }
}

fn kinds() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("vm")
}

/// Everything one machine does.
#[derive(Debug, Clone)]
pub struct VmJob {
    /// For messages and reports.
    pub name: String,
    /// Which machine.
    pub kind: Kind,
    /// Put into the machine's file system before it is labelled; later ones replace earlier ones.
    pub files: Vec<File>,
    /// Installed in one transaction into the store of a machine with SELinux; other machines have none.
    pub modules: Vec<Module>,
    /// Whether denials that the base policy hides are put into the audit log.
    pub audit_all: bool,
    /// Must each exit with 0, or no test counts.
    pub setup: Vec<Step>,
    /// Performed in order.
    pub tests: Vec<VmTest>,
    /// From the start to the first event, by the processor; translation is given more.
    pub boot_limit: Duration,
}

/// A file or directory of the machine.
#[derive(Debug, Clone)]
pub struct File {
    /// Absolute, in the machine. Missing directories above it are made.
    pub to: String,
    /// What it holds.
    pub from: Source,
    /// Permission bits.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
}

/// What a [`File`] holds.
#[derive(Debug, Clone)]
pub enum Source {
    /// These bytes.
    Bytes(Vec<u8>),
    /// A copy of this file of the host.
    Host(PathBuf),
    /// Nothing: it is a directory.
    Directory,
}

impl File {
    /// A file of root's with these bytes, mode 0644.
    pub fn text(to: &str, bytes: impl Into<Vec<u8>>) -> Self {
        Self { to: to.to_owned(), from: Source::Bytes(bytes.into()), mode: 0o644, uid: 0, gid: 0 }
    }

    /// A program of the host, mode 0755.
    pub fn program(to: &str, from: impl Into<PathBuf>) -> Self {
        Self { to: to.to_owned(), from: Source::Host(from.into()), mode: 0o755, uid: 0, gid: 0 }
    }

    /// A directory of root's, mode 0755.
    pub fn directory(to: &str) -> Self {
        Self { to: to.to_owned(), from: Source::Directory, mode: 0o755, uid: 0, gid: 0 }
    }
}

/// A test and what is expected of it.
#[derive(Debug, Clone)]
pub struct VmTest {
    /// What to do.
    pub step: Step,
    /// What must be seen.
    pub expect: Expect,
}

/// What must be seen. Patterns are lists of words that must all stand in one audit record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expect {
    /// How it ends.
    pub exit: Exit,
    /// Each must stand in standard output.
    pub stdout: Vec<String>,
    /// Each must stand in standard error.
    pub stderr: Vec<String>,
    /// For each some audit record must hold all of its words.
    pub audit: Vec<Vec<String>>,
    /// For each no audit record may hold all of its words.
    pub no_audit: Vec<Vec<String>>,
    /// What may be among the records of one kind.
    pub among: Option<Among>,
}

/// Whether a kind of audit records may hold others than those that are known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Among {
    /// The words that each record of the kind holds.
    pub kind: Vec<String>,
    /// A record that holds all words of one of these is known.
    pub known: Vec<Vec<String>>,
    /// Whether there must be another one; otherwise there may be none.
    pub others: bool,
}

/// How a command must end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Exit {
    /// With 0.
    #[default]
    Success,
    /// With this code.
    Code(i32),
    /// With any code but 0.
    Failure,
    /// By this signal.
    Signal(i32),
}

impl VmJob {
    /// A job without files, modules or tests.
    pub fn new(name: &str, kind: &str) -> Result<Self, Error> {
        Ok(Self {
            name: name.to_owned(),
            kind: Kind::named(kind)?,
            files: Vec::new(),
            modules: Vec::new(),
            audit_all: true,
            setup: Vec::new(),
            tests: Vec::new(),
            boot_limit: Duration::from_secs(45),
        })
    }

    /// The job with what its kind of machine has before anything else.
    pub(super) fn with_kind(&self) -> Self {
        let (mut files, mut setup): (Vec<_>, Vec<_>) = self.kind.profiles().unzip();
        files.extend_from_slice(&self.files);
        setup.extend_from_slice(&self.setup);
        Self { files, setup, ..self.clone() }
    }

    /// Refuses a job in which two steps share a name, since results are told apart by it.
    pub(super) fn check(&self) -> Result<(), Error> {
        let mut seen = std::collections::BTreeSet::new();
        let steps = self.setup.iter().chain(self.tests.iter().map(|test| &test.step));
        match steps.map(|step| &step.name).find(|name| !seen.insert(*name)) {
            Some(name) => Err(Error::Odd(format!("{}: two steps are called {name:?}", self.name))),
            None => Ok(()),
        }
    }

    /// What the guest is told.
    pub(super) fn for_guest(&self) -> Job {
        Job {
            mac: self.kind.mac,
            setup: self.setup.clone(),
            tests: self.tests.iter().map(|test| test.step.clone()).collect(),
        }
    }

    /// How long all steps may take together, by their own limits, plus what each costs to start.
    pub(super) fn limit(&self) -> Duration {
        let steps = self.setup.iter().chain(self.tests.iter().map(|test| &test.step));
        steps.map(|step| Duration::from_secs(u64::from(step.seconds) + 10)).sum()
    }
}

/// The context of an ordinary login on Debian 13 at its low level: what `launch from user` means there.
pub const USER_CONTEXT: &str = "unconfined_u:unconfined_r:unconfined_t:s0";

impl VmTest {
    /// A test of root's that must exit with 0. On SELinux machines its parent is [`USER_CONTEXT`].
    pub fn new(name: &str, argv: &[&str]) -> Self {
        let mut step = step(name, argv);
        step.user.context = Some(USER_CONTEXT.to_owned());
        Self { step, expect: Expect::default() }
    }

    /// The same of words that were put together.
    pub fn launch(name: &str, argv: Vec<String>) -> Self {
        let mut test = Self::new(name, &[]);
        test.step.argv = argv;
        test
    }

    /// Performs it as this user and group.
    pub fn uid(mut self, uid: u32, gid: u32) -> Self {
        (self.step.user.uid, self.step.user.gid) = (uid, gid);
        self
    }

    /// Performs it from a parent in this SELinux context.
    pub fn context(mut self, context: &str) -> Self {
        self.step.user.context = Some(context.to_owned());
        self
    }

    /// Expects this end.
    pub fn exit(mut self, exit: Exit) -> Self {
        self.expect.exit = exit;
        self
    }

    /// Expects these words in its output.
    pub fn stdout(mut self, words: &str) -> Self {
        self.expect.stdout.push(words.to_owned());
        self
    }

    /// Expects these words in its errors.
    pub fn stderr(mut self, words: &str) -> Self {
        self.expect.stderr.push(words.to_owned());
        self
    }

    /// Expects an audit record with all of these words.
    pub fn audit(mut self, words: &[&str]) -> Self {
        self.expect.audit.push(words.iter().map(|&word| word.to_owned()).collect());
        self
    }

    /// Expects no audit record with all of these words.
    pub fn no_audit(mut self, words: &[&str]) -> Self {
        self.expect.no_audit.push(words.iter().map(|&word| word.to_owned()).collect());
        self
    }

    /// Expects of the records with all words of `kind` that each holds all words of one of `known`, or, with `others`, that one does not.
    pub fn among(mut self, kind: &[&str], known: &[&[&str]], others: bool) -> Self {
        let owned = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
        let known = known.iter().map(|words| owned(words)).collect();
        self.expect.among = Some(Among { kind: owned(kind), known, others });
        self
    }
}

/// A step of root's, unconfined, with a minute to end.
pub fn step(name: &str, argv: &[&str]) -> Step {
    Step {
        name: name.to_owned(),
        argv: argv.iter().map(|&word| word.to_owned()).collect(),
        env: Default::default(),
        stdin: String::new(),
        user: canc_guest::User::default(),
        seconds: 60,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_parses() {
        let names = Kind::names().unwrap();
        assert!(names.len() >= 4, "{names:?}");
        names.iter().for_each(|name| drop(Kind::named(name).unwrap()));
    }

    #[test]
    fn profiles_of_a_kind_are_loaded_before_anything_else() {
        let mut job = VmJob::new("j", "ubuntu-userns").unwrap();
        job.files = vec![File::text("/x", "")];
        job.setup = vec![step("own", &["/usr/bin/true"])];
        let whole = job.with_kind();
        let names: Vec<_> = whole.setup.iter().map(|step| step.name.as_str()).collect();
        assert_eq!(names, ["load no_userns", "load unprivileged_userns", "own"]);
        assert_eq!((whole.files.len(), whole.files[0].to.as_str()), (3, "/etc/apparmor.d/no_userns"));
    }

    #[test]
    fn an_unknown_kind_is_an_error_that_lists_the_known() {
        let error = Kind::named("debian12").unwrap_err().to_string();
        assert!(error.contains("debian12") && error.contains("debian13-none"), "{error}");
    }
}
