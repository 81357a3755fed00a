//! What became of each rule in the filters: from the decisions that were really made, never from the rule alone.

use super::SeccompOptions;
use super::calls::{self, Context};
use super::decisions::{Decisions, Permission};
use super::guards;
use super::implied::{self, Family, SocketType};
use super::lower::{NetOperations, allowed_namespaces};
use super::model::{Clause, Effect as ClauseEffect};
use crate::verdict::{Outcome, Verdict};
use canc_dsl::policy::{
    Body, Effect, IoUringUse, IoUringUses, NamespaceKind, NetOp, NetRule, Policy, Protocol, Rule, RuleId,
    SyscallRule,
};
use canc_sets::syscalls::{self, Arch};
use std::collections::{BTreeMap, BTreeSet};

/// Calls that a group never brings: their flags, or everything that they do, escape a filter.
pub(super) fn only_by_name(call: &str) -> bool {
    matches!(call, "clone3" | "io_uring_setup" | "io_uring_enter" | "io_uring_register")
}

/// Whether denies of a family's kind are refused by refusing the family: where nothing of the kind stays allowed beside them.
pub(super) fn refuses(policy: &Policy, family: Family, rules: &[RuleId]) -> bool {
    let bodies = || rules.iter().filter_map(|r| policy.rule(*r)).map(|r| &r.body);
    match family {
        Family::Shm | Family::Keyring | Family::Perf => true,
        Family::IoUring => bodies().any(|b| matches!(b, Body::IoUring(uses) if uses.has(IoUringUse::Rings))),
        Family::Socket(SocketType::Tcp) => NetOperations::of(policy, Protocol::Tcp).all_denied(),
        Family::Socket(SocketType::Udp) => NetOperations::of(policy, Protocol::Udp).all_denied(),
        Family::Socket(SocketType::Sctp) => NetOperations::of(policy, Protocol::Sctp).all_denied(),
        Family::Socket(_) => bodies().any(|b| matches!(b, Body::Socket(_))),
        _ => false,
    }
}

/// The synthetic rule of what every filter permits.
pub(super) fn base(policy: &Policy, options: &SeccompOptions) -> Outcome {
    let mut widened = Vec::new();
    if options.base {
        widened.push(format!("execveat({}, …, AT_EMPTY_PATH): the launch's own exec", options.launch_fd));
        widened.push("exit_group".to_owned());
        widened.push("write(2, …): the launch's report of a failure".to_owned());
    }
    let listens = |r: &Rule| match &r.body {
        Body::Net(net) => {
            r.effect == Effect::Allow && net.protocol == Protocol::Tcp && net.ops.has(NetOp::Listen)
        }
        _ => false,
    };
    if policy.rules.iter().any(listens) {
        widened.push("listen on an unbound tcp socket, which takes a free port".to_owned());
    }
    Outcome::new(Verdict::Allow { widened, narrowed: Vec::new() })
}

