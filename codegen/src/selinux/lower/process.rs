//! Rules on processes: capabilities, user namespaces, signals, tracing; and what every domain has of itself.

use super::sheet::{Sheet, Source, Target, Ty};
use crate::selinux::base::{ClassNo, PermSet};
use crate::selinux::words::Access;
use canc_dsl::policy::{
    Body, CapabilityRule, Effect, Peer, PtraceMode, PtraceRule, Rule, RuleId, SignalRule,
};
use canc_dsl::tables::capability_name;
use std::collections::BTreeSet;

/// The signals with a permission of their own, by number (`asm-generic/signal.h`).
const KILL: u32 = 9;
const CHLD: u32 = 17;
const STOP: u32 = 19;
/// All of 1 to 64.
const ALL_SIGNALS: u128 = ((1 << 64) - 1) << 1;

impl Sheet<'_, '_> {
    /// What a domain has of itself whatever the policy says.
    pub(super) fn own_process(&mut self) {
        self.given();
        for access in [
            Access::OwnProcess,
            Access::OwnDir,
            Access::OwnFile,
            Access::OwnLink,
            Access::UsePipes,
            Access::StreamServer,
            Access::StreamClient,
            Access::DgramServer,
            Access::DgramClient,
            Access::DgramPeer,
        ] {
            self.grant(Source::Base, Target::Itself, access);
        }
        self.base_draft.widen("its own processes, pipes and sockets without a name".into());
        if let Some(rule) = self.plan.base.domain_rules().find(|r| !r.condition.is_empty()) {
            let text = format!(
                "what the base gives every domain, such as `{} {{ {} }}` on `{}` where `{}` holds",
                rule.class, rule.perms, rule.target, rule.condition
            );
            self.base_draft.note(text);
        }
        let count = self.plan.base.domain_rules().count();
        if count == 0 {
            self.base_draft.unknown = Some("the base does not say what it gives every domain".into());
        } else {
            self.base_draft.widen(format!("the {count} rules that the base has for every domain: shared libraries, /dev/null, listing /etc, …"));
        }
    }

    /// The bits of capabilities that denies take from an allow of the same place.
    fn denied_capabilities(&self, in_userns: bool) -> u64 {
        let denied = self.policy.rules.iter().filter(|r| r.effect == Effect::Deny);
        denied.fold(0, |bits, r| match &r.body {
            Body::Capability(c) if c.in_userns == in_userns => bits | c.bits,
            _ => bits,
        })
    }

    pub(super) fn capability_rule(&mut self, id: RuleId, rule: &CapabilityRule) {
        let source = Source::Rule(id);
        let bits = rule.bits & !self.denied_capabilities(rule.in_userns);
        for number in (0..64).filter(|n| bits >> n & 1 == 1) {
            // Capabilities from 32 on have a class of their own, and those inside user namespaces two more.
            let class = match (number < 32, rule.in_userns) {
                (true, false) => Access::Capability,
                (false, false) => Access::Capability2,
                (true, true) => Access::CapabilityUserns,
                (false, true) => Access::Capability2Userns,
            };
            let name = capability_name(number).unwrap_or("");
            match self.capability_perm(class, name) {
                Ok((class, perms)) => self.perms(source, Target::Itself, class, perms),
                Err(lacks) => {
                    self.draft(source).unknown.get_or_insert(format!("the base has no `{lacks}`"));
                }
            }
        }
    }

    fn capability_perm(&self, access: Access, name: &str) -> Result<(ClassNo, PermSet), String> {
        let row = self.plan.words.of(access)?.first().copied().ok_or_else(|| name.to_owned())?;
        let perms = self.plan.base.perms(row.class, &[name]).map_err(|e| e.what)?;
        Ok((row.class, perms))
    }

    pub(super) fn userns_rule(&mut self, id: RuleId) {
        let denied = self
            .policy
            .rules
            .iter()
            .any(|r| r.effect == Effect::Deny && matches!(r.body, Body::UsernsCreate));
        if !denied {
            self.grant(Source::Rule(id), Target::Itself, Access::UsernsCreate);
        }
    }

    /// The targets that a peer stands for.
    pub(super) fn peers(&mut self, source: Source, peer: &Peer) -> BTreeSet<Target> {
        match peer {
            Peer::SelfDomain => BTreeSet::from([Target::Itself]),
            Peer::Any => BTreeSet::from([Target::AllDomains]),
            Peer::Policy(name) => {
                let number = self.plan.set.policies().iter().position(|p| p.name == *name);
                let domain = number.and_then(|n| self.plan.domains.get(n).copied().flatten());
                if domain.is_none() {
                    self.draft(source).narrow(format!("policy `{name}` has no SELinux module"));
                }
                domain.map(|d| Target::Type(Ty::Own(d))).into_iter().collect()
            }
            Peer::User => self.launcher_targets(source, &["user"]),
            Peer::Systemd => self.launcher_targets(source, &["systemd", "init"]),
        }
    }

    fn launcher_targets(&mut self, source: Source, who: &[&str]) -> BTreeSet<Target> {
        let base = self.plan.base;
        let names: Vec<&str> = base.launchers().filter(|l| who.contains(&l.who)).map(|l| l.domain).collect();
        let found: BTreeSet<Target> =
            names.iter().filter_map(|n| base.type_no(n)).map(|t| Target::Type(Ty::Base(t))).collect();
        if found.is_empty() {
            self.draft(source).unknown.get_or_insert("the base does not say who starts programs".into());
        }
        found
    }

