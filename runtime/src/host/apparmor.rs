//! AppArmor's answer to "may this process run a program under that profile, and in which mode is it": by choosing it for a thread that
//! ends at once, since an ordinary user may not read the list of profiles.

use super::{ApparmorFacts, ProfileFacts};
use crate::label::{self, Attribute};
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
    Ok(ProfileFacts::Loaded { mode: label::mode_of(&set).unwrap_or("unknown").to_owned() })
}
