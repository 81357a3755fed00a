//! Commands to how long each takes from start to end, by turns in one run: median, 99th percentile, and the most memory of a process.
//!
//! `launch_times ROUNDS NAME=COMMAND…`, each command as words with blanks between. Every one must end with 0.
#![expect(unsafe_code, reason = "wait4(2) alone tells how much memory a child had")]

use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

struct Row {
    name: String,
    words: Vec<String>,
    times: Vec<Duration>,
    /// In KiB.
    memory: i64,
}

fn main() -> ExitCode {
    match run(std::env::args().skip(1).collect()) {
        Ok(text) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("launch_times: {why}");
            ExitCode::FAILURE
        }
    }
}

fn run(words: Vec<String>) -> Result<String, String> {
    let mut words = words.into_iter();
    let rounds: usize =
        words.next().and_then(|n| n.parse().ok()).filter(|n| *n > 0).ok_or("how many rounds?")?;
    let mut rows = words.map(|word| row(&word)).collect::<Result<Vec<_>, _>>()?;
    let count = rows.len();
    for round in 0..rounds {
        // Each is the first as often as any other.
        for n in 0..count {
            let Some(row) = rows.get_mut((round + n) % count) else { continue };
            let (time, memory) = once(&row.words).map_err(|why| format!("{}: {why}", row.name))?;
            row.times.push(time);
            row.memory = row.memory.max(memory);
        }
    }
    Ok(table(&mut rows))
}

fn row(word: &str) -> Result<Row, String> {
    let (name, command) = word.split_once('=').ok_or_else(|| format!("`{word}` is no NAME=COMMAND"))?;
    let words: Vec<String> = command.split_ascii_whitespace().map(str::to_owned).collect();
    if words.is_empty() {
        return Err(format!("`{name}` has no command"));
    }
    Ok(Row { name: name.to_owned(), words, times: Vec::new(), memory: 0 })
}

fn once(words: &[String]) -> Result<(Duration, i64), String> {
    let (program, arguments) = words.split_first().ok_or("no command")?;
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null());
    let start = Instant::now();
    let child = command.spawn().map_err(|e| e.to_string())?;
    let pid = i32::try_from(child.id()).map_err(|e| e.to_string())?;
    let mut status = 0;
    // SAFETY: rusage is plain data for which all zeroes is a value.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: wait4(2) writes an int and a rusage, which outlive the call; the child is waited for here alone.
    let ended = unsafe { libc::wait4(pid, &raw mut status, 0, &raw mut usage) };
    let time = start.elapsed();
    if ended != pid || status != 0 {
        return Err(format!("it ended with status {status}"));
    }
    Ok((time, usage.ru_maxrss))
}

fn table(rows: &mut [Row]) -> String {
    let mut out = format!("{:<28} {:>10} {:>10} {:>10}\n", "", "median ms", "p99 ms", "peak KiB");
    for row in rows {
        row.times.sort_unstable();
        let at = |share: usize| {
            let index = (row.times.len() * share / 100).min(row.times.len().saturating_sub(1));
            row.times.get(index).map_or(0.0, |time| time.as_secs_f64() * 1000.0)
        };
        out += &format!("{:<28} {:>10.2} {:>10.2} {:>10}\n", row.name, at(50), at(99), row.memory);
    }
    out
}
