//! The examples, each with its real program: what `canc test` and `canc validate` say, that the program does its work under the policy,
//! that what lies outside is refused and works without the policy, and that no rule could be left out.

mod programs;

use super::ensure;
use crate::oracle::selinux::Store;
use crate::policy::{Compiled, LAUNCHER, Layers, Tools};
use crate::run::Run;
use crate::vm::{self, File, VmJob, VmReport, VmTest};
use crate::{Error, Rootfs};
use programs::{EXAMPLES, Example};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(120);
/// Where the machines have an example's work.
const WORK: &str = "/srv/work";

/// All examples.
pub fn run(rootfs: &Rootfs) -> Result<(), Error> {
    let tools = Tools::build(rootfs)?;
    for example in EXAMPLES {
        test(&tools, example)?;
    }
    let mut good = true;
    for example in EXAMPLES.iter().filter(|example| example.bare) {
        good &= shown(&vm::run_here(rootfs, &bare_job(&tools, example)?)?);
        good &= needed(rootfs, &tools, example)?;
    }
    for example in EXAMPLES {
        validate(rootfs, &tools, example)?;
    }
    ensure(good, || "not every example does what it should".to_owned())
}

/// What machines with AppArmor, and machines with SELinux, do with each of them.
pub fn jobs(rootfs: &Rootfs, tools: &Tools) -> Result<Vec<VmJob>, Error> {
    let run = EXAMPLES.iter().filter(|example| example.bare);
    run.flat_map(|example| [apparmor_job(tools, example), selinux_job(rootfs, tools, example)]).collect()
}

/// The machines with SELinux alone.
pub fn run_selinux(rootfs: &Rootfs) -> Result<(), Error> {
    let tools = Tools::build(rootfs)?;
    let run = EXAMPLES.iter().filter(|example| example.bare);
    let jobs = run.map(|example| selinux_job(rootfs, &tools, example)).collect::<Result<Vec<_>, _>>()?;
    let good = vm::run_all(rootfs, &jobs)?.iter().map(shown).fold(true, |all, one| all & one);
    ensure(good, || "not every machine behaved as expected".to_owned())
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

/// What every job of an example has.
fn job(tools: &Tools, example: &Example, kind: &str) -> Result<VmJob, Error> {
    let mut job = VmJob::new(example.name, kind)?;
    job.files = (example.files)();
    job.files.extend([tools.launcher_file(), File::text(WORK, example.work)]);
    Ok(job)
}

/// The example's work, root's in a network of its own, with these words before the program.
fn work(name: &str, example: &Example, launcher: &[&str]) -> VmTest {
    let own_network: &[&str] = if example.user == 0 { &["/usr/bin/unshare", "--net"] } else { &[] };
    let words = [own_network, &["/usr/bin/bash", WORK], launcher].concat();
    let mut test = VmTest::new(name, &words).uid(example.user, example.user);
    test.step.seconds = 120;
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
    let mut job = job(tools, example, "debian13-none")?;
    let all = tools.compile(example.name, example.source, Layers::All)?;
    job.files.extend(all.files()?);
    job.tests = vec![confined("all layers", example, &all), free(example)];
    Ok(job)
}

/// All layers that the machine has, and AppArmor alone, which records what it refuses.
fn apparmor_job(tools: &Tools, example: &Example) -> Result<VmJob, Error> {
    let mut job = job(tools, example, "debian13-apparmor")?;
    let all = tools.compile(example.name, example.source, Layers::All)?;
    let only = tools.compile(example.name, example.source, Layers::Only("apparmor"))?;
    job.files.extend(all.files()?.into_iter().chain(only.files()?).chain(all.profiles()));
    job.setup = all.load_profiles();
    let profile = format!("profile=\"canc.{}\"", example.name);
    let denied = [&["apparmor=\"DENIED\"", profile.as_str()], example.denied].concat();
    job.tests = vec![
        confined("all layers", example, &all),
        confined("AppArmor alone", example, &only).audit(&denied),
        free(example),
    ];
    Ok(job)
}

/// All layers that the machine has, and SELinux alone.
fn selinux_job(rootfs: &Rootfs, tools: &Tools, example: &Example) -> Result<VmJob, Error> {
    let mut job = job(tools, example, "debian13-selinux")?;
    let all = tools.compile(example.name, example.source, Layers::All)?;
    let only = tools.compile(example.name, example.source, Layers::Only("selinux"))?;
    job.files.extend(all.files()?.into_iter().chain(only.files()?));
    job.modules = only.modules(&Store::new(rootfs)?)?;
    let context = format!(":canc__{}_t:", example.name);
    job.tests = vec![
        confined("all layers", example, &all),
        confined("SELinux alone", example, &only).audit(&["avc:", "denied", &context, "permissive=0"]),
        free(example),
    ];
    Ok(job)
}

/// Leaves out one rule after the other: each time the work must come out in another way.
fn needed(rootfs: &Rootfs, tools: &Tools, example: &Example) -> Result<bool, Error> {
    let mut job = job(tools, example, "debian13-none")?;
    job.name = format!("{}, one rule less each time", example.name);
    let all = tools.compile(example.name, example.source, Layers::All)?;
    let whole = confined("all rules", example, &all);
    job.files.extend(all.files()?);
    job.tests = vec![whole];
    let rules: Vec<_> = all.policies().iter().flat_map(|policy| policy.rules.clone()).collect();
    for rule in rules.iter().filter(|rule| rule.included_from.is_empty() && !rule.at.is_empty()) {
        let less = tools.compile_without(example.name, example.source, rule)?;
        job.files.extend(less.files()?);
        let mut test = confined(&rule.text, example, &less);
        test.expect = vm::Expect::default();
        job.tests.push(test);
    }
    let report = vm::run_here(rootfs, &job)?;
    let outcome = |name: &str| report.ran(name).map(|ran| (ran.code, ran.stdout.clone()));
    let Some(whole) = outcome("all rules") else { return Ok(false) };
    let idle: Vec<_> =
        report.tests.iter().skip(1).filter(|t| outcome(&t.name).is_none_or(|o| o == whole)).collect();
    println!("{}: {} rules, each left out once", example.name, report.tests.len() - 1);
    idle.iter().for_each(|test| println!("  FAIL not needed: {}", test.name));
    Ok(idle.is_empty())
}
