//! The words of `limit` that are rlimits, and what a launch makes of each on a host.

use crate::host::LimitFacts;
use rustix::process::Resource;

/// The language's words and the kernel's resources; `memory`, `processes` and `cpu` are bounds of a cgroup.
pub const RLIMITS: [(&str, Resource); 6] = [
    ("core", Resource::Core),
    ("cpu_time", Resource::Cpu),
    ("file_size", Resource::Fsize),
    ("locked_memory", Resource::Memlock),
    ("open_files", Resource::Nofile),
    ("stack", Resource::Stack),
];

/// The words that need a cgroup, and the controller that each needs there.
pub const CGROUP_LIMITS: [(&str, &str); 3] = [("cpu", "cpu"), ("memory", "memory"), ("processes", "pids")];

/// The resource behind a word.
#[must_use]
pub fn resource(word: &str) -> Option<Resource> {
    RLIMITS.iter().find(|(w, _)| *w == word).map(|(_, resource)| *resource)
}

/// The cgroup controller behind a word.
#[must_use]
pub fn controller(word: &str) -> Option<&'static str> {
    CGROUP_LIMITS.iter().find(|(w, _)| *w == word).map(|(_, controller)| *controller)
}

/// The bound to set. A limit is a ceiling: where the caller's hard limit is lower and may not be raised, the lower one stays, which holds
/// what the policy promises.
#[must_use]
pub fn bound(asked: u64, now: LimitFacts, may_raise: bool) -> u64 {
    match now.hard {
        Some(hard) if hard < asked && !may_raise => hard,
        _ => asked,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_privileged_go_over_the_hard_limit() {
        let now = LimitFacts { soft: Some(10), hard: Some(100) };
        assert_eq!(bound(50, now, false), 50);
        assert_eq!(bound(500, now, false), 100);
        assert_eq!(bound(500, now, true), 500);
        assert_eq!(bound(500, LimitFacts { soft: None, hard: None }, false), 500);
    }
}
