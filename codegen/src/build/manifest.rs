//! A judged build to its manifest and files.

use super::files::{self, Files, hex};
use super::judge::PolicyJudgement;
use super::lines::Lines;
use super::{BuildOptions, Lowered, launch};
use crate::coverage::rule_name;
use crate::verdict::Outcome;
use canc_bundle::{BuildOptions as Options, FORMAT, Manifest, PolicyEntry, RuleEntry, Source, VerdictEntry};
use canc_dsl::policy::{Policy, PolicySet, Rule, Target};
use canc_dsl::source::SourceMap;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// The manifest; the artefacts are added to `files`.
pub fn assemble(
    set: &PolicySet,
    sources: &SourceMap,
    lowered: &[Lowered],
    judged: &[PolicyJudgement],
    options: &BuildOptions,
    files: &mut Files,
) -> Manifest {
    let lines = Lines::new(sources);
    let entries = set.policies().iter().zip(lowered).zip(judged);
    Manifest {
        format: FORMAT,
        compiler: options.version.clone(),
        source: source(sources),
        options: Options {
            selinux_base: options.base_name.clone(),
            apparmor_abi: options.apparmor.abi.number().into(),
            apparmor_features: options.apparmor_features.clone(),
            arches: options.seccomp.arches.iter().map(|a| a.word().into()).collect(),
            parameters: options.parameters.clone(),
            frequencies: options.seccomp.frequencies.as_ref().map(|f| files::digest(f.text().as_bytes())),
        },
        policies: entries
            .map(|((policy, lowered), judged)| policy_entry(policy, lowered, judged, sources, &lines, files))
            .collect(),
    }
}

fn source(sources: &SourceMap) -> Source {
    let name = sources.iter().next().map_or("", |(_, f)| &f.name);
    Source { name: name.rsplit('/').next().unwrap_or(name).to_owned(), sha256: source_digest(sources) }
}

/// The digest of all texts that took part, as the manifest has it.
#[must_use]
pub fn source_digest(sources: &SourceMap) -> String {
    let mut hash = Sha256::new();
    for (_, file) in sources.iter() {
        // The length first, so that no two lists of texts run together into the same bytes.
        hash.update((file.text.len() as u64).to_le_bytes());
        hash.update(file.text.as_bytes());
    }
    hex(&hash.finalize())
}

fn policy_entry(
    policy: &Policy,
    lowered: &Lowered,
    judged: &PolicyJudgement,
    sources: &SourceMap,
    lines: &Lines<'_>,
    files: &mut Files,
) -> PolicyEntry {
    PolicyEntry {
        name: policy.name.to_string(),
        selinux: files::selinux(policy, lowered, files),
        apparmor: files::apparmor(lowered, files),
        seccomp: files::seccomp(policy, lowered, sources, files),
        landlock: files::landlock(policy, lowered, files),
        launch: launch::entry(policy),
        rules: std::iter::once(base_entry(lowered))
            .chain(policy.rules.iter().map(|r| rule_entry(r, lowered, judged, lines)))
            .collect(),
        decisions: judged.decisions.clone(),
    }
}

/// The verdicts of the targets that are on.
fn verdicts<'a>(
    lowered: &'a Lowered,
    of: impl Fn(&'a [Outcome], &'a Outcome) -> Option<&'a Outcome>,
) -> BTreeMap<String, VerdictEntry> {
    let all = [
        (Target::Selinux, lowered.selinux.as_ref().map(|l| (&l.outcomes, &l.base))),
        (Target::Apparmor, lowered.apparmor.as_ref().map(|l| (&l.outcomes, &l.base))),
        (Target::Seccomp, lowered.seccomp.as_ref().map(|l| (&l.outcomes, &l.base))),
        (Target::Landlock, lowered.deployed_landlock().map(|l| (&l.outcomes, &l.base))),
    ];
    let entry = |(target, found): (Target, Option<(&'a Vec<Outcome>, &'a Outcome)>)| {
        let (outcomes, base) = found?;
        Some((target.word().to_owned(), of(outcomes, base)?.entry()))
    };
    all.into_iter().filter_map(entry).collect()
}

fn base_entry(lowered: &Lowered) -> RuleEntry {
    RuleEntry {
        id: "@base".into(),
        at: String::new(),
        text: String::new(),
        because: None,
        included_from: Vec::new(),
        verdicts: verdicts(lowered, |_, base| Some(base)),
        deployments: BTreeMap::new(),
    }
}

fn rule_entry(rule: &Rule, lowered: &Lowered, judged: &PolicyJudgement, lines: &Lines<'_>) -> RuleEntry {
    let at = rule.id.0 as usize;
    let results =
        judged.rules.iter().filter_map(|(d, results)| Some((d.word().to_owned(), results.get(at)?.entry())));
    RuleEntry {
        id: rule_name(rule),
        at: lines.place(rule.span),
        text: lines.text(rule.span),
        because: rule.because.as_ref().map(ToString::to_string),
        included_from: rule.included.iter().map(|i| i.fragment.to_string()).collect(),
        verdicts: verdicts(lowered, |outcomes, _| outcomes.get(at)),
        deployments: results.collect(),
    }
}

/// The manifest as the text of its file.
pub fn text(manifest: &Manifest) -> Vec<u8> {
    json(manifest)
}

/// Any entry as the text of a file, with a final newline.
pub fn json<T: serde::Serialize>(value: &T) -> Vec<u8> {
    // Maps have string keys and numbers are finite, so writing cannot fail.
    let mut bytes = serde_json::to_vec_pretty(value).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}
