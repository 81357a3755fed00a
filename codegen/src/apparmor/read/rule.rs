//! One line to one rule.

use super::line::Line;
use super::profile_name;
use super::words::Words;
use crate::apparmor::glob::{AaGlob, NameGlob};
use crate::apparmor::model::{
    CapabilityRule, Exec, FilePerm, FilePerms, FileRule, LinkRule, Mode, MountRule, MountSource, NetPerms,
    NetworkRule, Peer, PtraceRule, Rule, SignalRule, UnixRule,
};
use std::collections::HashMap;

/// The rule that a line holds.
pub(super) fn rule(line: &mut Line<'_>, words: &Words) -> Option<Rule> {
    let mode = Mode { audit: line.word("audit").is_some(), deny: line.word("deny").is_some() };
    let owner = line.word("owner").is_some();
    if line.word("link").is_some() {
        return link(line, mode, owner);
    }
    if let Some(path) = line.quoted() {
        return file(line, words, mode, owner, path);
    }
    if owner {
        return None;
    }
    let keyword = line.bare()?;
    let rule = match keyword {
        "capability" => capability(line, words, mode)?,
        "network" => network(line, words, mode)?,
        "unix" => unix(line, words, mode)?,
        "userns" => {
            line.word("create")?;
            Rule::Userns(mode)
        }
        "signal" => signal(line, words, mode)?,
        "ptrace" => ptrace(line, words, mode)?,
        "mount" | "remount" => mount(line, words, mode, keyword == "remount")?,
        "umount" => Rule::Umount { mode, target: path(line.quoted()?)? },
        "pivot_root" => {
            line.part("oldroot=")?;
            Rule::PivotRoot { mode, old: path(line.quoted()?)?, new: path(line.quoted()?)? }
        }
        "mqueue" => {
            let perms =
                line.list()?.split(' ').map(|w| words.mqueue.get(w).copied()).collect::<Option<_>>()?;
            line.word("type=posix")?;
            Rule::Mqueue { mode, perms, name: NameGlob::parse(line.quoted()?).ok()? }
        }
        _ => return None,
    };
    line.comma()?;
    Some(rule)
}

fn path(text: &str) -> Option<AaGlob> {
    AaGlob::parse(text).ok()
}

fn link(line: &mut Line<'_>, mode: Mode, owner: bool) -> Option<Rule> {
    // A refusal has no use for the word; a permission without it would let links gain access.
    if line.word("subset").is_none() != mode.deny {
        return None;
    }
    let name = path(line.quoted()?)?;
    line.word("->")?;
    let target = path(line.quoted()?)?;
    line.comma()?;
    Some(Rule::Link(LinkRule { mode, owner, name, target }))
}

fn file(line: &mut Line<'_>, words: &Words, mode: Mode, owner: bool, text: &str) -> Option<Rule> {
    let mut letters = line.bare()?;
    let mut exec = None;
    for (suffix, moves) in [("ix", false), ("Px", true), ("Ux", false)] {
        let Some(rest) = letters.strip_suffix(suffix) else { continue };
        letters = rest;
        exec = Some(match (suffix, moves) {
            (_, true) => {
                line.word("->")?;
                transition(line.quoted()?)?
            }
            ("ix", _) => Exec::Inherit,
            _ => Exec::Unconfined,
        });
        break;
    }
    let perms: FilePerms =
        letters.chars().map(|c| words.file.get(&*c.to_string()).copied()).collect::<Option<_>>()?;
    line.comma()?;
    let some = !perms.is_empty() || exec.is_some();
    let known = some
        && !(perms.has(FilePerm::Write) && perms.has(FilePerm::Append))
        && (mode.deny || !perms.has(FilePerm::Exec));
    known.then_some(Rule::File(FileRule { mode, owner, path: path(text)?, perms, exec }))
}

fn transition(text: &str) -> Option<Exec> {
    match text.split_once("//&") {
        Some((own, other)) => Some(Exec::Stack { own: profile_name(own)?, other: profile_name(other)? }),
        None => profile_name(text).map(Exec::Profile),
    }
}

fn capability(line: &mut Line<'_>, words: &Words, mode: Mode) -> Option<Rule> {
    let mut numbers = Vec::new();
    while line.comma().is_none() {
        numbers.push(*words.capability.get(line.bare()?)?);
    }
    Some(Rule::Capability(CapabilityRule { mode, numbers }))
}

