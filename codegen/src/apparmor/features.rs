//! What a kernel and a policy ABI say they mediate, from the text that `apparmor_parser -M` accepts to answers.
//!
//! It must not know what any rule becomes.

use std::collections::BTreeMap;
use std::fmt;

/// The version of the profile language that is written; `--apparmor-abi`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Abi {
    /// `abi/3.0`: what parsers from 3.0 on read.
    V3,
    /// `abi/4.0`
    #[default]
    V4,
}

impl Abi {
    /// The number on the command line and in profiles.
    #[must_use]
    pub fn number(self) -> &'static str {
        match self {
            Self::V3 => "3.0",
            Self::V4 => "4.0",
        }
    }

    /// The features that a profile of this ABI speaks of.
    fn features(self) -> Result<FeatureSet, FeaturesError> {
        FeatureSet::parse(match self {
            Self::V3 => include_str!("../../data/apparmor/features/abi-3.0"),
            Self::V4 => include_str!("../../data/apparmor/features/abi-4.0"),
        })
    }
}

/// The name of the feature set that verdicts rest on where none is chosen.
pub const DEFAULT_FEATURES: &str = "debian13";

/// The feature set recorded from the kernel of Debian 13 (6.12).
pub const DEBIAN13: &str = include_str!("../../data/apparmor/features/debian13");

/// A text that is no feature set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeaturesError {
    /// Where, as a byte offset.
    pub at: usize,
}

impl fmt::Display for FeaturesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not an AppArmor feature set: unexpected text at byte {}", self.at)
    }
}

impl std::error::Error for FeaturesError {}

/// The files of `/sys/kernel/security/apparmor/features` by path, with their words.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FeatureSet {
    files: BTreeMap<String, Vec<String>>,
}

/// How deep directories of features may nest.
const MAX_DEPTH: usize = 16;

impl FeatureSet {
    /// Parses the form in which the parser keeps a feature directory: `name {…}` with words or further entries in it.
    ///
    /// # Errors
    /// Where the text is not of that form.
    pub fn parse(text: &str) -> Result<Self, FeaturesError> {
        let mut out = Self::default();
        let mut path: Vec<String> = Vec::new();
        let mut at = 0;
        while let Some(rest) = text.get(at..).filter(|r| !r.trim_start().is_empty()) {
            let start = at + (rest.len() - rest.trim_start().len());
            let rest = rest.trim_start();
            if let Some(after) = rest.strip_prefix('}') {
                path.pop().ok_or(FeaturesError { at: start })?;
                at = text.len() - after.len();
                continue;
            }
            let end = rest.find(['{', '}']).ok_or(FeaturesError { at: start })?;
            let (words, delimiter) = rest.split_at(end);
            let words: Vec<String> = words.split_whitespace().map(Into::into).collect();
            at = start + end;
            match (delimiter.starts_with('{'), words.as_slice()) {
                (true, [name]) if path.len() < MAX_DEPTH => {
                    path.push(name.clone());
                    at += 1;
                }
                (false, _) if !path.is_empty() => {
                    out.files.insert(path.join("/"), words);
                }
                _ => return Err(FeaturesError { at: start }),
            }
        }
        if path.is_empty() { Ok(out) } else { Err(FeaturesError { at: text.len() }) }
    }

    /// The words of a file; empty when there is no such file.
    pub fn words(&self, path: &str) -> impl Iterator<Item = &str> {
        self.files.get(path).into_iter().flatten().map(String::as_str)
    }

    /// Whether a file has a word.
    #[must_use]
    pub fn has(&self, path: &str, word: &str) -> bool {
        self.words(path).any(|w| w == word)
    }

    /// Whether a directory or file is there.
    #[must_use]
    pub fn knows(&self, path: &str) -> bool {
        self.files.keys().any(|k| k.strip_prefix(path).is_some_and(|r| r.is_empty() || r.starts_with('/')))
    }
}

/// What is mediated: what both the kernel and the ABI of the profile have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Features {
    abi: FeatureSet,
    kernel: FeatureSet,
    known: Known,
}

/// The answers that every rule asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Known {
    network: bool,
    network_operations: bool,
    af_unix: bool,
    userns: bool,
    posix_mqueue: bool,
    signal: bool,
    ptrace: bool,
    mount: bool,
    stack: bool,
}

