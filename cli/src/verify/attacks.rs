//! The attack suite: what a confined program that turned hostile would try. Each is bounded, and harmless where it succeeds.

use super::requests::call;
use super::{Confined, Reading, Standin, Task};
use canc_bundle::PolicyEntry;
use canc_dsl::policy::{Body, Effect, FileOp, Policy};
use canc_sets::syscalls::Arch;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

/// One attack.
pub struct Attack {
    /// What it is.
    pub title: &'static str,
    /// The request of the language that the policy is asked about; empty where every policy denies it.
    pub asks: String,
    /// What is performed, or why nothing can be here.
    pub task: Result<Task, String>,
}

/// What the suite needs to know.
pub struct Field<'a> {
    /// What a launch does.
    pub entry: &'a PolicyEntry,
    /// The rules.
    pub policy: &'a Policy,
    /// This machine's.
    pub arch: Arch,
    /// A port of the loopback address on which somebody listens.
    pub port: u16,
    /// A file that anybody may read and no policy names.
    pub secret: &'a Path,
}

/// A listening port that the policy may not have opened, as other programs like to.
const LISTEN: &str = "8888";
/// More than the limit, in bytes.
const BEYOND: u64 = 64 << 20;
/// More than the limit, in processes.
const MORE: u64 = 8;
/// The most that is tried: the probe refuses more.
const MOST_MEMORY: u64 = 2 << 30;
const MOST_PROCESSES: u64 = 4096;
/// Programs that set the user and do nothing when they are asked for their version.
const SETUID: [&str; 6] = [
    "/usr/bin/mount",
    "/usr/bin/umount",
    "/usr/bin/su",
    "/usr/bin/sudo",
    "/usr/bin/passwd",
    "/usr/bin/newgrp",
];
/// Calls that change or read the kernel, or other programs, and that few programs need.
const CALLS: [(&str, &str); 19] = [
    ("load a kernel module", "init_module"),
    ("load a kernel module from a file", "finit_module"),
    ("unload a kernel module", "delete_module"),
    ("load another kernel", "kexec_load"),
    ("load another kernel from a file", "kexec_file_load"),
    ("load a program into the kernel", "bpf"),
    ("count performance events", "perf_event_open"),
    ("use the kernel's key rings", "keyctl"),
    ("add a key", "add_key"),
    ("handle page faults", "userfaultfd"),
    ("set up an io_uring", "io_uring_setup"),
    ("read another program's memory", "process_vm_readv"),
    ("write another program's memory", "process_vm_writev"),
    ("open a file by its handle", "open_by_handle_at"),
    ("mount by the new calls: fsopen", "fsopen"),
    ("mount by the new calls: open_tree", "open_tree"),
    ("mount by the new calls: move_mount", "move_mount"),
    ("mount by the new calls: mount_setattr", "mount_setattr"),
    ("restart the machine", "reboot"),
];
/// Kernel files.
const KERNEL: [(&str, &str, &str); 5] = [
    ("read the environment of process 1", "open-read", "/proc/1/environ"),
    ("read the kernel's symbols", "open-read", "/proc/kallsyms"),
    ("read the list of modules", "open-read", "/proc/modules"),
    ("read the kernel's memory", "open-read", "/proc/kcore"),
    ("give the machine a command", "open-write", "/proc/sysrq-trigger"),
];

/// All attacks.
pub fn all(field: &Field<'_>) -> Vec<Attack> {
    let mut out = identity(field);
    out.extend(files(field));
    out.extend(network(field));
    out.extend(processes(field));
    out.extend(resources(field));
    out.extend(
        CALLS.iter().map(|(title, name)| attack(title, &format!("syscall {name}"), call(name, field.arch))),
    );
    out
}

fn attack(title: &'static str, asks: &str, task: Result<Task, String>) -> Attack {
    Attack { title, asks: asks.into(), task }
}

fn plain(words: &[&str]) -> Result<Task, String> {
    Ok(Task::new(words, Reading::Plain))
}

