//! The `canc` command: arguments in, exit code out.

use std::process::ExitCode;

fn main() -> ExitCode {
    canc_cli::main(std::env::args_os())
}
