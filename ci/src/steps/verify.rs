//! `canc verify` under SELinux and AppArmor: each layer by itself refuses what the policy denies, with its own audit record, and with
//! no layer it passes. Where the kernel holds something looser under the same name the answer is no, and where it only logs there is none.

use super::ensure;
use crate::oracle::selinux::Store;
use crate::policy::{Layers, Tools};
use crate::vm::{self, Exit, File, VmJob, VmReport, VmTest};
use crate::{Error, Rootfs};
use serde_json::Value;

const SOURCE: &str = include_str!("../../../examples/cat/cat.can");
/// Where the machines have the programs and the policy.
const CANC: &str = "/usr/local/bin/canc";
const PROBE: &str = "/usr/local/bin/canc-probe";
const POLICY: &str = "/etc/canc/cat.can";
/// The same without Landlock, so that labels or profiles are all that knows files.
const ALONE: &str = "/etc/canc/alone.can";
/// A profile of the same name that permits everything.
const LOOSE: &str = "abi <abi/4.0>,\nprofile canc.cat flags=(attach_disconnected) { /** rwmix, }\n";
const LOOSE_FILE: &str = "/root/loose";
/// Some hundred launches on an emulated processor.
const SECONDS: u32 = 500;
/// The test's name.
const ROOT: &str = "all of the suite";

/// A machine for each, and one with neither.
pub fn run(rootfs: &Rootfs) -> Result<(), Error> {
    let tools = Tools::build(rootfs)?;
    let jobs = [selinux(rootfs, &tools)?, apparmor(&tools)?];
    let reports = vm::run_all(rootfs, &jobs)?;
    reports.iter().for_each(|report| print!("{report}"));
    ensure(reports.iter().all(VmReport::is_good), || "not every machine behaved as expected".to_owned())?;
    for (report, layer) in reports.iter().zip(["selinux", "apparmor"]) {
        matrix(report, ROOT, layer)?;
    }
    Ok(())
}

fn job(name: &str, kind: &str, tools: &Tools, denied: &[&str]) -> Result<VmJob, Error> {
    let mut job = VmJob::new(name, kind)?;
    let alone = SOURCE.replacen("policy cat {", "policy cat {\n  backend landlock off;", 1);
    ensure(alone != SOURCE, || "the policy is no longer written so".to_owned())?;
    job.files = vec![
        File::program(CANC, tools.canc()),
        File::program(PROBE, vm::build_program("canc-probe", "canc-probe")?),
        File::text(POLICY, SOURCE),
        File::text(ALONE, alone),
        File::directory("/srv/x"),
        File::text("/srv/x/permitted", "permitted words\n"),
        File::directory("/srv/other"),
        File::text("/srv/other/refused", "refused words\n"),
    ];
    job.tests = vec![
        verify(ROOT, &format!("{CANC} verify --json {POLICY}")).audit(denied),
        verify("an ordinary user", &format!("{CANC} verify --no-attacks {POLICY}"))
            .uid(1000, 1000)
            .exit(Exit::Code(4))
            .stderr("only root can arrange"),
        verify("without Landlock", &format!("{CANC} verify --no-attacks {ALONE}"))
            .stdout("stopped")
            .audit(denied),
    ];
    Ok(job)
}

/// A shell line.
fn verify(name: &str, line: &str) -> VmTest {
    let mut test = VmTest::new(name, &["/bin/sh", "-c", line]);
    test.step.seconds = SECONDS;
    test
}

fn selinux(rootfs: &Rootfs, tools: &Tools) -> Result<VmJob, Error> {
    let denied = ["avc:", "denied", "canc__cat_t", "tclass=file", "permissive=0"];
    let mut job = job("verify under SELinux", "debian13-selinux", tools, &denied)?;
    job.modules = tools.compile("cat", SOURCE, Layers::All)?.modules(&Store::new(rootfs)?)?;
    let line = format!("setenforce 0; {CANC} verify --no-attacks {ALONE}; code=$?; setenforce 1; exit $code");
    job.tests.push(verify("permissive host", &line).exit(Exit::Code(4)).stderr("the host is permissive"));
    Ok(job)
}

fn apparmor(tools: &Tools) -> Result<VmJob, Error> {
    let denied = ["apparmor=\"DENIED\"", "operation=\"open\"", "profile=\"canc.cat\"", "/srv/other/refused"];
    let mut job = job("verify under AppArmor", "debian13-apparmor", tools, &denied)?;
    let compiled = tools.compile("cat", SOURCE, Layers::All)?;
    job.files.extend(compiled.profiles());
    job.files.push(File::text(LOOSE_FILE, LOOSE));
    job.setup = compiled.load_profiles();
    let line = format!("/usr/sbin/apparmor_parser -r {LOOSE_FILE} && {CANC} verify --no-attacks {ALONE}");
    let looser = verify("a looser profile in its place", &line).exit(Exit::Code(1));
    job.tests.push(looser.stdout("the policy denies it, and it passes with all layers on"));
    Ok(job)
}

/// The layer by itself stops the read that the policy denies, and lets the one through that it allows.
fn matrix(report: &VmReport, test: &str, layer: &str) -> Result<(), Error> {
    let text = report.ran(test).map(|ran| ran.stdout.clone()).unwrap_or_default();
    let odd = |what: &str| Error::Odd(format!("{}: {test}: {what}: {text}", report.name));
    let said: Value = serde_json::from_str(&text).map_err(|e| odd(&e.to_string()))?;
    let policy = said.pointer("/policies/0").ok_or_else(|| odd("no policy"))?;
    ensure(policy.get("host").and_then(Value::as_str) == Some(layer), || {
        format!("{test}: not {layer}: {text}")
    })?;
    let rows = policy.get("rows").and_then(Value::as_array).ok_or_else(|| odd("no rows"))?;
    let outcome = |request: &str, column: &str| {
        let of = |row: &&Value| row.get("text").and_then(Value::as_str).is_some_and(|t| t.contains(request));
        let cell = rows.iter().find(of).and_then(|row| row.pointer(&format!("/cells/{column}/outcome")));
        cell.and_then(Value::as_str)
            .map(str::to_owned)
            .ok_or_else(|| odd(&format!("no {request} under {column}")))
    };
    for (request, column, wanted) in [
        ("denies read", layer, "stopped"),
        ("denies read", "all", "stopped"),
        ("denies read", "seccomp", "passed"),
        ("denies read", "none", "passed"),
        ("allows read", layer, "passed"),
        ("allows read", "all", "passed"),
    ] {
        let found = outcome(request, column)?;
        ensure(found == wanted, || format!("{}: {test}: {request} under {column}: {found}", report.name))?;
    }
    println!("{}: {test}: {} lines as the policy says", report.name, rows.len());
    Ok(())
}
