//! A bundle's files to bundles that start the probe: one with every layer, one for each layer alone, one with none.
//!
//! The artefacts stay as they are, but for Landlock's rulesets, which permit the probe itself: what a launch could not do without.

use super::Column;
use canc_bundle::{Artefact, Decision, LandlockPath, LandlockRulesets, MANIFEST, Manifest, PolicyEntry};
use canc_runtime::Layer;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::Path;

/// A bundle's files by path.
pub type Files = BTreeMap<String, Vec<u8>>;

/// A bundle that starts `probe` under what the column has.
///
/// # Errors
/// A file that the bundle lacks or that cannot be read, in one line.
pub fn variant(manifest: &Manifest, files: &Files, column: Column, probe: &Path) -> Result<Files, String> {
    let (mut manifest, mut files) = (manifest.clone(), files.clone());
    for policy in &mut manifest.policies {
        leave(policy, column);
        policy.launch.exec.push(canc_dsl::spell::literal_path(&probe.to_string_lossy()));
        if let Some(landlock) = &mut policy.landlock {
            admit(&mut landlock.rulesets, &mut files, probe)?;
        }
    }
    files.insert(MANIFEST.into(), serde_json::to_vec(&manifest).map_err(|e| e.to_string())?);
    Ok(files)
}

/// Takes out the layers that the column has not, and what the policy says of hosts without them.
fn leave(policy: &mut PolicyEntry, column: Column) {
    let has = |layer| column == Column::Only(layer);
    if column == Column::All {
        return;
    }
    let launch = &mut policy.launch;
    launch.demands.clear();
    launch.require_one_of.clear();
    let [selinux, apparmor] = [Layer::Selinux, Layer::Apparmor].map(has);
    if !selinux {
        policy.selinux = None;
        launch.separate_instances = false;
    }
    if !apparmor {
        policy.apparmor = None;
    }
    if !has(Layer::Landlock) {
        policy.landlock = None;
    }
    if !has(Layer::Seccomp) {
        policy.seccomp = None;
    }
    policy.decisions = vec![Decision {
        selinux,
        apparmor,
        landlock_from: 0,
        landlock_to: u32::MAX,
        refused: Vec::new(),
        accepted: Vec::new(),
    }];
}

/// Permits the probe in every ruleset of the artefact.
fn admit(artefact: &mut Artefact, files: &mut Files, probe: &Path) -> Result<(), String> {
    let odd = |e: String| format!("the bundle's `{}`: {e}", artefact.path);
    let bytes = files.get(&artefact.path).ok_or_else(|| odd("it is missing".into()))?;
    let mut rulesets: LandlockRulesets = serde_json::from_slice(bytes).map_err(|e| odd(e.to_string()))?;
    for ruleset in rulesets.values_mut().filter(|ruleset| ruleset.paths_of.is_none()) {
        let access = ["execute", "read_file"].map(str::to_owned);
        let access: Vec<_> = access.into_iter().filter(|word| ruleset.handled_fs.contains(word)).collect();
        if !access.is_empty() {
            let path = probe.to_string_lossy().into_owned();
            ruleset.paths.push(LandlockPath { path, access, optional: false, rules: Vec::new() });
        }
    }
    let bytes = serde_json::to_vec(&rulesets).map_err(|e| odd(e.to_string()))?;
    artefact.sha256 = Sha256::digest(&bytes).iter().map(|b| format!("{b:02x}")).collect();
    files.insert(artefact.path.clone(), bytes);
    Ok(())
}
