//! What the kernel says of its security modules without any file system: lsm_list_modules(2), lsm_get_self_attr(2) and the Landlock ABI.

use super::check;
use std::io;

/// `struct lsm_ctx` of `linux/lsm.h` before its text: id, flags, len, ctx_len, 64 bits each.
const HEADER: usize = 32;
/// More than any label: a page.
const BUFFER: usize = 4096;

/// Numbers of `asm-generic/unistd.h`, the same on every architecture; libc has them not yet.
const SYS_LSM_GET_SELF_ATTR: libc::c_long = 459;
const SYS_LSM_LIST_MODULES: libc::c_long = 461;

/// An attribute of the calling thread, by its constant in `linux/lsm.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum SelfAttribute {
    /// `LSM_ATTR_CURRENT`
    Current = 100,
    /// `LSM_ATTR_EXEC`
    Exec = 101,
    /// `LSM_ATTR_SOCKCREATE`
    Socket = 105,
}

/// The ids of the active security modules (`LSM_ID_…` in `linux/lsm.h`), in the kernel's order.
///
/// # Errors
/// `ENOSYS` before Linux 6.8.
pub fn lsm_ids() -> io::Result<Vec<u64>> {
    let mut ids = [0_u64; 64];
    let mut size = u32::try_from(size_of_val(&ids)).unwrap_or(0);
    // SAFETY: the kernel writes at most `size` bytes of u64 to `ids`, which is that large and aligned, and the number of bytes to `size`.
    let count = check(unsafe {
        libc::syscall(SYS_LSM_LIST_MODULES, ids.as_mut_ptr(), std::ptr::from_mut(&mut size), 0)
    })?;
    Ok(ids.iter().copied().take(usize::try_from(count).unwrap_or(0)).collect())
}

/// An attribute of the calling thread as one security module has it, without a final NUL; `None` where the module has none.
///
/// # Errors
/// `ENOSYS` before Linux 6.8.
pub fn own_attribute(attribute: SelfAttribute, module: u64) -> io::Result<Option<String>> {
    let mut buffer = [0_u64; BUFFER / 8];
    let mut size = u32::try_from(size_of_val(&buffer)).unwrap_or(0);
    // SAFETY: the kernel writes at most `size` bytes to `buffer`, which is that large and aligned for `struct lsm_ctx`.
    check(unsafe {
        libc::syscall(
            SYS_LSM_GET_SELF_ATTR,
            attribute as u32,
            buffer.as_mut_ptr(),
            std::ptr::from_mut(&mut size),
            0,
        )
    })?;
    let bytes: Vec<u8> = buffer.iter().flat_map(|word| word.to_ne_bytes()).take(size as usize).collect();
    Ok(attribute_of(&bytes, module))
}

/// Finds one module's text in a sequence of `struct lsm_ctx`.
fn attribute_of(mut bytes: &[u8], module: u64) -> Option<String> {
    loop {
        let word =
            |n: usize| -> Option<u64> { Some(u64::from_ne_bytes(*bytes.get(n * 8..)?.first_chunk()?)) };
        let (id, length, text_length) =
            (word(0)?, usize::try_from(word(2)?).ok()?, usize::try_from(word(3)?).ok()?);
        if id == module {
            let text = bytes.get(HEADER..HEADER.checked_add(text_length)?)?;
            let text = text.strip_suffix(b"\0").unwrap_or(text);
            return String::from_utf8(text.to_vec()).ok();
        }
        bytes = bytes.get(length.max(HEADER)..)?;
    }
}

/// The kernel's Landlock ABI; 0 where there is none or it is switched off.
#[must_use]
pub fn landlock_abi() -> u32 {
    landlock_version().unwrap_or(0)
}

/// The kernel's Landlock ABI.
///
/// # Errors
/// `ENOSYS` where the kernel has none, `EOPNOTSUPP` where it is switched off at boot, and what a filter makes of the call.
pub fn landlock_version() -> io::Result<u32> {
    const VERSION: libc::c_ulong = 1;
    // SAFETY: with LANDLOCK_CREATE_RULESET_VERSION the attribute must be null and its size 0; nothing is read or written.
    let version = check(unsafe {
        libc::syscall(libc::SYS_landlock_create_ruleset, std::ptr::null::<libc::c_void>(), 0_usize, VERSION)
    })?;
    Ok(u32::try_from(version).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context(id: u64, text: &[u8]) -> Vec<u8> {
        let length = (HEADER + text.len()).next_multiple_of(8);
        let mut out: Vec<u8> =
            [id, 0, length as u64, text.len() as u64].iter().flat_map(|w| w.to_ne_bytes()).collect();
        out.extend(text);
        out.resize(length, 0);
        out
    }

    #[test]
    fn finds_the_module_that_was_asked_for() {
        let both = [context(101, b"u:r:t:s0\0"), context(104, b"unconfined\0")].concat();
        assert_eq!(attribute_of(&both, 104).as_deref(), Some("unconfined"));
        assert_eq!(attribute_of(&both, 101).as_deref(), Some("u:r:t:s0"));
        assert_eq!(attribute_of(&both, 100), None);
    }

    #[test]
    fn lengths_that_lie_end_the_search() {
        let mut text = context(104, b"x");
        text[24..32].copy_from_slice(&u64::MAX.to_ne_bytes());
        assert_eq!(attribute_of(&text, 104), None);
        text[16..24].copy_from_slice(&0_u64.to_ne_bytes());
        assert_eq!(attribute_of(&text, 101), None);
        assert_eq!(attribute_of(&[], 101), None);
    }
}
