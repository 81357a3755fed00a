//! The launcher that goes into a bundle: found beside canc or named, and proved to run on a host that has nothing but a kernel.

use crate::elf::Elf;
use std::fs;
use std::path::{Path, PathBuf};

/// The file's name beside canc and in a bundle.
pub const NAME: &str = "canc-run";
/// Many times what a launcher has, in bytes.
const MAX: u64 = 64 << 20;
/// What a launcher of this version says of itself.
const VERSION: &str = concat!("canc-run ", env!("CARGO_PKG_VERSION"), "\n");

/// Reads the launcher at `path`, or the one beside the running program.
///
/// # Errors
/// It is missing, no launcher of this version, for none of `arches`, or needs libraries: in words for the person who asked.
pub fn read(path: Option<&Path>, arches: &[String]) -> Result<Vec<u8>, String> {
    let path = path.map_or_else(beside, |path| Ok(path.to_owned()))?;
    let shown = |why: String| {
        let arch = arches.first().map_or("ARCH", String::as_str);
        format!(
            "`{}` {why}\n  to mend it: RUSTFLAGS='-C target-feature=+crt-static' cargo build --release --package \
             canc-runtime --target {arch}-unknown-linux-gnu, then --with-runtime=target/{arch}-unknown-linux-gnu/release/{NAME}",
            path.display()
        )
    };
    let metadata = fs::metadata(&path).map_err(|e| shown(format!("cannot be read: {e}")))?;
    if !metadata.is_file() || metadata.len() > MAX {
        return Err(shown("is no launcher".into()));
    }
    let bytes = fs::read(&path).map_err(|e| shown(format!("cannot be read: {e}")))?;
    check(&bytes, arches).map_err(shown)?;
    Ok(bytes)
}

fn beside() -> Result<PathBuf, String> {
    let own = std::env::current_exe().map_err(|e| format!("cannot find the running program: {e}"))?;
    Ok(own.with_file_name(NAME))
}

fn check(bytes: &[u8], arches: &[String]) -> Result<(), String> {
    let elf = Elf::of(bytes).ok_or("is no program")?;
    if !bytes.windows(VERSION.len()).any(|window| window == VERSION.as_bytes()) {
        return Err(format!("is no {}", VERSION.trim_end()));
    }
    match (elf.arch, elf.interpreter) {
        (Some(arch), _) if !arches.iter().any(|a| a == arch) => {
            Err(format!("is for {arch}, and the bundle has filters for {}", arches.join(", ")))
        }
        (None, _) => Err("is for an architecture that canc does not know".into()),
        (_, Some(interpreter)) => {
            Err(format!("is linked dynamically: on another host {interpreter} and libraries may be missing"))
        }
        (Some(_), None) => Ok(()),
    }
}
