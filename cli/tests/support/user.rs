//! canc and its probe, as built, run by an ordinary user.

#[path = "../../../runtime/tests/support/built.rs"]
mod built;

use built::built;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

pub const CANC: &str = env!("CARGO_BIN_EXE_canc");

/// The static probe, which performs a request with direct system calls and names the errno.
pub fn probe() -> &'static Path {
    static PROBE: OnceLock<PathBuf> = OnceLock::new();
    PROBE.get_or_init(|| built(CANC, "canc-probe", "canc-probe"))
}

/// By another process: a child that another test's thread forks would hold the new file open for writing.
pub fn copy(from: &Path, to: impl AsRef<Path>) {
    assert!(Command::new("cp").arg(from).arg(to.as_ref()).status().unwrap().success());
}

/// How a command ended.
pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

/// As a user who owns nothing and may nothing, wherever the tests themselves run as root. Not as the one whom files of nobody belong to:
/// in a user namespace root's files seem to be that one's own.
pub fn ran(command: &mut Command) -> Ran {
    let mut user = Command::new(if rustix::process::geteuid().is_root() { "setpriv" } else { "env" });
    if rustix::process::geteuid().is_root() {
        user.args(["--reuid", "12345", "--regid", "12345", "--clear-groups", "--"]);
    }
    let output = user.arg(command.get_program()).args(command.get_args()).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}
