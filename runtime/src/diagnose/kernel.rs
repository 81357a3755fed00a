//! What every kernel of today offers: `/proc`, seccomp, Landlock; and what this process runs under already.

use super::{Check, State, command_line, confinement, errno, lsm_with, told};
use crate::survey::{Outcome, Survey};

pub(super) fn checks(survey: &Survey) -> Vec<Check> {
    let mut checks = vec![process(survey)];
    if let Some(why) = &survey.no_proc {
        checks.push(
            Check::new("/proc", State::Missing, why)
                .because("labels, namespaces and the facts below are read and written there")
                .mend("mount -t proc proc /proc, and in a unit or container leave /proc mounted"),
        );
    }
    checks.extend([seccomp(survey), landlock(survey)]);
    checks
}

fn process(survey: &Survey) -> Check {
    const WHAT: &str = "this process";
    if let Outcome::NotTried { why } = &survey.child {
        let check = Check::new(WHAT, State::Missing, format!("it cannot start a child process: {why}"));
        return match (why.as_str(), confinement(survey)) {
            ("clone: EAGAIN", _) => check
                .because("the limit of processes (RLIMIT_NPROC, or pids.max of the control group) is reached")
                .mend("raise it in /etc/security/limits.d/, or by TasksMax= of the unit, and log in again"),
            (_, Some(by)) => {
                check.because(format!("{by} may refuse it")).mend("run canc doctor outside of it")
            }
            _ => check,
        };
    }
    match confinement(survey) {
        None if survey.inherited.own_user_namespace => Check::new(
            WHAT,
            State::Limited,
            "it is in a user namespace of its own, as in a container",
        )
        .because("profiles and modules are loaded by root of the first user namespace alone")
        .mend("run canc doctor and load policies on the host itself"),
        None => Check::works(WHAT, "nothing confines it"),
        Some(by) => Check::new(WHAT, State::Limited, format!("it runs under {by}"))
            .because(format!(
                "somebody else's policy confines it{}: what that refuses, every program started here is refused too",
                if survey.inherited.no_new_privs { ", and no_new_privs is set" } else { "" }
            ))
            .mend("run it from a login shell or a unit of its own; in a container, start that with less confinement"),
    }
}

fn seccomp(survey: &Survey) -> Check {
    const WHAT: &str = "seccomp";
    let tried = &survey.seccomp.filter;
    if tried.works() {
        let lacking: Vec<&str> = [(survey.seccomp.log, "log"), (survey.seccomp.kill_process, "kill_process")]
            .into_iter()
            .filter_map(|(has, word)| (!has).then_some(word))
            .collect();
        return if lacking.is_empty() {
            Check::works(WHAT, "a filter was loaded and refused a call; log and kill_process are there")
        } else {
            Check::new(WHAT, State::Limited, format!("a filter was loaded; no action {}", lacking.join(", ")))
                .because("the kernel is older than 4.14")
                .mend("use Linux 4.14 or later; without it `mode complain` and `with kill` do not work")
        };
    }
    let check = match inconclusive(WHAT, tried) {
        Ok(check) => return check,
        Err(check) => check,
    };
    match (errno(tried), confinement(survey)) {
        (Some("EINVAL" | "ENOSYS"), None) => check
            .because("the kernel is built without CONFIG_SECCOMP_FILTER")
            .mend("use a kernel with CONFIG_SECCOMP_FILTER=y"),
        (_, Some(by)) => check
            .because(format!("{by} refuses it"))
            .mend("let its owner permit seccomp(2) and prctl(2), or start canc outside of it"),
        _ => check,
    }
}

/// The whole check where a trial did not show what the kernel does, and its beginning where it did.
fn inconclusive(what: &str, tried: &Outcome) -> Result<Check, Check> {
    let check = Check::new(what, State::Missing, told(tried));
    match tried {
        Outcome::NotTried { .. } => Ok(Check { state: State::Unknown, ..check }),
        Outcome::WithoutEffect => Ok(check
            .because("something between canc and the kernel answers in its place, as some sandboxes do")
            .mend("run canc on the host itself")),
        _ => Err(check),
    }
}

fn landlock(survey: &Survey) -> Check {
    const WHAT: &str = "landlock";
    let (abi, tried) = (survey.landlock.abi, &survey.landlock.ruleset);
    if tried.works() {
        let check = Check::works(WHAT, format!("ABI {abi}; a ruleset refused a directory"));
        let lacks = match abi {
            ..=2 => "truncation, TCP ports, devices, signals and abstract sockets",
            3 => "TCP ports, devices, signals and abstract sockets",
            4 => "devices, signals and abstract sockets",
            5 => "signals and abstract sockets",
            _ => return check,
        };
        return Check { state: State::Limited, ..check }
            .because(format!("ABI {abi} does not know {lacks}"))
            .mend("use Linux 6.12 or later for ABI 6");
    }
    let check = match inconclusive(WHAT, tried) {
        Ok(check) => return check,
        Err(check) => check,
    };
    match (errno(tried), confinement(survey)) {
        (Some("EOPNOTSUPP"), _) => check
            .because("the kernel has it, and its command line does not switch it on")
            .mend(command_line(&lsm_with(survey, WHAT))),
        (Some("ENOSYS"), None) => check
            .because("the kernel is older than 5.13 or built without CONFIG_SECURITY_LANDLOCK")
            .mend("use a kernel of Linux 6.12 or later with CONFIG_SECURITY_LANDLOCK=y"),
        (_, Some(by)) => check
            .because(format!("{by} may refuse it"))
            .mend("let its owner permit the landlock_ calls, or start canc outside of it"),
        _ => check,
    }
}
