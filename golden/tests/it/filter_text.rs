//! Filters to a short text: what is decided otherwise than by the filter of a policy without rules.

use crate::filter::{Fact, Program, possible, word};
use canc_bundle::SeccompEntry;
use canc_sets::syscalls::{Arch, args_on, numbers};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Calls of one answer are counted rather than named from here on.
const TOO_MANY: usize = 120;
/// The width to wrap at.
const WIDTH: usize = 110;

/// What a filter does with one call.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Decision {
    Always(u32),
    /// Conditions and answers, and the answer otherwise.
    ByArguments(Vec<(String, u32)>, u32),
}

type Decisions = BTreeMap<(Arch, &'static str), Decision>;

/// The programs of an entry by the architecture of the kernel.
pub fn programs(bundle: &Path, entry: &SeccompEntry) -> Vec<(Arch, Vec<Program>)> {
    let read = |arch: Arch, path: &str| Program::read(&fs::read(bundle.join(path)).unwrap(), arch);
    entry
        .programs
        .iter()
        .map(|(word, files)| {
            let arch = Arch::parse(word).unwrap();
            (arch, files.iter().map(|f| read(arch, &f.path)).collect())
        })
        .collect()
}

/// The text: what is decided otherwise than in `plain`, or everything without it.
pub fn text(own: (&Path, &SeccompEntry), plain: Option<(&Path, &SeccompEntry)>) -> String {
    let own = decisions(own.0, own.1);
    let plain = plain.map(|p| decisions(p.0, p.1)).unwrap_or_default();
    let mut out = String::new();
    for arch in Arch::ALL {
        let of_arch = own.iter().filter(|((a, _), _)| *a == arch);
        let other: Vec<(&str, &Decision)> = of_arch
            .filter(|(key, decision)| plain.get(key) != Some(decision))
            .map(|((_, name), decision)| (*name, decision))
            .collect();
        if !other.is_empty() {
            out.push_str(&format!("{}:\n", arch.word()));
            arch_text(&mut out, &other);
        }
    }
    out
}

fn arch_text(out: &mut String, decisions: &[(&str, &Decision)]) {
    let mut plain: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (name, decision) in decisions {
        if let Decision::Always(answer) = decision {
            plain.entry(word(*answer)).or_default().push(name);
        }
    }
    for (answer, names) in plain {
        let names = match names.len() {
            TOO_MANY.. => format!("{} calls, such as {}", names.len(), names[..3].join(", ")),
            _ => names.join(", "),
        };
        wrapped(out, &format!("  {answer}: {names}"));
    }
    for (name, decision) in decisions {
        if let Decision::ByArguments(ways, otherwise) = decision {
            out.push_str(&format!("  {name}\n"));
            for (conditions, answer) in ways {
                wrapped(out, &format!("    {conditions}: {}", word(*answer)));
            }
            out.push_str(&format!("    else {}\n", word(*otherwise)));
        }
    }
}

fn wrapped(out: &mut String, text: &str) {
    let indent = text.len() - text.trim_start().len();
    let mut column = 0;
    for word in text.trim_start().split(' ') {
        let start = if column == 0 { indent } else { indent + 4 };
        if column == 0 || column + 1 + word.len() > WIDTH {
            out.push_str(if column == 0 { "" } else { "\n" });
            out.push_str(&" ".repeat(start));
            column = start;
        } else {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += word.len();
    }
    out.push('\n');
}

fn decisions(bundle: &Path, entry: &SeccompEntry) -> Decisions {
    let mut out = Decisions::new();
    for (host, programs) in programs(bundle, entry) {
        let [program] = programs.as_slice() else { panic!("one filter of several is no golden") };
        for arch in Arch::ALL.into_iter().filter(|a| a.host() == host) {
            let all =
                numbers(arch).iter().map(|(number, name)| (*name, decision(program, arch, *number, name)));
            let all: Vec<_> = all.collect();
            let killed = |(_, d): &(&str, Decision)| matches!(d, Decision::Always(a) if word(*a) == "kill");
            if arch == host || !all.iter().all(killed) {
                out.extend(all.into_iter().map(|(name, decision)| ((arch, name), decision)));
            }
        }
    }
    out
}

fn decision(program: &Program, arch: Arch, number: u32, name: &str) -> Decision {
    let ways: Vec<_> = program.ways(arch, number).into_iter().filter(|(facts, _)| possible(facts)).collect();
    let first = ways[0].1;
    if ways.iter().all(|(_, answer)| *answer == first) {
        return Decision::Always(first);
    }
    let strictest = |a: &&u32| (word(**a) == "allow", word(**a) == "log");
    let otherwise = *ways.iter().map(|(_, answer)| answer).min_by_key(strictest).unwrap();
    let other = ways.iter().filter(|(_, answer)| *answer != otherwise);
    let lines = other.map(|(facts, answer)| (conditions(facts, arch, name), *answer)).collect();
    Decision::ByArguments(lines, otherwise)
}

fn conditions(facts: &[Fact], arch: Arch, name: &str) -> String {
    let covered = |fact: &Fact| {
        facts.iter().any(|f| {
            f != fact
                && f.relation == "=="
                && (f.word.register, f.word.high) == (fact.word.register, fact.word.high)
                && f.word.mask & fact.word.mask == fact.word.mask
        })
    };
    let mut parts: Vec<String> = Vec::new();
    for part in facts.iter().filter(|f| !covered(f)).map(|f| condition(f, arch, name)) {
        if !parts.contains(&part) {
            parts.push(part);
        }
    }
    parts.join(", ")
}

fn condition(fact: &Fact, arch: Arch, name: &str) -> String {
    let word = fact.word;
    let argument = args_on(arch, name).get(usize::from(word.register)).filter(|_| arch.is_64_bit());
    let mut text = argument.map_or_else(|| format!("arg{}", word.register), |a| a.name.to_owned());
    if word.high {
        text.push_str(">>32");
    }
    if word.mask != u32::MAX {
        text.push_str(&format!(" & {:#x}", word.mask));
    }
    format!("{text} {} {:#x}", fact.relation, fact.value)
}
