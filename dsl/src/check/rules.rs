//! A rule as written to a rule of a policy.

use super::Checker;
use crate::ast;
use crate::codes;
use crate::policy::{
    Body, CapabilityRule, Effect, IoUringUse, IoUringUses, MqueueRule, Peer, PtraceRule, Rule, RuleId,
    SignalRule, SocketRule,
};
use crate::resolve::{Scope, Step};
use crate::source::Span;
use std::sync::Arc;

/// What a body is for, where that matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// An `allow`, which implies what it takes.
    Allow,
    /// A `deny`, which is about what it says.
    Deny,
    /// One request.
    Request,
}

impl Checker<'_, '_> {
    /// The rule of a step; its number is set by whoever collects it.
    pub(super) fn rule(&mut self, step: &Step<'_>, rule: &ast::Rule) -> Option<Rule> {
        let span = step.statement.span;
        let because = rule.because.as_ref().map(|why| self.plain(why, &step.scope));
        let what_for = if rule.deny { Use::Deny } else { Use::Allow };
        let mut body = self.body(&rule.body, &step.scope, what_for, span)?;
        if let Body::Syscall(calls) = &mut body
            && !self.narrow_arches(calls, step)
        {
            return None;
        }
        if let Body::Syscall(calls) = &body {
            self.missing_calls(calls, rule, step);
        }
        if rule.prefer && !rule.deny {
            let help = "remove it: `@prefer` says that a `deny` need not be enforced";
            self.fail(codes::NO_MEANING, span, "`@prefer` has no meaning on an `allow`", "this rule", help);
            return None;
        }
        Some(Rule {
            id: RuleId(0),
            name: rule.id.as_ref().map(|n| Arc::clone(&n.text)),
            effect: if rule.deny { Effect::Deny } else { Effect::Allow },
            prefer: rule.prefer,
            audit: rule.audit,
            body,
            // A reason that could not be decoded was reported.
            because: because.map_or(Some(None), |b| b.map(Some))?,
            span,
            included: Arc::clone(&step.included),
        })
    }

    /// A body, for an allow, a deny or a request.
    pub(super) fn body(
        &mut self,
        body: &ast::Body,
        scope: &Scope,
        what_for: Use,
        span: Span,
    ) -> Option<Body> {
        Some(match body {
            ast::Body::File(file) => Body::File(self.file(file, scope, what_for)?),
            ast::Body::Net(net) => Body::Net(self.net(net, scope, what_for, span)?),
            ast::Body::Unix(unix) => Body::Unix(self.unix(unix, scope, span)?),
            ast::Body::Socket(kinds) => {
                let mut kinds = kinds.clone();
                kinds.sort_unstable();
                kinds.dedup();
                Body::Socket(SocketRule { kinds })
            }
            ast::Body::Capability { bits, in_userns } => {
                Body::Capability(CapabilityRule { bits: *bits, in_userns: *in_userns })
            }
            ast::Body::Syscall(calls) => Body::Syscall(self.syscall(calls, scope, what_for, span)?),
            ast::Body::UsernsCreate => Body::UsernsCreate,
            ast::Body::Namespace(kinds) => Body::Namespace(*kinds),
            ast::Body::Signal(signal) => Body::Signal(self.signal(signal, what_for, span)?),
            ast::Body::Ptrace { modes, peer } => {
                Body::Ptrace(PtraceRule { modes: *modes, peer: self.peer(peer)? })
            }
            ast::Body::Mount(mount) => Body::Mount(self.mount(mount, scope)?),
            ast::Body::IoUring(uses) => Body::IoUring(io_uring(*uses, what_for)),
            ast::Body::Mqueue { ops, names } => {
                Body::Mqueue(MqueueRule { ops: *ops, names: self.queue_names(names, scope)? })
            }
            ast::Body::Facility(facility) => Body::Facility(*facility),
        })
    }

    pub(super) fn peer(&mut self, peer: &ast::Peer) -> Option<Peer> {
        Some(match peer {
            ast::Peer::SelfDomain => Peer::SelfDomain,
            ast::Peer::Policy(name) => {
                if !self.known_policy(name) {
                    return None;
                }
                Peer::Policy(Arc::clone(&name.text))
            }
            ast::Peer::User => Peer::User,
            ast::Peer::Systemd => Peer::Systemd,
            ast::Peer::Any => Peer::Any,
        })
    }

    /// `self` is always among the peers of an allow; a deny without peers is about anybody.
    fn signal(&mut self, signal: &ast::SignalBody, what_for: Use, span: Span) -> Option<SignalRule> {
        let mut peers = Vec::new();
        for peer in &signal.peers {
            peers.push(self.peer(peer)?);
        }
        if peers.is_empty() {
            peers = match (what_for, signal.send) {
                (Use::Deny, _) => vec![Peer::Any],
                (_, true) => vec![Peer::SelfDomain],
                (_, false) => vec![Peer::User, Peer::Systemd],
            };
        }
        if what_for == Use::Allow && !peers.contains(&Peer::SelfDomain) {
            peers.insert(0, Peer::SelfDomain);
        }
        peers.sort();
        peers.dedup();
        if signal.signals == 0 {
            self.fail(
                codes::NOTHING_LEFT,
                span,
                "no signal is left",
                "`except` takes them all out",
                "name other signals",
            );
            return None;
        }
        Some(SignalRule { send: signal.send, signals: signal.signals, peers })
    }
}

/// An allow of a part needs the rings that it is a part of; a deny of a part is about that part alone.
fn io_uring(uses: IoUringUses, what_for: Use) -> IoUringUses {
    match (uses.is_empty(), what_for) {
        (true, Use::Deny) => IoUringUses::all(),
        (true, Use::Allow | Use::Request) => IoUringUses::of(&[IoUringUse::Rings]),
        (false, Use::Allow) => uses.with(IoUringUse::Rings),
        (false, Use::Deny | Use::Request) => uses,
    }
}
