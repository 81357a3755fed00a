//! Differential tests of the compiled `cat` policy: what each layer refuses by itself, with its own audit record, and that
//! without the layer it works. One kind of machine for each layer of access control, one without, and this machine's own kernel.

mod apply;
mod calls;
mod doctor;
mod instances;
mod libselinux;
mod load;
mod userns;

pub use doctor::record as record_doctor;

use super::{ensure, examples, fragments};
use crate::oracle::selinux::Store;
use crate::policy::{Compiled, Layers, Tools};
use crate::vm::{self, Exit, File, VmJob, VmTest};
use crate::{Error, Rootfs};

const SOURCE: &str = include_str!("../../../examples/cat/cat.can");
/// What the confined program may read, and what it may not though everybody else may.
const PERMITTED: &str = "/srv/x/permitted";
const REFUSED: &str = "/srv/other/refused";

/// All machines, two at a time.
pub fn run(rootfs: &Rootfs) -> Result<(), Error> {
    let tools = Tools::build(rootfs)?;
    let mut none = none(&tools)?;
    let here = vm::run_here(rootfs, &none)?;
    doctor::add(&tools, "debian13-none", &mut none);
    let mut jobs = vec![selinux(rootfs, &tools)?, apparmor(&tools)?, none];
    jobs.extend([instances::job(rootfs, &tools)?, load::selinux(&tools)?, load::apparmor(&tools)?]);
    jobs.push(userns::job(&tools)?);
    jobs.extend([apply::selinux(&tools)?, apply::apparmor(&tools)?]);
    jobs.extend(examples::jobs(rootfs, &tools)?);
    jobs.push(fragments::job(&tools, "debian13-apparmor")?);
    let mut good = true;
    for report in vm::run_all(rootfs, &jobs)?.into_iter().chain([here]) {
        print!("{report}");
        good &= report.is_good();
    }
    ensure(good, || "not every machine behaved as expected".to_owned())
}

/// The machines in which policies are loaded and runs kept apart, alone.
pub fn run_load(rootfs: &Rootfs) -> Result<(), Error> {
    let tools = Tools::build(rootfs)?;
    let jobs = [instances::job(rootfs, &tools)?, load::selinux(&tools)?, load::apparmor(&tools)?];
    let reports = vm::run_all(rootfs, &jobs)?;
    reports.iter().for_each(|report| print!("{report}"));
    ensure(reports.iter().all(vm::VmReport::is_good), || "not every machine behaved as expected".to_owned())
}

/// The machine that imitates Ubuntu, alone.
pub fn run_userns(rootfs: &Rootfs) -> Result<(), Error> {
    let report = vm::run(rootfs, &userns::job(&Tools::build(rootfs)?)?)?;
    print!("{report}");
    ensure(report.is_good(), || "the machine did not behave as expected".to_owned())
}

/// The machines in which policies are applied and removed, alone.
pub fn run_apply(rootfs: &Rootfs) -> Result<(), Error> {
    let tools = Tools::build(rootfs)?;
    let mut good = true;
    let asked = std::env::var("CANC_APPLY").unwrap_or_default();
    for job in [apply::selinux(&tools)?, apply::apparmor(&tools)?] {
        if !job.name.to_lowercase().contains(&asked) {
            continue;
        }
        let report = vm::run(rootfs, &job)?;
        print!("{report}");
        good &= report.is_good();
    }
    ensure(good, || "not every machine behaved as expected".to_owned())
}

/// The machine with SELinux, alone.
pub fn run_selinux(rootfs: &Rootfs) -> Result<(), Error> {
    let tools = Tools::build(rootfs)?;
    let reports = vm::run_all(rootfs, &[selinux(rootfs, &tools)?, instances::job(rootfs, &tools)?])?;
    reports.iter().for_each(|report| print!("{report}"));
    ensure(reports.iter().all(vm::VmReport::is_good), || "not every machine behaved as expected".to_owned())
}

/// The machine in which a policy is replaced while programs start under it.
pub fn run_replacements(rootfs: &Rootfs) -> Result<(), Error> {
    let report = vm::run(rootfs, &apply::replacements(&Tools::build(rootfs)?)?)?;
    print!("{report}");
    ensure(report.is_good(), || "the machine did not behave as expected".to_owned())
}

