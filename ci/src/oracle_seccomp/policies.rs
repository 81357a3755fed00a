//! Random policies that both the policy language and libseccomp can say, as text of the one and as rules of the other.

use canc_sets::syscalls::{Arch, names, number};
use canc_sets::testing::Random;
use libseccomp::ScmpSyscall;
use std::fmt::Write as _;

/// How libseccomp and the language compare alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the operators' own names")]
pub enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// One comparison: of the whole argument, or for equality of the bits of a mask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Test {
    /// Which argument, from 0.
    pub arg: u32,
    /// Whether the kernel takes 64 bits of it.
    pub wide: bool,
    /// How.
    pub operator: Operator,
    /// All ones for the whole argument.
    pub mask: u64,
    /// With what.
    pub value: u64,
}

/// A call that is allowed where all tests hold.
#[derive(Debug, Clone)]
pub struct Allow {
    /// The call.
    pub call: &'static str,
    /// The tests, at most one for each argument.
    pub tests: Vec<Test>,
}

/// An allow-list.
#[derive(Debug, Clone)]
pub struct Policy {
    /// The error for everything else.
    pub errno: u16,
    /// What is allowed.
    pub allows: Vec<Allow>,
}

/// Calls with arguments that libseccomp compares as the language does, and which of them are 64 bits wide.
const CONDITIONAL: [(&str, &[(u32, bool)]); 6] = [
    ("ioctl", &[(0, false), (1, false), (2, true)]),
    ("kcmp", &[(2, false), (3, true), (4, true)]),
    ("prctl", &[(0, false), (1, true), (2, true), (3, true), (4, true)]),
    ("process_vm_readv", &[(0, false), (2, true), (4, true), (5, true)]),
    ("mremap", &[(0, true), (1, true), (2, true), (3, true), (4, true)]),
    ("fcntl", &[(0, false), (1, false), (2, true)]),
];

const VALUES: [u64; 14] = [
    0,
    1,
    2,
    7,
    0x5412,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_fffe,
    0xffff_ffff,
    0x1_0000_0000,
    0x1_0000_0001,
    0x7fff_ffff_ffff_ffff,
    0x8000_0000_0000_0000,
    u64::MAX,
];

impl Policy {
    /// Whether a call is allowed: some rule's tests all hold.
    #[must_use]
    pub fn allows(&self, call: &str, args: &[u64; 6]) -> bool {
        self.allows.iter().any(|a| a.call == call && a.tests.iter().all(|t| t.holds(args)))
    }

    /// A policy of up to `most` rules. `orders`: with comparisons besides equality.
    #[must_use]
    pub fn random(random: &mut Random, most: usize, orders: bool) -> Self {
        let known = common_calls();
        let mut allows = Vec::new();
        for _ in 0..=random.below(most) {
            let tests = random.pick(&CONDITIONAL).filter(|_| random.below(2) == 0);
            allows.extend(match tests {
                Some((call, args)) => Some(Allow { call, tests: tests_of(random, args, orders) }),
                None => random.pick(&known).map(|call| Allow { call, tests: Vec::new() }),
            });
        }
        Self { errno: 1 + u16::try_from(random.below(30)).unwrap_or(0), allows }
    }

    /// The policy in the language. What it says of namespaces and connections opens what filters guard otherwise.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = String::from("can 1;\npolicy p {\n  exec \"/usr/bin/p\";\n  syscall infer off;\n");
        let _ = writeln!(
            out,
            "  syscall default errno({});\n  allow connect tcp;\n  allow userns create;",
            self.errno
        );
        out.push_str("  allow namespace mount, pid, net, ipc, uts, cgroup, time;\n");
        for allow in &self.allows {
            let tests: Vec<String> = allow.tests.iter().map(Test::text).collect();
            let condition =
                if tests.is_empty() { String::new() } else { format!(" where {}", tests.join(" and ")) };
            let _ = writeln!(out, "  allow syscall {}{condition};", allow.call);
        }
        out.push_str("}\n");
        out
    }
}

/// Calls that both tables know and take alike. `clone3` has a meaning of its own in the language; sockets and System V objects have
/// one in libseccomp, which also allows the calls that some architectures multiplex them through.
#[must_use]
pub fn common_calls() -> Vec<&'static str> {
    let multiplexed = |n: &str| {
        let prefixes =
            ["recv", "send", "sem", "msg", "shm", "socket", "accept", "getsock", "getpeer", "setsock"];
        prefixes.iter().any(|p| n.starts_with(p) && !n.starts_with("sendfile"))
            || ["bind", "connect", "listen", "shutdown", "ipc", "clone3"].contains(&n)
    };
    let native = |n: &&str| {
        number(Arch::X86_64, n).is_some() && ScmpSyscall::from_name(n).is_ok_and(|s| !s.is_error())
    };
    names().filter(native).filter(|n| !multiplexed(n)).collect()
}

/// A test on each of some arguments.
fn tests_of(random: &mut Random, args: &[(u32, bool)], orders: bool) -> Vec<Test> {
    let mut out: Vec<Test> = Vec::new();
    for (arg, wide) in args.iter().copied() {
        if random.below(2) == 0 || out.is_empty() && args.last().is_some_and(|a| a.0 == arg) {
            out.push(one_test(random, arg, wide, orders));
        }
    }
    out
}

fn one_test(random: &mut Random, arg: u32, wide: bool, orders: bool) -> Test {
    let bits = if wide { u64::MAX } else { 0xffff_ffff };
    let shift = random.below(60);
    let any = if random.below(3) == 0 { random.draw() >> shift } else { random.pick(&VALUES).unwrap_or(0) };
    let value = any & bits;
    // libseccomp compares 64 bits, which for narrower arguments only a mask makes right.
    let masked = random.below(3) == 0;
    let mask = if masked { (random.draw() | 1) & bits } else { u64::MAX };
    let all = [
        Operator::Equal,
        Operator::NotEqual,
        Operator::Less,
        Operator::LessOrEqual,
        Operator::Greater,
        Operator::GreaterOrEqual,
    ];
    let operator = if wide && !masked && orders {
        random.pick(&all).unwrap_or(Operator::Equal)
    } else {
        Operator::Equal
    };
    Test { arg, wide, operator, mask, value: if masked { value & mask } else { value } }
}

impl Test {
    /// As the kernel sees the argument: 64 bits of it, or 32.
    fn holds(&self, args: &[u64; 6]) -> bool {
        let bits = if self.wide { u64::MAX } else { 0xffff_ffff };
        let argument =
            usize::try_from(self.arg).ok().and_then(|a| args.get(a)).copied().unwrap_or(0) & bits & self.mask;
        match self.operator {
            Operator::Equal => argument == self.value,
            Operator::NotEqual => argument != self.value,
            Operator::Less => argument < self.value,
            Operator::LessOrEqual => argument <= self.value,
            Operator::Greater => argument > self.value,
            Operator::GreaterOrEqual => argument >= self.value,
        }
    }

    fn text(&self) -> String {
        let sign = match self.operator {
            Operator::Equal => "==",
            Operator::NotEqual => "!=",
            Operator::Less => "<",
            Operator::LessOrEqual => "<=",
            Operator::Greater => ">",
            Operator::GreaterOrEqual => ">=",
        };
        let mask = if self.mask == u64::MAX { String::new() } else { format!(" & {:#x}", self.mask) };
        format!("arg{}{mask} {sign} {:#x}", self.arg, self.value)
    }
}
