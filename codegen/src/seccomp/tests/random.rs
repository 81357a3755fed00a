//! Random policies, their programs against the meaning worked out independently: on every number, on boundary arguments alone, in
//! pairs and in triples, and on every way through the program.

use super::oracle::expected;
use super::{Action, paths};
use crate::seccomp::encode::{action, rank};
use crate::seccomp::frequencies::Frequencies;
use crate::seccomp::sim::Data;
use crate::seccomp::{LowerError, Lowered, SeccompOptions, checker, lower};
use canc_dsl::policy::{
    ArgTest, Body, Compare, Condition, Effect, Mode, NamespaceKind, NamespaceKinds, NetOp, NetOps, NetRule,
    Policy, PolicyData, Protocol, Rule, RuleId, SyscallItem, SyscallRule, Width,
};
use canc_sets::interval::Intervals;
use canc_sets::syscalls::{Arch, ArgKind, args, lookup, max_number, number};
use canc_sets::testing::Random;
use std::sync::Arc;

/// Calls whose arguments have every width, and those with guards.
const CALLS: [&str; 16] = [
    "read", "ioctl", "lseek", "kill", "chmod", "mmap", "socket", "clone", "unshare", "setns", "sendto",
    "sendmsg", "execveat", "write", "openat2", "clone3",
];

const VALUES: [u64; 16] = [
    0,
    1,
    2,
    3,
    7,
    8,
    0x7fff,
    0x8000,
    0xffff,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_fffe,
    0xffff_ffff,
    0x1_0000_0000,
    0x7fff_ffff_ffff_ffff,
    0xffff_ffff_ffff_ffff,
];

fn scalars(call: &str) -> Vec<(u8, Width)> {
    let width = |kind| match kind {
        ArgKind::Pointer => None,
        ArgKind::U16 => Some(Width::U16),
        ArgKind::U32 => Some(Width::U32),
        ArgKind::I32 => Some(Width::I32),
        ArgKind::U64 => Some(Width::U64),
        ArgKind::I64 => Some(Width::I64),
    };
    args(call).iter().enumerate().filter_map(|(i, a)| Some((i as u8, width(a.kind)?))).collect()
}

/// A value that fits the width, as the checker of the language makes sure.
fn fitting(random: &mut Random, width: Width) -> u64 {
    loop {
        let value = if random.under(4) == 0 {
            random.draw() >> random.under(60)
        } else {
            random.pick(&VALUES).unwrap()
        };
        let fits = match width {
            Width::U16 => value <= 0xffff,
            Width::U32 | Width::I32 => value >> 32 == 0 || value >= 0xffff_ffff_8000_0000,
            Width::U64 | Width::I64 => true,
        };
        if fits {
            return value;
        }
    }
}

fn test(random: &mut Random, (arg, width): (u8, Width)) -> Condition {
    let value = fitting(random, width);
    let masked = random.under(3) == 0;
    let op = if masked {
        random.pick(&[Compare::Eq, Compare::Ne]).unwrap()
    } else {
        random.pick(&[Compare::Eq, Compare::Ne, Compare::Lt, Compare::Le, Compare::Gt, Compare::Ge]).unwrap()
    };
    let bits = match width {
        Width::U16 => 0xffff,
        Width::U32 | Width::I32 => 0xffff_ffff,
        _ => u64::MAX,
    };
    let mask = match random.under(3) {
        _ if !masked => u64::MAX,
        0 => 1 << random.under(16),
        1 => random.draw() & bits,
        _ => (fitting(random, width) | 2) & bits,
    };
    let value = if masked && mask != u64::MAX { value & mask } else { value };
    Condition::Test(ArgTest { arg, width, mask, op, value })
}

fn condition(random: &mut Random, scalars: &[(u8, Width)], depth: u32) -> Condition {
    let list = |random: &mut Random| {
        (0..random.under(3) + 1).map(|_| condition(random, scalars, depth - 1)).collect()
    };
    match random.under(if depth == 0 { 3 } else { 7 }) {
        3 => Condition::All(list(random)),
        4 => Condition::Any(list(random)),
        5 => Condition::Not(Box::new(condition(random, scalars, depth - 1))),
        6 if random.under(4) == 0 => Condition::Arch(vec![random.pick(&Arch::ALL).unwrap()]),
        _ => {
            let scalar = random.pick(scalars).unwrap();
            test(random, scalar)
        }
    }
}

