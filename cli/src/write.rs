//! A bundle or a file in memory to the disk, all of it or nothing of it.

use rustix::fs::{CWD, RenameFlags, renameat_with};
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Why a bundle was not written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The target exists and is something else.
    #[error("`{}` exists and is no bundle; choose another place with `-o`", .0.display())]
    NotABundle(PathBuf),
    /// The system refused.
    #[error("cannot write `{}`: {source}", .path.display())]
    Io {
        /// What was being written.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

/// Writes `files` (relative path, contents) and `programs`, which can be executed, so that `target` is either what it was or the whole new bundle.
///
/// The files go to a new directory beside the target, which then takes its place in one rename.
///
/// # Errors
/// When the target is no bundle, or the system refuses; the target is untouched then.
pub fn bundle(
    target: &Path,
    files: &[(String, Vec<u8>)],
    programs: &[(String, Vec<u8>)],
) -> Result<(), WriteError> {
    let at = |path: &Path| {
        let path = path.to_path_buf();
        move |source| WriteError::Io { path, source }
    };
    let exists = target.symlink_metadata().is_ok();
    if exists && !target.join(canc_bundle::MANIFEST).is_file() {
        return Err(WriteError::NotABundle(target.into()));
    }
    let parent = target.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let fresh = tempfile::Builder::new().prefix(".canc-").tempdir_in(parent).map_err(at(parent))?;
    for (name, contents) in files.iter().chain(programs) {
        let path = fresh.path().join(name);
        if let Some(dir) = path.parent() {
            fs::create_dir_all(dir).map_err(at(dir))?;
        }
        fs::write(&path, contents).map_err(at(&path))?;
        let is_program = programs.iter().any(|(program, _)| program == name);
        set_mode(&path, if is_program { 0o755 } else { 0o644 }).map_err(at(&path))?;
        for dir in path.ancestors().skip(1).take_while(|dir| dir.starts_with(fresh.path())) {
            set_mode(dir, 0o755).map_err(at(dir))?;
        }
    }
    if exists {
        // Both directories change places, and the temporary one, now the old bundle, is removed when it is dropped.
        renameat_with(CWD, fresh.path(), CWD, target, RenameFlags::EXCHANGE).map_err(|e| at(target)(e.into()))
    } else {
        fs::rename(fresh.path(), target).map_err(at(target))?;
        let _ = fresh.keep();
        Ok(())
    }
}

/// Writes one file so that `target` is either what it was or the whole new file.
///
/// # Errors
/// One line for the person who named it: the target is something else than a file, or the system refuses.
pub fn file(target: &Path, contents: &[u8]) -> Result<(), String> {
    let failed = |e: io::Error| format!("cannot write `{}`: {e}", target.display());
    if target.symlink_metadata().is_ok_and(|m| !m.is_file()) {
        return Err(format!("cannot write `{}`: it exists and is no regular file", target.display()));
    }
    let parent = target.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut fresh = tempfile::NamedTempFile::new_in(parent).map_err(failed)?;
    fresh.write_all(contents).map_err(failed)?;
    fs::set_permissions(fresh.path(), fs::Permissions::from_mode(0o644)).map_err(failed)?;
    fresh.persist(target).map_err(|e| failed(e.error))?;
    Ok(())
}

/// Writes a file that is not there yet, all of it or nothing of it.
///
/// # Errors
/// One line for the person who named it: it is there, or the system refuses.
pub fn fresh(target: &Path, contents: &[u8]) -> Result<(), String> {
    let failed = |e: io::Error| match e.kind() {
        io::ErrorKind::AlreadyExists => {
            format!("`{}` is there already; choose another file", target.display())
        }
        _ => format!("cannot write `{}`: {e}", target.display()),
    };
    let parent = target.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut fresh = tempfile::NamedTempFile::new_in(parent).map_err(failed)?;
    fresh.write_all(contents).map_err(failed)?;
    fs::set_permissions(fresh.path(), fs::Permissions::from_mode(0o644)).map_err(failed)?;
    fresh.persist_noclobber(target).map_err(|e| failed(e.error))?;
    Ok(())
}

/// Writes a file anew that its reader may write, and keeps its mode, its owner, and the links that lead to it.
///
/// It is replaced in one rename. Where a rename would change more than the text (the file has several names, or its owner cannot be
/// kept), it is written in place.
///
/// # Errors
/// One line for the person who named it.
pub fn again(path: &Path, contents: &[u8]) -> Result<(), String> {
    let failed = |e: io::Error| format!("cannot write `{}`: {e}", path.display());
    let target = path.canonicalize().map_err(failed)?;
    // Whoever may not write the file may perhaps write its directory; that is no leave to replace it.
    let mut old = fs::OpenOptions::new().write(true).open(&target).map_err(failed)?;
    let meta = old.metadata().map_err(failed)?;
    if !meta.is_file() {
        return Err(format!("cannot write `{}`: it is no regular file", path.display()));
    }
    if meta.nlink() == 1
        && let Some(parent) = target.parent()
        && let Ok(mut fresh) = tempfile::Builder::new().prefix(".canc-").tempfile_in(parent)
        && std::os::unix::fs::fchown(fresh.as_file(), Some(meta.uid()), Some(meta.gid())).is_ok()
    {
        fresh.write_all(contents).map_err(failed)?;
        fs::set_permissions(fresh.path(), meta.permissions()).map_err(failed)?;
        fresh.as_file().sync_all().map_err(failed)?;
        fresh.persist(&target).map_err(|e| failed(e.error))?;
        return Ok(());
    }
    old.set_len(0).and_then(|()| old.write_all(contents)).map_err(failed)
}

/// Whatever the umask says: a bundle is for everybody to read and for its owner alone to write, or no launch trusts it.
fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(text: &str) -> Vec<(String, Vec<u8>)> {
        vec![(canc_bundle::MANIFEST.into(), b"{}".to_vec()), ("a/b".into(), text.as_bytes().to_vec())]
    }

    #[test]
    fn replaces_a_bundle_whole_and_leaves_nothing_behind() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("x.canc");
        bundle(&target, &files("one"), &[]).unwrap();
        fs::write(target.join("stray"), "").unwrap();
        bundle(&target, &files("two"), &[]).unwrap();
        assert_eq!(fs::read_to_string(target.join("a/b")).unwrap(), "two");
        assert!(!target.join("stray").exists());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn refuses_to_replace_what_is_no_bundle() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("home");
        fs::create_dir(&target).unwrap();
        fs::write(target.join("precious"), "1").unwrap();
        assert!(matches!(bundle(&target, &files("x"), &[]), Err(WriteError::NotABundle(_))));
        assert!(target.join("precious").exists());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_failed_write_leaves_the_old_bundle() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("x.canc");
        bundle(&target, &files("one"), &[]).unwrap();
        let bad = vec![("a".into(), Vec::new()), ("a/b".into(), Vec::new())];
        assert!(bundle(&target, &bad, &[]).is_err());
        assert_eq!(fs::read_to_string(target.join("a/b")).unwrap(), "one");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
