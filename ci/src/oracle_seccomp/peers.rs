//! A policy to the programs of this compiler and of others, and a program to how long it is and how much of it runs.

use super::compare::{ours, theirs};
use super::policies::{Operator, Policy, Test};
use crate::Error;
use canc_codegen::seccomp::SeccompOptions;
use canc_codegen::seccomp::encode::Instruction;
use canc_codegen::seccomp::sim::{self, Data};
use canc_sets::syscalls::{Arch, max_number, number};
use kafel::{CmpOp, Expr};
use libseccomp::ScmpArch;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    TargetArch,
};
use std::collections::BTreeMap;
use std::fmt;

/// The architecture that compilers are measured on.
const ARCH: Arch = Arch::X86_64;

/// Who compiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the compilers' own names")]
pub enum Compiler {
    Canc,
    LibseccompList,
    LibseccompTree,
    Seccompiler,
    Kafel,
}

impl Compiler {
    /// All of them, this one first.
    pub const ALL: [Self; 5] =
        [Self::Canc, Self::LibseccompList, Self::LibseccompTree, Self::Seccompiler, Self::Kafel];

    /// Its name in tables.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Canc => "canc",
            Self::LibseccompList => "libseccomp list",
            Self::LibseccompTree => "libseccomp tree",
            Self::Seccompiler => "seccompiler",
            Self::Kafel => "kafel",
        }
    }

    /// The program for x86_64; `None` where a peer says that it would be too long, or has no way to say the policy.
    ///
    /// # Errors
    /// When the policy is refused for any other reason.
    pub fn compile(self, policy: &Policy) -> Result<Option<Vec<Instruction>>, Error> {
        match self {
            Self::Canc => {
                let options = SeccompOptions { arches: vec![ARCH], base: false, ..SeccompOptions::default() };
                let made = ours(&policy.text(), &options)?;
                match made.filters.get(&ARCH).map(Vec::as_slice) {
                    Some([one]) => Ok(Some(one.instructions().to_vec())),
                    _ => Err(Error::Odd("a policy to be measured became several filters".to_owned())),
                }
            }
            Self::LibseccompList => theirs(policy, ScmpArch::X8664, ARCH, false).map(Some),
            Self::LibseccompTree => theirs(policy, ScmpArch::X8664, ARCH, true).map(Some),
            Self::Seccompiler => seccompiler(policy),
            Self::Kafel => kafel(policy),
        }
    }
}

/// What seccompiler makes of a policy. It has one action besides the default, so `clone3` is refused like everything else.
fn seccompiler(policy: &Policy) -> Result<Option<Vec<Instruction>>, Error> {
    let odd = |e: &dyn fmt::Display| Error::Odd(format!("seccompiler: {e}"));
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = BTreeMap::new();
    let mut always: Vec<i64> = Vec::new();
    for allow in &policy.allows {
        let Some(number) = number(ARCH, allow.call) else { continue };
        let list = rules.entry(i64::from(number)).or_default();
        if allow.tests.is_empty() {
            always.push(i64::from(number));
            continue;
        }
        let tests = allow.tests.iter().map(condition).collect::<Result<Vec<_>, _>>().map_err(|e| odd(&e))?;
        list.push(SeccompRule::new(tests).map_err(|e| odd(&e))?);
    }
    // There no condition means always.
    for number in always {
        rules.insert(number, Vec::new());
    }
    let refusal = SeccompAction::Errno(u32::from(policy.errno));
    let filter = SeccompFilter::new(rules, refusal, SeccompAction::Allow, TargetArch::x86_64);
    let program: BpfProgram = match filter.and_then(TryInto::try_into) {
        Ok(program) => program,
        Err(seccompiler::BackendError::FilterTooLarge(_)) => return Ok(None),
        Err(error) => return Err(odd(&error)),
    };
    Ok(Some(program.iter().map(|i| Instruction { code: i.code, jt: i.jt, jf: i.jf, k: i.k }).collect()))
}

fn condition(test: &Test) -> Result<SeccompCondition, seccompiler::BackendError> {
    let (width, bits) =
        if test.wide { (SeccompCmpArgLen::Qword, u64::MAX) } else { (SeccompCmpArgLen::Dword, 0xffff_ffff) };
    let operator = match test.operator {
        Operator::Equal if test.mask & bits != bits => SeccompCmpOp::MaskedEq(test.mask),
        Operator::Equal => SeccompCmpOp::Eq,
        Operator::NotEqual => SeccompCmpOp::Ne,
        Operator::Less => SeccompCmpOp::Lt,
        Operator::LessOrEqual => SeccompCmpOp::Le,
        Operator::Greater => SeccompCmpOp::Gt,
        Operator::GreaterOrEqual => SeccompCmpOp::Ge,
    };
    SeccompCondition::new(u8::try_from(test.arg).unwrap_or(u8::MAX), width, operator, test.value)
}

