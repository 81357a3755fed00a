//! A checked policy to filters and verdicts: the pass that the other files of this room are for.

use super::diagram::{Arena, Leaf, NodeId};
use super::encode::{MOST_INSTRUCTIONS, return_value};
use super::implied::{self, Context, Family};
use super::layout::{Program, Section, program};
use super::model::{Clauses, EOPNOTSUPP, EVERYWHERE, Effect, Source, X32_BIT};
use super::verdicts;
use super::{Filter, LowerError, Lowered, Options};
use canc_dsl::policy::{
    Action, Body, Effect as RuleEffect, NamespaceKind, NamespaceKinds, NetOp, Policy, Protocol, RuleId, SyscallItem, SyscallRule,
};
use canc_sets::syscalls::{self, Arch};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Lowers a policy.
///
/// # Errors
/// Every reason why no filter can say what the policy says.
pub fn lower(policy: &Policy, options: &Options) -> Result<Lowered, Vec<LowerError>> {
    let mut errors = refuse(policy);
    let mut clauses = Clauses::new(policy);
    collect(policy, options, &mut clauses);
    let arches = arches(policy, options);
    let mut builder = Builder { clauses: &clauses, arena: Arena::default(), known: HashMap::new() };
    let mut tables = Vec::new();
    for arch in &arches {
        match builder.table(*arch) {
            Ok(table) => tables.push((*arch, table)),
            Err(error) => errors.push(error),
        }
    }
    if !errors.is_empty() {
        errors.sort();
        errors.dedup();
        return Err(errors);
    }
    let arena = builder.arena;
    let mut filters = BTreeMap::new();
    for host in arches.iter().map(|a| a.host()).collect::<BTreeSet<_>>() {
        let served: Vec<&(Arch, Table)> = tables.iter().filter(|t| t.0.host() == host).collect();
        match filter(&arena, &clauses, host, &served) {
            Ok(filter) => drop(filters.insert(host, vec![filter])),
            Err(error) => errors.push(error),
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let returned = |action: Action| {
        let value = return_value(action);
        filters.values().flatten().any(|f: &Filter| f.program.instructions.iter().any(|i| i.code == 0x06 && i.k == value))
    };
    let (needs_tracer, needs_listener) = (returned(Action::Trace), returned(Action::Notify));
    let wants_log = policy.rules.iter().any(|r| r.audit && matches!(r.body, Body::Syscall(_)));
    let mut lowered = Lowered {
        filters,
        outcomes: Vec::new(),
        base: verdicts::base(options),
        needs_tracer,
        needs_listener,
        wants_log,
        launch_fd: options.launch_fd,
        arches,
        clauses,
        nodes: arena,
    };
    lowered.outcomes = verdicts::outcomes(policy, &lowered);
    Ok(lowered)
}

/// The architectures that filters serve: those asked for, and companions that a rule names.
fn arches(policy: &Policy, options: &Options) -> Vec<Arch> {
    let mut out: BTreeSet<Arch> = options.arches.iter().copied().collect();
    for rule in &policy.rules {
        if let Body::Syscall(SyscallRule { arches: Some(named), .. }) = &rule.body {
            let hosted = |a: &&Arch| a.host() != **a && options.arches.contains(&a.host());
            out.extend(named.iter().filter(hosted));
        }
    }
    out.into_iter().collect()
}

/// What the language refuses and only this back end can see.
fn refuse(policy: &Policy) -> Vec<LowerError> {
    let mut out = Vec::new();
    let userns = allowed_namespaces(policy).has(NamespaceKind::User);
    let mut errnos: HashMap<&str, (u16, RuleId)> = HashMap::new();
    for rule in &policy.rules {
        let Body::Syscall(body) = &rule.body else { continue };
        let by_name = |i: &&SyscallItem| i.group.is_none() && i.name == "clone3";
        if rule.effect == RuleEffect::Allow && !userns && body.calls.iter().any(|i| by_name(&i)) {
            out.push(LowerError::Clone3 { rule: rule.id });
        }
        if let (RuleEffect::Deny, Some(Action::Errno(number))) = (rule.effect, body.action) {
            for item in &body.calls {
                let first = *errnos.entry(item.name).or_insert((number, rule.id));
                if first.0 != number {
                    out.push(LowerError::TwoErrnos { call: item.name, first: first.1, second: rule.id });
                }
            }
        }
    }
    out
}

/// The kinds of namespace that the policy allows to make.
#[must_use]
pub fn allowed_namespaces(policy: &Policy) -> NamespaceKinds {
    let of = |effect: RuleEffect| {
        policy.rules.iter().filter(|r| r.effect == effect).fold(NamespaceKinds::EMPTY, |kinds, rule| match &rule.body {
            Body::Namespace(own) => kinds.union(*own),
            Body::UsernsCreate => kinds.with(NamespaceKind::User),
            _ => kinds,
        })
    };
    of(RuleEffect::Allow).minus(of(RuleEffect::Deny))
}

/// Whether TCP connections to every address and port are allowed, so that no way to open one needs a guard.
#[must_use]
pub fn connects_anywhere(policy: &Policy) -> bool {
    let whole = |effect: RuleEffect, all: bool| {
        policy.rules.iter().filter(|r| r.effect == effect).any(|r| match &r.body {
            Body::Net(net) if net.protocol == Protocol::Tcp && net.ops.has(NetOp::Connect) => {
                !all || net.addresses.is_none() && net.ports.is_full()
            }
            _ => false,
        })
    };
    whole(RuleEffect::Allow, true) && !whole(RuleEffect::Deny, false)
}

/// Says everything that the policy, its implications and the launch say.
fn collect(policy: &Policy, options: &Options, clauses: &mut Clauses) {
    let mut families: BTreeMap<(RuleEffect, Family), Vec<RuleId>> = BTreeMap::new();
    for rule in &policy.rules {
        match &rule.body {
            Body::Syscall(body) => explicit(rule.effect, rule.audit, body, rule.id, clauses),
            _ if rule.effect == RuleEffect::Allow && !policy.syscall_infer => (),
            _ => {
                for family in implied::families(rule) {
                    families.entry((rule.effect, family)).or_default().push(rule.id);
                }
            }
        }
    }
    let context = Context::of(policy);
    for ((effect, family), rules) in families {
        let effect = match effect {
            RuleEffect::Allow => Effect::Allow,
            RuleEffect::Deny if verdicts::deny_is_whole(policy, family, &rules) => Effect::Deny(None),
            RuleEffect::Deny => continue,
        };
        clauses.families.push((family, rules));
        let source = Source::Family(clauses.families.len() - 1);
        for (call, condition) in implied::calls(family, context) {
            clauses.say(call, source, effect, condition, EVERYWHERE);
        }
    }
    guards(policy, clauses);
    if options.base {
        clauses.say("execveat", Source::Base, Effect::Launch, Some(implied::launch_exec(options.launch_fd)), EVERYWHERE);
        clauses.say("exit_group", Source::Base, Effect::Allow, None, EVERYWHERE);
        clauses.say("write", Source::Base, Effect::Allow, Some(implied::failure_report()), EVERYWHERE);
    }
}

/// A rule that names calls.
fn explicit(effect: RuleEffect, audit: bool, body: &SyscallRule, rule: RuleId, clauses: &mut Clauses) {
    let arches = body.arches.as_ref().map_or(EVERYWHERE, |list| list.iter().fold(0, |bits, a| bits | 1 << a.index()));
    let effect = match effect {
        RuleEffect::Allow if audit => Effect::Log,
        RuleEffect::Allow => Effect::Allow,
        RuleEffect::Deny => Effect::Deny(body.action),
    };
    for item in &body.calls {
        let allows = matches!(effect, Effect::Allow | Effect::Log);
        if !(allows && item.group.is_some() && verdicts::only_by_name(item.name)) {
            clauses.say(item.name, Source::Rule(rule), effect, item.condition.clone(), arches);
        }
    }
}

/// What stays refused though its calls may be allowed.
fn guards(policy: &Policy, clauses: &mut Clauses) {
    for (call, condition) in implied::namespace_guards(allowed_namespaces(policy)) {
        clauses.say(call, Source::NamespaceGuard, Effect::Guard(None), Some(condition), EVERYWHERE);
    }
    if !connects_anywhere(policy) {
        for (call, condition) in implied::fast_open_guards() {
            let effect = Effect::Guard(Some(EOPNOTSUPP));
            clauses.say(call, Source::FastOpenGuard, effect, Some(condition), EVERYWHERE);
        }
    }
}

/// The decisions of one architecture: the greatest number of each interval and its decision.
pub type Table = Vec<(u32, NodeId, u64)>;

/// Makes tables; calls with the same clauses share their decisions between architectures.
struct Builder<'a> {
    clauses: &'a Clauses,
    arena: Arena,
    known: HashMap<(usize, Option<Arch>), NodeId>,
}

impl Builder<'_> {
    fn table(&mut self, arch: Arch) -> Result<Table, LowerError> {
        let full = |_| LowerError::TooComplicated { rules: Vec::new() };
        let unknown = self.arena.leaf(Leaf::Return(self.clauses.answer(self.clauses.unknown()))).map_err(full)?;
        let killed = self.arena.leaf(Leaf::Return(self.clauses.answer(Action::Kill))).map_err(full)?;
        let start = if arch == Arch::X32 { X32_BIT } else { 0 };
        let mut table = Intervals { list: Vec::new(), next: start };
        for ((number, name), call) in syscalls::numbers(arch).iter().zip(syscalls::indices(arch)) {
            if *number > table.next {
                table.push(number - 1, unknown, u64::from(number - table.next));
            }
            let node = self.call(arch, usize::from(*call), name)?;
            table.push(*number, node, 1);
        }
        let end = start + (X32_BIT - 1);
        table.push(end, unknown, 1);
        if arch != Arch::X32 {
            table.push(u32::MAX, killed, 1);
        }
        Ok(table.list)
    }

    /// The decision on one call.
    fn call(&mut self, arch: Arch, call: usize, name: &'static str) -> Result<NodeId, LowerError> {
        if let Some(value) = self.clauses.plain(call, name, arch) {
            let full = |_| LowerError::TooComplicated { rules: Vec::new() };
            return self.arena.leaf(Leaf::Return(value)).map_err(full);
        }
        let usual = arch.is_64_bit() && std::ptr::eq(syscalls::args_on(arch, name), syscalls::args(name));
        let same = usual && self.clauses.by_call.get(call).into_iter().flatten().all(|c| c.arches == EVERYWHERE);
        // Conditions may name architectures, and then each has its own decision.
        let key = (call, (!same || self.clauses.names_architectures(call)).then_some(arch));
        if let Some(known) = self.known.get(&key) {
            return Ok(*known);
        }
        let made = self.clauses.decision(&mut self.arena, arch, call, name);
        let made = made.map_err(|unsayable| LowerError::from_unsayable(self.clauses, call, name, unsayable))?;
        self.known.insert(key, made);
        Ok(made)
    }
}

