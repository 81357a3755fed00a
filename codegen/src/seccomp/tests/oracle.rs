//! What a policy of system-call rules means, worked out again with big integers and without any code of the generator.

use canc_dsl::policy::{
    Action, ArgTest, Body, Compare, Condition, Effect, Mode, NamespaceKind, NetOp, PolicyData, Protocol,
    SyscallRule, Width,
};
use canc_sets::syscalls::{Arch, has_fallback, name};

const EPERM: Action = Action::Errno(1);
const ENOSYS: Action = Action::Errno(38);

/// The action for a call of an architecture whose filters are asked. `served`: the architectures of the build.
pub fn expected(
    policy: &PolicyData,
    served: &[Arch],
    arch_value: u32,
    nr: u32,
    args: [u64; 6],
    launch: Option<u32>,
) -> Action {
    let action = enforced(policy, served, arch_value, nr, args, launch);
    match policy.mode {
        Mode::Complain if action != Action::Allow => Action::Log,
        _ => action,
    }
}

fn enforced(
    policy: &PolicyData,
    served: &[Arch],
    arch_value: u32,
    nr: u32,
    args: [u64; 6],
    launch: Option<u32>,
) -> Action {
    let half = |a: &Arch| if *a == Arch::X32 { 0x4000_0000..0x8000_0000 } else { 0..0x4000_0000 };
    let mine = served.iter().find(|a| a.audit_value() == arch_value && half(a).contains(&nr));
    let Some(arch) = mine.copied() else { return Action::Kill };
    let Some(call) = name(arch, nr) else { return policy.syscall_default.unwrap_or(ENOSYS) };
    let unmentioned = match policy.syscall_default {
        _ if call == "clone3" => ENOSYS,
        Some(action) => action,
        None if has_fallback(call) => ENOSYS,
        None => EPERM,
    };
    let low = |i: usize| args[i] as u32;
    if launch.is_some_and(|fd| call == "execveat" && low(0) == fd && low(4) == 0x1000) {
        return Action::Allow;
    }
    let rules: Vec<(Effect, bool, &SyscallRule)> = policy
        .rules
        .iter()
        .filter_map(|r| if let Body::Syscall(s) = &r.body { Some((r.effect, r.audit, s)) } else { None })
        .filter(|(_, _, s)| s.arches.as_ref().is_none_or(|list| list.contains(&arch)))
        .collect();
    let hits = |effect: Effect| {
        rules.iter().filter(move |r| r.0 == effect).flat_map(move |(_, audit, s)| {
            let own = s.calls.iter().filter(move |i| i.name == call);
            own.map(move |i| (*audit, s.action, i.group.is_some(), i.condition.as_ref()))
        })
    };
    let holds = |c: Option<&Condition>| c.is_none_or(|c| truth(c, arch, &by_x86_64_order(call, arch, args)));
    // The strongest of the denies that match, in the kernel's order; an error that a rule names before one that it does not.
    let order = |a: Action| match a {
        Action::Kill => 0,
        Action::KillThread => 1,
        Action::Trap => 2,
        Action::Errno(_) => 3,
        Action::Notify => 4,
        Action::Trace => 5,
        Action::Log => 6,
        Action::Allow => 7,
    };
    let denies = hits(Effect::Deny).filter(|h| holds(h.3)).map(|h| h.1);
    if let Some((_, _, action)) =
        denies.map(|a| (order(a.unwrap_or(unmentioned)), a.is_none(), a.unwrap_or(unmentioned))).min()
    {
        return action;
    }
    let group_is_not_enough =
        |g: bool| g && ["clone3", "io_uring_setup", "io_uring_enter", "io_uring_register"].contains(&call);
    let allows: Vec<_> = hits(Effect::Allow).filter(|h| !group_is_not_enough(h.2)).collect();
    let matching: Vec<_> = allows.iter().filter(|h| holds(h.3)).collect();
    let base = launch.is_some() && (call == "exit_group" || call == "write" && low(0) == 2);
    if matching.is_empty() && !base {
        return if allows.is_empty() { unmentioned } else { policy.syscall_default.unwrap_or(EPERM) };
    }
    if let Some(refusal) = refused_though_allowed(policy, call, arch, &args) {
        return refusal;
    }
    if matching.iter().any(|h| h.0) { Action::Log } else { Action::Allow }
}

