//! The commands on installed policies: what a change will do, doing it whole or not at all, and what there is.

use super::conflicts;
use super::dropin::DropIn;
use super::kernel::{Facts, Kernel};
use super::labels::Labels;
use super::state::{Applied, State, module_names};
use super::store::{Entry, Journal, Store, with};
use super::{Change, Finding, Input, Is, Plan, Stop};
use crate::failure::Failure;
use crate::tools::Tools;
use crate::trusted;
use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Where to work, and how long to wait.
#[derive(Debug, Clone)]
pub struct Place {
    /// Another root than `/`: its files and its tools, and for its kernel files below its `sys`.
    pub root: Option<PathBuf>,
    /// How long to wait for another command.
    pub wait: Duration,
    /// How long a tool may take; `None` for the usual time.
    pub limit: Option<Duration>,
}

/// A host.
#[derive(Debug)]
pub struct Engine {
    pub(super) root: PathBuf,
    pub(super) store: Store,
    pub(super) kernel: Kernel,
    pub(super) tools: Tools,
    wait: Duration,
}

/// The host, which nobody else changes until this is dropped.
#[derive(Debug)]
pub struct Locked<'e> {
    engine: &'e Engine,
    /// What became of a change that did not come to its end; `None` where there was none.
    pub recovered: Option<String>,
    _lock: OwnedFd,
}

impl Engine {
    /// Opens it, whether anything is installed or not.
    ///
    /// # Errors
    /// A root or a store that others can change.
    pub fn open(place: &Place) -> Result<Self, Stop> {
        let root = place.root.clone().unwrap_or_else(|| "/".into());
        // What is called from there runs with this process's rights.
        trusted::open_directory(&root).map_err(Stop::Host)?;
        let recorded = place.root.is_some();
        Ok(Self {
            store: Store::open(&root)?,
            kernel: Kernel::new(&root, recorded),
            tools: Tools::below(&root, place.limit),
            wait: place.wait,
            root,
        })
    }

