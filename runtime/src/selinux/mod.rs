//! Questions about the loaded SELinux policy to its answers: by selinuxfs itself or, built with the feature `libselinux`, by that library.

mod kernel;
#[cfg(feature = "libselinux")]
mod library;

pub use kernel::Kernel;
#[cfg(feature = "libselinux")]
pub use library::Library;
#[cfg(feature = "libselinux")]
pub(crate) use library::{label, set_label};

use std::io;

/// What this build asks.
#[cfg(not(feature = "libselinux"))]
pub(crate) type Asked = Kernel;
/// What this build asks.
#[cfg(feature = "libselinux")]
pub(crate) type Asked = Library;

/// What a domain may do to an object of a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// A bit for each permission, as [`Ask::permission`] gives it.
    pub allowed: u32,
    /// Whether the domain's refusals are only logged.
    pub permissive: bool,
}

impl Decision {
    /// Of the kernel's two words. The flag is `AVD_FLAGS_PERMISSIVE` of `security/selinux/include/security.h`.
    fn new(allowed: u32, flags: u32) -> Self {
        Self { allowed, permissive: flags & 1 != 0 }
    }
}

/// Whoever knows the loaded policy.
pub trait Ask {
    /// Whether the host enforces.
    ///
    /// # Errors
    /// selinuxfs cannot be read.
    fn enforcing(&self) -> io::Result<bool>;

    /// Whether the loaded policy has this context.
    ///
    /// # Errors
    /// The policy cannot be asked.
    fn is_valid(&self, context: &str) -> io::Result<bool>;

    /// What a subject may do to an object.
    ///
    /// # Errors
    /// `ENOENT` where the policy has no such class, `EINVAL` for a context it does not know, or it cannot be asked.
    fn decision(&self, subject: &str, object: &str, class: &str) -> io::Result<Decision>;

    /// The bit of a permission; `None` where the policy lacks it or its class.
    ///
    /// # Errors
    /// The policy cannot be asked.
    fn permission(&self, class: &str, permission: &str) -> io::Result<Option<u32>>;

    /// Whether a subject has a permission; what the policy lacks is not allowed.
    ///
    /// # Errors
    /// As [`Ask::decision`].
    fn allows(&self, subject: &str, object: &str, class: &str, permission: &str) -> io::Result<bool> {
        match self.permission(class, permission)? {
            Some(bit) => Ok(self.decision(subject, object, class)?.allowed & bit != 0),
            None => Ok(false),
        }
    }
}
