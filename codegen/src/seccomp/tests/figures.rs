//! How small and how fast the programs are, on policies of the kinds that peers were measured on.

use super::*;
use crate::seccomp::encode::op;
use crate::seccomp::frequencies::Frequencies;
use crate::seccomp::{checker, sim};
use canc_dsl::policy::PolicyData;
use std::fmt::Write as _;

const CONTAINER: &str = include_str!("policies/container.can");
const TWENTY: &str = include_str!("policies/twenty.can");
const FORTY: &str = include_str!("policies/forty.can");

/// 400 calls, ten of them with lists of values, `values` together.
fn listed(values: u64) -> String {
    let calls: Vec<&str> =
        canc_sets::syscalls::numbers(Arch::X86_64).iter().map(|n| n.1).filter(|n| *n != "clone3").collect();
    let with_values = [
        "ioctl",
        "fcntl",
        "prctl",
        "futex",
        "ptrace",
        "socket",
        "setsockopt",
        "getsockopt",
        "kill",
        "personality",
    ];
    let plain: Vec<&str> = calls.iter().copied().filter(|c| !with_values.contains(c)).take(390).collect();
    let mut text = String::from(
        "can 1;\npolicy p {\n  exec \"/usr/bin/p\";\n  syscall infer off;\n  allow connect tcp;\n",
    );
    writeln!(text, "  allow userns create;\n  syscall default EPERM;\n  allow syscall {};", plain.join(", "))
        .unwrap();
    for (index, call) in with_values.iter().enumerate() {
        let arg = u8::from(!matches!(*call, "prctl" | "ptrace" | "personality" | "socket"));
        // A multiplicative sequence scatters the values without repetition.
        let list: Vec<String> = (0..values / 10)
            .map(|i| ((i + 1) * (2_654_435_761 + 2 * index as u64) % 2_147_483_647).to_string())
            .collect();
        writeln!(text, "  allow syscall {call} where arg{arg} in [{}];", list.join(", ")).unwrap();
    }
    text + "}\n"
}

fn checked(text: &str) -> Policy {
    let done = compile("p.can", text.as_bytes(), &NoFiles, &Options::default());
    let errors = format!("{:?}", done.diagnostics);
    done.policies.expect(&errors).policies().first().unwrap().clone()
}

/// The deny-list: what nobody mentions is allowed.
fn deny_list() -> Policy {
    let data: PolicyData = (*checked(FORTY)).clone();
    Policy::unchecked(PolicyData { syscall_default: Some(Action::Allow), ..data })
}

struct Figures {
    instructions: usize,
    mean: f64,
    most: usize,
    intervals: usize,
}

/// Size, and what is executed for every number up to the greatest one, arguments zero.
fn figures(policy: &Policy, base: bool) -> Figures {
    let options = SeccompOptions { arches: vec![Arch::X86_64], base, ..SeccompOptions::default() };
    let made = lower(policy, &options).unwrap();
    let [filter] = made.filters[&Arch::X86_64].as_slice() else { panic!("split") };
    checker::check(filter.instructions()).unwrap();
    let counts: Vec<usize> = (0..=canc_sets::syscalls::max_number(Arch::X86_64))
        .map(|nr| {
            let data = Data { arch: Arch::X86_64.audit_value(), nr, args: [0; 6] };
            let mut steps = 0;
            sim::run(filter.instructions(), &data, false, |_| steps += 1).unwrap();
            steps
        })
        .collect();
    let found = |m: &&(usize, crate::seccomp::layout::Mark)| {
        matches!(m.1, crate::seccomp::layout::Mark::Found { .. })
    };
    Figures {
        instructions: filter.instructions().len(),
        mean: counts.iter().sum::<usize>() as f64 / counts.len() as f64,
        most: counts.iter().copied().max().unwrap(),
        intervals: filter.program.marks.iter().filter(found).count(),
    }
}

/// The aims: at most 73, 20, 37 and 1,072 instructions, for policies of these kinds.
#[test]
fn programs_are_small_and_shallow() {
    let cases = [
        ("a: container default", checked(CONTAINER), 73, 9.6),
        ("b: 20 allowed", checked(TWENTY), 20, 9.0),
        ("c: 40 denied", deny_list(), 37, 10.0),
        ("d2: 400 numbers, 500 values", checked(&listed(500)), 1_072, 20.0),
    ];
    let mut table =
        String::from("policy                        instructions  mean   max  found  with @base\n");
    for (name, policy, size, mean) in &cases {
        let (bare, based) = (figures(policy, false), figures(policy, true));
        let Figures { instructions, mean: executed, most, intervals } = bare;
        writeln!(
            table,
            "{name:30}{instructions:12}{executed:6.1}{most:6}{intervals:7}{:12}",
            based.instructions
        )
        .unwrap();
        let _ = (size, mean);
    }
    println!("{table}");
    for (name, policy, size, mean) in cases {
        let bare = figures(&policy, false);
        assert!(bare.instructions <= size && bare.mean <= mean, "{name}\n{table}");
    }
}

#[test]
fn number_only_paths_keep_the_kernels_cache() {
    let made = lowered("allow syscall read, openat; allow syscall ioctl where cmd == 7;");
    for filter in made.filters.values().flatten() {
        let used = filter.instructions().iter().filter(|i| i.code != op::LOAD || i.k > 4).map(|i| i.code);
        let known = [op::AT_LEAST, op::EQUAL, op::ANY_BIT, op::JUMP, op::AND, op::RETURN, op::LOAD];
        assert!(used.into_iter().all(|code| known.contains(&code)));
    }
}

/// With shares of calls a program runs less of itself on such calls, and answers the same.
#[test]
fn shares_of_calls_shorten_what_runs() {
    let frequencies = Frequencies::builtin();
    for (name, policy) in
        [("container", checked(CONTAINER)), ("twenty", checked(TWENTY)), ("forty", deny_list())]
    {
        let program = |frequencies: Option<Frequencies>| {
            let options =
                SeccompOptions { arches: vec![Arch::X86_64], frequencies, ..SeccompOptions::default() };
            lower(&policy, &options).unwrap().filters[&Arch::X86_64][0].instructions().to_vec()
        };
        let (plain, weighted) = (program(None), program(Some(frequencies.clone())));
        let (mut before, mut after) = (0u64, 0u64);
        for (nr, call) in canc_sets::syscalls::numbers(Arch::X86_64) {
            let data = Data { arch: Arch::X86_64.audit_value(), nr: *nr, args: [0; 6] };
            let run = |program: &[crate::seccomp::encode::Instruction]| {
                let mut steps = 0u64;
                let answer = sim::run(program, &data, false, |_| steps += 1);
                (answer, steps)
            };
            let ((one, slow), (other, fast)) = (run(&plain), run(&weighted));
            assert_eq!(one, other, "{call}");
            before += slow * frequencies.share(call);
            after += fast * frequencies.share(call);
        }
        let whole = 65_536.0;
        println!(
            "{name}: {:.2} instructions, weighted {:.2}; {} and {} long",
            before as f64 / whole,
            after as f64 / whole,
            plain.len(),
            weighted.len()
        );
        assert!(after * 10 < before * 9, "{name}: {before} {after}");
        assert!(weighted.len() <= plain.len() * 2, "{name}: {} {}", plain.len(), weighted.len());
    }
}
