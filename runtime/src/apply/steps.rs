//! The way from one generation to another, each step of which finds out whether it was done already: so that an interrupted one is
//! completed, or gone back, by doing it again.

use super::Stop;
use super::disk;
use super::engine::Engine;
use super::kernel::Facts;
use super::labels::{Labels, check, label_of};
use super::state::{State, module_names};
use super::store::Journal;
use crate::failure::{Failure, reason};
use crate::load::{contexts, given, install, label, package, replace_profile};
use crate::loaded::{Record, module_source, place_below, profile_source};
use crate::tools::Workplace;
use canc_bundle::{ApparmorEntry, SelinuxEntry};
use std::collections::BTreeSet;

/// Names of policies.
pub type Names = BTreeSet<String>;

impl Engine {
    /// Brings a change that is in the journal to its end: forwards, or, where that fails, back.
    ///
    /// # Errors
    /// Why it was undone. Where it could not be undone either, the journal stays, and the next command tries again.
    ///
    /// `touched` are the policies about which there is something to do, where somebody looked; otherwise each of them is looked at.
    pub(super) fn perform(&self, journal: &mut Journal, touched: Option<&Names>) -> Result<(), Stop> {
        let from = self.store.state(journal.from.as_deref())?;
        let to = self.store.state(Some(&journal.to))?;
        if journal.undo {
            self.change((&to, &from), journal.from.as_deref(), touched)?;
            return self.store.end_journal();
        }
        let Err(stop) = self.change((&from, &to), Some(&journal.to), touched) else {
            self.store.remember(&journal.entry)?;
            self.store.forget()?;
            return self.store.end_journal();
        };
        journal.undo = true;
        let undone = self
            .store
            .put_journal(journal)
            .and_then(|()| self.change((&to, &from), journal.from.as_deref(), touched))
            .and_then(|()| self.store.end_journal());
        Err(match undone {
            Ok(()) => also(stop, "undone", "the host is as it was before", ""),
            Err(second) => {
                let why = format!("going back failed too: {}", second.failure());
                also(
                    stop,
                    "not undone",
                    &why,
                    "mend that; the next canc command that changes the host goes back",
                )
            }
        })
    }

    /// One way or the other.
    fn change(
        &self,
        (from, to): (&State, &State),
        generation: Option<&str>,
        touched: Option<&Names>,
    ) -> Result<(), Stop> {
        let place = Workplace::below(&self.root).map_err(Stop::Host)?;
        // As they are before; what a step installs it reads back itself, and no other asks about that.
        let facts = self.kernel.facts()?;
        let mut new = to.clone();
        new.policies.retain(|name, _| touched.is_none_or(|touched| touched.contains(name)));
        self.install_profiles(&new, &facts, &place)?;
        self.install_modules(&new, &facts, &place)?;
        self.give_labels(&new, &facts, &place)?;
        self.store.switch(generation)?;
        self.change_units(from, to, &place)?;
        self.remove_modules(from, to, &facts, &place)?;
        self.remove_profiles(from, to, &facts, &place)
    }

    fn install_profiles(&self, to: &State, facts: &Facts, place: &Workplace) -> Result<(), Stop> {
        for (applied, entry) in to.profiles() {
            let file = self.profile_file(entry);
            disk::remove(&disk::fresh(&file))?;
            let (is, _) = self.look_at_profile(entry, facts)?;
            if is.is_good() {
                continue;
            }
            let bytes = self.store.bundle(&applied.bundle)?.bytes(&entry.source).map_err(Stop::Host)?;
            if disk::read(&file)?.as_ref() != Some(&bytes) {
                disk::replace(&file, &bytes)?;
            }
            if facts.apparmor.is_some() {
                replace_profile(&self.tools, &file.display().to_string(), place).map_err(Stop::Host)?;
                self.read_back(entry)?;
            }
        }
        Ok(())
    }

    /// What the kernel now has, remembered.
    fn read_back(&self, entry: &ApparmorEntry) -> Result<(), Stop> {
        let found = self.kernel.profile(&entry.profile)?;
        let gone = |why: String| {
            Stop::Host(Failure::refused(
                "apparmor_parser",
                why,
                "run `canc doctor`, which says what the host lacks",
            ))
        };
        let found = found.ok_or_else(|| {
            gone(format!("it said that it loaded {}, and the kernel does not have it", entry.profile))
        })?;
        let want = if entry.complain { "complain" } else { "enforce" };
        if found.mode != want {
            let why = format!(
                "it loaded {}, and the kernel has it in {} mode, not {want}",
                entry.profile, found.mode
            );
            return Err(gone(why));
        }
        let record = Record::Known { source: profile_source(entry), kernel: found.digest.clone() };
        self.put_record("apparmor", &entry.profile, &record)
    }

    fn put_record(&self, layer: &str, name: &str, record: &Record) -> Result<(), Stop> {
        let bytes = serde_json::to_vec(record).unwrap_or_default();
        disk::replace(&place_below(&self.root, layer, name), &bytes)
    }

    /// All modules that are not there in one transaction.
    fn install_modules(&self, to: &State, facts: &Facts, place: &Workplace) -> Result<(), Stop> {
        if facts.selinux.is_none() {
            return Ok(());
        }
        let mut packages = Vec::new();
        let mut entries: Vec<&SelinuxEntry> = Vec::new();
        for (applied, entry) in to.modules() {
            if !self.look_at_module(entry, facts)?.0.is_good() {
                let bundle = self.store.bundle(&applied.bundle)?;
                packages.extend(package(&self.tools, place, &bundle, entry).map_err(Stop::Host)?);
                entries.push(entry);
            }
        }
        if packages.is_empty() {
            return Ok(());
        }
        install(&self.tools, &packages, place).map_err(Stop::Host)?;
        let priorities = self.kernel.priorities()?;
        for entry in entries {
            let digest = self.modules_digest(entry, &priorities)?;
            if digest.is_none() || !self.kernel.knows_type(&entry.domain)? {
                let why = format!(
                    "it said that it installed {}, and the loaded policy does not have it",
                    entry.module
                );
                return Err(Stop::Host(Failure::refused("semodule", why, "run `canc doctor`")));
            }
            let record = Record::Known { source: module_source(entry), kernel: digest };
            self.put_record("selinux", &entry.domain, &record)?;
        }
        Ok(())
    }

