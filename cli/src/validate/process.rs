//! A command and its input to how it ended and what it said, in bounded time and memory.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};
use std::fs::File;
use std::io::{self, PipeReader, Read, Seek, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

/// How much of its words is kept, in bytes. The rest is read and dropped, so that it does not wait for a reader.
const WORDS: usize = 1 << 20;

/// How a process ended.
pub struct Ended {
    pub code: Option<i32>,
    pub signal: Option<i32>,
    /// What it wrote to both of its outputs.
    pub text: String,
}

/// Runs a command in a process group of its own, which is gone afterwards.
///
/// What left the group may hold the output open; it is not waited for.
///
/// # Errors
/// It cannot be started, or does not end in time.
pub fn run(mut command: Command, input: &[u8], limit: Duration) -> Result<Ended, String> {
    let odd = |e: io::Error| e.to_string();
    let (mut words, out) = pipe().map_err(odd)?;
    let err = out.try_clone().map_err(odd)?;
    command.stdin(file(input).map_err(odd)?).stdout(out).stderr(err).process_group(0);
    let mut child = command.spawn().map_err(odd)?;
    // It holds the ends for writing.
    drop(command);
    let mut bytes = Vec::new();
    let status = watch(&mut child, &mut words, &mut bytes, limit);
    end_group(&mut child);
    let status = status.map_err(odd)?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    match status {
        Some(status) => Ok(Ended { code: status.code(), signal: status.signal(), text }),
        None => Err(format!("no end within {} s, so it was ended", limit.as_secs())),
    }
}

/// A pipe that is never waited for when it is read.
fn pipe() -> io::Result<(PipeReader, OwnedFd)> {
    let (reader, writer) = io::pipe()?;
    rustix::fs::fcntl_setfl(&reader, rustix::fs::OFlags::NONBLOCK)?;
    Ok((reader, writer.into()))
}

/// Not a pipe, so that a tool which does not read all of it holds nobody up.
fn file(input: &[u8]) -> io::Result<File> {
    let mut file = tempfile::tempfile()?;
    file.write_all(input)?;
    file.rewind()?;
    Ok(file)
}

/// Reads until the process ends; `None` where it does not in time.
fn watch(
    child: &mut Child,
    words: &mut PipeReader,
    bytes: &mut Vec<u8>,
    limit: Duration,
) -> io::Result<Option<ExitStatus>> {
    let process = pidfd_open(Pid::from_child(child), PidfdFlags::empty())?;
    let start = Instant::now();
    let mut open = true;
    while let Some(left) = limit.checked_sub(start.elapsed()) {
        let left = Timespec::try_from(left).map_err(|_| Errno::INVAL)?;
        let mut both =
            [&process as &dyn AsFd, words].map(|fd| PollFd::from_borrowed_fd(fd.as_fd(), PollFlags::IN));
        let both = if open { &mut both[..] } else { &mut both[..1] };
        match poll(both, Some(&left)) {
            Err(Errno::INTR) => continue,
            found => drop(found?),
        }
        open = open && read(words, bytes)?;
        if let Some(status) = child.try_wait()? {
            read(words, bytes)?;
            return Ok(Some(status));
        }
    }
    Ok(None)
}

/// Reads what there is, and at most what several pipes hold, as somebody may write without end. Whether more may come.
fn read(words: &mut PipeReader, bytes: &mut Vec<u8>) -> io::Result<bool> {
    let mut some = [0; 1 << 16];
    for _ in 0..64 {
        match words.read(&mut some) {
            Ok(0) => return Ok(false),
            Ok(n) => {
                let room = WORDS.saturating_sub(bytes.len()).min(n);
                bytes.extend(some.iter().take(room));
            }
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Ok(true),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(true)
}

/// The group is that of a process which this one started and which was not waited for before, or whose members still hold it.
fn end_group(child: &mut Child) {
    let _ = kill_process_group(Pid::from_child(child), Signal::KILL);
    let _ = child.wait();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, input: &[u8], limit: u64) -> Result<Ended, String> {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        run(command, input, Duration::from_secs(limit))
    }

    #[test]
    fn input_and_both_outputs_and_the_code_come_through() {
        let ended = shell("cat; echo words >&2; exit 3", b"input\n", 30).unwrap();
        assert_eq!((ended.code, ended.text.as_str()), (Some(3), "input\nwords\n"));
        let ended = shell("kill -9 $$", b"", 30).unwrap();
        assert_eq!((ended.code, ended.signal), (None, Some(9)));
    }

    #[test]
    fn nothing_that_a_tool_leaves_behind_is_waited_for() {
        let start = Instant::now();
        let ended = shell("setsid sleep 20 & echo done", b"", 60).unwrap();
        assert_eq!(ended.text, "done\n");
        assert!(start.elapsed() < Duration::from_secs(15), "{:?}", start.elapsed());
    }

    #[test]
    fn a_tool_without_end_is_ended_and_one_that_says_too_much_is_cut() {
        assert!(shell("while :; do echo y; done", b"", 1).err().unwrap().contains("no end within 1 s"));
        assert!(shell("exec 1>&- 2>&-; sleep 20", b"", 1).err().unwrap().contains("no end within 1 s"));
        let ended = shell("head -c 3000000 /dev/zero", &vec![b'x'; 1 << 20], 60).unwrap();
        assert_eq!((ended.code, ended.text.len()), (Some(0), WORDS));
    }
}
