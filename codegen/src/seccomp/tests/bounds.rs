//! Conditions that multiply when merged: lowered in time and space, and still answered by their meaning.

use super::*;
use crate::seccomp::{LowerError, checker};
use canc_sets::testing::Random;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

/// `prctl` takes 32 bits of its first argument and 64 of the other four.
const WIDE: [usize; 4] = [1, 2, 3, 4];

/// A comparison of an argument.
#[derive(Clone, Copy)]
enum Test {
    Equal(usize, u64),
    Within(usize, u64, u64),
    Masked(usize, u64, u64),
}

impl Test {
    fn holds(self, args: &[u64; 6]) -> bool {
        let seen = |arg: usize| if arg == 0 { args[0] & 0xffff_ffff } else { args[arg] };
        match self {
            Self::Equal(arg, value) => seen(arg) == value,
            Self::Within(arg, low, high) => (low..=high).contains(&seen(arg)),
            Self::Masked(arg, mask, value) => seen(arg) & mask == value,
        }
    }

    /// The same of a call that takes 64 bits of each argument that is compared.
    fn holds_wide(self, args: &[u64; 6]) -> bool {
        match self {
            Self::Masked(arg, mask, value) => args[arg] & mask == value,
            other => other.holds(args),
        }
    }

    fn text(self) -> String {
        match self {
            Self::Equal(arg, value) => format!("arg{arg} == {value:#x}"),
            Self::Within(arg, low, high) => format!("arg{arg} >= {low:#x} and arg{arg} <= {high:#x}"),
            Self::Masked(arg, mask, value) => format!("arg{arg} & {mask:#x} == {value:#x}"),
        }
    }

    /// An argument that meets it, or just does not.
    fn near(self, random: &mut Random, args: &mut [u64; 6]) {
        let noise = [0, 0, 0, 1, u64::MAX, 1 << 32][random.under(6) as usize];
        match self {
            Self::Equal(arg, value) => args[arg] = value.wrapping_add(noise),
            Self::Within(arg, low, high) => {
                args[arg] = [low, high][random.under(2) as usize].wrapping_add(noise);
            }
            Self::Masked(arg, mask, value) => args[arg] = (random.draw() & !mask | value) ^ (noise & mask),
        }
    }
}

/// A rule: all of its tests. `with`: what a deny answers.
struct Said {
    deny: bool,
    tests: Vec<Test>,
}

fn text(rules: &[Said]) -> String {
    text_on("prctl", rules)
}

fn text_on(call: &str, rules: &[Said]) -> String {
    let mut out = String::new();
    for rule in rules {
        let tests: Vec<String> = rule.tests.iter().map(|t| t.text()).collect();
        let word = if rule.deny { "deny" } else { "allow" };
        let with = if rule.deny { " with EACCES" } else { "" };
        writeln!(out, "{word} syscall {call} where {}{with};", tests.join(" and ")).unwrap();
    }
    out
}

fn meaning(rules: &[Said], args: &[u64; 6]) -> Action {
    let some = |deny| rules.iter().any(|r| r.deny == deny && r.tests.iter().all(|t| t.holds(args)));
    match (some(true), some(false)) {
        (true, _) => Action::Errno(13),
        (_, true) => Action::Allow,
        _ => EPERM,
    }
}

/// No figure, but the sign that something multiplies: what does takes hours.
const ENDLESS: Duration = Duration::from_secs(90);

/// Lowers, and compares answers near what the rules say. Gives the instructions for x86_64 and the time.
fn lowered_in_time(name: &str, rules: &[Said]) -> usize {
    let parsed = policy(&text(rules));
    let started = Instant::now();
    let made = match lower(&parsed, &SeccompOptions::default()) {
        Ok(made) => made,
        Err(errors) => panic!("{name}: {errors:?}"),
    };
    let took = started.elapsed();
    let filters = &made.filters[&Arch::X86_64];
    let size = filters.iter().map(|f| f.instructions().len()).sum();
    println!("{name}: {} rules, {size} instructions, {took:?}", rules.len());
    assert!(took < ENDLESS, "{name}: {took:?}");
    for filter in made.filters.values().flatten() {
        checker::check(filter.instructions()).unwrap();
    }
    let mut random = Random(7);
    let nr = number(Arch::X86_64, "prctl").unwrap();
    for _ in 0..3_000 {
        let mut args = std::array::from_fn(|_| random.draw());
        for _ in 0..2 {
            for test in &rules[random.under(rules.len() as u64) as usize].tests {
                test.near(&mut random, &mut args);
            }
        }
        let data = Data { arch: Arch::X86_64.audit_value(), nr, args };
        let answer = super::random::answer(&made, Arch::X86_64, &data);
        assert_eq!(answer, meaning(rules, &args), "{name} {args:x?}");
    }
    size
}

/// `count` rules of this kind, some of which refuse.
fn rules(count: u64, denies: bool, mut tests: impl FnMut(u64, &mut Random) -> Vec<Test>) -> Vec<Said> {
    let mut random = Random(count);
    (0..count).map(|i| Said { deny: denies && i % 3 == 0, tests: tests(i, &mut random) }).collect()
}

