//! Programs against the kernel of this machine: which it loads, and what it really does with calls, each asked in a process of its
//! own that performs them through the probe.

use super::compare::ours;
use crate::Error;
use crate::run::{Output, Run};
use canc_codegen::seccomp::encode::{self, Instruction, op};
use canc_codegen::seccomp::{Lowered, SeccompOptions, checker};
use canc_dsl::policy::Action;
use canc_sets::syscalls::{self, Arch};
use canc_sets::testing::Random;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The architecture of the machines that run this.
const HOST: Arch = Arch::X86_64;
const LIMIT: Duration = Duration::from_secs(20);
/// `SIGSYS`, as shells number a process's end by it.
const KILLED: i32 = 128 + 31;

/// The programs that this needs, beside the one that runs, and a directory for filters.
pub struct Kernel {
    helper: PathBuf,
    probe: PathBuf,
    scratch: tempfile::TempDir,
}

impl Kernel {
    /// Finds the helper and the probe where cargo builds them.
    ///
    /// # Errors
    /// When they are not built, or on another architecture.
    pub fn new() -> Result<Self, Error> {
        if std::env::consts::ARCH != HOST.word() {
            return Err(Error::Missing(format!("what is performed here is for {}", HOST.word())));
        }
        let own = std::env::current_exe().map_err(Error::io("finding", "the running program"))?;
        let beside = own.parent().unwrap_or(Path::new("/"));
        let beside = if beside.ends_with("deps") { beside.parent().unwrap_or(beside) } else { beside };
        let (helper, probe) = (beside.join("under_filter"), beside.join("canc-probe"));
        for path in [&helper, &probe] {
            if !path.exists() {
                return Err(Error::Missing(format!(
                    "{}: build canc-ci and canc-probe first",
                    path.display()
                )));
            }
        }
        let scratch = tempfile::tempdir().map_err(Error::io("making", "a temporary directory"))?;
        Ok(Self { helper, probe, scratch })
    }

    /// Runs a command under these programs, the first loaded first.
    fn run(&self, programs: &[Vec<u8>], words: &[&str]) -> Result<Output, Error> {
        let mut run = Run::new(&self.helper);
        for (index, program) in programs.iter().enumerate() {
            let path = self.scratch.path().join(index.to_string());
            std::fs::write(&path, program).map_err(Error::io("writing", &path))?;
            run = run.arg(path);
        }
        run.arg("--").args(words).limit(LIMIT).output()
    }

    /// Whether the kernel loads a program.
    fn loads(&self, program: &[Instruction]) -> Result<bool, Error> {
        let output = self.run(&[encode::bytes(program, HOST)], &[])?;
        match output.text().strip_prefix("refused ").map(str::trim) {
            None => Ok(true),
            Some("22") => Ok(false),
            Some(other) => Err(Error::Odd(format!("loading a filter: errno {other}"))),
        }
    }

    /// What the kernel does with a call under a lowered policy: `None` for killed, else the error number, 0 for none.
    fn perform(&self, made: &Lowered, words: &[String]) -> Result<Option<u64>, Error> {
        let programs: Vec<Vec<u8>> =
            made.filters.get(&HOST).into_iter().flatten().map(|f| f.encode()).collect();
        let probe = self.probe.to_string_lossy();
        let mut all = vec![probe.as_ref()];
        all.extend(words.iter().map(String::as_str));
        let output = self.run(&programs, &all)?;
        if output.code == KILLED {
            return Ok(None);
        }
        let answer: serde_json::Value = serde_json::from_slice(&output.stdout)
            .map_err(|e| Error::Odd(format!("{words:?}: {e}: {} {}", output.text(), output.errors())))?;
        match (answer.get("errno").and_then(serde_json::Value::as_u64), answer.get("result")) {
            (Some(errno), _) => Ok(Some(errno)),
            (None, Some(_)) => Ok(Some(0)),
            _ => Err(Error::Odd(format!("{words:?}: {answer}"))),
        }
    }
}

fn call(nr: u32, args: &[u64]) -> Vec<String> {
    let words = args.iter().map(|a| format!("{a:#x}"));
    ["syscall".to_owned(), nr.to_string()].into_iter().chain(words).collect()
}

fn ensure(fine: bool, what: impl FnOnce() -> String) -> Result<(), Error> {
    if fine { Ok(()) } else { Err(Error::Odd(what())) }
}

