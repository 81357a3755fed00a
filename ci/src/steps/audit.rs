//! Records that real kernels write when they refuse, to the files in `golden/audit/` that `canc why --audit` is tested with.

use super::ensure;
use crate::oracle::selinux::Store;
use crate::policy::{Layers, Tools};
use crate::vm::{self, Exit, File, VmJob, VmReport, VmTest};
use crate::{Error, Rootfs};
use std::path::Path;

/// The policy that is asked about the records.
const SOURCE: &str = include_str!("../../../golden/audit/policy.can");
/// Where the machines have the programs and the policy.
const CANC: &str = "/usr/local/bin/canc";
const PROBE: &str = "/usr/local/bin/canc-probe";
const POLICY: &str = "/etc/canc/policy.can";
/// Some launches on an emulated processor.
const SECONDS: u32 = 300;

/// One machine after the other.
pub fn record(rootfs: &Rootfs) -> Result<(), Error> {
    let tools = Tools::build(rootfs)?;
    let compiled = tools.compile("policy", SOURCE, Layers::All)?;
    let mut apparmor = job("apparmor", "debian13-apparmor", &tools)?;
    apparmor.files.extend(compiled.profiles());
    apparmor.setup = compiled.load_profiles();
    let mut selinux = job("selinux", "debian13-selinux", &tools)?;
    selinux.modules = compiled.modules(&Store::new(rootfs)?)?;
    for (job, kind) in [(apparmor, "apparmor=\"DENIED\""), (selinux, "avc:")] {
        let report = vm::run(rootfs, &job)?;
        print!("{report}");
        ensure(report.is_good(), || format!("{}: not as expected", job.name))?;
        write(&report, &job.name, kind)?;
        write(&report, "seccomp", " sig=31 ")?;
    }
    Ok(())
}

fn job(name: &str, kind: &str, tools: &Tools) -> Result<VmJob, Error> {
    let mut job = VmJob::new(name, kind)?;
    job.files = vec![
        File::program(CANC, tools.canc()),
        File::program(PROBE, vm::build_program("canc-probe", "canc-probe")?),
        File::text(POLICY, SOURCE),
        File::directory("/srv/x"),
        File::text("/srv/x/permitted", "permitted words\n"),
        File::directory("/srv/other"),
        File::text("/srv/other/two words", "refused words\n"),
    ];
    let line = format!("{CANC} verify --no-attacks --policy cat {POLICY}");
    let mut verify = VmTest::new("verify", &["/bin/sh", "-c", &line]);
    verify.step.seconds = SECONDS;
    let line = format!("{CANC} run --policy ended {POLICY} -- /usr/bin/uname");
    let mut ended = VmTest::new("a call that ends its maker", &["/bin/sh", "-c", &line]).exit(Exit::Failure);
    ended.step.seconds = SECONDS;
    job.tests = vec![verify, ended];
    Ok(job)
}

/// The records of a kind as the kernel's log has them.
fn write(report: &VmReport, name: &str, kind: &str) -> Result<(), Error> {
    let records = report.tests.iter().filter_map(|t| t.ran.as_ref()).flat_map(|ran| &ran.audit);
    let of_kind = records.filter(|r| r.contains(kind));
    let lines: Vec<String> = of_kind
        .filter_map(|r| r.split_once(' '))
        .map(|(number, text)| format!("audit: type={number} {text}\n"))
        .collect();
    ensure(!lines.is_empty(), || format!("{}: no record has {kind}", report.name))?;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../golden/audit/{name}.log"));
    std::fs::write(&path, lines.concat()).map_err(|e| Error::Odd(format!("{}: {e}", path.display())))
}
