//! AppArmor's answer to "may this process run a program under that profile, and in which mode is it": by choosing it for a thread that
//! ends at once, since an ordinary user may not read the list of profiles.

use super::{ApparmorFacts, ProfileFacts};
use crate::label::{self, Attribute};
use crate::procfs::KernelDir;
use rustix::fs::{Dir, OFlags};
use rustix::io::Errno;
use std::io;

pub(super) fn facts(profile: &str) -> ApparmorFacts {
    let own = match label::read(Attribute::ApparmorCurrent) {
        Ok(own) => own,
        Err(e)
            if matches!(Errno::from_io_error(&e), Some(Errno::NOENT | Errno::INVAL | Errno::OPNOTSUPP)) =>
        {
            return ApparmorFacts::Absent { why: "the process has no AppArmor label".into() };
        }
        Err(e) => {
            return ApparmorFacts::Unreadable { why: format!("own label: {}", crate::procfs::explain(&e)) };
        }
    };
    let command = label::apparmor_command(&own, profile);
    // A thread has its own exec label, which ends with it: the process stays as it was.
    let tried = std::thread::scope(|scope| scope.spawn(|| try_profile(&command)).join());
    match tried {
        Ok(Ok(ProfileFacts::Loaded { mode, .. })) => {
            let (digest, record) = (kernel_digest(profile), crate::loaded::read("apparmor", profile));
            ApparmorFacts::Active { own, profile: ProfileFacts::Loaded { mode, digest, record } }
        }
        Ok(Ok(profile)) => ApparmorFacts::Active { own, profile },
        Ok(Err(e)) => {
            ApparmorFacts::Unreadable { why: format!("exec label: {}", crate::procfs::explain(&e)) }
        }
        Err(_) => ApparmorFacts::Unreadable { why: "the thread that tried the profile ended early".into() },
    }
}

fn try_profile(command: &str) -> io::Result<ProfileFacts> {
    let file = label::open(Attribute::ApparmorExec)?;
    match crate::procfs::write_text(&file, command) {
        Ok(()) => {}
        Err(e) => {
            return match Errno::from_io_error(&e) {
                Some(Errno::NOENT) => Ok(ProfileFacts::Missing),
                Some(Errno::ACCESS | Errno::PERM) => Ok(ProfileFacts::Refused { why: e.to_string() }),
                _ => Err(e),
            };
        }
    }
    let set = crate::procfs::read_text(&file)?;
    let mode = label::mode_of(&set).unwrap_or("unknown").to_owned();
    Ok(ProfileFacts::Loaded { mode, digest: None, record: None })
}

/// The kernel's digest of a loaded profile, named after its algorithm: the file `sha256` (before Linux 6.8 `sha1`) beside the profile's
/// `name` in AppArmor's file system. `None` where that is not mounted, or the kernel is built without digests.
pub(crate) fn kernel_digest(profile: &str) -> Option<String> {
    let dir = KernelDir::apparmor().ok()?;
    let profiles = Dir::new(dir.file("profiles", OFlags::RDONLY | OFlags::DIRECTORY).ok()?).ok()?;
    for entry in profiles.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        // The directory is the name and a number.
        if !name.starts_with(profile) || dir.text(format!("profiles/{name}/name")).ok()? != profile {
            continue;
        }
        let digest =
            |kind: &str| Some(format!("{kind}:{}", dir.text(format!("profiles/{name}/{kind}")).ok()?));
        return digest("sha256").or_else(|| digest("sha1"));
    }
    None
}
