//! A program of instructions, and a policy's rules on system calls, to terms of SMT-LIB over the same system call. The two share no code:
//! one says what the kernel's interpreter does with the instructions, the other what the language's reference says of the rules.

use crate::Error;
use canc_codegen::seccomp::encode::{Instruction, op};
use canc_codegen::seccomp::sim::Place;
use canc_dsl::policy::{Action, ArgTest, Body, Compare, Condition, Effect, Policy, SyscallRule, Width};
use canc_sets::syscalls::{Arch, number};
use std::fmt::Write as _;

/// The data of a system call (`struct seccomp_data`), as free constants. What a program returns is a word of 32 bits.
pub const CALL: &str = "(declare-const arch (_ BitVec 32))\n(declare-const nr (_ BitVec 32))\n\
    (declare-const arg0 (_ BitVec 64))\n(declare-const arg1 (_ BitVec 64))\n(declare-const arg2 (_ BitVec 64))\n\
    (declare-const arg3 (_ BitVec 64))\n(declare-const arg4 (_ BitVec 64))\n(declare-const arg5 (_ BitVec 64))\n";

/// Numbers from here on belong to x32 on x86_64, and to nothing elsewhere (`__X32_SYSCALL_BIT` in `asm/unistd.h`).
const X32: u32 = 0x4000_0000;

fn word(value: u32) -> String {
    format!("#x{value:08x}")
}

/// Where a program may come to an instruction from, and with what in its accumulator.
type Edge = (String, String);

/// Defines a program's answer under a name.
///
/// # Errors
/// An instruction that filters never have, or a way out of the program.
pub fn program(out: &mut String, name: &str, instructions: &[Instruction], big: bool) -> Result<(), Error> {
    let mut edges: Vec<Vec<Edge>> = vec![Vec::new(); instructions.len()];
    if let Some(first) = edges.first_mut() {
        first.push(("true".into(), word(0)));
    }
    let mut answers: Vec<(String, u32)> = Vec::new();
    for (at, instruction) in instructions.iter().enumerate() {
        let (here, accumulator) = (format!("{name}-r{at}"), format!("{name}-a{at}"));
        define(out, &here, &accumulator, edges.get(at).map(Vec::as_slice).unwrap_or_default());
        let mut go = |by: usize, condition: String, accumulator: String| {
            let target = at.checked_add(1).and_then(|next| next.checked_add(by));
            let list = target.and_then(|t| edges.get_mut(t));
            list.ok_or_else(|| Error::Odd(format!("a way out of the program at {at}")))
                .map(|l| l.push((condition, accumulator)))
        };
        let (k, [jt, jf]) = (instruction.k, [instruction.jt, instruction.jf].map(usize::from));
        let test = match instruction.code {
            op::RETURN => {
                answers.push((here, k));
                continue;
            }
            op::LOAD => {
                let place = Place::at(k, big).and_then(loaded);
                let term = place.ok_or_else(|| Error::Odd(format!("a load of {k} at {at}")))?;
                go(0, here, term)?;
                continue;
            }
            op::AND => {
                go(0, here, format!("(bvand {accumulator} {})", word(k)))?;
                continue;
            }
            op::JUMP => {
                let by = usize::try_from(k).map_err(|_| Error::Odd(format!("a jump by {k}")))?;
                go(by, here, accumulator)?;
                continue;
            }
            op::EQUAL => format!("(= {accumulator} {})", word(k)),
            op::GREATER => format!("(bvugt {accumulator} {})", word(k)),
            op::AT_LEAST => format!("(bvuge {accumulator} {})", word(k)),
            op::ANY_BIT => format!("(not (= (bvand {accumulator} {}) {}))", word(k), word(0)),
            other => return Err(Error::Odd(format!("instruction {other:#x} at {at}"))),
        };
        go(jt, format!("(and {here} {test})"), accumulator.clone())?;
        go(jf, format!("(and {here} (not {test}))"), accumulator)?;
    }
    let last = answers.pop().ok_or_else(|| Error::Odd("a program without an answer".into()))?;
    let term =
        answers.iter().rev().fold(word(last.1), |rest, (c, k)| format!("(ite {c} {} {rest})", word(*k)));
    let _ = writeln!(out, "(define-fun {name} () (_ BitVec 32) {term})");
    Ok(())
}

