//! Every system call that canc makes in an apply: interrupted before it, and failing with each error. Afterwards a host is what it was
//! or what it should be, and the next apply makes it so.
//!
//! Between two calls that change something outside of the process all points are alike, so with `CANC_POINTS=changes` those calls are
//! tried and a sample of the others; with `CANC_POINTS=all` every call, and otherwise a sample.

use super::host::{Host, Ran, bundle, canc};
use std::collections::BTreeMap;
use std::fs;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

const ERRORS: [&str; 6] = ["ENOSPC", "EROFS", "EIO", "EDQUOT", "EMFILE", "EACCES"];
/// One of so many points is in the sample.
const SAMPLE: usize = 97;
/// The calls that change something, and those at which a tool that does is running; openat(2) where it can write.
const CHANGES: [&str; 24] = [
    "write",
    "rename",
    "renameat2",
    "unlink",
    "unlinkat",
    "rmdir",
    "mkdir",
    "mkdirat",
    "symlink",
    "symlinkat",
    "fsync",
    "fchmod",
    "chmod",
    "setxattr",
    "removexattr",
    "flock",
    "clone3",
    "clone",
    "vfork",
    "poll",
    "wait4",
    "pidfd_open",
    "kill",
    "ftruncate",
];

/// The calls that are not made to fail: the library gives up where they do, as no kernel lets them fail for any such reason.
/// And close(2), which on Linux closes whatever it answers: strace leaves it out, and who waits for a pipe's end waits for ever.
const SURE: [&str; 24] = [
    "close",
    "getpid",
    "gettid",
    "getuid",
    "geteuid",
    "futex",
    "clock_nanosleep",
    "rt_sigaction",
    "rt_sigprocmask",
    "sigaltstack",
    "poll",
    "ppoll",
    "execve",
    "brk",
    "mmap",
    "munmap",
    "mprotect",
    "madvise",
    "arch_prctl",
    "set_tid_address",
    "set_robust_list",
    "rseq",
    "prlimit64",
    "sched_getaffinity",
];

/// A host before, the same after an apply, and the calls in between.
struct Case {
    before: Host,
    old: BTreeMap<String, String>,
    new: BTreeMap<String, String>,
    points: Vec<Point>,
    words: Vec<String>,
}

/// The call of this name and number, and whether it changes something.
struct Point {
    name: String,
    number: usize,
    changes: bool,
}

fn strace(host: &Host, options: &[String], words: &[String]) -> Ran {
    let mut command = Command::new("strace");
    command.args(["-qq", "-o"]).arg(host.path("tmp/trace")).args(options).arg("--").arg(canc()).args(words);
    command.arg("--root").arg(host.path("")).output().unwrap().into()
}

impl Case {
    fn new(before: Host, words: &[&str]) -> Self {
        let words: Vec<String> = words.iter().map(|w| (*w).to_owned()).collect();
        let old = before.everything();
        let after = before.copy();
        assert_eq!(after.everything(), old, "a copy is not the same");
        let ran = strace(&after, &[], &words);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        let new = after.everything();
        assert_ne!(old, new, "vacuous");
        let trace = fs::read_to_string(after.path("tmp/trace")).unwrap();
        let mut count = BTreeMap::new();
        let mut points = Vec::new();
        for line in trace.lines() {
            let Some((name, _)) = line.split_once('(') else { continue };
            // The first is the start of canc itself, the last its end.
            if name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
                && name != "exit_group"
            {
                let number = count.entry(name.to_owned()).or_insert(0_usize);
                *number += 1;
                let writes = ["O_WRONLY", "O_RDWR", "O_CREAT"].iter().any(|flag| line.contains(flag));
                let changes = CHANGES.contains(&name) || name == "openat" && writes;
                points.push(Point { name: name.to_owned(), number: *number, changes });
            }
        }
        assert!(points.len() > 500, "only {} calls", points.len());
        Self { before, old, new, points, words }
    }

