//! A job to a report, by way of a machine that is built, booted and ended for it.
//!
//! It must not know what the tests are about; what they expect is part of the job.

mod accel;
mod guest;
mod image;
mod job;
mod qemu;
mod report;

pub use accel::Accel;
pub use job::{Exit, Expect, File, Kind, Source, USER_CONTEXT, VmJob, VmTest, step};
pub use report::{TestResult, VmReport};

use crate::oracle::Verdict;
use crate::oracle::selinux::Store;
use crate::{Error, Rootfs};
use std::time::Instant;

/// Builds the job's machine, runs it, and judges what it reports. An error means that the job itself is wrong or the
/// machine could not be made; whatever goes wrong inside the machine is in the report.
pub fn run(rootfs: &Rootfs, job: &VmJob) -> Result<VmReport, Error> {
    job.check()?;
    let start = Instant::now();
    let store = Store::new(rootfs)?;
    if job.kind.is_selinux() {
        install(&store, job)?;
    }
    let image = image::build(rootfs, store.layer(), job)?;
    let built = start.elapsed();
    let outcome = qemu::boot(rootfs, &image, job)?;
    Ok(report::judge(job, outcome, built))
}

fn install(store: &Store, job: &VmJob) -> Result<(), Error> {
    match store.install(&job.modules, job.audit_all)? {
        Verdict::Accepted(()) => Ok(()),
        Verdict::Refused(why) => {
            Err(Error::Odd(format!("{}: the store refused the modules: {why}", job.name)))
        }
    }
}