/// Programs of every size are loaded, and of programs with one changed instruction those that the rewritten checker accepts: no
/// more, no fewer. Returns how many were loaded and how many refused.
///
/// # Errors
/// The first program about which the two disagree.
pub fn loading(kernel: &Kernel, mutants: usize) -> Result<(usize, usize), Error> {
    let (mut loaded, mut refused) = (0, 0);
    let mut judge = |program: &[Instruction]| {
        let (mine, theirs) = (checker::check(program), kernel.loads(program)?);
        ensure(mine.is_ok() == theirs, || {
            format!("the kernel loads it: {theirs}; the checker: {mine:?}\n{program:?}")
        })?;
        *(if theirs { &mut loaded } else { &mut refused }) += 1;
        Ok::<(), Error>(())
    };
    let ret = Instruction::plain(op::RETURN, 0x7fff_0000);
    for length in [1usize, 2, 4_095, 4_096, 4_097] {
        judge(&vec![ret; length])?;
    }
    judge(&[])?;
    let mut random = Random(5);
    for count in [1usize, 10, 100, 260, 1_000, 2_500, 5_000] {
        let rules: Vec<String> =
            (0..count).map(|i| format!("allow syscall ioctl where cmd == {};", i * 7 + 1)).collect();
        let made = policy(&format!("allow syscall @known except [clone3, ioctl];\n{}", rules.join("\n")))?;
        for filter in made.filters.get(&HOST).into_iter().flatten() {
            judge(filter.instructions())?;
        }
        let first = made.filters.get(&HOST).and_then(|f| f.first());
        let program = first.map_or(&[][..], |f| f.instructions());
        for _ in 0..mutants.div_ceil(7) {
            judge(&mutant(program, &mut random))?;
        }
    }
    Ok((loaded, refused))
}

/// A program with one field of one instruction changed.
fn mutant(program: &[Instruction], random: &mut Random) -> Vec<Instruction> {
    let mut out: Vec<Instruction> = program.iter().take(300).copied().collect();
    out.push(Instruction::plain(op::RETURN, 0x7fff_0000));
    let at = random.below(out.len());
    let (kind, small) = (random.below(5), u8::try_from(random.below(256)).unwrap_or(0));
    if let Some(one) = out.get_mut(at) {
        match kind {
            0 => one.code = u16::from(small),
            1 => one.jt = small,
            2 => one.jf = small,
            3 => one.k = u32::from(small),
            _ => *one = Instruction { code: u16::from(small), jt: 0, jf: 0, k: u32::from(small) },
        }
    }
    // Every jump of the shortened program that still leads out of it is a reason to refuse; returns everywhere are none.
    out
}

fn policy(rules: &str) -> Result<Lowered, Error> {
    let text = format!("can 1;\npolicy p {{\n  exec \"/usr/bin/p\";\n  syscall infer off;\n{rules}\n}}\n");
    ours(&text, &SeccompOptions { arches: vec![HOST], ..SeccompOptions::default() })
}

/// Calls that do nothing with these arguments, and the argument that conditions are about.
const HARMLESS: [(&str, [u64; 5], usize); 8] = [
    ("ioctl", [u64::MAX, 0, 0, 0, 0], 1),
    ("lseek", [u64::MAX, 0, 0, 0, 0], 1),
    ("lseek", [u64::MAX, 0, 9, 0, 0], 2),
    ("kill", [0x7fff_fff0, 0, 0, 0, 0], 1),
    ("chmod", [0, 0, 0, 0, 0], 1),
    ("kcmp", [0x7fff_fff0, 0x7fff_fff0, 0, 0, 0], 3),
    ("fcntl", [u64::MAX, 0, 0, 0, 0], 1),
    ("prctl", [0x7fff_0001, 0, 0, 0, 0], 1),
];

/// An error that no kernel answers, so that it can only come from the filter.
const MARK: u16 = 3_999;

/// Rules performed for real, at their values and one beside them. Returns how many calls were performed.
///
/// # Errors
/// The first call with which the kernel does something else than the program says.
pub fn enforcing(kernel: &Kernel, rounds: usize) -> Result<usize, Error> {
    let mut random = Random(9);
    let mut performed = 0;
    for round in 0..rounds {
        let Some((name, template, arg)) = HARMLESS.get(round % HARMLESS.len()).copied() else { continue };
        let (condition, values) = condition(&mut random, name, arg);
        let made = policy(&format!(
            "allow syscall @known except [clone3];\ndeny syscall {name} where {condition} with errno({MARK});"
        ))?;
        let nr = syscalls::number(HOST, name).unwrap_or(0);
        for value in values {
            let mut args = [0; 6];
            for (slot, own) in args.iter_mut().zip(template) {
                *slot = own;
            }
            if let Some(slot) = args.get_mut(arg) {
                *slot = value;
            }
            let wanted = made.decide(HOST, nr, args).map(|d| d.action);
            let done = kernel.perform(&made, &call(nr, &args))?;
            let refused = done == Some(u64::from(MARK));
            ensure(refused == (wanted == Some(Action::Errno(MARK))) && done.is_some(), || {
                format!(
                    "{name}{args:x?} where {condition}: {done:?} by the kernel, {wanted:?} by the program"
                )
            })?;
            performed += 1;
        }
    }
    Ok(performed)
}

