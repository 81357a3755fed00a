//! Ubuntu's restriction of user namespaces, both halves: a caller who may make none, and one whose new namespace has no capabilities. To
//! each of them a program's own profile by canc gives back what its policy says, and nothing more.

use crate::Error;
use crate::policy::{Layers, Tools};
use crate::vm::{self, Exit, File, VmJob, VmTest};

const SOURCE: &str = include_str!("../../../cases/userns/userns.can");
/// The probe under a name that no policy attaches to.
const PROBE: &str = "/usr/local/bin/canc-probe";
/// Under the names that the policies attach to.
const ATTACHED: [&str; 3] = ["/usr/local/bin/spaces", "/usr/local/bin/alone", "/usr/local/bin/none"];
/// `CLONE_NEWUSER`, and with `CLONE_NEWNS`, which takes CAP_SYS_ADMIN in the new namespace.
const USER: &str = "0x10000000";
const MOUNT: &str = "0x10020000";
/// The profiles of `ci/vm/ubuntu-userns.toml`.
const NO_USERNS: &str = "no_userns";
const UNPRIVILEGED: &str = "unprivileged_userns";

/// A user's program that asks for namespaces, started by somebody confined.
fn asks(name: &str, caller: &str, program: &str, flags: &str) -> VmTest {
    // The shell is the caller: what it starts enters a profile of its own, where there is one.
    let line = format!("{program} unshare {flags}; exit $?");
    VmTest::new(name, &["/usr/bin/aa-exec", "-p", caller, "--", "/bin/sh", "-c", &line]).uid(1000, 1000)
}

fn refused(test: VmTest, error: &str, record: &[&str]) -> VmTest {
    test.exit(Exit::Code(1)).stdout(error).audit(record)
}

/// The machine.
pub fn job(tools: &Tools) -> Result<VmJob, Error> {
    let compiled = tools.compile("userns", SOURCE, Layers::All)?;
    let mut job = VmJob::new("Ubuntu's user namespaces", "ubuntu-userns")?;
    let probe = vm::build_program("canc-probe", "canc-probe")?;
    job.files.extend([PROBE].iter().chain(&ATTACHED).map(|to| File::program(to, &probe)));
    job.files.extend(compiled.profiles());
    job.setup.extend(compiled.load_profiles());
    let [spaces, alone, none] = ATTACHED;
    let denied = |profile, operation| ["apparmor=\"DENIED\"", profile, operation];
    let create = "operation=\"userns_create\"";
    let capable =
        |profile| ["apparmor=\"DENIED\"", profile, "operation=\"capable\"", "capname=\"sys_admin\""];
    job.tests = vec![
        VmTest::new("nobody confines the caller: both", &[PROBE, "unshare", MOUNT]).uid(1000, 1000),
        refused(
            asks("first half: no user namespace", NO_USERNS, PROBE, USER),
            "EACCES",
            &denied("profile=\"no_userns\"", create),
        ),
        asks("first half: given back by the policy", NO_USERNS, spaces, USER).no_audit(&["DENIED"]),
        asks("first half: with its capability", NO_USERNS, spaces, MOUNT).no_audit(&["DENIED"]),
        refused(
            asks("first half: a policy without it", NO_USERNS, none, USER),
            "EACCES",
            &denied("profile=\"canc.none\"", create),
        ),
        asks("second half: a user namespace", UNPRIVILEGED, PROBE, USER).no_audit(&["userns_create"]),
        refused(
            asks("second half: without capabilities", UNPRIVILEGED, PROBE, MOUNT),
            "EPERM",
            &capable("profile=\"unprivileged_userns\""),
        ),
        asks("second half: given back by the policy", UNPRIVILEGED, spaces, MOUNT).no_audit(&["DENIED"]),
        asks("second half: a policy with the namespace alone", UNPRIVILEGED, alone, USER)
            .no_audit(&["DENIED"]),
        refused(
            asks("second half: and no capability in it", UNPRIVILEGED, alone, MOUNT),
            "EPERM",
            &capable("profile=\"canc.alone\""),
        ),
        refused(
            asks("second half: a policy without either", UNPRIVILEGED, none, USER),
            "EACCES",
            &denied("profile=\"canc.none\"", create),
        ),
        VmTest::new(
            "no more than the policy says",
            &[
                "/usr/bin/aa-exec",
                "-p",
                NO_USERNS,
                "--",
                "/bin/sh",
                "-c",
                &format!("{spaces} read /etc/fstab; exit $?"),
            ],
        )
        .exit(Exit::Code(1))
        .stdout("EACCES")
        .audit(&["apparmor=\"DENIED\"", "profile=\"canc.spaces\"", "operation=\"open\""]),
    ];
    Ok(job)
}
