//! Every policy of the golden cases and the examples, on every architecture: the programs against what the clauses about each call
//! say, for every number and every boundary argument, alone, in pairs and in triples.
//!
//! The clauses are the compiler's (which calls rules bring is held by tests of its own); everything behind them is worked out here.

use super::oracle::truth;
use super::random::{answer, boundary};
use super::*;
use crate::seccomp::condition::holds;
use crate::seccomp::encode::{action, return_value};
use crate::seccomp::model::{Clause, Effect};
use canc_dsl::policy::{Condition, Demand, Mode, Target};
use canc_dsl::{LoadError, Loaded, Loader};
use canc_sets::syscalls::{has_fallback, index, name};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Boundary values of one argument that pairs and triples are made of.
const OF_PAIRS: usize = 14;
const OF_TRIPLES: usize = 7;

fn sources() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folders = ["golden/ok", "examples"].map(|f| std::fs::read_dir(root.join(f)).unwrap());
    let dirs = folders.into_iter().flatten().map(|entry| entry.unwrap().path());
    let files = dirs.filter_map(|dir| dir.read_dir().ok()).flatten().map(|entry| entry.unwrap().path());
    let mut out: Vec<PathBuf> = files.filter(|p| p.extension().is_some_and(|e| e == "can")).collect();
    out.sort();
    out
}

/// What the clauses say of a call.
fn meant(lowered: &Lowered, arch: Arch, nr: u32, args: &[u64; 6]) -> Action {
    let clauses = &lowered.clauses;
    let complain = |action| if clauses.complain && action != Action::Allow { Action::Log } else { action };
    let half = |a: &&Arch| (**a == Arch::X32) == (nr & 0x4000_0000 != 0);
    let mine = lowered
        .arches
        .iter()
        .filter(|a| a.audit_value() == arch.audit_value() && nr < 0x8000_0000)
        .find(half);
    let Some(arch) = mine.copied() else { return complain(Action::Kill) };
    let default = clauses.default;
    let Some(call) = name(arch, nr) else { return complain(default.unwrap_or(ENOSYS)) };
    let matching = |c: &&Clause| {
        c.arches & 1 << arch.index() != 0
            && c.condition.is_none_or(|i| condition_holds(&clauses.conditions[i], arch, call, args))
    };
    let all = || clauses.by_call[index(call).unwrap()].iter();
    let list: Vec<&Clause> = all().filter(matching).collect();
    let of = |wanted: fn(&Effect) -> bool| list.iter().map(|c| c.effect).filter(wanted).collect::<Vec<_>>();
    if !of(|e| *e == Effect::Launch).is_empty() {
        return Action::Allow;
    }
    let unmentioned = match default {
        _ if call == "clone3" => ENOSYS,
        Some(action) => action,
        None if has_fallback(call) => ENOSYS,
        None => EPERM,
    };
    let refuses = |a: &Action| !matches!(a, Action::Allow | Action::Log);
    let unnamed = match default {
        Some(action) if !refuses(&action) && has_fallback(call) => ENOSYS,
        Some(action) if !refuses(&action) => EPERM,
        _ => unmentioned,
    };
    let strongest = |denies: Vec<Effect>, otherwise: Action| {
        let own = denies.into_iter().filter_map(|e| match e {
            Effect::Deny(named) => Some((named.is_none(), named.unwrap_or(otherwise))),
            Effect::Guard(number) => Some((number.is_none(), number.map_or(otherwise, Action::Errno))),
            _ => None,
        });
        own.min_by_key(|(unnamed, action)| (return_value(*action).cast_signed() >> 16, *unnamed, *action))
            .map(|d| d.1)
    };
    if let Some(denied) = strongest(of(|e| matches!(e, Effect::Deny(_))), unnamed) {
        return complain(denied);
    }
    let unmatched = default.filter(refuses).unwrap_or(EPERM);
    let granted = of(|e| matches!(e, Effect::Allow | Effect::Log));
    if granted.is_empty() {
        let mentioned = all()
            .any(|c| c.arches & 1 << arch.index() != 0 && matches!(c.effect, Effect::Allow | Effect::Log));
        return complain(if mentioned { unmatched } else { unmentioned });
    }
    if let Some(guarded) = strongest(of(|e| matches!(e, Effect::Guard(_))), unmatched) {
        return complain(guarded);
    }
    if granted.contains(&Effect::Log) { Action::Log } else { Action::Allow }
}

/// As big integers have it where arguments lie in registers of 64 bits, one each; in registers of 32 as the compiler places them.
fn condition_holds(condition: &Condition, arch: Arch, call: &str, args: &[u64; 6]) -> bool {
    let placed = holds(condition, arch, call, args).unwrap();
    if arch.is_64_bit() {
        let ordered = super::oracle::by_x86_64_order(call, arch, *args);
        assert_eq!(placed, truth(condition, arch, &ordered), "{condition:?} {call} {args:x?}");
    }
    placed
}

fn numbers_of(arch: Arch) -> impl Iterator<Item = u32> {
    let high = [0x3fff_ffff, 0x4000_0000, 0x7fff_ffff, 0x8000_0000, 0x8000_0001, u32::MAX - 1, u32::MAX];
    // ARM's own calls lie far above.
    let far = canc_sets::syscalls::numbers(arch).iter().map(|n| n.0);
    (0..1_024).chain((0..1_024).map(|n| n | 0x4000_0000)).chain(high).chain(far.flat_map(|n| [n, n + 1]))
}

