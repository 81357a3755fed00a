//! The caller's environment to the program's, and what socket activation announces in it.

use std::ffi::{CString, OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// Names and values, as the caller handed them over.
pub type Variables = Vec<(OsString, OsString)>;

/// The variables of sd_listen_fds(3).
const ACTIVATION: [&str; 4] = ["LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PID", "LISTEN_PIDFDID"];

/// The program's environment and what became of the caller's.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Environment {
    /// `NAME=value`, in the caller's order, those that were set last.
    pub entries: Vec<CString>,
    /// Names that were kept.
    pub kept: Vec<String>,
    /// Names that were removed.
    pub removed: Vec<String>,
}

/// Keeps what a pattern names and sets what the policy sets, which wins.
#[must_use]
pub fn of_program(
    caller: &Variables,
    keep: &[String],
    set: &[(String, String)],
    activation: bool,
) -> Environment {
    let mut out = Environment::default();
    for (name, value) in caller {
        let shown = name.to_string_lossy().into_owned();
        let announced = activation && ACTIVATION.iter().any(|a| name == OsStr::new(a));
        let kept = announced || keep.iter().any(|pattern| matches(pattern, name));
        if !kept || set.iter().any(|(other, _)| name == OsStr::new(other)) {
            out.removed.push(shown);
            continue;
        }
        out.kept.push(shown);
        out.entries.extend(entry(name, value));
    }
    out.entries.extend(set.iter().filter_map(|(name, value)| entry(OsStr::new(name), OsStr::new(value))));
    out
}

/// The same with a service manager's announcement, where there is one, made to another process.
#[must_use]
pub fn announced_to(entries: Vec<CString>, pid: u32) -> Vec<CString> {
    let to = |entry: CString| {
        let named = entry.as_bytes().starts_with(b"LISTEN_PID=");
        if named { CString::new(format!("LISTEN_PID={pid}")).unwrap_or(entry) } else { entry }
    };
    entries.into_iter().map(to).collect()
}

/// A name, or with a final `*` the start of one.
fn matches(pattern: &str, name: &OsStr) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => name.as_bytes().starts_with(start.as_bytes()),
        None => name == OsStr::new(pattern),
    }
}

/// No variable that a process was given holds a NUL; one that a manifest sets and that does is left out.
fn entry(name: &OsStr, value: &OsStr) -> Option<CString> {
    let mut text = name.to_owned();
    text.push("=");
    text.push(value);
    CString::new(text.into_vec()).ok()
}

/// The descriptors that a service manager announces to this very process, from 3 on.
#[must_use]
pub fn activation_descriptors(caller: &Variables, pid: u32) -> Vec<u32> {
    let number = |name: &str| -> Option<u32> {
        let (_, value) = caller.iter().find(|(n, _)| n == OsStr::new(name))?;
        value.to_str()?.parse().ok()
    };
    match (number("LISTEN_PID"), number("LISTEN_FDS")) {
        // More than a process can have by default is no announcement.
        (Some(to), Some(count)) if to == pid && count <= 1024 => (3..3 + count).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(all: &[(&str, &str)]) -> Variables {
        all.iter().map(|(n, v)| (OsString::from(n), OsString::from(v))).collect()
    }

    #[test]
    fn keeps_by_name_and_by_start_and_sets_last() {
        let caller = variables(&[("LC_ALL", "C"), ("LD_PRELOAD", "/x"), ("PATH", "/bin"), ("TERM", "vt")]);
        let keep = ["PATH", "LC_*", "TERM"].map(str::to_owned);
        let env =
            of_program(&caller, &keep, &[("TERM".into(), "dumb".into()), ("X".into(), "a=b".into())], false);
        let shown: Vec<_> = env.entries.iter().map(|e| e.to_str().unwrap()).collect();
        assert_eq!(shown, ["LC_ALL=C", "PATH=/bin", "TERM=dumb", "X=a=b"]);
        assert_eq!(env.removed, ["LD_PRELOAD", "TERM"]);
        assert!(of_program(&caller, &[], &[], false).entries.is_empty());
    }

    #[test]
    fn activation_is_for_this_process_alone() {
        let caller = variables(&[("LISTEN_PID", "42"), ("LISTEN_FDS", "2"), ("LISTEN_FDNAMES", "a:b")]);
        assert_eq!(activation_descriptors(&caller, 42), [3, 4]);
        assert!(activation_descriptors(&caller, 43).is_empty());
        assert!(
            activation_descriptors(&variables(&[("LISTEN_PID", "42"), ("LISTEN_FDS", "4294967295")]), 42)
                .is_empty()
        );
        assert_eq!(of_program(&caller, &[], &[], true).kept.len(), 3);
    }
}
