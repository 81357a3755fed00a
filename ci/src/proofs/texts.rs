//! Random numbers to policies of system call rules, with every width, operator, mask, set, junction, action and architecture clause.

use canc_sets::syscalls::{ArgKind, args};
use canc_sets::testing::Random;
use std::fmt::Write as _;

/// Calls whose arguments have every width, and one whose arguments have another order on some architectures.
const CALLS: [&str; 14] = [
    "ioctl",
    "lseek",
    "kill",
    "fchmod",
    "mmap",
    "clone",
    "prctl",
    "mremap",
    "fcntl",
    "kcmp",
    "madvise",
    "fallocate",
    "tgkill",
    "mkdirat",
];

/// Calls that are allowed or denied whole.
const PLAIN: [&str; 8] =
    ["read", "write", "close", "openat", "futex", "exit_group", "getpid", "epoll_pwait2"];

const VALUES: [u64; 12] = [
    0,
    1,
    7,
    0x7fff,
    0x8000,
    0xffff,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    0x1_0000_0000,
    0x7fff_ffff_ffff_ffff,
    u64::MAX,
];

const FRAME: &str = "can 1;\npolicy p {\n  exec \"/usr/bin/p\";\n  syscall infer off;\n  syscall default EPERM;\n  \
    allow connect tcp;\n  allow userns create;\n  allow namespace mount, pid, net, ipc, uts, cgroup, time;\n";

/// One comparison of each kind, alone: every operator with a value, on every width.
#[must_use]
pub fn comparisons() -> Vec<String> {
    let mut out = Vec::new();
    for (call, arg, kind) in scalars() {
        for operator in ["==", "!=", "<", "<=", ">", ">="] {
            for value in values(kind) {
                out.push(format!("{FRAME}  allow syscall {call} where arg{arg} {operator} {value};\n}}\n"));
            }
        }
        for operator in ["==", "!="] {
            for mask in values(kind).into_iter().filter(|m| m != "0") {
                out.push(format!(
                    "{FRAME}  allow syscall {call} where arg{arg} & {mask} {operator} {mask};\n}}\n"
                ));
            }
        }
    }
    out
}

/// One call's argument for each width.
fn scalars() -> Vec<(&'static str, usize, ArgKind)> {
    let mut out: Vec<(&'static str, usize, ArgKind)> = Vec::new();
    for call in CALLS {
        for (at, arg) in args(call).iter().enumerate() {
            if arg.kind != ArgKind::Pointer && !out.iter().any(|o| o.2 == arg.kind) {
                out.push((call, at, arg.kind));
            }
        }
    }
    out
}

/// Values that an argument of this kind may have.
fn values(kind: ArgKind) -> Vec<String> {
    VALUES.iter().filter_map(|v| fitting(*v, kind)).collect()
}

/// A value as a policy writes it for an argument of this kind: negative ones, too.
fn fitting(value: u64, kind: ArgKind) -> Option<String> {
    match kind {
        ArgKind::Pointer => None,
        ArgKind::U16 => u16::try_from(value).ok().map(|v| v.to_string()),
        ArgKind::U32 => u32::try_from(value).ok().map(|v| v.to_string()),
        ArgKind::U64 => Some(format!("{value:#x}")),
        ArgKind::I32 => u32::try_from(value).ok().map(|v| v.cast_signed().to_string()),
        ArgKind::I64 => Some(value.cast_signed().to_string()),
    }
}

/// A policy of up to eight rules.
#[must_use]
pub fn random(random: &mut Random) -> String {
    let mut out = FRAME.to_owned();
    for _ in 0..=random.below(8) {
        let deny = random.below(3) == 0;
        let effect = if deny { "deny " } else { "allow" };
        let clause = random.pick(&["", "", "", " on x86_64", " on aarch64, s390x, x86"]).unwrap_or("");
        let action = match deny {
            true => random
                .pick(&[
                    "",
                    " with EACCES",
                    " with kill",
                    " with kill_thread",
                    " with trap",
                    " with errno(77)",
                ])
                .unwrap_or(""),
            false => "",
        };
        let calls = match random.below(4) {
            0 => random.pick(&PLAIN).unwrap_or("read").to_owned(),
            _ => {
                let call = random.pick(&CALLS).unwrap_or("ioctl");
                format!("{call} where {}", condition(random, call, 2))
            }
        };
        let _ = writeln!(out, "  {effect} syscall {calls}{clause}{action};");
    }
    out.push_str("}\n");
    out
}

fn condition(random: &mut Random, call: &str, depth: usize) -> String {
    if depth > 0 && random.below(2) == 0 {
        let [a, b] = [0; 2].map(|_| condition(random, call, depth - 1));
        return match random.below(3) {
            0 => format!("({a} and {b})"),
            1 => format!("({a} or {b})"),
            _ => format!("not ({a})"),
        };
    }
    let scalars: Vec<(usize, ArgKind)> =
        args(call).iter().enumerate().map(|(i, a)| (i, a.kind)).filter(|a| a.1 != ArgKind::Pointer).collect();
    let (arg, kind) = random.pick(&scalars).unwrap_or((0, ArgKind::U32));
    let list = values(kind);
    let value = |random: &mut Random| {
        let shift = random.below(60);
        let any = random.draw() >> shift;
        let own = if random.below(3) == 0 { fitting(any, kind) } else { None };
        own.or_else(|| list.get(random.below(list.len())).cloned()).unwrap_or_default()
    };
    match random.below(4) {
        0 => {
            let mask = value(random);
            let sign = random.pick(&["==", "!="]).unwrap_or("==");
            format!(
                "arg{arg} & {mask} {sign} {}",
                if random.below(2) == 0 { "0".to_owned() } else { mask.clone() }
            )
        }
        1 => {
            let (a, b, not) = (value(random), value(random), random.pick(&["", "not "]).unwrap_or(""));
            format!("arg{arg} {not}in [{a}, {b}]")
        }
        _ => {
            let sign = random.pick(&["==", "!=", "<", "<=", ">", ">="]).unwrap_or("==");
            format!("arg{arg} {sign} {}", value(random))
        }
    }
}