fn rule(random: &mut Random, id: u32) -> Rule {
    let effect = if random.under(3) == 0 { Effect::Deny } else { Effect::Allow };
    let mut calls: Vec<SyscallItem> = Vec::new();
    for _ in 0..random.under(3) + 1 {
        let name = lookup(random.pick(&CALLS).unwrap()).unwrap();
        let scalars = scalars(name);
        let conditional = !scalars.is_empty() && random.under(4) != 0;
        let condition = conditional.then(|| condition(random, &scalars, 2));
        let group = (random.under(5) == 0).then_some("known");
        if calls.iter().all(|c| c.name != name) {
            calls.push(SyscallItem { name, group, condition });
        }
    }
    let actions =
        [Action::Kill, Action::KillThread, Action::Trap, Action::Errno(13), Action::Notify, Action::Trace];
    let action = (effect == Effect::Deny && random.under(2) == 0).then(|| random.pick(&actions).unwrap());
    let arches = (random.under(6) == 0).then(|| vec![random.pick(&Arch::DEFAULT).unwrap()]);
    body(id, effect, Body::Syscall(SyscallRule { calls, arches, action }), random.under(8) == 0)
}

fn body(id: u32, effect: Effect, body: Body, audit: bool) -> Rule {
    Rule {
        id: RuleId(id),
        name: None,
        effect,
        prefer: false,
        audit,
        body,
        because: None,
        span: canc_dsl::source::Span::default(),
        included: Arc::default(),
    }
}

/// A policy without implied calls, so that its system-call rules are all it says but for what opens guards.
pub fn random_policy(random: &mut Random) -> PolicyData {
    let mut rules: Vec<Rule> = Vec::new();
    for _ in 0..random.under(6) + 1 {
        let next = rule(random, rules.len() as u32);
        rules.push(next);
    }
    // clone3 by name needs this; it is not a request of the oracle's own.
    rules.push(body(rules.len() as u32, Effect::Allow, Body::UsernsCreate, false));
    if random.under(2) == 0 {
        let kinds = NamespaceKinds::of(&[NamespaceKind::Net, NamespaceKind::Time]);
        rules.push(body(rules.len() as u32, Effect::Allow, Body::Namespace(kinds), false));
    }
    if random.under(2) == 0 {
        let net = NetRule {
            ops: NetOps::of(&[NetOp::Connect]),
            protocol: Protocol::Tcp,
            addresses: None,
            ports: Intervals::full(),
        };
        rules.push(body(rules.len() as u32, Effect::Allow, Body::Net(net), false));
    }
    let defaults = [None, None, Some(Action::Errno(5)), Some(Action::Kill), Some(Action::Trap)];
    PolicyData {
        name: "p".into(),
        rules,
        syscall_infer: false,
        syscall_default: random.pick(&defaults).unwrap(),
        mode: if random.under(10) == 0 { Mode::Complain } else { Mode::Enforce },
        ..PolicyData::default()
    }
}

/// What the filters of a host answer, as the kernel combines them.
pub fn answer(lowered: &Lowered, host: Arch, data: &Data) -> Action {
    let answers = lowered.filters[&host].iter().map(|f| action(f.answer(data).unwrap()));
    answers.min_by_key(|a| rank(*a)).unwrap()
}

/// Numbers around a value where something may change.
pub fn boundary(values: &mut Vec<u64>, value: u64, mask: u64) {
    let near =
        [value, value.wrapping_sub(1), value.wrapping_add(1), value ^ 1 << 32, value | !mask, value ^ mask];
    values.extend(near);
    values.extend([0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0x1_0000_0000, 1 << 63, u64::MAX]);
}

pub fn collect(condition: &Condition, values: &mut [Vec<u64>; 6]) {
    match condition {
        Condition::All(list) | Condition::Any(list) => list.iter().for_each(|c| collect(c, values)),
        Condition::Not(inner) => collect(inner, values),
        Condition::Test(t) => boundary(&mut values[usize::from(t.arg)], t.value, t.mask),
        Condition::Arch(_) => (),
    }
}

