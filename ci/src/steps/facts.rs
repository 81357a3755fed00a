//! The facts about the base policy that the compiler carries against those of the policy in the test bed.

use super::ensure;
use crate::{Error, Rootfs};
use std::collections::BTreeMap;
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
    let names = old.keys().chain(new.keys());
    let differing: Vec<_> =
        names.filter(|name| old.get(*name) != new.get(*name)).map(String::as_str).collect();
    println!("{} tables", new.len());
    ensure(differing.is_empty() && !new.is_empty(), || {
        format!(
            "{COMMITTED} differs from the policy in {}; `canc-ci facts-record` records it",
            differing.join(", ")
        )
    })
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

fn tables(dir: &Path) -> Result<BTreeMap<String, Vec<u8>>, Error> {
    let entries = fs::read_dir(dir).map_err(Error::io("listing", dir))?;
    let read = |path: PathBuf| {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        fs::read(&path).map(|bytes| (name, bytes)).map_err(Error::io("reading", path))
    };
    entries.flatten().map(|entry| read(entry.path())).collect()
}
