//! A service's name to what systemd would read of it: its unit file and its drop-ins, from the directories of systemd.unit(5).

use super::Stop;
use super::disk::{at, known};
use crate::failure::Failure;
use crate::unit::{Setting, assignments, effective};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

/// Where units lie, the first before the others.
const ROOMS: [&str; 9] = [
    "etc/systemd/system",
    "etc/systemd/system.attached",
    "run/systemd/system",
    "run/systemd/generator.early",
    "run/systemd/generator",
    "usr/local/lib/systemd/system",
    "usr/lib/systemd/system",
    "lib/systemd/system",
    "run/systemd/generator.late",
];
/// Where administrators' units lie, and canc's drop-ins.
pub const ADMIN: &str = "etc/systemd/system";
/// canc's drop-in: read after those of others, so that none of them takes its command away again.
pub const DROP_IN: &str = "zz-canc.conf";
/// The most that a file of a unit may have, in bytes.
const MOST: u64 = 1 << 20;

/// A service as it is without canc.
#[derive(Debug)]
pub struct Service {
    /// `web.service`.
    pub name: String,
    /// Its file and its drop-ins in the order in which they count, each with all its assignments.
    pub files: Vec<(PathBuf, Vec<Setting>)>,
}

impl Service {
    /// Reads it.
    ///
    /// # Errors
    /// It is no service, there is none, or it is another one's other name.
    pub fn read(root: &Path, name: &str) -> Result<Self, Stop> {
        check(name)?;
        let file = find(root, name)?;
        let mut files = vec![(file.clone(), assigned(&file)?)];
        for drop_in in drop_ins(root, name)? {
            let said = assigned(&drop_in)?;
            files.push((drop_in, said));
        }
        Ok(Self { name: name.to_owned(), files })
    }

    /// What counts in the end.
    pub fn settings(&self) -> Vec<Setting> {
        effective(self.files.iter().flat_map(|(_, said)| said.iter().cloned()))
    }

    /// The drop-ins that say something about a key, if only to take it back.
    pub fn drop_ins_with(&self, key: &str) -> impl Iterator<Item = &Path> {
        let says = move |said: &[Setting]| said.iter().any(|s| s.section == "Service" && s.key == key);
        self.files.iter().skip(1).filter(move |(_, said)| says(said)).map(|(file, _)| file.as_path())
    }
}

/// The name becomes a path.
fn check(name: &str) -> Result<(), Stop> {
    let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b':' | b'_' | b'.' | b'-' | b'\\' | b'@');
    let what = || format!("unit {name:?}");
    match name.strip_suffix(".service") {
        Some(stem) if !stem.is_empty() && !name.starts_with('.') && name.bytes().all(good) => Ok(()),
        _ if name.contains('.') => {
            no(what(), "it is no service", "name a unit whose name ends in .service".into())
        }
        _ => no(what(), "it is no name of a unit", format!("say --unit {name}.service")),
    }
}

fn find(root: &Path, name: &str) -> Result<PathBuf, Stop> {
    let what = || format!("unit {name}");
    // An instance is made from its template.
    let template = name.split_once('@').and_then(|(stem, rest)| {
        let end = rest.strip_suffix(".service").filter(|instance| !instance.is_empty());
        end.map(|_| format!("{stem}@.service"))
    });
    let names = [Some(name.to_owned()), template];
    for name in names.into_iter().flatten() {
        for room in ROOMS {
            let path = root.join(room).join(&name);
            let Some(found) = known(fs::symlink_metadata(&path)).map_err(at(&path))? else { continue };
            if !found.is_symlink() {
                return Ok(path);
            }
            let target = fs::read_link(&path).map_err(at(&path))?;
            if target == Path::new("/dev/null") {
                let why = format!("{} masks it, so that it is never started", path.display());
                return no(what(), &why, format!("systemctl unmask {name}"));
            }
            if let Some(other) = target.file_name().filter(|other| **other != *name) {
                let other = other.to_string_lossy();
                return no(what(), &format!("it is another name of {other}"), format!("say --unit {other}"));
            }
            return Ok(path);
        }
    }
    no(what(), "there is no such unit", "`systemctl list-unit-files` lists those that there are".into())
}

/// By their names, in whichever directories they are; the first directory's counts where two have one name.
fn drop_ins(root: &Path, name: &str) -> Result<Vec<PathBuf>, Stop> {
    let mut found: BTreeMap<OsString, PathBuf> = BTreeMap::new();
    let mut kinds = vec![format!("{name}.d")];
    if let Some((stem, rest)) = name.split_once('@')
        && rest != ".service"
    {
        kinds.push(format!("{stem}@.service.d"));
    }
    // `a-b-c.service` has the drop-ins of `a-b-.service` and `a-.service` too, and those of all services.
    let stem = name.trim_end_matches(".service");
    let dashes: Vec<usize> =
        stem.match_indices('-').map(|(i, _)| i + 1).filter(|i| *i < stem.len()).collect();
    kinds.extend(dashes.iter().rev().filter_map(|i| Some(format!("{}.service.d", stem.get(..*i)?))));
    kinds.push("service.d".into());
    for kind in kinds {
        for room in ROOMS {
            let dir = root.join(room).join(&kind);
            for entry in known(fs::read_dir(&dir)).map_err(at(&dir))?.into_iter().flatten() {
                let entry = entry.map_err(at(&dir))?;
                let own = entry.path() == root.join(ADMIN).join(format!("{name}.d")).join(DROP_IN);
                let file = entry.file_name();
                if file.as_encoded_bytes().ends_with(b".conf")
                    && !file.as_encoded_bytes().starts_with(b".")
                    && !own
                {
                    found.entry(file).or_insert_with(|| entry.path());
                }
            }
        }
    }
    Ok(found.into_values().collect())
}

fn assigned(file: &Path) -> Result<Vec<Setting>, Stop> {
    // A drop-in that is a link to /dev/null says nothing.
    let meta = fs::metadata(file).map_err(at(file))?;
    if !meta.is_file() {
        return Ok(Vec::new());
    }
    if meta.len() > MOST {
        return no(file.display().to_string(), "it is too long for a unit", "see what it is".into());
    }
    let bytes = fs::read(file).map_err(at(file))?;
    Ok(assignments(&String::from_utf8_lossy(&bytes)))
}

/// It should not be done.
pub fn no<T>(what: String, why: &str, remedy: String) -> Result<T, Stop> {
    Err(Stop::No(Failure::refused(what, why, remedy)))
}
