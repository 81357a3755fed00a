//! Machines in which something goes wrong on purpose, and hosts that cannot have any: each must be told as the fault it is, and none may
//! pass or leave anything behind.

use super::ensure;
use crate::run::Run;
use crate::vm::{self, Exit, File, VmJob, VmReport, VmTest};
use crate::{Error, Rootfs};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

/// More denials than a kernel log keeps under load.
const DENIALS: usize = 3_000;

/// All of them.
pub fn run(rootfs: &Rootfs) -> Result<(), Error> {
    let jobs = [hangs()?, panics()?, other_layer()?, inside()?];
    let reports = vm::run_all(rootfs, &jobs)?;
    let [hangs, panics, other_layer, inside] = reports.as_slice() else {
        return Err(Error::Odd("not one report per machine".to_owned()));
    };
    told(hangs, "the machine did not come up within")?;
    told(panics, "the machine ended by itself")?;
    told(other_layer, "apparmor is active on a machine that should have none")?;
    check_inside(inside)?;
    hosts(rootfs)
}

/// A machine that does nothing, for whoever wants to know whether there can be one.
pub fn boot(rootfs: &Rootfs) -> Result<(), Error> {
    let report = vm::run(rootfs, &job("a machine that does nothing", "debian13-none")?)?;
    print!("{report}");
    ensure(report.is_good(), || "the machine did not behave as expected".to_owned())
}

/// Room for no disk image.
const SMALL: &str = "size=16m";
/// A cache with the root file system in it and no room beside.
const NO_SPACE: &str = "set -e; mount -t tmpfs -o $3 tmpfs $1; mkdir $1/$(basename $2); mount --bind $2 $1/$(basename $2); \
    set +e; CANC_CACHE=$1 $4 boot; code=$?; \
    ls $1 | grep -v -e '\\.lock$' -e '^debian13-' -e '^kvm-' && echo left behind; exit $code";

/// No QEMU, no root, no space.
fn hosts(rootfs: &Rootfs) -> Result<(), Error> {
    let own = std::env::current_exe().map_err(Error::io("finding", "the running program"))?;
    let boot = || Run::new(&own).arg("boot").limit(LIMIT);
    cannot(
        "no QEMU",
        boot().env("CANC_QEMU", "/nonexistent/qemu"),
        "no `/nonexistent/qemu`: apt-get install",
    )?;
    let user = ["--reuid", "65534", "--regid", "65534", "--clear-groups", "--"];
    let open = |path: &Path| {
        std::fs::set_permissions(path, Permissions::from_mode(0o755)).map_err(Error::io("opening", path))
    };
    // An ordinary user may not enter root's own cache.
    let shared = crate::cache::scratch_in(Path::new("/tmp"))?;
    let copy = shared.path().join("canc-ci");
    open(shared.path())?;
    std::fs::copy(&own, &copy).map_err(Error::io("copying", &own))?;
    let ordinary = Run::new("setpriv").args(user).arg(&copy).arg("boot").env("CANC_CACHE", shared.path());
    cannot("no root", ordinary.limit(LIMIT), "the test bed needs root")?;
    let dir = rootfs.cache().scratch()?;
    let tree = rootfs.tree();
    let entry = tree.parent().unwrap_or(&tree);
    let small = dir.path().join("small");
    std::fs::create_dir(&small).map_err(Error::io("making", &small))?;
    let full =
        Run::new("unshare").args(["--mount", "sh", "-c", NO_SPACE, "sh"]).arg(&small).arg(entry).arg(SMALL);
    cannot("no space", full.arg(&own).limit(LIMIT), "No space left")
}

/// How long it takes to see that there can be no machine.
const LIMIT: Duration = Duration::from_secs(120);

/// It ends with 4, says why, and leaves nothing behind.
fn cannot(name: &str, run: Run, said: &str) -> Result<(), Error> {
    let output = run.output()?;
    let (text, out, code) = (output.errors(), output.text(), output.code);
    println!("{name}: {code}: {}", text.lines().next().unwrap_or_default());
    let fine = code == 4 && text.contains(said) && !out.contains("left behind");
    ensure(fine, || format!("{name}: expected {said:?} and 4: {code}\n{out}\n{text}"))
}

