//! `canc-run`: the command line to a launch, and a failure to standard error and an exit code.
#![cfg_attr(not(test), no_main)]

use canc_runtime::apply;
use canc_runtime::args::{self, Asked};
use canc_runtime::{Bundle, Code, Decision, Failure, Request, launch, standard_descriptors};
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;

#[cfg(not(test))]
#[path = "sys/entry.rs"]
mod entry;

/// Does what the words ask for, and returns the exit code.
#[cfg_attr(test, expect(dead_code, reason = "the test harness has a main of its own"))]
fn run(words: Vec<OsString>) -> u8 {
    match args::parse(words) {
        Ok(Asked::Help) => print(args::HELP),
        Ok(Asked::Version) => print(concat!("canc-run ", env!("CARGO_PKG_VERSION"), "\n")),
        Ok(Asked::Launch(bundle, request)) => match start(&bundle, request) {
            Ok(decision) => dry_run(&decision),
            Err(failure) => fail(&failure),
        },
        Err(why) => {
            tell(&format!("canc-run: {why}\n  canc-run --help tells more\n"));
            Code::Refused as u8
        }
    }
}

fn start(bundle: &Path, mut request: Request) -> Result<Decision, Failure> {
    request.opened_stdio = standard_descriptors()?;
    let applied = match args::applied_name(bundle) {
        Some(name) => apply::find(Path::new("/"), name)?.map(|path| (name, path)),
        None => None,
    };
    match applied {
        Some((name, path)) => {
            request.policy.get_or_insert_with(|| name.to_owned());
            launch(&Bundle::open(&path)?, request)
        }
        None => launch(&Bundle::open(bundle)?, request),
    }
}

fn dry_run(decision: &Decision) -> u8 {
    let code = print(&decision.to_string());
    match &decision.plan {
        Ok(_) => code,
        Err(failure) => fail(failure),
    }
}

fn fail(failure: &Failure) -> u8 {
    tell(&failure.told_by("canc-run"));
    failure.code as u8
}

/// Where standard error is closed, the exit code has to say it.
fn tell(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}

fn print(text: &str) -> u8 {
    let mut out = io::stdout();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => 0,
        Err(_) => Code::Refused as u8,
    }
}
