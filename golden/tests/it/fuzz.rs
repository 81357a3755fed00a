//! Mutations of the recorded policies through the whole compiler: no panic, every label inside its text, and whatever builds passes the
//! readers of what is emitted.
//!
//! `CANC_FUZZ_SECONDS` says for how long (a few seconds without it), `CANC_FUZZ_ROUNDS` for how many mutants at most, `CANC_FUZZ_SEED` where to start; both are printed, so that a
//! finding can be repeated.

use crate::case::{cases, each};
use crate::emitted;
use canc_codegen::apparmor::ApparmorOptions;
use canc_codegen::apparmor::features::{Abi, DEBIAN13, DEFAULT_FEATURES, FeatureSet};
use canc_codegen::build::{BuildOptions, build};
use canc_codegen::seccomp::SeccompOptions;
use canc_codegen::selinux::base::Base;
use canc_dsl::diag::Diagnostic;
use canc_dsl::policy::Deployment;
use canc_dsl::source::SourceMap;
use canc_dsl::{MemoryFiles, Options, compile};
use canc_sets::syscalls::Arch;
use canc_sets::testing::Random;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// One mutant may take this long, on a slow machine without optimisation.
const MOST: Duration = Duration::from_secs(60);

/// What mutations put in: what the language is made of, and what the targets' languages would take for structure.
const PIECES: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    "(",
    ")",
    ";",
    ",",
    "\"",
    "\\",
    "\\\\",
    "$",
    "${",
    "#",
    "\n",
    "->",
    "==",
    "&",
    "-",
    "%",
    "@",
    "/**",
    "/*",
    "..",
    "//",
    "?",
    "*",
    "[a-z]",
    "[!",
    "{a,b}",
    "é",
    "\u{202e}",
    "\0",
    "'",
    "`",
    " `'",
    "define(`x', `y')",
    "#include <x>",
    "include <abstractions/base>",
    "dnl ",
    ",\n}",
    "\" rw,\n",
    "99999999999999999999",
    "0",
    "65536",
    "1-65535",
    "policy p",
    "allow ",
    "deny ",
    "audit ",
    "@prefer ",
    "except ",
    " as data",
    " as data takeover",
    " owner",
    " because \"x\"",
    " because \"*/ # include <x>\"",
    " to any",
    " to self",
    "read",
    "write",
    "run",
    "manage",
    "replace",
    "all",
    "kill",
    "EPERM",
    " where arg0 == 1",
    " where not (arg0 & 3 == 1 or arg1 > 7)",
    " on x86_64",
    "when arch == x86_64 {",
    "launch from systemd;",
    "backend selinux off;",
    "backend apparmor require;",
    "mode complain;",
    "include std.base;",
    "\"/etc/shadow\"",
    "\"/proc/**\"",
    "\"/**\"",
    "\"${home}/x\"",
    "\"${self}/x\"",
    "\"/run/a b\"",
    "\"@a\\\"b\"",
    "10.0.0.0/8",
    "::1",
    "@known",
    "clone3",
    "allow userns create;",
    "no_new_privs off because \"x\";",
    "std.tty",
    "std.daemon",
    "isolate net;",
];

/// A text with a few changes of bytes, words or lines; lines come from any of the texts.
pub fn mutant(random: &mut Random, texts: &[String]) -> Vec<u8> {
    let mut text = random.of(texts).unwrap().clone().into_bytes();
    for _ in 0..1 + random.below(4) {
        let at = random.below(text.len() + 1);
        let end = (at + random.below(12)).min(text.len());
        match random.below(8) {
            0 => drop(text.splice(at..at, random.of(PIECES).unwrap().bytes())),
            1 => drop(text.splice(at..end, random.of(PIECES).unwrap().bytes())),
            2 => drop(text.splice(at..end, [])),
            3 => drop(text.splice(at..(at + 1).min(text.len()), [u8::try_from(random.below(256)).unwrap()])),
            4 => word(random, &mut text),
            _ => lines(random, &mut text, texts),
        }
    }
    text
}

/// Puts another word in the place of one.
fn word(random: &mut Random, text: &mut Vec<u8>) {
    let words = canc_dsl::reserved_words();
    let at = random.below(text.len());
    let is = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_';
    let start = text[..at].iter().rposition(|b| !is(b)).map_or(0, |p| p + 1);
    let end = text[at..].iter().position(|b| !is(b)).map_or(text.len(), |p| at + p);
    if start < end {
        text.splice(start..end, random.of(words).unwrap().bytes());
    }
}

/// Takes a line out, or puts one of another text somewhere.
fn lines(random: &mut Random, text: &mut Vec<u8>, texts: &[String]) {
    let own: Vec<usize> = text.iter().enumerate().filter(|(_, b)| **b == b'\n').map(|(i, _)| i + 1).collect();
    let Some(start) = (!own.is_empty()).then(|| *random.of(&own).unwrap()) else { return };
    if random.below(3) == 0 {
        let end = own.iter().find(|e| **e > start).copied().unwrap_or(text.len());
        text.drain(start..end);
    } else {
        let other: Vec<&str> = random.of(texts).unwrap().lines().filter(|l| l.starts_with("  ")).collect();
        if let Some(line) = (!other.is_empty()).then(|| *random.of(&other).unwrap()) {
            text.splice(start..start, format!("{line}\n").bytes());
        }
    }
}

