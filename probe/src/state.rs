//! What the process is: its labels, and everything that it inherited.

use crate::errno;
use crate::files::contents;
use crate::json::{Object, array, quote};
use crate::sys::{Arg, call, is_ignored};
use crate::{Answer, Performed, Trouble};
use std::os::unix::ffi::OsStrExt;

pub(crate) fn perform(request: &str, arguments: &[&[u8]]) -> Option<Performed> {
    match (request, arguments) {
        ("label", []) => Some(Ok(Answer::Json(labels()))),
        ("state", []) => Some(Ok(Answer::Json(state()))),
        ("capability", [number]) => Some(crate::files::number(number).and_then(has_capability)),
        _ => None,
    }
}

/// The labels that `/proc` tells; an error where it does not.
fn labels() -> String {
    let mut out = Object::new();
    for (name, path) in
        [("current", "/proc/self/attr/current"), ("apparmor", "/proc/self/attr/apparmor/current")]
    {
        match contents(path.as_bytes()) {
            Ok(text) => {
                out.text(name, text.trim_ascii_end().strip_suffix(b"\0").unwrap_or(text.trim_ascii_end()))
            }
            Err(Trouble::Kernel { errno, .. }) => {
                out.text(&format!("{name}_error"), errno::name(errno).as_bytes())
            }
            Err(Trouble::Usage(_)) => {}
        }
    }
    out.end()
}

fn state() -> String {
    let mut out = Object::new();
    identity(&mut out);
    capabilities(&mut out);
    prctls(&mut out);
    signals(&mut out);
    limits(&mut out);
    out.raw("descriptors", &descriptors());
    let names = std::env::vars_os().map(|(name, _)| quote(name.as_bytes()));
    out.raw("environment", &array(names));
    out.raw("arguments", &array(std::env::args_os().map(|a| quote(a.as_bytes()))));
    let mut path = [0; 4096];
    let size = path.len() as u64;
    if let Ok(length) = call(libc::SYS_getcwd, [Arg::Out(&mut path), Arg::Num(size)]) {
        out.text("directory", path.get(..(length as usize).saturating_sub(1)).unwrap_or_default());
    }
    if let Ok(mask) = call(libc::SYS_umask, [Arg::Num(0o77)]) {
        out.number("umask", mask);
    }
    // KEYCTL_GET_KEYRING_ID of KEY_SPEC_SESSION_KEYRING, not made where there is none.
    answer(
        &mut out,
        "session_keyring",
        call(libc::SYS_keyctl, [Arg::Num(0), crate::sys::signed(-3), Arg::Num(0)]),
    );
    out.end()
}

/// A number, or the name of the error.
fn answer(out: &mut Object, name: &str, result: Result<u64, i32>) {
    match result {
        Ok(value) => out.number(name, value & 0xffff_ffff),
        Err(error) => out.text(&format!("{name}_error"), errno::name(error).as_bytes()),
    }
}

fn identity(out: &mut Object) {
    for (name, ids) in [("uids", libc::SYS_getresuid), ("gids", libc::SYS_getresgid)] {
        let (mut real, mut effective, mut saved) = ([0; 4], [0; 4], [0; 4]);
        if call(ids, [Arg::Out(&mut real), Arg::Out(&mut effective), Arg::Out(&mut saved)]).is_ok() {
            out.raw(
                name,
                &array([real, effective, saved].into_iter().map(|id| u32::from_ne_bytes(id).to_string())),
            );
        }
    }
    let mut groups = vec![0; 4 * 65536];
    if let Ok(count) = call(libc::SYS_getgroups, [Arg::Num(65536), Arg::Out(&mut groups)]) {
        let ids = groups
            .as_chunks::<4>()
            .0
            .iter()
            .take(count as usize)
            .map(|id| u32::from_ne_bytes(*id).to_string());
        out.raw("groups", &array(ids));
    }
    answer(out, "pid", call(libc::SYS_getpid, []));
    answer(out, "parent", call(libc::SYS_getppid, []));
    answer(out, "session", call(libc::SYS_getsid, [Arg::Num(0)]));
}

/// The effective, permitted and inheritable set.
fn three_sets() -> Option<[u64; 3]> {
    /// `_LINUX_CAPABILITY_VERSION_3` of `linux/capability.h`.
    const VERSION: u32 = 0x2008_0522;
    let header = [VERSION.to_ne_bytes(), [0; 4]].concat();
    let mut sets = [0; 24];
    call(libc::SYS_capget, [Arg::In(&header), Arg::Out(&mut sets)]).ok()?;
    let word = |n: usize| sets.as_chunks::<4>().0.get(n).map_or(0, |w| u64::from(u32::from_ne_bytes(*w)));
    Some([0, 1, 2].map(|n| word(n) | word(n + 3) << 32))
}