/// The verdict on each rule, and the allows of which no call is made, each with such a call.
pub(super) fn outcomes(
    policy: &Policy,
    arches: &[Arch],
    decisions: &mut Decisions<'_>,
) -> (Vec<Outcome>, Vec<(RuleId, &'static str)>) {
    let guarded = guarded(decisions);
    let (context, known) = (Context::of(policy), BTreeMap::new());
    let mut judge = Judge { policy, arches, decisions, context, known, guarded };
    let outcomes = policy.rules.iter().map(|rule| judge.rule(rule)).collect();
    let dead = policy.rules.iter().filter_map(|rule| Some((rule.id, judge.dead(rule)?))).collect();
    (outcomes, dead)
}

/// The calls of which a guard refuses something.
fn guarded(decisions: &Decisions<'_>) -> BTreeSet<&'static str> {
    let refuses = |c: &Clause| matches!(c.effect, ClauseEffect::Guard(_));
    let all = syscalls::names().zip(&decisions.clauses.by_call);
    all.filter(|(_, clauses)| clauses.iter().any(refuses)).map(|(name, _)| name).collect()
}

struct Judge<'a, 'd> {
    policy: &'a Policy,
    arches: &'a [Arch],
    decisions: &'a mut Decisions<'d>,
    context: Context,
    known: BTreeMap<Family, Granted>,
    guarded: BTreeSet<&'static str>,
}

/// What of a family's calls is made.
#[derive(Clone, Default)]
struct Granted {
    /// Some of them on some architecture.
    any: bool,
    /// Calls of which not all are made.
    refused: Vec<&'static str>,
}

impl Judge<'_, '_> {
    fn rule(&mut self, rule: &Rule) -> Outcome {
        match (&rule.body, rule.effect) {
            (Body::File(_) | Body::Capability(_), _) => Outcome::new(Verdict::NotApplicable),
            (Body::Signal(signal), _) if !signal.send => Outcome::new(Verdict::NotApplicable),
            (Body::Syscall(calls), Effect::Allow) => self.calls(calls),
            (Body::Syscall(calls), Effect::Deny) => self.denied_calls(calls),
            (_, Effect::Allow) => self.allow(rule),
            (_, Effect::Deny) => self.deny(rule),
        }
    }

    /// What the decisions grant of a family.
    fn granted(&mut self, family: Family) -> Granted {
        if let Some(known) = self.known.get(&family) {
            return known.clone();
        }
        let mut out = Granted::default();
        for (call, condition) in calls::calls(family, self.context) {
            for arch in self.arches {
                match self.decisions.permission(*arch, call, condition.as_ref()) {
                    Permission::Absent => continue,
                    Permission::All => out.any = true,
                    Permission::Some => {
                        out.any = true;
                        out.refused.push(call);
                    }
                    Permission::None => out.refused.push(call),
                }
            }
        }
        out.refused.dedup();
        self.known.insert(family, out.clone());
        out
    }

    /// The calls without which the rule is of no use and which the filters refuse.
    fn missing(&mut self, rule: &Rule) -> Vec<String> {
        let mut out = Vec::new();
        for family in implied::families(rule).into_iter().filter(|f| essential(*f)) {
            // What namespaces are for is compared with the kinds below.
            for call in self.granted(family).refused {
                out.push(format!("`{call}` is refused"));
            }
        }
        out.sort();
        out.dedup();
        out
    }

    /// A call without which nothing of an allow comes about, where no filter makes any of its kind.
    fn dead(&mut self, rule: &Rule) -> Option<&'static str> {
        // Files and capabilities are of use without the calls that they bring.
        let by_calls = !matches!(rule.body, Body::File(_) | Body::Capability(_) | Body::Syscall(_));
        if rule.effect != Effect::Allow || !by_calls {
            return None;
        }
        let families = implied::families(rule).into_iter().filter(|f| essential(*f));
        let (sockets, others): (Vec<Family>, Vec<Family>) =
            families.partition(|f| matches!(f, Family::Socket(_)));
        [sockets, others].into_iter().find_map(|group| {
            let granted: Vec<Granted> = group.into_iter().map(|family| self.granted(family)).collect();
            let none = granted.iter().all(|granted| !granted.any);
            granted.first().filter(|_| none)?.refused.first().copied()
        })
    }

    fn allow(&mut self, rule: &Rule) -> Outcome {
        let (widened, note) = extent(&rule.body);
        let narrowed = match &rule.body {
            Body::UsernsCreate | Body::Namespace(_) => self.namespaces(rule),
            _ => self.missing(rule),
        };
        let outcome = Outcome::new(Verdict::Allow { widened: widened.into_iter().collect(), narrowed });
        match note {
            Some(note) => outcome.note(note),
            None => outcome,
        }
    }

    /// The calls that make the kinds of namespace of a rule and are refused.
    fn namespaces(&mut self, rule: &Rule) -> Vec<String> {
        let mut out = Vec::new();
        for kind in kinds(rule) {
            let asks = guards::unshare_of(kind);
            for arch in self.arches {
                if self.decisions.permission(*arch, "unshare", Some(&asks)) == Permission::None {
                    out.push(format!("`unshare` of {} is refused", kind.word()));
                }
            }
        }
        out.dedup();
        out
    }

    fn deny(&mut self, rule: &Rule) -> Outcome {
        let through = match &rule.body {
            Body::UsernsCreate | Body::Namespace(_) => self.clone3(rule),
            Body::Net(net) => self.network(net),
            _ => self.made(rule),
        };
        let Some(through) = through else { return Outcome::new(Verdict::DenyExact) };
        match rule.body {
            Body::UsernsCreate | Body::Namespace(_) => {
                Outcome::new(Verdict::DenyPartial { through: vec![through] })
            }
            _ => Outcome::new(Verdict::DenyDropped { why: through }),
        }
    }

    /// Namespaces that `clone3` makes, whose flags no filter sees.
    fn clone3(&mut self, rule: &Rule) -> Option<String> {
        let made = self.arches.iter().any(|a| {
            matches!(self.decisions.permission(*a, "clone3", None), Permission::All | Permission::Some)
        });
        let left = kinds(rule).into_iter().find(|k| !allowed_namespaces(self.policy).has(*k))?;
        made.then(|| format!("a {} namespace by `clone3`, whose flags cannot be seen", left.word()))
    }

    /// Why network requests get through: the socket and the operation are both there.
    fn network(&mut self, net: &NetRule) -> Option<String> {
        if !self.granted(Family::Socket(net.protocol.into())).any {
            return None;
        }
        let ways = net.ops.iter().filter(|op| match op {
            NetOp::Connect => self.granted(Family::Connect).any,
            NetOp::Bind => self.granted(Family::Bind).any,
            NetOp::Listen => self.granted(Family::Listen).any,
            NetOp::Send | NetOp::Receive => self.granted(Family::SocketUse).any,
        });
        let words: Vec<&str> = ways.map(NetOp::word).collect();
        let op = words.first()?;
        Some(format!(
            "a filter sees no port and no address: {op} {} is made as far as other rules allow it",
            net.protocol.word()
        ))
    }

    /// Why requests of any other kind get through.
    fn made(&mut self, rule: &Rule) -> Option<String> {
        let families: Vec<Family> = implied::families(rule).into_iter().filter(|f| essential(*f)).collect();
        // A unix socket needs both its own kind and a way to use it, so one that is refused is enough.
        let refused = families.iter().any(|f| !self.granted(*f).any && !matches!(f, Family::PtraceRead));
        let all = families.iter().all(|f| !self.granted(*f).any);
        let closed = if matches!(rule.body, Body::Unix(_) | Body::Socket(_)) { refused } else { all };
        (!closed).then(|| format!("a filter sees no {}, and other rules allow the calls", hidden(&rule.body)))
    }

    /// A rule that allows calls by name.
    fn calls(&mut self, rule: &SyscallRule) -> Outcome {
        let mut notes = self.absent(rule);
        let left_out: Vec<&str> =
            rule.calls.iter().filter(|i| i.group.is_some() && only_by_name(i.name)).map(|i| i.name).collect();
        if !left_out.is_empty() {
            notes.push(format!("not by a group, only by name: {}", left_out.join(", ")));
        }
        let guarded: Vec<&str> =
            rule.calls.iter().map(|i| i.name).filter(|n| self.guarded.contains(n)).collect();
        if !guarded.is_empty() {
            notes.push(format!("namespaces and fast open need their own rules: {}", guarded.join(", ")));
        }
        if rule.calls.iter().any(|i| i.name == "socket" && i.condition.is_none()) {
            notes.push("every kind of socket, also those that no other layer sees, such as MPTCP".to_owned());
        }
        let mut outcome = Outcome::exact();
        outcome.notes = notes;
        outcome
    }

    fn denied_calls(&mut self, rule: &SyscallRule) -> Outcome {
        let mut outcome = Outcome::new(Verdict::DenyExact);
        outcome.notes = self.absent(rule);
        if rule.calls.iter().any(|i| i.name == "execveat") {
            outcome.notes.push("the launch's own execveat stays permitted: see @base".to_owned());
        }
        outcome
    }

    /// Calls that an architecture of the build lacks. Groups are meant to hold such calls, so only names are reported.
    fn absent(&self, rule: &SyscallRule) -> Vec<String> {
        let mut out = Vec::new();
        for arch in self.arches {
            if rule.arches.as_ref().is_some_and(|list| !list.contains(arch)) {
                continue;
            }
            let lacks = |n: &&str| syscalls::number(*arch, n).is_none();
            let named = rule.calls.iter().filter(|i| i.group.is_none()).map(|i| i.name).filter(lacks);
            let names: Vec<&str> = named.collect();
            if !names.is_empty() {
                out.push(format!("not on {}: {}", arch.word(), names.join(", ")));
            }
        }
        out
    }
}

/// The kinds of namespace of a rule.
fn kinds(rule: &Rule) -> Vec<NamespaceKind> {
    match &rule.body {
        Body::Namespace(kinds) => kinds.iter().collect(),
        _ => vec![NamespaceKind::User],
    }
}

/// Families without whose calls a rule is of no use.
fn essential(family: Family) -> bool {
    !matches!(family, Family::SocketUse | Family::Namespaces | Family::Userns)
}

/// What an allow permits besides what it says, and what its reader should know.
fn extent(body: &Body) -> (Option<String>, Option<&'static str>) {
    let wide = |what: &str| (Some(what.to_owned()), None);
    let noted = |note: &'static str| (None, Some(note));
    match body {
        Body::Net(net) if net.protocol == Protocol::Tcp => {
            wide("tcp with every address and port: a filter sees neither")
        }
        Body::Net(net) => match (net.addresses.is_some(), net.ports.is_full()) {
            (true, true) => wide("every address: a filter sees none"),
            (true, false) => wide("every address and port: a filter sees neither"),
            (false, false) => wide("every port: a filter sees none"),
            (false, true) => noted("by family, type and protocol"),
        },
        Body::Unix(_) => wide("unix sockets of this type with every name: a filter sees none"),
        Body::Signal(_) => {
            wide("every signal to every process of the same user: a filter knows no processes")
        }
        Body::Ptrace(_) => {
            wide("every process that the kernel lets this one trace: a filter knows no processes")
        }
        Body::Mount(_) => wide("every path, source and type of file system: a filter sees the flags alone"),
        Body::IoUring(uses) if *uses != IoUringUses::all() => {
            wide("every use of io_uring: what a ring does passes no filter")
        }
        Body::IoUring(_) => noted("what a ring does passes no filter"),
        Body::Mqueue(_) => wide("queues of every name: a filter sees none"),
        Body::Socket(_) => noted("by family, type and protocol"),
        _ => (None, None),
    }
}

/// What a filter does not see of a request.
fn hidden(body: &Body) -> &'static str {
    match body {
        Body::Unix(_) => "socket name",
        Body::Signal(_) | Body::Ptrace(_) => "process",
        Body::Mount(_) => "path",
        Body::Mqueue(_) => "queue name",
        Body::IoUring(_) => "request of a ring",
        _ => "more than the call",
    }
}
