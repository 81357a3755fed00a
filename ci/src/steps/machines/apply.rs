//! `canc apply` with the owners' real tools: programs are confined by the policy's name, what is changed by hand is seen, nothing runs
//! unconfined while profiles are replaced, and after `canc remove` the machine is what it was, byte for byte.

use super::{PERMITTED, REFUSED, SOURCE};
use crate::Error;
use crate::policy::{Compiled, LAUNCHER, Layers, Tools};
use crate::vm::{Exit, File, VmJob, VmTest};

const CANC: &str = "/usr/local/bin/canc";
/// Seconds that a command may take which compiles the module store, twice, on an emulated processor.
const TRANSACTION: u32 = 900;
/// Everything that an apply may touch but its own store: names, modes, owners, contents, labels; profiles of the kernel; modules.
/// The module store is written anew by each transaction of semodule, whose caller's SELinux user its files then carry; it counts its
/// transactions, has locks, and keeps the empty directory of a priority that had modules.
const EVERYTHING: &str = "find /etc/apparmor.d /srv -printf '%p %m %U %G %Z\\n' | sort; \
    find /etc/selinux /var/lib/selinux ! -name commit_num ! -name '*.LOCK' ! -name 400 -printf '%p %m %U %G\\n' 2>/dev/null | sort; \
    find /etc/apparmor.d /etc/selinux /var/lib/selinux /srv -type f ! -name commit_num ! -name 'semanage.*.LOCK' 2>/dev/null \
    | sort | xargs -d '\\n' sha256sum; sort /sys/kernel/security/apparmor/profiles 2>/dev/null; semodule -lfull 2>/dev/null; true";

/// What the distribution's service does at boot, where the kernel runs AppArmor.
const BOOT: &str = "[ ! -d /sys/kernel/security/apparmor ] || /usr/lib/apparmor/apparmor.systemd reload > /dev/null || exit 9";

fn shell(name: &str, line: &str) -> VmTest {
    let mut test = VmTest::launch(name, ["/bin/sh", "-c", line].map(str::to_owned).into());
    test.step.seconds = TRANSACTION;
    test
}

/// `canc WORDS`.
fn canc(name: &str, words: &str) -> VmTest {
    shell(name, &format!("{CANC} {words}"))
}

/// `canc-run cat -- cat FILE`: by the name of the policy, from wherever the caller is.
fn cat(name: &str, file: &str) -> VmTest {
    VmTest::launch(name, [LAUNCHER, "cat", "--", "/usr/bin/cat", file].map(str::to_owned).into())
}

fn job(name: &str, kind: &str, tools: &Tools, bundles: &[&Compiled]) -> Result<VmJob, Error> {
    let mut job = VmJob::new(name, kind)?;
    job.files = vec![
        tools.launcher_file(),
        File::program(CANC, tools.canc()),
        File::directory("/srv/x"),
        File::text(PERMITTED, "permitted words\n"),
        File::directory("/srv/other"),
        File::text(REFUSED, "refused words\n"),
    ];
    for bundle in bundles {
        job.files.extend(bundle.files()?);
    }
    Ok(job)
}

/// From nothing to confined runs by name.
fn installs(bundle: &str, denied: &[&str]) -> Vec<VmTest> {
    vec![
        // As after a boot: with the profiles of the distribution.
        shell("before", &format!("{BOOT}; ({EVERYTHING}) > /root/before; wc -l < /root/before")),
        canc("nothing is installed", "status").stdout("no policy is installed"),
        cat("not applied: the name means nothing", PERMITTED).exit(Exit::Code(125)).stderr("cannot open it"),
        canc("an ordinary user may not apply", &format!("apply {bundle}"))
            .uid(1000, 1000)
            .exit(Exit::Code(4))
            .stderr("run: sudo"),
        canc("apply", &format!("apply {bundle}")).stdout("done"),
        cat("applied: permitted read", PERMITTED).stdout("permitted words"),
        cat("applied: another read", REFUSED).exit(Exit::Code(1)).stderr("Permission denied").audit(denied),
        cat("applied: another read of a user", REFUSED)
            .uid(1000, 1000)
            .exit(Exit::Code(1))
            .stderr("Permission denied")
            .audit(denied),
        canc("status", "status").stdout("installed"),
        canc("an apply that changes nothing", &format!("apply {bundle}")).stdout("nothing to change"),
    ]
}

/// Back to the machine as it was, with what differs on standard output.
fn removes() -> Vec<VmTest> {
    vec![
        canc("remove", "remove cat").stdout("done"),
        shell(
            "the machine is as it was",
            &format!("({EVERYTHING}) > /root/after; diff /root/before /root/after && echo the same"),
        )
        .stdout("the same"),
        cat("removed: the name means nothing", PERMITTED).exit(Exit::Code(125)).stderr("cannot open it"),
    ]
}