impl Features {
    /// For profiles of `abi` on a kernel with these features.
    ///
    /// # Errors
    /// Never in practice: the ABIs' own feature sets are tested.
    pub fn new(abi: Abi, kernel: FeatureSet) -> Result<Self, FeaturesError> {
        let mut out = Self { abi: abi.features()?, kernel, known: Known::default() };
        let af_unix =
            |set: &FeatureSet| set.has("network_v8/af_unix", "yes") || set.has("network/af_unix", "yes");
        out.known = Known {
            network: out.both_know("network_v8"),
            network_operations: abi >= Abi::V4,
            af_unix: af_unix(&out.abi) && af_unix(&out.kernel),
            userns: out.both("namespaces/mask", "userns_create"),
            posix_mqueue: out.both("ipc/posix_mqueue", "create"),
            signal: out.both_know("signal"),
            ptrace: out.both_know("ptrace"),
            mount: out.both("mount/mask", "mount"),
            stack: out.both("domain/stack", "yes"),
        };
        Ok(out)
    }

    fn both(&self, path: &str, word: &str) -> bool {
        self.abi.has(path, word) && self.kernel.has(path, word)
    }

    fn both_know(&self, path: &str) -> bool {
        self.abi.knows(path) && self.kernel.knows(path)
    }

    /// Whether a socket family is known.
    #[must_use]
    pub fn family(&self, name: &str) -> bool {
        self.both("network_v8/af_mask", name)
    }

    /// Whether a capability is known by this name.
    #[must_use]
    pub fn capability(&self, name: &str) -> bool {
        self.both("caps/mask", name)
    }

    /// Whether sockets are mediated by family and type.
    #[must_use]
    pub fn network(&self) -> bool {
        self.known.network
    }

    /// Whether network rules may name operations; parsers before 4.0 do not read that.
    #[must_use]
    pub fn network_operations(&self) -> bool {
        self.known.network_operations
    }

    /// Whether unix sockets are mediated by name and peer. Kernels say so in one of two places.
    #[must_use]
    pub fn af_unix(&self) -> bool {
        self.known.af_unix
    }

    /// Whether making a user namespace is mediated.
    #[must_use]
    pub fn userns(&self) -> bool {
        self.known.userns
    }

    /// Whether POSIX message queues are mediated.
    #[must_use]
    pub fn posix_mqueue(&self) -> bool {
        self.known.posix_mqueue
    }

    /// Whether signals are mediated.
    #[must_use]
    pub fn signal(&self) -> bool {
        self.known.signal
    }

    /// Whether tracing is mediated.
    #[must_use]
    pub fn ptrace(&self) -> bool {
        self.known.ptrace
    }

    /// Whether mounts are mediated.
    #[must_use]
    pub fn mount(&self) -> bool {
        self.known.mount
    }

    /// Whether profiles can be stacked at an exec.
    #[must_use]
    pub fn stack(&self) -> bool {
        self.known.stack
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn features(abi: Abi) -> Features {
        Features::new(abi, FeatureSet::parse(DEBIAN13).unwrap()).unwrap()
    }

    #[test]
    fn the_recorded_kernel() {
        let f = features(Abi::V4);
        assert!(f.network() && f.signal() && f.ptrace() && f.mount() && f.userns() && f.stack());
        assert!(f.family("inet6") && f.family("mctp") && f.capability("checkpoint_restore"));
        // What Debian 13's kernel does not mediate although the ABI speaks of it.
        assert!(!f.af_unix() && !f.posix_mqueue());
        // What the ABI does not speak of although the kernel could.
        assert!(f.kernel.knows("io_uring") && !f.abi.knows("io_uring"));
    }

    #[test]
    fn an_older_abi_says_less() {
        let f = features(Abi::V3);
        assert!(!f.userns() && !f.capability("checkpoint_restore") && !f.family("mctp"));
        assert!(f.network() && f.signal() && f.capability("bpf"));
        let own = Features::new(Abi::V4, Abi::V4.features().unwrap()).unwrap();
        assert!(own.af_unix() && own.posix_mqueue());
    }

    #[test]
    fn a_text_that_is_no_feature_set_is_refused_with_its_place() {
        for (text, at) in [
            ("a", 0),
            ("a {b", 3),
            ("a {b {c\n}", 9),
            ("}", 0),
            ("a b {c\n}", 0),
            ("a {b\n}\n}", 7),
            ("x\n}", 0),
        ] {
            assert_eq!(FeatureSet::parse(text), Err(FeaturesError { at }), "{text:?}");
        }
        assert!(FeatureSet::parse(&"a {".repeat(1000)).is_err());
        assert_eq!(FeatureSet::parse("").unwrap(), FeatureSet::default());
    }
}
