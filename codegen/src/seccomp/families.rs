//! Names of system calls by what they are for, older and newer relatives together, and the numbers that tell sockets apart.
//!
//! A name that an architecture lacks is passed over there; one that no table has fails a test.

/// Every rule about files: what finds, opens and closes them. `open`, `openat` and `openat2` have conditions and stand elsewhere.
pub const PATHS: &[&str] = &[
    "access",
    "chdir",
    "close",
    "faccessat",
    "faccessat2",
    "fchdir",
    "fcntl",
    "fcntl64",
    "fstat",
    "fstat64",
    "fstatat64",
    "fstatfs",
    "fstatfs64",
    "getcwd",
    "lstat",
    "lstat64",
    "newfstatat",
    "oldfstat",
    "oldlstat",
    "oldstat",
    "readlink",
    "readlinkat",
    "stat",
    "stat64",
    "statfs",
    "statfs64",
    "statx",
];

/// Read contents and extended attributes.
pub const READ: &[&str] = &[
    "_llseek",
    "arm_fadvise64_64",
    "fadvise64",
    "fadvise64_64",
    "fgetxattr",
    "file_getattr",
    "flistxattr",
    "getxattr",
    "getxattrat",
    "lgetxattr",
    "listxattr",
    "listxattrat",
    "llistxattr",
    "lseek",
    "mmap",
    "mmap2",
    "munmap",
    "pread64",
    "preadv",
    "preadv2",
    "read",
    "readahead",
    "readv",
    "sendfile",
    "sendfile64",
];

/// Read directories.
pub const LIST: &[&str] = &["_llseek", "getdents", "getdents64", "lseek", "readdir"];

/// Change contents.
pub const WRITE: &[&str] = &[
    "_llseek",
    "copy_file_range",
    "fallocate",
    "fdatasync",
    "fsync",
    "lseek",
    "mmap",
    "mmap2",
    "msync",
    "munmap",
    "pwrite64",
    "pwritev",
    "pwritev2",
    "sendfile",
    "sendfile64",
    "splice",
    "sync_file_range",
    "sync_file_range2",
    "write",
    "writev",
];

/// Cut contents off.
pub const TRUNCATE: &[&str] = &["ftruncate", "ftruncate64", "truncate", "truncate64"];

/// Make entries; `creat`, `mknod` and `mknodat` have conditions and stand elsewhere.
pub const CREATE: &[&str] = &["mkdir", "mkdirat", "symlink", "symlinkat", "umask"];

/// Remove and rename entries.
pub const DELETE: &[&str] = &["rename", "renameat", "renameat2", "rmdir", "unlink", "unlinkat"];

/// Hard links.
pub const LINK: &[&str] = &["link", "linkat"];

/// Locks.
pub const LOCK: &[&str] = &["fcntl", "fcntl64", "flock"];

/// Owner, times, extended attributes; those with a mode have conditions and stand elsewhere.
pub const SETATTR: &[&str] = &[
    "chown",
    "chown32",
    "fchown",
    "fchown32",
    "fchownat",
    "file_setattr",
    "fremovexattr",
    "fsetxattr",
    "futimesat",
    "lchown",
    "lchown32",
    "lremovexattr",
    "lsetxattr",
    "removexattr",
    "removexattrat",
    "setxattr",
    "setxattrat",
    "utime",
    "utimensat",
    "utimensat_time64",
    "utimes",
];

/// Executable mappings.
pub const MAP: &[&str] = &["mmap", "mmap2", "mprotect", "munmap", "pkey_mprotect"];

/// Device nodes.
pub const MKNOD: &[&str] = &["mknod", "mknodat"];

/// Execute.
pub const RUN: &[&str] = &["execve", "execveat"];

/// What every socket is used with, waiting included.
pub const SOCKET_USE: &[&str] = &[
    "_newselect",
    "close",
    "epoll_create",
    "epoll_create1",
    "epoll_ctl",
    "epoll_pwait",
    "epoll_pwait2",
    "epoll_wait",
    "fcntl",
    "fcntl64",
    "getpeername",
    "getsockname",
    "getsockopt",
    "poll",
    "ppoll",
    "ppoll_time64",
    "pselect6",
    "pselect6_time64",
    "read",
    "readv",
    "recv",
    "recvfrom",
    "recvmmsg",
    "recvmmsg_time64",
    "recvmsg",
    "select",
    "send",
    "sendmmsg",
    "sendmsg",
    "sendto",
    "setsockopt",
    "shutdown",
    "write",
    "writev",
];

/// Wait for connections and take them.
pub const LISTEN: &[&str] = &["accept", "accept4", "listen"];

/// Namespaces.
pub const NAMESPACES: &[&str] = &["clone", "setns", "unshare"];

/// A user namespace.
pub const USERNS: &[&str] = &["clone", "unshare"];

/// Signals.
pub const SIGNAL: &[&str] =
    &["kill", "pidfd_open", "pidfd_send_signal", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "tgkill", "tkill"];

/// Look at other processes.
pub const PTRACE_READ: &[&str] = &["get_robust_list", "kcmp", "pidfd_open"];

