//! A plan to the confined program: does the steps in order and stops at the first that fails. It decides nothing.

#[cfg(test)]
mod tests;

use crate::environment::{self, Environment, Variables};
use crate::failure::{Code, Failure};
use crate::host::CapabilityFacts;
use crate::limits;
use crate::plan::{CgroupLimit, Layer, Namespace, Plan, Step};
use crate::report::{Enforcement, Format};
use crate::resident;
use crate::sys::{Arguments, Instruction};
use crate::system::System;
use rustix::io::Errno;
use std::ffi::CString;
use std::io;

/// What the steps need besides the plan.
#[derive(Debug)]
pub struct Payload {
    /// What messages begin with.
    pub called: String,
    /// Where the program is, for the report.
    pub program: String,
    /// Its arguments, its own name first.
    pub arguments: Vec<CString>,
    /// The caller's environment.
    pub environment: Variables,
    /// The verified filters, in the plan's order.
    pub filters: Vec<Vec<Instruction>>,
    /// The caller's capabilities.
    pub capabilities: CapabilityFacts,
    /// How to report.
    pub report: Option<Format>,
    /// Descriptors from 0 to 2 that were closed when canc itself started.
    pub opened_stdio: Vec<u32>,
    /// The process, whose number socket activation names.
    pub pid: u32,
}

/// Performs. Comes back only if the program was not started.
pub fn perform(plan: &Plan, payload: Payload, system: &mut impl System) -> Failure {
    match Launch::new(plan, payload).steps(system) {
        Ok(()) => Failure::refused("plan", "it starts no program", ""),
        Err(failure) => failure,
    }
}

struct Launch<'a> {
    plan: &'a Plan,
    payload: Payload,
    report: Enforcement,
    /// Laid out before a filter is loaded, because afterwards even an allocation may be refused.
    arguments: Option<Arguments>,
}

impl<'a> Launch<'a> {
    fn new(plan: &'a Plan, payload: Payload) -> Self {
        let mut report = Enforcement::new(plan, payload.program.clone(), payload.capabilities);
        if let Some(seccomp) = report.layers.get_mut(&Layer::Seccomp).filter(|_| !payload.filters.is_empty())
        {
            seccomp.evidence = filters_in_words(&payload.filters);
        }
        Self { plan, payload, report, arguments: None }
    }

    fn steps(&mut self, system: &mut impl System) -> Result<(), Failure> {
        self.plan.steps.iter().try_for_each(|step| self.step(step, system))
    }

    fn step(&mut self, step: &Step, system: &mut impl System) -> Result<(), Failure> {
        match step {
            Step::Stdio => {
                let opened = system.open_stdio().map_err(|e| failed("standard descriptors", &e))?;
                self.report.opened_stdio = [self.payload.opened_stdio.as_slice(), &opened].concat();
            }
            Step::Descriptors { keep, activation } => self.descriptors(keep, *activation, system)?,
            Step::Environment { keep, set } => self.set_environment(keep, set),
            Step::Keyring => self.keyring(system)?,
            Step::Cgroup { parent, enable, limits } => self.cgroup(parent, enable, limits, system)?,
            Step::Limit { word, value } => self.limit(word, *value, system)?,
            Step::Label { layer, write, expect } => self.label(*layer, write, expect, system)?,
            Step::Namespaces(kinds) => self.namespaces(kinds, system)?,
            Step::Parent => system.stay_as_parent().map_err(|e| failed("isolate pid", &e))?,
            Step::Mounts => {
                let notes = system.mounts().map_err(|why| {
                    let remedy = "look for mounts over /proc, which a user namespace may not uncover, and start it outside of a container";
                    Failure::refused("isolate mount", why, remedy)
                })?;
                self.report.notes.extend(notes);
            }
            Step::Ruleset { .. } => {
                let skipped = system.open_ruleset()?;
                self.report.notes.extend(skipped.iter().map(|path| format!("landlock: no rule for {path}")));
            }
            Step::Bounding { drop } => {
                system.drop_bounding(*drop).map_err(|e| failed("capabilities (bounding set)", &e))?;
            }
            Step::Capabilities(want) => self.capabilities(want, system)?,
            Step::NoNewPrivs => {
                system.no_new_privs().map_err(|e| failed("no_new_privs", &e))?;
                self.report.no_new_privs = true;
            }
            Step::Report => {
                if let Some(format) = self.payload.report {
                    system
                        .report(&self.report.render(&self.payload.called, format))
                        .map_err(|e| failed("report", &e))?;
                }
            }
            Step::Signals => system.default_signals().map_err(|e| failed("signals", &e))?,
            Step::Landlock { log, .. } => {
                system.landlock(*log).map_err(|why| Failure::refused("landlock", why, ""))?
            }
            Step::Seccomp { programs, log } => self.filters(programs.len(), *log, system)?,
            Step::Exec { descriptor } => {
                let Some(arguments) = &self.arguments else {
                    return Err(Failure::refused("plan", "it makes no environment", ""));
                };
                let error = system.exec(*descriptor, arguments);
                return Err(failed(&self.payload.program, &error).with_code(Code::CannotExecute));
            }
        }
        Ok(())
    }

