//! AppArmor's features, its parser and their versions, to what profiles of canc can say here.

use super::{Check, State, inactive};
use crate::survey::{Survey, Tool};

pub(super) fn checks(survey: &Survey) -> Vec<Check> {
    const WHAT: &str = "apparmor";
    let Some(apparmor) = &survey.apparmor else {
        return vec![inactive(survey, WHAT, WHAT, "SECURITY_APPARMOR", "")];
    };
    let kernel = match &apparmor.features {
        None => Check::new(WHAT, State::Limited, "active; its features cannot be read")
            .because("securityfs is not mounted at /sys/kernel/security")
            .mend("mount -t securityfs securityfs /sys/kernel/security (systemd mounts it at boot)"),
        Some(features) => mediated(features),
    };
    vec![kernel, parser(survey, &apparmor.abis)]
}

/// What older kernels do not mediate. Their absence shows in verdicts, which are about a kernel's features.
fn mediated(features: &str) -> Check {
    let knows = |name: &str| features.contains(name);
    let wanted = [
        ("userns_create", "user namespaces"),
        ("af_unix", "unix sockets by path and name"),
        ("signal {", "signals"),
        ("mqueue", "message queues"),
        ("io_uring", "io_uring"),
    ];
    let lacking: Vec<&str> = wanted.iter().filter(|(word, _)| !knows(word)).map(|(_, name)| *name).collect();
    if lacking.is_empty() {
        return Check::works("apparmor", "active; it mediates everything that profiles of canc say");
    }
    Check::new(
        "apparmor",
        State::Limited,
        format!("active; this kernel does not mediate {}", lacking.join(", ")),
    )
    .because(
        "its AppArmor is older or built without it; `canc doctor POLICY` says what that means for a policy",
    )
    .mend("a newer kernel; no setting changes it")
}

fn parser(survey: &Survey, abis: &[String]) -> Check {
    const WHAT: &str = "apparmor parser";
    match survey.tools.get("apparmor_parser") {
        None | Some(Tool::Missing) => Check::new(WHAT, State::Missing, "apparmor_parser is not installed")
            .because("it loads profiles; without it AppArmor enforces none of canc's")
            .mend("apt-get install apparmor (openSUSE: zypper install apparmor-parser)"),
        Some(Tool::Silent { why }) => Check::new(WHAT, State::Missing, why)
            .because("it is there and cannot be run by this process")
            .mend("run canc doctor as root and outside of other profiles; see the mode of apparmor_parser"),
        Some(Tool::Found { version }) if abis.iter().any(|abi| abi == "4.0") => {
            Check::works(WHAT, format!("{version}; ABI {}", abis.join(", ")))
        }
        Some(Tool::Found { version }) => {
            let known = if abis.is_empty() { "none".to_owned() } else { abis.join(", ") };
            Check::new(WHAT, State::Limited, format!("{version}; ABI {known}"))
                .because("it does not know ABI 4.0, and so no rules on user namespaces and message queues")
                .mend("build with --apparmor-abi 3.0, or install AppArmor 4.0 or later")
        }
    }
}
