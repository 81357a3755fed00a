//! Audit records of refusals, as logs have them, to requests of the language: each access once, with how often it was seen.
//!
//! Pure. The text comes from a log, which may be cut, garbled, or written by an enemy: what cannot be read is counted, never guessed.

mod fields;
mod landlock;
mod map;

use canc_dsl::policy::Target;
use fields::Fields;
pub use map::shown;
use std::collections::BTreeMap;

/// The longest line that is read, in bytes; the kernel's own records are shorter (`MAX_AUDIT_MESSAGE_LENGTH` is 8970).
pub const MAX_LINE_BYTES: usize = 16 * 1024;

/// How many different refusals are kept.
pub const MAX_GROUPS: usize = 10_000;

/// How many events, of which several records tell, are remembered.
const MAX_EVENTS: usize = 100_000;

/// Whom a record names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// The policy of this name, by its profile or its type.
    Policy(String),
    /// A program, where the record names no domain of canc's making.
    Program(String),
    /// A profile or a type that is not of canc's making, or nobody.
    Other(String),
}

/// What was refused.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Asked {
    /// A request as the language spells it.
    Request(String),
    /// What the language cannot say, or the record does not: what it was, and why there is no request.
    Unclear(String),
}

/// One kind of refusal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Refusal {
    /// Whom it befell.
    pub subject: Subject,
    /// Who refused it.
    pub layer: Target,
    /// What was asked for.
    pub asked: Asked,
    /// Whether it was only logged: complain mode, or a permissive domain.
    pub only_logged: bool,
}

/// What a log holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Log {
    /// Each refusal and how many records tell of it.
    pub refusals: BTreeMap<Refusal, usize>,
    /// Records of refusals that are cut, garbled or too long.
    pub unreadable: usize,
    /// Refusals beyond [`MAX_GROUPS`].
    pub beyond: usize,
}

/// Reads a log in any of the forms of `audit.log`, the journal and the kernel's ring buffer.
#[must_use]
pub fn read(text: &str) -> Log {
    let mut events = Events::default();
    text.lines().filter(|l| l.len() <= MAX_LINE_BYTES).for_each(|line| events.note(line));
    let mut log = Log::default();
    for line in text.lines() {
        let Some((kind, body)) = kind(line) else { continue };
        let found = match line.len() > MAX_LINE_BYTES {
            true => None,
            false => refusals(kind, body, &events, event(line)),
        };
        let Some(found) = found else {
            log.unreadable += 1;
            continue;
        };
        found.into_iter().for_each(|refusal| log.add(refusal));
    }
    log
}

impl Log {
    fn add(&mut self, refusal: Refusal) {
        let full = self.refusals.len() >= MAX_GROUPS;
        match self.refusals.get_mut(&refusal) {
            Some(count) => *count += 1,
            None if full => self.beyond += 1,
            None => drop(self.refusals.insert(refusal, 1)),
        }
    }
}

/// The records of refusals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Selinux,
    Apparmor,
    Seccomp,
    Landlock,
}

/// What kind of refusal a line tells of, and the text that says so and all after it. Types are those of `linux/audit.h`: 1400 for
/// SELinux and AppArmor, 1326 for seccomp, 1423 for Landlock.
fn kind(line: &str) -> Option<(Kind, &str)> {
    const MARKS: [(&str, Kind); 9] = [
        ("apparmor=\"DENIED\"", Kind::Apparmor),
        ("apparmor=\"ALLOWED\"", Kind::Apparmor),
        ("avc:  denied", Kind::Selinux),
        ("avc: denied", Kind::Selinux),
        ("type=1326 ", Kind::Seccomp),
        ("type=SECCOMP ", Kind::Seccomp),
        (": SECCOMP ", Kind::Seccomp),
        ("type=1423 ", Kind::Landlock),
        ("type=LANDLOCK_ACCESS ", Kind::Landlock),
    ];
    // A name is the program's to choose, so that the first mark in the line is the kernel's.
    let first =
        MARKS.iter().filter_map(|(mark, kind)| Some((line.find(mark)?, *kind))).min_by_key(|f| f.0)?;
    Some((first.1, line.get(first.0..)?))
}

fn refusals(kind: Kind, body: &str, events: &Events, event: Option<&str>) -> Option<Vec<Refusal>> {
    let fields = Fields::of(body);
    let told = event.and_then(|e| events.told.get(e));
    match kind {
        Kind::Selinux => map::selinux(body, &fields, told),
        Kind::Apparmor => map::apparmor(&fields),
        Kind::Seccomp => map::seccomp(&fields),
        Kind::Landlock => landlock::refusal(&fields, told),
    }
}

/// The event that a record is of: `audit(1700000000.123:45)` without its word.
fn event(line: &str) -> Option<&str> {
    let (_, rest) = line.split_once("audit(")?;
    Some(rest.split_once(')')?.0).filter(|e| e.len() < 40)
}

/// What other records tell of the same event.
#[derive(Debug, Default)]
struct Told {
    paths: Vec<String>,
    exe: Option<String>,
}

#[derive(Default)]
struct Events {
    told: BTreeMap<String, Told>,
}

impl Events {
    fn note(&mut self, line: &str) {
        let has = |words: [&str; 2]| words.iter().any(|w| line.contains(w));
        let (path, call) = (has(["type=PATH ", "type=1302 "]), has(["type=SYSCALL ", "type=1300 "]));
        if !path && !call {
            return;
        }
        let Some(event) = event(line) else { return };
        if !self.told.contains_key(event) && self.told.len() >= MAX_EVENTS {
            return;
        }
        let fields = Fields::of(line);
        let told = self.told.entry(event.to_owned()).or_default();
        if path {
            told.paths.extend(fields.name("name").filter(|n| n.starts_with('/') && told.paths.len() < 8));
        } else {
            told.exe = fields.name("exe");
        }
    }
}

#[cfg(test)]
mod tests;
