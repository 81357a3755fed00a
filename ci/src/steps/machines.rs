//! Differential tests in the machines: what a layer refuses, with that layer's own audit record, and that without the
//! layer it works.

use super::ensure;
use crate::oracle::selinux::{Content, Module, Store};
use crate::vm::{self, Exit, File, VmJob, VmTest};
use crate::{Error, Rootfs};

const TE: &str = include_str!("../../cases/cat/canc_cat.te");
const FC: &str = include_str!("../../cases/cat/canc_cat.fc");
const PROFILE: &str = include_str!("../../cases/cat/canc_cat.apparmor");

/// What the confined program may read, and what it may not though everybody else may.
const PERMITTED: &str = "/srv/canc-cat/permitted";
const REFUSED: &str = "/srv/canc-other/refused";

/// All machines, two at a time.
pub fn run(rootfs: &Rootfs) -> Result<(), Error> {
    let jobs = [selinux(rootfs)?, apparmor()?, none()?];
    let mut good = true;
    for report in vm::run_all(rootfs, &jobs)? {
        print!("{report}");
        good &= report.is_good();
    }
    ensure(good, || "not every machine behaved as expected".to_owned())
}

fn files() -> Vec<File> {
    vec![
        File::directory("/srv/canc-cat"),
        File::text(PERMITTED, "permitted words\n"),
        File::directory("/srv/canc-other"),
        File::text(REFUSED, "refused words\n"),
        File::text("/etc/apparmor.d/canc.cat", PROFILE),
    ]
}

/// Both reads, by the same program with nobody in its way.
fn unconfined() -> [VmTest; 2] {
    [
        VmTest::new("unconfined: first read", &["/usr/bin/cat", PERMITTED]).stdout("permitted words"),
        VmTest::new("unconfined: second read", &["/usr/bin/cat", REFUSED]).stdout("refused words"),
    ]
}

fn selinux(rootfs: &Rootfs) -> Result<VmJob, Error> {
    let store = Store::new(rootfs)?;
    let package = store.package("canc_cat", TE, FC)?.accepted().map_err(Error::Odd)?;
    let mut job = VmJob::new("cat under SELinux", "debian13-selinux")?;
    job.files = files();
    job.modules = vec![Module { name: "canc_cat".to_owned(), content: Content::Package(package) }];
    let confined =
        |name, file| VmTest::new(name, &["/usr/bin/runcon", "-t", "canc_cat_t", "/usr/bin/cat", file]);
    let denied = ["avc:", "denied", "canc_cat_t", "tclass=file", "permissive=0"];
    job.tests.extend([
        confined("permitted read", PERMITTED).stdout("permitted words").no_audit(&["denied", "tclass=file"]),
        confined("own label", "/proc/self/attr/current").stdout("unconfined_u:unconfined_r:canc_cat_t:s0"),
        confined("another read", REFUSED).exit(Exit::Code(1)).stderr("Permission denied").audit(&denied),
    ]);
    job.tests.extend(unconfined());
    Ok(job)
}

fn apparmor() -> Result<VmJob, Error> {
    let mut job = VmJob::new("cat under AppArmor", "debian13-apparmor")?;
    job.files = files();
    job.setup = vec![vm::step("load", &["/usr/sbin/apparmor_parser", "-r", "/etc/apparmor.d/canc.cat"])];
    let confined =
        |name, file| VmTest::new(name, &["/usr/bin/aa-exec", "-p", "canc.cat", "--", "/usr/bin/cat", file]);
    let denied = ["apparmor=\"DENIED\"", "operation=\"open\"", "profile=\"canc.cat\"", REFUSED];
    job.tests.extend([
        confined("permitted read", PERMITTED).stdout("permitted words").no_audit(&["DENIED"]),
        confined("another read", REFUSED).exit(Exit::Code(1)).stderr("Permission denied").audit(&denied),
    ]);
    job.tests.extend(unconfined());
    Ok(job)
}

/// Neither layer: the label cannot be asked for, and nothing is refused or recorded.
fn none() -> Result<VmJob, Error> {
    let mut job = VmJob::new("cat under neither", "debian13-none")?;
    job.files = files();
    job.tests.extend(unconfined().map(|test| test.no_audit(&["denied"]).no_audit(&["DENIED"])));
    let runcon = ["/usr/bin/runcon", "-t", "canc_cat_t", "/usr/bin/cat", PERMITTED];
    job.tests.push(VmTest::new("no label to be had", &runcon).exit(Exit::Failure));
    Ok(job)
}
