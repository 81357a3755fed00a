//! The facts about the base policy that the compiler carries against those of the policy in the test bed.

use super::ensure;
use crate::{Error, Rootfs};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

const COMMITTED: &str = "codegen/data/base/debian13";
const LIMIT: Duration = Duration::from_secs(240);

/// Fails if any table differs, is missing, or is there in vain.
pub fn check(rootfs: &Rootfs) -> Result<(), Error> {
    let fresh = rootfs.cache().scratch()?;
    generate(rootfs, fresh.path())?;
    let (old, new) = (tables(&committed())?, tables(fresh.path())?);
    println!("{} tables", new.len());
    let names: BTreeSet<_> = old.keys().chain(new.keys()).collect();
    let differing: Vec<_> =
        names.iter().filter_map(|name| differs(name, old.get(*name), new.get(*name))).collect();
    ensure(differing.is_empty() && !new.is_empty(), || {
        let lines = differing.join("\n");
        format!("{COMMITTED} differs from the policy; `canc-ci facts-record` records it\n{lines}")
    })
}

/// The first line in which two tables differ.
fn differs(name: &str, old: Option<&String>, new: Option<&String>) -> Option<String> {
    let (Some(old_text), Some(new_text)) = (old, new) else {
        return Some(format!("{name}: {}", if old.is_some() { "no longer made" } else { "not committed" }));
    };
    let (mut old, mut new) = (old_text.lines(), new_text.lines());
    (1..).map(|n| (n, old.next(), new.next())).take_while(|(_, a, b)| a.is_some() || b.is_some()).find_map(
        |(n, a, b)| {
            let shown = |line: Option<&str>| line.map_or("nothing".to_owned(), |line| format!("`{line}`"));
            (a != b).then(|| format!("{name}:{n}: committed {}, the policy says {}", shown(a), shown(b)))
        },
    )
}

/// Writes the test bed's.
pub fn record(rootfs: &Rootfs) -> Result<(), Error> {
    generate(rootfs, &committed())
}

fn committed() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("/")).join(COMMITTED)
}

/// The generator is a program of its own, because it must see the private layer's root.
fn generate(rootfs: &Rootfs, out: &Path) -> Result<(), Error> {
    let own = std::env::current_exe().map_err(Error::io("finding", "the running program"))?;
    let program = own.with_file_name("base_facts");
    ensure(program.exists(), || format!("{} is not built: cargo build -p canc-ci", program.display()))?;
    let layer = rootfs.layer()?;
    layer.outside(program).arg(layer.outside_root()).arg(out).limit(LIMIT).ok().map(|_| ())
}

fn tables(dir: &Path) -> Result<BTreeMap<String, String>, Error> {
    let entries = fs::read_dir(dir).map_err(Error::io("listing", dir))?;
    let read = |path: PathBuf| {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        fs::read_to_string(&path).map(|text| (name, text)).map_err(Error::io("reading", path))
    };
    entries.flatten().map(|entry| read(entry.path())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(old: Option<&str>, new: Option<&str>) -> Option<String> {
        differs("t", old.map(str::to_owned).as_ref(), new.map(str::to_owned).as_ref())
    }

    #[test]
    fn the_first_difference_is_shown() {
        assert_eq!(told(Some("a\nb\n"), Some("a\nb\n")), None);
        assert_eq!(told(Some("a\nb\n"), Some("a\nc\n")).unwrap(), "t:2: committed `b`, the policy says `c`");
        assert_eq!(told(Some("a\n"), Some("a\nc\n")).unwrap(), "t:2: committed nothing, the policy says `c`");
        assert!(told(None, Some("")).is_some() && told(Some(""), None).is_some());
    }
}
