//! Arguments of the command line to what it prints, within this process.

use canc_cli::{Exit, OutputStreams};
use std::ffi::OsString;
use std::path::Path;

/// What a command came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    /// How it ended.
    pub exit: Exit,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

/// Runs `canc` with these arguments.
pub fn canc<S: AsRef<str>>(args: &[S]) -> Ran {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let words = std::iter::once("canc").chain(args.iter().map(AsRef::as_ref)).map(OsString::from);
    let exit = canc_cli::run(words, &mut OutputStreams::buffers(&mut out, &mut err));
    Ran { exit, out: text(out), err: text(err) }
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).expect("canc prints UTF-8")
}

/// Runs `canc build` on a file with these options, into `bundle`.
pub fn build(policy: &Path, options: &[String], bundle: &Path) -> Ran {
    let mut args = vec!["build".to_owned(), policy.display().to_string()];
    args.extend(["-o".to_owned(), bundle.display().to_string()]);
    args.extend(options.iter().cloned());
    canc(&args)
}