    pub(super) fn signal_rule(&mut self, rule: &Rule, signal: &SignalRule) {
        let source = Source::Rule(rule.id);
        if !signal.send {
            // Who may send is granted to the sender, with the launchers.
            self.draft(source).note(
                "receiving is granted to the senders named; the base lets its privileged domains send to all",
            );
            return;
        }
        for peer in &signal.peers {
            let signals = signal.signals & !self.denied_signals(peer);
            for target in self.peers(source, peer) {
                for access in signal_accesses(signals) {
                    self.grant(source, target, access);
                }
            }
            let others = signals & !(1 << KILL | 1 << CHLD | 1 << STOP);
            let all_others = ALL_SIGNALS & !(1 << KILL | 1 << CHLD | 1 << STOP);
            if others != 0 && others & all_others != all_others && *peer != Peer::SelfDomain {
                self.draft(source).widen("every signal but KILL, STOP and CHLD".into());
            }
        }
    }

    /// Signals that a deny takes away wherever the allow would send them.
    fn denied_signals(&self, peer: &Peer) -> u128 {
        let denied = self.policy.rules.iter().filter(|r| r.effect == Effect::Deny);
        denied.fold(0, |bits, r| match &r.body {
            Body::Signal(s) if s.send && (s.peers.contains(peer) || s.peers.contains(&Peer::Any)) => {
                bits | s.signals
            }
            _ => bits,
        })
    }

    pub(super) fn ptrace_rule(&mut self, id: RuleId, rule: &PtraceRule) {
        let source = Source::Rule(id);
        let denied = |mode| {
            self.policy.rules.iter().any(|r| match &r.body {
                Body::Ptrace(p) => r.effect == Effect::Deny && p.modes.has(mode) && p.peer == rule.peer,
                _ => false,
            })
        };
        let modes: Vec<PtraceMode> = rule.modes.iter().filter(|m| !denied(*m)).collect();
        for target in self.peers(source, &rule.peer) {
            for mode in &modes {
                self.grant(source, target, Access::PtraceRead);
                if *mode == PtraceMode::Trace {
                    self.grant(source, target, Access::PtraceTrace);
                }
            }
        }
        if modes.contains(&PtraceMode::Trace) && !rule.modes.has(PtraceMode::Read) {
            self.draft(source).widen("tracing takes reading".into());
        }
    }
}

/// The permissions that signals need.
pub(super) fn signal_accesses(signals: u128) -> Vec<Access> {
    let has = |n: u32| signals >> n & 1 == 1;
    let mut out = Vec::new();
    for (number, access) in
        [(KILL, Access::SignalKill), (STOP, Access::SignalStop), (CHLD, Access::SignalChild)]
    {
        if has(number) {
            out.push(access);
        }
    }
    if signals & !(1 << KILL | 1 << CHLD | 1 << STOP) != 0 {
        out.push(Access::Signal);
    }
    if signals & ALL_SIGNALS == ALL_SIGNALS {
        out.push(Access::SignalNull);
    }
    out
}

impl Sheet<'_, '_> {
    /// Judges a deny of anything that is neither a path nor a network: what the grants leave of it.
    pub(super) fn other_deny(&mut self, rule: &Rule, body: &Body) {
        let mut through = Vec::new();
        match body {
            Body::Capability(c) => {
                for number in (0..64).filter(|n| c.bits >> n & 1 == 1) {
                    let access = match (number < 32, c.in_userns) {
                        (true, false) => Access::Capability,
                        (false, false) => Access::Capability2,
                        (true, true) => Access::CapabilityUserns,
                        (false, true) => Access::Capability2Userns,
                    };
                    let name = capability_name(number).unwrap_or("");
                    if let Ok((class, perms)) = self.capability_perm(access, name)
                        && self.holds(Target::Itself, class, perms)
                    {
                        through.push(format!("capability {name}"));
                    }
                }
            }
            Body::Signal(signal) if signal.send => {
                for peer in &signal.peers {
                    for target in self.peers(Source::Rule(rule.id), peer) {
                        let sent = signal_accesses(signal.signals).into_iter().any(|a| self.has(target, a));
                        if sent && target != Target::Itself {
                            through
                                .push(format!("signals that share a permission, to `{}`", self.name(target)));
                        }
                    }
                }
            }
            Body::UsernsCreate if self.has(Target::Itself, Access::UsernsCreate) => {
                through.push("userns create".into())
            }
            Body::Ptrace(ptrace) => {
                for target in self.peers(Source::Rule(rule.id), &ptrace.peer) {
                    if ptrace.modes.has(PtraceMode::Trace) && self.has(target, Access::PtraceTrace) {
                        through.push(format!("ptrace trace of `{}`", self.name(target)));
                    }
                }
            }
            Body::Unix(unix) => self.unix_deny(unix, &mut through),
            Body::IoUring(_) if self.has(Target::Itself, Access::RingMemory) => {
                through.push("io_uring".into())
            }
            _ => {}
        }
        self.draft(Source::Rule(rule.id)).through = through;
    }

    fn unix_deny(&self, unix: &canc_dsl::policy::UnixRule, through: &mut Vec<String>) {
        use canc_dsl::policy::UnixAddress;
        let allowed = self.policy.rules.iter().any(|r| match &r.body {
            Body::Unix(u) => r.effect == Effect::Allow && u.listen == unix.listen,
            _ => false,
        });
        if allowed && matches!(unix.address, UnixAddress::Abstract(_)) {
            through.push(
                "abstract names: another rule needs the same peers, and SELinux does not look at names"
                    .into(),
            );
        }
    }

    fn holds(&self, target: Target, class: ClassNo, perms: PermSet) -> bool {
        let mine = self.grants.iter().filter(|g| g.target == target && g.class == class);
        perms.0 & !mine.fold(0, |bits, g| bits | g.perms.0) == 0
    }
}