    /// Labels the declared paths of modules, after remembering the labels from before.
    fn give_labels(&self, to: &State, facts: &Facts, place: &Workplace) -> Result<(), Stop> {
        if facts.selinux.is_none() {
            return Ok(());
        }
        let mut labels = Labels::open(&self.store)?;
        let mut todo = Vec::new();
        for declared in to.labelled() {
            let Some(found) = label_of(&self.root, declared)? else { continue };
            if labels.given.get(declared) != Some(&found) {
                check(&self.root, declared)?;
                labels.remember(&self.root, declared)?;
                todo.push(declared);
            }
        }
        if todo.is_empty() {
            return Ok(());
        }
        labels.write(&self.store)?;
        for declared in todo {
            let path = self.root.join(declared.trim_start_matches('/')).display().to_string();
            label(&self.tools, &path, place).map_err(Stop::Host)?;
            if let Some(found) = label_of(&self.root, declared)? {
                labels.given.insert(declared.to_owned(), found);
            }
        }
        self.labels_are_given(to, &labels)?;
        labels.write(&self.store)
    }

    /// That those paths which a policy names themselves got its types. Of a context the host says the user and the level.
    fn labels_are_given(&self, to: &State, labels: &Labels) -> Result<(), Stop> {
        let kind = |context: &str| context.split(':').nth(2).unwrap_or_default().to_owned();
        for (applied, entry) in to.modules() {
            let contexts = contexts(&self.store.bundle(&applied.bundle)?, entry).map_err(Stop::Host)?;
            for (path, want) in given(&contexts) {
                let Some(found) = labels.given.get(&path).filter(|found| kind(found) != kind(want)) else {
                    continue;
                };
                let why = format!("it said that it labelled {path}, which has {found:?} and not {want}");
                let remedy = "see `semanage fcontext -l -C`, and `chcon -t var_t` for a type that restorecon leaves alone";
                return Err(Stop::Host(Failure::refused("restorecon", why, remedy)));
            }
        }
        Ok(())
    }

    /// The labels from before first, while the store still knows those that are there.
    fn remove_modules(&self, from: &State, to: &State, facts: &Facts, place: &Workplace) -> Result<(), Stop> {
        let Some(selinux) = &facts.selinux else { return Ok(()) };
        let wanted: BTreeSet<String> = to.modules().flat_map(|(_, entry)| module_names(entry)).collect();
        let gone = from.modules().flat_map(|(_, entry)| module_names(entry));
        let gone: Vec<String> =
            gone.filter(|name| !wanted.contains(name) && selinux.modules.contains(name)).collect();
        let mut labels = Labels::open(&self.store)?;
        let held = to.labelled();
        let mut later = Vec::new();
        let dropped: Vec<&str> = from.labelled().difference(&held).copied().collect();
        for declared in &dropped {
            later.extend(labels.give_back(&self.root, declared, &held)?);
        }
        if !gone.is_empty() {
            let words: Vec<&str> = gone.iter().flat_map(|name| ["-r", name.as_str()]).collect();
            self.tools.run("semodule", &words, place).map_err(Stop::Host)?;
        }
        for path in later {
            // One by one: those whose labels were given back may differ from what the policy says, and stay so.
            let path = self.root.join(path.strip_prefix("/").unwrap_or(&path)).display().to_string();
            self.tools.run("restorecon", &["-F", &path], place).map_err(Stop::Host)?;
        }
        if !dropped.is_empty() {
            labels.forget(&held);
            labels.write(&self.store)?;
        }
        for (_, entry) in from.modules().filter(|(_, e)| !to.modules().any(|(_, w)| w.domain == e.domain)) {
            disk::remove_for_good(&place_below(&self.root, "selinux", &entry.domain))?;
        }
        Ok(())
    }

    fn remove_profiles(
        &self,
        from: &State,
        to: &State,
        facts: &Facts,
        place: &Workplace,
    ) -> Result<(), Stop> {
        for (applied, entry) in
            from.profiles().filter(|(_, e)| !to.profiles().any(|(_, w)| w.profile == e.profile))
        {
            let loaded = facts.apparmor.as_ref().is_some_and(|p| p.contains_key(&entry.profile));
            if loaded {
                let bytes = self.store.bundle(&applied.bundle)?.bytes(&entry.source).map_err(Stop::Host)?;
                let file = place.put(&entry.profile, &bytes).map_err(Stop::Host)?;
                self.tools.run("apparmor_parser", &["--remove", &file], place).map_err(Stop::Host)?;
            }
            let file = self.profile_file(entry);
            disk::remove(&disk::fresh(&file))?;
            disk::remove_for_good(&file)?;
            disk::remove_for_good(&place_below(&self.root, "apparmor", &entry.profile))?;
        }
        Ok(())
    }
}

fn also(stop: Stop, what: &str, why: &str, remedy: &str) -> Stop {
    let add = |mut failure: Failure| {
        failure.reasons.push(reason(what, why, remedy));
        failure
    };
    match stop {
        Stop::No(failure) => Stop::No(add(failure)),
        Stop::Host(failure) => Stop::Host(add(failure)),
    }
}
