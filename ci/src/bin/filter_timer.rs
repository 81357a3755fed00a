//! Loads a filter for this process and times calls under it: `filter_timer FILE` prints three numbers of nanoseconds, for loading,
//! for a call that is allowed by its number, and for one that is allowed by an argument.

use canc_runtime::{Instruction, load_filter};
use std::io::Write;
use std::process::ExitCode;
use std::time::Instant;

/// Calls per figure.
const CALLS: u32 = 20_000;

fn main() -> ExitCode {
    let Some(bytes) = std::env::args_os().nth(1).and_then(|path| std::fs::read(path).ok()) else {
        eprintln!("usage: filter_timer FILE");
        return ExitCode::from(2);
    };
    let (whole, _) = bytes.as_chunks::<8>();
    let one = |[c0, c1, jump_true, jump_false, k0, k1, k2, k3]: [u8; 8]| Instruction {
        code: u16::from_ne_bytes([c0, c1]),
        jump_true,
        jump_false,
        operand: u32::from_ne_bytes([k0, k1, k2, k3]),
    };
    let program: Vec<Instruction> = whole.iter().map(|i| one(*i)).collect();
    if rustix::thread::set_no_new_privs(true).is_err() {
        return ExitCode::FAILURE;
    }
    let started = Instant::now();
    if let Err(error) = load_filter(&program, false) {
        eprintln!("loading: {error}");
        return ExitCode::FAILURE;
    }
    let load = started.elapsed().as_nanos();
    let number = each(|| {
        let _ = std::hint::black_box(rustix::process::getppid());
    });
    // Standard input is a pipe or a device: the kernel says so at once.
    let argument = each(|| {
        let _ = std::hint::black_box(rustix::fs::seek(std::io::stdin(), rustix::fs::SeekFrom::Current(0)));
    });
    let done = writeln!(std::io::stdout(), "{load} {number} {argument}");
    if done.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Nanoseconds per call.
fn each(call: impl Fn()) -> u128 {
    let started = Instant::now();
    for _ in 0..CALLS {
        call();
    }
    started.elapsed().as_nanos() / u128::from(CALLS)
}