/// A table in the making.
struct Intervals {
    list: Table,
    next: u32,
}

impl Intervals {
    /// Everything up to `last`; joined with the interval before where the decision is the same.
    fn push(&mut self, last: u32, node: NodeId, weight: u64) {
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

/// The filter of a host for the architectures it serves.
fn filter(arena: &Arena, clauses: &Clauses, host: Arch, served: &[&(Arch, Table)]) -> Result<Filter, LowerError> {
    let killed = clauses.answer(Action::Kill);
    let mut sections: Vec<Section> = Vec::new();
    let own = |arch: Arch| served.iter().find(|t| t.0 == arch).map(|t| &t.1);
    for (arch, table) in served {
        let intervals = match (arch, own(Arch::X86_64), own(Arch::X32)) {
            (Arch::X86_64, Some(native), Some(x32)) => join(native, x32),
            (Arch::X32, Some(_), _) => continue,
            _ => table.clone(),
        };
        sections.push(Section { audit: arch.audit_value(), intervals });
    }
    let program = program(arena, &sections, killed, host.is_big_endian());
    let length = program.instructions.len();
    if length > MOST_INSTRUCTIONS {
        return Err(too_long(arena, clauses, host, served, length));
    }
    Ok(Filter { arch: host, serves: served.iter().map(|t| t.0).collect(), program })
}
