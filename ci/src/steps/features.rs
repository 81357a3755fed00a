//! The AppArmor features of the machine's kernel against the copy that the compiler carries.

use super::ensure;
use crate::oracle::apparmor::{Features, Parser};
use crate::vm::{self, VmJob, VmTest};
use crate::{Error, Rootfs};
use std::fs;
use std::path::{Path, PathBuf};

const RECORDED: &str = "codegen/data/apparmor/features/debian13";

/// Fails if they differ, or if the parser cannot read the copy.
pub fn check(rootfs: &Rootfs) -> Result<(), Error> {
    let file = recorded();
    let old = fs::read_to_string(&file).map_err(Error::io("reading", &file))?;
    let parse = |text: &str| Parser::new(rootfs).parse(text, Features::Recorded(&old));
    let (fine, broken) =
        (parse("profile canc.f { userns create, }\n")?, parse("profile canc.f { nonsense, }\n")?);
    let told = fine.accepted().is_ok() && broken.accepted().is_err();
    ensure(told, || format!("the parser does not understand {RECORDED}"))?;
    let new = of_kernel(rootfs)?;
    ensure(old == new, || {
        format!(
            "{RECORDED} differs from the kernel's features; `canc-ci features-record` records them:\n{new}"
        )
    })
}

/// Writes the kernel's.
pub fn record(rootfs: &Rootfs) -> Result<(), Error> {
    let file = recorded();
    if let Some(dir) = file.parent() {
        fs::create_dir_all(dir).map_err(Error::io("making", dir))?;
    }
    fs::write(&file, of_kernel(rootfs)?).map_err(Error::io("writing", &file))
}

fn recorded() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("/")).join(RECORDED)
}

/// In the form that `apparmor_parser -M` takes.
fn of_kernel(rootfs: &Rootfs) -> Result<String, Error> {
    let mut job = VmJob::new("features", "debian13-apparmor")?;
    job.tests.push(VmTest::new("features", &["/usr/bin/aa-features-abi", "--extract"]));
    let report = vm::run(rootfs, &job)?;
    ensure(report.is_good(), || report.to_string())?;
    let text = report.ran("features").map(|ran| ran.stdout.clone()).unwrap_or_default();
    ensure(text.contains("userns_create"), || format!("these are no AppArmor 4 features: {text}"))?;
    Ok(text)
}