/// The report names the fault, and the test that would have passed did not run.
fn told(report: &VmReport, fault: &str) -> Result<(), Error> {
    println!("{}: {}", report.name, report.faults.join("; "));
    let named = report.faults.iter().any(|told| told.contains(fault));
    let not_run = report.tests.iter().all(|test| test.faults == ["did not run"]);
    ensure(named && not_run && !report.is_good(), || format!("expected {fault:?}:\n{report}"))
}

fn job(name: &str, kind: &str) -> Result<VmJob, Error> {
    let mut job = VmJob::new(name, kind)?;
    job.tests.push(VmTest::new("would pass", &["/usr/bin/true"]));
    Ok(job)
}

fn hangs() -> Result<VmJob, Error> {
    let mut job = job("a machine that takes too long", "debian13-none")?;
    job.boot_limit = Duration::from_millis(200);
    Ok(job)
}

/// The last `init=` counts; a first process that ends is a panic.
fn panics() -> Result<VmJob, Error> {
    let mut job = job("a machine whose kernel panics", "debian13-none")?;
    job.kind.append.push_str(" init=/usr/bin/false");
    Ok(job)
}

fn other_layer() -> Result<VmJob, Error> {
    let mut job = job("a machine with a layer that it should not have", "debian13-none")?;
    job.kind.append.clear();
    Ok(job)
}

const PROFILE: &str = "profile canc.many { /usr/** rm, /etc/ld.so.cache r, }\n";

fn inside() -> Result<VmJob, Error> {
    let mut job = VmJob::new("a machine whose tests misbehave", "debian13-apparmor")?;
    job.files = vec![File::text("/etc/canc.many", PROFILE)];
    job.setup = vec![vm::step("load", &["/usr/sbin/apparmor_parser", "-r", "/etc/canc.many"])];
    let shell = |name, script: &str| VmTest::new(name, &["/bin/sh", "-c", script]);
    let mut endless = shell("endless", "sleep 600");
    endless.step.seconds = 1;
    let reads = format!("for ((n = 1; n <= {DENIALS}; n++)); do : </srv/$n; done 2>&-; exit 0");
    let many = ["/usr/bin/aa-exec", "-p", "canc.many", "--", "/usr/bin/bash", "-c", &reads];
    job.files.extend((1..=DENIALS).map(|n| File::text(&format!("/srv/{n}"), "")));
    job.tests = vec![
        endless,
        shell("no such program", "").exit(Exit::Code(127)),
        shell("leaves a process", "setsid sleep 777 >/dev/null 2>&1 &"),
        VmTest::new("finds it gone", &["/usr/bin/pgrep", "-f", "sleep 777"]).exit(Exit::Code(1)),
        VmTest::new("many denials", &many),
        VmTest::new("no denial of the test before", &["/usr/bin/true"]).no_audit(&["DENIED"]),
    ];
    if let Some(test) = job.tests.get_mut(1) {
        test.step.argv = vec!["/nonexistent/program".to_owned()];
    }
    Ok(job)
}

fn check_inside(report: &VmReport) -> Result<(), Error> {
    println!("{}: {} tests", report.name, report.tests.len());
    let faults_of = |name: &str| {
        let test = report.tests.iter().find(|test| test.name == name);
        test.map(|test| test.faults.join("; ")).unwrap_or_default()
    };
    let expected = |name: &str, fault: &str| {
        let told = faults_of(name);
        let fine = if fault.is_empty() { told.is_empty() } else { told.contains(fault) };
        ensure(fine, || format!("{name}: expected {fault:?}\n{report}"))
    };
    expected("endless", "took longer than its limit")?;
    expected("no such program", "could not be started")?;
    expected("leaves a process", "")?;
    expected("finds it gone", "")?;
    expected("many denials", "")?;
    expected("no denial of the test before", "")?;
    let seen =
        report.ran("many denials").map(|ran| ran.audit.iter().filter(|r| r.contains("DENIED")).count());
    ensure(seen.is_some_and(|seen| seen >= DENIALS), || format!("{seen:?} of {DENIALS} denials were seen"))
}
