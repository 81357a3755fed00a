//! A launcher of one's own: decides, says what will be in force, and becomes the program.
//!
//! `cargo run -p canc-runtime --example embed -- BUNDLE PROGRAM [ARG…]`

use canc_runtime::{
    Bundle, Failure, Host, LayerState, Plan, Program, Request, enforce, standard_descriptors,
};
use std::convert::Infallible;
use std::ffi::OsString;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut words = std::env::args_os().skip(1);
    let (Some(bundle), command @ [_, ..]) = (words.next(), &*words.collect::<Vec<_>>()) else {
        eprintln!("usage: embed BUNDLE PROGRAM [ARG…]");
        return ExitCode::from(2);
    };
    match start(&bundle, command) {
        Ok(never) => match never {},
        Err(failure) => {
            eprint!("{}", failure.told_by("embed"));
            ExitCode::from(failure.code as u8)
        }
    }
}

fn start(bundle: &OsString, command: &[OsString]) -> Result<Infallible, Failure> {
    let opened_stdio = standard_descriptors()?;
    let bundle = Bundle::open(bundle.as_ref())?;
    let policy = bundle.policy(None)?;
    let search = std::env::var_os("PATH").unwrap_or_default();
    let name = command.first().cloned().unwrap_or_default();
    let program = Program::of(policy, &name, &search)?;
    let host = Host::probe(policy, Some(&program))?;
    let plan = Plan::new(policy, &host)?;
    let active: Vec<&str> =
        plan.layers.iter().filter(|(_, s)| LayerState::is_active(s)).map(|(l, _)| l.word()).collect();
    eprintln!("embed: {} under {}", program.path.display(), active.join(", "));
    let request =
        Request { called: "embed".into(), command: command.to_vec(), opened_stdio, ..Request::default() };
    enforce(&bundle, &host, &plan, &program, request)
}
