//! The same answers, and the labels of the calling thread, by libselinux.

use super::{Ask, Decision};
use crate::procfs::KernelDir;
use crate::sys::{SelfAttribute, libselinux};
use rustix::io::Errno;
use std::ffi::CString;
use std::io;

/// libselinux, on a host where what it reads is the kernel's own.
#[derive(Debug)]
pub struct Library(());

impl Library {
    /// The library looks for selinuxfs by itself and trusts what it finds, so it is asked only where that is no other file system.
    ///
    /// # Errors
    /// As [`super::Kernel::open`].
    pub fn open() -> io::Result<Self> {
        KernelDir::selinux().map(|_| Self(()))
    }
}

impl Ask for Library {
    fn enforcing(&self) -> io::Result<bool> {
        libselinux::enforcing()
    }

    fn is_valid(&self, context: &str) -> io::Result<bool> {
        match libselinux::check_context(&text(context)?) {
            Ok(()) => Ok(true),
            Err(e) if Errno::from_io_error(&e) == Some(Errno::INVAL) => Ok(false),
            Err(e) => Err(e),
        }
    }

    fn decision(&self, subject: &str, object: &str, class: &str) -> io::Result<Decision> {
        let class = libselinux::class(&text(class)?).ok_or(Errno::NOENT)?;
        let (allowed, flags) = libselinux::access(&text(subject)?, &text(object)?, class)?;
        Ok(Decision::new(allowed, flags))
    }

    fn permission(&self, class: &str, permission: &str) -> io::Result<Option<u32>> {
        let Some(class) = libselinux::class(&text(class)?) else { return Ok(None) };
        Ok(libselinux::permission(class, &text(permission)?))
    }
}

/// A label of the calling thread; empty where none is set.
///
/// # Errors
/// What the library says.
pub(crate) fn label(attribute: SelfAttribute) -> io::Result<String> {
    libselinux::label(attribute)
}

/// Sets a label of the calling thread, or takes it back.
///
/// # Errors
/// What the library says.
pub(crate) fn set_label(attribute: SelfAttribute, label: Option<&str>) -> io::Result<()> {
    let label = label.map(text).transpose()?;
    libselinux::set_label(attribute, label.as_deref())
}

fn text(text: &str) -> io::Result<CString> {
    CString::new(text).map_err(|_| Errno::INVAL.into())
}
