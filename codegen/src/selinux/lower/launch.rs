//! Programs, launchers and edges: who may bring a process into the domain, through which files, and what it may keep of its starter.

use super::own::OwnNo;
use super::plan::Plan;
use super::process::signal_accesses;
use super::sheet::{NewLabel, Sheet, Source, Target, Ty};
use crate::selinux::base::{Attribute, Launcher as BaseLauncher};
use crate::selinux::words::Access;
use canc_dsl::policy::{Body, Effect, Launcher, Peer, RuleId, RunTarget};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What one launcher is given, and what the domain is given of it. All of it is left out where the host has removed the launcher.
#[derive(Debug, Clone)]
pub(super) struct Launch<'b> {
    /// The launcher.
    pub(super) launcher: BaseLauncher<'b>,
    /// What the launcher may do to the domain.
    pub(super) on_domain: Vec<Access>,
    /// What the launcher may do to itself.
    pub(super) on_itself: Vec<Access>,
    /// Private types of programs that it may start, and whether starting one enters the domain unasked.
    pub(super) programs: Vec<(OwnNo, bool)>,
    /// What the domain may do to the launcher.
    pub(super) from_domain: Vec<Access>,
}

/// What a domain keeps of whoever started it.
const KEPT: [Access; 4] = [Access::UseDescriptors, Access::UsePipes, Access::UseStreams, Access::ChildEnds];
/// What a starter needs on the domain that it starts.
const STARTS: [Access; 2] = [Access::Transition, Access::TransitionAlways];

