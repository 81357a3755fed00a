//! Filters in the formats of other programs: OCI runtime seccomp JSON in both directions, and systemd's settings.

#[cfg(test)]
mod export_tests;
pub mod oci;
pub mod oci_export;
pub mod oci_import;
mod oci_rules;
mod oci_sets;
mod oci_text;
pub mod systemd;
#[cfg(test)]
mod tests;

/// `ENOSYS` of `asm-generic/errno.h`.
const ENOSYS: u16 = 38;

/// What a format says of something that the policy says.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Verdict {
    /// What it is about.
    pub what: String,
    /// `exact`, `widened`, `narrowed`, `dropped`, `blocks`, `other error`.
    pub verdict: &'static str,
    /// Why, and which calls.
    pub why: String,
}

impl Verdict {
    fn new(what: impl Into<String>, verdict: &'static str, why: impl Into<String>) -> Self {
        Self { what: what.into(), verdict, why: why.into() }
    }
}

/// Names of calls in a verdict at most; the rest is counted.
const MOST_NAMES: usize = 12;

fn named(calls: &[&str]) -> String {
    let shown = calls.iter().take(MOST_NAMES).copied().collect::<Vec<_>>().join(", ");
    match calls.len().saturating_sub(MOST_NAMES) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// Rules about other things than system calls, of which filters carry only the calls.
fn other_rules(policy: &canc_dsl::policy::PolicyData) -> Option<Verdict> {
    use canc_dsl::policy::Body;
    let others = policy.rules.iter().filter(|r| !matches!(r.body, Body::Syscall(_))).count();
    let why = "what they bring of system calls is here; files, network and capabilities are for other layers";
    (others > 0).then(|| Verdict::new(format!("{others} rules that are not on system calls"), "dropped", why))
}
