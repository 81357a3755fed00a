//! A checked policy to filters and verdicts: the pass that the other files of this room are for.

use super::calls::{self, Context};
use super::decisions::Decisions;
use super::diagram::NodeId;
use super::encode::op;
use super::frequencies::Frequencies;
use super::implied::{self, Family};
use super::layout::{Section, Trees};
use super::model::{Clause, Clauses, EOPNOTSUPP, EVERYWHERE, Effect, Source, X32_BIT};
use super::tree::Weight;
use super::{Filter, LowerError, Lowered, SeccompOptions, encode, errnos, guards, split, verdicts};
use canc_dsl::policy::{
    Action, Body, Condition, Effect as RuleEffect, NamespaceKind, NamespaceKinds, NetOp, NetOps, Policy,
    Protocol, RuleId, SyscallItem, SyscallRule,
};
use canc_sets::syscalls::{self, Arch};
use std::collections::{BTreeMap, BTreeSet};

/// Lowers a policy.
///
/// # Errors
/// Every reason why no filter can say what the policy says.
pub fn lower(policy: &Policy, options: &SeccompOptions) -> Result<Lowered, Vec<LowerError>> {
    let mut clauses = Clauses::new(policy);
    collect(policy, options, &mut clauses);
    let arches = arches(policy, options);
    let mut decisions = Decisions::new(&clauses);
    let mut errors = clone3(policy);
    errors.extend(errnos::conflicts(&mut decisions, &arches));
    let mut tables = BTreeMap::new();
    for arch in &arches {
        match table(&mut decisions, *arch, options.frequencies.as_ref()) {
            Ok(table) => drop(tables.insert(*arch, table)),
            Err(error) => errors.push(error),
        }
    }
    let mut filters = BTreeMap::new();
    let mut trees = Trees::default();
    if errors.is_empty() {
        for host in arches.iter().map(|a| a.host()).collect::<BTreeSet<_>>() {
            let sections = sections(&mut decisions, host, &tables)?;
            match split::filters(&mut decisions, &mut trees, host, &sections) {
                Ok(programs) => {
                    let serves: Vec<Arch> = arches.iter().copied().filter(|a| a.host() == host).collect();
                    let filter = |program| Filter { arch: host, serves: serves.clone(), program };
                    filters.insert(host, programs.into_iter().map(filter).collect());
                }
                Err(error) => errors.push(error),
            }
        }
    }
    if !errors.is_empty() {
        errors.sort();
        errors.dedup();
        return Err(errors);
    }
    let (outcomes, dead) = verdicts::outcomes(policy, &arches, &mut decisions);
    let base = verdicts::base(policy, options);
    let roots = roots(&mut decisions, &arches);
    Ok(Lowered {
        needs_tracer: returns(&filters, Action::Trace),
        needs_listener: returns(&filters, Action::Notify),
        wants_log: policy.rules.iter().any(|r| r.audit && matches!(r.body, Body::Syscall(_))),
        filters,
        outcomes,
        base,
        dead,
        arches,
        launch_fd: options.launch_fd,
        clauses,
        roots,
    })
}

/// The calls whose answer depends on their arguments.
fn roots(decisions: &mut Decisions<'_>, arches: &[Arch]) -> Vec<(Arch, &'static str, NodeId)> {
    let mut out = Vec::new();
    for arch in arches {
        for ((_, name), call) in syscalls::numbers(*arch).iter().zip(syscalls::indices(*arch)) {
            let node = decisions.on(*arch, usize::from(*call), name);
            out.extend(node.ok().filter(|n| decisions.arena.view(*n).is_some()).map(|n| (*arch, *name, n)));
        }
    }
    out
}

/// Whether some filter returns an action.
fn returns(filters: &BTreeMap<Arch, Vec<Filter>>, action: Action) -> bool {
    let value = encode::return_value(action);
    let own = |f: &Filter| f.instructions().iter().any(|i| i.code == op::RETURN && i.k == value);
    filters.values().flatten().any(own)
}

/// The architectures that filters serve: those asked for, and companions that a rule names.
fn arches(policy: &Policy, options: &SeccompOptions) -> Vec<Arch> {
    let mut out: BTreeSet<Arch> = options.arches.iter().copied().collect();
    for rule in &policy.rules {
        if let Body::Syscall(SyscallRule { arches: Some(named), .. }) = &rule.body {
            let hosted = |a: &&Arch| a.host() != **a && options.arches.contains(&a.host());
            out.extend(named.iter().filter(hosted));
        }
    }
    out.into_iter().collect()
}

/// `clone3` allowed by name makes every namespace, since its flags cannot be seen.
fn clone3(policy: &Policy) -> Vec<LowerError> {
    if allowed_namespaces(policy).has(NamespaceKind::User) {
        return Vec::new();
    }
    let by_name = |i: &SyscallItem| i.group.is_none() && i.name == "clone3";
    let allows = |body: &Body| matches!(body, Body::Syscall(s) if s.calls.iter().any(by_name));
    let rules = policy.rules.iter().filter(|r| r.effect == RuleEffect::Allow && allows(&r.body));
    rules.map(|r| LowerError::Clone3 { rule: r.id }).collect()
}

