//! Verdicts to trials on enforcing kernels: each rule of the corpus on each layer by itself, in both directions. What is expected is what
//! the compiler says, so that a verdict that is wrong fails here.

mod claims;
mod judge;
mod mutants;
mod trials;

use super::ensure;
use crate::oracle::selinux::Store;
use crate::policy::{Compiled, Layers, Tools};
use crate::vm::{self, File, VmJob, VmReport, VmTest};
use crate::{Error, Rootfs};
use claims::{Claim, Said, Verdict};
use judge::Layer;
use std::collections::{BTreeMap, BTreeSet};
use trials::{Case, Trial};

const PROBE: &str = "/usr/local/bin/canc-probe";
/// The column that has no layer, only what a launch does besides.
const WITHOUT: &str = "without";
const MACS: [&str; 2] = ["selinux", "apparmor"];
/// Cases for one machine alone. Under SELinux the base lets nobody poll a ring, so that no layer of a policy shows anything there.
const ALONE: [(&str, &str); 1] = [("rings", "apparmor")];
/// Those that every kernel has.
const COMMON: [&str; 2] = ["seccomp", "landlock"];

macro_rules! case {
    ($name:literal) => {
        Case::read(
            $name,
            include_str!(concat!("../../cases/truth/", $name, ".can")),
            include_str!(concat!("../../cases/truth/", $name, ".trials")),
        )
    };
}

fn cases() -> Result<Vec<Case>, Error> {
    [
        case!("files"),
        case!("foreign"),
        case!("network"),
        case!("calls"),
        case!("processes"),
        case!("sockets"),
        case!("mounts"),
        case!("rings"),
        case!("streams"),
    ]
    .into_iter()
    .collect()
}

/// The words of `CANC_TRUTH` that name some of these; without such words all of them.
fn chosen<T: Clone>(all: &[T], name: impl Fn(&T) -> &'static str) -> Vec<T> {
    let words = std::env::var("CANC_TRUTH").unwrap_or_default();
    let named: Vec<T> =
        all.iter().filter(|one| words.split(' ').any(|word| word == name(one))).cloned().collect();
    if named.is_empty() { all.to_vec() } else { named }
}

/// One machine for each kind of access control.
pub fn run(rootfs: &Rootfs) -> Result<(), Error> {
    let tools = Tools::build(rootfs)?;
    let mut benches = Vec::new();
    for mac in chosen(&MACS, |mac| mac) {
        benches.push(Bench::new(rootfs, &tools, mac)?);
    }
    let contradictions: Vec<_> = benches.iter().flat_map(Bench::contradictions).collect();
    ensure(contradictions.is_empty(), || contradictions.join("\n"))?;
    let mut wrong = Vec::new();
    for bench in benches {
        let report = vm::run(rootfs, &bench.job)?;
        wrong.extend(bench.wrong(&report));
        println!("{}", bench.count(&report));
        // What did not run is among the wrong already.
        match mutants::run(&bench, &report) {
            Ok(noticed) => println!("  {noticed} altered claims, verdicts and profiles are noticed"),
            Err(missed) => {
                wrong.extend(missed.into_iter().map(|what| format!("altered and not noticed: {what}")))
            }
        }
    }
    ensure(wrong.is_empty(), || {
        format!("{} verdicts are not what the kernel does:\n{}", wrong.len(), wrong.join("\n"))
    })
}

/// Everything that is tried in one machine.
struct Bench {
    mac: &'static str,
    job: VmJob,
    parts: Vec<Part>,
}

/// A case in one machine.
struct Part {
    case: Case,
    layers: Vec<Layer>,
    verdicts: BTreeMap<(String, &'static str), Verdict>,
    said: Vec<BTreeMap<&'static str, Said>>,
}

impl Bench {
    fn new(rootfs: &Rootfs, tools: &Tools, mac: &'static str) -> Result<Self, Error> {
        let mut job = VmJob::new(&format!("verdicts under {mac}"), &format!("debian13-{mac}"))?;
        job.files = vec![
            tools.launcher_file(),
            File::program(PROBE, vm::build_program("canc-probe", "canc-probe")?),
            File::directory("/srv/truth"),
        ];
        let store = Store::new(rootfs)?;
        let mut parts = Vec::new();
        let elsewhere = |case: &Case| ALONE.iter().any(|(name, on)| *name == case.name && *on != mac);
        for case in chosen(&cases()?, |case| case.name).into_iter().filter(|case| !elsewhere(case)) {
            parts.push(part(tools, &store, mac, case, &mut job)?);
        }
        let files = parts.iter().find(|(part, _)| part.case.name == mutants::CASE);
        if let Some((part, only)) = files.filter(|_| mac == "apparmor") {
            mutants::add(part, only, &mut job);
        }
        let parts = parts.into_iter().map(|(part, _)| part).collect();
        if mac == "selinux" {
            job.setup.push(shell("label", "restorecon -RF /srv"));
        }
        Ok(Self { mac, job, parts })
    }