/// Defines whether an instruction is reached, and the accumulator there.
fn define(out: &mut String, reached: &str, accumulator: &str, edges: &[Edge]) {
    let ways: Vec<&str> = edges.iter().map(|e| e.0.as_str()).collect();
    let any = match ways.as_slice() {
        [] => "false".to_owned(),
        [one] => (*one).to_owned(),
        several => format!("(or {})", several.join(" ")),
    };
    let last = edges.last().map_or_else(|| word(0), |e| e.1.clone());
    let others = edges.iter().rev().skip(1);
    let value = others.fold(last, |rest, (way, value)| match value == &rest {
        true => rest,
        false => format!("(ite {way} {value} {rest})"),
    });
    let _ = writeln!(out, "(define-fun {reached} () Bool {any})");
    let _ = writeln!(out, "(define-fun {accumulator} () (_ BitVec 32) {value})");
}

fn loaded(place: Place) -> Option<String> {
    match place {
        Place::Number => Some("nr".into()),
        Place::Architecture => Some("arch".into()),
        Place::Argument { register, high: true } => Some(format!("((_ extract 63 32) arg{register})")),
        Place::Argument { register, high: false } => Some(format!("((_ extract 31 0) arg{register})")),
        Place::Other => None,
    }
}

/// Defines what a policy says of every call under a name. The policy allows all namespaces and connections, so that filters guard none
/// of them, and has a default of its own.
///
/// # Errors
/// A policy without a default.
pub fn meaning(out: &mut String, name: &str, policy: &Policy, served: &[Arch]) -> Result<(), Error> {
    let default = policy.syscall_default.ok_or_else(|| Error::Odd("a policy without a default".into()))?;
    let kill = returned(Action::Kill);
    let mut term = kill.clone();
    for arch in served {
        let one = on(policy, *arch, default);
        let high = format!("(bvuge nr {})", word(X32));
        let own = match arch {
            // Numbers above 2^31 are no x32 either.
            Arch::X32 => format!("(and {high} (bvult nr {}))", word(0x8000_0000)),
            _ => format!("(not {high})"),
        };
        let audit = word(arch.audit_value());
        term = format!("(ite (and (= arch {audit}) {own})\n {one}\n {term})");
    }
    let _ = writeln!(out, "(define-fun {name} () (_ BitVec 32) {term})");
    Ok(())
}

/// What is said of the calls of one architecture.
fn on(policy: &Policy, arch: Arch, default: Action) -> String {
    let enosys = Action::Errno(38);
    let rules: Vec<(Effect, &SyscallRule)> = policy
        .rules
        .iter()
        .filter_map(|r| if let Body::Syscall(s) = &r.body { Some((r.effect, s)) } else { None })
        .filter(|(_, s)| s.arches.as_ref().is_none_or(|list| list.contains(&arch)))
        .collect();
    let holding = |effect: Effect, action: Option<Action>| {
        let mut any = vec!["false".to_owned()];
        for (_, rule) in
            rules.iter().filter(|r| r.0 == effect && (effect == Effect::Allow || r.1.action == action))
        {
            for item in &rule.calls {
                let Some(nr) = number(arch, item.name) else { continue };
                let condition =
                    item.condition.as_ref().map_or_else(|| "true".to_owned(), |c| truth(c, arch, item.name));
                any.push(format!("(and (= nr {}) {condition})", word(nr)));
            }
        }
        format!("(or {})", any.join(" "))
    };
    let mut term = match number(arch, "clone3") {
        Some(nr) => format!("(ite (= nr {}) {} {})", word(nr), returned(enosys), returned(default)),
        None => returned(default),
    };
    term = format!("(ite {} {} {term})", holding(Effect::Allow, None), returned(Action::Allow));
    let mut denied: Vec<Option<Action>> =
        rules.iter().filter(|r| r.0 == Effect::Deny).map(|r| r.1.action).collect();
    // The strongest last, so that it is asked first; an error that a rule names goes before one that it does not.
    let strength = |a: &Option<Action>| (std::cmp::Reverse(order(a.unwrap_or(default))), a.is_some());
    denied.sort_by_key(strength);
    denied.dedup();
    for action in denied {
        term =
            format!("(ite {} {} {term})", holding(Effect::Deny, action), returned(action.unwrap_or(default)));
    }
    term
}

/// seccomp(2): of several filters' answers the first of these wins.
fn order(action: Action) -> u8 {
    match action {
        Action::Kill => 0,
        Action::KillThread => 1,
        Action::Trap => 2,
        Action::Errno(_) => 3,
        Action::Notify => 4,
        Action::Trace => 5,
        Action::Log => 6,
        Action::Allow => 7,
    }
}

/// `SECCOMP_RET_*` of `linux/seccomp.h`.
fn returned(action: Action) -> String {
    word(match action {
        Action::Kill => 0x8000_0000,
        Action::KillThread => 0,
        Action::Trap => 0x0003_0000,
        Action::Errno(n) => 0x0005_0000 | u32::from(n),
        Action::Notify => 0x7fc0_0000,
        Action::Trace => 0x7ff0_0000,
        Action::Log => 0x7ffc_0000,
        Action::Allow => 0x7fff_0000,
    })
}

