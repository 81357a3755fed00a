//! A command to how it ends as a process of its own: what it prints, its exit code, and the most memory that it has.

use std::process::{Command, Stdio};
use std::time::Duration;

/// A process that ended.
#[derive(Debug)]
pub struct Ran {
    /// The exit code; none for one that a signal killed.
    pub exit: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

/// Far more than any of these commands takes.
const LIMIT: Duration = Duration::from_secs(120);

/// Runs a command without input; one that hangs is killed.
pub fn process(mut command: Command) -> Ran {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    let done = std::sync::atomic::AtomicBool::new(false);
    let id = child.id();
    let output = std::thread::scope(|scope| {
        let guard = scope.spawn(|| {
            std::thread::park_timeout(LIMIT);
            if !done.load(std::sync::atomic::Ordering::Acquire) {
                let _ = Command::new("kill").args(["-KILL", &id.to_string()]).status();
            }
        });
        let output = child.wait_with_output().unwrap();
        done.store(true, std::sync::atomic::Ordering::Release);
        guard.thread().unpark();
        output
    });
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("canc prints UTF-8");
    Ran { exit: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}
