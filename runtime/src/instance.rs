//! A run of a policy with `separate instances` to a category pair that no other run has, and to standard descriptors that it can use in
//! spite of it: what carries the caller's categories is closed to the run, so another process hands the data on.

use crate::failure::Failure;
use crate::label::{self, Attribute};
use crate::sys;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use std::collections::BTreeSet;
use std::fs;

/// How often a pair is drawn before it is said that none is free.
const TRIES: usize = 100;

/// The caller's context and a domain to the context of one run: the caller's user and role, its low level, and two categories of its high
/// one that no process has together. They are drawn at random, so that two runs which start at the same moment are apart too, but for one
/// case in half a million where the caller has all 1,024. `None` where the caller has no two to give.
pub fn context(own: &str, domain: &str) -> Option<String> {
    let plain = label::selinux_context(own, domain)?;
    let clearance = categories(own.rsplit_once('-')?.1);
    let taken = levels_in_use();
    for _ in 0..TRIES {
        let (first, second) = (draw(&clearance)?, draw(&clearance)?);
        let level = with_pair(&plain, first.min(second), first.max(second));
        if first != second && !taken.contains(level.rsplit(':').next().unwrap_or_default()) {
            return Some(level);
        }
    }
    None
}

/// `s0:c0.c3,c7` to 0, 1, 2, 3, 7.
fn categories(level: &str) -> Vec<u16> {
    let number = |text: &str| text.strip_prefix('c')?.parse::<u16>().ok();
    let list = level.split_once(':').map_or("", |(_, list)| list).split(',');
    let range = |part: &str| match part.split_once('.') {
        Some((from, to)) => Some(number(from)?..=number(to)?),
        None => number(part).map(|one| one..=one),
    };
    list.filter_map(range).flatten().collect()
}

fn draw(from: &[u16]) -> Option<u16> {
    let count = u64::try_from(from.len()).ok().filter(|count| *count >= 2)?;
    let at = usize::try_from(sys::random()? % count).ok()?;
    from.get(at).copied()
}

fn with_pair(context: &str, first: u16, second: u16) -> String {
    let low = context.splitn(4, ':').nth(3).is_some_and(|level| level.contains(':'));
    let separator = if low { ',' } else { ':' };
    format!("{context}{separator}c{first},c{second}")
}

/// The categories of every process whose context can be read.
fn levels_in_use() -> BTreeSet<String> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbered = entries.filter(|e| e.file_name().to_string_lossy().bytes().all(|b| b.is_ascii_digit()));
    let contexts = numbered.filter_map(|entry| fs::read_to_string(entry.path().join("attr/current")).ok());
    let last = |context: String| Some(context.trim_end_matches(['\0', '\n']).rsplit(':').next()?.to_owned());
    contexts.filter_map(last).collect()
}

/// Puts a socket of the run's own label at each of these standard descriptors, and starts a process for each that hands its data on. They
/// end when the run or the other side closes its end.
///
/// # Errors
/// The caller's domain may not make such sockets, or no process can be made.
pub fn relay(descriptors: &[u32], context: &str) -> Result<(), Failure> {
    let failed = |what: &str, why: String| {
        Failure::refused(
            "separate instances",
            format!("{what}: {why}"),
            "hand it descriptors that carry no categories, such as files or a terminal",
        )
    };
    for number in descriptors {
        let (inner, outer) = sockets(context).map_err(|e| failed("a socket for the run", e))?;
        let kept = sys::duplicate(*number).map_err(|e| failed("standard descriptors", e.to_string()))?;
        let input = *number == 0;
        // Whoever ends the run ends the relay too, by closing its end; a signal to the terminal's job must not.
        sys::detached(|| {
            let _ = rustix::process::setsid();
            sys::close_standard();
            sys::close_others(&[kept.as_fd(), outer.as_fd()]);
            if input { hand_on(kept.as_fd(), outer.as_fd()) } else { hand_on(outer.as_fd(), kept.as_fd()) }
        })
        .map_err(|e| failed("a process that hands data on", e.to_string()))?;
        sys::put_standard(inner, *number).map_err(|e| failed("standard descriptors", e.to_string()))?;
    }
    Ok(())
}