/// Boundary values of each argument of a call's clauses.
fn values(lowered: &Lowered, call: &str) -> [Vec<u64>; 6] {
    let mut out: [Vec<u64>; 6] = Default::default();
    for clause in &lowered.clauses.by_call[index(call).unwrap()] {
        if let Some(condition) = clause.condition {
            super::random::collect(&lowered.clauses.conditions[condition], &mut out);
        }
    }
    for list in &mut out {
        if !list.is_empty() {
            boundary(list, 0, u64::MAX);
        }
        let mut seen = BTreeSet::new();
        list.retain(|v| seen.insert(*v));
    }
    out
}

/// Each value alone, the first of each argument in pairs and in triples, on every choice of arguments.
fn combinations(values: &[Vec<u64>; 6]) -> Vec<[u64; 6]> {
    let mut out = vec![[0; 6], [u64::MAX; 6]];
    let with = |base: [u64; 6], arg: usize, value: u64| {
        let mut args = base;
        args[arg] = value;
        args
    };
    for a in 0..6 {
        out.extend(values[a].iter().map(|v| with([0; 6], a, *v)));
        for b in a + 1..6 {
            for v in values[a].iter().take(OF_PAIRS) {
                let base = with([0; 6], a, *v);
                out.extend(values[b].iter().take(OF_PAIRS).map(|w| with(base, b, *w)));
            }
            for c in b + 1..6 {
                for v in values[a].iter().take(OF_TRIPLES) {
                    for w in values[b].iter().take(OF_TRIPLES) {
                        let base = with(with([0; 6], a, *v), b, *w);
                        out.extend(values[c].iter().take(OF_TRIPLES).map(|x| with(base, c, *x)));
                    }
                }
            }
        }
    }
    out
}

/// Compares all answers of a lowered policy; returns how many.
fn compared(lowered: &Lowered, what: &str) -> usize {
    let mut count = 0;
    for host in lowered.filters.keys().copied() {
        let mut ask = |arch: Arch, nr: u32, args: [u64; 6]| {
            let data = Data { arch: arch.audit_value(), nr, args };
            let wanted = meant(lowered, arch, nr, &args);
            assert_eq!(answer(lowered, host, &data), wanted, "{what}: {data:x?} on {arch:?}");
            count += 1;
        };
        for arch in lowered.arches.iter().copied().filter(|a| a.host() == host) {
            numbers_of(arch).for_each(|nr| ask(arch, nr, [0; 6]));
            for (nr, call) in canc_sets::syscalls::numbers(arch) {
                let values = values(lowered, call);
                if values.iter().any(|list| !list.is_empty()) {
                    combinations(&values).into_iter().for_each(|args| ask(arch, *nr, args));
                }
            }
        }
        let killed = if lowered.clauses.complain { Action::Log } else { Action::Kill };
        for foreign in [0, 1, u32::MAX].into_iter().chain(Arch::ALL.map(Arch::audit_value)) {
            if lowered.arches.iter().all(|a| a.audit_value() != foreign || a.host() != host) {
                let data = Data { arch: foreign, nr: 0, args: [0; 6] };
                let own = lowered.filters[&host].iter().map(|f| action(f.answer(&data).unwrap()));
                assert!(own.into_iter().any(|a| a == killed), "{what}: {foreign:#x}");
            }
        }
    }
    count
}

/// Files beside the one that names them.
struct Disk;

impl Loader for Disk {
    fn load(&self, relative_to: &str, path: &str) -> Result<Loaded, LoadError> {
        let name = Path::new(relative_to).parent().unwrap().join(path).display().to_string();
        let bytes = std::fs::read(&name).map_err(|e| LoadError { message: e.to_string() })?;
        Ok(Loaded { key: name.clone(), name, bytes })
    }
}

/// A source with the parameters and architectures that its first lines name.
fn compiled(path: &Path) -> PolicySet {
    let text = std::fs::read_to_string(path).unwrap();
    let words =
        || text.lines().filter_map(|l| l.strip_prefix("# canc:")).flat_map(str::split_ascii_whitespace);
    let after =
        |option: &'static str| words().zip(words().skip(1)).filter(move |w| w.0 == option).map(|w| w.1);
    let parameters =
        after("--set").filter_map(|w| w.split_once('=')).map(|(n, v)| (n.to_owned(), v.to_owned()));
    let mut options = Options { parameters: parameters.collect(), allow_raw: true, ..Options::default() };
    if let Some(list) = after("--arch").next() {
        options.arches = list.split(',').map(|w| Arch::parse(w).unwrap()).collect();
    }
    let done = compile(&path.display().to_string(), text.as_bytes(), &Disk, &options);
    done.policies.unwrap_or_else(|| panic!("{}: {:?}", path.display(), done.diagnostics))
}

#[test]
fn every_policy_of_the_tree_answers_as_its_clauses_say() {
    let (mut policies, mut inputs, mut conditions) = (0, 0, 0);
    for path in sources() {
        let shown = path.display().to_string();
        // Files that others use hold no policy.
        for policy in compiled(&path).policies() {
            if policy.demand(Target::Seccomp) == Demand::Off {
                continue;
            }
            let usual = SeccompOptions::default();
            let all = SeccompOptions { arches: Arch::ALL.to_vec(), ..SeccompOptions::default() };
            // A condition on what is a number on some architectures only has no filter on the others.
            let lowered = lower(policy, &all).or_else(|_| lower(policy, &usual));
            let lowered = lowered.unwrap_or_else(|errors| panic!("{shown}: {errors:?}"));
            assert!(policy.mode == Mode::Complain || !lowered.clauses.complain);
            inputs += compared(&lowered, &shown);
            conditions += lowered.clauses.conditions.len();
            policies += 1;
        }
    }
    println!("{inputs} inputs of {policies} policies compared");
    assert!(policies > 150 && conditions > 500 && inputs > 4_000_000, "{policies} {conditions} {inputs}");
}
