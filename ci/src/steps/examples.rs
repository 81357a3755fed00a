//! The examples, each with its real program: what `canc test` and `canc validate` say, that the program does its work under the policy,
//! that what lies outside is refused and works without the policy, that nothing else is refused, and that no rule could be left out.

mod programs;

use super::ensure;
use crate::oracle::selinux::Store;
use crate::policy::{Compiled, LAUNCHER, Layers, Tools};
use crate::run::Run;
use crate::vm::{self, File, VmJob, VmReport, VmTest};
use crate::{Error, Rootfs};
use canc_bundle::RuleEntry;
use canc_guest::Step;
use programs::{EXAMPLES, Example};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(120);

/// All examples.
pub fn run(rootfs: &Rootfs) -> Result<(), Error> {
    let tools = Tools::build(rootfs)?;
    for example in chosen() {
        test(&tools, example)?;
    }
    let mut good = true;
    for example in chosen().filter(|example| example.bare) {
        good &= shown(&vm::run_here(rootfs, &bare_job(&tools, example)?)?);
        good &= needed(rootfs, &tools, example)?;
    }
    for example in chosen() {
        validate(rootfs, &tools, example)?;
    }
    ensure(good, || "not every example does what it should".to_owned())
}

/// What a machine with AppArmor, and one with SELinux, do with all of them.
pub fn jobs(rootfs: &Rootfs, tools: &Tools) -> Result<Vec<VmJob>, Error> {
    Ok(vec![apparmor_job(tools)?, selinux_job(rootfs, tools)?])
}

/// These machines alone.
pub fn run_machines(rootfs: &Rootfs) -> Result<(), Error> {
    let tools = Tools::build(rootfs)?;
    let reports = vm::run_all(rootfs, &jobs(rootfs, &tools)?)?;
    let good = reports.iter().map(shown).fold(true, |all, one| all & one);
    ensure(good, || "not every machine behaved as expected".to_owned())
}

/// All, or those whose names stand in `CANC_EXAMPLES`.
fn chosen() -> impl Iterator<Item = &'static Example> {
    let names = std::env::var("CANC_EXAMPLES").unwrap_or_default();
    EXAMPLES.iter().filter(move |example| names.is_empty() || names.split(',').any(|n| n == example.name))
}

fn shown(report: &VmReport) -> bool {
    print!("{report}");
    report.is_good()
}

/// The policy's own tests hold.
fn test(tools: &Tools, example: &Example) -> Result<(), Error> {
    let output = Run::new(tools.canc()).arg("test").arg(example.path()).ok()?;
    println!("{}: {}", example.name, output.text().lines().last().unwrap_or_default());
    Ok(())
}

/// The owners' tools accept all of it, and nothing is left unchecked.
fn validate(rootfs: &Rootfs, tools: &Tools, example: &Example) -> Result<(), Error> {
    let layer = rootfs.layer()?;
    let run = layer.outside(tools.canc()).arg("validate").arg(example.path());
    let output = run.arg("--sysroot").arg(layer.outside_root()).limit(LIMIT).output()?;
    let text = output.text();
    let good = output.code == 0 && text.contains(" 0 refused, 0 not checked");
    println!("{}: {}", example.name, text.lines().last().unwrap_or_default());
    ensure(good, || format!("{}: exit code {}\n{text}{}", example.name, output.code, output.errors()))
}

/// What every job with examples has.
fn job(tools: &Tools, name: &str, kind: &str, examples: &[&Example]) -> Result<VmJob, Error> {
    let mut job = VmJob::new(name, kind)?;
    job.files = vec![tools.launcher_file()];
    for example in examples {
        job.files.extend((example.files)());
        job.files.push(File::text(&work_file(example), example.work));
    }
    Ok(job)
}

/// Where the machines have an example's work.
fn work_file(example: &Example) -> String {
    format!("/srv/work/{}", example.name)
}

/// The example's work, root's in a network of its own, with these words before the program.
fn work(name: &str, example: &Example, launcher: &[&str]) -> VmTest {
    let own_network: &[&str] = if example.user == 0 { &["/usr/bin/unshare", "--net"] } else { &[] };
    let file = work_file(example);
    let words = [own_network, &["/usr/bin/bash", &file], launcher].concat();
    let name = format!("{}: {name}", example.name);
    let mut test = VmTest::new(&name, &words).uid(example.user, example.user);
    test.step.seconds = 300;
    test
}

fn confined(name: &str, example: &Example, compiled: &Compiled) -> VmTest {
    let bundle = compiled.bundle();
    let test = work(name, example, &[LAUNCHER, &bundle, "--"]);
    example.confined.iter().fold(test, |test, line| test.stdout(&format!("{line}\n")))
}

fn free(example: &Example) -> VmTest {
    example.free.iter().fold(work("no policy", example, &[]), |test, line| test.stdout(&format!("{line}\n")))
}

/// Landlock, seccomp and capabilities, on this machine's kernel.
fn bare_job(tools: &Tools, example: &Example) -> Result<VmJob, Error> {
    let mut job = job(tools, example.name, "debian13-none", &[example])?;
    let all = tools.compile(example.name, example.source, Layers::All)?;
    job.files.extend(all.files()?);
    job.tests = vec![confined("all layers", example, &all), free(example)];
    Ok(job)
}

