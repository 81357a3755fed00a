//! Classic BPF instructions as the kernel reads them, and their bytes. It knows neither policies nor system calls.

use super::diagram::{Half, Word};
use canc_dsl::policy::Action;
use canc_sets::syscalls::Arch;

/// Programs the kernel accepts are at most this long (`BPF_MAXINSNS` in `linux/bpf_common.h`).
pub const MOST_INSTRUCTIONS: usize = 4_096;

/// Opcodes of `linux/bpf_common.h`, those that filters here consist of.
pub mod op {
    /// `A = seccomp_data[k]`, a 32-bit word.
    pub const LOAD: u16 = 0x20;
    /// `A &= k`
    pub const AND: u16 = 0x54;
    /// Jump by `k`.
    pub const JUMP: u16 = 0x05;
    /// Jump if `A == k`.
    pub const EQUAL: u16 = 0x15;
    /// Jump if `A > k`.
    pub const GREATER: u16 = 0x25;
    /// Jump if `A >= k`.
    pub const AT_LEAST: u16 = 0x35;
    /// Jump if `A & k != 0`.
    pub const ANY_BIT: u16 = 0x45;
    /// Answer `k`.
    pub const RETURN: u16 = 0x06;
}

/// One instruction (`struct sock_filter` in `linux/filter.h`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Instruction {
    /// What it does; one of [`op`].
    pub code: u16,
    /// How many instructions are skipped when the condition holds.
    pub jt: u8,
    /// How many are skipped when it does not.
    pub jf: u8,
    /// The operand.
    pub k: u32,
}

impl Instruction {
    /// An instruction that does not branch.
    #[must_use]
    pub fn plain(code: u16, k: u32) -> Self {
        Self { code, jt: 0, jf: 0, k }
    }

    /// Whether it is one of the conditional jumps.
    #[must_use]
    pub fn branches(self) -> bool {
        matches!(self.code, op::EQUAL | op::GREATER | op::AT_LEAST | op::ANY_BIT)
    }
}

/// The offset of `nr` in `struct seccomp_data` (`linux/seccomp.h`).
pub const NUMBER: u32 = 0;
/// The offset of `arch`.
pub const ARCHITECTURE: u32 = 4;

/// The offset of a word of `args`, whose halves lie in the machine's byte order.
#[must_use]
pub fn offset(word: Word, big_endian: bool) -> u32 {
    let high_first = word.half == Half::High;
    16 + 8 * u32::from(word.register) + if high_first == big_endian { 0 } else { 4 }
}

/// The bytes that `seccomp(2)` takes, in the byte order of the architecture's kernels.
#[must_use]
pub fn bytes(program: &[Instruction], arch: Arch) -> Vec<u8> {
    let mut out = Vec::with_capacity(program.len() * 8);
    for instruction in program {
        let (code, k) = (instruction.code, instruction.k);
        let (code, k) = if arch.is_big_endian() {
            (code.to_be_bytes(), k.to_be_bytes())
        } else {
            (code.to_le_bytes(), k.to_le_bytes())
        };
        out.extend(code);
        out.extend([instruction.jt, instruction.jf]);
        out.extend(k);
    }
    out
}

/// The instructions in these bytes; `None` when they are no whole number of instructions.
#[must_use]
pub fn instructions(bytes: &[u8], arch: Arch) -> Option<Vec<Instruction>> {
    let (whole, rest) = bytes.as_chunks::<8>();
    let read = |[c0, c1, jt, jf, k0, k1, k2, k3]: [u8; 8]| {
        let (code, k) = ([c0, c1], [k0, k1, k2, k3]);
        let (code, k) = if arch.is_big_endian() {
            (u16::from_be_bytes(code), u32::from_be_bytes(k))
        } else {
            (u16::from_le_bytes(code), u32::from_le_bytes(k))
        };
        Instruction { code, jt, jf, k }
    };
    rest.is_empty().then(|| whole.iter().map(|chunk| read(*chunk)).collect())
}

/// `SECCOMP_RET_*` of `linux/seccomp.h`.
const KILL_PROCESS: u32 = 0x8000_0000;
const KILL_THREAD: u32 = 0;
const TRAP: u32 = 0x0003_0000;
const ERRNO: u32 = 0x0005_0000;
const USER_NOTIF: u32 = 0x7fc0_0000;
const TRACE: u32 = 0x7ff0_0000;
const LOG: u32 = 0x7ffc_0000;
const ALLOW: u32 = 0x7fff_0000;

/// The value that a filter returns for an action.
#[must_use]
pub fn return_value(action: Action) -> u32 {
    match action {
        Action::Kill => KILL_PROCESS,
        Action::KillThread => KILL_THREAD,
        Action::Trap => TRAP,
        Action::Errno(number) => ERRNO | u32::from(number),
        Action::Notify => USER_NOTIF,
        Action::Trace => TRACE,
        Action::Log => LOG,
        Action::Allow => ALLOW,
    }
}

/// The action that the kernel takes for a returned value; an unknown one kills the process, as it does there.
#[must_use]
pub fn action(value: u32) -> Action {
    let data = u16::try_from(value & 0xffff).unwrap_or(0);
    match value & 0xffff_0000 {
        KILL_THREAD => Action::KillThread,
        TRAP => Action::Trap,
        ERRNO => Action::Errno(data),
        USER_NOTIF => Action::Notify,
        TRACE => Action::Trace,
        LOG => Action::Log,
        ALLOW => Action::Allow,
        _ => Action::Kill,
    }
}

/// Where an action stands in the kernel's order: a lower rank wins over a higher one.
#[must_use]
pub fn rank(action: Action) -> u32 {
    match action {
        Action::Kill => 0,
        Action::KillThread => 1,
        Action::Trap => 2,
        Action::Errno(_) => 3,
        Action::Notify => 4,
        Action::Trace => 5,
        Action::Log => 6,
        Action::Allow => 7,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACTIONS: [Action; 8] = [
        Action::Kill,
        Action::KillThread,
        Action::Trap,
        Action::Errno(38),
        Action::Notify,
        Action::Trace,
        Action::Log,
        Action::Allow,
    ];

    #[test]
    fn actions_survive_the_round_trip_in_the_kernels_order() {
        // The kernel compares the values as signed numbers (`ACTION_ONLY` in kernel/seccomp.c).
        let values = ACTIONS.map(|a| return_value(a).cast_signed());
        assert!(values.is_sorted());
        for action_ in ACTIONS {
            assert_eq!(action(return_value(action_)), action_);
        }
        assert!(ACTIONS.map(rank).is_sorted());
        assert_eq!(action(0x7fd0_0000), Action::Kill);
    }

    #[test]
    fn bytes_follow_the_machines_order() {
        let program = [Instruction { code: op::EQUAL, jt: 1, jf: 2, k: 0x0102_0304 }];
        assert_eq!(bytes(&program, Arch::X86_64), [0x15, 0, 1, 2, 4, 3, 2, 1]);
        assert_eq!(bytes(&program, Arch::S390x), [0, 0x15, 1, 2, 1, 2, 3, 4]);
        for arch in [Arch::Aarch64, Arch::S390x] {
            assert_eq!(instructions(&bytes(&program, arch), arch).as_deref(), Some(&program[..]));
        }
        assert_eq!(instructions(&[0; 9], Arch::X86_64), None);
        let word = Word { register: 1, half: Half::Low };
        assert_eq!((offset(word, false), offset(word, true)), (24, 28));
    }
}
