//! Programs of this compiler against those that libseccomp makes of the same policy: answers on every number and on boundary
//! arguments, and sizes.

use super::policies::{Operator, Policy, Test};
use crate::Error;
use canc_codegen::interchange::oci::{ArgEntry, Profile};
use canc_codegen::seccomp::encode::{self, Instruction};
use canc_codegen::seccomp::sim::{self, Data};
use canc_codegen::seccomp::{Lowered, SeccompOptions, lower};
use canc_dsl::policy::Action;
use canc_dsl::{NoFiles, Options, compile};
use canc_sets::syscalls::{self, Arch};
use canc_sets::testing::Random;
use libseccomp::{ScmpAction, ScmpArch, ScmpArgCompare, ScmpCompareOp, ScmpFilterContext, ScmpSyscall};
use std::collections::BTreeSet;
use std::io::{Read, Seek};

/// Architectures that both know.
pub const ARCHES: [(Arch, ScmpArch); 7] = [
    (Arch::X86_64, ScmpArch::X8664),
    (Arch::X86, ScmpArch::X86),
    (Arch::Aarch64, ScmpArch::Aarch64),
    (Arch::Arm, ScmpArch::Arm),
    (Arch::Riscv64, ScmpArch::Riscv64),
    (Arch::Ppc64le, ScmpArch::Ppc64Le),
    (Arch::S390x, ScmpArch::S390X),
];

fn odd(what: impl std::fmt::Display) -> Error {
    Error::Odd(format!("libseccomp: {what}"))
}

/// The numbers that both tables give a name on an architecture; an error for a name with two.
pub fn numbers() -> Result<usize, Error> {
    let mut compared = 0;
    for (arch, theirs) in ARCHES {
        for (number, name) in syscalls::numbers(arch) {
            let Ok(known) = ScmpSyscall::from_name_by_arch(name, theirs) else { continue };
            // Negative numbers stand for calls that libseccomp knows and the architecture has not.
            let raw = known.as_raw_syscall();
            if raw >= 0 && i64::from(raw) != i64::from(*number) {
                return Err(odd(format!("{name} is {raw} on {}, and {number} here", arch.word())));
            }
            compared += usize::from(raw >= 0);
        }
    }
    Ok(compared)
}

/// What libseccomp makes of a policy, by its binary tree or as a list.
pub fn theirs(policy: &Policy, arch: ScmpArch, host: Arch, tree: bool) -> Result<Vec<Instruction>, Error> {
    let mut context = ScmpFilterContext::new(ScmpAction::Errno(i32::from(policy.errno))).map_err(odd)?;
    if arch != ScmpArch::native() {
        // First out, then in: a filter holds architectures of one byte order only.
        context.remove_arch(ScmpArch::native()).map_err(odd)?;
        context.add_arch(arch).map_err(odd)?;
    }
    context.set_act_badarch(ScmpAction::KillProcess).map_err(odd)?;
    context.set_ctl_optimize(if tree { 2 } else { 1 }).map_err(odd)?;
    let clone3 = ScmpSyscall::from_name("clone3").map_err(odd)?;
    context.add_rule(ScmpAction::Errno(38), clone3).map_err(odd)?;
    for allow in &policy.allows {
        let call = ScmpSyscall::from_name(allow.call).map_err(odd)?;
        let tests: Vec<ScmpArgCompare> = allow.tests.iter().map(comparison).collect();
        context.add_rule_conditional(ScmpAction::Allow, call, &tests).map_err(odd)?;
    }
    exported(&context, host)
}

fn exported(context: &ScmpFilterContext, host: Arch) -> Result<Vec<Instruction>, Error> {
    let mut file = tempfile::tempfile().map_err(odd)?;
    context.export_bpf(&file).map_err(odd)?;
    let mut bytes = Vec::new();
    file.rewind().and_then(|()| file.read_to_end(&mut bytes)).map_err(odd)?;
    encode::instructions(&bytes, host).ok_or_else(|| odd("half an instruction"))
}

fn comparison(test: &Test) -> ScmpArgCompare {
    let bits = if test.wide { u64::MAX } else { 0xffff_ffff };
    let operator = match test.operator {
        _ if test.mask & bits != u64::MAX => ScmpCompareOp::MaskedEqual(test.mask & bits),
        Operator::Equal => ScmpCompareOp::Equal,
        Operator::NotEqual => ScmpCompareOp::NotEqual,
        Operator::Less => ScmpCompareOp::Less,
        Operator::LessOrEqual => ScmpCompareOp::LessOrEqual,
        Operator::Greater => ScmpCompareOp::Greater,
        Operator::GreaterOrEqual => ScmpCompareOp::GreaterEqual,
    };
    ScmpArgCompare::new(test.arg, operator, test.value)
}

/// What this compiler makes of a text.
pub fn ours(text: &str, options: &SeccompOptions) -> Result<Lowered, Error> {
    let done = compile("p.can", text.as_bytes(), &NoFiles, &Options::default());
    let policies = done.policies.ok_or_else(|| Error::Odd(format!("{text}\n{:?}", done.diagnostics)))?;
    let policy = policies.policies().first().ok_or_else(|| Error::Odd("no policy".to_owned()))?;
    lower(policy, options).map_err(|errors| Error::Odd(format!("{text}\n{errors:?}")))
}