impl<'a> Sheet<'_, 'a> {
    /// The domain's programs as entry points.
    pub(super) fn entries(&mut self) {
        let plan = self.plan;
        let Some(programs) = plan.programs.get(self.number) else { return };
        for own in programs.own.iter().chain(&programs.labelled) {
            self.grant(Source::Base, Target::Type(Ty::Own(*own)), Access::OwnProgram);
        }
        for (ty, witness) in &programs.kept {
            self.grant(Source::Base, Target::Type(Ty::Base(*ty)), Access::Entry);
            let name = plan.base.type_name(*ty);
            self.base_draft.widen(format!("entry through every program labelled `{name}`, as {witness} is"));
        }
        for path in self.policy.exec.iter().chain(&self.policy.attach) {
            // The launcher searches for itself; the program's own directory may be read back by the dynamic linker.
            if let Err(e) = self.search_parents(Source::Base, &path.pattern) {
                self.base_draft.unknown.get_or_insert(e.to_string());
            }
        }
    }

    /// The launchers of the base that may start the policy, directly or through other policies' roles.
    pub(super) fn launches(&self) -> Vec<Launch<'a>> {
        let base = self.plan.base;
        let mut out: Vec<Launch<'a>> = Vec::new();
        let attached = !self.policy.attach.is_empty();
        let programs = self.plan.programs.get(self.number);
        let own: Vec<OwnNo> = programs.iter().flat_map(|p| p.own.iter().chain(&p.labelled)).copied().collect();
        let start = |launcher: BaseLauncher<'a>| {
            let mut on_domain = STARTS.to_vec();
            on_domain.push(Access::Inherit);
            on_domain.extend(self.signals_from(launcher.who));
            Launch {
                launcher,
                on_domain,
                on_itself: if launcher.setexec { Vec::new() } else { vec![Access::ChooseLabel] },
                programs: own.iter().map(|p| (*p, attached)).collect(),
                from_domain: KEPT.to_vec(),
            }
        };
        for launcher in base.launchers() {
            let named = self.policy.launch.iter().any(|l| match l {
                Launcher::User => launcher.who == "user",
                // A daemon that the service manager starts by itself comes from it, not from what it starts.
                Launcher::Systemd => launcher.who == "systemd" || (attached && launcher.who == "init"),
                Launcher::Policy(_) => false,
            });
            if named || attached {
                out.push(start(launcher));
            }
        }
        out
    }

    /// The signals that a launcher may send to the domain by the policy's own word.
    fn signals_from(&self, who: &str) -> Vec<Access> {
        let mut signals = 0;
        for rule in self.policy.rules.iter().filter(|r| r.effect == Effect::Allow) {
            if let Body::Signal(signal) = &rule.body
                && !signal.send
                && signal.peers.iter().any(|p| match p {
                    Peer::User => who == "user",
                    Peer::Systemd => who != "user",
                    Peer::Any => true,
                    _ => false,
                })
            {
                signals |= signal.signals;
            }
        }
        signal_accesses(signals)
    }

    /// The roles in which the domain may run: those of its launchers and of the launchers of policies that start it.
    pub(super) fn roles(&self) -> BTreeSet<(&'a str, &'a str)> {
        let mut seen = BTreeSet::new();
        let mut out = BTreeSet::new();
        roles_of(self.plan, &self.policy.name, &mut seen, &mut out);
        out
    }

    /// What the domain keeps of policies that start it.
    pub(super) fn starters(&mut self) {
        let starters: Vec<Arc<str>> = self
            .policy
            .launch
            .iter()
            .filter_map(|l| if let Launcher::Policy(name) = l { Some(Arc::clone(name)) } else { None })
            .collect();
        for name in starters {
            let number = self.plan.set.policies().iter().position(|p| p.name == name);
            if let Some(domain) = number.and_then(|n| self.plan.domains.get(n).copied().flatten()) {
                for access in KEPT {
                    self.grant(Source::Base, Target::Type(Ty::Own(domain)), access);
                }
            }
        }
    }

    /// Where a rule's programs go.
    pub(super) fn edge(&mut self, id: RuleId, run: &RunTarget) {
        match run {
            RunTarget::Inherit => {}
            RunTarget::Policy(name) => self.edge_to_policy(id, name),
            RunTarget::Unconfined => self.edge_out(id),
        }
    }

    fn edge_to_policy(&mut self, id: RuleId, name: &Arc<str>) {
        let source = Source::Rule(id);
        let plan = self.plan;
        let number = plan.set.policies().iter().position(|p| p.name == *name);
        let domain = number.and_then(|n| plan.domains.get(n).copied().flatten());
        let (Some(number), Some(domain)) = (number, domain) else {
            self.draft(source).narrow(format!("policy `{name}` has no SELinux module"));
            return;
        };
        let target = Target::Type(Ty::Own(domain));
        STARTS.iter().for_each(|access| self.grant(source, target, *access));
        let Some(programs) = plan.programs.get(number) else { return };
        for own in programs.own.iter().chain(&programs.labelled) {
            self.new_process(source, Ty::Own(*own), Ty::Own(domain));
        }
        for (ty, witness) in &programs.kept {
            self.new_process(source, Ty::Base(*ty), Ty::Own(domain));
            let name = plan.base.type_name(*ty).to_owned();
            self.draft(source).widen(format!("every program labelled `{name}`, as {witness} is, goes there"));
        }
    }

    fn new_process(&mut self, source: Source, program: Ty, result: Ty) {
        let label = NewLabel { parent: program, class: None, result, name: None };
        self.new_labels.entry(label).or_insert(source);
    }

    /// Out of the domain, to a launcher that the base does not confine.
    fn edge_out(&mut self, id: RuleId) {
        let source = Source::Rule(id);
        let base = self.plan.base;
        let free = base
            .launchers()
            .filter_map(|l| base.type_no(l.domain))
            .find(|t| base.has(*t, Attribute::UnconfinedDomain) || base.type_name(*t).starts_with("unconfined"));
        let Some(free) = free else {
            self.draft(source).unknown = Some("the base has no unconfined domain".into());
            return;
        };
        STARTS.iter().for_each(|access| self.grant(source, Target::Type(Ty::Base(free)), *access));
        let programs: Vec<Ty> = self
            .grants
            .iter()
            .filter(|g| g.source == source)
            .filter_map(|g| if let Target::Type(ty) = g.target { Some(ty) } else { None })
            .filter(|ty| matches!(ty, Ty::Base(t) if base.has(*t, Attribute::ExecType)) || matches!(ty, Ty::Own(_)))
            .collect();
        for program in programs {
            self.new_process(source, program, Ty::Base(free));
        }
        let name = base.type_name(free).to_owned();
        self.draft(source).note(format!("the program runs as `{name}`, which the base does not confine"));
    }
}

fn roles_of<'a>(
    plan: &Plan<'a>,
    name: &Arc<str>,
    seen: &mut BTreeSet<Arc<str>>,
    out: &mut BTreeSet<(&'a str, &'a str)>,
) {
    if !seen.insert(Arc::clone(name)) {
        return;
    }
    let Some(policy) = plan.set.policy(name) else { return };
    let attached = !policy.attach.is_empty();
    for launcher in &policy.launch {
        match launcher {
            Launcher::Policy(other) => roles_of(plan, other, seen, out),
            kind => {
                let who = if *kind == Launcher::User { "user" } else { "systemd" };
                let mine = plan.base.launchers().filter(|l| l.who == who || attached);
                out.extend(mine.map(|l| (l.role, l.module)));
            }
        }
    }
}
