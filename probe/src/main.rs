//! Performs one request with direct system calls and reports what the kernel said, as one line of JSON. It knows no policy: whether the
//! answer is the right one is for its caller to judge.
//!
//! It starts without the language's own start-up, which opens closed descriptors and ignores a signal: the process has to report both.
#![cfg_attr(not(test), no_main)]

mod attack;
mod errno;
mod files;
mod json;
mod network;
mod process;
mod stage;
mod state;
mod sys;

use json::Object;
const HELP: &str = "\
canc-probe: perform one request with direct system calls and report errno as JSON

usage: canc-probe [announce] REQUEST     announce: first say, on a line of its own, that the probe runs
       canc-probe stage WORK STEP… -- CMD ARG…

files      open-read P | open-write P | open-append P | read P | truncate P | create P | unlink P
           mkdir P | rmdir P | list P | stat P | readlink P | link OLD NEW | symlink TARGET P
           rename OLD NEW | chmod MODE P | chown UID P | utimes P | lock P | map-exec P | mkfifo P
           lock-shared P | mknod P | exec P [ARG…]
network    connect tcp|udp|mptcp ADDR PORT | bind tcp|udp ADDR PORT | listen tcp ADDR PORT
           fastopen ADDR PORT | send udp ADDR PORT | socket FAMILY TYPE PROTOCOL
           connect-unix stream|dgram|seqpacket PATH|@NAME | bind-unix TYPE PATH|@NAME | socketpair
           serve-unix PATH|@NAME   (listens for a minute)
process    clone FLAGS | unshare FLAGS | setns PATH TYPE | ptrace PID | kill PID SIGNAL | setuid UID
           setgid GID | mount SOURCE TARGET TYPE FLAGS | umount TARGET | chroot P
           ioctl FD REQUEST ARG | syscall NUMBER ARG… | int80 NUMBER ARG…   (ARG: N, 0xN, s:TEXT, buf:SIZE, buf:SIZE:OFFSET=WORD)
           become P [ARG…] | allocate BYTES | forks N | wait MILLISECONDS
itself     label | state | capability N
stage      run CMD in a mount namespace of its own, where WORK, an empty directory, holds what is put over the host's:
           cover DIR | file P | directory P | absent P | copy FROM P
           symlink TARGET P | place PROGRAM P

exit codes: 0 the kernel did it, 1 it refused, 2 usage
";

/// What `--version` prints, by which `canc` knows its own probe.
const VERSION: &str = concat!("canc-probe ", env!("CARGO_PKG_VERSION"), "\n");

/// What came of a request.
pub(crate) enum Answer {
    /// A number, as the system call returned it.
    Number(u64),
    /// A finished JSON value.
    Json(String),
}

/// A request that was performed, or why not.
pub(crate) type Performed = Result<Answer, Trouble>;

/// Why there is no answer.
pub(crate) enum Trouble {
    /// The kernel refused, at this step.
    Kernel { step: &'static str, errno: i32 },
    /// The request makes no sense.
    Usage(String),
}

impl From<String> for Trouble {
    fn from(text: String) -> Self {
        Self::Usage(text)
    }
}

/// Names the step of a refusal.
pub(crate) fn at(step: &'static str) -> impl Fn(i32) -> Trouble {
    move |errno| Trouble::Kernel { step, errno }
}

/// Performs the request of these words and returns the exit code.
#[cfg_attr(test, expect(dead_code, reason = "the test harness has a main of its own"))]
pub(crate) fn run(words: &[&[u8]]) -> i32 {
    let words = match words.split_first() {
        Some((&b"--version", [])) => {
            sys::print(1, VERSION.as_bytes());
            return 0;
        }
        Some((&b"stage", rest)) => return stage::run(rest),
        Some((&b"announce", rest)) => {
            sys::print(1, b"{\"started\":true}\n");
            rest
        }
        _ => words,
    };
    let Some((request, arguments)) = words.split_first() else {
        sys::print(2, HELP.as_bytes());
        return 2;
    };
    let mut line = Object::new();
    line.text("request", request);
    line.texts("arguments", arguments);
    let code = match perform(request, arguments) {
        Ok(Answer::Number(value)) => {
            line.number("result", value);
            0
        }
        Ok(Answer::Json(value)) => {
            line.raw("result", &value);
            0
        }
        Err(Trouble::Kernel { step, errno }) => {
            line.text("step", step.as_bytes());
            line.number("errno", u64::from(errno.unsigned_abs()));
            line.text("error", errno::name(errno).as_bytes());
            1
        }
        Err(Trouble::Usage(why)) => {
            sys::print(2, format!("canc-probe: {why}\n").as_bytes());
            return 2;
        }
    };
    sys::print(1, (line.end() + "\n").as_bytes());
    code
}

fn perform(request: &[u8], arguments: &[&[u8]]) -> Performed {
    let known = [files::perform, network::perform, process::perform, attack::perform, state::perform];
    let name = std::str::from_utf8(request).unwrap_or_default();
    known
        .into_iter()
        .find_map(|perform| perform(name, arguments))
        .unwrap_or_else(|| Err(Trouble::Usage(format!("unknown request {name}"))))
}