/// Control other processes.
pub const PTRACE_TRACE: &[&str] = &["pidfd_getfd", "process_vm_readv", "process_vm_writev", "ptrace"];

/// Unmount.
pub const UNMOUNT: &[&str] = &["umount", "umount2"];

/// Rings.
pub const IO_URING: &[&str] = &["io_uring_enter", "io_uring_register", "io_uring_setup"];

/// Receive messages.
pub const MQUEUE_READ: &[&str] = &["mq_getsetattr", "mq_notify", "mq_timedreceive", "mq_timedreceive_time64"];

/// Send messages.
pub const MQUEUE_WRITE: &[&str] = &["mq_getsetattr", "mq_timedsend", "mq_timedsend_time64"];

/// System V shared memory.
pub const SHM: &[&str] = &["shmat", "shmctl", "shmdt", "shmget"];

/// Key rings.
pub const KEYRING: &[&str] = &["add_key", "keyctl", "request_key"];

/// The calls that nothing but a capability makes useful (capabilities(7)); those that a rule of another kind brings are not here.
#[must_use]
pub fn capability(number: u8) -> &'static [&'static str] {
    match number {
        // dac_read_search
        2 => &["name_to_handle_at", "open_by_handle_at"],
        // setgid
        6 => &[
            "setfsgid",
            "setfsgid32",
            "setgid",
            "setgid32",
            "setgroups",
            "setgroups32",
            "setregid",
            "setregid32",
            "setresgid",
            "setresgid32",
        ],
        // setuid
        7 => &[
            "setfsuid",
            "setfsuid32",
            "setresuid",
            "setresuid32",
            "setreuid",
            "setreuid32",
            "setuid",
            "setuid32",
        ],
        // setpcap
        8 => &["capset"],
        // ipc_lock
        14 => &["mlock", "mlock2", "mlockall", "munlock", "munlockall"],
        // sys_module
        16 => &["delete_module", "finit_module", "init_module"],
        // sys_rawio
        17 => &["ioperm", "iopl"],
        // sys_chroot
        18 => &["chroot", "fchroot"],
        // sys_pacct
        20 => &["acct"],
        // sys_admin, as far as no rule of another kind names it
        21 => &[
            "fanotify_init",
            "fanotify_mark",
            "quotactl",
            "quotactl_fd",
            "setdomainname",
            "sethostname",
            "swapoff",
            "swapon",
        ],
        // sys_boot
        22 => &["kexec_file_load", "kexec_load", "reboot"],
        // sys_nice
        23 => &[
            "ioprio_set",
            "migrate_pages",
            "move_pages",
            "nice",
            "sched_setaffinity",
            "sched_setattr",
            "sched_setparam",
            "sched_setscheduler",
            "setpriority",
        ],
        // sys_resource
        24 => &["prlimit64", "setrlimit"],
        // sys_time
        25 => &[
            "adjtimex",
            "clock_adjtime",
            "clock_adjtime64",
            "clock_settime",
            "clock_settime64",
            "settimeofday",
            "stime",
        ],
        // sys_tty_config
        26 => &["vhangup"],
        // syslog
        34 => &["syslog"],
        // perfmon
        38 => &["perf_event_open"],
        // bpf
        39 => &["bpf"],
        _ => &[],
    }
}

/// Families of `linux/socket.h`.
pub const AF_UNIX: u32 = 1;
/// `AF_INET`
pub const AF_INET: u32 = 2;
/// `AF_INET6`
pub const AF_INET6: u32 = 10;
/// `AF_NETLINK`
pub const AF_NETLINK: u32 = 16;
/// `AF_PACKET`
pub const AF_PACKET: u32 = 17;
/// `AF_ALG`
pub const AF_ALG: u32 = 38;
/// `AF_VSOCK`
pub const AF_VSOCK: u32 = 40;
/// Both internet families.
pub const INET: &[u32] = &[AF_INET, AF_INET6];

/// The type within the second argument of `socket(2)`; the rest are flags (`linux/net.h`).
pub const SOCK_TYPE_MASK: u32 = 0xf;
/// `SOCK_STREAM`
pub const SOCK_STREAM: u32 = 1;
/// `SOCK_DGRAM`
pub const SOCK_DGRAM: u32 = 2;
/// `SOCK_RAW`
pub const SOCK_RAW: u32 = 3;
/// `SOCK_SEQPACKET`
pub const SOCK_SEQPACKET: u32 = 5;
/// `SOCK_PACKET`
pub const SOCK_PACKET: u32 = 10;

/// Protocols of `linux/in.h` and `linux/in6.h`.
pub const IPPROTO_ICMP: u32 = 1;
/// `IPPROTO_TCP`
pub const IPPROTO_TCP: u32 = 6;
/// `IPPROTO_UDP`
pub const IPPROTO_UDP: u32 = 17;
/// `IPPROTO_ICMPV6`
pub const IPPROTO_ICMPV6: u32 = 58;
/// `IPPROTO_SCTP`
pub const IPPROTO_SCTP: u32 = 132;
