//! A command line to its outcome, in bounded time: whatever happens, its process group is gone afterwards.
//!
//! It must not know which program it runs.

use crate::Error;
use rustix::process::{Pid, Signal, kill_process_group};
use std::ffi::{OsStr, OsString};
use std::io::{Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The limit of a command for which none is set.
const LIMIT: Duration = Duration::from_secs(120);

/// A command that is being put together.
#[derive(Debug)]
pub struct Run {
    words: Vec<OsString>,
    command: Command,
    input: Vec<u8>,
    limit: Duration,
}

/// How a command ended.
#[derive(Debug, Clone)]
pub struct Output {
    /// The exit code; 128 + n after signal n.
    pub code: i32,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: Vec<u8>,
    /// From start to end.
    pub took: Duration,
}

impl Output {
    /// Standard output as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Standard error as text.
    pub fn errors(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }
}

impl Run {
    /// A command with the environment of this process, but in the C locale.
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        let program = program.as_ref();
        let mut command = Command::new(program);
        command.env("LC_ALL", "C.UTF-8");
        Self { words: vec![program.to_owned()], command, input: Vec::new(), limit: LIMIT }
    }

    /// Adds an argument.
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.words.push(arg.as_ref().to_owned());
        self.command.arg(arg);
        self
    }

    /// Adds arguments.
    pub fn args<S: AsRef<OsStr>>(self, args: impl IntoIterator<Item = S>) -> Self {
        args.into_iter().fold(self, Self::arg)
    }

    /// Sets a variable.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs it in `dir`.
    pub fn dir(mut self, dir: impl AsRef<Path>) -> Self {
        self.command.current_dir(dir);
        self
    }

    /// Gives it `input` on standard input; the default is nothing.
    pub fn input(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.input = input.into();
        self
    }

    /// Ends it after `limit`; the default is two minutes.
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Runs it, whatever its exit code.
    pub fn output(mut self) -> Result<Output, Error> {
        let start = Instant::now();
        let words = self.shown();
        self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let mut child =
            self.command.spawn().map_err(|source| Error::Start { command: words.clone(), source })?;
        feed(&mut child, self.input);
        let (stdout, stderr) = (child.stdout.take().map(collect), child.stderr.take().map(collect));
        let status = wait(&mut child, self.limit);
        end_group(&child);
        let (stdout, stderr) = (joined(stdout), joined(stderr));
        match status {
            Some(status) => Ok(Output { code: code(status), stdout, stderr, took: start.elapsed() }),
            None => Err(Error::Slow { command: words, limit: self.limit }),
        }
    }

    /// Runs it; any exit code but 0 is an error.
    pub fn ok(self) -> Result<Output, Error> {
        let command = self.shown();
        let output = self.output()?;
        match output.code {
            0 => Ok(output),
            code => Err(Error::Failed {
                command,
                status: format!("exit code {code}"),
                stderr: tail(&output.errors()),
            }),
        }
    }

    /// The command line, shortened.
    fn shown(&self) -> String {
        let words: Vec<_> = self.words.iter().map(|w| w.to_string_lossy()).collect();
        let line = words.join(" ").replace('\n', " ");
        match line.char_indices().nth(300) {
            Some((at, _)) => format!("{}…", line.get(..at).unwrap_or_default()),
            None => line,
        }
    }
}

/// The last lines of a long text.
pub fn tail(text: &str) -> String {
    let lines: Vec<_> = text.lines().collect();
    lines.get(lines.len().saturating_sub(40)..).unwrap_or_default().join("\n")
}

fn feed(child: &mut Child, input: Vec<u8>) {
    if let Some(mut stdin) = child.stdin.take() {
        // A program that does not read all of its input is no fault.
        std::thread::spawn(move || stdin.write_all(&input));
    }
}

fn collect(mut from: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = from.read_to_end(&mut bytes);
        bytes
    })
}

fn joined(reader: Option<JoinHandle<Vec<u8>>>) -> Vec<u8> {
    reader.and_then(|reader| reader.join().ok()).unwrap_or_default()
}

/// `None` when the limit was reached.
fn wait(child: &mut Child, limit: Duration) -> Option<ExitStatus> {
    let start = Instant::now();
    let mut pause = Duration::from_micros(500);
    loop {
        if let Ok(Some(status)) = child.try_wait() {
            return Some(status);
        }
        if start.elapsed() >= limit {
            end_group(child);
            let _ = child.wait();
            return None;
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}

/// Ends what the command may have left in its group. The group's number cannot have been given away: it is that of a
/// process which this one started, and a group keeps its number as long as it has members.
fn end_group(child: &Child) {
    if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        let _ = kill_process_group(pid, Signal::KILL);
    }
}

fn code(status: ExitStatus) -> i32 {
    status.code().or_else(|| status.signal().map(|n| 128 + n)).unwrap_or(-1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn input_goes_in_and_both_streams_come_out() {
        let out = Run::new("sh").args(["-c", "cat; echo e >&2; exit 3"]).input("text").output().unwrap();
        assert_eq!((out.code, out.text().as_str(), out.errors().as_str()), (3, "text", "e\n"));
    }

    #[test]
    fn a_failure_carries_what_was_said() {
        let error = Run::new("sh").args(["-c", "echo because >&2; exit 9"]).ok().unwrap_err().to_string();
        assert!(error.contains("exit code 9") && error.contains("because"), "{error}");
    }

    #[test]
    fn a_limit_ends_the_command_and_its_descendants() {
        let start = Instant::now();
        let run = Run::new("sh").args(["-c", "sleep 50 & sleep 50"]).limit(Duration::from_millis(100));
        assert!(matches!(run.output(), Err(Error::Slow { .. })));
        assert!(start.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn a_missing_program_is_named() {
        let error = Run::new("/nonexistent/program").output().unwrap_err().to_string();
        assert!(error.contains("/nonexistent/program"), "{error}");
    }

    #[test]
    fn large_input_that_nobody_reads_does_not_hang() {
        assert_eq!(Run::new("true").input(vec![b'x'; 4 << 20]).output().unwrap().code, 0);
    }
}