/// All layers that the machine has, and AppArmor alone, which records what it refuses.
fn apparmor_job(tools: &Tools) -> Result<VmJob, Error> {
    let examples: Vec<_> = chosen().filter(|example| example.bare).collect();
    let mut job = job(tools, "examples under AppArmor", "debian13-apparmor", &examples)?;
    for example in examples {
        let all = tools.compile(example.name, example.source, Layers::All)?;
        let only = tools.compile(example.name, example.source, Layers::Only("apparmor"))?;
        job.files.extend(all.files()?.into_iter().chain(only.files()?).chain(all.profiles()));
        job.setup.extend(all.load_profiles());
        let profile = format!("profile=\"canc.{}\"", example.name);
        let kind = ["apparmor=\"DENIED\"", profile.as_str()];
        let complete = |test: VmTest| test.among(&kind, example.denied, false);
        let alone = complete(confined("AppArmor alone", example, &only));
        job.tests.extend([complete(confined("all layers", example, &all)), free(example)]);
        job.tests.push(recorded(alone, &kind, example.denied));
        for rule in rules(&all).filter(|rule| example.recorded.contains(&named(rule))) {
            let less = tools.compile_without(example.name, example.source, rule, Layers::Only("apparmor"))?;
            job.files.extend(less.files()?);
            let test = loaded(&less, confined(&format!("without {}", named(rule)), example, &less));
            job.tests.push(test.among(&kind, example.denied, true));
        }
    }
    Ok(job)
}

/// The same with the profiles of this bundle in the place of those that are loaded.
fn loaded(compiled: &Compiled, mut test: VmTest) -> VmTest {
    let load = ["/usr/bin/bash", "-c", "apparmor_parser -r \"$0\" && exec \"$@\""].map(str::to_owned);
    test.step.argv = load.into_iter().chain(compiled.profiles_inside()).chain(test.step.argv).collect();
    test
}

/// Each of these refusals must be among the records of the kind.
fn recorded(test: VmTest, kind: &[&str], refusals: &[&[&str]]) -> VmTest {
    refusals.iter().fold(test, |test, words| test.audit(&[kind, words].concat()))
}

/// The rules that the example's author wrote.
fn rules(compiled: &Compiled) -> impl Iterator<Item = &RuleEntry> {
    let all = compiled.policies().iter().flat_map(|policy| &policy.rules);
    all.filter(|rule| rule.included_from.is_empty() && !rule.at.is_empty())
}

/// A rule without its reason.
fn named(rule: &RuleEntry) -> &str {
    rule.text.split(" because ").next().unwrap_or_default().trim_end_matches(';')
}

/// All layers that the machine has, and SELinux alone.
fn selinux_job(rootfs: &Rootfs, tools: &Tools) -> Result<VmJob, Error> {
    let examples: Vec<_> = chosen().filter(|example| example.bare).collect();
    let mut job = job(tools, "examples under SELinux", "debian13-selinux", &examples)?;
    let store = Store::new(rootfs)?;
    for example in examples {
        let all = tools.compile(example.name, example.source, Layers::All)?;
        let only = tools.compile(example.name, example.source, Layers::Only("selinux"))?;
        job.files.extend(all.files()?.into_iter().chain(only.files()?));
        job.modules.extend(only.modules(&store)?);
        let context = format!("scontext=unconfined_u:unconfined_r:canc__{}_t:", example.name);
        let kind = ["avc:", "denied", context.as_str(), "permissive=0"];
        let complete = |test: VmTest| test.among(&kind, example.denied_selinux, false);
        let alone = complete(confined("SELinux alone", example, &only));
        job.tests.extend([complete(confined("all layers", example, &all)), free(example)]);
        job.tests.push(recorded(alone, &kind, example.denied_selinux));
    }
    Ok(job)
}

/// Leaves out one rule after the other: each time the work must come out in another way, or AppArmor must record a refusal, which a
/// machine shows.
fn needed(rootfs: &Rootfs, tools: &Tools, example: &Example) -> Result<bool, Error> {
    let name = format!("{}, one rule less each time", example.name);
    let mut job = job(tools, &name, "debian13-none", &[example])?;
    let all = tools.compile(example.name, example.source, Layers::All)?;
    job.files.extend(all.files()?);
    let whole = confined("all rules", example, &all);
    job.tests = vec![VmTest { step: Step { name: "all rules".to_owned(), ..whole.step }, ..whole }];
    for rule in rules(&all) {
        let less = tools.compile_without(example.name, example.source, rule, Layers::Bare)?;
        job.files.extend(less.files()?);
        let mut test = confined("", example, &less);
        test.step.name = named(rule).to_owned();
        test.expect = vm::Expect::default();
        job.tests.push(test);
    }
    let report = vm::run_here(rootfs, &job)?;
    let outcome = |name: &str| report.ran(name).map(|ran| (ran.code, ran.stdout.clone()));
    let Some(whole) = outcome("all rules") else { return Ok(false) };
    let names = report.tests.iter().skip(1).map(|test| test.name.as_str());
    let idle: Vec<_> = names.filter(|name| outcome(name).is_none_or(|o| o == whole)).collect();
    println!("{}: {} rules, each left out once", example.name, report.tests.len() - 1);
    let unneeded: Vec<_> = idle.iter().filter(|name| !example.recorded.contains(name)).collect();
    unneeded.iter().for_each(|name| println!("  FAIL not needed: {name}"));
    let broken: Vec<_> = example.recorded.iter().filter(|name| !idle.contains(name)).collect();
    broken.iter().for_each(|name| println!("  FAIL no rule that only records show: {name}"));
    Ok(unneeded.is_empty() && broken.is_empty())
}
