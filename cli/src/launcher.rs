//! The programs that belong to canc and need nothing but a kernel, the launcher and the probe: found beside canc or named, and proved to be
//! static and of this version.

use crate::elf::Elf;
use std::fs;
use std::path::{Path, PathBuf};

/// The file's name of the launcher beside canc and in a bundle.
pub const NAME: &str = LAUNCHER.name;

/// A program that belongs to canc.
pub struct Companion {
    /// Its file's name beside canc.
    name: &'static str,
    /// What messages call it.
    what: &'static str,
    /// The package that it is built from.
    package: &'static str,
    /// The option that names another.
    option: &'static str,
    /// What one of this version says of itself.
    version: &'static str,
}

/// What starts programs under a bundle.
pub const LAUNCHER: Companion = Companion {
    name: "canc-run",
    what: "launcher",
    package: "canc-runtime",
    option: "--with-runtime",
    version: concat!("canc-run ", env!("CARGO_PKG_VERSION"), "\n"),
};

/// What performs requests.
pub const PROBE: Companion = Companion {
    name: "canc-probe",
    what: "probe",
    package: "canc-probe",
    option: "--probe",
    version: concat!("canc-probe ", env!("CARGO_PKG_VERSION"), "\n"),
};

/// Many times what any of them has, in bytes.
const MAX: u64 = 64 << 20;

impl Companion {
    /// Finds the program at `path`, or the one beside canc, and reads it.
    ///
    /// # Errors
    /// It is missing, not of this version, for none of `arches`, or needs libraries: in words for the person who asked.
    pub fn read(&self, path: Option<&Path>, arches: &[String]) -> Result<(PathBuf, Vec<u8>), String> {
        let path = path.map_or_else(|| self.beside(), |path| Ok(path.to_owned()))?;
        let shown = |why: String| {
            let arch = arches.first().map_or("ARCH", String::as_str);
            let Self { name, package, option, .. } = self;
            format!(
                "`{}` {why}\n  to mend it: RUSTFLAGS='-C target-feature=+crt-static' cargo build --release --package \
                 {package} --target {arch}-unknown-linux-gnu, then {option}=target/{arch}-unknown-linux-gnu/release/{name}",
                path.display()
            )
        };
        let metadata = fs::metadata(&path).map_err(|e| shown(format!("cannot be read: {e}")))?;
        if !metadata.is_file() || metadata.len() > MAX {
            return Err(shown(format!("is no {}", self.what)));
        }
        let bytes = fs::read(&path).map_err(|e| shown(format!("cannot be read: {e}")))?;
        self.check(&bytes, arches).map_err(shown)?;
        Ok((path, bytes))
    }

    fn beside(&self) -> Result<PathBuf, String> {
        let own = std::env::current_exe().map_err(|e| format!("cannot find the running program: {e}"))?;
        Ok(own.with_file_name(self.name))
    }

    fn check(&self, bytes: &[u8], arches: &[String]) -> Result<(), String> {
        let elf = Elf::of(bytes).ok_or("is no program")?;
        if !bytes.windows(self.version.len()).any(|window| window == self.version.as_bytes()) {
            return Err(format!("is no {}", self.version.trim_end()));
        }
        match (elf.arch, elf.interpreter) {
            (Some(arch), _) if !arches.iter().any(|a| a == arch) => {
                Err(format!("is for {arch}, and one is needed for {}", arches.join(", ")))
            }
            (None, _) => Err("is for an architecture that canc does not know".into()),
            (_, Some(interpreter)) => Err(format!(
                "is linked dynamically: on another host {interpreter} and libraries may be missing"
            )),
            (Some(_), None) => Ok(()),
        }
    }
}
