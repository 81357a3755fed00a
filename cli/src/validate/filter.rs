//! The inside of the process that loads a filter only to see whether the kernel takes it, and the reading of what it said.
//!
//! The process may be unable to do anything once the filter is loaded, even to end: so it announces the attempt before, and
//! only a refusal is followed by more words.

use super::Answer;
use canc_runtime::{Instruction, load_filter};
use std::io::{Read, Write};
use std::process::ExitCode;

/// The first argument that makes a process of canc come here; not for people.
pub const COMMAND: &str = "__load-filter";

const ATTEMPT: &str = "loading\n";
const REFUSED: &str = "refused ";
/// `EINVAL`: what the kernel's checker answers.
const INVALID: i32 = 22;
/// Bytes of `struct sock_filter`.
const INSTRUCTION: usize = 8;

/// Loads the filter on standard input for this process.
pub fn load() -> ExitCode {
    let mut bytes = Vec::new();
    if std::io::stdin().read_to_end(&mut bytes).is_err() {
        return ExitCode::FAILURE;
    }
    let program = decode(&bytes);
    if rustix::thread::set_no_new_privs(true).is_err() {
        return ExitCode::FAILURE;
    }
    print(ATTEMPT);
    if let Err(error) = load_filter(&program, false) {
        print(&format!("{REFUSED}{} {error}\n", error.raw_os_error().unwrap_or_default()));
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn print(text: &str) {
    let mut out = std::io::stdout();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// `struct sock_filter`, in little-endian as all of canc's architectures are. A rest becomes an instruction that no checker takes.
fn decode(bytes: &[u8]) -> Vec<Instruction> {
    let (whole, rest) = bytes.as_chunks::<INSTRUCTION>();
    let mut program: Vec<_> = whole.iter().map(|instruction| instruction_of(*instruction)).collect();
    if !rest.is_empty() {
        program.push(instruction_of([0xff; INSTRUCTION]));
    }
    program
}

fn instruction_of([c0, c1, jump_true, jump_false, k0, k1, k2, k3]: [u8; INSTRUCTION]) -> Instruction {
    let (code, operand) = (u16::from_le_bytes([c0, c1]), u32::from_le_bytes([k0, k1, k2, k3]));
    Instruction { code, jump_true, jump_false, operand }
}

/// What the process's words come to.
pub fn answer(text: &str) -> Answer {
    let Some(rest) = text.strip_prefix(ATTEMPT) else {
        return Answer::NotChecked(format!("the process that loads the filter failed: {}", text.trim()));
    };
    let Some(refusal) = rest.strip_prefix(REFUSED) else { return Answer::Accepted };
    match refusal.split_once(' ') {
        Some((number, why)) if number == INVALID.to_string() => Answer::Refused(why.trim().to_owned()),
        Some((_, why)) => Answer::NotChecked(format!("this process may not load filters: {}", why.trim())),
        None => Answer::NotChecked(refusal.trim().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_after_the_attempt_is_consent_and_before_it_is_not() {
        assert_eq!(answer("loading\n"), Answer::Accepted);
        assert!(matches!(answer(""), Answer::NotChecked(_)));
        assert!(matches!(answer("error: no such command"), Answer::NotChecked(_)));
    }

    #[test]
    fn only_the_checkers_own_errno_is_a_refusal() {
        assert!(matches!(answer("loading\nrefused 22 Invalid argument\n"), Answer::Refused(_)));
        assert!(matches!(answer("loading\nrefused 13 Permission denied\n"), Answer::NotChecked(_)));
    }

    #[test]
    fn a_rest_is_not_lost() {
        assert_eq!((decode(&[0; 16]).len(), decode(&[0; 17]).len()), (2, 3));
    }
}