/// What kafel makes of a policy. It compares the lower half of an argument alone with a number or mask that fits there, and takes no
/// wider mask, so that it cannot say every comparison of 64 bits.
fn kafel(policy: &Policy) -> Result<Option<Vec<Instruction>>, Error> {
    let odd = |e: kafel::Error| Error::Odd(format!("kafel: {e}"));
    let narrow = |t: &Test| t.wide && (t.mask != u64::MAX || u32::try_from(t.value).is_ok());
    if policy.allows.iter().flat_map(|a| &a.tests).any(narrow) {
        return Ok(None);
    }
    let mut entries = BTreeMap::new();
    for allow in &policy.allows {
        let Some(number) = number(ARCH, allow.call) else { continue };
        let tests = allow.tests.iter().map(comparison).reduce(|a, b| Expr::And(a.into(), b.into()));
        let entry = entries.entry(number).or_insert_with(|| tests.clone());
        *entry = entry.take().zip(tests).map(|(a, b)| if a == b { a } else { Expr::Or(a.into(), b.into()) });
    }
    let entries = entries.into_iter().map(|(syscall_number, filter)| kafel::PolicyEntry {
        syscall_number,
        action: kafel::Action::Allow,
        filter,
    });
    let refusal = kafel::Action::Errno(policy.errno.into());
    let policy = kafel::Policy { entries: entries.collect(), default_action: refusal };
    let program = match policy.codegen() {
        Err(kafel::Error::Codegen { message, .. }) if message.contains("too ") => return Ok(None),
        other => other.map_err(odd)?,
    };
    let own = |i: &libc::sock_filter| Instruction { code: i.code, jt: i.jt, jf: i.jf, k: i.k };
    Ok(Some(program.instructions().iter().map(own).collect()))
}

fn comparison(test: &Test) -> Expr {
    let op = match test.operator {
        Operator::Equal => CmpOp::Eq,
        Operator::NotEqual => CmpOp::Ne,
        Operator::Less => CmpOp::Lt,
        Operator::LessOrEqual => CmpOp::Le,
        Operator::Greater => CmpOp::Gt,
        Operator::GreaterOrEqual => CmpOp::Ge,
    };
    let (arg_index, rhs) = (u8::try_from(test.arg).unwrap_or(u8::MAX), Expr::Constant(test.value).into());
    if test.mask & 0xffff_ffff == 0xffff_ffff {
        return Expr::Compare(Expr::Arg(arg_index).into(), op, rhs);
    }
    Expr::MaskedCompare { arg_index, mask: Expr::Constant(test.mask & 0xffff_ffff).into(), op, rhs }
}

/// A program's figures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// Instructions.
    pub length: usize,
    /// Executed for a number of the table, arguments zero: the mean over all of them.
    pub mean: f64,
    /// The most.
    pub most: usize,
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({:.1}, {})", self.length, self.mean, self.most)
    }
}

/// The figures of a program for x86_64.
#[must_use]
pub fn measured(program: &[Instruction]) -> Measured {
    let (mut total, mut most, mut count) = (0usize, 0, 0u32);
    for nr in 0..=max_number(ARCH) {
        let mut steps = 0;
        let data = Data { arch: ARCH.audit_value(), nr, args: [0; 6] };
        sim::run(program, &data, false, |_| steps += 1);
        total += steps;
        most = most.max(steps);
        count += 1;
    }
    let mean = f64::from(u32::try_from(total).unwrap_or(u32::MAX)) / f64::from(count.max(1));
    Measured { length: program.len(), mean, most }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle_seccomp::sizes::known;
    use canc_codegen::seccomp::encode::action;
    use canc_dsl::policy::Action;
    use canc_sets::testing::Random;

    /// A peer that means something else by a policy would be measured for nothing.
    #[test]
    fn all_compilers_mean_the_same() {
        let mut random = Random(31);
        let policies = (0..8).map(|i| Policy::random(&mut random, 12, i % 2 == 1)).collect::<Vec<_>>();
        for policy in policies.iter().chain(known().iter().map(|n| &n.1)) {
            let programs = Compiler::ALL.map(|c| c.compile(policy).unwrap());
            let own = programs[0].as_ref().unwrap();
            for nr in (0..600).filter(|nr| *nr != number(ARCH, "clone3").unwrap()) {
                let values = [0, 1, 2, 7, 0x5412, u64::MAX, 1 << 31, 1 << 32, random.draw()];
                let args = std::array::from_fn(|_| random.pick(&values).unwrap());
                let data = Data { arch: ARCH.audit_value(), nr, args };
                let mine = sim::answer(own, &data, false).map(action);
                // Numbers beyond the table are unknown to this compiler alone, which answers ENOSYS only by a policy's leave.
                let named = policy.allows.iter().any(|a| number(ARCH, a.call) == Some(nr));
                let wanted =
                    if named || nr <= max_number(ARCH) { mine } else { Some(Action::Errno(policy.errno)) };
                for (compiler, program) in Compiler::ALL.iter().zip(&programs).skip(1) {
                    // Several orders of 64 bits are merged wrongly by older versions of libseccomp.
                    if matches!(compiler, Compiler::Seccompiler | Compiler::Kafel) || policy.allows.len() > 20
                    {
                        let Some(program) = program else { continue };
                        let other = sim::answer(program, &data, false).map(action);
                        assert_eq!(other, wanted, "{compiler:?} {data:x?}\n{}", policy.text());
                    }
                }
            }
        }
    }
}
