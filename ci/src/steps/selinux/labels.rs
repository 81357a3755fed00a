//! Paths on both sides of every line of file contexts, and the labels that the policy's own tools and the compiler find for them.

use super::Linked;
use super::corpus::Case;
use crate::Error;
use crate::oracle::selinux::FileKind;
use canc_codegen::selinux::Reader;
use canc_codegen::selinux::base::{Ask, Base, Kind};
use canc_dsl::policy::Body;
use canc_sets::path::{Anchor, Pattern};
use std::collections::BTreeSet;

/// Kinds of file as both sides name them.
pub const KINDS: [(FileKind, Kind); 7] = [
    (FileKind::Directory, Kind::Directory),
    (FileKind::File, Kind::Regular),
    (FileKind::Link, Kind::Link),
    (FileKind::Socket, Kind::Socket),
    (FileKind::Fifo, Kind::Pipe),
    (FileKind::Character, Kind::Character),
    (FileKind::Block, Kind::Block),
];

/// Paths whose label any policy may care about.
const COMMON: &[&str] = &[
    "/",
    "/bin/sh",
    "/dev/null",
    "/dev/random",
    "/dev/sda",
    "/etc/",
    "/etc/hosts",
    "/etc/passwd",
    "/etc/shadow",
    "/etc/ssl/private/key.pem",
    "/home/",
    "/home/anna/",
    "/home/anna/x",
    "/home/anna/.ssh/id_ed25519",
    "/root/.bashrc",
    "/run/",
    "/run/lock/x",
    "/run/user/1000/",
    "/srv/",
    "/srv/nobody",
    "/usr/bin/",
    "/usr/bin/true",
    "/usr/lib/x86_64-linux-gnu/libc.so.6",
    "/usr/sbin/nginx",
    "/usr/share/zoneinfo/UTC",
    "/usr/share/x",
    "/var/lib/x",
    "/var/log/",
    "/var/log/syslog",
    "/var/run/x",
];
/// How many of the base's lines near one of ours are asked about.
const NEIGHBOURS: usize = 40;

/// Canonical paths that a case is asked about: a final slash marks a directory.
pub fn paths(case: &Case, base: &Base) -> BTreeSet<String> {
    let mut out: BTreeSet<String> = COMMON.iter().map(|p| (*p).to_owned()).collect();
    let mut patterns: BTreeSet<Pattern> = BTreeSet::new();
    for line in case.all.iter().flat_map(|l| &l.contexts.lines) {
        patterns.insert(line.path.main().clone());
        patterns.extend(line.path.also().iter().flatten().cloned());
    }
    for rule in case.set.policies().iter().flat_map(|p| &p.rules) {
        if let Body::File(file) = &rule.body {
            patterns.extend(file.paths.iter().chain(&file.except).map(|p| p.pattern.clone()));
        }
    }
    // What the kernel labels is in no file contexts.
    patterns.retain(|p| p.anchor() != Anchor::SelfProc);
    for pattern in &patterns {
        around(pattern, &mut out);
        neighbours(pattern, base, &mut out);
    }
    let mut above: BTreeSet<String> = out.iter().flat_map(|p| ancestors(p)).collect();
    out.append(&mut above);
    out.retain(|p| {
        !["/proc", "/sys"]
            .iter()
            .any(|m| p.strip_prefix(m).is_some_and(|r| r.is_empty() || r.starts_with('/')))
    });
    out
}

/// The directories above a canonical path.
fn ancestors(path: &str) -> impl Iterator<Item = String> {
    std::iter::successors(parent(path), |p| parent(p))
}

/// The directory that holds a canonical path.
pub fn parent(path: &str) -> Option<String> {
    let bare = path.trim_end_matches('/');
    bare.rsplit_once('/').map(|(parent, _)| format!("{parent}/"))
}

/// Examples of a pattern, and what only just is none.
fn around(pattern: &Pattern, out: &mut BTreeSet<String>) {
    for (directory, fill) in [(true, "a"), (false, "a"), (false, "x.conf"), (true, "")] {
        let Some(path) = pattern.example_with(directory, fill) else { continue };
        let bare = path.trim_end_matches('/').to_owned();
        let mut shorter = bare.clone();
        shorter.pop();
        let parent = bare.rsplit_once('/').map(|p| format!("{}/", p.0)).unwrap_or_default();
        let near = [
            path,
            format!("{bare}/"),
            format!("{bare}x"),
            format!("{bare}/y"),
            format!("{bare}/y/"),
            shorter,
            parent,
            bare,
        ];
        out.extend(near.into_iter().filter(|p| is_canonical(p)));
    }
}

fn is_canonical(path: &str) -> bool {
    path.starts_with('/') && !path.contains("//") && !path.split('/').any(|name| matches!(name, "." | ".."))
}

/// Witnesses of the base's lines that are about the same directory.
fn neighbours(pattern: &Pattern, base: &Base, out: &mut BTreeSet<String>) {
    let prefix = pattern.literal_prefix();
    let parent = prefix.trim_end_matches('/').rsplit_once('/').map_or("", |p| p.0);
    let near = |w: &&str| !parent.is_empty() && w.strip_prefix(parent).is_some_and(|r| r.starts_with('/'));
    let witnesses = base.entries().filter_map(|e| base.witness(e));
    out.extend(witnesses.filter(near).take(NEIGHBOURS).map(str::to_owned));
}

/// What can be at a canonical path.
pub fn kinds(path: &str) -> impl Iterator<Item = (FileKind, Kind)> {
    let directory = path.ends_with('/');
    KINDS.into_iter().filter(move |(kind, _)| (*kind == FileKind::Directory) == directory)
}

/// Where the compiler finds another label than the policy's own tools.
pub fn check(linked: &Linked, base: &Base, case: &Case) -> Result<Vec<String>, Error> {
    let (Some(policy), Some(first)) = (case.set.policies().first(), case.all.first()) else {
        return Ok(vec!["there is no policy".to_owned()]);
    };
    let reader = Reader::new(&case.set, policy, first, base).map_err(|e| Error::Odd(e.to_string()))?;
    let mut wrong = Vec::new();
    for path in paths(case, base) {
        for (kind, ours) in kinds(&path) {
            let found = linked.label(kind, &path)?;
            let expected = reader.type_of(&path, Ask::Exactly(ours));
            if found != expected.as_deref() {
                wrong.push(format!("{path} as {kind:?}: {expected:?}, but the tools say {found:?}"));
            }
        }
    }
    Ok(wrong)
}