#[test]
fn conjunctions_over_all_arguments_add_up() {
    for denies in [false, true] {
        let equal = rules(150, denies, |_, random| {
            WIDE.iter().map(|arg| Test::Equal(*arg, random.under(12))).collect()
        });
        // Four 64-bit comparisons are two loads and two jumps each.
        assert!(lowered_in_time("equal", &equal) < 150 * 17 + 60);
        let some = rules(150, denies, |_, random| {
            let own: Vec<usize> = WIDE.iter().copied().filter(|_| random.under(2) == 0).collect();
            let own = if own.is_empty() { vec![4] } else { own };
            own.into_iter().map(|arg| Test::Equal(arg, random.under(40))).collect()
        });
        assert!(lowered_in_time("some arguments", &some) < 150 * 17 + 60);
    }
}

#[test]
fn interleaved_ranges_add_up() {
    for denies in [false, true] {
        let ranges = rules(100, denies, |i, random| {
            let range = |arg: &usize| {
                let low = random.under(1_000) << (arg * 8);
                Test::Within(*arg, low, low + (300 << (arg * 8)) + i)
            };
            WIDE.iter().map(range).collect()
        });
        lowered_in_time("ranges", &ranges);
    }
}

#[test]
fn masks_of_one_argument_and_of_all_add_up() {
    for denies in [false, true] {
        let one =
            rules(120, denies, |i, _| vec![Test::Masked(2, 0b101 << (i % 60) | 1 << (i / 2), 1 << (i / 2))]);
        lowered_in_time("masks of one", &one);
        let all = rules(100, denies, |_, random| {
            let mask = |arg: &usize| {
                let mask = random.draw() & random.draw() | 1;
                Test::Masked(*arg, mask, random.draw() & mask)
            };
            WIDE.iter().map(mask).collect()
        });
        lowered_in_time("masks of all", &all);
        let mixed = rules(100, denies, |i, random| {
            WIDE.iter()
                .map(|arg| match (i + *arg as u64) % 3 {
                    0 => Test::Equal(*arg, random.under(9)),
                    1 => Test::Within(*arg, random.under(9), 9 + random.under(1 << 33)),
                    _ => Test::Masked(*arg, 0xff << (i % 40), random.under(256) << (i % 40)),
                })
                .collect()
        });
        lowered_in_time("mixed", &mixed);
    }
}

/// What is too much for one filter together and not by itself goes to several, and they are the policy.
#[test]
fn masks_of_several_calls_become_several_filters() {
    let calls = ["prctl", "mremap", "process_vm_readv", "process_vm_writev"];
    let lists: Vec<Vec<Said>> = (0..4)
        .map(|seed| {
            let args: &[usize] = match seed {
                0 => &WIDE,
                1 => &[0, 1, 2, 3],
                _ => &[2, 4, 5],
            };
            let mut random = Random(seed);
            let mask = |arg: &usize, random: &mut Random| {
                let mask = random.draw() | 1;
                Test::Masked(*arg, mask, random.draw() & mask)
            };
            let one =
                |_| Said { deny: false, tests: args.iter().map(|arg| mask(arg, &mut random)).collect() };
            (0..150).map(one).collect()
        })
        .collect();
    let texts: String = calls.iter().zip(&lists).map(|(call, list)| text_on(call, list)).collect();
    let options = SeccompOptions { arches: vec![Arch::X86_64], ..SeccompOptions::default() };
    let made = lower(&policy(&texts), &options).unwrap();
    let filters = &made.filters[&Arch::X86_64];
    assert!((4..=6).contains(&filters.len()), "{}", filters.len());
    assert!(filters.iter().all(|f| checker::check(f.instructions()).is_ok()));
    let (mut random, mut allowed) = (Random(9), 0);
    for (call, list) in calls.iter().zip(&lists) {
        let nr = number(Arch::X86_64, call).unwrap();
        for rule in list.iter().flat_map(|rule| [rule; 8]) {
            let mut args = std::array::from_fn(|_| random.draw());
            rule.tests.iter().for_each(|test| test.near(&mut random, &mut args));
            let holds = |r: &Said| r.tests.iter().all(|t| t.holds_wide(&args));
            let wanted = if list.iter().any(holds) { Action::Allow } else { EPERM };
            let data = Data { arch: Arch::X86_64.audit_value(), nr, args };
            assert_eq!(super::random::answer(&made, Arch::X86_64, &data), wanted, "{call} {args:x?}");
            allowed += usize::from(wanted == Action::Allow);
        }
    }
    assert!((500..4_000).contains(&allowed), "vacuous: {allowed}");
}

/// Beyond what one filter holds there is an error in time, with rules that cost most.
#[test]
fn too_many_of_them_are_refused_in_time() {
    for count in [600, 3_000] {
        let many = rules(count, false, |_, random| {
            WIDE.iter().map(|arg| Test::Masked(*arg, random.draw() | 1, 1)).collect()
        });
        let parsed = policy(&text(&many));
        let started = Instant::now();
        let errors = lower(&parsed, &SeccompOptions::default()).unwrap_err();
        println!("{count}: {:?}", started.elapsed());
        assert!(started.elapsed() < ENDLESS, "{count}: {:?}", started.elapsed());
        for error in errors {
            let known = matches!(error, LowerError::TooLong { .. } | LowerError::TooComplicated { .. });
            assert!(known && !error.rules().is_empty(), "{error:?}");
        }
    }
}
