//! A bundle's directory to its manifest and to artefacts whose digests were verified.
//!
//! It must not know which tool will see them.

use super::{Answer, Check};
use canc_bundle::{Artefact, FORMAT, MANIFEST, Manifest, PolicyEntry};
use serde::de::IgnoredAny;
use sha2::{Digest, Sha256};
use std::path::{Component, Path, PathBuf};

/// A policy whose rules were not read: they only explain.
pub type Policy = PolicyEntry<IgnoredAny>;

/// An opened bundle.
pub struct Bundle {
    dir: PathBuf,
    /// What it says of itself.
    pub manifest: Manifest<IgnoredAny>,
}

impl Bundle {
    /// Reads the manifest.
    pub fn open(dir: &Path) -> Result<Self, String> {
        let file = dir.join(MANIFEST);
        let shown =
            |why: String| format!("`{}` is no bundle, such as `canc build` writes: {why}", dir.display());
        let text = std::fs::read(&file).map_err(|e| shown(format!("{MANIFEST}: {e}")))?;
        let manifest: Manifest<IgnoredAny> =
            serde_json::from_slice(&text).map_err(|e| shown(format!("{MANIFEST}: {e}")))?;
        match manifest.format {
            FORMAT => Ok(Self { dir: dir.to_owned(), manifest }),
            other => Err(shown(format!("its format is {other}, this canc reads {FORMAT}"))),
        }
    }

    /// The bytes that the compiler wrote, and no others.
    pub fn read(&self, artefact: &Artefact) -> Result<Vec<u8>, String> {
        let path = Path::new(&artefact.path);
        if path.components().any(|part| !matches!(part, Component::Normal(_))) {
            return Err(format!("`{}` lies outside the bundle", artefact.path));
        }
        let bytes = std::fs::read(self.dir.join(path)).map_err(|e| format!("{}: {e}", artefact.path))?;
        let digest: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        if digest == artefact.sha256 {
            Ok(bytes)
        } else {
            Err(format!("{} was altered after it was built", artefact.path))
        }
    }
}

/// A check with one file of one policy.
pub fn check(policy: &Policy, target: &'static str, file: &Artefact, tool: &str, answer: Answer) -> Check {
    let (policies, files) = (vec![policy.name.clone()], vec![file.path.clone()]);
    Check { policies, target, files, tool: tool.to_owned(), answer }
}