fn identity(field: &Field<'_>) -> Vec<Attack> {
    let launch = &field.entry.launch;
    let bit = |bits, n: &u8| bits | 1_u64.checked_shl(u32::from(*n)).unwrap_or(0);
    let kept = launch.capabilities.iter().fold(0, bit);
    let state = |wanted| Ok(Task::new(&["state"], Reading::State(wanted)));
    let only_if = |there: bool, why: &str, wanted| if there { state(wanted) } else { Err(why.to_owned()) };
    vec![
        attack("keep capabilities", "", state(Confined::Capabilities(kept))),
        attack(
            "gain privileges by executing a program",
            "",
            only_if(launch.no_new_privs, "the policy says `no_new_privs off`", Confined::NoNewPrivs),
        ),
        attack(
            "run without a filter of system calls",
            "",
            only_if(
                field.entry.seccomp.is_some(),
                "the policy says `backend seccomp off`",
                Confined::Filtered,
            ),
        ),
        attack("become root by a set-user-id program", "", setuid(field)),
        Attack {
            title: "make a set-user-id program",
            asks: format!("setattr setid {}", field.secret.display()),
            task: Ok(Task {
                changes: true,
                ..standing(&["chmod", "0o4755"], &field.secret.to_string_lossy())
            }),
        },
    ]
}

/// A task on a path for which a file stands in.
fn standing(words: &[&str], path: &str) -> Task {
    let words = [words, &[path]].concat();
    Task { standin: Some(Standin::File(path.into())), ..Task::new(&words, Reading::Plain) }
}

fn setuid(field: &Field<'_>) -> Result<Task, String> {
    if rustix::process::geteuid().is_root() {
        return Err("the caller is root already".into());
    }
    if !field.entry.launch.no_new_privs {
        return Err("the policy says `no_new_privs off`".into());
    }
    if field.entry.launch.isolate.iter().any(|kind| kind == "pid") {
        return Err("who the program is cannot be seen from outside of its PID namespace".into());
    }
    let sets_root = |path: &&&str| {
        std::fs::metadata(path).is_ok_and(|m| m.uid() == 0 && m.permissions().mode() & 0o4001 == 0o4001)
    };
    let program = SETUID.iter().find(sets_root).ok_or("there is no set-user-id program that is harmless")?;
    Ok(Task::new(&["become", program, "--version"], Reading::Identity))
}

fn files(field: &Field<'_>) -> Vec<Attack> {
    let mut out: Vec<_> = KERNEL
        .iter()
        .map(|(title, words, path)| {
            let word = if *words == "open-write" { "write" } else { "read" };
            attack(title, &format!("{word} {path}"), plain(&[words, path]))
        })
        .collect();
    let shadow = standing(&["open-read"], "/etc/shadow");
    out.push(attack("read the passwords of users", "read /etc/shadow", Ok(shadow)));
    let (readable, below) = readable(field);
    if let Some(path) = readable {
        out.push(Attack {
            title: "write what may only be read",
            asks: format!("write {path}"),
            task: Ok(standing(&["open-write"], &path)),
        });
    }
    if let Some(directory) = below {
        let (link, to) = (format!("{directory}/canc-verify"), field.secret.to_string_lossy().into_owned());
        let standin = Some(Standin::Link(link.clone(), to));
        out.push(Attack {
            title: "read another file through a symbolic link",
            asks: format!("read {}", field.secret.display()),
            task: Ok(Task { standin, changes: true, ..Task::new(&["open-read", &link], Reading::Plain) }),
        });
    }
    out
}

/// A file that the policy's own rules let it read and not write, and a directory below which it reads everything.
fn readable(field: &Field<'_>) -> (Option<String>, Option<String>) {
    let rules =
        field.policy.rules.iter().filter(|rule| rule.effect == Effect::Allow && rule.included.is_empty());
    let read = rules.filter_map(|rule| match &rule.body {
        Body::File(file) if file.ops.has(FileOp::Read) && !file.ops.has(FileOp::Write) && !file.owner => {
            Some(file)
        }
        _ => None,
    });
    let (mut file, mut directory) = (None, None);
    for pattern in read.flat_map(|file| file.patterns()) {
        let below = pattern.as_literal_subtree().filter(|d| d != "/");
        directory = directory.or_else(|| below.clone());
        file = file.or_else(|| pattern.as_literal()).or_else(|| below.map(|d| format!("{d}/canc-verify")));
    }
    (file, directory)
}