fn options() -> BuildOptions {
    let features = FeatureSet::parse(DEBIAN13).unwrap();
    let base = Base::builtin("debian13").unwrap();
    BuildOptions {
        base_name: base.name().to_string(),
        base,
        apparmor: ApparmorOptions::new(Abi::V4, features).unwrap(),
        apparmor_features: DEFAULT_FEATURES.to_owned(),
        seccomp: SeccompOptions { arches: vec![Arch::X86_64], ..SeccompOptions::default() },
        deployments: Deployment::ALL.iter().map(|d| (*d, 6)).collect(),
        parameters: BTreeMap::new(),
        version: "0".into(),
    }
}

/// Labels are in their texts, and the compiler found no fault of its own.
fn sound(diagnostics: &[Diagnostic], sources: &SourceMap) {
    for diagnostic in diagnostics {
        assert_ne!(diagnostic.code.0, "E0020", "{diagnostic:?}");
        assert!(!diagnostic.message.is_empty() && !diagnostic.labels.is_empty(), "{diagnostic:?}");
        for label in &diagnostic.labels {
            let text = &sources.get(label.span.file).expect("a label in a known text").text;
            assert!(
                text.get(label.span.range()).is_some(),
                "{diagnostic:?} of a text of {} bytes",
                text.len()
            );
        }
    }
}

/// Whether the text builds.
fn compiles(text: &[u8], files: &MemoryFiles, options: &BuildOptions) -> bool {
    let arches = Options { arches: vec![Arch::X86_64], ..Options::default() };
    let done = compile("policy.can", text, files, &arches);
    sound(&done.diagnostics, &done.sources);
    let Some(set) = done.policies else { return false };
    match build(&set, &done.sources, options) {
        Err(errors) => {
            assert!(!errors.is_empty());
            sound(&errors, &done.sources);
            false
        }
        Ok(built) => {
            sound(&built.diagnostics, &done.sources);
            for (path, bytes) in &built.files {
                emitted::check(path, bytes)
                    .unwrap_or_else(|why| panic!("{path}: {why}\n{}", String::from_utf8_lossy(bytes)));
            }
            true
        }
    }
}

#[test]
fn mutants_of_the_recorded_policies_are_refused_or_sound() {
    let number = |name: &str| std::env::var(name).ok().and_then(|v| v.parse::<u64>().ok());
    let (seconds, seed) = (number("CANC_FUZZ_SECONDS").unwrap_or(4), number("CANC_FUZZ_SEED").unwrap_or(1));
    let rounds = number("CANC_FUZZ_ROUNDS").unwrap_or(u64::MAX);
    println!("fuzz: seed {seed}, {seconds} s");
    let texts: Vec<String> =
        cases("ok").iter().chain(&cases("bad")).map(|c| c.text()).filter(|t| t.len() < 10_000).collect();
    let end = Instant::now() + Duration::from_secs(seconds);
    let (tried, built) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let workers: Vec<u64> = (0..2).collect();
    let found = each(&workers, |worker| {
        let options = options();
        let mut findings: Vec<String> = Vec::new();
        let mut round = *worker;
        while Instant::now() < end && round < rounds && findings.len() < 5 {
            let mut random = Random(seed.wrapping_mul(0x1_0000_0000).wrapping_add(round));
            round += 2;
            let text = mutant(&mut random, &texts);
            let started = Instant::now();
            let files = MemoryFiles::default();
            let result = catch_unwind(AssertUnwindSafe(|| compiles(&text, &files, &options)));
            tried.fetch_add(1, Ordering::Relaxed);
            match result {
                Ok(true) => drop(built.fetch_add(1, Ordering::Relaxed)),
                Ok(false) => {}
                Err(_) => {
                    findings.push(format!("round {round} panics on\n{}", String::from_utf8_lossy(&text)))
                }
            }
            if started.elapsed() > MOST {
                let took = started.elapsed();
                findings.push(format!("round {round} takes {took:?} on\n{}", String::from_utf8_lossy(&text)));
            }
        }
        findings
    })
    .concat();
    let (tried, built) = (tried.into_inner(), built.into_inner());
    println!("fuzz: {tried} mutants, {built} of them build");
    assert!(found.is_empty(), "seed {seed}:\n{}", found.join("\n--\n"));
    assert!(tried > 10 && built > 0, "{tried} mutants, {built} build: nothing was tried");
}

#[test]
fn the_same_seed_gives_the_same_mutants() {
    let texts = vec!["can 1;\npolicy p {\n  exec \"/p\";\n}\n".to_owned()];
    let list = |seed: u64| (0..50).map(|n| mutant(&mut Random(seed + n), &texts)).collect::<Vec<_>>();
    assert_eq!(list(7), list(7));
    assert!(list(7).iter().filter(|t| **t != texts[0].as_bytes()).count() > 40);
}
