//! A profile's text to what AppArmor's own parser says of it, or makes of it.
//!
//! It must not know what a profile means.

use super::Verdict;
use crate::run::Output;
use crate::{Error, Rootfs};
use std::path::Path;

/// Which features the parser assumes; without any it accepts what it does not enforce.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Features<'a> {
    /// The features of `abi/3.0`.
    Abi3,
    /// The features of `abi/4.0`.
    Abi4,
    /// A recorded feature set, as `aa-features-abi` writes it.
    Recorded(&'a str),
}

/// The parser of the test bed.
#[derive(Debug, Clone)]
pub struct Parser {
    rootfs: Rootfs,
}

/// Exit code of a command that does not exist, and of one that cannot be run.
const SHELL_FAILURES: [i32; 3] = [125, 126, 127];

impl Parser {
    /// Of this root file system.
    pub fn new(rootfs: &Rootfs) -> Self {
        Self { rootfs: rootfs.clone() }
    }

    /// Parses strictly: every warning is an error.
    pub fn parse(&self, profile: &str, features: Features) -> Result<Verdict, Error> {
        let output = self.run(profile, features, &["-Q"])?;
        Ok(match output.code {
            0 => Verdict::Accepted(()),
            _ => Verdict::Refused(output.errors()),
        })
    }

    /// Compiles as strictly, to what the kernel would be given.
    pub fn compile(&self, profile: &str, features: Features) -> Result<Verdict<Vec<u8>>, Error> {
        let output = self.run(profile, features, &["-S"])?;
        Ok(match output.code {
            0 => Verdict::Accepted(output.stdout),
            _ => Verdict::Refused(output.errors()),
        })
    }

    /// `-T` and `-K`: neither reads nor writes a cache. Any failure to run at all is an error, not a refusal.
    fn run(&self, profile: &str, features: Features, mode: &[&str]) -> Result<Output, Error> {
        let dir = self.rootfs.cache().scratch()?;
        let path = feature_file(features, dir.path())?;
        let share = if matches!(features, Features::Recorded(_)) { dir.path() } else { Path::new("") };
        let run = self.rootfs.run_sharing(share, "apparmor_parser").args(mode);
        let run = run.args(["-T", "-K", "-M", path, "--warn=all", "--Werror"]);
        let output = run.input(profile).output()?;
        if SHELL_FAILURES.contains(&output.code) {
            return Err(Error::Odd(format!("apparmor_parser did not run: {}", output.errors())));
        }
        Ok(output)
    }
}

/// Where the parser finds the features, written below `share` if they are recorded.
fn feature_file(features: Features, share: &Path) -> Result<&'static str, Error> {
    match features {
        Features::Abi3 => Ok("/etc/apparmor.d/abi/3.0"),
        Features::Abi4 => Ok("/etc/apparmor.d/abi/4.0"),
        Features::Recorded(text) => {
            let file = share.join("features");
            std::fs::write(&file, text).map_err(Error::io("writing", &file))?;
            Ok("/mnt/features")
        }
    }
}
