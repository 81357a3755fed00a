//! The kernel's errors to their names in the headers, for messages that a reader can look up.

use rustix::io::Errno;
use std::io;

const NAMES: [(Errno, &str); 23] = [
    (Errno::PERM, "EPERM"),
    (Errno::NOENT, "ENOENT"),
    (Errno::SRCH, "ESRCH"),
    (Errno::IO, "EIO"),
    (Errno::BADF, "EBADF"),
    (Errno::AGAIN, "EAGAIN"),
    (Errno::NOMEM, "ENOMEM"),
    (Errno::ACCESS, "EACCES"),
    (Errno::BUSY, "EBUSY"),
    (Errno::EXIST, "EEXIST"),
    (Errno::XDEV, "EXDEV"),
    (Errno::NODEV, "ENODEV"),
    (Errno::NOTDIR, "ENOTDIR"),
    (Errno::INVAL, "EINVAL"),
    (Errno::MFILE, "EMFILE"),
    (Errno::NOSPC, "ENOSPC"),
    (Errno::ROFS, "EROFS"),
    (Errno::NOSYS, "ENOSYS"),
    (Errno::LOOP, "ELOOP"),
    (Errno::OPNOTSUPP, "EOPNOTSUPP"),
    (Errno::USERS, "EUSERS"),
    (Errno::DQUOT, "EDQUOT"),
    (Errno::OVERFLOW, "EOVERFLOW"),
];

/// The name of an error's number.
#[must_use]
pub fn name(error: Errno) -> String {
    let known = NAMES.iter().find(|(errno, _)| *errno == error);
    known.map_or_else(|| format!("errno {}", error.raw_os_error()), |(_, name)| (*name).to_owned())
}

/// The same of an error that has one, and the error's own text otherwise.
#[must_use]
pub fn of(error: &io::Error) -> String {
    Errno::from_io_error(error).map_or_else(|| error.to_string(), name)
}
