//! A bundle on disk or in memory to its manifest and to artefacts whose digests were verified. It knows no host.

use crate::failure::Failure;
use crate::plan::Policy;
use crate::sys::{Instruction, MAX_INSTRUCTIONS};
use crate::trusted;
use canc_bundle::{Artefact, FORMAT, LandlockRuleset, MANIFEST, Manifest};
use rustix::fs::{FileType, Mode, OFlags, ResolveFlags, fstat, openat2};
use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

/// The largest manifest that is read, in bytes: a policy of a hundred thousand rules with long verdicts.
const MAX_MANIFEST: u64 = 256 << 20;
/// The largest artefact that a launch reads, in bytes.
const MAX_ARTEFACT: u64 = 64 << 20;
/// Bytes of an instruction in a filter file: `struct sock_filter`.
const INSTRUCTION: usize = 8;

/// Files by their path in the bundle.
pub type Files = Vec<(String, Vec<u8>)>;

/// An opened bundle.
#[derive(Debug)]
pub struct Bundle {
    manifest: Manifest<IgnoredAny>,
    place: Place,
}

#[derive(Debug)]
enum Place {
    Directory(OwnedFd, PathBuf),
    Memory(BTreeMap<String, Vec<u8>>),
}

impl Bundle {
    /// Opens the directory once and reads its manifest.
    ///
    /// # Errors
    /// A directory or a path to it that others can change, a file that is no regular one, a manifest that is damaged, too large or of
    /// another format.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        let place = Place::Directory(trusted::open_directory(path)?, path.to_owned());
        let manifest = parse(&place.read(MANIFEST, MAX_MANIFEST)?)?;
        Ok(Self { manifest, place })
    }

    /// A bundle that was never written: its manifest's bytes and its files by path.
    ///
    /// # Errors
    /// A manifest that is damaged or of another format.
    pub fn from_memory(manifest: &[u8], files: BTreeMap<String, Vec<u8>>) -> Result<Self, Failure> {
        Ok(Self { manifest: parse(manifest)?, place: Place::Memory(files) })
    }

    /// The policy of this name; without a name, the only one that something other than a policy may start.
    ///
    /// # Errors
    /// No such policy, or several to choose from.
    pub fn policy(&self, name: Option<&str>) -> Result<&Policy, Failure> {
        let policies = &self.manifest.policies;
        let names = || policies.iter().map(|p| p.name.as_str()).collect::<Vec<_>>().join(", ");
        if let Some(name) = name {
            return policies.iter().find(|p| p.name == name).ok_or_else(|| {
                Failure::refused(
                    format!("policy {name}"),
                    "the bundle has none of this name",
                    format!("it has: {}", names()),
                )
            });
        }
        let direct = |p: &&Policy| p.launch.launch_from.iter().any(|f| !f.starts_with("policy "));
        let mut candidates = policies.iter().filter(direct);
        match (candidates.next(), candidates.next()) {
            (Some(policy), None) => Ok(policy),
            (None, _) => Err(Failure::refused("bundle", "it has no policy that can be started directly", "")),
            (Some(_), Some(_)) => Err(Failure::refused(
                "bundle",
                "it has several policies",
                format!("choose one: --policy {}", names()),
            )),
        }
    }

    /// The filters, first to last, each verified.
    ///
    /// # Errors
    /// A file that is missing, altered or no program.
    pub fn filters(&self, programs: &[Artefact]) -> Result<Vec<Vec<Instruction>>, Failure> {
        programs.iter().map(|artefact| self.filter(artefact)).collect()
    }

    fn filter(&self, artefact: &Artefact) -> Result<Vec<Instruction>, Failure> {
        let bytes = self.verified(artefact)?;
        let (instructions, rest) = bytes.as_chunks::<INSTRUCTION>();
        if !rest.is_empty() || instructions.is_empty() || instructions.len() > MAX_INSTRUCTIONS {
            let why = format!("{} bytes are no filter", bytes.len());
            return Err(Failure::refused(&artefact.path, why, "build the bundle again"));
        }
        Ok(instructions.iter().map(|i| decode(*i)).collect())
    }

    /// The Landlock ruleset for a kernel: that of the highest ABI which the kernel has too.
    ///
    /// # Errors
    /// A file that is missing, altered or damaged, or has nothing for this ABI.
    pub fn ruleset(&self, artefact: &Artefact, abi: u32) -> Result<LandlockRuleset, Failure> {
        let bytes = self.verified(artefact)?;
        let damaged =
            |e: serde_json::Error| Failure::refused(&artefact.path, e.to_string(), "build the bundle again");
        let all: BTreeMap<u32, IgnoredAny> = serde_json::from_slice(&bytes).map_err(damaged)?;
        let Some((best, _)) = all.range(..=abi).next_back() else {
            let why = format!("it has no ruleset for ABI {abi}");
            return Err(Failure::refused(&artefact.path, why, "build the bundle again"));
        };
        let one = |abi| {
            OneRuleset(abi).deserialize(&mut serde_json::Deserializer::from_slice(&bytes)).map_err(damaged)
        };
        let ruleset = one(*best)?;
        match ruleset.paths_of {
            None => Ok(ruleset),
            Some(of) => Ok(ruleset.with_paths(one(of)?.paths)),
        }
    }

    /// The bytes of any artefact, verified.
    ///
    /// # Errors
    /// A file that is missing or altered.
    pub fn bytes(&self, artefact: &Artefact) -> Result<Vec<u8>, Failure> {
        self.verified(artefact)
    }

    /// The manifest's bytes, and each of its artefacts, verified: everything that a launch can ask for.
    ///
    /// # Errors
    /// A file that is missing or altered.
    pub fn files(&self) -> Result<(Vec<u8>, Files), Failure> {
        let bytes = self.place.read(MANIFEST, MAX_MANIFEST)?;
        let manifest = parse(&bytes)?;
        let mut files = Vec::new();
        for artefact in manifest.policies.iter().flat_map(artefacts) {
            files.push((artefact.path.clone(), self.verified(artefact)?));
        }
        Ok((bytes, files))
    }

    /// Everything that the manifest says of policies.
    #[must_use]
    pub fn policies(&self) -> &[Policy] {
        &self.manifest.policies
    }

    /// The digest of the source that was compiled.
    pub(crate) fn source(&self) -> &str {
        &self.manifest.source.sha256
    }

    fn verified(&self, artefact: &Artefact) -> Result<Vec<u8>, Failure> {
        let bytes = self.place.read(&artefact.path, MAX_ARTEFACT)?;
        let found: String = Sha256::digest(&bytes).iter().map(|b| format!("{b:02x}")).collect();
        if found == artefact.sha256 {
            return Ok(bytes);
        }
        let why = format!("its digest is {found}, the manifest says {}", artefact.sha256);
        Err(Failure::refused(&artefact.path, why, "it was altered after the build: build the bundle again"))
    }
}

