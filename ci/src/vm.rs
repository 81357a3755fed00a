//! A job to a report, by way of a machine that is built, booted and ended for it.
//!
//! It must not know what the tests are about; what they expect is part of the job.

mod accel;
mod guest;
mod here;
mod image;
mod job;
mod qemu;
mod report;

pub use accel::Accel;
pub use guest::{build as build_static, build_program};
pub use here::run as run_here;
pub use job::{Among, Exit, Expect, File, Kind, Source, USER_CONTEXT, VmJob, VmTest, step};
pub use report::{TestResult, VmReport};

use crate::oracle::Verdict;
use crate::oracle::selinux::Store;
use crate::{Error, Rootfs};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// Builds the job's machine, runs it, and judges what it reports. An error means that the job itself is wrong or the
/// machine could not be made; whatever goes wrong inside the machine is in the report.
pub fn run(rootfs: &Rootfs, job: &VmJob) -> Result<VmReport, Error> {
    let job = &job.with_kind();
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

/// As many machines at a time as the development machine has processors.
const AT_ONCE: usize = 2;

/// Runs several jobs side by side, to one report per job, in order.
pub fn run_all(rootfs: &Rootfs, jobs: &[VmJob]) -> Result<Vec<VmReport>, Error> {
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(job) = jobs.get(at) else { return done };
            done.push((at, run(rootfs, job)));
        }
    };
    let mut results: Vec<_> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().filter_map(|worker| worker.join().ok()).flatten().collect()
    });
    if results.len() != jobs.len() {
        return Err(Error::Odd("a machine's thread panicked".to_owned()));
    }
    results.sort_by_key(|(at, _)| *at);
    results.into_iter().map(|(_, result)| result).collect()
}

fn install(store: &Store, job: &VmJob) -> Result<(), Error> {
    match store.install(&job.modules, job.audit_all)? {
        Verdict::Accepted(()) => Ok(()),
        Verdict::Refused(why) => {
            Err(Error::Odd(format!("{}: the store refused the modules: {why}", job.name)))
        }
    }
}
