//! The C library's entry of `canc-run`, without the language's own start-up: that reads a file of `/proc`, installs handlers and opens
//! descriptors, which costs a tenth of a launch and hides from it how it was started.
#![expect(unsafe_code, reason = "an entry point has to be exported by name and gets raw pointers")]

use std::ffi::{CStr, OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// Hands the words after the program's name to [`crate::run`].
///
/// # Safety
/// Called by the C library alone, once, with `argc` strings in `argv` that live as long as the process.
#[unsafe(no_mangle)]
unsafe extern "C" fn main(argc: libc::c_int, argv: *const *const libc::c_char) -> libc::c_int {
    let count = usize::try_from(argc).unwrap_or(0);
    let word = |n: usize| {
        // SAFETY: `n` is below `argc`, so `argv[n]` is a string, as the caller promises.
        let word = unsafe { CStr::from_ptr(*argv.add(n)) };
        OsString::from(OsStr::from_bytes(word.to_bytes()))
    };
    crate::run((1..count).map(word).collect()).into()
}
