//! Requests on paths.

use crate::json::quote;
use crate::sys::{Arg, HERE, call, in_child};
use crate::{Answer, Performed, Trouble, at};
use std::ffi::CString;

/// A path or another string of the command line.
pub(crate) fn string(bytes: &[u8]) -> CString {
    // The kernel hands no NUL over in an argument.
    CString::new(bytes).unwrap_or_default()
}

/// A number in decimal, hexadecimal after `0x`, or octal after `0o`.
pub(crate) fn number(bytes: &[u8]) -> Result<u64, Trouble> {
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    let parsed = match (text.strip_prefix("0x"), text.strip_prefix("0o"), text.strip_prefix('-')) {
        (Some(hexadecimal), _, _) => u64::from_str_radix(hexadecimal, 16).ok(),
        (_, Some(octal), _) => u64::from_str_radix(octal, 8).ok(),
        (_, _, Some(negative)) => negative.parse().ok().map(u64::wrapping_neg),
        _ => text.parse().ok(),
    };
    parsed.ok_or_else(|| Trouble::Usage(format!("{text:?} is no number")))
}

pub(crate) fn perform(request: &str, arguments: &[&[u8]]) -> Option<Performed> {
    Some(match (request, arguments) {
        ("open-read", [path]) => done(open(path, libc::O_RDONLY | libc::O_NONBLOCK)),
        ("open-write", [path]) => done(open(path, libc::O_WRONLY | libc::O_NONBLOCK)),
        ("open-append", [path]) => done(open(path, libc::O_WRONLY | libc::O_APPEND | libc::O_NONBLOCK)),
        ("read", [path]) => read(path),
        ("truncate", [path]) => one("truncate", libc::SYS_truncate, [Arg::Str(&string(path)), Arg::Num(0)]),
        ("create", [path]) => done(open(path, libc::O_WRONLY | libc::O_CREAT | libc::O_EXCL)),
        ("unlink", [path]) => one("unlink", libc::SYS_unlinkat, [HERE, Arg::Str(&string(path)), Arg::Num(0)]),
        ("rmdir", [path]) => one(
            "rmdir",
            libc::SYS_unlinkat,
            [HERE, Arg::Str(&string(path)), Arg::Num(libc::AT_REMOVEDIR as u64)],
        ),
        ("mkdir", [path]) => {
            one("mkdir", libc::SYS_mkdirat, [HERE, Arg::Str(&string(path)), Arg::Num(0o755)])
        }
        ("list", [path]) => list(path),
        ("stat", [path]) => {
            let mut out = [0; 256];
            one(
                "stat",
                libc::SYS_newfstatat,
                [HERE, Arg::Str(&string(path)), Arg::Out(&mut out), Arg::Num(0)],
            )
        }
        ("readlink", [path]) => readlink(path),
        ("link", [old, new]) => {
            let (old, new) = (string(old), string(new));
            one("link", libc::SYS_linkat, [HERE, Arg::Str(&old), HERE, Arg::Str(&new), Arg::Num(0)])
        }
        ("symlink", [target, path]) => {
            one("symlink", libc::SYS_symlinkat, [Arg::Str(&string(target)), HERE, Arg::Str(&string(path))])
        }
        ("rename", [old, new]) => {
            let (old, new) = (string(old), string(new));
            one("rename", libc::SYS_renameat2, [HERE, Arg::Str(&old), HERE, Arg::Str(&new), Arg::Num(0)])
        }
        ("chmod", [mode, path]) => number(mode).and_then(|mode| {
            one("chmod", libc::SYS_fchmodat, [HERE, Arg::Str(&string(path)), Arg::Num(mode)])
        }),
        ("chown", [uid, path]) => number(uid).and_then(|uid| {
            let group = Arg::Num(u64::MAX);
            one(
                "chown",
                libc::SYS_fchownat,
                [HERE, Arg::Str(&string(path)), Arg::Num(uid), group, Arg::Num(0)],
            )
        }),
        ("utimes", [path]) => {
            one("utimes", libc::SYS_utimensat, [HERE, Arg::Str(&string(path)), Arg::Num(0), Arg::Num(0)])
        }
        ("lock", [path]) => lock(path, libc::LOCK_EX),
        ("lock-shared", [path]) => lock(path, libc::LOCK_SH),
        ("map-exec", [path]) => open(path, libc::O_RDONLY).and_then(|file| {
            let protection = Arg::Num((libc::PROT_READ | libc::PROT_EXEC) as u64);
            let private = Arg::Num(libc::MAP_PRIVATE as u64);
            one(
                "mmap",
                libc::SYS_mmap,
                [Arg::Num(0), Arg::Num(4096), protection, private, Arg::Num(file), Arg::Num(0)],
            )
            .map(|_| Answer::Number(0))
        }),
        ("mkfifo", [path]) => mknod(path, libc::S_IFIFO, 0),
        // The null device: harmless where it works.
        ("mknod", [path]) => mknod(path, libc::S_IFCHR, 0x103),
        ("exec", [path, rest @ ..]) => exec(path, rest),
        ("become", [path, rest @ ..]) => exec_here(path, rest),
        _ => return None,
    })
}

