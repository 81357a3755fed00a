//! Calls of libselinux: its numbers and its texts to `io::Result`.

use super::{SelfAttribute, check};
use selinux_sys as library;
use std::ffi::{CStr, c_char, c_int};
use std::io;
use std::ptr::null_mut;

/// Whether the host enforces (security_getenforce(3)).
///
/// # Errors
/// What the library leaves in `errno`.
pub fn enforcing() -> io::Result<bool> {
    // SAFETY: takes no arguments.
    Ok(done(unsafe { library::security_getenforce() })? == 1)
}

/// Whether the loaded policy has the context (security_check_context_raw(3)).
///
/// # Errors
/// `EINVAL` where it does not, or what else the library leaves in `errno`.
pub fn check_context(context: &CStr) -> io::Result<()> {
    // SAFETY: a text that ends with NUL, which is only read.
    done(unsafe { library::security_check_context_raw(context.as_ptr()) }).map(drop)
}

/// The number of a class in the loaded policy (string_to_security_class(3)).
pub fn class(name: &CStr) -> Option<u16> {
    // SAFETY: a text that ends with NUL, which is only read.
    let class = unsafe { library::string_to_security_class(name.as_ptr()) };
    (class != 0).then_some(class)
}

/// The bit of a permission of a class (string_to_av_perm(3)).
pub fn permission(class: u16, name: &CStr) -> Option<u32> {
    // SAFETY: a text that ends with NUL, which is only read.
    let bit = unsafe { library::string_to_av_perm(class, name.as_ptr()) };
    (bit != 0).then_some(bit)
}

/// The permissions that a subject has, and the flags of the decision (security_compute_av_flags_raw(3)).
///
/// # Errors
/// What the library leaves in `errno`.
pub fn access(subject: &CStr, object: &CStr, class: u16) -> io::Result<(u32, u32)> {
    let mut decision =
        library::av_decision { allowed: 0, decided: 0, auditallow: 0, auditdeny: 0, seqno: 0, flags: 0 };
    // SAFETY: two texts that end with NUL and are only read, and a decision that it fills.
    done(unsafe {
        library::security_compute_av_flags_raw(
            subject.as_ptr(),
            object.as_ptr(),
            class,
            u32::MAX,
            &raw mut decision,
        )
    })?;
    Ok((decision.allowed, decision.flags))
}

/// A label of the calling thread (getcon_raw(3), getexeccon_raw(3), getsockcreatecon_raw(3)); empty where none is set.
///
/// # Errors
/// What the library leaves in `errno`, or `InvalidData` for what is no UTF-8.
pub fn label(attribute: SelfAttribute) -> io::Result<String> {
    let mut text: *mut c_char = null_mut();
    let place = &raw mut text;
    // SAFETY: each writes one pointer to where `place` points: null, or to a text of its own that ends with NUL.
    done(unsafe {
        match attribute {
            SelfAttribute::Current => library::getcon_raw(place),
            SelfAttribute::Exec => library::getexeccon_raw(place),
            SelfAttribute::Socket => library::getsockcreatecon_raw(place),
        }
    })?;
    if text.is_null() {
        return Ok(String::new());
    }
    // SAFETY: not null, so that it is the library's text; it stays until it is freed below.
    let label = unsafe { CStr::from_ptr(text) }.to_str().map(|text| text.trim_end().to_owned());
    // SAFETY: the library made it for its caller to free so, and nothing refers to it any more.
    unsafe { library::freecon(text) };
    label.map_err(|_| io::ErrorKind::InvalidData.into())
}

/// Sets a label of the calling thread, or takes it back (setexeccon_raw(3), setsockcreatecon_raw(3), setcon_raw(3)).
///
/// # Errors
/// What the library leaves in `errno`.
pub fn set_label(attribute: SelfAttribute, label: Option<&CStr>) -> io::Result<()> {
    let text = label.map_or(std::ptr::null(), CStr::as_ptr);
    // SAFETY: null, which takes the label back, or a text that ends with NUL and is only read.
    done(unsafe {
        match attribute {
            SelfAttribute::Current => library::setcon_raw(text),
            SelfAttribute::Exec => library::setexeccon_raw(text),
            SelfAttribute::Socket => library::setsockcreatecon_raw(text),
        }
    })
    .map(drop)
}

fn done(result: c_int) -> io::Result<libc::c_long> {
    check(result.into())
}