    /// Interrupts or spoils one call, and looks.
    fn try_one(&self, name: &str, number: usize, inject: &str) -> Result<&'static str, String> {
        let host = self.before.copy();
        let options = [
            "-e".into(),
            format!("trace={name}"),
            "-e".into(),
            format!("inject={name}:{inject}:when={number}"),
        ];
        let ran = strace(&host, &options, &self.words);
        let odd = |what: &str, ran: &Ran| format!("{name} {number} {inject}: {what}: {ran:?}");
        if inject.starts_with("error") && !is_clear(&ran) {
            return Err(odd("no clear failure", &ran));
        }
        let status = host.canc(&["status"]);
        let found = host.everything();
        let which = match &found {
            found if *found == self.old => "old",
            found if *found == self.new => "new",
            _ => return Err(odd(&difference(&self.old, &self.new, &found), &status)),
        };
        if status.out.contains("missing") || status.out.contains("changed by hand") {
            return Err(odd("status is not good", &status));
        }
        let words: Vec<&str> = self.words.iter().map(String::as_str).collect();
        let again = host.canc(&words);
        // What is removed cannot be removed again.
        let gone = self.words.iter().any(|w| w == "remove") && again.err.contains("not installed");
        if !(gone || again.code == Some(0)) || host.everything() != self.new {
            return Err(odd("the next apply did not converge", &again));
        }
        host.everything_of_history_is_there().map_err(|why| odd(&why, &again))?;
        match fs::read_dir(host.path("var/lib/canc"))
            .unwrap()
            .flatten()
            .find(|e| e.file_name().as_encoded_bytes().starts_with(b"."))
        {
            Some(left) => Err(odd(&format!("{} is left over", left.path().display()), &again)),
            None => Ok(which),
        }
    }

    /// The points that are asked for, two at a time. Both ends have to be seen, or the test is vacuous.
    fn try_all(&self, injections: &[&str], start: usize) {
        let errors = injections.iter().any(|i| i.starts_with("error"));
        let asked = std::env::var("CANC_POINTS").unwrap_or_default();
        let wanted = |(at, point): &(usize, &Point)| match asked.as_str() {
            "all" => true,
            "changes" => point.changes || at % SAMPLE == start,
            _ => at % SAMPLE == start,
        };
        let able = |(_, point): &(usize, &Point)| !errors || !SURE.contains(&point.name.as_str());
        let chosen: Vec<_> = self.points.iter().enumerate().filter(wanted).filter(able).collect();
        let (next, seen) = (AtomicUsize::new(0), [AtomicUsize::new(0), AtomicUsize::new(0)]);
        let work = || {
            let mut bad = Vec::new();
            while let Some((at, Point { name, number, .. })) =
                chosen.get(next.fetch_add(1, Ordering::Relaxed))
            {
                match self.try_one(name, *number, injections[at % injections.len()]) {
                    Ok(which) => drop(seen[usize::from(which == "new")].fetch_add(1, Ordering::Relaxed)),
                    Err(why) => bad.push(why),
                }
            }
            bad
        };
        let bad: Vec<String> = std::thread::scope(|scope| {
            let workers = [scope.spawn(work), scope.spawn(work)];
            workers.into_iter().flat_map(|w| w.join().unwrap()).collect()
        });
        let [old, new] = seen.map(|n| n.load(Ordering::Relaxed));
        println!("{} of {} points: {old} old, {new} new", chosen.len(), self.points.len());
        assert!(bad.is_empty(), "{} points:\n{}", bad.len(), bad.join("\n"));
        assert!(old > 0 && new > 0, "vacuous: {old} old, {new} new");
    }
}

/// canc's own failure in its own words, or none; or what no program can say: its loader failed.
fn is_clear(ran: &Ran) -> bool {
    match ran.code {
        Some(0) => true,
        Some(1 | 4) => ran.err.contains("canc: "),
        Some(127) => ran.err.contains("shared librar"),
        _ => false,
    }
}

fn difference(
    old: &BTreeMap<String, String>,
    new: &BTreeMap<String, String>,
    found: &BTreeMap<String, String>,
) -> String {
    let mut out = "between".to_owned();
    for name in found.keys().chain(old.keys()).chain(new.keys()) {
        let one =
            |of: &BTreeMap<String, String>| of.get(name).map(|t| t.chars().take(60).collect::<String>());
        let (old, new, found) = (one(old), one(new), one(found));
        if (found != old || found != new) && !out.contains(&format!("\n{name}:")) {
            out.push_str(&format!("\n{name}: {found:?}, old {old:?}, new {new:?}"));
        }
    }
    out
}

/// A host with one version of a policy, to which another version, with a service, and a second policy are applied.
fn replaced() -> Case {
    let host = Host::new(true, true).with_service();
    host.good(&["apply", &bundle("one")]);
    Case::new(host, &["apply", &bundle("two"), &bundle("dog"), "--unit", "cat=web.service"])
}

#[test]
fn an_apply_that_is_killed_anywhere_is_completed_or_undone() {
    replaced().try_all(&["signal=KILL"], 3);
}

#[test]
fn the_first_apply_that_is_killed_anywhere_is_completed_or_undone() {
    Case::new(Host::new(true, true), &["apply", &bundle("one")]).try_all(&["signal=KILL"], 11);
}

#[test]
fn a_removal_that_is_killed_anywhere_is_completed_or_undone() {
    let host = Host::new(true, true).with_service();
    host.good(&["apply", &bundle("one"), &bundle("dog"), "--unit", "cat=web.service"]);
    Case::new(host, &["remove", "cat"]).try_all(&["signal=KILL"], 5);
}

#[test]
fn an_apply_that_is_killed_while_it_forgets_is_completed() {
    let host = Host::new(false, false);
    for i in 0..10 {
        for name in ["one", "dog", "two"] {
            host.good(&["apply", &bundle(name)]);
        }
        host.good(&["remove", if i % 2 == 0 { "dog" } else { "cat" }]);
    }
    Case::new(host, &["apply", &bundle("one"), &bundle("dog")]).try_all(&["signal=KILL"], 13);
}

#[test]
fn an_apply_in_which_a_call_fails_is_done_or_undone() {
    let case = replaced();
    let errors = ERRORS.map(|error| format!("error={error}"));
    let errors: Vec<&str> = errors.iter().map(String::as_str).collect();
    case.try_all(&errors, 7);
}
