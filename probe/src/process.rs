//! Requests on processes, identity, namespaces and mounts, and calls by number.

use crate::files::{number, one, open, string};
use crate::sys::{Arg, clone_with, raw};
use crate::{Answer, Performed, Trouble, at};
use std::ffi::CString;

pub(crate) fn perform(request: &str, arguments: &[&[u8]]) -> Option<Performed> {
    Some(match (request, arguments) {
        ("clone", [flags]) => number(flags).and_then(clone),
        ("unshare", [flags]) => {
            number(flags).and_then(|flags| one("unshare", libc::SYS_unshare, [Arg::Num(flags)]))
        }
        ("setns", [path, kind]) => number(kind).and_then(|kind| {
            let file = open(path, libc::O_RDONLY)?;
            one("setns", libc::SYS_setns, [Arg::Num(file), Arg::Num(kind)])
        }),
        ("ptrace", [pid]) => number(pid).and_then(|pid| {
            let seize = Arg::Num(u64::from(libc::PTRACE_SEIZE));
            one("ptrace", libc::SYS_ptrace, [seize, Arg::Num(pid), Arg::Num(0), Arg::Num(0)])
        }),
        ("kill", [pid, signal]) => numbers([pid, signal])
            .and_then(|[pid, signal]| one("kill", libc::SYS_kill, [Arg::Num(pid), Arg::Num(signal)])),
        ("setuid", [id]) => number(id).and_then(|id| one("setuid", libc::SYS_setuid, [Arg::Num(id)])),
        ("setgid", [id]) => number(id).and_then(|id| one("setgid", libc::SYS_setgid, [Arg::Num(id)])),
        ("mount", [source, target, kind, flags]) => number(flags).and_then(|flags| {
            let [source, target, kind] = [source, target, kind].map(|s| string(s));
            let (flags, data) = (Arg::Num(flags), Arg::Num(0));
            one(
                "mount",
                libc::SYS_mount,
                [Arg::Str(&source), Arg::Str(&target), Arg::Str(&kind), flags, data],
            )
        }),
        ("umount", [target]) => one("umount", libc::SYS_umount2, [Arg::Str(&string(target)), Arg::Num(0)]),
        ("chroot", [path]) => one("chroot", libc::SYS_chroot, [Arg::Str(&string(path))]),
        ("ioctl", [file, request, argument]) => {
            numbers([file, request, argument]).and_then(|[file, request, argument]| {
                // A TIOCSTI needs a character to push: a pointer to one where the argument is 0.
                let byte = [b'x'];
                let argument = if argument == 0 { Arg::In(&byte) } else { Arg::Num(argument) };
                one("ioctl", libc::SYS_ioctl, [Arg::Num(file), Arg::Num(request), argument])
            })
        }
        ("syscall", [number, rest @ ..]) => by_number(number, rest),
        ("int80", [number, rest @ ..]) => int80(number, rest),
        _ => return None,
    })
}

fn numbers<const N: usize>(words: [&[u8]; N]) -> Result<[u64; N], Trouble> {
    let mut out = [0; N];
    for (value, word) in out.iter_mut().zip(words) {
        *value = number(word)?;
    }
    Ok(out)
}

fn clone(flags: u64) -> Performed {
    clone_with(flags).map(|code| Answer::Number(u64::from(code.unsigned_abs()))).map_err(at("clone"))
}

fn by_number(nr: &[u8], rest: &[&[u8]]) -> Performed {
    let nr = number(nr)?;
    // Strings and buffers live until the call is over.
    let texts: Vec<Option<CString>> = rest.iter().map(|a| a.strip_prefix(b"s:").map(string)).collect();
    let mut buffers: Vec<Option<Vec<u8>>> =
        rest.iter().map(|a| a.strip_prefix(b"buf:").map(buffer).transpose()).collect::<Result<_, _>>()?;
    let mut words = [0; 6];
    if rest.len() > words.len() {
        return Err("a system call has at most six arguments".to_owned().into());
    }
    for (((word, argument), text), buffer) in words.iter_mut().zip(rest).zip(&texts).zip(&mut buffers) {
        *word = match (text, buffer) {
            (Some(text), _) => text.as_ptr() as u64,
            (None, Some(buffer)) => buffer.as_mut_ptr() as u64,
            (None, None) => number(argument)?,
        };
    }
    raw(nr.cast_signed(), words).map(Answer::Number).map_err(at("syscall"))
}

/// `SIZE` zero bytes, or `SIZE:OFFSET=WORD` with a 32-bit word among them.
fn buffer(text: &[u8]) -> Result<Vec<u8>, Trouble> {
    let mut parts = text.splitn(2, |b| *b == b':');
    let size = number(parts.next().unwrap_or_default())?.min(1 << 20);
    let mut bytes = vec![0; size as usize];
    if let Some(word) = parts.next() {
        let mut sides = word.splitn(2, |b| *b == b'=');
        let offset = number(sides.next().unwrap_or_default())? as usize;
        let value = number(sides.next().unwrap_or_default())? as u32;
        let place = bytes.get_mut(offset..).and_then(|rest| rest.get_mut(..4));
        place.ok_or("the word is not within the buffer".to_owned())?.copy_from_slice(&value.to_ne_bytes());
    }
    Ok(bytes)
}

#[cfg(target_arch = "x86_64")]
fn int80(nr: &[u8], rest: &[&[u8]]) -> Performed {
    let low = |word: &[u8]| number(word).map(|n| (n & 0xffff_ffff) as u32);
    let mut words = [0; 4];
    for (word, argument) in words.iter_mut().zip(rest) {
        *word = low(argument)?;
    }
    crate::sys::int80(low(nr)?, words).map(Answer::Number).map_err(at("int80"))
}

#[cfg(not(target_arch = "x86_64"))]
fn int80(_: &[u8], _: &[&[u8]]) -> Performed {
    Err("only x86_64 has a 32-bit gate".to_owned().into())
}