/// Whether the process may use a capability: `EPERM` where it is not among the permitted ones.
fn has_capability(number: u64) -> Performed {
    match three_sets() {
        Some([_, permitted, _]) if number < 64 && permitted >> number & 1 == 1 => Ok(Answer::Number(0)),
        _ => Err(Trouble::Kernel { step: "capget", errno: libc::EPERM }),
    }
}

fn capabilities(out: &mut Object) {
    if let Some(sets) = three_sets() {
        for (set, name) in sets.into_iter().zip(["effective", "permitted", "inheritable"]) {
            out.text(name, format!("{set:016x}").as_bytes());
        }
    }
    let bounding = |n: u64| prctl(libc::PR_CAPBSET_READ, n, 0);
    let ambient = |n: u64| prctl(libc::PR_CAP_AMBIENT, libc::PR_CAP_AMBIENT_IS_SET as u64, n);
    let set = |is_in: &dyn Fn(u64) -> Result<u64, i32>| {
        (0..64).filter(|n| is_in(*n) == Ok(1)).fold(0_u64, |set, n| set | 1 << n)
    };
    out.text("bounding", format!("{:016x}", set(&bounding)).as_bytes());
    out.text("ambient", format!("{:016x}", set(&ambient)).as_bytes());
}

fn prctl(option: i32, first: u64, second: u64) -> Result<u64, i32> {
    call(
        libc::SYS_prctl,
        [Arg::Num(option as u64), Arg::Num(first), Arg::Num(second), Arg::Num(0), Arg::Num(0)],
    )
}

fn prctls(out: &mut Object) {
    answer(out, "no_new_privs", prctl(libc::PR_GET_NO_NEW_PRIVS, 0, 0));
    answer(out, "seccomp", prctl(libc::PR_GET_SECCOMP, 0, 0));
    answer(out, "dumpable", prctl(libc::PR_GET_DUMPABLE, 0, 0));
    answer(out, "securebits", prctl(libc::PR_GET_SECUREBITS, 0, 0));
}

fn signals(out: &mut Object) {
    let mut mask = [0; 8];
    if call(libc::SYS_rt_sigprocmask, [Arg::Num(0), Arg::Num(0), Arg::Out(&mut mask), Arg::Num(8)]).is_ok() {
        out.text("blocked", format!("{:016x}", u64::from_ne_bytes(mask)).as_bytes());
    }
    let ignored = (1..65).filter(|s| is_ignored(*s));
    out.raw("ignored", &array(ignored.map(|s| s.to_string())));
}

fn limits(out: &mut Object) {
    let names = [
        ("cpu_time", libc::RLIMIT_CPU),
        ("file_size", libc::RLIMIT_FSIZE),
        ("stack", libc::RLIMIT_STACK),
        ("core", libc::RLIMIT_CORE),
        ("open_files", libc::RLIMIT_NOFILE),
        ("locked_memory", libc::RLIMIT_MEMLOCK),
    ];
    let mut limits = Object::new();
    for (name, resource) in names {
        let mut pair = [0; 16];
        let arguments = [Arg::Num(0), Arg::Num(u64::from(resource)), Arg::Num(0), Arg::Out(&mut pair)];
        if call(libc::SYS_prlimit64, arguments).is_ok() {
            let each = pair.as_chunks::<8>().0.iter().map(|n| u64::from_ne_bytes(*n).to_string());
            limits.raw(name, &array(each));
        }
    }
    out.raw("limits", &limits.end());
}

/// Each open descriptor with what it is: its type and device, and whether it is gone after an exec.
fn descriptors() -> String {
    let open = (0..4096_u64)
        .filter(|n| call(libc::SYS_fcntl, [Arg::Num(*n), Arg::Num(libc::F_GETFD as u64)]).is_ok());
    array(open.map(|n| {
        let mut one = Object::new();
        one.number("number", n);
        let path = format!("/proc/self/fd/{n}\0");
        let path = std::ffi::CStr::from_bytes_with_nul(path.as_bytes()).unwrap_or_default();
        let mut link = [0; 4096];
        let arguments = [crate::sys::HERE, Arg::Str(path), Arg::Out(&mut link), Arg::Num(4096)];
        if let Ok(length) = call(libc::SYS_readlinkat, arguments) {
            one.text("is", link.get(..length as usize).unwrap_or_default());
        }
        one.end()
    }))
}