/// What came of comparing.
#[derive(Debug, Default, Clone, Copy)]
pub struct Compared {
    /// Inputs on which this compiler's program, libseccomp's and the policy's own meaning agree.
    pub agreed: usize,
    /// Inputs on which libseccomp alone differs. Its versions before 2.6.1 merge several 64-bit orders of one call wrongly.
    pub theirs_alone: usize,
}

/// Compares `count` random policies on every architecture that both know. Every second one has orders besides equalities.
///
/// # Errors
/// An input on which this compiler's program differs from the meaning, or libseccomp's does where its merging is sound.
pub fn random(seed: u64, count: usize) -> Result<Compared, Error> {
    let mut random = Random(seed);
    let mut out = Compared::default();
    for round in 0..count {
        let orders = round % 2 == 1;
        let policy = Policy::random(&mut random, most(round), orders);
        let arches = ARCHES.map(|a| a.0).to_vec();
        let own = ours(&policy.text(), &SeccompOptions { arches, base: false, ..SeccompOptions::default() })?;
        // On 32-bit architectures libseccomp cuts values that do not fit, so conditions are compared on the others.
        let conditional = policy.allows.iter().any(|a| !a.tests.is_empty());
        // It also writes returns that it repeats for long jumps in the byte order of this machine, so s390x is compared by number alone.
        let sound = |a: &&(Arch, ScmpArch)| !a.0.is_big_endian() && (a.0.is_64_bit() || !conditional);
        for (arch, scmp) in ARCHES.iter().filter(sound) {
            let their = theirs(&policy, *scmp, *arch, round % 4 < 2)?;
            let filter = own.filters.get(&arch.host()).and_then(|f| f.first());
            let filter = filter.ok_or_else(|| Error::Odd("no filter".to_owned()))?;
            for data in inputs(&policy, *arch, &mut random) {
                let (mine, other) = (filter.answer(&data), sim::answer(&their, &data, arch.is_big_endian()));
                let wanted = meaning(&policy, *arch, &data);
                let (mine, other) = (mine.map(encode::action), other.map(encode::action));
                match (mine == Some(wanted), mine == other) {
                    (true, true) => out.agreed += 1,
                    (true, false) if orders => out.theirs_alone += 1,
                    _ => {
                        let text = policy.text();
                        return Err(Error::Odd(format!(
                            "{data:x?} on {arch:?}: {mine:?} here, {other:?} by libseccomp, {wanted:?} meant\n{text}"
                        )));
                    }
                }
            }
        }
    }
    Ok(out)
}

/// The size of policies. With orders, libseccomp may take minutes for a hundred rules.
fn most(round: usize) -> usize {
    match round % 10 {
        0 => 200,
        1 => 40,
        _ => 12,
    }
}

/// What a policy says of a call.
fn meaning(policy: &Policy, arch: Arch, data: &Data) -> Action {
    if data.arch != arch.audit_value() || data.nr >= 0x4000_0000 {
        return Action::Kill;
    }
    match syscalls::name(arch, data.nr) {
        Some("clone3") => Action::Errno(38),
        Some(call) if policy.allows(call, &data.args) => Action::Allow,
        _ => Action::Errno(policy.errno),
    }
}

/// Every number up to 1023 and some beyond, and boundary arguments of each conditional call.
fn inputs(policy: &Policy, arch: Arch, random: &mut Random) -> Vec<Data> {
    let audit = arch.audit_value();
    let mut out: Vec<Data> = (0..1_024).map(|nr| Data { arch: audit, nr, args: [0; 6] }).collect();
    if arch == Arch::X86_64 {
        // libseccomp lets the number -1 through to its default on this architecture alone.
        out.extend([0x4000_0000, 0x4000_0001, 0x8000_0000, 0xffff_fffe].map(|nr| Data {
            arch: audit,
            nr,
            args: [0; 6],
        }));
    }
    out.extend([0, 1, 0x8000_0000, u32::MAX].map(|arch| Data { arch, nr: 0, args: [0; 6] }));
    let calls: BTreeSet<&str> =
        policy.allows.iter().filter(|a| !a.tests.is_empty()).map(|a| a.call).collect();
    for call in calls {
        let Some(nr) = syscalls::number(arch, call) else { continue };
        let mut values: [Vec<u64>; 6] = std::array::from_fn(|_| vec![0, u64::MAX]);
        for test in policy.allows.iter().filter(|a| a.call == call).flat_map(|a| &a.tests) {
            let v = test.value;
            if let Some(list) = usize::try_from(test.arg).ok().and_then(|a| values.get_mut(a)) {
                list.extend([
                    v,
                    v.wrapping_sub(1),
                    v.wrapping_add(1),
                    v ^ 1 << 32,
                    v | !test.mask,
                    v ^ test.mask,
                ]);
            }
        }
        for _ in 0..300 {
            let mut one = |list: &Vec<u64>| random.pick(list).unwrap_or(0);
            let args = values.each_ref().map(&mut one);
            out.push(Data { arch: audit, nr, args });
        }
    }
    out
}