/// Boundary arguments of a call's conditions, each alone and all combinations of up to `most`.
pub fn arguments(policy: &PolicyData, call: &str, random: &mut Random, most: usize) -> Vec<[u64; 6]> {
    let mut values: [Vec<u64>; 6] = Default::default();
    for rule in &policy.rules {
        let Body::Syscall(body) = &rule.body else { continue };
        for item in body.calls.iter().filter(|i| i.name == call) {
            item.condition.iter().for_each(|c| collect(c, &mut values));
        }
    }
    let guards = [0x80, 0x1000_0000, 0x2000_0000, 0x4000_0000, 0x7e02_0000, 250, 0x1000, 2];
    for list in &mut values {
        list.extend(guards);
        list.push(0);
        list.sort_unstable();
        list.dedup();
    }
    let total: usize = values.iter().map(Vec::len).try_fold(1usize, usize::checked_mul).unwrap_or(usize::MAX);
    if total <= most {
        let mut out = vec![[0; 6]];
        for (arg, list) in values.iter().enumerate() {
            out = out
                .iter()
                .flat_map(|a| {
                    list.iter().map(move |v| {
                        let mut b = *a;
                        b[arg] = *v;
                        b
                    })
                })
                .collect();
        }
        return out;
    }
    (0..most).map(|_| std::array::from_fn(|arg| random.pick(&values[arg]).unwrap())).collect()
}

/// Compares one policy's filters with its meaning; returns how many inputs were compared.
pub fn compare(policy: &PolicyData, random: &mut Random, per_call: usize) -> usize {
    let wrapped = Policy::unchecked(policy.clone());
    let frequencies = (random.under(2) == 0).then(Frequencies::builtin);
    let options = SeccompOptions { frequencies, ..SeccompOptions::default() };
    let lowered = match lower(&wrapped, &options) {
        Ok(lowered) => lowered,
        Err(errors) => {
            assert!(errors.iter().all(|e| matches!(e, LowerError::TwoErrnos { .. })), "{errors:?}");
            return 0;
        }
    };
    let launch = Some(options.launch_fd);
    let mut compared = 0;
    for host in Arch::DEFAULT {
        let mut ask = |data: Data| {
            let own = answer(&lowered, host, &data);
            // A kernel of this architecture asks the filters of this architecture only.
            let wanted = expected(policy, &[host], data.arch, data.nr, data.args, launch);
            assert_eq!(own, wanted, "{host:?} {data:x?}\n{:#?}", policy.rules);
            compared += 1;
        };
        let audit = host.audit_value();
        let numbers =
            (0..1_024).chain([0x3fff_ffff, 0x4000_0000, 0x4000_0001, 0x7fff_ffff, 0x8000_0000, u32::MAX]);
        for nr in numbers.chain((0..1_024).map(|n| n | 0x4000_0000)) {
            ask(Data { arch: audit, nr, args: [0; 6] });
        }
        for call in CALLS {
            let Some(nr) = number(host, call) else { continue };
            for args in arguments(policy, call, random, per_call) {
                ask(Data { arch: audit, nr, args });
            }
        }
        for other in Arch::ALL {
            ask(Data { arch: other.audit_value(), nr: max_number(other).min(3), args: [0; 6] });
        }
        for filter in &lowered.filters[&host] {
            checker::check(filter.instructions()).unwrap();
            let inputs = paths::inputs(filter.instructions(), host.is_big_endian(), 20_000);
            assert_eq!(
                paths::unreached(filter.instructions(), &inputs, host.is_big_endian()),
                [0usize; 0],
                "{policy:#?}"
            );
            inputs.into_iter().for_each(&mut ask);
        }
    }
    compared
}

/// Inputs that are compared when nobody says how many.
const INPUTS: usize = 100_000;

/// `CANC_SECCOMP_INPUTS` says how many inputs are compared, `CANC_SECCOMP_SEED` which policies are made; both are printed.
#[test]
fn random_policies_mean_what_their_programs_do() {
    let number = |name: &str| {
        std::env::var(name).ok().map(|v| v.parse::<u64>().unwrap_or_else(|_| panic!("{name}={v}")))
    };
    let wanted = number("CANC_SECCOMP_INPUTS").map_or(INPUTS, |n| usize::try_from(n).unwrap());
    let seed = number("CANC_SECCOMP_SEED").unwrap_or(7);
    println!("CANC_SECCOMP_INPUTS={wanted} CANC_SECCOMP_SEED={seed}");
    let mut random = Random(seed);
    let (mut compared, mut policies) = (0, 0);
    while compared < wanted {
        let policy = random_policy(&mut random);
        compared += compare(&policy, &mut random, 100);
        policies += 1;
    }
    println!("{compared} inputs of {policies} policies compared, every instruction executed");
}
