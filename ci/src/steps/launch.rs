//! What a launch does besides loading layers, where only a machine shows it: limits of a cgroup, and labels inside of namespaces.

mod inside;
mod limits;

use super::ensure;
use crate::policy::Tools;
use crate::vm;
use crate::{Error, Rootfs};

/// All machines, two at a time.
pub fn run(rootfs: &Rootfs) -> Result<(), Error> {
    let tools = Tools::build(rootfs)?;
    let jobs = [inside::selinux(rootfs, &tools)?, inside::apparmor(&tools)?, limits::job(&tools)?];
    let mut good = true;
    for report in vm::run_all(rootfs, &jobs)? {
        print!("{report}");
        good &= report.is_good();
    }
    ensure(good, || "not every machine behaved as expected".to_owned())
}
