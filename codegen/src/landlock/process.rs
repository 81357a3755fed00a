//! Scopes, tracing, mounting and message queues: what Landlock refuses to a domain as a whole.

use crate::verdict::{Outcome, Verdict};
use canc_bundle::LandlockRuleset;
use canc_dsl::policy::{
    Body, Effect, Launcher, MqueueOp, MqueueRule, Peer, Policy, PolicySet, Rule, SignalRule, UnixAddress,
    UnixRule,
};

/// The first ABI with scopes.
const SINCE: u32 = 6;

/// The words of the bundle.
pub(super) const ABSTRACT: &str = "abstract_unix_socket";
pub(super) const SIGNAL: &str = "signal";

pub(super) fn lower(
    policies: &PolicySet,
    policy: &Policy,
    abi: u32,
    ruleset: &mut LandlockRuleset,
    outcomes: &mut [Outcome],
) {
    let peers = Peers { policies, policy };
    let (sockets, signals) = (peers.confines_sockets(), peers.confines_signals());
    if abi >= SINCE {
        ruleset.scoped.extend(sockets.then(|| ABSTRACT.to_string()));
        ruleset.scoped.extend(signals.then(|| SIGNAL.to_string()));
    }
    for rule in &policy.rules {
        let Some(outcome) = outcomes.get_mut(rule.id.0 as usize) else { continue };
        match &rule.body {
            Body::Signal(signal) if abi >= SINCE && signal.send => {
                judge_signal(&peers, rule, signal, signals, outcome);
            }
            Body::Unix(unix) if abi >= SINCE && !unix.listen => {
                judge_socket(rule, unix, sockets, outcome);
            }
            Body::Ptrace(ptrace) => judge_ptrace(&peers, rule, &ptrace.peer, outcome),
            Body::Mount(_) if rule.effect == Effect::Allow => {
                narrow(outcome, "all of it: Landlock refuses every change of mounts");
            }
            Body::Mqueue(queues) if rule.effect == Effect::Allow && opens(queues) => {
                narrow(outcome, "reading and writing: Landlock sees queues as files that no rule can name");
            }
            _ => {}
        }
    }
}

/// Whether a rule on message queues is about opening them. A queue is a file of a kernel's own mount, which no ruleset reaches: where
/// reading and writing files is handled, `mq_open(2)` is refused with EACCES after it has made the queue (seen on Linux 6.12).
pub(super) fn opens(queues: &MqueueRule) -> bool {
    queues.ops.has(MqueueOp::Read) || queues.ops.has(MqueueOp::Write)
}

fn narrow(outcome: &mut Outcome, what: &str) {
    if let Verdict::Allow { narrowed, .. } = &mut outcome.verdict {
        narrowed.push(what.into());
    }
}

fn widen(outcome: &mut Outcome, what: &str) {
    if let Verdict::Allow { widened, .. } = &mut outcome.verdict {
        widened.push(what.into());
    }
}

pub(super) struct Peers<'a> {
    pub(super) policies: &'a PolicySet,
    pub(super) policy: &'a Policy,
}

impl Peers<'_> {
    /// Whether a peer's processes are always within this policy's Landlock domain: the policy's own, and those of policies that
    /// nobody else starts, because an edge leaves Landlock as it is.
    pub(super) fn is_inside(&self, peer: &Peer) -> bool {
        match peer {
            Peer::SelfDomain => true,
            Peer::Policy(name) if *name == self.policy.name => true,
            Peer::Policy(name) => self.policies.policy(name).is_some_and(|other| {
                other.attach.is_empty()
                    && other.launch.iter().all(|l| *l == Launcher::Policy(self.policy.name.clone()))
            }),
            Peer::User | Peer::Systemd | Peer::Any => false,
        }
    }

    /// Whether the policy sends signals to nobody outside.
    pub(super) fn confines_signals(&self) -> bool {
        self.allows().all(|body| match body {
            Body::Signal(s) => !s.send || s.peers.iter().all(|p| self.is_inside(p)),
            _ => true,
        })
    }

    /// Whether the policy connects to no abstract socket of anybody outside.
    pub(super) fn confines_sockets(&self) -> bool {
        self.allows().all(|body| match body {
            Body::Unix(UnixRule { listen: false, address: UnixAddress::Abstract(_), peer, .. }) => {
                peer.as_ref().is_some_and(|p| self.is_inside(p))
            }
            _ => true,
        })
    }

    fn allows(&self) -> impl Iterator<Item = &Body> {
        self.policy.rules.iter().filter(|r| r.effect == Effect::Allow).map(|r| &r.body)
    }
}

fn judge_signal(peers: &Peers<'_>, rule: &Rule, signal: &SignalRule, confined: bool, outcome: &mut Outcome) {
    let inside = signal.peers.iter().all(|p| peers.is_inside(p));
    match (rule.effect, confined) {
        (Effect::Allow, true) => {}
        (Effect::Allow, false) if inside => {}
        (Effect::Allow, false) => {
            widen(outcome, "every signal to every process: one scope refuses them all or none");
        }
        (Effect::Deny, true) if !inside => {}
        (Effect::Deny, _) => {
            let why = "signals are refused to everybody outside at once, or to nobody".into();
            outcome.verdict = Verdict::DenyDropped { why };
        }
    }
}

fn judge_socket(rule: &Rule, unix: &UnixRule, confined: bool, outcome: &mut Outcome) {
    if let UnixAddress::Paths(_) = unix.address {
        return;
    }
    match (rule.effect, confined) {
        (Effect::Allow, true) => {
            widen(outcome, "every abstract name of the domain's own sockets: the scope sees no names");
        }
        (Effect::Allow, false) => {
            widen(outcome, "every abstract socket of every process: one scope refuses them all or none");
        }
        (Effect::Deny, true) => {}
        (Effect::Deny, false) => {
            let why = "abstract sockets are refused to everybody outside at once, or to nobody".into();
            outcome.verdict = Verdict::DenyDropped { why };
        }
    }
}

fn judge_ptrace(peers: &Peers<'_>, rule: &Rule, peer: &Peer, outcome: &mut Outcome) {
    let inside = peers.is_inside(peer);
    match rule.effect {
        Effect::Allow if inside => {}
        Effect::Allow => narrow(outcome, "all of it: Landlock refuses to trace what lies outside the domain"),
        Effect::Deny if inside => {
            let why = "within a domain nothing is refused".into();
            outcome.verdict = Verdict::DenyDropped { why };
        }
        Effect::Deny => {}
    }
}
