//! Conditions that stand above what rules allow: namespaces, fast open, and the launch's own calls.

use super::calls::{O_CREAT, bits, compare};
use canc_dsl::policy::{Compare, Condition, NamespaceKind, NamespaceKinds, Width};

/// Flags of `clone(2)`, `unshare(2)` and `setns(2)` by kind (`linux/sched.h`).
#[must_use]
pub fn namespace_flag(kind: NamespaceKind) -> u32 {
    match kind {
        NamespaceKind::Time => 0x80,
        NamespaceKind::Mount => 0x2_0000,
        NamespaceKind::Cgroup => 0x200_0000,
        NamespaceKind::Uts => 0x400_0000,
        NamespaceKind::Ipc => 0x800_0000,
        NamespaceKind::User => 0x1000_0000,
        NamespaceKind::Pid => 0x2000_0000,
        NamespaceKind::Net => 0x4000_0000,
    }
}

/// The calls that make or enter namespaces, with what they may not be asked for when only `allowed` kinds are.
#[must_use]
pub fn namespace_guards(allowed: NamespaceKinds) -> Vec<(&'static str, Condition)> {
    let refused = NamespaceKinds::all().minus(allowed);
    let mask = refused.iter().fold(0, |bits, kind| bits | namespace_flag(kind));
    let any_bit = |arg, width, mask| Condition::Not(Box::new(bits(arg, width, mask, 0)));
    // In clone's flags the lowest byte is the exit signal.
    let clone = mask & !0xff;
    let mut out = Vec::new();
    if clone != 0 {
        out.push(("clone", any_bit(0, Width::U32, clone)));
    }
    if mask != 0 {
        out.push(("unshare", any_bit(0, Width::U64, mask)));
        // 0 stands for every kind.
        let every = compare(1, Width::I32, Compare::Eq, 0);
        out.push(("setns", Condition::Any(vec![every, any_bit(1, Width::I32, mask)])));
    }
    out
}

/// A call of `unshare` for a kind of namespace and nothing else.
#[must_use]
pub fn unshare_of(kind: NamespaceKind) -> Condition {
    compare(0, Width::U64, Compare::Eq, namespace_flag(kind))
}

/// A call of `clone` for a kind of namespace; `None` for the one that its flags have no room for.
#[must_use]
pub fn clone_of(kind: NamespaceKind) -> Option<Condition> {
    let flag = namespace_flag(kind) & !0xff;
    (flag != 0).then(|| compare(0, Width::U32, Compare::Eq, flag))
}

/// A call of `mq_open` that makes a queue.
#[must_use]
pub fn queue_made() -> Condition {
    bits(1, Width::I32, O_CREAT, O_CREAT)
}

/// The calls that can open a TCP connection without `connect(2)`, with the flag that asks for it.
#[must_use]
pub fn fast_open_guards() -> Vec<(&'static str, Condition)> {
    const MSG_FASTOPEN: u32 = 0x2000_0000;
    let asked = |arg| Condition::Not(Box::new(bits(arg, Width::U32, MSG_FASTOPEN, 0)));
    vec![("sendto", asked(3)), ("send", asked(3)), ("sendmsg", asked(2)), ("sendmmsg", asked(3))]
}

/// The launch's own exec: the checked descriptor, by an empty path.
#[must_use]
pub fn launch_exec(launch_fd: u32) -> Condition {
    const AT_EMPTY_PATH: u32 = 0x1000;
    Condition::All(vec![
        compare(0, Width::I32, Compare::Eq, launch_fd),
        compare(4, Width::I32, Compare::Eq, AT_EMPTY_PATH),
    ])
}

/// Writing to standard error, by which the runtime says why an exec failed.
#[must_use]
pub fn failure_report() -> Condition {
    compare(0, Width::U32, Compare::Eq, 2)
}
