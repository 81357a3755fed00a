//! Limits that need a cgroup: set where the caller's own is its to divide, and refused where it is not.

use crate::Error;
use crate::policy::{Layers, Tools};
use crate::vm::{Exit, VmJob, VmTest};

const SOURCE: &str = include_str!("../../../cases/limits/limits.can");
/// The limits that the shell finds on its own cgroup.
const OWN: &str = "p=; while read -r l; do case $l in 0::*) p=/sys/fs/cgroup${l#0::};; esac; done </proc/self/cgroup; \
                   for f in memory.max memory.swap.max pids.max cpu.max; do read -r l <$p/$f; echo $f $l; done; echo $p";
/// More than the limit holds, as one line that tail(1) keeps.
const HUNGRY: &str = "echo \"counted [$(head -c 150000000 /dev/zero | tail -c 120000000 | wc -c)]\"";
const MANY: &str = "n=0; while [ $n -lt 40 ]; do sleep 2 & n=$((n+1)); done; echo started $n";
/// A cgroup of an ordinary user's, as a service manager delegates one.
const DELEGATED: &str = "cd /sys/fs/cgroup; echo '+memory +pids +cpu' >cgroup.subtree_control; mkdir user; \
                         chown 1000 user user/cgroup.procs user/cgroup.subtree_control";

/// With seccomp alone, on a machine whose root cgroup is root's to divide.
pub fn job(tools: &Tools) -> Result<VmJob, Error> {
    let mut job = VmJob::new("limits of a cgroup", "debian13-none")?;
    let policy = tools.compile("limits", SOURCE, Layers::Only("seccomp"))?;
    job.files = policy.files()?;
    job.files.push(tools.launcher_file());
    let shell = |name: &str, script| VmTest::launch(name, policy.launch(&["/usr/bin/dash", "-c", script]));
    let bare = |name: &str, script| VmTest::new(name, &["/usr/bin/dash", "-c", script]);
    let own = |test: VmTest| {
        ["memory.max 67108864", "memory.swap.max 0", "pids.max 12", "cpu.max 50000 100000", "/canc-"]
            .into_iter()
            .fold(test, VmTest::stdout)
    };
    // From a cgroup of the user's, with or without another process in it.
    let delegated = |name: &str, before: &str| {
        let launch = policy.launch(&["/usr/bin/dash", "-c", OWN]);
        let words = launch.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" ");
        let user = "setpriv --reuid 1000 --regid 1000 --clear-groups";
        let script = format!("echo $$ >/sys/fs/cgroup/user/cgroup.procs; {before} exec {user} {words}");
        VmTest::new(name, &["/usr/bin/dash", "-c", &script])
    };
    let refused = |test: VmTest| test.exit(Exit::Code(125));
    job.tests.extend([
        own(shell("limits: as declared", OWN)),
        bare("no limits: memory", HUNGRY).stdout("counted [120000000]"),
        shell("limits: memory", HUNGRY).stdout("counted [0]"),
        bare("no limits: processes", MANY).stdout("started 40"),
        shell("limits: processes", MANY).exit(Exit::Code(2)).stderr("Cannot fork"),
        shell("limits: nothing is left behind", "set -- /sys/fs/cgroup/canc-*; echo there are $#")
            .stdout("there are 1\n"),
        refused(shell("limits: not the user's cgroup", OWN).uid(1000, 1000))
            .stderr("is not the caller's to make others below")
            .stderr("systemd-run --scope -p Delegate=yes"),
        VmTest::launch("delegate a cgroup", vec!["/usr/bin/dash".into(), "-c".into(), DELEGATED.into()]),
        refused(delegated("limits: not alone in the user's cgroup", "sleep 3 &"))
            .stderr("has other processes"),
        own(delegated("limits: the user's cgroup", "sleep 4;")).stdout("/user/canc-"),
    ]);
    Ok(job)
}
