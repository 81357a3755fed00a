//! Signals and tracing to signal and ptrace rules.

use super::context::Context;
use crate::apparmor::model::{self, Mode, PtracePerm, PtracePerms, Rule, SignalPerm, SignalPerms};
use crate::verdict::{Outcome, Verdict};
use canc_dsl::policy::{Body, Peer, PtraceMode, PtraceRule, RuleId, SignalRule};

/// All signals of the language, 1 to 64.
const ALL_SIGNALS: u128 = ((1 << 65) - 1) & !1;

/// Who stands for a peer; `None` for anybody.
pub(super) fn peer(cx: &mut Context<'_>, id: RuleId, peer: &Peer) -> Option<model::Peer> {
    match peer {
        Peer::SelfDomain => Some(model::Peer::Member(cx.own.clone())),
        Peer::Policy(name) => cx.profile(id, name).map(model::Peer::Member),
        Peer::User | Peer::Systemd => Some(model::Peer::Unconfined),
        Peer::Any => None,
    }
}

pub(super) fn signal(cx: &mut Context<'_>, id: RuleId, allow: bool, rule: &SignalRule) {
    if !cx.features.signal() {
        cx.set(id, Outcome::new(Verdict::NotApplicable));
        return;
    }
    if !allow && rule.send && hits_own(rule) {
        // What a domain does to itself is never refused: see the rules that every profile has.
        cx.through(id, "signals among the processes of the domain");
    }
    let perms = SignalPerms::of(&[if rule.send { SignalPerm::Send } else { SignalPerm::Receive }]);
    let signals = (rule.signals & ALL_SIGNALS != ALL_SIGNALS).then_some(rule.signals);
    let mode = if allow { cx.mode(id) } else { Mode::DENY };
    if cx.complain && !allow {
        return;
    }
    for one in &rule.peers {
        if !allow && matches!(one, Peer::SelfDomain | Peer::Any) {
            refuse_others(cx, id, perms, signals, one);
            continue;
        }
        if allow && *one == Peer::SelfDomain {
            cx.note(id, "every profile has this for its own processes");
            continue;
        }
        let peer = peer(cx, id, one);
        cx.add(id, Rule::Signal(model::SignalRule { mode, perms, signals, peer }));
    }
    if allow && rule.send {
        unconfined_remark(cx, id, rule);
    }
}

/// A deny that names everybody is said for all but the domain itself.
fn refuse_others(
    cx: &mut Context<'_>,
    id: RuleId,
    perms: SignalPerms,
    signals: Option<u128>,
    peer_word: &Peer,
) {
    if *peer_word == Peer::SelfDomain {
        return;
    }
    let own = cx.own.clone();
    let others: Vec<String> = cx.policies.policies().iter().map(|p| p.name.to_string()).collect();
    let mut peers = vec![model::Peer::Unconfined];
    for name in others {
        if let Some(profile) = cx.profile(id, &name).filter(|p| *p != own) {
            peers.push(model::Peer::Member(profile));
        }
    }
    for peer in peers {
        let peer = Some(peer);
        cx.add(id, Rule::Signal(model::SignalRule { mode: Mode::DENY, perms, signals, peer }));
    }
}

fn hits_own(rule: &SignalRule) -> bool {
    rule.peers.iter().any(|p| matches!(p, Peer::SelfDomain | Peer::Any))
}

/// Users' sessions and the service manager have no profile, and nothing tells them apart from others without one.
fn unconfined_remark(cx: &mut Context<'_>, id: RuleId, rule: &SignalRule) {
    if rule.peers.contains(&Peer::Any) {
        return;
    }
    let sends_to = |peer: &Peer, signal: u32| {
        cx.allows().any(|body| match body {
            Body::Signal(s) => {
                s.send
                    && s.signals & (1 << signal) != 0
                    && (s.peers.contains(peer) || s.peers.contains(&Peer::Any))
            }
            _ => false,
        })
    };
    let signal = rule.signals.trailing_zeros().min(64);
    let other = match (rule.peers.contains(&Peer::User), rule.peers.contains(&Peer::Systemd)) {
        (true, false) if !sends_to(&Peer::Systemd, signal) => "systemd",
        (false, true) if !sends_to(&Peer::User, signal) => "user",
        _ => return,
    };
    cx.widen(id, format!("every process without a profile, such as `signal send {signal} to {other}`"));
}

pub(super) fn ptrace(cx: &mut Context<'_>, id: RuleId, allow: bool, rule: &PtraceRule) {
    if !cx.features.ptrace() {
        cx.set(id, Outcome::new(Verdict::NotApplicable));
        return;
    }
    let perms: PtracePerms = rule
        .modes
        .iter()
        .map(|m| match m {
            PtraceMode::Read => PtracePerm::Read,
            PtraceMode::Trace => PtracePerm::Trace,
        })
        .collect();
    if cx.complain && !allow {
        return;
    }
    let mode = if allow { cx.mode(id) } else { Mode::DENY };
    let own = matches!(&rule.peer, Peer::SelfDomain)
        || matches!(&rule.peer, Peer::Policy(name) if **name == *cx.own.policy());
    let other = peer(cx, id, &rule.peer);
    cx.add(id, Rule::Ptrace(model::PtraceRule { mode, perms, peer: other }));
    if own && allow {
        // Both ends are this profile, and each is asked.
        let perms = perms.iter().map(passive).collect();
        let peer = Some(model::Peer::Member(cx.own.clone()));
        cx.add(id, Rule::Ptrace(model::PtraceRule { mode, perms, peer }));
    }
}

/// The other side of an access.
pub(super) fn passive(perm: PtracePerm) -> PtracePerm {
    match perm {
        PtracePerm::Read | PtracePerm::Readby => PtracePerm::Readby,
        PtracePerm::Trace | PtracePerm::Tracedby => PtracePerm::Tracedby,
    }
}
