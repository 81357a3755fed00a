//! What became of the control group that was tried, to whether `limit memory`, `processes` and `cpu` can be set.

use super::{Check, State, command_line, told};
use crate::survey::Survey;

/// What the limits of the language need.
const NEEDED: [&str; 3] = ["cpu", "memory", "pids"];

pub(super) fn check(survey: &Survey) -> Check {
    const WHAT: &str = "control groups";
    let groups = &survey.cgroup;
    let Some(mounted) = &groups.mounted else {
        return Check::new(WHAT, State::Missing, "no hierarchy of version 2 is mounted")
            .because("the host uses version 1, or this is a container without them")
            .mend(command_line("systemd.unified_cgroup_hierarchy=1"));
    };
    let own = groups.own.as_deref().unwrap_or("/");
    let lacking = |have: &[String]| {
        NEEDED.into_iter().filter(|need| !have.iter().any(|c| c == need)).collect::<Vec<_>>()
    };
    let absent = lacking(&groups.controllers);
    if !absent.is_empty() {
        let check = Check::new(
            WHAT,
            if absent.len() == NEEDED.len() { State::Missing } else { State::Limited },
            format!("{own} in {mounted} has no controller {}", absent.join(", ")),
        );
        return if own == "/" && absent.len() == NEEDED.len() {
            check
                .because("version 1 has taken the controllers")
                .mend(command_line("systemd.unified_cgroup_hierarchy=1"))
        } else {
            check.because("they are not handed down to this group").mend(delegate(survey))
        };
    }
    if !groups.delegated.works() {
        return Check::new(WHAT, State::Missing, format!("below {own}: {}", told(&groups.delegated)))
            .because("the group is not delegated to this user")
            .mend(delegate(survey));
    }
    let absent = lacking(&groups.handed_down);
    if absent.is_empty() {
        return Check::works(WHAT, format!("a group below {own} took a process; cpu, memory, pids"));
    }
    Check::new(
        WHAT,
        State::Limited,
        format!("a group below {own} took a process, and has no controller {}", absent.join(", ")),
    )
    .because("a group that holds processes hands no controllers down")
    .mend(delegate(survey))
}

/// A user's manager hands controllers down for good by a drop-in; a service by its own unit.
fn delegate(survey: &Survey) -> String {
    if survey.uid == 0 {
        "in a unit: Delegate=yes; by hand: systemd-run --scope -p Delegate=yes canc-run …".into()
    } else {
        "write `[Service]` and `Delegate=cpu memory pids` to /etc/systemd/system/user@.service.d/delegate.conf, run \
         systemctl daemon-reload, log in again, and start programs by systemd-run --user --scope -p Delegate=yes canc-run …"
            .into()
    }
}