    /// What is wrong before anything is tried.
    fn contradictions(&self) -> Vec<String> {
        let mut out = Vec::new();
        for part in &self.parts {
            let tried: BTreeSet<_> = part.case.trials.iter().map(|trial| trial.rule.clone()).collect();
            let known: BTreeSet<_> = part.verdicts.keys().map(|(rule, _)| rule.clone()).collect();
            let place = |rule: &str, layer| format!("{}: {}: @{rule}: {layer}", self.mac, part.case.name);
            out.extend(tried.difference(&known).map(|rule| place(rule, "there is no such rule")));
            for ((rule, layer), verdict) in &part.verdicts {
                let tried: Vec<_> = part.of(rule, layer).collect();
                let found = claims::contradictions(verdict, &tried);
                out.extend(found.into_iter().map(|what| format!("{}: {what}", place(rule, layer))));
            }
        }
        out
    }

    /// What the kernel does otherwise.
    fn wrong(&self, report: &VmReport) -> Vec<String> {
        let mut out: Vec<_> = report.faults.iter().map(|fault| format!("{}: {fault}", self.mac)).collect();
        for part in &self.parts {
            for (number, trial) in part.case.trials.iter().enumerate() {
                for layer in &part.layers {
                    let Some(said) = part.said.get(number).and_then(|s| s.get(layer.name)) else { continue };
                    let ran = |column| report.ran(&name(&part.case, number, trial, column));
                    let fault = match (ran(WITHOUT), ran(layer.name)) {
                        (Some(without), Some(with)) => judge::fault(layer, said.claim, without, with),
                        _ => Some("it did not run".to_owned()),
                    };
                    let place = name(&part.case, number, trial, layer.name);
                    let audit = || ran(layer.name).map(|ran| ran.audit.join("\n    ")).unwrap_or_default();
                    out.extend(fault.map(|what| {
                        format!("{}: {place}: {}: {what}\n    {}", self.mac, trial.asked(layer.name), audit())
                    }));
                }
            }
        }
        out
    }

    /// How much was tried, for people.
    fn count(&self, report: &VmReport) -> String {
        let mut tried: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
        let mut directions = BTreeSet::new();
        for part in &self.parts {
            for (trial, said) in part.case.trials.iter().zip(&part.said) {
                for (layer, said) in said {
                    let [permits, refuses, unseen] = tried.entry(layer).or_default();
                    *match said.claim {
                        Claim::Permits => permits,
                        Claim::Refuses => refuses,
                        Claim::Unseen => unseen,
                    } += 1;
                    directions.insert((part.case.name, &trial.rule, *layer, said.claim));
                }
            }
        }
        let each = tried.iter().map(|(layer, [permits, refuses, unseen])| {
            format!("  {layer}: {permits} permitted, {refuses} refused, {unseen} not seen")
        });
        let lines: Vec<_> = each.collect();
        format!(
            "{}: {} of (rule, layer, direction), up {:.1} s, ended {:.1} s\n{}",
            report.name,
            directions.len(),
            report.boot.as_secs_f32(),
            report.took.as_secs_f32(),
            lines.join("\n")
        )
    }
}

impl Part {
    fn of<'a>(&'a self, rule: &'a str, layer: &'a str) -> impl Iterator<Item = (&'a Trial, Said)> {
        // What a layer sees as something else is no neighbour of the rule in its eyes.
        let about = move |trial: &Trial| trial.rule == rule && !trial.seen_as.contains_key(layer);
        let both = self.case.trials.iter().zip(&self.said).filter(move |(trial, _)| about(trial));
        both.filter_map(move |(trial, said)| Some((trial, *said.get(layer)?)))
    }
}