    /// Takes the lock, and brings to its end what an interrupted command began.
    ///
    /// # Errors
    /// The lock is held too long, or the interrupted change can be neither completed nor undone.
    pub fn lock(&self) -> Result<Locked<'_>, Stop> {
        let lock = self.store.lock(self.wait)?;
        let recovered = match self.store.journal()? {
            None => None,
            Some(mut journal) => {
                let did = journal.entry.did.clone();
                let done = self.perform(&mut journal, None);
                // That a tool refused is no failure of this command once the host is as it was.
                match done {
                    Err(stop) if self.store.journal()?.is_some() => return Err(stop),
                    Err(_) => Some(format!("`{did}` was interrupted, and is undone")),
                    Ok(()) if journal.undo => Some(format!("`{did}` was interrupted, and is undone")),
                    Ok(()) => Some(format!("`{did}` was interrupted, and is completed")),
                }
            }
        };
        Ok(Locked { engine: self, recovered, _lock: lock })
    }

    /// What is installed, and what somebody began and did not end.
    ///
    /// # Errors
    /// A damaged store.
    pub fn state(&self) -> Result<(State, Option<Journal>), Stop> {
        Ok((self.store.state(self.store.current()?.as_deref())?, self.store.journal()?))
    }

    /// How everything that is installed is. What an ordinary user may not ask about is unknown.
    ///
    /// # Errors
    /// A damaged store, or a kernel that does not answer root.
    pub fn look_at(&self, state: &State) -> Result<Vec<Finding>, Stop> {
        let look = || {
            let labels = Labels::open(&self.store)?;
            self.look(state, &self.kernel.facts()?, &labels)
        };
        match look() {
            Err(stop) if !rustix::process::geteuid().is_root() => Ok(state
                .policies
                .keys()
                .map(|policy| Finding {
                    policy: policy.clone(),
                    layer: "all".to_owned(),
                    is: Is::Unknown,
                    why: format!("root sees more ({})", stop.failure()),
                })
                .collect()),
            other => other,
        }
    }

    /// Where the store has the bundle of a policy.
    #[must_use]
    pub fn bundle_of(&self, applied: &Applied) -> PathBuf {
        self.store.bundle_path(&applied.bundle)
    }

    /// What the store keeps of the source of a policy.
    #[must_use]
    pub fn source_of(&self, applied: &Applied) -> Option<Vec<u8>> {
        self.store.source(&applied.bundle)
    }

    /// What was done so far, oldest first, and which generation is current.
    ///
    /// # Errors
    /// A damaged store.
    pub fn history(&self) -> Result<(Vec<Entry>, Option<String>), Stop> {
        Ok((self.store.history()?, self.store.current()?))
    }

    /// What an apply of these would do.
    ///
    /// # Errors
    /// A conflict with what is there, or a host that does not answer.
    pub fn plan(&self, inputs: &[Input]) -> Result<Plan, Stop> {
        let facts = self.kernel.facts()?;
        let from = self.state()?.0;
        let mut to = with(&from, inputs, (facts.apparmor.is_some(), facts.selinux.is_some()))?;
        conflicts::among(inputs)?;
        for input in inputs {
            self.plan_units(input, &from, &mut to)?;
        }
        // Where a source was is no difference.
        for (name, applied) in &mut to.policies {
            if let Some(old) = from.policies.get(name)
                && (Applied { origin: old.origin.clone(), ..applied.clone() }) == *old
            {
                applied.origin.clone_from(&old.origin);
            }
        }
        self.plan_to(from, to, &facts)
    }

    /// What a removal would do; of everything where no name is given.
    ///
    /// # Errors
    /// A policy that is not installed.
    pub fn plan_removal(&self, names: &[String]) -> Result<Plan, Stop> {
        let from = self.state()?.0;
        let mut to = from.clone();
        for name in names {
            if to.policies.remove(name).is_none() {
                let there = from.policies.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
                let there = if there.is_empty() {
                    "nothing is installed".into()
                } else {
                    format!("there are {there}")
                };
                return Err(Stop::No(Failure::refused(
                    format!("policy {name}"),
                    "it is not installed",
                    there,
                )));
            }
        }
        if names.is_empty() {
            to.policies.clear();
        }
        self.plan_to(from, to, &self.kernel.facts()?)
    }

    /// What going back would do: to a generation by its number or the beginning of its digest, or to the one before the current.
    ///
    /// # Errors
    /// There is none such.
    pub fn plan_rollback(&self, wanted: Option<&str>) -> Result<Plan, Stop> {
        let (history, current) = self.history()?;
        let found = match wanted {
            Some(wanted) => history.iter().rev().find(|e| {
                e.number.to_string() == wanted || (wanted.len() >= 6 && e.generation.starts_with(wanted))
            }),
            None => history.iter().rev().find(|e| Some(&e.generation) != current.as_ref()),
        };
        let Some(entry) = found else {
            let what = wanted.map_or("generation".to_owned(), |wanted| format!("generation {wanted}"));
            let why = "there is none such to go back to";
            return Err(Stop::No(Failure::refused(what, why, "`canc history` lists those that there are")));
        };
        let to = self.store.state(Some(&entry.generation))?;
        self.plan_to(self.state()?.0, to, &self.kernel.facts()?)
    }

    fn plan_to(&self, from: State, to: State, facts: &Facts) -> Result<Plan, Stop> {
        conflicts::with_host(self, &from, &to, facts)?;
        let labels = Labels::open(&self.store)?;
        let found = self.look(&from, facts, &labels)?;
        let mut changes = Vec::new();
        for (name, applied) in &to.policies {
            self.changes_of(name, applied, from.policies.get(name), &found, &mut changes);
        }
        for (name, applied) in from.policies.iter().filter(|(name, _)| !to.policies.contains_key(*name)) {
            let mut remove = |layer: &str, what: String, why: &str| {
                let (policy, layer, why) = (name.clone(), layer.to_owned(), why.to_owned());
                changes.push(Change { policy, layer, does: "remove", what, why });
            };
            if let Some(unit) = &applied.unit {
                let file = self.drop_in_file(&unit.unit).display().to_string();
                remove("unit", file, &format!("from its next start on, {} runs without it", unit.unit));
            }
            for declared in &applied.labelled {
                remove("labels", declared.clone(), "the labels from before are given back");
            }
            for module in applied.selinux.iter().flat_map(module_names) {
                remove("selinux", format!("module {module}"), "");
            }
            if let Some(entry) = &applied.apparmor {
                let why = "programs that run under it go on without it";
                remove("apparmor", format!("profile {}", entry.profile), why);
                remove("apparmor", self.profile_file(entry).display().to_string(), "");
            }
            remove("store", format!("policy {name}"), "");
        }
        Ok(Plan { from, to, changes })
    }

    fn changes_of(
        &self,
        name: &str,
        new: &Applied,
        old: Option<&Applied>,
        found: &[Finding],
        changes: &mut Vec<Change>,
    ) {
        let bad: BTreeMap<&str, &Finding> = found
            .iter()
            .filter(|f| f.policy == name && !f.is.is_good())
            .map(|f| (f.layer.as_str(), f))
            .collect();
        let mut change = |layer: &str, same: bool, had: bool, what: String| {
            let why = bad.get(layer).filter(|_| had).map(|f| f.why.clone());
            if same && why.is_none() {
                return;
            }
            let (does, why) = (if had { "replace" } else { "install" }, why.unwrap_or_default());
            changes.push(Change { policy: name.to_owned(), layer: layer.to_owned(), does, what, why });
        };
        let same = |of: fn(&Applied) -> Option<&str>| old.is_some_and(|old| of(old) == of(new));
        change("store", same(|a| Some(&a.bundle)), old.is_some(), format!("policy {name}"));
        if let Some(entry) = &new.apparmor {
            let same = same(|a| a.apparmor.as_ref().map(|e| e.source.sha256.as_str()));
            let had = old.is_some_and(|old| old.apparmor.is_some());
            change("apparmor", same, had, self.profile_file(entry).display().to_string());
            change("apparmor", same, had, format!("profile {}", entry.profile));
        }
        if let Some(entry) = &new.selinux {
            let same = old.is_some_and(|old| old.selinux == new.selinux);
            let had = old.is_some_and(|old| old.selinux.is_some());
            for module in module_names(entry) {
                change("selinux", same, had, format!("module {module}"));
            }
            for declared in &new.labelled {
                change("labels", same, had, declared.clone());
            }
        }
        self.unit_changes(name, (new, old), bad.get("unit").copied(), changes);
        if old.map(|old| &old.kept) != Some(&new.kept) || old.is_some_and(|old| old.bundle != new.bundle) {
            for layer in &new.kept {
                changes.push(Change {
                    policy: name.to_owned(),
                    layer: layer.clone(),
                    does: "keep",
                    what: format!("the bundle's files for {layer}"),
                    why: "this host's kernel does not run it".to_owned(),
                });
            }
        }
    }

    fn unit_changes(
        &self,
        name: &str,
        (new, old): (&Applied, Option<&Applied>),
        bad: Option<&Finding>,
        changes: &mut Vec<Change>,
    ) {
        let before = old.and_then(|old| old.unit.as_ref());
        let file = |unit: &DropIn| self.drop_in_file(&unit.unit).display().to_string();
        let mut change = |does, unit: &DropIn, why: String| {
            let (policy, layer) = (name.to_owned(), "unit".to_owned());
            changes.push(Change { policy, layer, does, what: file(unit), why });
        };
        if let Some(unit) = before.filter(|old| new.unit.as_ref().is_none_or(|new| new.unit != old.unit)) {
            change("remove", unit, format!("from its next start on, {} runs without it", unit.unit));
        }
        let Some(unit) = &new.unit else { return };
        let had = before.is_some_and(|old| old.unit == unit.unit);
        if had && before.is_some_and(|old| old.text == unit.text) && bad.is_none() {
            return;
        }
        let from_now = format!("in force from its next start on: systemctl restart {}", unit.unit);
        let bad = bad.filter(|_| had).map(|finding| finding.why.as_str()).unwrap_or_default();
        let parts: Vec<&str> =
            [bad, &from_now, &unit.note].into_iter().filter(|part| !part.is_empty()).collect();
        change(if had { "replace" } else { "install" }, unit, parts.join("; "));
    }
}

impl Locked<'_> {
    /// Does what a plan that was made under this lock says, and calls it `did` in the history.
    ///
    /// # Errors
    /// The host is as it was then, unless the failure says otherwise.
    pub fn apply(&self, plan: &Plan, inputs: &[Input], did: &str) -> Result<(), Stop> {
        let store = &self.engine.store;
        for input in inputs {
            store.put_bundle(input)?;
        }
        let to = store.put_state(&plan.to)?;
        let number = store.history()?.last().map_or(0, |last| last.number) + 1;
        let at = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let entry = Entry { number, generation: to.clone(), at, did: did.to_owned() };
        let mut journal = Journal { from: store.current()?, to, undo: false, entry };
        store.put_journal(&journal)?;
        // The plan was made under this lock.
        let touched = plan.changes.iter().map(|change| change.policy.clone()).collect();
        self.engine.perform(&mut journal, Some(&touched))
    }
}
