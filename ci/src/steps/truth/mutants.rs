//! Altered claims, verdicts and an altered profile, to the complaints that they must bring: a step that cannot fail shows nothing.

use super::claims::{self, Claim, Said, Verdict};
use super::{Bench, Part, WITHOUT, judge, name};
use crate::policy::Compiled;
use crate::vm::{File, VmJob, VmReport, VmTest};

/// The case whose profile is replaced.
pub const CASE: &str = "files";
/// A profile under the name of the policy's own that permits everything.
const LOOSE: &str = "/root/loose";

/// Adds, as the last test, what the first refused request comes to under a profile that is not what was emitted.
pub fn add(part: &Part, compiled: &Compiled, job: &mut VmJob) {
    let profile = compiled.policies().first().and_then(|policy| policy.apparmor.as_ref());
    let (Some(profile), Some(number)) = (profile, refused(part)) else { return };
    let Some(trial) = part.case.trials.get(number) else { return };
    let text =
        format!("abi <abi/4.0>,\nprofile {} flags=(attach_disconnected) {{ /** rwmix, }}\n", profile.profile);
    job.files.push(File::text(LOOSE, text));
    let line = format!(
        "/usr/sbin/apparmor_parser -r {LOOSE} && {} {} -- {} {}; exit 0",
        crate::policy::LAUNCHER,
        compiled.bundle(),
        super::PROBE,
        trial.words
    );
    job.tests.push(VmTest::new(&loose(part, number), &["/bin/sh", "-c", &line]));
}

fn loose(part: &Part, number: usize) -> String {
    format!("{} {}: under a looser profile", part.case.name, number + 1)
}

/// The first request that AppArmor refuses.
fn refused(part: &Part) -> Option<usize> {
    let refuses = |said: &Said| said.claim == Claim::Refuses;
    part.said.iter().position(|said| said.get("apparmor").is_some_and(refuses))
}

/// What was altered and not noticed; else how much was.
pub fn run(bench: &Bench, report: &VmReport) -> Result<usize, Vec<String>> {
    let (mut noticed, mut missed) = (0, Vec::new());
    let mut note = |found: bool, what: String| if found { noticed += 1 } else { missed.push(what) };
    for part in &bench.parts {
        for (number, (trial, said)) in part.case.trials.iter().zip(&part.said).enumerate() {
            let ran = |column| report.ran(&name(&part.case, number, trial, column));
            for layer in &part.layers {
                let (Some(said), Some(without), Some(with)) =
                    (said.get(layer.name), ran(WITHOUT), ran(layer.name))
                else {
                    continue;
                };
                let turned = match said.claim {
                    Claim::Refuses => Claim::Permits,
                    Claim::Permits | Claim::Unseen => Claim::Refuses,
                };
                let found = judge::fault(layer, turned, without, with).is_some();
                note(found, format!("{turned:?} of {}", name(&part.case, number, trial, layer.name)));
            }
        }
        for ((rule, layer), verdict) in &part.verdicts {
            let tried: Vec<_> = part.of(rule, layer).collect();
            let passes = |said: &Said| !said.allowed && said.claim != Claim::Refuses;
            let leaks = |said: &Said| !said.allowed && said.claim == Claim::Permits && !said.base;
            let word = match verdict.word.as_str() {
                "exact"
                    if !verdict.denies && !verdict.names && !tried.iter().any(|(_, said)| passes(said)) =>
                {
                    "widened"
                }
                "widened" if !verdict.names && tried.iter().any(|(_, said)| leaks(said)) => "exact",
                _ => continue,
            };
            let turned = Verdict { word: word.to_owned(), ..verdict.clone() };
            let found = !claims::contradictions(&turned, &tried).is_empty();
            note(found, format!("{}: @{rule}: {layer}: {word}", part.case.name));
        }
    }
    if bench.mac == "apparmor"
        && let Some(part) = bench.parts.iter().find(|part| part.case.name == CASE)
    {
        note(looser(part, report), format!("{}: a looser profile", part.case.name));
    }
    if missed.is_empty() { Ok(noticed) } else { Err(missed) }
}

/// Whether the looser profile is told from what was emitted.
fn looser(part: &Part, report: &VmReport) -> bool {
    let layer = part.layers.iter().find(|layer| layer.name == "apparmor");
    let (Some(layer), Some(number)) = (layer, refused(part)) else { return false };
    let Some(trial) = part.case.trials.get(number) else { return false };
    let (without, with) =
        (report.ran(&name(&part.case, number, trial, WITHOUT)), report.ran(&loose(part, number)));
    let (Some(without), Some(with)) = (without, with) else { return false };
    // It must have run, and have come through.
    judge::fault(layer, Claim::Permits, without, with).is_none()
        && judge::fault(layer, Claim::Refuses, without, with).is_some()
}