/// Puts a case into the machine, and gives what has the machine's own layer alone.
fn part(
    tools: &Tools,
    store: &Store,
    mac: &'static str,
    case: Case,
    job: &mut VmJob,
) -> Result<(Part, Compiled), Error> {
    let names: Vec<&'static str> = [mac].into_iter().chain(COMMON).collect();
    let whole = tools.compile(case.name, case.source, Layers::All)?;
    let policy = whole.policies().first().ok_or_else(|| Error::Odd(format!("{}: no policy", case.name)))?;
    let layers: Vec<_> = names.iter().map(|layer| layer_of(layer, policy)).collect();
    let said = claims::sampled(&case, claims::said(tools, &case, &policy.name, mac, &names)?);
    let verdicts = claims::verdicts(&case, &whole, &names)?;
    let mut columns = vec![(WITHOUT, tools.compile(case.name, case.source, Layers::Only(WITHOUT))?)];
    for layer in &names {
        columns.push((layer, tools.compile(case.name, case.source, Layers::Only(layer))?));
    }
    for (_, compiled) in &columns {
        job.files.extend(compiled.files()?);
        job.files.extend(compiled.profiles());
        job.setup.extend(compiled.load_profiles());
        if mac == "selinux" {
            job.modules.extend(compiled.modules(store)?);
        }
    }
    let setup = case.setup.iter().enumerate();
    job.setup.extend(setup.map(|(number, line)| shell(&format!("{} {number}", case.name), line)));
    for (number, trial) in case.trials.iter().enumerate() {
        let said = said.get(number);
        let tried = |column: &str| column == WITHOUT || said.is_some_and(|said| said.contains_key(column));
        let each = columns.iter().filter(|(column, _)| tried(column));
        job.tests.extend(each.map(|(column, compiled)| test(&case, number, trial, column, compiled)));
    }
    let only = columns.swap_remove(1).1;
    Ok((Part { case, layers, verdicts, said }, only))
}

fn layer_of(name: &'static str, policy: &canc_bundle::PolicyEntry) -> Layer {
    let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
    match name {
        "selinux" => {
            let domain = policy.selinux.as_ref().map(|entry| entry.domain.clone()).unwrap_or_default();
            let record = words(&["avc:", "denied", &format!(":{domain}:"), "permissive=0"]);
            Layer { name, errors: &["EACCES", "EPERM"], record }
        }
        "apparmor" => {
            let profile = policy.apparmor.as_ref().map(|entry| entry.profile.clone()).unwrap_or_default();
            let record = words(&["apparmor=\"DENIED\"", &format!("profile=\"{profile}\"")]);
            Layer { name, errors: &["EACCES", "EPERM"], record }
        }
        // Landlock writes no records before Linux 6.15. A link or rename into another directory is EXDEV where REFER is missing.
        "landlock" => Layer { name, errors: &["EACCES", "EPERM", "EXDEV"], record: Vec::new() },
        _ => Layer { name, errors: &["EPERM", "ENOSYS"], record: Vec::new() },
    }
}

fn name(case: &Case, number: usize, trial: &Trial, column: &str) -> String {
    format!("{} {}: @{}: {} ({column})", case.name, number + 1, trial.rule, trial.words)
}

fn shell(name: &str, line: &str) -> canc_guest::Step {
    vm::step(&format!("truth {name}"), &["/bin/sh", "-c", line])
}

/// The probe under one column. Its exit code is part of its answer, which is judged beside the one without a layer.
fn test(case: &Case, number: usize, trial: &Trial, column: &str, compiled: &Compiled) -> VmTest {
    let before = if trial.before.is_empty() { String::new() } else { format!("{}; ", trial.before) };
    let launched = match (trial.by_label, column) {
        (false, _) => format!("{} {} -- ", crate::policy::LAUNCHER, compiled.bundle()),
        (true, WITHOUT) => String::new(),
        (true, _) => by_label(compiled),
    };
    let line = format!("{before}{launched}{PROBE} {}; exit 0", trial.words);
    VmTest::new(&name(case, number, trial, column), &["/bin/sh", "-c", &line])
}

/// The words before a program that give it the policy's label and nothing else.
fn by_label(compiled: &Compiled) -> String {
    let policy = compiled.policies().first();
    let profile =
        policy.and_then(|policy| policy.apparmor.as_ref()).map(|a| format!("aa-exec -p {} -- ", a.profile));
    let domain =
        policy.and_then(|policy| policy.selinux.as_ref()).map(|s| format!("runcon -t {} ", s.domain));
    profile.or(domain).unwrap_or_default()
}
