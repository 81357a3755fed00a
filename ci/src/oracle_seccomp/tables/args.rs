//! The kernel's declarations of its entry points, and a hand-kept file where they say too little, to one table of arguments.

use super::numbers::Numbers;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

/// Headers of the kernel's build tree that declare entry points, the generic ones first.
const HEADERS: [&str; 3] =
    ["include/linux/syscalls.h", "include/asm-generic/syscalls.h", "arch/x86/include/asm/syscalls.h"];

/// Calls whose entry point has another name (`syscall.tbl` of the architectures).
const ENTRY: [(&str, &str); 49] = [
    ("stat", "newstat"),
    ("lstat", "newlstat"),
    ("fstat", "newfstat"),
    ("uname", "newuname"),
    ("oldstat", "stat"),
    ("oldlstat", "lstat"),
    ("oldfstat", "fstat"),
    ("olduname", "uname"),
    ("oldolduname", "olduname"),
    ("umount2", "umount"),
    ("umount", "oldumount"),
    ("chown32", "chown"),
    ("lchown32", "lchown"),
    ("fchown32", "fchown"),
    ("setuid32", "setuid"),
    ("setgid32", "setgid"),
    ("setreuid32", "setreuid"),
    ("setregid32", "setregid"),
    ("setresuid32", "setresuid"),
    ("setresgid32", "setresgid"),
    ("setfsuid32", "setfsuid"),
    ("setfsgid32", "setfsgid"),
    ("getuid32", "getuid"),
    ("getgid32", "getgid"),
    ("geteuid32", "geteuid"),
    ("getegid32", "getegid"),
    ("getresuid32", "getresuid"),
    ("getresgid32", "getresgid"),
    ("getgroups32", "getgroups"),
    ("setgroups32", "setgroups"),
    ("_llseek", "llseek"),
    ("_newselect", "select"),
    ("sched_rr_get_interval_time64", "sched_rr_get_interval"),
    ("recvmmsg_time64", "recvmmsg"),
    ("rt_sigtimedwait_time64", "rt_sigtimedwait"),
    ("semtimedop_time64", "semtimedop"),
    ("clock_adjtime64", "clock_adjtime"),
    ("clock_getres_time64", "clock_getres"),
    ("clock_gettime64", "clock_gettime"),
    ("clock_nanosleep_time64", "clock_nanosleep"),
    ("clock_settime64", "clock_settime"),
    ("futex_time64", "futex"),
    ("mq_timedreceive_time64", "mq_timedreceive"),
    ("mq_timedsend_time64", "mq_timedsend"),
    ("ppoll_time64", "ppoll"),
    ("pselect6_time64", "pselect6"),
    ("timer_gettime64", "timer_gettime"),
    ("timer_settime64", "timer_settime"),
    ("utimensat_time64", "utimensat"),
];

/// One argument: its name (empty where the declaration gives none) and its kind.
type Arg = (String, &'static str);

/// Arguments by entry point.
pub fn declarations(headers: &Path) -> io::Result<BTreeMap<String, Vec<Arg>>> {
    let mut out = BTreeMap::new();
    for header in HEADERS {
        for (name, args) in fs::read_to_string(headers.join(header))?.split(';').filter_map(declaration) {
            out.entry(name).or_insert(args);
        }
    }
    Ok(out)
}

/// The text up to a semicolon, when it ends in `long sys_NAME(ARGS)`.
fn declaration(text: &str) -> Option<(String, Vec<Arg>)> {
    let (_, rest) = text.rsplit_once("long sys_")?;
    let (name, args) = rest.split_once('(')?;
    let args = args.rsplit_once(')')?.0;
    let args: Option<Vec<Arg>> =
        args.split(',').map(str::trim).filter(|a| *a != "void").map(argument).collect();
    Some((name.trim().to_owned(), args?))
}

/// One parameter of a declaration.
fn argument(text: &str) -> Option<Arg> {
    let words: Vec<&str> =
        text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|w| !w.is_empty()).collect();
    let types: Vec<&str> = words.iter().copied().filter(|w| *w != "const" && *w != "__user").collect();
    let named = |count: usize| types.get(count).map_or(String::new(), |w| (*w).to_owned());
    if text.contains('*')
        || text.contains('[')
        || ["cap_user_header_t", "cap_user_data_t", "__sighandler_t"].iter().any(|t| types.contains(t))
    {
        let last =
            text.trim_end_matches(']').trim_end_matches('[').rsplit(['*', ' ']).next().unwrap_or_default();
        let known_type =
            types.len() == 1 || last.ends_with("__user") || ["void", "int", "struct"].contains(&last);
        return Some((if known_type { String::new() } else { last.to_owned() }, "ptr"));
    }
    let (kind, used) = match types.as_slice() {
        ["unsigned", "long", ..] => ("u64", 2),
        ["unsigned", "int", ..] => ("u32", 2),
        ["enum", _, ..] => ("i32", 2),
        ["unsigned" | "u32" | "__u32" | "uid_t" | "gid_t" | "qid_t" | "rwf_t", ..] => ("u32", 1),
        ["umode_t" | "old_uid_t" | "old_gid_t", ..] => ("u16", 1),
        ["int" | "pid_t" | "__s32" | "key_t" | "clockid_t" | "timer_t" | "mqd_t", ..] => ("i32", 1),
        ["loff_t", ..] => ("i64x2", 1),
        ["long" | "off_t" | "ssize_t", ..] => ("i64", 1),
        ["size_t" | "aio_context_t" | "u64" | "__u64" | "old_sigset_t", ..] => ("u64", 1),
        _ => return None,
    };
    Some((named(used), kind))
}

/// `args.manual.tsv`: lines that replace what the headers say.
pub fn manual(path: &Path) -> io::Result<BTreeMap<String, String>> {
    let text = fs::read_to_string(path)?;
    let lines = text.lines().filter(|l| !l.starts_with('#'));
    Ok(lines.filter_map(|l| l.split_once('\t')).map(|(n, a)| (n.to_owned(), a.to_owned())).collect())
}

/// The text of `args.tsv`, and the calls whose arguments nobody states.
pub fn render(
    numbers: &Numbers,
    declared: &BTreeMap<String, Vec<Arg>>,
    manual: &BTreeMap<String, String>,
) -> (String, Vec<String>) {
    let mut lines: BTreeMap<&str, String> = manual.iter().map(|(n, a)| (n.as_str(), a.clone())).collect();
    let mut missing = Vec::new();
    for name in numbers.keys() {
        if lines.contains_key(name.as_str()) {
            continue;
        }
        let entry = ENTRY.iter().find(|e| e.0 == name).map_or(name.as_str(), |e| e.1);
        match declared.get(entry) {
            Some(args) if args.iter().all(|a| !a.0.is_empty()) => {
                let words: Vec<String> = args.iter().map(|(n, k)| format!("{n}:{k}")).collect();
                lines.insert(name, words.join(" "));
            }
            other => missing.push(format!("{name}\t{other:?}")),
        }
    }
    let mut out = String::from("# name[@arch,…]\targument:kind …\n");
    for (name, args) in lines {
        out.push_str(name);
        out.push('\t');
        out.push_str(&args);
        out.push('\n');
    }
    (out, missing)
}
