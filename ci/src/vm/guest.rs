//! The sources of the programs that run inside the machines to static executables, so that they need nothing there.
//!
//! It must not know what the programs do.

use crate::Error;
use crate::run::Run;
use std::path::{Path, PathBuf};
use std::time::Duration;

const TARGET: &str = "x86_64-unknown-linux-gnu";
const LIMIT: Duration = Duration::from_secs(900);

/// Builds the binary `name` of the workspace's package `package`, linked statically.
pub fn build_program(package: &str, name: &str) -> Result<PathBuf, Error> {
    Ok(build(package, &["--bin", name])?.join(name))
}

/// Builds what `words` choose of the workspace's package `package`, linked statically; the directory that it is in.
pub fn build(package: &str, words: &[&str]) -> Result<PathBuf, Error> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("/"));
    let target = workspace.join("target/static");
    Run::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["build", "--quiet", "--locked", "--package", package, "--target", TARGET])
        .args(words)
        .arg("--target-dir")
        .arg(&target)
        .env("RUSTFLAGS", "-C target-feature=+crt-static -C strip=symbols")
        .dir(workspace)
        .limit(LIMIT)
        .ok()?;
    Ok(target.join(TARGET).join("debug"))
}
