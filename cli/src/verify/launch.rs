//! The inside of a trial's process: a variant's files to a launch of the probe, in place.
//!
//! Not `canc run BUNDLE`: in a user namespace the directories above the bundle belong to nobody, and a bundle on such a path is refused.
//! These files were written by the process that starts this one, in a directory of its own.

use super::variant::Files;
use canc_bundle::MANIFEST;
use canc_runtime::{Bundle, Failure, Request, launch};
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::Path;
use std::process::ExitCode;

/// The first argument that makes a process of canc come here; not for people.
pub const COMMAND: &str = "__verify-launch";

/// `DIRECTORY POLICY CMD ARG…`. Comes back only if nothing was started.
pub fn run(words: &[OsString]) -> ExitCode {
    let [directory, policy, command @ ..] = words else { return ExitCode::from(125) };
    let mut files = Files::new();
    if let Err(e) = read(Path::new(directory), "", &mut files) {
        eprintln!("canc verify: {}: {e}", directory.display());
        return ExitCode::from(125);
    }
    let request = Request {
        called: "canc verify".into(),
        policy: Some(policy.to_string_lossy().into_owned()),
        command: command.to_vec(),
        ..Request::default()
    };
    match started(files, request) {
        Ok(()) => ExitCode::from(125),
        Err(failure) => {
            eprint!("{}", failure.told_by("canc verify"));
            ExitCode::from(125)
        }
    }
}

fn started(files: Files, request: Request) -> Result<(), Failure> {
    let manifest = files.get(MANIFEST).cloned().unwrap_or_default();
    launch(&Bundle::from_memory(&manifest, files)?, request).map(drop)
}

/// Every file below `directory`, by its path from there.
fn read(directory: &Path, above: &str, files: &mut Files) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = format!("{above}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            read(&entry.path(), &format!("{name}/"), files)?;
        } else {
            files.insert(name, fs::read(entry.path())?);
        }
    }
    Ok(())
}
