//! A package of the workspace to its static binary, as people build it for other hosts.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Builds a binary without libraries; `beside` is a binary of the test's own build.
pub fn built(beside: &str, package: &str, binary: &str) -> PathBuf {
    let target = Path::new(beside).ancestors().nth(2).unwrap().join("static");
    let triple = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let status = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--locked", "-p", package, "--bin", binary])
        .args(["--target", &triple, "--target-dir"])
        .arg(&target)
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .env("RUSTFLAGS", "-C target-feature=+crt-static")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .status()
        .unwrap();
    assert!(status.success(), "the static {binary} does not build");
    target.join(triple).join("debug").join(binary)
}
