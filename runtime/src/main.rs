//! `canc-run`: the command line to a launch, and a failure to standard error and an exit code.

use canc_runtime::args::{self, Asked};
use canc_runtime::{Code, Decision, Failure, launch};
use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    match args::parse(std::env::args_os().skip(1)) {
        Ok(Asked::Help) => print(args::HELP),
        Ok(Asked::Version) => print(concat!("canc-run ", env!("CARGO_PKG_VERSION"), "\n")),
        Ok(Asked::Launch(request)) => match launch(request) {
            Ok(decision) => dry_run(&decision),
            Err(failure) => fail(&failure),
        },
        Err(why) => {
            tell(&format!("canc-run: {why}\n  canc-run --help tells more\n"));
            ExitCode::from(Code::Refused as u8)
        }
    }
}

fn dry_run(decision: &Decision) -> ExitCode {
    let host = serde_json::to_string_pretty(&decision.host).unwrap_or_default();
    let code = print(&format!("host {host}\n"));
    match &decision.plan {
        Ok(plan) if code == ExitCode::SUCCESS => print(&plan.to_string()),
        Ok(_) => code,
        Err(failure) => fail(failure),
    }
}

fn fail(failure: &Failure) -> ExitCode {
    tell(
        &failure
            .to_string()
            .lines()
            .map(
                |line| {
                    if line.starts_with(' ') { format!("{line}\n") } else { format!("canc-run: {line}\n") }
                },
            )
            .collect::<String>(),
    );
    ExitCode::from(failure.code as u8)
}

/// Where standard error is closed, the exit code has to say it.
fn tell(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}

fn print(text: &str) -> ExitCode {
    match std::io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::from(Code::Refused as u8),
    }
}
