//! A launcher of one's own: starts a program under a bundle in a child process, and says what was decided before.
//!
//! `cargo run -p canc-runtime --example embed -- BUNDLE PROGRAM [ARG…]`

use canc_runtime::{Bundle, Failure, LayerState, Request, launch};
use std::ffi::OsString;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut words = std::env::args_os().skip(1);
    let Some(bundle) = words.next() else {
        eprintln!("usage: embed BUNDLE PROGRAM [ARG…]");
        return ExitCode::from(2);
    };
    match start(&bundle, words.collect()) {
        Ok(never) => never,
        Err(failure) => {
            eprintln!("embed: {failure}");
            ExitCode::from(failure.code as u8)
        }
    }
}

fn start(bundle: &OsString, command: Vec<OsString>) -> Result<ExitCode, Failure> {
    let bundle = Bundle::open(bundle.as_ref())?;
    let decision =
        launch(&bundle, Request { command: command.clone(), dry_run: true, ..Request::default() })?;
    let plan = decision.plan?;
    let active: Vec<&str> =
        plan.layers.iter().filter(|(_, s)| LayerState::is_active(s)).map(|(l, _)| l.word()).collect();
    eprintln!("embed: {} under {}", decision.program.path.display(), active.join(", "));
    launch(&bundle, Request { command, ..Request::default() }).map(|_| ExitCode::FAILURE)
}
