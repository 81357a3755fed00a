//! What should be installed against what the kernel, the store and the disk have: per policy and layer, in words.

use super::disk;
use super::engine::Engine;
use super::kernel::{Facts, Kernel};
use super::labels::{Labels, label_of};
use super::state::{Applied, State, digest, module_names};
use super::{Finding, Is, Stop};
use crate::loaded::{Record, module_source, place_below, profile_source, read_at};
use canc_bundle::{ApparmorEntry, SelinuxEntry};
use std::path::PathBuf;

/// Where the distribution's service finds profiles at boot, below the root.
const PROFILES: &str = "etc/apparmor.d";

impl Engine {
    /// A profile's file.
    pub(super) fn profile_file(&self, entry: &ApparmorEntry) -> PathBuf {
        self.root.join(PROFILES).join(&entry.profile)
    }

    /// Everything that is installed of a state, layer by layer.
    pub(super) fn look(&self, state: &State, facts: &Facts, labels: &Labels) -> Result<Vec<Finding>, Stop> {
        let mut out = Vec::new();
        for (name, applied) in &state.policies {
            let layers = [
                Some(("store", self.look_at_bundle(applied))),
                applied
                    .apparmor
                    .as_ref()
                    .map(|e| Ok(("apparmor", self.look_at_profile(e, facts)?)))
                    .transpose()?,
                applied
                    .selinux
                    .as_ref()
                    .map(|e| Ok(("selinux", self.look_at_module(e, facts)?)))
                    .transpose()?,
                self.look_at_labels(applied, facts, labels)?.map(|is| ("labels", is)),
                applied
                    .unit
                    .as_ref()
                    .map(|unit| Ok(("unit", self.look_at_unit(name, applied, unit)?)))
                    .transpose()?,
            ];
            let kept = applied.kept.iter().map(|layer| {
                (
                    layer.as_str(),
                    (Is::Kept, "this host's kernel does not run it; it stays in the store".to_owned()),
                )
            });
            for (layer, (is, why)) in layers.into_iter().flatten().chain(kept) {
                out.push(Finding { policy: name.clone(), layer: layer.to_owned(), is, why });
            }
        }
        Ok(out)
    }

    fn look_at_bundle(&self, applied: &Applied) -> (Is, String) {
        match self.store.bundle(&applied.bundle).map(|bundle| bundle.files()) {
            Ok(Ok((manifest, _))) if digest(&manifest) == applied.bundle => (Is::Installed, String::new()),
            Ok(Ok(_)) => (Is::Altered, "the manifest in the store was changed".to_owned()),
            Ok(Err(failure)) | Err(Stop::Host(failure) | Stop::No(failure)) => {
                (Is::Altered, failure.to_string())
            }
        }
    }

    pub(super) fn record(&self, layer: &str, name: &str) -> Option<Record> {
        read_at(&place_below(&self.root, layer, name)).unwrap_or_else(|why| Some(Record::Unreadable { why }))
    }

    pub(super) fn look_at_profile(&self, entry: &ApparmorEntry, facts: &Facts) -> Result<(Is, String), Stop> {
        let file = self.profile_file(entry);
        let shown = file.display();
        match disk::read(&file)? {
            None => return Ok((Is::Missing, format!("{shown} is gone"))),
            Some(bytes) if digest(&bytes) != entry.source.sha256 => {
                return Ok((Is::Altered, format!("{shown} was changed by hand")));
            }
            Some(_) => {}
        }
        let Some(profiles) = &facts.apparmor else {
            return Ok((Is::Off, "this host's kernel no longer runs AppArmor".to_owned()));
        };
        let Some(profile) = profiles.get(&entry.profile) else {
            return Ok((Is::Missing, format!("the kernel does not have the profile {}", entry.profile)));
        };
        let known = matches!(self.record("apparmor", &entry.profile), Some(Record::Known { source, kernel })
            if source == profile_source(entry) && kernel == profile.digest);
        let want = if entry.complain { "complain" } else { "enforce" };
        Ok(match profile.mode.as_str() {
            mode if mode != want => {
                (Is::Altered, format!("the kernel has the profile in {mode} mode, not {want}"))
            }
            _ if !known => (Is::Altered, "the kernel's profile is not the one that canc loaded".to_owned()),
            "complain" => (Is::Complain, "as the policy says, nothing is refused, only logged".to_owned()),
            _ if self.root.join(PROFILES).join("local").join(&entry.profile).exists() => {
                (Is::Installed, format!("with this site's additions in {PROFILES}/local/{}", entry.profile))
            }
            _ => (Is::Installed, String::new()),
        })
    }

    pub(super) fn look_at_module(&self, entry: &SelinuxEntry, facts: &Facts) -> Result<(Is, String), Stop> {
        let Some(selinux) = &facts.selinux else {
            return Ok((Is::Off, "this host's kernel no longer runs SELinux".to_owned()));
        };
        if let Some(name) = module_names(entry).iter().find(|name| !selinux.modules.contains(*name)) {
            return Ok((Is::Missing, format!("SELinux's store does not have the module {name}")));
        }
        if !self.kernel.knows_type(&entry.domain)? {
            return Ok((Is::Missing, format!("the loaded policy does not have the type {}", entry.domain)));
        }
        let found = self.modules_digest(entry, &selinux.priorities)?;
        let known = matches!(self.record("selinux", &entry.domain), Some(Record::Known { source, kernel })
            if source == module_source(entry) && kernel == found);
        Ok(match (known, selinux.enforcing) {
            (false, _) => {
                (Is::Altered, "the module in SELinux's store is not the one that canc installed".to_owned())
            }
            (true, false) => (Is::Permissive, "this host's SELinux is permissive: setenforce 1".to_owned()),
            (true, true) if entry.permissive => {
                (Is::Complain, "as the policy says, nothing is refused, only logged".to_owned())
            }
            (true, true) => (Is::Installed, String::new()),
        })
    }

    /// What is remembered of the modules of an entry.
    pub(super) fn modules_digest(
        &self,
        entry: &SelinuxEntry,
        priorities: &[PathBuf],
    ) -> Result<Option<String>, Stop> {
        let mut found = Vec::new();
        for name in module_names(entry) {
            found.extend(Kernel::module_digest(&name, priorities)?);
        }
        Ok((!found.is_empty()).then(|| digest(found.join(" ").as_bytes())))
    }

    fn look_at_labels(
        &self,
        applied: &Applied,
        facts: &Facts,
        labels: &Labels,
    ) -> Result<Option<(Is, String)>, Stop> {
        if facts.selinux.is_none() || applied.labelled.is_empty() {
            return Ok(None);
        }
        for declared in &applied.labelled {
            let Some(found) = label_of(&self.root, declared)? else { continue };
            match labels.given.get(declared) {
                None => return Ok(Some((Is::Missing, format!("{declared} did not get its label")))),
                Some(given) if *given != found => {
                    return Ok(Some((Is::Altered, format!("{declared} has the label {found}, not {given}"))));
                }
                Some(_) => {}
            }
        }
        Ok(Some((Is::Installed, String::new())))
    }
}
