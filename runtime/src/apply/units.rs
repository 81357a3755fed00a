//! Services of applied policies: their drop-ins planned, looked at, written and taken away.

use super::disk;
use super::dropin::{Asked, DropIn};
use super::engine::Engine;
use super::service::{ADMIN, DROP_IN, Service, no};
use super::state::{Applied, State};
use super::{Input, Is, Stop, Units};
use crate::plan::Policy;
use crate::tools::Workplace;
use crate::trusted;
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

/// What systemd makes where it is the service manager: sd_booted(3).
const BOOTED: &str = "run/systemd/system";

impl Engine {
    fn drop_in_dir(&self, unit: &str) -> PathBuf {
        self.root.join(ADMIN).join(format!("{unit}.d"))
    }

    /// The file of a drop-in.
    pub(super) fn drop_in_file(&self, unit: &str) -> PathBuf {
        self.drop_in_dir(unit).join(DROP_IN)
    }

    /// Gives the policies of a bundle their services.
    pub(super) fn plan_units(&self, input: &Input, from: &State, to: &mut State) -> Result<(), Stop> {
        let policies = input.bundle.policies();
        for policy in policies {
            let before = from.policies.get(&policy.name).and_then(|applied| applied.unit.as_ref());
            let wanted = match &input.units {
                Units::None => None,
                Units::Of(name, unit) if *name == policy.name => Some(unit.as_str()),
                _ => before.map(|drop_in| drop_in.unit.as_str()),
            };
            let Some(wanted) = wanted else { continue };
            let Some(applied) = to.policies.get(&policy.name) else { continue };
            let mut drop_in = self.drop_in(wanted, policy, applied)?;
            // Whoever made the directory, did so once.
            let same = from.drop_ins().find(|old| old.unit == wanted);
            let dir = self.drop_in_dir(wanted);
            drop_in.made = match same {
                Some(old) => old.made,
                None => disk::known(fs::symlink_metadata(&dir)).map_err(disk::at(&dir))?.is_none(),
            };
            if same.is_none() && disk::read(&self.drop_in_file(wanted))?.is_some() {
                let file = self.drop_in_file(wanted).display().to_string();
                let why = "it is in the place of canc's drop-in, and canc did not install it";
                return no(file, why, "see what it is, and move it away".into());
            }
            if let Some(applied) = to.policies.get_mut(&policy.name) {
                applied.unit = Some(drop_in);
            }
        }
        one_policy_each(to)
    }

    fn drop_in(&self, unit: &str, policy: &Policy, applied: &Applied) -> Result<DropIn, Stop> {
        let parent = self.root.join(ADMIN);
        for dir in [&parent, &self.drop_in_dir(unit)] {
            if disk::known(fs::symlink_metadata(dir)).map_err(disk::at(dir))?.is_some() {
                trusted::open_directory(dir).map_err(Stop::Host)?;
            }
        }
        let service = Service::read(&self.root, unit)?;
        let level = self.kernel.level()?;
        Asked { root: &self.root, service: &service, policy, applied, level }.drop_in()
    }

    /// A service's drop-in, and whether what it was made from is what it was.
    pub(super) fn look_at_unit(
        &self,
        name: &str,
        applied: &Applied,
        unit: &DropIn,
    ) -> Result<(Is, String), Stop> {
        let file = self.drop_in_file(&unit.unit);
        match disk::read(&file)? {
            None => return Ok((Is::Missing, format!("{} is gone", file.display()))),
            Some(bytes) if bytes != unit.text.as_bytes() => {
                return Ok((Is::Altered, format!("{} was changed by hand", file.display())));
            }
            Some(_) => {}
        }
        // A bundle that is damaged is said of the store.
        let Ok(bundle) = self.store.bundle(&applied.bundle) else {
            return Ok((Is::Installed, String::new()));
        };
        let Some(policy) = bundle.policies().iter().find(|policy| policy.name == *name) else {
            return Ok((Is::Installed, String::new()));
        };
        Ok(match self.drop_in(&unit.unit, policy, applied) {
            Ok(now) if now.text == unit.text => (Is::Installed, unit.unit.clone()),
            Ok(_) => {
                (Is::Altered, format!("{} starts something else since: apply the policy again", unit.unit))
            }
            Err(Stop::No(failure)) => (Is::Altered, failure.to_string().replace("\n  ", "; ")),
            Err(stop) => return Err(stop),
        })
    }

    /// Writes the drop-ins of one generation, takes those away that only the other has, and lets systemd read them.
    pub(super) fn change_units(&self, from: &State, to: &State, place: &Workplace) -> Result<(), Stop> {
        for unit in to.drop_ins() {
            let file = self.drop_in_file(&unit.unit);
            if disk::read(&file)?.as_deref() != Some(unit.text.as_bytes()) {
                disk::directory(&self.drop_in_dir(&unit.unit))?;
                disk::replace(&file, unit.text.as_bytes())?;
            }
        }
        for unit in from.drop_ins().filter(|old| !to.drop_ins().any(|new| new.unit == old.unit)) {
            let file = self.drop_in_file(&unit.unit);
            disk::remove(&disk::fresh(&file))?;
            disk::remove_for_good(&file)?;
            let dir = self.drop_in_dir(&unit.unit);
            // Where somebody put another drop-in beside it, it stays.
            if unit.made && fs::remove_dir(&dir).is_ok() {
                disk::sync_dir(&self.root.join(ADMIN))?;
            }
        }
        let any = from.drop_ins().next().is_some() || to.drop_ins().next().is_some();
        if any && self.root.join(BOOTED).is_dir() {
            self.tools.run("systemctl", &["daemon-reload"], place).map_err(Stop::Host)?;
        }
        Ok(())
    }
}

/// A service runs under one policy.
fn one_policy_each(to: &State) -> Result<(), Stop> {
    let mut seen = BTreeSet::new();
    match to.drop_ins().find(|unit| !seen.insert(&unit.unit)) {
        None => Ok(()),
        Some(unit) => no(
            format!("unit {}", unit.unit),
            "two policies claim it",
            "apply one of them with --no-unit".into(),
        ),
    }
}