/// The policy as it is, with one layer alone, and without any layer that knows files.
struct Variants {
    all: Compiled,
    only: Compiled,
    without: Compiled,
}

impl Variants {
    fn new(tools: &Tools, layer: &'static str) -> Result<Self, Error> {
        let compile = |layers| tools.compile("cat", SOURCE, layers);
        Ok(Self {
            all: compile(Layers::All)?,
            only: compile(Layers::Only(layer))?,
            without: compile(Layers::Only("seccomp"))?,
        })
    }

    fn files(&self, tools: &Tools) -> Result<Vec<File>, Error> {
        let mut files = vec![
            tools.launcher_file(),
            File::directory("/srv/x"),
            File::text(PERMITTED, "permitted words\n"),
            File::directory("/srv/other"),
            File::text(REFUSED, "refused words\n"),
        ];
        for compiled in [&self.all, &self.only, &self.without] {
            files.extend(compiled.files()?);
        }
        Ok(files)
    }

    /// With every layer, with one, without it, and without a policy. The one layer's own record holds `denied`.
    fn tests(&self, denied: &[&str]) -> Vec<VmTest> {
        let cat = |name: &str, compiled: &Compiled, file| {
            VmTest::launch(name, compiled.launch(&["/usr/bin/cat", file]))
        };
        let refused = |test: VmTest| test.exit(Exit::Code(1)).stderr("Permission denied");
        vec![
            cat("all layers: permitted read", &self.all, PERMITTED).stdout("permitted words"),
            refused(cat("all layers: another read", &self.all, REFUSED)),
            cat("one layer: permitted read", &self.only, PERMITTED)
                .stdout("permitted words")
                .no_audit(&["denied", "file"])
                .no_audit(&["DENIED"]),
            recorded(refused(cat("one layer: another read", &self.only, REFUSED)), denied),
            cat("without the layer: another read", &self.without, REFUSED).stdout("refused words"),
            VmTest::new("no policy: another read", &["/usr/bin/cat", REFUSED]).stdout("refused words"),
        ]
    }
}

/// Landlock's refusals are not recorded before Linux 6.15.
fn recorded(test: VmTest, denied: &[&str]) -> VmTest {
    if denied.is_empty() { test } else { test.audit(denied) }
}

fn selinux(rootfs: &Rootfs, tools: &Tools) -> Result<VmJob, Error> {
    let variants = Variants::new(tools, "selinux")?;
    let mut job = VmJob::new("cat under SELinux", "debian13-selinux")?;
    job.files = variants.files(tools)?;
    job.modules = variants.only.modules(&Store::new(rootfs)?)?;
    let denied = ["avc:", "denied", "canc__cat_t", "tclass=file", "permissive=0"];
    job.tests = variants.tests(&denied);
    let label = variants.only.launch(&["/usr/bin/cat", "/proc/self/attr/current"]);
    job.tests.push(VmTest::launch("own label", label).stdout("unconfined_u:unconfined_r:canc__cat_t:s0"));
    libselinux::add(tools, &variants.only, &denied, &mut job);
    doctor::add(tools, "debian13-selinux", &mut job);
    Ok(job)
}

fn apparmor(tools: &Tools) -> Result<VmJob, Error> {
    let variants = Variants::new(tools, "apparmor")?;
    let mut job = VmJob::new("cat under AppArmor", "debian13-apparmor")?;
    job.files = variants.files(tools)?;
    job.files.extend(variants.only.profiles());
    job.setup = variants.only.load_profiles();
    let denied = ["apparmor=\"DENIED\"", "operation=\"open\"", "profile=\"canc.cat\"", REFUSED];
    job.tests = variants.tests(&denied);
    let label = variants.only.launch(&["/usr/bin/cat", "/proc/self/attr/apparmor/current"]);
    job.tests.push(VmTest::launch("own label", label).stdout("canc.cat (enforce)"));
    doctor::add(tools, "debian13-apparmor", &mut job);
    Ok(job)
}

/// Neither of the two: Landlock is what refuses files, and seccomp calls.
fn none(tools: &Tools) -> Result<VmJob, Error> {
    let variants = Variants::new(tools, "landlock")?;
    let mut job = VmJob::new("cat under neither", "debian13-none")?;
    job.files = variants.files(tools)?;
    job.tests = variants.tests(&[]);
    calls::add(tools, &mut job)?;
    Ok(job)
}
