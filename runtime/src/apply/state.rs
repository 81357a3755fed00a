//! What is installed, as data: a generation is a file of it, and its digest is the generation's name.

use super::Stop;
use super::dropin::DropIn;
use crate::bundle::Bundle;
use crate::failure::Failure;
use crate::load::{contexts, labelled};
use crate::plan::Policy;
use canc_bundle::{ApparmorEntry, SelinuxEntry};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// Everything that canc installed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// By name.
    pub policies: BTreeMap<String, Applied>,
}

/// One policy and what of it is installed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Applied {
    /// The digest of its bundle's manifest, which is the bundle's name in the store.
    pub bundle: String,
    /// The digest of the source that the bundle was built from.
    pub source: String,
    /// Where that source was, where it was compiled for this.
    pub origin: Option<String>,
    /// The profile, where this host's kernel has AppArmor.
    pub apparmor: Option<ApparmorEntry>,
    /// The module, where this host's kernel has SELinux.
    pub selinux: Option<SelinuxEntry>,
    /// The paths that the module's labels begin at.
    pub labelled: BTreeSet<String>,
    /// Patterns of programs that enter the policy whoever starts them.
    pub attach: Vec<String>,
    /// Layers of the bundle that this host has no use for.
    pub kept: Vec<String>,
    /// The drop-in of the service that runs under it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<DropIn>,
}

impl State {
    /// The generation's name.
    pub fn digest(&self) -> String {
        digest(&self.bytes())
    }

    /// What its file holds.
    pub fn bytes(&self) -> Vec<u8> {
        // Maps have string keys, so writing cannot fail.
        serde_json::to_vec_pretty(self).unwrap_or_default()
    }

    /// The profiles of all policies.
    pub fn profiles(&self) -> impl Iterator<Item = (&Applied, &ApparmorEntry)> {
        self.policies.values().filter_map(|applied| Some((applied, applied.apparmor.as_ref()?)))
    }

    /// The modules of all policies.
    pub fn modules(&self) -> impl Iterator<Item = (&Applied, &SelinuxEntry)> {
        self.policies.values().filter_map(|applied| Some((applied, applied.selinux.as_ref()?)))
    }

    /// The drop-ins of all policies.
    pub fn drop_ins(&self) -> impl Iterator<Item = &DropIn> {
        self.policies.values().filter_map(|applied| applied.unit.as_ref())
    }

    /// Where labels begin.
    pub fn labelled(&self) -> BTreeSet<&str> {
        self.policies.values().flat_map(|applied| applied.labelled.iter().map(String::as_str)).collect()
    }
}

/// The names of the modules that an entry brings, its ports' side module among them.
pub fn module_names(entry: &SelinuxEntry) -> Vec<String> {
    let ports = entry.ports.as_ref().map(|ports| {
        let name = ports.path.rsplit('/').next().unwrap_or_default();
        name.strip_suffix(".cil").unwrap_or(name).to_owned()
    });
    std::iter::once(entry.module.clone()).chain(ports).collect()
}

/// What a policy of a bundle comes to on a host with these layers.
pub fn applied(
    bundle: &Bundle,
    policy: &Policy,
    name: &str,
    origin: Option<&str>,
    (apparmor, selinux): (bool, bool),
) -> Result<Applied, Stop> {
    check_name(&policy.name)?;
    let profile = policy.apparmor.as_ref().filter(|_| apparmor);
    let module = policy.selinux.as_ref().filter(|_| selinux);
    for name in profile.iter().map(|p| &p.profile).chain(module.iter().flat_map(|m| [&m.module, &m.domain])) {
        check_name(name)?;
    }
    let labels = match module {
        Some(entry) => labelled(&contexts(bundle, entry).map_err(Stop::Host)?),
        None => Vec::new(),
    };
    let unused = [
        ("apparmor", policy.apparmor.is_some() && !apparmor),
        ("selinux", policy.selinux.is_some() && !selinux),
    ];
    Ok(Applied {
        bundle: name.to_owned(),
        source: bundle.source().to_owned(),
        origin: origin.map(str::to_owned),
        apparmor: profile.cloned(),
        selinux: module.cloned(),
        labelled: labels.into_iter().collect(),
        attach: policy.launch.attach.clone(),
        kept: unused.iter().filter(|(_, unused)| *unused).map(|(layer, _)| (*layer).to_owned()).collect(),
        unit: None,
    })
}

/// Names become file names and words of tools.
fn check_name(name: &str) -> Result<(), Stop> {
    let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-');
    if !name.is_empty() && !name.starts_with(['.', '-']) && name.bytes().all(good) {
        return Ok(());
    }
    Err(Stop::Host(Failure::refused(
        format!("name {name:?}"),
        "no compiler makes it",
        "build the bundle again",
    )))
}

/// SHA-256 in hexadecimal.
pub fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}
