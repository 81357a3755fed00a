//! `ci/bench seccomp`: the filters of canc beside those of its peers.

use std::process::ExitCode;

fn main() -> ExitCode {
    let timer = std::env::current_exe().ok().and_then(|own| Some(own.parent()?.join("filter_timer")));
    let Some(timer) = timer.filter(|t| t.exists()) else {
        eprintln!("filter_figures: build the program filter_timer first");
        return ExitCode::FAILURE;
    };
    match canc_ci::oracle_seccomp::figures::print(&timer) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("filter_figures: {error}");
            ExitCode::FAILURE
        }
    }
}
