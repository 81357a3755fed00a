//! A job to a report without a machine: on this machine's own kernel, in a private layer over the root file system.
//!
//! It must not know what the tests are about. Nobody listens to audit records here, so none are expected; everything else is.

use super::image;
use super::job::VmJob;
use super::qemu::Outcome;
use super::report::{self, VmReport};
use crate::rootfs::Layer;
use crate::run::Output;
use crate::{Error, Rootfs};
use canc_guest::{Event, Hello, Ran, Step};
use std::time::{Duration, Instant};

/// Performs the set-up and the tests one after the other, each with all of its processes gone at its end.
pub fn run(rootfs: &Rootfs, job: &VmJob) -> Result<VmReport, Error> {
    job.check()?;
    let start = Instant::now();
    let layer = rootfs.layer()?;
    image::install(&layer, job.files.iter())?;
    let built = start.elapsed();
    let mut events = vec![Event::Hello(hello()?)];
    for step in &job.setup {
        events.push(Event::Setup(perform(&layer, step)?));
    }
    for test in &job.tests {
        events.push(Event::Test(perform(&layer, &test.step)?));
    }
    let outcome = Outcome {
        accel: None,
        events,
        fault: None,
        console: String::new(),
        boot: Duration::ZERO,
        took: start.elapsed(),
    };
    let mut unrecorded = job.clone();
    unrecorded.name.push_str(", on this kernel");
    for test in &mut unrecorded.tests {
        test.expect.audit.clear();
        test.expect.among = None;
    }
    Ok(report::judge(&unrecorded, outcome, built))
}

fn hello() -> Result<Hello, Error> {
    let file = "/proc/sys/kernel/osrelease";
    let kernel = std::fs::read_to_string(file).map_err(Error::io("reading", file))?;
    Ok(Hello { kernel: kernel.trim().to_owned(), ..Hello::default() })
}

fn perform(layer: &Layer, step: &Step) -> Result<Ran, Error> {
    if (step.user.uid, step.user.gid) != (0, 0) {
        return Err(Error::Odd(format!("{}: only root's steps run without a machine", step.name)));
    }
    let limit = Duration::from_secs(step.seconds.into());
    let run = layer.run("env").args(["-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"]);
    let run = step.env.iter().fold(run, |run, (name, value)| run.arg(format!("{name}={value}")));
    match run.args(&step.argv).input(step.stdin.as_str()).limit(limit).output() {
        Ok(output) => Ok(ran(step, &output)),
        Err(Error::Slow { .. }) => {
            Ok(Ran { name: step.name.clone(), timed_out: true, signal: Some(9), ..Ran::default() })
        }
        Err(other) => Err(other),
    }
}

/// A shell's way of telling a signal is all that comes through the namespaces.
fn ran(step: &Step, output: &Output) -> Ran {
    let signal = (output.code > 128).then_some(output.code - 128);
    Ran {
        name: step.name.clone(),
        code: signal.is_none().then_some(output.code),
        signal,
        stdout: output.text(),
        stderr: output.errors(),
        ms: u64::try_from(output.took.as_millis()).unwrap_or(u64::MAX),
        ..Ran::default()
    }
}