/// Both ends carry the context: the kernel labels them when they are made.
fn sockets(context: &str) -> Result<(OwnedFd, OwnedFd), String> {
    let label = |text| {
        let file = label::open(Attribute::SelinuxSocket)?;
        label::write(&file, Attribute::SelinuxSocket, text)
    };
    label(Some(context)).map_err(|e| e.to_string())?;
    let pair = socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None);
    label(None).map_err(|e| e.to_string())?;
    pair.map_err(|e| std::io::Error::from(e).to_string())
}

/// Copies until one side ends. Allocates nothing.
fn hand_on(from: BorrowedFd<'_>, to: BorrowedFd<'_>) {
    let mut buffer = [0; 16 << 10];
    loop {
        // The reader's end is seen too, though nothing comes from it.
        let mut both = [PollFd::new(&from, PollFlags::IN), PollFd::new(&to, PollFlags::empty())];
        match poll(&mut both, None) {
            Err(rustix::io::Errno::INTR) => continue,
            Err(_) => return,
            Ok(_) => {}
        }
        let [readable, gone] = both.map(|side| side.revents());
        if gone.intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) {
            return;
        }
        if !readable.intersects(PollFlags::IN | PollFlags::HUP | PollFlags::ERR) {
            continue;
        }
        let Ok(count @ 1..) = rustix::io::read(from, &mut buffer[..]) else { return };
        let mut rest = buffer.get(..count).unwrap_or_default();
        while !rest.is_empty() {
            match rustix::io::write(to, rest) {
                Ok(written) => rest = rest.get(written..).unwrap_or_default(),
                Err(rustix::io::Errno::INTR) => {}
                Err(_) => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn categories_are_read_as_the_kernel_writes_them() {
        assert_eq!(categories("s0:c0.c3,c7"), [0, 1, 2, 3, 7]);
        assert_eq!(categories("s0"), [0_u16; 0]);
        assert_eq!(categories("s0:c5"), [5]);
        assert_eq!(categories("s0:x,c1.y"), [0_u16; 0]);
    }

    #[test]
    fn a_run_gets_two_of_its_callers_categories() {
        let mut seen = BTreeSet::new();
        for _ in 0..50 {
            let context = context("u:r:t:s0-s0:c0.c1023", "d_t").unwrap();
            let pair = categories(context.strip_prefix("u:r:d_t:").unwrap());
            assert!(pair.len() == 2 && pair[0] < pair[1], "{context}");
            seen.insert(context);
        }
        assert!(seen.len() > 40, "the same pairs again and again: {seen:?}");
        assert_eq!(context("u:r:t:s0-s0:c4,c9", "d_t").as_deref(), Some("u:r:d_t:s0:c4,c9"));
        assert_eq!(
            context("u:r:t:s0:c1-s0:c1.c3", "d_t").map(|c| c.starts_with("u:r:d_t:s0:c1,c")),
            Some(true)
        );
        for none in ["u:r:t:s0", "u:r:t:s0-s0", "u:r:t:s0-s0:c4", "u:r:t"] {
            assert_eq!(context(none, "d_t"), None, "{none}");
        }
    }

    #[test]
    fn data_is_handed_on_to_the_end() {
        let make =
            || socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None).unwrap();
        let ((a, b), (c, d)) = (make(), make());
        let worker = std::thread::spawn(move || hand_on(b.as_fd(), c.as_fd()));
        let words = vec![7; 100_000];
        let sent = words.clone();
        let writer = std::thread::spawn(move || {
            use std::io::Write;
            fs::File::from(a).write_all(&sent).unwrap();
        });
        let mut got = vec![0; words.len()];
        let mut reader = fs::File::from(d);
        std::io::Read::read_exact(&mut reader, &mut got).unwrap();
        assert_eq!(got, words);
        writer.join().unwrap();
        worker.join().unwrap();
        // The other way round: a reader that goes away ends it, though nothing was written.
        let ((_a, b), (c, d)) = (make(), make());
        let worker = std::thread::spawn(move || hand_on(b.as_fd(), c.as_fd()));
        drop(d);
        worker.join().unwrap();
    }
}