/// Compares profiles that are exported for container runtimes, as libseccomp compiles them in the way of runc, with the filters that
/// they were made of. Returns how many inputs were compared.
///
/// # Errors
/// An input on which the two differ.
pub fn profiles(seed: u64, count: usize) -> Result<usize, Error> {
    let mut random = Random(seed);
    let mut compared = 0;
    for _ in 0..count {
        // Orders become many masks, of which libseccomp makes long programs.
        let policy = Policy::random(&mut random, 12, false);
        let done = compile("p.can", policy.text().as_bytes(), &NoFiles, &Options::default());
        let set = done.policies.ok_or_else(|| Error::Odd(format!("{:?}", done.diagnostics)))?;
        let checked = set.policies().first().ok_or_else(|| Error::Odd("no policy".to_owned()))?;
        let options = SeccompOptions { arches: vec![Arch::X86_64], base: false, ..SeccompOptions::default() };
        let own = lower(checked, &options).map_err(|e| Error::Odd(format!("{e:?}")))?;
        let exported = canc_codegen::interchange::oci_export::export(&own, checked, Arch::X86_64)
            .ok_or_else(|| odd("nothing exported"))?;
        if exported.verdicts.iter().any(|v| v.verdict == "narrowed") {
            continue;
        }
        let their = loaded(&exported.profile)?;
        let filter =
            own.filters.get(&Arch::X86_64).and_then(|f| f.first()).ok_or_else(|| odd("no filter"))?;
        for data in inputs(&policy, Arch::X86_64, &mut random) {
            let (mine, other) = (filter.answer(&data), sim::answer(&their, &data, false));
            let [mine, other] = [mine, other].map(|a| a.map(encode::action));
            // Of other architectures libseccomp ends the thread.
            let killed = |a: Option<Action>| matches!(a, Some(Action::Kill | Action::KillThread));
            if mine != other && !(killed(mine) && killed(other)) {
                let what = format!("{data:x?}: {mine:?} here, {other:?} by libseccomp\n{}", exported.text);
                return Err(Error::Odd(what));
            }
            compared += 1;
        }
    }
    Ok(compared)
}

/// A profile's program, as a runtime has libseccomp make it.
fn loaded(profile: &Profile) -> Result<Vec<Instruction>, Error> {
    let action = |word: &str, errno: Option<u32>| match word {
        "SCMP_ACT_ALLOW" => Ok(ScmpAction::Allow),
        "SCMP_ACT_ERRNO" => Ok(ScmpAction::Errno(i32::try_from(errno.unwrap_or(1)).unwrap_or(1))),
        other => Err(odd(format!("{other} in a profile of errors"))),
    };
    let mut context =
        ScmpFilterContext::new(action(&profile.default_action, profile.default_errno_ret)?).map_err(odd)?;
    context.set_ctl_optimize(2).map_err(odd)?;
    for entry in profile.syscalls.iter().flatten() {
        let done = action(&entry.action, entry.errno_ret)?;
        for name in entry.names.iter().flatten() {
            // Runtimes pass over names that their library does not know.
            let Ok(call) = ScmpSyscall::from_name(name) else { continue };
            let one = |a: &ArgEntry| {
                let (operator, value) = match a.op.as_str() {
                    "SCMP_CMP_EQ" => (ScmpCompareOp::Equal, a.value),
                    _ => (ScmpCompareOp::MaskedEqual(a.value), a.value_two.unwrap_or(0)),
                };
                ScmpArgCompare::new(a.index, operator, value)
            };
            let tests: Vec<ScmpArgCompare> = entry.args.iter().flatten().map(one).collect();
            context.add_rule_conditional(done, call, &tests).map_err(odd)?;
        }
    }
    exported(&context, Arch::X86_64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle_seccomp::policies::Allow;

    #[test]
    fn both_tables_have_the_same_numbers() {
        assert!(numbers().unwrap() > 2_000);
    }

    #[test]
    fn random_policies_are_answered_alike() {
        let compared = random(1, 24).unwrap();
        println!("{compared:?}");
        assert!(compared.agreed > 100_000 && compared.theirs_alone < compared.agreed / 100, "{compared:?}");
    }

    #[test]
    fn exported_profiles_are_answered_like_their_filters() {
        assert!(profiles(5, 12).unwrap() > 10_000);
    }

    #[test]
    fn a_difference_is_found() {
        let allow = |call| Allow { call, tests: Vec::new() };
        let policy = Policy { errno: 1, allows: vec![allow("getpid"), allow("read")] };
        let other = Policy { errno: 1, allows: vec![allow("getpid")] };
        let [one, two] = [&policy, &other].map(|p| theirs(p, ScmpArch::X8664, Arch::X86_64, true).unwrap());
        let data = Data { arch: Arch::X86_64.audit_value(), nr: 0, args: [0; 6] };
        assert_ne!(sim::answer(&one, &data, false), sim::answer(&two, &data, false));
    }
}
