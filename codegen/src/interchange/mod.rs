//! Filters in the formats of other programs: OCI runtime seccomp JSON in both directions, and systemd's settings.

pub mod oci;
pub mod oci_import;
mod oci_sets;
mod oci_text;
#[cfg(test)]
mod tests;

/// `ENOSYS` of `asm-generic/errno.h`.
const ENOSYS: u16 = 38;
