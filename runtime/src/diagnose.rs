//! A survey to what a host offers and lacks: for each gap its cause, and what mends it for good. Pure.

mod apparmor;
mod cgroup;
mod kernel;
mod namespaces;
mod selinux;

use crate::survey::{Outcome, Survey};
use serde::Serialize;

/// One thing that a host offers or lacks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What, in a word or two.
    pub what: String,
    /// How it is.
    pub state: State,
    /// What was seen.
    pub found: String,
    /// Why it is not better.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// What mends it, beyond the next boot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// All of it works.
    Works,
    /// Some of it does not.
    Limited,
    /// It does not work, or is not there.
    Missing,
    /// It could not be found out.
    Unknown,
}

impl State {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Works => "works",
            Self::Limited => "limited",
            Self::Missing => "missing",
            Self::Unknown => "unknown",
        }
    }
}

impl Check {
    fn new(what: &str, state: State, found: impl Into<String>) -> Self {
        Self { what: what.into(), state, found: found.into(), cause: None, fix: None }
    }

    fn works(what: &str, found: impl Into<String>) -> Self {
        Self::new(what, State::Works, found)
    }

    fn because(mut self, cause: impl Into<String>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    fn mend(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }
}

/// Everything, in the order of reports.
#[must_use]
pub fn diagnose(survey: &Survey) -> Vec<Check> {
    let mut checks = kernel::checks(survey);
    checks.extend(apparmor::checks(survey));
    checks.extend(selinux::checks(survey));
    checks.push(namespaces::check(survey));
    checks.push(cgroup::check(survey));
    checks
}

/// Whether programs can be confined here at all: filters can be loaded, and some layer that knows files is there.
#[must_use]
pub fn confines(survey: &Survey) -> bool {
    let mac = survey.apparmor.is_some()
        || survey.selinux.as_ref().is_some_and(|selinux| selinux.enforcing == Some(true));
    survey.seccomp.filter.works() && (mac || survey.landlock.ruleset.works())
}

/// What a trial showed, in words.
fn told(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Works => "it works".into(),
        Outcome::Failed { step, errno } => format!("{step} gives {errno}"),
        Outcome::Killed { signal } => {
            format!("the kernel ended the process that tried it, by signal {signal}")
        }
        Outcome::WithoutEffect => "every step succeeded and nothing was refused".into(),
        Outcome::NotTried { why } => format!("it could not be tried: {why}"),
    }
}

/// The error's name, where a trial failed by one.
fn errno(outcome: &Outcome) -> Option<&str> {
    match outcome {
        Outcome::Failed { errno, .. } => Some(errno),
        _ => None,
    }
}

/// What already confines this process and may be why something is refused to it.
fn confinement(survey: &Survey) -> Option<String> {
    let inherited = &survey.inherited;
    let mut by = Vec::new();
    if inherited.filtered {
        by.push(match inherited.filters {
            Some(1) => "a seccomp filter".to_owned(),
            Some(n) => format!("{n} seccomp filters"),
            None => "seccomp filters".to_owned(),
        });
    }
    if let Some(label) = inherited.apparmor.as_ref().filter(|label| *label != "unconfined") {
        by.push(format!("the AppArmor profile {label}"));
    }
    if let Some(context) = inherited.selinux.as_ref().filter(|context| !is_free(context)) {
        by.push(format!("the SELinux domain of {context}"));
    }
    if by.is_empty() { None } else { Some(by.join(" and ")) }
}

/// Domains of ordinary logins, which nobody means to confine, and the kernel's own before a policy is loaded.
fn is_free(context: &str) -> bool {
    let domain = context.split(':').nth(2).unwrap_or(context);
    matches!(
        domain,
        "unconfined_t"
            | "kernel"
            | "kernel_t"
            | "sysadm_t"
            | "staff_t"
            | "user_t"
            | "initrc_t"
            | "unconfined_service_t"
    )
}

/// How a word gets onto the kernel's command line and stays there.
fn command_line(words: &str) -> String {
    format!(
        "add `{words}` to GRUB_CMDLINE_LINUX in /etc/default/grub, run update-grub (Fedora: grubby --update-kernel=ALL \
         --args='{words}'), and reboot"
    )
}

/// The `lsm=` that has one more module than now, in front where exclusive modules have to be.
fn lsm_with(survey: &Survey, module: &str) -> String {
    let active = survey.modules.clone().unwrap_or_default();
    // `capability` is always there, and these two cannot be chosen by `lsm=`.
    let mut names: Vec<String> = active
        .into_iter()
        .filter(|n| !matches!(n.as_str(), "capability" | "ima" | "evm") && n != module)
        .collect();
    names.insert(usize::from(names.first().is_some_and(|n| n == "lockdown")), module.to_owned());
    format!("lsm={}", names.join(","))
}

/// Why a security module is not active, and what makes it so. Of AppArmor and SELinux one is enough, and distributions support one.
fn inactive(survey: &Survey, what: &str, module: &str, setting: &str, also: &str) -> Check {
    let check = Check::new(what, State::Missing, "not among the kernel's active security modules");
    let other = [("AppArmor", survey.apparmor.is_some()), ("SELinux", survey.selinux.is_some())];
    if let Some((other, _)) = other.iter().find(|(_, active)| *active) {
        return check.because(format!("{other} is this host's access control; one of the two is enough"));
    }
    match survey.built.get(setting).map(String::as_str) {
        Some("n") => check
            .because(format!("this kernel is built without it (CONFIG_{setting} is not set)"))
            .mend(format!("use a kernel with CONFIG_{setting}=y, such as the distribution's own")),
        Some(_) => check
            .because("the kernel has it, and its command line does not switch it on")
            .mend(command_line(&format!("{}{also}", lsm_with(survey, module)))),
        None => check
            .because(format!(
                "the kernel is built without it (CONFIG_{setting} would say) or its command line does not switch it on"
            ))
            .mend(format!(
                "with a kernel that has CONFIG_{setting}=y: {}",
                command_line(&format!("{}{also}", lsm_with(survey, module)))
            )),
    }
}
