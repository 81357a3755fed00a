//! Types to the paths that carry them in file systems whose labels the kernel makes: `/proc`, `/sys`, terminals, queues.

use crate::selinux::base::{Attribute, Base};
use crate::selinux::known;
use canc_sets::path::{Lang, Pattern, TooLarge, escape};
use std::collections::BTreeMap;

/// The directory of a domain's own processes.
const OWN_PROCESSES: &str = "/proc/self/**";
/// The directories of processes by number.
const PROCESSES: &str = "/proc/[0-9]*/**";

/// The mount points of such file systems.
pub fn mounts() -> Vec<String> {
    known::mounts().map(|(mount, _)| mount.to_owned()).collect()
}

fn pattern(text: &str) -> Option<Pattern> {
    Pattern::parse(text).ok().and_then(|p| p.into_iter().next())
}

fn lang(texts: &[String]) -> Result<Lang, TooLarge> {
    let patterns: Vec<Pattern> = texts.iter().filter_map(|t| pattern(t)).collect();
    Lang::patterns(&patterns)
}

/// What the processes of the domain itself have.
pub fn own_processes() -> Result<(String, Lang), TooLarge> {
    Ok(("/proc/self".into(), lang(&[OWN_PROCESSES.into()])?))
}

/// What the processes of other domains have.
pub fn other_processes() -> Result<(String, Lang), TooLarge> {
    Ok(("/proc".into(), lang(&[PROCESSES.into()])?))
}

/// The paths of a type with the directory below which they lie, by mount.
pub fn paths(base: &Base, ty: &str) -> Result<Vec<(String, Lang)>, TooLarge> {
    let mounts: Vec<(&str, &str)> = known::mounts().collect();
    let mut tables: BTreeMap<&str, Vec<(&str, &str)>> =
        mounts.iter().map(|(_, fs)| (*fs, Vec::new())).collect();
    for [fs, path, _, row] in base.genfs() {
        if let Some(rows) = tables.get_mut(fs) {
            rows.push((path, row));
        }
    }
    let mut out = Vec::new();
    for (mount, fs) in &mounts {
        let rows = tables.get(fs).map(Vec::as_slice).unwrap_or_default();
        let found = if rows.is_empty() { kept(base, fs, ty).then(|| whole(mount)) } else { None };
        let found = match found {
            Some(texts) => Some(lang(&texts)?),
            None => by_table(rows, mount, ty)?,
        };
        let Some(mut found) = found else { continue };
        let nested = mounts.iter().filter(|(m, _)| m.strip_prefix(mount).is_some_and(|r| r.starts_with('/')));
        let inner: Vec<String> = nested.flat_map(|(m, _)| whole(m)).collect();
        if !inner.is_empty() {
            found = found.minus(lang(&inner)?);
        }
        out.push(((*mount).to_owned(), found));
    }
    Ok(out)
}

/// Whether a file system that keeps its labels may hold something of the type.
fn kept(base: &Base, fs: &str, ty: &str) -> bool {
    let terminal = |name| base.type_no(name).is_some_and(|t| base.has(t, Attribute::PtyNode));
    base.fs_use().any(|r| r[1] == fs && r[2] == ty) || (fs == "devpts" && terminal(ty))
}

fn whole(directory: &str) -> Vec<String> {
    vec![format!("{}/**", escape(directory))]
}

/// What a table of the kernel gives the type. It compares the beginnings of paths, and the longest that fits counts.
fn by_table(rows: &[(&str, &str)], mount: &str, ty: &str) -> Result<Option<Lang>, TooLarge> {
    let below = |path: &str| match path {
        "/" => whole(mount),
        path => {
            let text = format!("{}{}", escape(mount), escape(path));
            vec![format!("{text}*"), format!("{text}*/**")]
        }
    };
    let mut all: Option<Lang> = None;
    for (path, _) in rows.iter().filter(|(_, t)| *t == ty) {
        let longer = |other: &str| other.len() > path.len() && (other.starts_with(path) || *path == "/");
        let mut others: Vec<String> =
            rows.iter().filter(|(p, t)| *t != ty && longer(p)).flat_map(|(p, _)| below(p)).collect();
        if mount == "/proc" && *path == "/" {
            others.extend([OWN_PROCESSES.to_owned(), PROCESSES.to_owned()]);
        }
        let mut mine = lang(&below(path))?;
        if !others.is_empty() {
            mine = mine.minus(lang(&others)?);
        }
        all = Some(match all {
            Some(known) => known.or(mine),
            None => mine,
        });
    }
    Ok(all)
}