/// Namespaces that nothing allows, and connections that open without connect(2).
fn refused_though_allowed(policy: &PolicyData, call: &str, arch: Arch, args: &[u64; 6]) -> Option<Action> {
    let allowed = |flag: u64| {
        let kind = match flag {
            0x80 => NamespaceKind::Time,
            0x2_0000 => NamespaceKind::Mount,
            0x200_0000 => NamespaceKind::Cgroup,
            0x400_0000 => NamespaceKind::Uts,
            0x800_0000 => NamespaceKind::Ipc,
            0x1000_0000 => NamespaceKind::User,
            0x2000_0000 => NamespaceKind::Pid,
            _ => NamespaceKind::Net,
        };
        policy.rules.iter().any(|r| match &r.body {
            Body::UsernsCreate => kind == NamespaceKind::User,
            Body::Namespace(kinds) => kinds.has(kind),
            _ => false,
        })
    };
    let every = [0x80, 0x2_0000, 0x200_0000, 0x400_0000, 0x800_0000, 0x1000_0000, 0x2000_0000, 0x4000_0000];
    let refused = |flags: u64| every.iter().any(|f| flags & f != 0 && !allowed(*f));
    let refusal = policy.syscall_default.unwrap_or(EPERM);
    match call {
        "clone" if refused(by_x86_64_order(call, arch, *args)[0] & 0xffff_ff00) => return Some(refusal),
        "unshare" if refused(args[0]) => return Some(refusal),
        "setns" if refused(args[1]) || args[1] as u32 == 0 && !every.iter().all(|f| allowed(*f)) => {
            return Some(refusal);
        }
        _ => (),
    }
    let connects = policy.rules.iter().any(|r| match &r.body {
        Body::Net(n) => {
            n.protocol == Protocol::Tcp
                && n.ops.has(NetOp::Connect)
                && n.ports.is_full()
                && n.addresses.is_none()
        }
        _ => false,
    });
    let flags = match call {
        "sendto" | "send" | "sendmmsg" => args[3],
        "sendmsg" => args[2],
        _ => 0,
    };
    (flags & 0x2000_0000 != 0 && !connects).then_some(Action::Errno(95))
}

/// Policies count arguments as x86_64 does; only `clone` has another order elsewhere (clone(2), "C library/kernel differences").
pub fn by_x86_64_order(call: &str, arch: Arch, a: [u64; 6]) -> [u64; 6] {
    match (call, arch) {
        ("clone", Arch::X86_64 | Arch::X32) => a,
        ("clone", Arch::S390x) => [a[1], a[0], a[2], a[3], a[4], a[5]],
        ("clone", _) => [a[0], a[1], a[2], a[4], a[3], a[5]],
        _ => a,
    }
}

pub fn truth(condition: &Condition, arch: Arch, args: &[u64; 6]) -> bool {
    match condition {
        Condition::All(list) => list.iter().all(|c| truth(c, arch, args)),
        Condition::Any(list) => list.iter().any(|c| truth(c, arch, args)),
        Condition::Not(inner) => !truth(inner, arch, args),
        Condition::Arch(list) => list.contains(&arch),
        Condition::Test(test) => comparison(test, args[usize::from(test.arg)]),
    }
}

/// As the kernel sees the argument: cut to its width, then a number with or without sign.
fn comparison(test: &ArgTest, register: u64) -> bool {
    let (bits, signed) = match test.width {
        Width::U16 => (16, false),
        Width::U32 => (32, false),
        Width::I32 => (32, true),
        Width::U64 => (64, false),
        Width::I64 => (64, true),
    };
    let modulus = 1i128 << bits;
    let number = |raw: i128| {
        let cut = raw.rem_euclid(modulus);
        if signed && cut >= modulus / 2 { cut - modulus } else { cut }
    };
    if test.mask != u64::MAX {
        let left = i128::from(register & test.mask).rem_euclid(modulus);
        let equal = left == i128::from(test.value).rem_euclid(modulus);
        return equal == (test.op == Compare::Eq);
    }
    // Values that fit no argument of the width are refused before they come here.
    let (left, right) = (number(i128::from(register)), number(i128::from(test.value)));
    match test.op {
        Compare::Eq => left == right,
        Compare::Ne => left != right,
        Compare::Lt => left < right,
        Compare::Le => left <= right,
        Compare::Gt => left > right,
        Compare::Ge => left >= right,
    }
}
