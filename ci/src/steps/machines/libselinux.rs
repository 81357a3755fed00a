//! `canc-run` built with the feature `libselinux`: the library answers as selinuxfs does, and its calls are what labels a run.

use super::{PERMITTED, REFUSED};
use crate::policy::{Compiled, Tools};
use crate::vm::{Exit, File, VmJob, VmTest};

const LAUNCHER: &str = "/usr/local/bin/canc-run-libselinux";
const ANSWERS: &str = "/usr/local/bin/selinux-answers";
/// Of the policy, of the base, with levels, without a role for the type, and of no policy at all.
const CONTEXTS: [&str; 10] = [
    "unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c1023",
    "unconfined_u:unconfined_r:canc__cat_t:s0",
    "system_u:system_r:init_t:s0",
    "system_u:system_r:canc__cat_t:s0",
    "system_u:object_r:shadow_t:s0",
    "system_u:object_r:bin_t:s0",
    "system_u:object_r:etc_t:s0:c1,c2",
    "system_u:object_r:nonesuch_t:s0",
    "nobody_knows",
    "",
];

/// The launcher as a file of a machine.
pub fn launcher_file(tools: &Tools) -> File {
    File::program(LAUNCHER, tools.with_libselinux())
}

/// The words of a launch, by the launcher of this build.
pub fn launch(name: &str, mut argv: Vec<String>) -> VmTest {
    if let Some(first) = argv.first_mut() {
        LAUNCHER.clone_into(first);
    }
    VmTest::launch(name, argv)
}

/// Adds the tests to a machine in which the module of `only` is loaded.
pub fn add(tools: &Tools, only: &Compiled, denied: &[&str], job: &mut VmJob) {
    job.files.extend([launcher_file(tools), File::program(ANSWERS, tools.selinux_answers())]);
    let cat = |name: &str, file| launch(&format!("libselinux: {name}"), only.launch(&["/usr/bin/cat", file]));
    let words = [ANSWERS].into_iter().chain(CONTEXTS).collect::<Vec<_>>();
    let permissive = format!(
        "setenforce 0; {LAUNCHER} {} -- /usr/bin/cat {PERMITTED}; code=$?; setenforce 1; exit $code",
        only.bundle()
    );
    job.tests.extend([
        VmTest::new("libselinux: answers as selinuxfs does", &words).stdout(" 0 differ"),
        cat("permitted read", PERMITTED).stdout("permitted words"),
        cat("another read", REFUSED).exit(Exit::Code(1)).stderr("Permission denied").audit(denied),
        cat("own label", "/proc/self/attr/current").stdout("unconfined_u:unconfined_r:canc__cat_t:s0"),
        VmTest::new("libselinux: permissive host", &["/bin/sh", "-c", &permissive])
            .exit(Exit::Code(125))
            .stderr("the host is permissive"),
        cat("a role without the type", PERMITTED)
            .context("system_u:system_r:initrc_t:s0")
            .exit(Exit::Code(125))
            .stderr("is not valid"),
    ]);
}
