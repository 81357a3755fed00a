//! The figures of `ci/bench seccomp`: the programs of all compilers for the same policies, loaded into processes of this kernel.

use super::peers::{Compiler, measured};
use super::policies::{Operator, Policy};
use super::sizes::{known, plain, test};
use crate::Error;
use crate::run::Run;
use canc_codegen::seccomp::encode::{Instruction, bytes};
use canc_sets::syscalls::Arch;
use std::path::Path;
use std::time::{Duration, Instant};

/// Processes per program; the least time of all is the figure.
const ROUNDS: usize = 25;
/// What the process that measures needs once the filter is loaded.
const NEEDED: [&str; 8] =
    ["write", "exit_group", "getppid", "clock_gettime", "munmap", "sigaltstack", "futex", "exit"];
const LIMIT: Duration = Duration::from_secs(20);

/// Times of one program.
struct Times {
    /// Loading it, in nanoseconds.
    load: u64,
    /// A call that is allowed by its number.
    number: u64,
    /// A call that is allowed by an argument, which no kernel decides without running the filter.
    argument: u64,
}

/// Prints the table. `timer` is the program that loads a filter and calls.
///
/// # Errors
/// When a policy is refused, a program is not loaded, or a peer's is smaller or runs less.
pub fn print(timer: &Path) -> Result<(), Error> {
    println!(
        "{:30}{:17}{:>8}{:>8}{:>6}{:>12}{:>10}{:>16}{:>18}",
        "policy",
        "compiler",
        "instr.",
        "mean",
        "max",
        "compile ms",
        "load µs",
        "ns/call, number",
        "ns/call, argument"
    );
    for (name, policy) in known() {
        let timed = timed_variant(&policy);
        for compiler in Compiler::ALL {
            let started = Instant::now();
            let program = compiler.compile(&policy)?;
            let compiling = started.elapsed().as_secs_f64() * 1e3;
            let (Some(program), Some(variant)) = (program, compiler.compile(&timed)?) else {
                println!("{name:30}{:17}{:>8}", compiler.word(), "refuses");
                continue;
            };
            let (m, t) = (measured(&program), times(timer, &variant)?);
            let load = f64::from(u32::try_from(t.load).unwrap_or(u32::MAX)) / 1e3;
            println!(
                "{name:30}{:17}{:>8}{:>8.1}{:>6}{compiling:>12.2}{load:>10.1}{:>16}{:>18}",
                compiler.word(),
                m.length,
                m.mean,
                m.most,
                t.number,
                t.argument
            );
        }
    }
    let all = super::sizes::all()?;
    all.iter().try_for_each(super::sizes::Sizes::ensure_best)?;
    println!("on none of {} policies is a peer's program smaller, or does it run more of itself", all.len());
    Ok(())
}

/// The policy with what the measuring process needs, and with a call that is allowed by an argument.
fn timed_variant(policy: &Policy) -> Policy {
    let mut allows = policy.allows.clone();
    allows.retain(|a| a.call != "lseek");
    let missing = |n: &&&str| !policy.allows.iter().any(|a| a.call == **n && a.tests.is_empty());
    allows.extend(NEEDED.iter().filter(missing).map(|n| plain(n)));
    let mut seek = test("lseek", 2, Operator::Equal, u64::MAX, 1);
    seek.tests.iter_mut().for_each(|t| t.wide = false);
    allows.push(seek);
    Policy { errno: policy.errno, allows }
}

fn times(timer: &Path, program: &[Instruction]) -> Result<Times, Error> {
    let file = tempfile::NamedTempFile::new().map_err(Error::io("making", "a temporary file"))?;
    std::fs::write(file.path(), bytes(program, Arch::X86_64)).map_err(Error::io("writing", file.path()))?;
    let mut best = Times { load: u64::MAX, number: u64::MAX, argument: u64::MAX };
    for _ in 0..ROUNDS {
        let output = Run::new(timer).arg(file.path()).limit(LIMIT).output()?;
        let words: Vec<u64> = output.text().split_whitespace().filter_map(|w| w.parse().ok()).collect();
        let [load, number, argument] = words[..] else {
            return Err(Error::Odd(format!("the timer: {} {}", output.code, output.errors())));
        };
        best = Times {
            load: best.load.min(load),
            number: best.number.min(number),
            argument: best.argument.min(argument),
        };
    }
    Ok(best)
}
