//! `canc-ci STEP`: performs one step of the test bed. `ci/test` is what people run.

use canc_ci::Rootfs;
use canc_ci::steps::STEPS;
use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let step = STEPS.iter().find(|step| words.first().is_some_and(|word| word == step.name));
    let Some(step) = step.filter(|_| words.len() == 1) else {
        eprintln!("usage: canc-ci STEP, where STEP is one of");
        for step in STEPS {
            eprintln!("  {:<16} {}", step.name, step.about);
        }
        return ExitCode::from(2);
    };
    match Rootfs::open().and_then(|rootfs| (step.run)(&rootfs)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("canc-ci {}: {error}", step.name);
            ExitCode::from(error.exit_code())
        }
    }
}