fn set<T: Copy, S: FromIterator<T>>(line: &mut Line<'_>, table: &HashMap<String, T>) -> Option<S> {
    line.list()?.split(' ').map(|w| table.get(w).copied()).collect()
}

fn network(line: &mut Line<'_>, words: &Words, mode: Mode) -> Option<Rule> {
    let perms: Option<NetPerms> = set(line, &words.net);
    let family = *words.family.get(line.bare()?)?;
    let kind = *words.kind.get(line.bare()?)?;
    Some(Rule::Network(NetworkRule { mode, perms, family, kind }))
}

fn name(text: &str) -> Option<NameGlob> {
    NameGlob::parse(text.strip_prefix('@')?).ok()
}

fn unix(line: &mut Line<'_>, words: &Words, mode: Mode) -> Option<Rule> {
    let perms = set(line, &words.net)?;
    line.part("type=")?;
    let kind = *words.kind.get(line.bare()?)?;
    let mut rule = UnixRule { mode, perms, kind, own: None, label: None, peer: None };
    if line.part("addr=").is_some() {
        rule.own = Some(name(line.quoted()?)?);
    }
    if line.part("peer=").is_some() {
        let mut inner = Line::new(line.list()?);
        if inner.part("label=").is_some() {
            rule.label = Some(peer_of(inner.quoted()?)?);
            let _ = inner.part(", ");
        }
        if inner.part("addr=").is_some() {
            rule.peer = Some(name(inner.quoted()?)?);
        }
        inner.end()?;
    }
    Some(Rule::Unix(rule))
}

fn peer_of(text: &str) -> Option<Peer> {
    if text == "unconfined" {
        return Some(Peer::Unconfined);
    }
    match text.strip_prefix("{**//&,}").and_then(|t| t.strip_suffix("{//&**,}")) {
        Some(own) => profile_name(own).map(Peer::Member),
        None => profile_name(text).map(Peer::Profile),
    }
}

fn peer(line: &mut Line<'_>) -> Option<Option<Peer>> {
    match line.part("peer=") {
        Some(()) => peer_of(line.quoted()?).map(Some),
        None => Some(None),
    }
}

fn signal(line: &mut Line<'_>, words: &Words, mode: Mode) -> Option<Rule> {
    let perms = set(line, &words.signal_side)?;
    let signals = match line.part("set=") {
        Some(()) => {
            let numbers: Vec<u8> = set(line, &words.signal)?;
            Some(numbers.into_iter().fold(0u128, |bits, n| bits | 1 << n))
        }
        None => None,
    };
    Some(Rule::Signal(SignalRule { mode, perms, signals, peer: peer(line)? }))
}

fn ptrace(line: &mut Line<'_>, words: &Words, mode: Mode) -> Option<Rule> {
    let perms = set(line, &words.ptrace)?;
    Some(Rule::Ptrace(PtraceRule { mode, perms, peer: peer(line)? }))
}

fn mount(line: &mut Line<'_>, words: &Words, mode: Mode, remount: bool) -> Option<Rule> {
    let types = match line.part("fstype=") {
        Some(()) => {
            let mut inner = Line::new(line.list()?);
            let mut types = Vec::new();
            while inner.end().is_none() {
                types.push(NameGlob::parse(inner.quoted()?).ok()?);
                let _ = inner.part(", ");
            }
            types
        }
        None => Vec::new(),
    };
    let options = match line.part("options=") {
        Some(()) => line.list()?.split(", ").map(|w| words.mount.get(w).copied()).collect::<Option<_>>()?,
        None => Vec::new(),
    };
    let source = match line.quoted() {
        Some(text) if remount => {
            return Some(Rule::Mount(MountRule {
                mode,
                remount,
                types,
                options,
                source: None,
                target: path(text)?,
            }));
        }
        Some(text) if text.starts_with('/') => Some(MountSource::Path(path(text)?)),
        Some(text) => Some(MountSource::Name(NameGlob::parse(text).ok()?)),
        None => None,
    };
    line.word("->")?;
    Some(Rule::Mount(MountRule { mode, remount, types, options, source, target: path(line.quoted()?)? }))
}
