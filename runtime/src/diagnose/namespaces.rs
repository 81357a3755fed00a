//! What became of the user namespaces that were tried, to why: the kernel has one error for many reasons.

use super::{Check, State, confinement, told};
use crate::survey::{Outcome, Survey};

const WHAT: &str = "user namespaces";
/// Ubuntu's setting, and the profile that an unconfined process is moved to where it is on.
const RESTRICTED: &str = "kernel.apparmor_restrict_unprivileged_userns";
/// A profile that gives one program what the setting takes from all.
const PROFILE: &str = "give the launcher a profile of its own: write `abi <abi/4.0>, profile canc-run /usr/bin/canc-run \
    flags=(unconfined) { userns, }` to /etc/apparmor.d/canc-run and run apparmor_parser -r /etc/apparmor.d/canc-run";

pub(super) fn check(survey: &Survey) -> Check {
    let tried = &survey.user_namespaces;
    if tried.clone.works() && tried.unshare.works() && tried.mount.works() {
        return Check::works(WHAT, "clone, unshare, and a mount inside one");
    }
    if let Outcome::NotTried { .. } = tried.clone {
        return Check::new(WHAT, State::Unknown, told(&tried.clone));
    }
    let steps = [("clone", &tried.clone), ("unshare", &tried.unshare), ("mount inside", &tried.mount)];
    let found: Vec<String> =
        steps.iter().map(|(name, outcome)| format!("{name}: {}", told(outcome))).collect();
    let found = found.join("; ");
    if tried.clone.works() && tried.unshare.works() {
        return without_privilege(survey, Check::new(WHAT, State::Limited, found));
    }
    let failed = if tried.clone.works() { &tried.unshare } else { &tried.clone };
    refused(survey, failed, Check::new(WHAT, State::Missing, found))
}

/// The namespace is there, and nothing can be done in it.
fn without_privilege(survey: &Survey, check: Check) -> Check {
    let inside = survey.user_namespaces.label_inside.as_deref().filter(|label| *label != "unconfined");
    let restricted = survey.user_namespaces.settings.get(RESTRICTED).is_some_and(|value| value != "0");
    match (restricted, inside, confinement(survey)) {
        (true, label, _) => check
            .because(format!(
                "{RESTRICTED} is on: who makes a user namespace without a profile of its own has no capability in it{}",
                label.map(|label| format!(", under the profile {label}")).unwrap_or_default()
            ))
            .mend(PROFILE),
        (false, _, Some(by)) => {
            check.because(format!("{by} refuses the mount")).mend("let its owner permit mounts, or start canc outside of it")
        }
        (false, Some(label), None) => check
            .because(format!("inside, processes are under the AppArmor profile {label}"))
            .mend("permit `mount,` in that profile and load it again"),
        (false, None, None) => check,
    }
}

fn refused(survey: &Survey, outcome: &Outcome, check: Check) -> Check {
    let setting = |name: &str| survey.user_namespaces.settings.get(name).map(String::as_str);
    let (step, errno) = match outcome {
        Outcome::Failed { step, errno } => (step.as_str(), errno.as_str()),
        Outcome::Killed { .. } => return by_confinement(survey, check),
        _ => return check,
    };
    match (step, errno) {
        (_, "ENOENT") if survey.no_proc.is_some() => check
            .because("the maps of a user namespace are written in /proc, which is not mounted")
            .mend("mount -t proc proc /proc, and in a unit or container leave /proc mounted"),
        ("clone" | "unshare", "EINVAL") => check
            .because("the kernel is built without CONFIG_USER_NS")
            .mend("use a kernel with CONFIG_USER_NS=y"),
        (_, "ENOSPC") => check
            .because(format!(
                "the limit of user namespaces is reached (user.max_user_namespaces is {})",
                setting("user.max_user_namespaces").unwrap_or("unknown")
            ))
            .mend(sysctl("user.max_user_namespaces", "15000")),
        (_, "EUSERS") => {
            check.because("user namespaces are nested 32 deep").mend("start canc further outside")
        }
        (_, "EPERM") if setting("kernel.unprivileged_userns_clone") == Some("0") => check
            .because("kernel.unprivileged_userns_clone is 0: only root makes user namespaces")
            .mend(sysctl("kernel.unprivileged_userns_clone", "1")),
        (_, "EACCES")
            if survey.apparmor.is_some() && survey.inherited.apparmor.as_deref() == Some("unconfined") =>
        {
            check.because("AppArmor refuses user namespaces to what has no profile of its own").mend(PROFILE)
        }
        _ => by_confinement(survey, check),
    }
}

fn by_confinement(survey: &Survey, check: Check) -> Check {
    match confinement(survey) {
        Some(by) => check.because(format!("{by} refuses them")).mend(
            "let its owner permit them (AppArmor: `userns,`; SELinux: user_namespace create; a container: its seccomp \
             profile), or start canc outside of it",
        ),
        None => check
            .because("the process may be in a chroot, whose root is not that of its mount namespace")
            .mend("start canc outside of it, or by pivot_root(2) instead of chroot(2)"),
    }
}

/// A setting, now and after every boot.
fn sysctl(name: &str, value: &str) -> String {
    format!("echo '{name} = {value}' > /etc/sysctl.d/60-canc.conf && sysctl --system")
}
