//! What canc loaded into the kernel, remembered on disk, so that a launch can tell whether it is still that and still this policy.

use crate::failure::Failure;
use crate::trusted;
use crate::walk::{Stop, walk};
use canc_bundle::{ApparmorEntry, SelinuxEntry};
use rustix::fs::{CWD, Mode, OFlags, fstat, openat};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Where the records are; root's alone to write.
const DIRECTORY: &str = "/var/lib/canc/loaded";
/// More than any record has, in bytes.
const MAX: u64 = 1 << 16;

/// What is remembered of a module or a profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum Record {
    /// Canc loaded it.
    Known {
        /// The digests of the artefacts that it was made from.
        source: String,
        /// The kernel's digest of what it then had; `None` where the kernel has none.
        kernel: Option<String>,
    },
    /// There is a record, and it cannot be relied on.
    Unreadable {
        /// Why.
        why: String,
    },
}

/// What a record names as the source of a profile.
#[must_use]
pub fn profile_source(entry: &ApparmorEntry) -> String {
    entry.source.sha256.clone()
}

/// What a record names as the source of a module.
#[must_use]
pub fn module_source(entry: &SelinuxEntry) -> String {
    let files = [Some(&entry.te), Some(&entry.fc), entry.ports.as_ref()];
    files.into_iter().flatten().map(|file| file.sha256.as_str()).collect::<Vec<_>>().join(" ")
}

/// The record of a layer's profile or domain; `None` where canc did not load it.
#[must_use]
pub fn read(layer: &str, name: &str) -> Option<Record> {
    match read_at(&place(layer, name)) {
        Ok(record) => record,
        Err(why) => Some(Record::Unreadable { why }),
    }
}

fn place(layer: &str, name: &str) -> PathBuf {
    place_below(Path::new("/"), layer, name)
}

/// The file of a record below a root.
pub(crate) fn place_below(root: &Path, layer: &str, name: &str) -> PathBuf {
    root.join(DIRECTORY.trim_start_matches('/')).join(format!("{layer}.{name}.json"))
}

pub(crate) fn read_at(path: &Path) -> Result<Option<Record>, String> {
    let shown = |why: &dyn std::fmt::Display| format!("{}: {why}", path.display());
    let found = match walk(path, trusted::check) {
        Ok(found) => found,
        Err(Stop::Kernel(Errno::NOENT)) => return Ok(None),
        Err(Stop::Kernel(error)) => return Err(shown(&io::Error::from(error))),
        Err(Stop::Refused(failure)) => return Err(shown(&failure)),
    };
    let kernel = |error: Errno| shown(&io::Error::from(error));
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = openat(CWD, &found.path, flags, Mode::empty()).map_err(kernel)?;
    let stat = fstat(&file).map_err(kernel)?;
    if (stat.st_dev, stat.st_ino) != (found.stat.st_dev, found.stat.st_ino) {
        return Err(shown(&"it changes while it is read"));
    }
    let mut text = String::new();
    File::from(file).take(MAX).read_to_string(&mut text).map_err(|e| shown(&e))?;
    serde_json::from_str(&text).map(Some).map_err(|e| shown(&e))
}

/// Remembers. The file is new or replaced whole.
///
/// # Errors
/// What the file system says.
pub fn write(layer: &str, name: &str, record: &Record) -> Result<(), Failure> {
    write_at(&place(layer, name), record).map_err(|e| {
        Failure::refused(
            format!("record in {DIRECTORY}"),
            e.to_string(),
            "make it a directory that root can write",
        )
    })
}

fn write_at(path: &Path, record: &Record) -> io::Result<()> {
    let directory = path.parent().unwrap_or(Path::new("/"));
    fs::create_dir_all(directory)?;
    let fresh = path.with_extension(format!("{}.new", std::process::id()));
    let _ = fs::remove_file(&fresh);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o644).open(&fresh)?;
    let written = file
        .write_all(serde_json::to_string(record).unwrap_or_default().as_bytes())
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::rename(&fresh, path));
    written.inspect_err(|_| drop(fs::remove_file(&fresh)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn home() -> tempfile::TempDir {
        let home = tempfile::tempdir().unwrap();
        fs::set_permissions(home.path(), fs::Permissions::from_mode(0o755)).unwrap();
        home
    }

    #[test]
    fn what_is_written_is_read() {
        let home = home();
        let path = home.path().join("deep/apparmor.p.json");
        assert_eq!(read_at(&path), Ok(None));
        for kernel in [Some("k".to_owned()), None] {
            let record = Record::Known { source: "s".into(), kernel };
            write_at(&path, &record).unwrap();
            assert_eq!(read_at(&path), Ok(Some(record)));
        }
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "something is left over");
    }

    #[test]
    fn what_others_can_write_is_not_relied_on() {
        let home = home();
        let path = home.path().join("apparmor.p.json");
        write_at(&path, &Record::Known { source: "s".into(), kernel: None }).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        assert!(read_at(&path).unwrap_err().contains("others can write it"));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        fs::write(&path, "{\"known\":").unwrap();
        assert!(read_at(&path).unwrap_err().contains("EOF"));
    }
}
