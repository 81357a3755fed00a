//! Names and places that every reference policy and every host have: attributes, shared directories, mounted file systems.

include!(concat!(env!("OUT_DIR"), "/names.rs"));

/// The directories that many packages share, one a line.
static SHARED: &str = include_str!("../../data/selinux/shared_dirs.txt");
/// Paths and the file systems that are mounted there.
static MOUNTS: &str = include_str!("../../data/selinux/mounts.tsv");

/// Whether many packages share the directory, given without trailing slash.
#[must_use]
pub fn is_shared(directory: &str) -> bool {
    SHARED.lines().any(|l| l == directory)
}

/// The mounted file systems: mount point and type.
pub fn mounts() -> impl Iterator<Item = (&'static str, &'static str)> {
    MOUNTS.lines().filter(|l| !l.starts_with('#')).filter_map(|l| l.split_once('\t'))
}