/// The files of a policy.
pub(crate) fn artefacts(policy: &Policy) -> impl Iterator<Item = &Artefact> {
    let selinux = policy.selinux.iter().flat_map(|s| [Some(&s.te), Some(&s.fc), s.ports.as_ref()]).flatten();
    let seccomp = policy.seccomp.iter().flat_map(|s| s.programs.values().flatten().chain([&s.listing]));
    let apparmor = policy.apparmor.iter().map(|a| &a.source);
    let landlock = policy.landlock.iter().map(|l| &l.rulesets);
    selinux.chain(apparmor).chain(seccomp).chain(landlock)
}

/// Reads one ruleset of a [`canc_bundle::LandlockRulesets`] and passes over the others, which are as many as there are ABIs.
struct OneRuleset(u32);

impl<'de> DeserializeSeed<'de> for OneRuleset {
    type Value = LandlockRuleset;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<LandlockRuleset, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for OneRuleset {
    type Value = LandlockRuleset;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rulesets by ABI, {} among them", self.0)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<LandlockRuleset, A::Error> {
        let mut found = None;
        while let Some(abi) = map.next_key::<u32>()? {
            if abi == self.0 {
                found = Some(map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        found.ok_or_else(|| A::Error::custom("the ruleset is gone"))
    }
}

/// `struct sock_filter` in the byte order of the architecture that it is for; canc's architectures are all little-endian.
fn decode(bytes: [u8; INSTRUCTION]) -> Instruction {
    let [c0, c1, jump_true, jump_false, k0, k1, k2, k3] = bytes;
    Instruction {
        code: u16::from_le_bytes([c0, c1]),
        jump_true,
        jump_false,
        operand: u32::from_le_bytes([k0, k1, k2, k3]),
    }
}

fn parse(bytes: &[u8]) -> Result<Manifest<IgnoredAny>, Failure> {
    /// What every format has.
    #[derive(Deserialize)]
    struct Versioned {
        format: u32,
    }
    let damaged = |e: serde_json::Error| Failure::refused(MANIFEST, e.to_string(), "build the bundle again");
    match serde_json::from_slice(bytes) {
        Ok(manifest) => {
            let Manifest { format, .. } = &manifest;
            if *format == FORMAT { Ok(manifest) } else { Err(other_format(*format)) }
        }
        // A field that this version does not know is told apart from damage by the format's number.
        Err(error) => match serde_json::from_slice::<Versioned>(bytes) {
            Ok(Versioned { format }) if format != FORMAT => Err(other_format(format)),
            _ => Err(damaged(error)),
        },
    }
}

fn other_format(format: u32) -> Failure {
    let remedy = "use a canc-run of the version that built the bundle, or build it again";
    Failure::refused(
        MANIFEST,
        format!("it has format {format}, and this canc-run reads format {FORMAT}"),
        remedy,
    )
}

impl Place {
    fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>, Failure> {
        match self {
            Self::Directory(directory, shown) => read_file(directory, path, limit).map_err(|why| {
                Failure::refused(shown.join(path).display().to_string(), why, "build the bundle again")
            }),
            Self::Memory(files) => files
                .get(path)
                .cloned()
                .ok_or_else(|| Failure::refused(path, "the bundle lacks it", "build it again")),
        }
    }
}

/// Reads a regular file below the directory, following no link and leaving the directory by no way.
fn read_file(directory: &OwnedFd, path: &str, limit: u64) -> Result<Vec<u8>, String> {
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    // Without blocking, so that a FIFO in its place is an error and not a wait.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let text = |e: rustix::io::Errno| format!("cannot open it: {}", std::io::Error::from(e));
    let file = openat2(directory, path, flags, Mode::empty(), resolve).map_err(text)?;
    let stat = fstat(&file).map_err(text)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err("it is no regular file".into());
    }
    trusted::check(&stat, Path::new(path))
        .map_err(|f| f.reasons.into_iter().map(|r| r.why).collect::<String>())?;
    let mut bytes = Vec::with_capacity(usize::try_from(stat.st_size).unwrap_or(0).min(1 << 20));
    let read = File::from(file)
        .take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| format!("cannot read it: {e}"))?;
    if read as u64 > limit { Err(format!("it has more than {limit} bytes")) } else { Ok(bytes) }
}
