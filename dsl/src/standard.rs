//! The standard library: fragments in the policy language, compiled in.

macro_rules! fragments {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../std/", $name, ".can"))),)*]
    };
}

/// The fragments of the standard library, sorted by name: the name without `std.`, and the text.
#[must_use]
pub fn std_fragments() -> &'static [(&'static str, &'static str)] {
    fragments![
        "base",
        "daemon",
        "locale",
        "logging",
        "minimal",
        "python",
        "resolver",
        "shell",
        "tls",
        "tmp",
        "toolchain",
        "tty",
    ]
}
