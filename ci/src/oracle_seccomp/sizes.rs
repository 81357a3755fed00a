//! The policies that programs are measured on, as all compilers take them, and what came of it.

use super::peers::{Compiler, Measured, measured};
use super::policies::{Allow, Operator, Policy, Test, common_calls};
use crate::Error;
use canc_sets::syscalls::{Arch, numbers};
use canc_sets::testing::Random;

/// What a container runtime permits by default leaves these out.
const CONTAINER_WITHOUT: &[&str] = &[
    "_sysctl",
    "acct",
    "add_key",
    "afs_syscall",
    "bpf",
    "chroot",
    "clock_adjtime",
    "clock_settime",
    "clone",
    "create_module",
    "delete_module",
    "epoll_ctl_old",
    "epoll_wait_old",
    "fanotify_init",
    "finit_module",
    "fsconfig",
    "fsmount",
    "fsopen",
    "fspick",
    "get_kernel_syms",
    "get_mempolicy",
    "getpmsg",
    "init_module",
    "io_uring_enter",
    "io_uring_register",
    "io_uring_setup",
    "ioperm",
    "iopl",
    "kcmp",
    "kexec_file_load",
    "kexec_load",
    "keyctl",
    "lookup_dcookie",
    "mbind",
    "migrate_pages",
    "mount",
    "mount_setattr",
    "move_mount",
    "move_pages",
    "nfsservctl",
    "open_by_handle_at",
    "open_tree",
    "perf_event_open",
    "personality",
    "pivot_root",
    "process_madvise",
    "process_mrelease",
    "putpmsg",
    "query_module",
    "quotactl",
    "quotactl_fd",
    "reboot",
    "request_key",
    "security",
    "set_mempolicy",
    "set_mempolicy_home_node",
    "setdomainname",
    "sethostname",
    "setns",
    "settimeofday",
    "socket",
    "swapoff",
    "swapon",
    "sysfs",
    "syslog",
    "tuxcall",
    "umount2",
    "unshare",
    "uselib",
    "userfaultfd",
    "ustat",
    "vhangup",
    "vserver",
    "memfd_secret",
];

/// Twenty calls of a small static program.
const TWENTY: &[&str] = &[
    "read",
    "write",
    "close",
    "fstat",
    "lseek",
    "mmap",
    "mprotect",
    "munmap",
    "brk",
    "rt_sigaction",
    "rt_sigprocmask",
    "rt_sigreturn",
    "ioctl",
    "access",
    "execve",
    "exit",
    "futex",
    "exit_group",
    "openat",
    "getrandom",
];

pub(super) fn plain(call: &'static str) -> Allow {
    Allow { call, tests: Vec::new() }
}

pub(super) fn test(call: &'static str, arg: u32, operator: Operator, mask: u64, value: u64) -> Allow {
    Allow { call, tests: vec![Test { arg, wide: true, operator, mask, value }] }
}

/// A policy, and what it is called.
pub type Named = (String, Policy);

/// The policies that people know, and some that nobody wrote.
#[must_use]
pub fn corpus() -> Vec<Named> {
    let mut out = known();
    let mut random = Random(17);
    for round in 0..12usize {
        let policy = Policy::random(&mut random, 10 << (round % 5), round % 2 == 1);
        out.push((format!("random, {} rules", policy.allows.len()), policy));
    }
    let scattered: Vec<Allow> = common_calls().into_iter().step_by(2).map(plain).collect();
    out.push(("every second name".to_owned(), Policy { errno: 1, allows: scattered }));
    out
}

/// The policies that people know.
#[must_use]
pub fn known() -> Vec<Named> {
    let known: Vec<&'static str> = numbers(Arch::X86_64)
        .iter()
        .map(|e| e.1)
        .filter(|n| libseccomp::ScmpSyscall::from_name(n).is_ok())
        .collect();
    let besides = |left_out: &[&str]| -> Vec<Allow> {
        known.iter().filter(|n| !left_out.contains(n) && **n != "clone3").map(|n| plain(n)).collect()
    };
    let mut container = besides(CONTAINER_WITHOUT);
    container.extend(
        [0, 8, 0x2_0000, 0x2_0008, 0xffff_ffff].map(|v| test("personality", 0, Operator::Equal, u64::MAX, v)),
    );
    container.push(test("socket", 0, Operator::NotEqual, u64::MAX, 40));
    container.push(test("clone", 0, Operator::Equal, 0x7e02_0000, 0));
    let forty = CONTAINER_WITHOUT.get(..40).unwrap_or_default();
    [
        ("a: container default", container),
        ("b: 20 allowed", TWENTY.iter().map(|n| plain(n)).collect()),
        ("c: all but 40 allowed", besides(forty)),
        ("d2: 340 numbers, 500 values", values(500, &known)),
    ]
    .map(|(name, allows)| (name.to_owned(), Policy { errno: 1, allows }))
    .into()
}

/// What each compiler makes of a policy.
pub struct Sizes {
    /// What was compiled.
    pub name: String,
    /// By [`Compiler::ALL`]; `None` where a compiler refuses the policy.
    pub programs: Vec<Option<Measured>>,
}

/// All policies, measured.
///
/// # Errors
/// When this compiler or libseccomp refuses one.
pub fn all() -> Result<Vec<Sizes>, Error> {
    let one = |(name, policy): Named| {
        let programs = Compiler::ALL.map(|c| c.compile(&policy).map(|p| p.map(|p| measured(&p))));
        Ok(Sizes { name, programs: programs.into_iter().collect::<Result<_, Error>>()? })
    };
    corpus().into_iter().map(one).collect()
}

impl Sizes {
    /// Fails where a peer's program is smaller or faster than ours. That its longest run is shorter counts where its text is no larger:
    /// a wider tree saves there a comparison and pays for it with its size and its average.
    ///
    /// # Errors
    /// Which peer, and on which policy.
    pub fn ensure_best(&self) -> Result<(), Error> {
        let Some((Some(own), peers)) = self.programs.split_first() else {
            return Err(Error::Odd(format!("{}: not compiled here", self.name)));
        };
        for (compiler, peer) in Compiler::ALL.iter().skip(1).zip(peers) {
            let shorter = |p: &Measured| p.most < own.most && p.length <= own.length;
            let better = peer.filter(|p| p.length < own.length || p.mean < own.mean || shorter(p));
            if let Some(better) = better {
                let what = format!("{}: {} makes {better}, and canc {own}", self.name, compiler.word());
                return Err(Error::Odd(what));
            }
        }
        Ok(())
    }
}

/// Numbers without conditions, and calls with many values each.
fn values(count: u64, known: &[&'static str]) -> Vec<Allow> {
    let lists = [("ioctl", 2), ("fcntl", 2), ("prctl", 3), ("kcmp", 3), ("mremap", 3)];
    let listed = |n: &str| n == "clone3" || lists.iter().any(|l| l.0 == n);
    let mut out: Vec<Allow> = known.iter().filter(|n| !listed(n)).map(|n| plain(n)).collect();
    for (index, (call, arg)) in (0u64..).zip(lists) {
        let list = (1..=count / 5).map(|i| i * (2_654_435_761 + 2 * index) % 2_147_483_647);
        out.extend(list.map(|v| test(call, arg, Operator::Equal, u64::MAX, v)));
    }
    out
}