    fn cgroup(
        &mut self,
        parent: &str,
        enable: &[String],
        limits: &[CgroupLimit],
        system: &mut impl System,
    ) -> Result<(), Failure> {
        let path = system.cgroup(parent, enable, limits).map_err(|why| {
            Failure::refused(
                "cgroup",
                why,
                "start it in a scope of its own: systemd-run --scope -p Delegate=yes -- …",
            )
        })?;
        self.report.limits.extend(limits.iter().map(|limit| (limit.word.clone(), limit.value)));
        self.report.notes.push(format!("cgroup: {path}"));
        Ok(())
    }

    fn limit(&mut self, word: &str, value: u64, system: &mut impl System) -> Result<(), Failure> {
        let Some(resource) = limits::resource(word) else {
            return Err(Failure::refused(format!("limit {word}"), "it is no rlimit", ""));
        };
        system.limit(resource, value).map_err(|e| failed(&format!("limit {word}"), &e))?;
        self.report.limits.insert(word.to_owned(), value);
        Ok(())
    }

    fn label(
        &mut self,
        layer: Layer,
        write: &str,
        expect: &str,
        system: &mut impl System,
    ) -> Result<(), Failure> {
        let Some(attribute) = layer.exec_attribute() else {
            return Err(Failure::refused(layer.word(), "it has no labels", ""));
        };
        let found = system.label(attribute, write, expect).map_err(|why| {
            Failure::refused(
                layer.word(),
                why,
                "look for mounts over /proc, and load the policy again, as root: canc-run --load BUNDLE -- COMMAND",
            )
        })?;
        self.report.enforced(layer, found);
        Ok(())
    }

    fn namespaces(&mut self, kinds: &[Namespace], system: &mut impl System) -> Result<(), Failure> {
        system.namespaces(kinds).map_err(|why| {
            let remedy = "look for limits on user namespaces: user.max_user_namespaces, AppArmor, a container's filter";
            Failure::refused("namespaces", why, remedy)
        })?;
        self.report.namespaces = kinds.to_vec();
        Ok(())
    }

    fn capabilities(&mut self, want: &CapabilityFacts, system: &mut impl System) -> Result<(), Failure> {
        system.set_capabilities(want).map_err(|e| failed("capabilities", &e))?;
        let now = system.capabilities().map_err(|e| failed("capabilities", &e))?;
        let now = CapabilityFacts { bounding: want.bounding, ..now };
        if now != *want {
            return Err(Failure::refused("capabilities", "the kernel did not take the sets", ""));
        }
        self.report.capabilities = now;
        Ok(())
    }

    fn descriptors(
        &mut self,
        keep: &[u32],
        activation: bool,
        system: &mut impl System,
    ) -> Result<(), Failure> {
        let mut keep = keep.to_vec();
        if activation {
            keep.extend(environment::activation_descriptors(&self.payload.environment, self.payload.pid));
        }
        keep.sort_unstable();
        keep.dedup();
        system.close_on_exec(&keep).map_err(|e| failed("descriptors", &e))?;
        self.report.kept_descriptors = keep;
        Ok(())
    }

    fn set_environment(&mut self, keep: &[String], set: &[(String, String)]) {
        let activation =
            self.plan.steps.iter().any(|s| matches!(s, Step::Descriptors { activation: true, .. }));
        let Environment { entries, kept, removed } =
            environment::of_program(&self.payload.environment, keep, set, activation);
        self.report.environment_kept = kept;
        self.report.environment_removed = removed;
        self.report.environment_set = set.iter().map(|(name, _)| name.clone()).collect();
        let entries = if self.plan.steps.contains(&Step::Parent) {
            environment::announced_to(entries, resident::PROGRAM_PID)
        } else {
            entries
        };
        self.arguments = Some(Arguments::new(std::mem::take(&mut self.payload.arguments), entries));
    }

    /// Where there are no keyrings, or a filter refuses them to this process and so to the program, none can be reached.
    fn keyring(&mut self, system: &mut impl System) -> Result<(), Failure> {
        match system.new_keyring() {
            Ok(()) => Ok(()),
            Err(e) if matches!(Errno::from_io_error(&e), Some(Errno::NOSYS | Errno::PERM)) => {
                self.report.notes.push(format!("keyring: none, since the kernel refuses them here ({e})"));
                Ok(())
            }
            Err(e) => Err(failed("session keyring", &e)),
        }
    }

    fn filters(&self, planned: usize, log: bool, system: &mut impl System) -> Result<(), Failure> {
        if planned == 0 || self.payload.filters.len() != planned {
            return Err(Failure::refused(
                "seccomp",
                "the filters that were read are not those of the plan",
                "",
            ));
        }
        for (n, program) in self.payload.filters.iter().enumerate() {
            system.filter(program, log).map_err(|e| failed(&format!("seccomp filter {}", n + 1), &e))?;
        }
        Ok(())
    }
}

/// How many filters, and the instructions of each.
fn filters_in_words(filters: &[Vec<Instruction>]) -> String {
    let lengths: Vec<String> = filters.iter().map(|filter| filter.len().to_string()).collect();
    let plural = if filters.len() == 1 { "" } else { "s" };
    format!("{} filter{plural} of {} instructions", filters.len(), lengths.join(" and "))
}

fn failed(what: &str, error: &io::Error) -> Failure {
    Failure::refused(what, error.to_string(), "")
}
