//! Two runs of one policy under SELinux, with and without `separate instances`: what one run makes is closed to the next, pipes keep
//! working although they carry the caller's categories, and a caller without categories is refused.

use crate::Error;
use crate::Rootfs;
use crate::oracle::selinux::Store;
use crate::policy::{Compiled, LAUNCHER, Layers, Tools};
use crate::vm::{Exit, File, VmJob, VmTest};

const SOURCE: &str = include_str!("../../../cases/instances/instances.can");
/// An ordinary login, whose pipes carry all of its categories.
const LOGIN: &str = "unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c1023";

/// A launch of a policy of the bundle from a login, with words on standard input.
fn launch(name: &str, bundle: &Compiled, policy: &str, argv: &[&str]) -> VmTest {
    let bundle = bundle.bundle();
    let words = [LAUNCHER, &bundle, "--policy", policy, "--"].into_iter().chain(argv.iter().copied());
    let mut test = VmTest::launch(name, words.map(str::to_owned).collect()).context(LOGIN);
    test.step.stdin = "words of a run\n".to_owned();
    test
}

/// The machine.
pub fn job(rootfs: &Rootfs, tools: &Tools) -> Result<VmJob, Error> {
    let bundle = tools.compile("instances", SOURCE, Layers::All)?;
    let mut job = VmJob::new("separate instances", "debian13-selinux")?;
    job.files = vec![
        tools.launcher_file(),
        super::libselinux::launcher_file(tools),
        File::directory("/srv/shared"),
        File::directory("/srv/apart"),
    ];
    job.files.extend(bundle.files()?);
    job.modules = bundle.modules(&Store::new(rootfs)?)?;
    let tee = |name: &str, policy: &str, file: &str| launch(name, &bundle, policy, &["/usr/bin/tee", file]);
    let cat = |name: &str, policy: &str, file: &str| launch(name, &bundle, policy, &["/usr/bin/cat", file]);
    let many =
        format!("head -c 3000000 /dev/zero | {LAUNCHER} {} --policy apart -- cat | wc -c", bundle.bundle());
    let bare = "echo $(runcon -t canc__apart_t -l s0:c1,c2 /usr/bin/cat /etc/hostname | wc -c) bytes";
    let mut reported =
        launch("apart: the report names what is handed on", &bundle, "apart", &["/usr/bin/cat"]);
    reported.step.argv.splice(1..1, ["--report".to_owned(), "text".to_owned()]);
    job.tests = vec![
        tee("together: a run writes", "shared", "/srv/shared/one").stdout("words of a run"),
        cat("together: the next reads it", "shared", "/srv/shared/one").stdout("words of a run"),
        tee("apart: a run writes, and its pipes work", "apart", "/srv/apart/one").stdout("words of a run"),
        VmTest::new("apart: what it wrote carries its categories", &["/usr/bin/ls", "-Z", "/srv/apart/one"])
            .context(LOGIN)
            .stdout("canc__apart__data_t:s0:c"),
        VmTest::new("apart: its caller reads it", &["/usr/bin/cat", "/srv/apart/one"])
            .context(LOGIN)
            .stdout("words of a run"),
        cat("apart: the next run may not read it", "apart", "/srv/apart/one")
            .exit(Exit::Code(1))
            .stderr("Permission denied")
            .audit(&["avc:", "denied", "{ read }", "canc__apart_t:s0:c", "tclass=file", "permissive=0"]),
        tee("apart: the next run may not write it", "apart", "/srv/apart/one")
            .exit(Exit::Code(1))
            .stderr("Permission denied"),
        // Without another process in between the caller's pipe is closed to a run.
        VmTest::new("apart: the caller's pipe itself is closed", &["/bin/sh", "-c", bare])
            .context(LOGIN)
            .stdout("0 bytes")
            .audit(&["avc:", "denied", "canc__apart_t:s0:c1,c2", "tclass=fifo_file", "permissive=0"]),
        reported.stderr("another process hands on the data of descriptors 0, 1, 2"),
        cat("apart: own label", "apart", "/proc/self/attr/current").stdout("canc__apart_t:s0:c"),
        VmTest::new("apart: much data comes through", &["/bin/sh", "-c", &many])
            .context(LOGIN)
            .stdout("3000000"),
        cat("apart: a caller without categories", "apart", "/srv/apart/one")
            .context(crate::vm::USER_CONTEXT)
            .exit(Exit::Code(125))
            .stderr("has no two categories"),
    ];
    // The run's sockets are labelled by the library too.
    let label = launch("", &bundle, "apart", &["/usr/bin/cat", "/proc/self/attr/current"]);
    let label = super::libselinux::launch("apart by libselinux: own label", label.step.argv).context(LOGIN);
    job.tests.push(label.stdout("canc__apart_t:s0:c"));
    Ok(job)
}
