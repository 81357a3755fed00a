//! The label that the next exec takes: which file of `/proc` it is written to, what is written, and what must be read back.

use crate::procfs::{Procfs, explain, read_text, write_text};
use crate::sys::{SelfAttribute, own_attribute};
use rustix::fs::OFlags;
use rustix::io::Errno;
use std::io;
use std::os::fd::OwnedFd;

/// `LSM_ID_SELINUX` and `LSM_ID_APPARMOR` of `linux/lsm.h`.
const SELINUX: u64 = 101;
const APPARMOR: u64 = 104;

/// A label of the calling thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attribute {
    /// SELinux: the context of the process.
    SelinuxCurrent,
    /// SELinux: the context that the next exec takes.
    SelinuxExec,
    /// SELinux: the context that new sockets take.
    SelinuxSocket,
    /// AppArmor: the label of the process.
    ApparmorCurrent,
    /// AppArmor: the label that the next exec takes.
    ApparmorExec,
}

impl Attribute {
    /// AppArmor has a directory of its own since Linux 5.8, before which, as SELinux still does, it used the shared files.
    fn files(self) -> [&'static str; 2] {
        match self {
            Self::SelinuxCurrent => ["attr/current"; 2],
            Self::SelinuxExec => ["attr/exec"; 2],
            Self::SelinuxSocket => ["attr/sockcreate"; 2],
            Self::ApparmorCurrent => ["attr/apparmor/current", "attr/current"],
            Self::ApparmorExec => ["attr/apparmor/exec", "attr/exec"],
        }
    }

    fn second_channel(self) -> (SelfAttribute, u64) {
        match self {
            Self::SelinuxCurrent => (SelfAttribute::Current, SELINUX),
            Self::SelinuxExec => (SelfAttribute::Exec, SELINUX),
            Self::SelinuxSocket => (SelfAttribute::Socket, SELINUX),
            Self::ApparmorCurrent => (SelfAttribute::Current, APPARMOR),
            Self::ApparmorExec => (SelfAttribute::Exec, APPARMOR),
        }
    }
}

/// Opens the file of an attribute.
///
/// # Errors
/// As [`Procfs::open`] and [`crate::procfs::KernelDir::file`].
pub fn open(attribute: Attribute) -> io::Result<OwnedFd> {
    let proc = Procfs::open()?;
    let [first, second] = attribute.files();
    match proc.thread_file(first, OFlags::RDWR) {
        Err(e) if first != second && Errno::from_io_error(&e) == Some(Errno::NOENT) => {
            proc.thread_file(second, OFlags::RDWR)
        }
        other => other,
    }
}

/// Reads an attribute.
///
/// # Errors
/// As [`open`].
pub fn read(attribute: Attribute) -> io::Result<String> {
    let found = read_text(open(attribute)?)?;
    match by_library(attribute).transpose()? {
        Some(told) if told != found => Err(io::ErrorKind::InvalidData.into()),
        _ => Ok(found),
    }
}

/// Writes a label, or takes it back, without looking at what came of it.
///
/// # Errors
/// What write(2) or the library says.
pub fn write(file: &OwnedFd, attribute: Attribute, text: Option<&str>) -> io::Result<()> {
    #[cfg(feature = "libselinux")]
    if let (attribute, SELINUX) = attribute.second_channel() {
        return crate::selinux::set_label(attribute, text);
    }
    let _ = attribute;
    write_text(file, text.unwrap_or("\n"))
}

/// What libselinux says of an attribute of SELinux, in a build with it.
fn by_library(attribute: Attribute) -> Option<io::Result<String>> {
    #[cfg(feature = "libselinux")]
    if let (attribute, SELINUX) = attribute.second_channel() {
        return Some(crate::selinux::label(attribute));
    }
    let _ = attribute;
    None
}

