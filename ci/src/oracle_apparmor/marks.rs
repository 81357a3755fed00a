//! With and without each rule: one that leaves no mark in the binary has no verdict better than what it is.

use super::blob::Compiled;
use super::compile::{Compiler, Kernel, options};
use super::corpus::{KINDS, all};
use super::ensure;
use crate::Error;
use canc_codegen::apparmor::features::Abi;
use canc_codegen::apparmor::model::{Block, Origin, Profile};
use canc_codegen::apparmor::token::{ProfileName, RawText};
use canc_codegen::apparmor::{Lowered, emit, lower};
use canc_codegen::verdict::{Outcome, Verdict};
use canc_dsl::policy::{Body, Effect, Peer, Rule, RuleId};

/// Everything that a deny could take away.
const EVERYTHING: &str = "  \"/{,**}\" rwlkmix,\n  link subset \"/{,**}\" -> \"/{,**}\",\n  capability,\n  network,\n  \
     signal,\n  ptrace,\n  mount,\n  umount,\n  pivot_root,\n";

pub fn check(compiler: &Compiler) -> Result<usize, Error> {
    let sets = all()?;
    let mut count = 0;
    for (abi, kernel) in KINDS {
        let options = options(abi, kernel)?;
        let mut trials = Trials { abi, kernel, texts: Vec::new(), said: Vec::new() };
        trials.empty(false)?;
        trials.empty(true)?;
        for set in &sets {
            for policy in set.policies() {
                let made = lower(set, policy, &options).map_err(|e| Error::Odd(format!("{e:?}")))?;
                for (rule, outcome) in policy.rules.iter().zip(&made.outcomes) {
                    count += usize::from(trials.add(&made, rule, outcome)?);
                }
            }
        }
        trials.judge(compiler)?;
    }
    Ok(count)
}

/// Profiles of one rule each, to be compiled together.
struct Trials {
    abi: Abi,
    kernel: Kernel,
    texts: Vec<String>,
    /// For each text after the two empty ones: what it is of, and whether it is a deny.
    said: Vec<(String, bool)>,
}

impl Trials {
    fn push(&mut self, blocks: Vec<Block>, everything: bool) -> Result<(), Error> {
        let odd = |e: &dyn std::fmt::Display| Error::Odd(e.to_string());
        let name = ProfileName::of_policy(&format!("t{}", self.texts.len())).map_err(|e| odd(&e))?;
        let raw = if everything {
            vec![RawText::new(&everything_of(self.abi, self.kernel)).map_err(|e| odd(&e))?]
        } else {
            Vec::new()
        };
        let profile = Profile { name, abi: self.abi, attachment: None, complain: false, blocks, raw };
        self.texts.push(emit(&profile));
        Ok(())
    }

    fn empty(&mut self, everything: bool) -> Result<(), Error> {
        self.push(Vec::new(), everything)
    }

    /// Whether the rule has anything in the profile; then it is tried.
    fn add(&mut self, made: &Lowered, rule: &Rule, outcome: &Outcome) -> Result<bool, Error> {
        let what = || {
            format!(
                "r{} of {} for {:?}: {outcome:?}",
                rule.id.0 + 1,
                made.profile.name.as_str(),
                (self.abi, self.kernel)
            )
        };
        let blocks = of_rule(&made.profile, rule.id);
        let deny = rule.effect == Effect::Deny;
        if blocks.is_empty() {
            ensure(may_be_silent(rule, outcome), || format!("nothing is emitted for {}", what()))?;
            return Ok(false);
        }
        let mediated = !matches!(outcome.verdict, Verdict::NotApplicable | Verdict::DenyDropped { .. });
        ensure(mediated, || format!("something is emitted for {}", what()))?;
        self.said.push((what(), deny));
        self.push(blocks, deny)?;
        Ok(true)
    }

    fn judge(&self, compiler: &Compiler) -> Result<(), Error> {
        let all = compiler.binaries(&self.texts, self.abi, self.kernel)?;
        let [empty, full, rest @ ..] = all.as_slice() else { return Err(Error::Odd("no binaries".into())) };
        for ((what, deny), made) in self.said.iter().zip(rest) {
            let against = if *deny { full } else { empty };
            ensure(!same(made, against), || format!("no mark in the binary of {what}"))?;
        }
        Ok(())
    }
}

/// The words that this ABI and kernel have besides.
fn everything_of(abi: Abi, kernel: Kernel) -> String {
    let mut out = EVERYTHING.to_string();
    if abi == Abi::V4 {
        out.push_str("  userns,\n");
    }
    if kernel == Kernel::OfAbi(Abi::V4) {
        out.push_str("  mqueue,\n");
    }
    out
}

/// All but the name.
fn same(a: &Compiled, b: &Compiled) -> bool {
    Compiled { name: String::new(), ..a.clone() } == Compiled { name: String::new(), ..b.clone() }
}

/// The blocks that a rule is among the origins of.
fn of_rule(profile: &Profile, rule: RuleId) -> Vec<Block> {
    let is_rule = |o: &Origin| matches!(o, Origin::Rule { id, .. } if *id == rule);
    profile.blocks.iter().filter(|b| b.origins.iter().any(is_rule)).cloned().collect()
}

/// Whether a rule may leave nothing in the profile: what is not mediated, what is not granted, what is refused by default and has
/// no words, and what every profile grants.
fn may_be_silent(rule: &Rule, outcome: &Outcome) -> bool {
    match (&outcome.verdict, &rule.body) {
        (Verdict::NotApplicable | Verdict::DenyDropped { .. } | Verdict::DenyPartial { .. }, _) => true,
        (Verdict::Allow { narrowed, .. }, _) if !narrowed.is_empty() => true,
        (Verdict::Allow { .. }, Body::Signal(signal)) => signal.peers.iter().all(|p| *p == Peer::SelfDomain),
        // Without words for operations there is nothing to say about one of them.
        (Verdict::DenyExact, Body::Net(_) | Body::Unix(_) | Body::Socket(_)) => true,
        _ => false,
    }
}
