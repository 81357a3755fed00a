//! The files of selinuxfs to answers, without any library.

use super::{Ask, Decision};
use crate::procfs::{KernelDir, read_text, write_text};
use rustix::fs::OFlags;
use rustix::io::Errno;
use std::io;

/// selinuxfs, proved to be the kernel's own.
#[derive(Debug)]
pub struct Kernel(KernelDir);

impl Kernel {
    /// Opens it.
    ///
    /// # Errors
    /// `ENODEV` where something else is mounted there, or what open(2) says.
    pub fn open() -> io::Result<Self> {
        KernelDir::selinux().map(Self)
    }

    /// Whether the loaded policy has a capability of policies, such as `nnp_nosuid_transition`.
    #[must_use]
    pub fn has_capability(&self, name: &str) -> bool {
        self.0.text(format!("policy_capabilities/{name}")).is_ok_and(|on| on == "1")
    }
}

impl Ask for Kernel {
    fn enforcing(&self) -> io::Result<bool> {
        Ok(self.0.text("enforce")? == "1")
    }

    fn is_valid(&self, context: &str) -> io::Result<bool> {
        match write_text(self.0.file("context", OFlags::RDWR)?, context) {
            Ok(()) => Ok(true),
            Err(e) if Errno::from_io_error(&e) == Some(Errno::INVAL) => Ok(false),
            Err(e) => Err(e),
        }
    }

    fn decision(&self, subject: &str, object: &str, class: &str) -> io::Result<Decision> {
        let index = self.0.text(format!("class/{class}/index"))?;
        let file = self.0.file("access", OFlags::RDWR)?;
        write_text(&file, &format!("{subject} {object} {index}"))?;
        parse_decision(&read_text(&file)?).ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    fn permission(&self, class: &str, permission: &str) -> io::Result<Option<u32>> {
        match self.0.text(format!("class/{class}/perms/{permission}")) {
            Ok(number) => {
                let bit = number.parse::<u32>().ok().and_then(|n| n.checked_sub(1));
                Ok(bit.and_then(|n| 1_u32.checked_shl(n)))
            }
            Err(e) if Errno::from_io_error(&e) == Some(Errno::NOENT) => Ok(None),
            Err(e) => Err(e),
        }
    }
}

/// `allowed decided auditallow auditdeny seqno flags`, hexadecimal but the fifth.
fn parse_decision(text: &str) -> Option<Decision> {
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    let hexadecimal = |n: usize| u32::from_str_radix(words.get(n)?, 16).ok();
    let flags = if words.len() > 5 { hexadecimal(5)? } else { 0 };
    Some(Decision::new(hexadecimal(0)?, flags))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decisions_are_read_as_the_kernel_writes_them() {
        let allowed = parse_decision("2 ffffffff 0 ffffffff 7 0").unwrap();
        assert_eq!((allowed.allowed, allowed.permissive), (2, false));
        let permissive = parse_decision("a0 ffffffff 0 ffffffff 12 1").unwrap();
        assert_eq!((permissive.allowed, permissive.permissive), (0xa0, true));
        assert!(parse_decision("").is_none());
        assert!(parse_decision("x ffffffff 0 0 1 0").is_none());
    }
}