fn network(field: &Field<'_>) -> Vec<Attack> {
    let port = field.port.to_string();
    let socket = |words: &[&str]| Ok(Task::new(words, Reading::Socket));
    let asks = format!("connect tcp port {port}");
    vec![
        attack("connect to a port", &asks, socket(&["connect", "tcp", "127.0.0.1", &port])),
        attack("connect by TCP fast open", &asks, socket(&["fastopen", "127.0.0.1", &port])),
        attack("connect by multipath TCP", &asks, socket(&["connect", "mptcp", "127.0.0.1", &port])),
        attack(
            "listen on port 8888",
            "listen tcp port 8888",
            socket(&["listen", "tcp", "127.0.0.1", LISTEN]),
        ),
        attack("send a datagram", "send udp port 9", socket(&["send", "udp", "127.0.0.1", "9"])),
        attack("open a raw socket", "socket raw", plain(&["socket", "inet", "raw", "1"])),
        attack("open a packet socket", "socket packet", plain(&["socket", "packet", "raw", "3"])),
    ]
}

fn processes(field: &Field<'_>) -> Vec<Attack> {
    let terminal = |request: &str| Ok(Task::new(&["ioctl", "0", request, "0"], Reading::Call));
    let mut out = vec![
        // Any other process will do: what the policy says of it does not depend on its number.
        attack(
            "read another program's environment",
            "read /proc/2/environ",
            plain(&["open-read", "/proc/%pid/environ"]),
        ),
        attack("trace another program", "syscall ptrace", plain(&["ptrace", "%pid"])),
        attack("end another program", "signal send term to user", plain(&["kill", "%pid", "15"])),
        attack(
            "enter the network of process 1",
            "syscall setns",
            plain(&["setns", "/proc/1/ns/net", "0x40000000"]),
        ),
        attack("make a user namespace", "userns create", plain(&["unshare", "0x10000000"])),
        attack("start a process in a user namespace", "userns create", plain(&["clone", "0x10000000"])),
        attack("mount a file system", "syscall mount", mount(&["mount", "tmpfs", "/", "tmpfs", "0"])),
        attack("remount writable", "syscall mount", mount(&["mount", "none", "/", "none", "0x1020"])),
        attack("push characters into the terminal", "syscall ioctl where arg1 == 0x5412", terminal("0x5412")),
        attack(
            "push characters, with high bits set",
            "syscall ioctl where arg1 == 0x5412",
            terminal("0x12300005412"),
        ),
    ];
    if field.arch == Arch::X86_64 {
        let filters = field.entry.seccomp.as_ref().map(|s| &s.programs);
        let foreign = filters.is_some_and(|programs| programs.contains_key("x86"));
        let task = if foreign {
            Err("the policy has filters for that architecture".into())
        } else {
            plain(&["int80", "20"])
        };
        out.push(attack("call by the 32-bit gate", "", task));
    }
    out
}

/// In a mount namespace of its own, so that nothing of the host is covered.
fn mount(words: &[&str]) -> Result<Task, String> {
    Ok(Task { changes: true, ..Task::new(words, Reading::Plain) })
}

fn resources(field: &Field<'_>) -> Vec<Attack> {
    let limit = |word: &str, request: &str, more: u64, most: u64| {
        let limit = field.entry.launch.limits.get(word).ok_or(format!("the policy has no `limit {word}`"))?;
        let taken = limit.value.saturating_add(more);
        if taken > most {
            return Err(format!("the limit is too high to be tried: {}", limit.value));
        }
        if limit.prefer {
            return Err("the policy says `prefer`: where it cannot be set, the launch goes on".to_owned());
        }
        plain(&[request, &taken.to_string()])
    };
    vec![
        attack("take more memory than the limit", "", limit("memory", "allocate", BEYOND, MOST_MEMORY)),
        attack("start more processes than the limit", "", limit("processes", "forks", MORE, MOST_PROCESSES)),
    ]
}