fn truth(condition: &Condition, arch: Arch, call: &str) -> String {
    let joined = |word: &str, empty: &str, list: &[Condition]| {
        let terms: Vec<String> = list.iter().map(|c| truth(c, arch, call)).collect();
        if terms.is_empty() { empty.to_owned() } else { format!("({word} {})", terms.join(" ")) }
    };
    match condition {
        Condition::All(list) => joined("and", "true", list),
        Condition::Any(list) => joined("or", "false", list),
        Condition::Not(inner) => format!("(not {})", truth(inner, arch, call)),
        Condition::Arch(list) => list.contains(&arch).to_string(),
        Condition::Test(test) => comparison(test, arch, call),
    }
}

/// An argument's register and, where 32-bit architectures pass it in two, the one with its upper half. Arguments are numbered as on
/// x86_64: `CONFIG_CLONE_BACKWARDS` and `CONFIG_CLONE_BACKWARDS2` of kernel/fork.c, `compat_sys_fallocate` of fs/open.c.
fn registers(arg: u8, arch: Arch, call: &str) -> (u8, Option<u8>) {
    match (call, arch, arg) {
        ("clone", Arch::X86_64 | Arch::X32, _) => (arg, None),
        ("clone", Arch::S390x, 0 | 1) => (1 - arg, None),
        ("clone", Arch::S390x, _) => (arg, None),
        ("clone", _, 3 | 4) => (7 - arg, None),
        ("fallocate", _, 2 | 3) if !arch.is_64_bit() => (2 * arg - 2, Some(2 * arg - 1)),
        _ => (arg, None),
    }
}

/// As the kernel takes the argument: cut to its width, then a number with or without sign.
fn comparison(test: &ArgTest, arch: Arch, call: &str) -> String {
    let (bits, signed) = match test.width {
        Width::U16 => (16, false),
        Width::U32 => (32, false),
        Width::I32 => (32, true),
        Width::U64 => (64, false),
        Width::I64 => (64, true),
    };
    let half = |register: u8| format!("((_ extract 31 0) arg{register})");
    let (left, bits, value) = match registers(test.arg, arch, call) {
        (low, Some(high)) => (format!("(concat {} {})", half(high), half(low)), 64, test.value),
        (one, None) if bits < 64 => (format!("((_ extract {} 0) arg{one})", bits - 1), bits, test.value),
        (one, None) if arch.is_64_bit() => (format!("arg{one}"), 64, test.value),
        (one, None) => return word_of_32_bits(test, &half(one), signed),
    };
    compared(test, &left, bits, value, signed)
}

/// 32-bit kernels, and 64-bit ones for their calls, look at the lower half of a register alone, which holds a number of the argument's
/// sign. A negative number of an unsigned argument, and bits beside a mask, are those of the half.
fn word_of_32_bits(test: &ArgTest, half: &str, signed: bool) -> String {
    let negative = test.value >= 0xffff_ffff_8000_0000;
    if test.mask != u64::MAX {
        let fits = negative || test.value >> 32 == 0;
        return match (fits, test.op) {
            (true, _) => compared(test, half, 32, test.value, signed),
            (false, op) => (op == Compare::Ne).to_string(),
        };
    }
    let value = if negative && !signed { test.value & 0xffff_ffff } else { test.value };
    let extend = if signed { "sign" } else { "zero" };
    compared(test, &format!("((_ {extend}_extend 32) {half})"), 64, value, signed)
}

fn compared(test: &ArgTest, left: &str, bits: usize, value: u64, signed: bool) -> String {
    let cut = |value: u64| {
        let hex = format!("{value:016x}");
        format!("#x{}", hex.get(16 - bits / 4..).unwrap_or_default())
    };
    let masked = || format!("(bvand {left} {})", cut(test.mask));
    let left = if test.mask == u64::MAX { left.to_owned() } else { masked() };
    let (right, sign) = (cut(value), if signed { 's' } else { 'u' });
    match test.op {
        Compare::Eq => format!("(= {left} {right})"),
        Compare::Ne => format!("(not (= {left} {right}))"),
        Compare::Lt => format!("(bv{sign}lt {left} {right})"),
        Compare::Le => format!("(bv{sign}le {left} {right})"),
        Compare::Gt => format!("(bv{sign}gt {left} {right})"),
        Compare::Ge => format!("(bv{sign}ge {left} {right})"),
    }
}
