//! The front end's door: source bytes and a loader in, a checked [`PolicySet`] and diagnostics out.

use crate::diag::Diagnostic;
use crate::policy::PolicySet;
use crate::sink::Sink;
use crate::source::SourceMap;
use crate::{check, parse as front, resolve};
use canc_sets::syscalls::Arch;
use std::collections::BTreeMap;
use std::fmt;

/// A version of two numbers, such as that of AppArmor's policy ABI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Version {
    /// Before the dot.
    pub major: u16,
    /// After the dot.
    pub minor: u16,
}

impl Version {
    /// Reads `4.0`, or `4` for `4.0`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (major, minor) = text.split_once('.').unwrap_or((text, "0"));
        let number = |t: &str| t.bytes().all(|b| b.is_ascii_digit()).then(|| t.parse().ok()).flatten();
        Some(Self { major: number(major)?, minor: number(minor)? })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// What the caller decides about a compilation.
#[derive(Debug, Clone)]
pub struct Options {
    /// Values of parameters, as `--set NAME=VALUE` gives them; those of a file used `as web` are named `web.NAME`.
    pub parameters: BTreeMap<String, String>,
    /// What `selinux.base` is in `when`.
    pub selinux_base: String,
    /// What `apparmor.abi` is in `when`.
    pub apparmor_abi: Version,
    /// The architectures that filters are made for: what `arch` may be in `when`, and where a call that is missing is a note.
    pub arches: Vec<Arch>,
    /// Whether `raw` is accepted, in the first file alone.
    pub allow_raw: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            parameters: BTreeMap::new(),
            selinux_base: "debian13".into(),
            apparmor_abi: Version { major: 4, minor: 0 },
            arches: vec![Arch::X86_64, Arch::Aarch64, Arch::Riscv64],
            allow_raw: false,
        }
    }
}

/// A file that a `use` statement names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// What names the file to people, and what files that it uses are relative to.
    pub name: String,
    /// What tells this file from every other, however it was spelled.
    pub key: String,
    /// Its bytes; a loader need not read more than [`crate::limits::MAX_FILE_BYTES`] and one.
    pub bytes: Vec<u8>,
}

/// Why a file could not be loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadError {
    /// The reason: lower case, no full stop.
    pub message: String,
}

/// Where `use` statements get their files from. This crate reads none itself.
pub trait Loader {
    /// The file at `path`, relative to the file whose name is `relative_to`.
    ///
    /// # Errors
    /// When there is no such file, or it cannot be read.
    fn load(&self, relative_to: &str, path: &str) -> Result<Loaded, LoadError>;
}

/// A loader that has no files.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoFiles;

impl Loader for NoFiles {
    fn load(&self, _relative_to: &str, _path: &str) -> Result<Loaded, LoadError> {
        Err(LoadError { message: "no other file can be used here".into() })
    }
}

/// A loader of texts in memory, by name; names are taken as they are, relative to nothing.
#[derive(Debug, Clone, Default)]
pub struct MemoryFiles(pub BTreeMap<String, Vec<u8>>);

impl Loader for MemoryFiles {
    fn load(&self, _relative_to: &str, path: &str) -> Result<Loaded, LoadError> {
        let bytes = self.0.get(path).ok_or_else(|| LoadError { message: "no such file".into() })?;
        Ok(Loaded { name: path.into(), key: path.into(), bytes: bytes.clone() })
    }
}

/// What a compilation gives.
#[derive(Debug)]
pub struct Compilation {
    /// All texts: the first is the file compiled.
    pub sources: SourceMap,
    /// Errors, warnings and notes in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
    /// The policies and tests; `Some` exactly when there is no error.
    pub policies: Option<PolicySet>,
}

/// Compiles the text `bytes`, which people know as `name`.
#[must_use]
pub fn compile(name: &str, bytes: &[u8], loader: &dyn Loader, options: &Options) -> Compilation {
    let mut sink = Sink::default();
    let mut sources = SourceMap::default();
    let policies = run(name, bytes, loader, options, &mut sources, &mut sink);
    let policies = policies.filter(|_| sink.errors() == 0);
    Compilation { sources, diagnostics: sink.into_sorted(), policies }
}

fn run(
    name: &str,
    bytes: &[u8],
    loader: &dyn Loader,
    options: &Options,
    sources: &mut SourceMap,
    sink: &mut Sink,
) -> Option<PolicySet> {
    let units = resolve::load(name, bytes, loader, sources, sink)?;
    let values = resolve::Values::new(&units, sources, options, sink);
    let world = resolve::World { units: &units, values: &values, sources, options };
    let program = resolve::expand(world, sink);
    check::check(&program, world, sink)
}

/// The tree of one text, with what is wrong in it; for tools that look at the form of a text and not at its meaning.
#[must_use]
pub fn parse(name: &str, bytes: &[u8]) -> (SourceMap, crate::ast::File, Vec<Diagnostic>) {
    let mut sources = SourceMap::default();
    let mut sink = Sink::default();
    let file = sources.add(name, String::from_utf8_lossy(bytes).as_ref());
    let tree = match front::scan(file, bytes, &mut sink) {
        Some(text) if sink.errors() == 0 => front::parse(file, text, &mut sink),
        _ => crate::ast::File { id: file, ..Default::default() },
    };
    (sources, tree, sink.into_sorted())
}