/// Replaces one version by the other so many times, during at least so many runs. Each run reads what both versions permit, and what
/// neither does: one that is not confined prints that too. Between the profile and the switch to its bundle a launch is refused.
fn replaced_during_runs(one: &str, two: &str, replacements: u32, runs: u32) -> String {
    let run = format!("{LAUNCHER} cat -- /usr/bin/cat {PERMITTED} {REFUSED} 2>/dev/null");
    format!(
        "(n=0; for i in $(seq {half}); do {CANC} apply {two} && {CANC} apply {one} && n=$((n+2)); done; echo $n replacements \
         > /root/replaced) > /root/said & \
         all=0; ran=0; refused=0; free=0; odd=0; while kill -0 $! 2>/dev/null || [ $all -lt {runs} ]; do \
         said=$({run}); code=$?; all=$((all+1)); case $said/$code in *refused*) free=$((free+1)) ;; \
         'permitted words/1') ran=$((ran+1)) ;; /125) refused=$((refused+1)) ;; *) odd=$((odd+1)) ;; esac; done; wait $!; \
         cat /root/replaced; echo $free unconfined; echo $odd odd; [ $ran -gt $refused ] && echo most ran confined; \
         echo $all runs, $refused refused >&2",
        half = replacements / 2
    )
}

fn versions(tools: &Tools) -> Result<(Compiled, Compiled), Error> {
    let other = SOURCE.replace("/srv/x/**", "/srv/{x,y}/**");
    let only = Layers::Only("apparmor");
    Ok((tools.compile("cat", SOURCE, only)?, tools.compile("other", &other, only)?))
}

/// A thousand runs during two hundred replacements.
pub fn replacements(tools: &Tools) -> Result<VmJob, Error> {
    let (one, two) = versions(tools)?;
    let mut job = job("canc apply during runs", "debian13-apparmor", tools, &[&one, &two])?;
    let (one, two) = (one.bundle(), two.bundle());
    job.tests = vec![
        shell("unconfined, the program reads both", &format!("cat {PERMITTED} {REFUSED}"))
            .stdout("refused words"),
        canc("apply", &format!("apply {one}")).stdout("done"),
        shell("profiles are replaced during runs", &replaced_during_runs(&one, &two, 200, 1000))
            .stdout("200 replacements\n0 unconfined\n0 odd\nmost ran confined\n"),
    ];
    Ok(job)
}

/// AppArmor.
pub fn apparmor(tools: &Tools) -> Result<VmJob, Error> {
    let (only, other) = versions(tools)?;
    let mut job = job("canc apply under AppArmor", "debian13-apparmor", tools, &[&only, &other])?;
    let (one, two) = (only.bundle(), other.bundle());
    let denied = ["apparmor=\"DENIED\"", "profile=\"canc.cat\"", REFUSED];
    job.tests = installs(&one, &denied);
    job.tests.extend([
        shell("profiles are replaced during runs", &replaced_during_runs(&one, &two, 12, 20))
            .stdout("12 replacements\n0 unconfined\n0 odd\nmost ran confined\n"),
        shell(
            "where the kernel's profiles are hidden, nothing is done",
            &format!(
                "unshare -m sh -c 'umount -l /sys/kernel/security; {CANC} apply {two}; code=$?; exit $code'"
            ),
        )
        .exit(Exit::Code(4))
        .stderr("mount -t securityfs"),
        shell(
            "changed by hand is seen",
            &format!("apparmor_parser -C -r /etc/apparmor.d/canc.cat; {CANC} status"),
        )
        .exit(Exit::Code(1))
        .stdout("complain mode, not enforce"),
        canc("and mended", &format!("apply {one}")).stdout("done"),
        cat("mended: another read", REFUSED).exit(Exit::Code(1)).audit(&denied),
        shell("loaded again as at boot, it is still what canc installed", &format!("{BOOT}; {CANC} status"))
            .stdout("apparmor  installed"),
        canc("remove, to go back to it", "remove cat").stdout("done"),
        canc("back to it", "rollback").stdout("done"),
        cat("back: another read", REFUSED).exit(Exit::Code(1)).audit(&denied),
    ]);
    job.tests.extend(removes());
    Ok(job)
}

/// SELinux: two transactions, since each takes minutes where the processor is emulated.
pub fn selinux(tools: &Tools) -> Result<VmJob, Error> {
    let only = tools.compile("cat", SOURCE, Layers::Only("selinux"))?;
    let mut job = job("canc apply under SELinux", "debian13-selinux", tools, &[&only])?;
    job.tests = installs(&only.bundle(), &["avc:", "denied", "canc__cat_t", "tclass=file", "permissive=0"]);
    job.tests.push(
        shell(
            "permissive is seen",
            &format!("setenforce 0; {CANC} status; code=$?; setenforce 1; exit $code"),
        )
        .exit(Exit::Code(1))
        .stdout("permissive"),
    );
    job.tests.extend(removes());
    Ok(job)
}
