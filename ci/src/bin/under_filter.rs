//! Loads filters for this process, then becomes a command: `under_filter FILE… -- COMMAND ARG…`, or `@thread` to start a thread, or
//! nothing to end. What the kernel refuses to load is said on standard output as `refused ERRNO`, with exit code 125.

use canc_runtime::{Instruction, load_filter};
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

/// Of everything that goes wrong here and not in the command, as env(1) has it.
const OWN: u8 = 125;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let mut halves = words.split(|w| w == "--");
    let (files, command) = (halves.next().unwrap_or_default(), halves.next().unwrap_or_default());
    // Everything that is read is read before: afterwards reading may be refused.
    let programs: Result<Vec<Vec<Instruction>>, std::io::Error> =
        files.iter().map(|f| std::fs::read(f).map(|bytes| decode(&bytes))).collect();
    let Ok(programs) = programs else {
        eprintln!("usage: under_filter FILE… [-- COMMAND ARG…]");
        return ExitCode::from(OWN);
    };
    if rustix::thread::set_no_new_privs(true).is_err() {
        return ExitCode::from(OWN);
    }
    for program in programs {
        if let Err(error) = load_filter(&program, false) {
            let mut out = std::io::stdout();
            let _ = writeln!(out, "refused {}", error.raw_os_error().unwrap_or_default());
            return ExitCode::from(OWN);
        }
    }
    match command {
        [] => ExitCode::SUCCESS,
        [word] if word == "@thread" => {
            let done =
                std::thread::Builder::new().spawn(|| println!("thread")).map(std::thread::JoinHandle::join);
            ExitCode::from(if matches!(done, Ok(Ok(()))) { 0 } else { 1 })
        }
        [program, args @ ..] => {
            eprintln!("{program}: {}", Command::new(program).args(args).exec());
            ExitCode::from(OWN)
        }
    }
}

/// `struct sock_filter` in the byte order of this machine.
fn decode(bytes: &[u8]) -> Vec<Instruction> {
    let (whole, _) = bytes.as_chunks::<8>();
    let one = |[c0, c1, jump_true, jump_false, k0, k1, k2, k3]: [u8; 8]| Instruction {
        code: u16::from_ne_bytes([c0, c1]),
        jump_true,
        jump_false,
        operand: u32::from_ne_bytes([k0, k1, k2, k3]),
    };
    whole.iter().map(|i| one(*i)).collect()
}