/// The kinds of namespace that the policy allows to make.
pub(super) fn allowed_namespaces(policy: &Policy) -> NamespaceKinds {
    let of = |effect: RuleEffect| {
        let rules = policy.rules.iter().filter(|r| r.effect == effect);
        rules.fold(NamespaceKinds::EMPTY, |kinds, rule| match &rule.body {
            Body::Namespace(own) => kinds.union(*own),
            Body::UsernsCreate => kinds.with(NamespaceKind::User),
            _ => kinds,
        })
    };
    of(RuleEffect::Allow).minus(of(RuleEffect::Deny))
}

/// What network rules of a protocol say: the operations allowed anywhere, allowed everywhere, denied anywhere, denied everywhere.
pub(super) struct NetOperations {
    pub allowed: NetOps,
    pub allowed_everywhere: NetOps,
    pub denied: NetOps,
    pub denied_everywhere: NetOps,
}

impl NetOperations {
    pub(super) fn of(policy: &Policy, protocol: Protocol) -> Self {
        let mut out = Self {
            allowed: NetOps::EMPTY,
            allowed_everywhere: NetOps::EMPTY,
            denied: NetOps::EMPTY,
            denied_everywhere: NetOps::EMPTY,
        };
        for rule in &policy.rules {
            let Body::Net(net) = &rule.body else { continue };
            if net.protocol != protocol {
                continue;
            }
            let everywhere =
                if net.addresses.is_none() && net.ports.is_full() { net.ops } else { NetOps::EMPTY };
            let (any, all) = match rule.effect {
                RuleEffect::Allow => (&mut out.allowed, &mut out.allowed_everywhere),
                RuleEffect::Deny => (&mut out.denied, &mut out.denied_everywhere),
            };
            *any = any.union(net.ops);
            *all = all.union(everywhere);
        }
        out
    }

    /// Whether every operation that something allows is denied wholly, so that no socket of the protocol is of any use.
    pub(super) fn all_denied(&self) -> bool {
        let mut denied = self.denied_everywhere;
        // Listening takes binding.
        if denied.has(NetOp::Bind) {
            denied = denied.with(NetOp::Listen);
        }
        !denied.is_empty() && self.allowed.minus(denied).is_empty()
    }
}

/// Whether TCP connections to every address and port are allowed, so that no way to open one needs a guard.
fn connects_anywhere(policy: &Policy) -> bool {
    let tcp = NetOperations::of(policy, Protocol::Tcp);
    tcp.allowed_everywhere.has(NetOp::Connect) && !tcp.denied.has(NetOp::Connect)
}

/// Says everything that the policy, its implications and the launch say.
fn collect(policy: &Policy, options: &SeccompOptions, clauses: &mut Clauses) {
    let mut families: BTreeMap<(RuleEffect, Family), Vec<RuleId>> = BTreeMap::new();
    for rule in &policy.rules {
        if let Body::Syscall(body) = &rule.body {
            explicit(rule.effect, rule.audit, body, rule.id, clauses);
        } else if rule.effect == RuleEffect::Deny || policy.syscall_infer {
            for family in implied::families(rule) {
                let rules = families.entry((rule.effect, family)).or_default();
                if rules.last() != Some(&rule.id) {
                    rules.push(rule.id);
                }
            }
        }
    }
    let context = Context::of(policy);
    for ((effect, family), rules) in families {
        let effect = match effect {
            RuleEffect::Allow => Effect::Allow,
            RuleEffect::Deny if verdicts::refuses(policy, family, &rules) => Effect::Deny(None),
            RuleEffect::Deny => continue,
        };
        clauses.families.push((family, rules));
        let source = Source::Family(clauses.families.len() - 1);
        for (call, condition) in calls::calls(family, context) {
            clauses.say(call, source, effect, condition, EVERYWHERE);
        }
    }
    guards(policy, clauses);
    if options.base {
        let exec = guards::launch_exec(options.launch_fd);
        clauses.say("execveat", Source::Base, Effect::Launch, Some(exec), EVERYWHERE);
        clauses.say("exit_group", Source::Base, Effect::Allow, None, EVERYWHERE);
        clauses.say("write", Source::Base, Effect::Allow, Some(guards::failure_report()), EVERYWHERE);
    }
}

/// A rule that names calls.
fn explicit(effect: RuleEffect, audit: bool, body: &SyscallRule, rule: RuleId, clauses: &mut Clauses) {
    let mask = |list: &Vec<Arch>| list.iter().fold(0, |bits, a| bits | 1 << a.index());
    let arches = body.arches.as_ref().map_or(EVERYWHERE, mask);
    let effect = match effect {
        RuleEffect::Allow if audit => Effect::Log,
        RuleEffect::Allow => Effect::Allow,
        RuleEffect::Deny => Effect::Deny(body.action),
    };
    for item in &body.calls {
        let by_group = effect != Effect::Deny(body.action) && item.group.is_some();
        if !(by_group && verdicts::only_by_name(item.name)) {
            clauses.say(item.name, Source::Rule(rule), effect, item.condition.clone(), arches);
        }
    }
}

