//! Filters against what policies mean, on every input at once: a solver is asked for a system call that the two answer differently.

pub mod formula;
pub mod solver;
pub mod texts;

use crate::Error;
use canc_codegen::seccomp::encode::{Instruction, op};
use canc_codegen::seccomp::sim;
use canc_codegen::seccomp::{Filter, SeccompOptions, lower};
use canc_dsl::policy::Policy;
use canc_dsl::{NoFiles, Options, compile};
use canc_sets::syscalls::Arch;
use canc_sets::testing::Random;
use solver::Question;
use std::time::Instant;

/// All architectures, so that companions are served beside their hosts.
const ARCHES: [Arch; 9] = [
    Arch::X86_64,
    Arch::X32,
    Arch::X86,
    Arch::Aarch64,
    Arch::Arm,
    Arch::Riscv64,
    Arch::Ppc64le,
    Arch::S390x,
    Arch::Loongarch64,
];

/// Questions in one run of the solver.
const AT_ONCE: usize = 64;
/// Random policies.
const POLICIES: usize = 300;

/// Everything, with what each part came to.
///
/// # Errors
/// No solver, an input that a filter answers otherwise than its policy says, or an altered filter that goes unnoticed.
pub fn run() -> Result<(), Error> {
    let mut random = Random(31);
    let policies: Vec<String> = (0..POLICIES).map(|_| texts::random(&mut random)).collect();
    for (what, texts) in [("comparisons", texts::comparisons()), ("policies", policies)] {
        let started = Instant::now();
        let Proved { policies, refused, filters } = prove(&texts)?;
        if policies * 2 < texts.len() {
            return Err(Error::Odd(format!("most of the {what} cannot be compiled")));
        }
        println!(
            "{what}: {filters} filters of {policies} policies are right for every input ({refused} others are no policies), {:.1} s",
            started.elapsed().as_secs_f32()
        );
    }
    let started = Instant::now();
    let altered = altered(&mut random)?;
    println!(
        "altered: {} of {} altered filters are told from their policy, each by an input that the simulator confirms, {:.1} s",
        altered.told,
        altered.all,
        started.elapsed().as_secs_f32()
    );
    if altered.told * 10 < altered.all * 8 {
        return Err(Error::Odd(
            "too few alterations make a difference: the question is not asked right".into(),
        ));
    }
    Ok(())
}

/// How much was proved.
#[derive(Debug, Default)]
struct Proved {
    policies: usize,
    refused: usize,
    filters: usize,
}

/// Proves every filter of these policies, but for policies that the language refuses: a comparison that is always true, for one.
fn prove(texts: &[String]) -> Result<Proved, Error> {
    let mut out = Proved::default();
    let (mut questions, mut about) = (Vec::new(), Vec::new());
    for text in texts {
        let Some((policy, filters)) = built(text)? else {
            out.refused += 1;
            continue;
        };
        out.policies += 1;
        for filter in filters {
            questions.push(question(&policy, &filter, filter.instructions())?);
            about.push((text, filter));
        }
    }
    out.filters = questions.len();
    for (questions, about) in questions.chunks(AT_ONCE).zip(about.chunks(AT_ONCE)) {
        let wrong = solver::first_difference(questions)?;
        let Some((data, (text, filter))) = wrong.and_then(|(at, data)| Some((data, about.get(at)?))) else {
            continue;
        };
        let answer = filter.answer(&data);
        return Err(Error::Odd(format!("{data:x?} on {:?}: {answer:x?}\n{text}", filter.arch)));
    }
    Ok(out)
}

/// A policy with its filters, one for each kernel; `None` where the language refuses it.
fn built(text: &str) -> Result<Option<(Policy, Vec<Filter>)>, Error> {
    let options = Options { arches: ARCHES.to_vec(), ..Options::default() };
    let Some(set) = compile("p.can", text.as_bytes(), &NoFiles, &options).policies else { return Ok(None) };
    let policy = set.policies().first().cloned().ok_or_else(|| Error::Odd("no policy".into()))?;
    let options = SeccompOptions { arches: ARCHES.to_vec(), base: false, ..SeccompOptions::default() };
    let lowered = lower(&policy, &options).map_err(|e| Error::Odd(format!("{text}\n{e:?}")))?;
    let mut filters = Vec::new();
    for list in lowered.filters.into_values() {
        let [one]: [Filter; 1] =
            list.try_into().map_err(|_| Error::Odd(format!("several filters of a small policy\n{text}")))?;
        filters.push(one);
    }
    Ok(Some((policy, filters)))
}

/// Whether a program answers as a policy says.
fn question(policy: &Policy, filter: &Filter, program: &[Instruction]) -> Result<Question, Error> {
    let mut definitions = String::new();
    formula::program(&mut definitions, "done", program, filter.arch.is_big_endian())?;
    formula::meaning(&mut definitions, "meant", policy, &filter.serves)?;
    Ok(Question { definitions, one: "done", other: "meant" })
}

#[derive(Debug, Default)]
struct Altered {
    all: usize,
    told: usize,
}

/// Alters one instruction after another of a few filters. An input that the solver gives must tell the two apart by the simulator, too.
fn altered(random: &mut Random) -> Result<Altered, Error> {
    let mut out = Altered::default();
    while out.all < 150 {
        let Some((policy, filters)) = built(&texts::random(random))? else { continue };
        let Some(filter) = filters.first() else { continue };
        for at in 0..filter.instructions().len().min(30) {
            let mut program = filter.instructions().to_vec();
            let Some(one) = program.get_mut(at) else { continue };
            match one.code {
                // Another word would be no argument, or the pointer that filters never read.
                op::LOAD | op::JUMP => continue,
                op::RETURN | op::AND => one.k ^= 1,
                _ => std::mem::swap(&mut one.jt, &mut one.jf),
            }
            out.all += 1;
            let question = question(&policy, filter, &program)?;
            let Some((_, data)) = solver::first_difference(&[question])? else { continue };
            if filter.answer(&data) == sim::answer(&program, &data, filter.arch.is_big_endian()) {
                return Err(Error::Odd(format!("the solver's input {data:x?} makes no difference")));
            }
            out.told += 1;
        }
    }
    Ok(out)
}
