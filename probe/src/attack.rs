//! Requests that attack the host's resources, bounded so that they do no harm where nothing stops them.

use crate::files::number;
use crate::sys::{Arg, call, start_waiting, touch_memory};
use crate::{Answer, Performed, Trouble, at};

/// The most memory that is taken, in bytes.
const MEMORY: u64 = 2 << 30;
/// The most children that are started.
const CHILDREN: u64 = 4096;
/// The longest wait, in milliseconds.
const WAIT: u64 = 60_000;

pub(crate) fn perform(request: &str, arguments: &[&[u8]]) -> Option<Performed> {
    Some(match (request, arguments) {
        ("allocate", [bytes]) => bounded(bytes, MEMORY).and_then(allocate),
        ("forks", [count]) => bounded(count, CHILDREN).and_then(forks),
        ("wait", [time]) => bounded(time, WAIT).and_then(wait),
        _ => return None,
    })
}

fn bounded(word: &[u8], most: u64) -> Result<u64, Trouble> {
    let value = number(word)?;
    if value > most { Err(format!("{value} is more than {most}").into()) } else { Ok(value) }
}

fn allocate(bytes: u64) -> Performed {
    touch_memory(bytes).map(|()| Answer::Number(bytes)).map_err(at("memory"))
}

/// All children live at once; they end with this process at the latest, since they wait for its end of a pipe.
fn forks(count: u64) -> Performed {
    let mut pipe = [0_u8; 8];
    call(libc::SYS_pipe2, [Arg::Out(&mut pipe), Arg::Num(0)]).map_err(at("pipe"))?;
    let end = |n: usize| pipe.get(n * 4).copied().map_or(0, u64::from);
    let started = (0..count).try_for_each(|_| start_waiting([end(0), end(1)]));
    let _ = call(libc::SYS_close, [Arg::Num(end(1))]);
    started.map(|()| Answer::Number(count)).map_err(at("fork"))
}

pub(crate) fn wait(time: u64) -> Performed {
    call(libc::SYS_ppoll, [Arg::Num(0), Arg::Num(0), Arg::In(&duration(time)), Arg::Num(0), Arg::Num(8)])
        .map(Answer::Number)
        .map_err(at("wait"))
}

/// `struct timespec`.
fn duration(milliseconds: u64) -> Vec<u8> {
    [(milliseconds / 1000), (milliseconds % 1000) * 1_000_000]
        .into_iter()
        .flat_map(u64::to_ne_bytes)
        .collect()
}