fn lock(path: &[u8], how: i32) -> Performed {
    let file = open(path, libc::O_RDONLY | libc::O_NONBLOCK)?;
    one("lock", libc::SYS_flock, [Arg::Num(file), Arg::Num((how | libc::LOCK_NB) as u64)])
}

fn readlink(path: &[u8]) -> Performed {
    let mut out = [0; 4096];
    let arguments = [HERE, Arg::Str(&string(path)), Arg::Out(&mut out), Arg::Num(4096)];
    let size = call(libc::SYS_readlinkat, arguments).map_err(at("readlink"))?;
    Ok(Answer::Json(quote(out.get(..size as usize).unwrap_or_default())))
}

/// One call whose number is the answer.
pub(crate) fn one<const N: usize>(
    step: &'static str,
    number: libc::c_long,
    arguments: [Arg<'_>; N],
) -> Performed {
    call(number, arguments).map(Answer::Number).map_err(at(step))
}

/// Opens, and answers with the descriptor.
pub(crate) fn open(path: &[u8], flags: i32) -> Result<u64, Trouble> {
    let flags = Arg::Num((flags | libc::O_CLOEXEC) as u64);
    call(libc::SYS_openat, [HERE, Arg::Str(&string(path)), flags, Arg::Num(0o644)]).map_err(at("open"))
}

fn done(opened: Result<u64, Trouble>) -> Performed {
    opened.map(|_| Answer::Number(0))
}

/// The start of a file.
pub(crate) fn contents(path: &[u8]) -> Result<Vec<u8>, Trouble> {
    let file = open(path, libc::O_RDONLY | libc::O_NONBLOCK)?;
    let mut out = vec![0; 4096];
    let size = out.len() as u64;
    let read =
        call(libc::SYS_read, [Arg::Num(file), Arg::Out(&mut out), Arg::Num(size)]).map_err(at("read"))?;
    out.truncate(read as usize);
    Ok(out)
}

fn read(path: &[u8]) -> Performed {
    contents(path).map(|bytes| Answer::Number(bytes.len() as u64))
}

fn list(path: &[u8]) -> Performed {
    let directory = open(path, libc::O_RDONLY | libc::O_DIRECTORY)?;
    let mut out = vec![0; 4096];
    let size = out.len() as u64;
    one("getdents64", libc::SYS_getdents64, [Arg::Num(directory), Arg::Out(&mut out), Arg::Num(size)])
}

fn mknod(path: &[u8], kind: u32, device: u64) -> Performed {
    let mode = Arg::Num(u64::from(kind | 0o600));
    one("mknod", libc::SYS_mknodat, [HERE, Arg::Str(&string(path)), mode, Arg::Num(device)])
}

/// The words of a program's argument list, and the list of pointers to them that execve(2) takes.
fn argument_list(path: &[u8], rest: &[&[u8]]) -> (Vec<CString>, Vec<u8>) {
    let strings: Vec<CString> = std::iter::once(&path).chain(rest).map(|a| string(a)).collect();
    let pointers = strings.iter().map(|s| s.as_ptr() as u64).chain([0]).flat_map(u64::to_ne_bytes).collect();
    (strings, pointers)
}

/// Executes in place of the probe, whose exit code is then the program's. Comes back only with an error.
fn exec_here(path: &[u8], rest: &[&[u8]]) -> Performed {
    let (_strings, argv) = argument_list(path, rest);
    one("exec", libc::SYS_execve, [Arg::Str(&string(path)), Arg::In(&argv), Arg::In(&[0; 8])])
}

/// Executes in a child, so that the answer can be reported. The answer is the program's exit code.
fn exec(path: &[u8], rest: &[&[u8]]) -> Performed {
    let (_strings, argv) = argument_list(path, rest);
    let none = [0; 8];
    let mut errno = [0_u8; 4];
    let mut pipe = [0_u8; 8];
    call(libc::SYS_pipe2, [Arg::Out(&mut pipe), Arg::Num(libc::O_CLOEXEC as u64)]).map_err(at("pipe"))?;
    let end = |n: usize| pipe.get(n * 4).copied().map_or(0, u64::from);
    let code = in_child(|| {
        // What the program says is none of the answer.
        let _ = call(libc::SYS_dup3, [Arg::Num(2), Arg::Num(1), Arg::Num(0)]);
        let arguments = [Arg::Str(&string(path)), Arg::In(&argv), Arg::In(&none)];
        let error = call(libc::SYS_execve, arguments).err().unwrap_or(0);
        crate::sys::print(end(1), &error.to_ne_bytes());
        127
    })
    .map_err(at("fork"))?;
    let _ = call(libc::SYS_close, [Arg::Num(end(1))]);
    match call(libc::SYS_read, [Arg::Num(end(0)), Arg::Out(&mut errno), Arg::Num(4)]) {
        Ok(4) => Err(Trouble::Kernel { step: "exec", errno: i32::from_ne_bytes(errno) }),
        _ => Ok(Answer::Number(u64::from(code.unsigned_abs()))),
    }
}
