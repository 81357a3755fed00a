//! A list of packages to an unpacked, labelled Debian 13 with a SELinux store that is ready to be built upon.
//!
//! It must not know who uses it. Whatever changes in this file or in the list gives a new cache key.

use crate::Error;
use crate::run::Run;
use sha2::{Digest, Sha256};
use std::fs;
use std::path::Path;
use std::time::Duration;

/// The directory with the tree in a cache entry.
pub const TREE: &str = "tree";
/// Debian 13.
const SUITE: &str = "trixie";
const PACKAGES: &str = include_str!("../../testbed/packages");
const SCRIPT: &str = include_str!("build.rs");
/// Nobody reads these in the test bed, and every disk image is smaller without them: pages, and of the C compiler what only builds with
/// link-time optimization or with sanitizers take.
const LEFT_OUT: [&str; 9] = [
    "/usr/share/doc/*",
    "/usr/share/man/*",
    "/usr/share/locale/*",
    "/usr/share/info/*",
    "/usr/libexec/gcc/*/lto1",
    "/usr/bin/*lto-dump*",
    "/usr/lib/*/lib?san.so*",
    "/usr/lib/*/lib??san.so*",
    "/usr/lib/gcc/*/lib*san*",
];
const FETCH_LIMIT: Duration = Duration::from_secs(900);

/// The key of the tree.
pub fn digest() -> String {
    let mut hash = Sha256::new();
    for part in [SUITE, PACKAGES, SCRIPT] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// Fills `entry`.
pub fn build(entry: &Path) -> Result<(), Error> {
    let tree = entry.join(TREE);
    unpack(&tree)?;
    configure(&tree)?;
    let inside = |program: &str| mortal("chroot").arg(&tree).arg(program).limit(FETCH_LIMIT);
    // The first build of the store compiles all modules; later ones find them compiled.
    inside("semodule").args(["-n", "-B"]).ok()?;
    let contexts = "/etc/selinux/default/contexts/files/file_contexts";
    inside("setfiles").args(["-F", contexts, "/"]).ok()?;
    Ok(())
}

fn unpack(tree: &Path) -> Result<(), Error> {
    let include = packages().collect::<Vec<_>>().join(",");
    let exclude = LEFT_OUT.map(|glob| format!("--dpkgopt=path-exclude={glob}"));
    mortal("mmdebstrap")
        .args(["--mode=root", "--variant=minbase", "--quiet"])
        .args(exclude)
        .arg(format!("--include={include}"))
        .arg(SUITE)
        .arg(tree)
        .limit(FETCH_LIMIT)
        .ok()
        .map(|_| ())
}

/// A command that ends when this process is killed, after tidying up.
fn mortal(program: &str) -> Run {
    Run::new("setpriv").args(["--pdeathsig", "TERM", program])
}

fn packages() -> impl Iterator<Item = &'static str> {
    PACKAGES.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// `expand-check` makes installing a module enforce the base policy's assertions, which the default does not.
fn configure(tree: &Path) -> Result<(), Error> {
    edit(&tree.join("etc/selinux/semanage.conf"), "expand-check=0", "expand-check=1")?;
    edit(&tree.join("etc/selinux/config"), "SELINUX=permissive", "SELINUX=enforcing")
}

fn edit(file: &Path, old: &str, new: &str) -> Result<(), Error> {
    let text = fs::read_to_string(file).map_err(Error::io("reading", file))?;
    if !text.lines().any(|line| line == old) {
        return Err(Error::Odd(format!("{} has no line {old:?}", file.display())));
    }
    let lines = text.lines().map(|line| if line == old { new } else { line });
    let text: String = lines.flat_map(|line| [line, "\n"]).collect();
    fs::write(file, text).map_err(Error::io("writing", file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_has_packages_and_no_comments() {
        let all: Vec<_> = packages().collect();
        assert!(
            all.contains(&"apparmor") && all.iter().all(|name| !name.contains([' ', '#', ','])),
            "{all:?}"
        );
    }

    #[test]
    fn an_edit_of_a_line_that_is_not_there_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("f");
        fs::write(&file, "a=0\nb=0\n").unwrap();
        edit(&file, "a=0", "a=1").unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "a=1\nb=0\n");
        assert!(edit(&file, "c=0", "c=1").is_err());
    }
}
