//! Policies of every size: jumps over long distances, programs at the kernel's limit, and several filters where one is too long.

use super::random::answer;
use super::*;
use crate::seccomp::{LowerError, checker};
use canc_sets::testing::Random;
use std::collections::HashSet;
use std::fmt::Write as _;

/// `count` values of an argument, scattered.
fn values(count: u64) -> Vec<u64> {
    (1..=count).map(|i| i * 2_654_435_761 % 2_147_483_647).collect()
}

/// One rule for each value.
fn many(call: &str, arg: &str, values: &[u64]) -> String {
    let mut text = String::new();
    for value in values {
        writeln!(text, "allow syscall {call} where {arg} == {value};").unwrap();
    }
    text
}

#[test]
fn programs_of_every_size_are_accepted_and_right() {
    for count in [1u64, 2, 3, 100, 254, 255, 256, 257, 300, 1_000, 3_000, 5_000] {
        let list = values(count);
        let known: HashSet<u64> = list.iter().copied().collect();
        let made = lowered(&many("ioctl", "cmd", &list));
        for (host, filters) in &made.filters {
            assert!(filters.iter().all(|f| checker::check(f.instructions()).is_ok()));
            assert_eq!(filters.len() > 1, count > 3_000, "{count}");
            let nr = number(*host, "ioctl").unwrap();
            let mut random = Random(count);
            for value in list.iter().copied().step_by(3).chain((0..200).map(|_| random.draw())) {
                for value in [value.wrapping_sub(1), value, value.wrapping_add(1), value | 1 << 32] {
                    let data = Data { arch: host.audit_value(), nr, args: [0, value, 0, 0, 0, 0] };
                    let wanted = if known.contains(&(value & 0xffff_ffff)) { Action::Allow } else { EPERM };
                    assert_eq!(answer(&made, *host, &data), wanted, "{count} {value:#x}");
                }
            }
        }
    }
}

#[test]
fn several_filters_together_are_the_policy() {
    let calls = ["ioctl", "fcntl", "flock", "kill", "tkill", "shmctl", "msgctl", "setpgid"];
    let lists: Vec<Vec<u64>> =
        (0..8).map(|i| values(600).into_iter().map(|v| v ^ i << 20).collect()).collect();
    let mut text =
        String::from("syscall default trap; allow syscall read, write; deny syscall seccomp with kill;\n");
    for (call, list) in calls.iter().zip(&lists) {
        text.push_str(&many(call, "arg1", list));
    }
    let made = lowered(&text);
    for (host, filters) in &made.filters {
        assert!(filters.len() > 1, "{host:?}");
        assert!(filters.iter().all(|f| checker::check(f.instructions()).is_ok()));
        let ask = |call: &str, value: u64| {
            let nr = number(*host, call).unwrap();
            answer(&made, *host, &Data { arch: host.audit_value(), nr, args: [0, value, 0, 0, 0, 0] })
        };
        for (call, list) in calls.iter().zip(&lists) {
            let known: HashSet<u64> = list.iter().copied().collect();
            for value in list.iter().step_by(7).flat_map(|v| [v - 1, *v, v + 1]) {
                let wanted = if known.contains(&value) { Action::Allow } else { Action::Trap };
                assert_eq!(ask(call, value), wanted, "{call} {value}");
            }
        }
        assert_eq!(
            (ask("read", 0), ask("getuid", 0), ask("seccomp", 0)),
            (Action::Allow, Action::Trap, Action::Kill)
        );
        // A filter that refuses seccomp(2) must be the last, or the others could not be loaded.
        let seccomp = Data { arch: host.audit_value(), nr: number(*host, "seccomp").unwrap(), args: [0; 6] };
        let answers: Vec<_> = filters.iter().map(|f| f.answer(&seccomp).unwrap()).collect();
        assert!(answers.iter().rev().skip(1).all(|a| *a == 0x7fff_0000), "{answers:x?}");
    }
}

/// What loads the next filter and what starts the program passes every filter that is loaded before the last.
#[test]
fn every_filter_but_the_last_lets_the_next_be_loaded() {
    let seccomps = [
        "",
        "allow syscall seccomp where op == 0;",
        "allow syscall seccomp where op in [2, 3] and flags == 0;",
        "deny syscall seccomp where flags > 1 with kill;",
    ];
    for (round, seccomp) in seccomps.iter().enumerate() {
        let list = values(4_500);
        let made = lowered(&format!("{seccomp} syscall default kill; {}", many("ioctl", "cmd", &list)));
        for (host, filters) in &made.filters {
            assert!(filters.len() > 1, "{host:?}");
            let load = |op: u64, flags: u64| Data {
                arch: host.audit_value(),
                nr: number(*host, "seccomp").unwrap(),
                args: [op, flags, 0x7fff_1234_5678, 0, 0, 0],
            };
            let (_, before) = filters.split_last().unwrap();
            for filter in before {
                for (op, flags) in [(1, 0), (1, 1), (1, 2), (0, 0), (2, 0), (u64::MAX, u64::MAX)] {
                    assert_eq!(filter.answer(&load(op, flags)), Some(0x7fff_0000), "{host:?} {round}");
                }
            }
            // Together they say what the policy says.
            let wanted = if round == 1 { Action::Allow } else { Action::Kill };
            assert_eq!(answer(&made, *host, &load(0, 0)), wanted, "{host:?} {round}");
        }
    }
}

#[test]
fn a_policy_beyond_all_filters_names_its_dearest_rules() {
    let list: Vec<String> = values(40_000).iter().map(u64::to_string).collect();
    let parts: Vec<String> =
        list.chunks(1_000).map(|c| format!("allow syscall ioctl where cmd in [{}];", c.join(", "))).collect();
    let errors =
        lower(&policy(&format!("allow syscall getuid; {}", parts.join("\n"))), &SeccompOptions::default())
            .unwrap_err();
    let LowerError::TooLong { instructions, rules, .. } = &errors[0] else { panic!("{errors:?}") };
    assert!(*instructions > 40_000 && rules.iter().all(|r| r.0 >= 1) && !rules.is_empty());
}

#[test]
fn tens_of_thousands_of_rules_take_linear_time() {
    let time = |count: usize| {
        let calls = ["read", "write", "openat", "close", "getpid", "ioctl", "kill", "mmap"];
        let rules: Vec<String> = (0..count).map(|i| format!("allow syscall {};", calls[i % 8])).collect();
        let policy = policy(&rules.join("\n"));
        let started = std::time::Instant::now();
        let made = lower(&policy, &SeccompOptions::default()).unwrap();
        assert_eq!(made.outcomes.len(), count);
        started.elapsed()
    };
    let (small, large) = (time(2_000), time(40_000));
    assert!(large < small * 100, "{small:?} {large:?}");
}
