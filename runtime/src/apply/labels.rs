//! Labels of declared paths: what they were before, so that they can be given back, and who may not be touched at all.
//!
//! Everything is reached by open directories, and no link is followed.

use super::Stop;
use super::disk::at;
use super::store::Store;
use crate::failure::Failure;
use crate::procfs::Procfs;
use crate::trusted;
use crate::walk::{self, walk};
use rustix::fs::{Dir, FileType, Mode, OFlags, Stat, XattrFlags, fstat, openat};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{CString, OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

const LABEL: &str = "security.selinux";
const FILE: &str = "labels.json";
/// What types of policies begin with.
const OWN: &str = ":canc__";

/// What is remembered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Labels {
    /// Where labels begin, with the label that each then had.
    pub given: BTreeMap<String, String>,
    /// The label of each path, from the root on, before; empty where it had none. Bytes that are no UTF-8, and `%`, stand as `%XX`.
    pub before: BTreeMap<String, String>,
}

/// A file with its label.
struct Labelled {
    path: PathBuf,
    label: String,
    file: OwnedFd,
    stat: Stat,
}

impl Labels {
    /// Reads what is remembered.
    pub fn open(store: &Store) -> Result<Self, Stop> {
        Ok(store.json(FILE)?.unwrap_or_default())
    }

    /// Remembers.
    pub fn write(&self, store: &Store) -> Result<(), Stop> {
        store.put_json(FILE, self)
    }

    /// Adds the labels that everything below a declared path has now. Labels of policies are not what was before.
    pub fn remember(&mut self, root: &Path, declared: &str) -> Result<(), Stop> {
        each(root, declared, &mut |found| {
            if !found.label.contains(OWN) {
                self.before.entry(spell(&found.path)).or_insert(found.label);
            }
            Ok(())
        })
    }

    /// Gives back the labels of everything below a declared path that no other one holds, and returns what came later, whose label is the
    /// host's to say.
    pub fn give_back(
        &self,
        root: &Path,
        declared: &str,
        held: &BTreeSet<&str>,
    ) -> Result<Vec<PathBuf>, Stop> {
        let mut unknown = Vec::new();
        let proc = Procfs::open().map_err(at(Path::new("/proc")))?;
        each(root, declared, &mut |found| {
            if held.iter().any(|other| found.path.starts_with(other)) {
                return Ok(());
            }
            match self.before.get(&spell(&found.path)) {
                Some(label) if *label == found.label => {}
                Some(label) => {
                    let through = proc.path_of(found.file.as_fd());
                    set(&through, label).map_err(|e| at(&found.path)(e.into()))?;
                }
                None if found.label.contains(OWN) => unknown.push(found.path),
                None => {}
            }
            Ok(())
        })?;
        Ok(unknown)
    }

    /// Forgets what is below no declared path any more.
    pub fn forget(&mut self, held: &BTreeSet<&str>) {
        self.given.retain(|declared, _| held.contains(declared.as_str()));
        self.before.retain(|path, _| held.iter().any(|declared| read_back(path).starts_with(declared)));
    }
}

/// The label of a declared path itself; `None` where there is none.
pub fn label_of(root: &Path, declared: &str) -> Result<Option<String>, Stop> {
    let path = root.join(declared.trim_start_matches('/'));
    let mut buffer = vec![0; 4096];
    match rustix::fs::lgetxattr(&path, LABEL, &mut buffer[..]) {
        Ok(size) => {
            buffer.truncate(size);
            Ok(Some(text(buffer)))
        }
        Err(Errno::NODATA) => Ok(Some(String::new())),
        Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
        Err(e) => Err(at(&path)(e.into())),
    }
}

/// Refuses what must not get a policy's label: a path through a link that others can change, and files with another name outside of it.
pub fn check(root: &Path, declared: &str) -> Result<(), Stop> {
    let mut names: BTreeMap<(u64, u64), (u64, PathBuf)> = BTreeMap::new();
    each(root, declared, &mut |found| {
        let links = found.stat.st_nlink;
        if FileType::from_raw_mode(found.stat.st_mode) == FileType::RegularFile && links > 1 {
            let seen = names.entry((found.stat.st_dev, found.stat.st_ino)).or_insert((links, found.path));
            seen.0 -= 1;
        }
        Ok(())
    })?;
    match names.values().find(|(missing, _)| *missing > 0) {
        Some((missing, path)) => Err(Stop::No(Failure::refused(
            format!("label of {}", path.display()),
            format!("the file has {missing} more names outside of {declared}, whose label would change too"),
            "remove those hard links, or copy the file",
        ))),
        None => Ok(()),
    }
}

