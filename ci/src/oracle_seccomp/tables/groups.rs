//! The output of `systemd-analyze syscall-filter`, and a hand-kept file for what it leaves out, to one table of groups.

use super::numbers::Numbers;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::Path;

/// Members by group, as listed: names of calls, and of groups with their `@`.
pub type Listing = BTreeMap<String, Vec<String>>;

/// Parses the listing; `-` in names of groups becomes `_`, as in policies.
pub fn parse(text: &str) -> Listing {
    let mut out = Listing::new();
    let mut group = None;
    for line in text.lines() {
        let word = line.trim();
        if line.starts_with('@') {
            group = Some(word.replace('-', "_"));
        } else if word.starts_with('#') || word.is_empty() {
            continue;
        } else if let Some(group) = &group {
            let word = if word.starts_with('@') { word.replace('-', "_") } else { word.to_owned() };
            let word = if word == "arm_sync_file_range" { "sync_file_range2".to_owned() } else { word };
            out.entry(group.clone()).or_default().push(word);
        }
    }
    out
}

/// Adds the lines `name<TAB>group group …` of the hand-kept file.
pub fn add_manual(listing: &mut Listing, path: &Path) -> io::Result<()> {
    for line in fs::read_to_string(path)?.lines().filter(|l| !l.starts_with('#')) {
        if let Some((name, groups)) = line.split_once('\t') {
            for group in groups.split_whitespace() {
                listing.entry(format!("@{group}")).or_default().push(name.to_owned());
            }
        }
    }
    Ok(())
}

/// The calls of a group, those of the groups in it included.
fn expand(listing: &Listing, group: &str, out: &mut BTreeSet<String>) {
    for member in listing.get(group).into_iter().flatten() {
        if member.starts_with('@') {
            expand(listing, member, out);
        } else {
            out.insert(member.clone());
        }
    }
}

/// The text of `groups.tsv`, and the calls that are in no group.
pub fn render(numbers: &Numbers, listing: &Listing) -> (String, Vec<String>) {
    let mut by_call: BTreeMap<&str, Vec<&str>> = numbers.keys().map(|n| (n.as_str(), Vec::new())).collect();
    for group in listing.keys().filter(|g| *g != "@known") {
        let mut calls = BTreeSet::new();
        expand(listing, group, &mut calls);
        for call in &calls {
            if let Some(groups) = by_call.get_mut(call.as_str()) {
                groups.push(group.trim_start_matches('@'));
            }
        }
    }
    let mut out = String::from("# name\tgroup …\n");
    for (name, groups) in &by_call {
        out.push_str(&format!("{name}\t{}\n", groups.join(" ")));
    }
    (out, by_call.iter().filter(|c| c.1.is_empty()).map(|c| (*c.0).to_owned()).collect())
}
