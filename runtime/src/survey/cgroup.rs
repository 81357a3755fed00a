//! Control groups of the second version to what this process may do with its own one: by making a group below it, moving a child there,
//! and removing it again.

use super::child::{Step, at, attempt};
use super::trials::put;
use super::{CgroupSurvey, Outcome};
use crate::errno;
use rustix::fs::{AtFlags, CWD, Mode, mkdirat, unlinkat};
use std::ffi::CString;
use std::path::{Path, PathBuf};

/// Asks and tries. `groups` is `/proc/self/cgroup`, `mounts` is `/proc/self/mountinfo`.
pub(super) fn survey(groups: &str, mounts: &str) -> CgroupSurvey {
    let mounted = mount_of(mounts);
    let own = groups.lines().find_map(|line| line.strip_prefix("0::")).map(str::to_owned);
    let mut survey = CgroupSurvey {
        mounted: mounted.as_ref().map(|(at, _)| at.display().to_string()),
        own: own.clone(),
        controllers: Vec::new(),
        delegated: Outcome::NotTried { why: "no hierarchy of the second version is mounted".into() },
        handed_down: Vec::new(),
    };
    let (Some((at, root)), Some(own)) = (mounted, own) else { return survey };
    let directory = at.join(Path::new(&own).strip_prefix(&root).unwrap_or(Path::new("")));
    survey.controllers = controllers(&directory);
    (survey.delegated, survey.handed_down) = try_below(&directory);
    survey
}

/// Where the hierarchy is mounted, and which of its groups the mount shows as its root: proc_pid_mountinfo(5).
fn mount_of(mounts: &str) -> Option<(PathBuf, PathBuf)> {
    let is_second = |line: &&str| line.split(" - ").nth(1).is_some_and(|rest| rest.starts_with("cgroup2 "));
    let line = mounts.lines().find(is_second)?;
    let mut words = line.split(' ').skip(3);
    let (root, at) = (words.next()?, words.next()?);
    Some((PathBuf::from(at), PathBuf::from(root)))
}

fn controllers(directory: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(directory.join("cgroup.controllers")).unwrap_or_default();
    text.split_ascii_whitespace().map(str::to_owned).collect()
}

fn try_below(own: &Path) -> (Outcome, Vec<String>) {
    let made = own.join(format!("canc-trial-{}", std::process::id()));
    if let Err(e) = mkdirat(CWD, &made, Mode::RWXU | Mode::RGRP | Mode::XGRP) {
        return (Outcome::Failed { step: "mkdir".into(), errno: errno::name(e) }, Vec::new());
    }
    let below = controllers(&made);
    let file = CString::new(made.join("cgroup.procs").into_os_string().into_encoded_bytes());
    let outcome = match file {
        Ok(file) => attempt(|_| put(&file, b"0").map_err(at(Step::Move))).0,
        Err(_) => Outcome::NotTried { why: "the group's path holds a NUL".into() },
    };
    // The child has ended, so the group is empty.
    let _ = unlinkat(CWD, &made, AtFlags::REMOVEDIR);
    (outcome, below)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mount_is_found_among_others() {
        let mounts = "25 30 0:23 / /proc rw - proc proc rw\n\
            31 25 0:27 / /sys/fs/cgroup/memory rw shared:9 - cgroup cgroup rw,memory\n\
            34 25 0:28 /a /sys/fs/cgroup/unified rw,nosuid shared:9 - cgroup2 cgroup2 rw\n";
        let found = mount_of(mounts).unwrap();
        assert_eq!(found, ("/sys/fs/cgroup/unified".into(), "/a".into()));
        assert_eq!(mount_of("25 30 0:23 / /proc rw - proc proc rw\n"), None);
        assert_eq!(mount_of("25 30 - cgroup2"), None);
    }

    #[test]
    fn what_cannot_be_made_is_told_with_its_error() {
        let gone = tempfile::tempdir().unwrap().path().join("gone");
        let (outcome, below) = try_below(&gone);
        assert_eq!(outcome, Outcome::Failed { step: "mkdir".into(), errno: "ENOENT".into() });
        assert!(below.is_empty());
        // In an ordinary directory a group can be made, and has no file that moves a process.
        let ordinary = tempfile::tempdir().unwrap();
        let (outcome, _) = try_below(ordinary.path());
        assert_eq!(outcome, Outcome::Failed { step: "move".into(), errno: "ENOENT".into() });
        assert_eq!(std::fs::read_dir(ordinary.path()).unwrap().count(), 0, "the trial left something");
    }
}
