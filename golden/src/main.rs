//! The `canc` command once more, so that tests of this crate can start it in processes of their own.

use std::process::ExitCode;

fn main() -> ExitCode {
    canc_cli::main(std::env::args_os())
}