/// What stays refused though its calls may be allowed.
fn guards(policy: &Policy, clauses: &mut Clauses) {
    for (call, condition) in guards::namespace_guards(allowed_namespaces(policy)) {
        guard(clauses, call, Source::NamespaceGuard, None, condition);
    }
    if !connects_anywhere(policy) {
        for (call, condition) in guards::fast_open_guards() {
            guard(clauses, call, Source::FastOpenGuard, Some(EOPNOTSUPP), condition);
        }
    }
}

/// Guards beat what clauses allow, so a call that only the policy's default permits is said to be allowed first.
fn guard(clauses: &mut Clauses, call: &str, source: Source, error: Option<u16>, condition: Condition) {
    let default = match clauses.default {
        Some(Action::Allow) => Some(Effect::Allow),
        Some(Action::Log) => Some(Effect::Log),
        _ => None,
    };
    let allows = |c: &Clause| matches!(c.effect, Effect::Allow | Effect::Log);
    let index = syscalls::index(call);
    let mentioned = index.and_then(|i| clauses.by_call.get(i)).is_some_and(|list| list.iter().any(allows));
    if let (Some(effect), false) = (default, mentioned) {
        clauses.say(call, Source::Base, effect, None, EVERYWHERE);
    }
    clauses.say(call, source, Effect::Guard(error), Some(condition), EVERYWHERE);
}

/// The greatest number of each interval, its decision, and how many numbers it has, as far as tables go.
type Table = Vec<(u32, NodeId, Weight)>;

/// The decisions on the numbers of one architecture, up to the end of its half of the numbers.
fn table(
    decisions: &mut Decisions<'_>,
    arch: Arch,
    frequencies: Option<&Frequencies>,
) -> Result<Table, LowerError> {
    let unknown = decisions.clauses.answer(decisions.clauses.unknown());
    let full = |_| LowerError::TooComplicated { call: None, rules: Vec::new() };
    let unknown = decisions.leaf(unknown).map_err(full)?;
    let start = if arch == Arch::X32 { X32_BIT } else { 0 };
    let mut table = Intervals { list: Vec::new(), next: start };
    for ((number, name), call) in syscalls::numbers(arch).iter().zip(syscalls::indices(arch)) {
        if *number > table.next {
            table.push(number - 1, unknown, Weight::of(u64::from(number - table.next)));
        }
        let node = decisions.on(arch, usize::from(*call), name);
        let unsayable = |e| LowerError::unsayable(decisions.clauses, usize::from(*call), name, e);
        let share = frequencies.map_or(0, |f| f.share(name));
        table.push(*number, node.map_err(unsayable)?, Weight { values: 1, share });
    }
    table.push(start + (X32_BIT - 1), unknown, Weight::of(1));
    Ok(table.list)
}

/// A table in the making.
struct Intervals {
    list: Table,
    next: u32,
}

impl Intervals {
    /// Everything up to `last`; joined with the interval before where the decision is the same.
    fn push(&mut self, last: u32, node: NodeId, weight: Weight) {
        match self.list.last_mut() {
            Some(before) if before.1 == node => {
                before.0 = last;
                before.2 += weight;
            }
            _ => self.list.push((last, node, weight)),
        }
        self.next = last.saturating_add(1);
    }
}

/// The sections of a host's filter: one for each architecture value, covering every number.
fn sections(
    decisions: &mut Decisions<'_>,
    host: Arch,
    tables: &BTreeMap<Arch, Table>,
) -> Result<Vec<Section>, Vec<LowerError>> {
    let killed = decisions.clauses.answer(Action::Kill);
    let full = |_| vec![LowerError::TooComplicated { call: None, rules: Vec::new() }];
    let killed = decisions.leaf(killed).map_err(full)?;
    let mut by_value: BTreeMap<u32, Vec<Arch>> = BTreeMap::new();
    for arch in tables.keys().filter(|a| a.host() == host) {
        by_value.entry(arch.audit_value()).or_default().push(*arch);
    }
    let whole = |(audit, arches): (u32, Vec<Arch>)| {
        let mut all = Intervals { list: Vec::new(), next: 0 };
        // Of the two that share a value, x86_64 has the lower half and comes first.
        for arch in arches {
            if arch == Arch::X32 && all.next == 0 {
                all.push(X32_BIT - 1, killed, Weight::of(1));
            }
            for (last, node, weight) in tables.get(&arch).into_iter().flatten() {
                all.push(*last, *node, *weight);
            }
        }
        all.push(u32::MAX, killed, Weight::of(1));
        Section { audit, intervals: all.list }
    };
    let mut out: Vec<Section> = by_value.into_iter().map(whole).collect();
    // The host's own programs are asked about first.
    out.sort_by_key(|s| s.audit != host.audit_value());
    Ok(out)
}