/// Writes a label to its open file and reads it back, from the same file and, where the kernel offers it (Linux 6.8), from
/// lsm_get_self_attr(2), which no mount can stand before. A build with libselinux has that library write and read it too.
///
/// # Errors
/// The write's error, or a label that is not the one that was written.
pub fn set(file: &OwnedFd, attribute: Attribute, text: &str, expected: &str) -> Result<String, String> {
    write(file, attribute, Some(text)).map_err(|e| format!("writing `{text}` failed: {}", explain(&e)))?;
    let found = read_text(file).map_err(|e| format!("the label cannot be read back: {}", explain(&e)))?;
    if found != expected {
        return Err(format!("wrote `{text}` and read back `{found}` instead of `{expected}`"));
    }
    match by_library(attribute) {
        Some(Err(e)) => return Err(format!("libselinux cannot read the label back: {e}")),
        Some(Ok(told)) if told != expected => {
            return Err(format!("/proc says the label is `{found}`, libselinux says `{told}`"));
        }
        _ => {}
    }
    let (name, module) = attribute.second_channel();
    match own_attribute(name, module) {
        Ok(Some(told)) if told.trim_end() != expected => {
            Err(format!("/proc says the label is `{found}`, the kernel itself says `{told}`"))
        }
        Ok(Some(_)) => Ok(found),
        // Before Linux 6.8, or where a filter refuses the call, the file alone must do.
        Err(e) if matches!(Errno::from_io_error(&e), Some(Errno::NOSYS | Errno::PERM)) => Ok(found),
        Ok(None) | Err(_) => {
            Err(format!("/proc says the label is `{found}`, the kernel itself knows of none"))
        }
    }
}

/// What is written to choose a profile: a confined process can only stack it on its own label (`lowering.md` §4 in the design).
#[must_use]
pub fn apparmor_command(own: &str, profile: &str) -> String {
    if own == "unconfined" { format!("exec {profile}") } else { format!("stack {profile}") }
}

/// The mode at the end of an AppArmor label: `enforce` of `name (enforce)`.
#[must_use]
pub fn mode_of(label: &str) -> Option<&str> {
    label.strip_suffix(')')?.rsplit_once(" (").map(|(_, mode)| mode)
}

/// The context for a domain: the caller's user and role, the domain's type, the caller's low level.
#[must_use]
pub fn selinux_context(own: &str, domain: &str) -> Option<String> {
    let mut parts = own.splitn(4, ':');
    let (user, role, _kind) = (parts.next()?, parts.next()?, parts.next()?);
    let low = parts.next().map(|range| range.split_once('-').map_or(range, |(low, _)| low));
    Some(match low {
        Some(low) => format!("{user}:{role}:{domain}:{low}"),
        None => format!("{user}:{role}:{domain}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contexts_take_the_callers_low_level() {
        for (own, want) in [
            (
                "unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c1023",
                Some("unconfined_u:unconfined_r:d_t:s0"),
            ),
            ("u:r:t:s0:c1,c2-s0:c0.c9", Some("u:r:d_t:s0:c1,c2")),
            ("u:r:t:s0", Some("u:r:d_t:s0")),
            ("u:r:t", Some("u:r:d_t")),
            ("kernel", None),
        ] {
            assert_eq!(selinux_context(own, "d_t").as_deref(), want, "{own}");
        }
    }

    #[test]
    fn only_the_unconfined_choose_without_stacking() {
        assert_eq!(apparmor_command("unconfined", "canc.cat"), "exec canc.cat");
        assert_eq!(apparmor_command("bwrap (enforce)", "canc.cat"), "stack canc.cat");
        assert_eq!(apparmor_command("code (unconfined)", "canc.cat"), "stack canc.cat");
    }

    /// An ordinary file takes what is written and gives it back, which a kernel's label file never does for a command.
    #[test]
    fn a_file_that_only_echoes_is_no_label() {
        let file: OwnedFd = tempfile::tempfile().unwrap().into();
        let error = set(&file, Attribute::ApparmorExec, "exec canc.cat", "canc.cat (enforce)").unwrap_err();
        assert!(error.contains("read back `exec canc.cat`"), "{error}");
    }

    /// Where what is written is what is expected, as with SELinux, the kernel's other channel tells.
    #[test]
    fn a_file_that_only_echoes_a_context_is_no_label() {
        let file: OwnedFd = tempfile::tempfile().unwrap().into();
        let told = set(&file, Attribute::SelinuxExec, "u:r:t:s0", "u:r:t:s0");
        if cfg!(feature = "libselinux") {
            // The library writes to the kernel's own file, which takes no such context.
            assert!(told.unwrap_err().starts_with("writing"), "the file was written instead");
            return;
        }
        match crate::sys::lsm_ids() {
            Ok(_) => {
                assert!(told.unwrap_err().contains("the kernel itself"), "the second channel was not asked")
            }
            // Before Linux 6.8 there is none.
            Err(_) => assert!(told.is_ok()),
        }
    }

    #[test]
    fn modes_are_read_from_the_end() {
        assert_eq!(mode_of("canc.cat (enforce)"), Some("enforce"));
        assert_eq!(mode_of("a (b) (complain)"), Some("complain"));
        assert_eq!(mode_of("unconfined"), None);
    }
}