/// A comparison of an argument, and the words at which it may change.
fn condition(random: &mut Random, call: &str, arg: usize) -> (String, Vec<u64>) {
    let kind = syscalls::args(call).get(arg).map(|a| a.kind);
    let bits = match kind {
        Some(syscalls::ArgKind::U16) => 16u32,
        Some(syscalls::ArgKind::U64 | syscalls::ArgKind::I64) => 64,
        _ => 32,
    };
    let value = random.draw() >> (64 - bits) >> random.below(usize::try_from(bits).unwrap_or(1));
    let operators = ["==", "!=", "<", "<=", ">", ">="];
    let operator = random.pick(&operators).unwrap_or("==");
    let (text, mask) = if random.below(3) == 0 {
        let mask = random.draw() >> (64 - bits) | 1;
        (format!("arg{arg} & {mask:#x} == {:#x}", value & mask), mask)
    } else {
        (format!("arg{arg} {operator} {value:#x}"), u64::MAX)
    };
    let value = value & mask;
    let near = [value, value.wrapping_sub(1), value.wrapping_add(1), value | !mask, value ^ mask];
    let high = [value | 0x123 << 32, value ^ 1 << 32, value ^ 1 << 16, 0, u64::MAX, 1 << 31, 1 << 63];
    (text, near.into_iter().chain(high).collect())
}

/// The rows of the checklist that a kernel must show: what got past other filters.
///
/// # Errors
/// The first row that does.
pub fn bypasses(kernel: &Kernel) -> Result<usize, Error> {
    let made = policy(
        "allow syscall @known except [clone3];
         deny syscall ioctl where cmd == TIOCSTI;
         allow connect tcp port 443;",
    )?;
    let text = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
    let nr = |name: &str| syscalls::number(HOST, name).unwrap_or(u32::MAX);
    let (minus_one, user) = (u64::MAX, 0x1000_0000u64);
    let rows: [(&str, Vec<String>, Option<u64>); 15] = [
        ("TIOCSTI", call(nr("ioctl"), &[minus_one, 0x5412]), Some(1)),
        ("TIOCSTI with high bits", call(nr("ioctl"), &[minus_one, 0x123 << 32 | 0x5412]), Some(1)),
        ("another ioctl", call(nr("ioctl"), &[minus_one, 0x5413]), Some(9)),
        ("int 0x80", text(&["int80", "20"]), None),
        ("x32 getpid", call(nr("getpid") | 0x4000_0000, &[]), None),
        ("x32 ioctl", call(0x4000_0000 + 514, &[minus_one, 0x5412]), None),
        ("number -1", text(&["syscall", "-1"]), None),
        ("a number above 2^31", call(0x8000_0000, &[]), None),
        ("an unknown number", call(5_000, &[]), Some(38)),
        ("clone3", call(nr("clone3"), &[0, 0]), Some(38)),
        ("clone into a user namespace", call(nr("clone"), &[user | 17]), Some(1)),
        ("unshare of a user namespace", call(nr("unshare"), &[user]), Some(1)),
        ("setns", call(nr("setns"), &[0, 0]), Some(1)),
        ("io_uring_setup", call(nr("io_uring_setup"), &[1, 0]), Some(38)),
        ("fast open", call(nr("sendto"), &[minus_one, 0, 0, 0x2000_0000, 0, 0]), Some(95)),
    ];
    for (name, words, wanted) in &rows {
        let done = kernel.perform(&made, words)?;
        ensure(done == *wanted, || format!("{name}: {done:?}, not {wanted:?}"))?;
    }
    // Without clone3 a C library makes threads by clone.
    let programs: Vec<Vec<u8>> = made.filters.get(&HOST).into_iter().flatten().map(|f| f.encode()).collect();
    let thread = kernel.run(&programs, &["@thread"])?;
    ensure(thread.code == 0 && thread.text() == "thread\n", || format!("no thread: {thread:?}"))?;
    // A probe that is killed or refused without a filter would prove nothing.
    let free = policy("allow userns create; allow syscall @known, clone3, io_uring_setup;")?;
    for (name, words) in [
        ("int80", text(&["syscall", "39"])),
        ("clone3", call(nr("clone3"), &[0, 0])),
        ("io_uring", call(nr("io_uring_setup"), &[1, 0])),
    ] {
        let done = kernel.perform(&free, &words)?;
        ensure(done.is_some_and(|errno| errno != 38), || format!("{name} without its refusal: {done:?}"))?;
    }
    Ok(rows.len() + 1)
}