/// Shows everything below, itself first, on its file system. A directory's descriptor stays open while what is in it is shown.
fn each(
    root: &Path,
    declared: &str,
    visit: &mut dyn FnMut(Labelled) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let path = root.join(declared.trim_start_matches('/'));
    let found = match walk(&path, |_, _| Ok(())) {
        Ok(found) => found,
        Err(walk::Stop::Kernel(Errno::NOENT | Errno::NOTDIR)) => return Ok(()),
        Err(walk::Stop::Kernel(e)) => return Err(at(&path)(e.into())),
        Err(walk::Stop::Refused(failure)) => return Err(Stop::Host(failure)),
    };
    if found.path != path {
        // A link on the way: what stands there is what the link's owner says.
        walk(&path, trusted::check).map_err(|stop| match stop {
            walk::Stop::Kernel(e) => at(&path)(e.into()),
            walk::Stop::Refused(failure) => Stop::No(failure),
        })?;
    }
    let proc = Procfs::open().map_err(at(Path::new("/proc")))?;
    let mut open: Vec<(PathBuf, OwnedFd, Vec<CString>)> = Vec::new();
    let mut next = Some((PathBuf::from(declared), found.file));
    loop {
        if let Some((path, file)) = next.take() {
            let stat = fstat(&file).map_err(|e| at(&path)(e.into()))?;
            if stat.st_dev == found.stat.st_dev {
                let label = label(&proc, file.as_fd()).map_err(at(&path))?;
                if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
                    let names = names(file.as_fd()).map_err(at(&path))?;
                    open.push((path.clone(), file.try_clone().map_err(at(&path))?, names));
                }
                visit(Labelled { path, label, file, stat })?;
            }
        }
        let Some((path, dir, names)) = open.last_mut() else { return Ok(()) };
        let Some(name) = names.pop() else {
            open.pop();
            continue;
        };
        let path = path.join(OsStr::from_bytes(name.to_bytes()));
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match openat(dir, &name, flags, Mode::empty()) {
            Ok(file) => next = Some((path, file)),
            Err(Errno::NOENT) => {}
            Err(e) => return Err(at(&path)(e.into())),
        }
    }
}

fn label(proc: &Procfs, file: BorrowedFd<'_>) -> io::Result<String> {
    match proc.attribute_of(file, LABEL) {
        Err(e) if Errno::from_io_error(&e) == Some(Errno::NODATA) => Ok(String::new()),
        other => other,
    }
}

/// The names in a directory, last first.
fn names(dir: BorrowedFd<'_>) -> io::Result<Vec<CString>> {
    let list = openat(dir, ".", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    let mut out = Vec::new();
    for entry in Dir::new(list)? {
        let name = entry?.file_name().to_owned();
        if !matches!(name.to_bytes(), b"." | b"..") {
            out.push(name);
        }
    }
    out.sort_by(|a, b| b.cmp(a));
    Ok(out)
}

fn set(path: &Path, label: &str) -> Result<(), Errno> {
    if label.is_empty() {
        return rustix::fs::removexattr(path, LABEL);
    }
    let bytes: Vec<u8> = label.bytes().chain([0]).collect();
    rustix::fs::setxattr(path, LABEL, &bytes, XattrFlags::empty())
}

fn text(mut bytes: Vec<u8>) -> String {
    while bytes.last() == Some(&0) {
        bytes.pop();
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn spell(path: &Path) -> String {
    let mut out = String::new();
    for part in path.as_os_str().as_bytes().utf8_chunks() {
        out.push_str(&part.valid().replace('%', "%25"));
        out.extend(part.invalid().iter().map(|b| format!("%{b:02X}")));
    }
    out
}

fn read_back(text: &str) -> PathBuf {
    let mut out = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let hex = |b: Option<u8>| b.and_then(|b| char::from(b).to_digit(16));
        match byte {
            b'%' => match (hex(rest.next()), hex(rest.next())) {
                (Some(high), Some(low)) => out.extend(u8::try_from(high * 16 + low)),
                _ => out.push(b'%'),
            },
            other => out.push(other),
        }
    }
    OsString::from_vec(out).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_spelled_and_read_back() {
        for bytes in [b"/srv/x".as_slice(), b"/srv/100%/\xff\xfe", "/srv/\u{e4}%41".as_bytes()] {
            let path = PathBuf::from(OsString::from_vec(bytes.to_vec()));
            assert_eq!(read_back(&spell(&path)), path);
        }
    }
}
