//! The first process of a test machine: brings the machine up, performs its job, reports, and powers it off.
//!
//! It must not know what the tests are about, nor expect any of them to succeed.
#![forbid(unsafe_code)]

mod audit;
mod boot;
mod job;
mod runner;
mod text;

use std::process::ExitCode;

fn main() -> ExitCode {
    let run = std::env::args().nth(1).is_some_and(|word| word == "run");
    match (run, std::process::id()) {
        (true, _) => runner::main(),
        (false, 1) => first_process(),
        (false, _) => {
            eprintln!(
                "canc-guest is the first process of a test machine; elsewhere only `canc-guest run` works"
            );
            ExitCode::from(2)
        }
    }
}

/// Performs the job. Never returns: a first process that ends is a kernel panic.
fn first_process() -> ExitCode {
    if let Err(why) = job::perform() {
        println!("canc-guest: {why}");
    }
    rustix::fs::sync();
    loop {
        let _ = rustix::system::reboot(rustix::system::RebootCommand::PowerOff);
        std::thread::sleep(std::time::Duration::from_secs(1));
    }
}
