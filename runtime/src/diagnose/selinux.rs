//! SELinux's mode, the loaded policy and the tools, to what modules of canc can say here.

use super::{Check, State, inactive};
use crate::survey::{SelinuxSurvey, Survey, Tool};

/// What compiles, packages and installs a module.
const TOOLS: [&str; 3] = ["checkmodule", "semodule_package", "semodule"];
const CONFIG: &str = "/etc/selinux/config";

pub(super) fn checks(survey: &Survey) -> Vec<Check> {
    const WHAT: &str = "selinux";
    let Some(selinux) = &survey.selinux else {
        return vec![inactive(survey, WHAT, WHAT, "SECURITY_SELINUX", " selinux=1")];
    };
    let mut checks = vec![mode(selinux)];
    if selinux.enforcing.is_some() {
        checks.push(policy(selinux));
    }
    checks.push(tools(survey));
    checks
}

fn mode(selinux: &SelinuxSurvey) -> Check {
    const WHAT: &str = "selinux";
    let loaded = format!(
        "policy {}, version {}{}",
        selinux.policy.as_deref().unwrap_or("of unknown name"),
        selinux.policy_version.map_or_else(|| "unknown".into(), |v| v.to_string()),
        if selinux.mls == Some(true) { ", with levels" } else { "" }
    );
    match selinux.enforcing {
        None => Check::new(WHAT, State::Unknown, "active; selinuxfs cannot be read")
            .because("it is not mounted here, as in many containers, or no policy is loaded")
            .mend("mount -t selinuxfs selinuxfs /sys/fs/selinux, or run canc on the host itself"),
        Some(true) if selinux.configured.as_deref().is_none_or(|mode| mode == "enforcing") => {
            Check::works(WHAT, format!("enforcing; {loaded}"))
        }
        Some(true) => Check::new(WHAT, State::Limited, format!("enforcing; {loaded}"))
            .because(format!("{CONFIG} says {}: the next boot does not enforce", configured(selinux)))
            .mend(format!("sed -i 's/^SELINUX=.*/SELINUX=enforcing/' {CONFIG}")),
        Some(false) => Check::new(WHAT, State::Missing, format!("permissive; {loaded}"))
            .because(format!("nothing is refused, only logged; {CONFIG} says {}", configured(selinux)))
            .mend(format!("setenforce 1 && sed -i 's/^SELINUX=.*/SELINUX=enforcing/' {CONFIG}")),
    }
}

fn configured(selinux: &SelinuxSurvey) -> &str {
    selinux.configured.as_deref().unwrap_or("nothing")
}

fn policy(selinux: &SelinuxSurvey) -> Check {
    const WHAT: &str = "selinux policy";
    let lacking: Vec<&str> =
        selinux.classes.iter().filter(|(_, has)| !**has).map(|(class, _)| class.as_str()).collect();
    let classes = if lacking.is_empty() {
        "it has every class that modules of canc name".to_owned()
    } else {
        format!("it has no class {}", lacking.join(", "))
    };
    if selinux.nnp_transition == Some(false) {
        return Check::new(WHAT, State::Missing, classes)
            .because("the policy lacks the capability nnp_nosuid_transition: under no_new_privs no domain can be entered")
            .mend("install a base policy that sets it (the reference policy does since 2017)");
    }
    if lacking.is_empty() {
        return Check::works(WHAT, classes);
    }
    Check::new(WHAT, State::Limited, classes)
        .because("the base policy is older than those classes: rules on them are not enforced by SELinux")
        .mend("update the base policy (selinux-policy-default, selinux-policy-targeted); canc says `base unknown` until then")
}

fn tools(survey: &Survey) -> Check {
    const WHAT: &str = "selinux tools";
    let asked = TOOLS.map(|name| (name, survey.tools.get(name)));
    let silent: Vec<String> = asked
        .iter()
        .filter_map(|(name, tool)| match tool {
            Some(Tool::Silent { why }) => Some(format!("{name}: {why}")),
            _ => None,
        })
        .collect();
    let missing: Vec<&str> = asked
        .iter()
        .filter(|(_, tool)| matches!(tool, None | Some(Tool::Missing)))
        .map(|(name, _)| *name)
        .collect();
    if !missing.is_empty() {
        return Check::new(WHAT, State::Missing, format!("not installed: {}", missing.join(", ")))
            .because("they compile, package and install modules")
            .mend("apt-get install policycoreutils checkpolicy semodule-utils (Fedora: dnf install policycoreutils checkpolicy)");
    }
    if !silent.is_empty() {
        return Check::new(WHAT, State::Missing, silent.join("; "))
            .because("they are there and cannot be run by this process")
            .mend("run canc doctor as root, from an unconfined login");
    }
    Check::works(WHAT, TOOLS.join(", "))
}
