//! The kernel's two checks of a seccomp program before it loads one, rewritten from their rules: `bpf_check_classic` of
//! `net/core/filter.c` and `seccomp_check_filter` of `kernel/seccomp.c`.

use super::encode::{Instruction, MOST_INSTRUCTIONS};
use thiserror::Error;

/// Why the kernel would answer EINVAL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Refusal {
    /// No instruction, or too many.
    #[error("a program has 1 to {MOST_INSTRUCTIONS} instructions, not {0}")]
    Length(usize),
    /// Not an instruction that filters may use.
    #[error("instruction {at} has the operation {code:#x}, which filters may not use")]
    Operation {
        /// Where.
        at: usize,
        /// Which.
        code: u16,
    },
    /// A load that is not a word of `struct seccomp_data`.
    #[error("instruction {at} loads from offset {offset}, which is no word of the data")]
    Load {
        /// Where.
        at: usize,
        /// From where.
        offset: u32,
    },
    /// A jump past the end.
    #[error("instruction {at} jumps out of the program")]
    Jump {
        /// Where.
        at: usize,
    },
    /// A division by zero, a shift by 32 or more, a memory word above 15.
    #[error("instruction {at} has the operand {k}, which is out of range")]
    Operand {
        /// Where.
        at: usize,
        /// The operand.
        k: u32,
    },
    /// A memory word is read on a path on which nothing was stored in it.
    #[error("instruction {at} reads memory that nothing was stored in")]
    Memory {
        /// Where.
        at: usize,
    },
    /// The last instruction is no return.
    #[error("the program does not end in a return")]
    End,
}

/// Bytes of `struct seccomp_data`.
const DATA_SIZE: u32 = 64;
/// `BPF_MEMWORDS`
const MEMORY_WORDS: u32 = 16;

/// The operations, spelled as `linux/bpf_common.h` composes them: class, size and mode, or operation and source.
mod class {
    pub const LD_W_ABS: u16 = 0x20;
    pub const LD_W_LEN: u16 = 0x80;
    pub const LDX_W_LEN: u16 = 0x81;
    pub const LD_IMM: u16 = 0x00;
    pub const LDX_IMM: u16 = 0x01;
    pub const LD_MEM: u16 = 0x60;
    pub const LDX_MEM: u16 = 0x61;
    pub const ST: u16 = 0x02;
    pub const STX: u16 = 0x03;
    pub const TAX: u16 = 0x07;
    pub const TXA: u16 = 0x87;
    pub const RET_K: u16 = 0x06;
    pub const RET_A: u16 = 0x16;
    pub const NEG: u16 = 0x84;
    pub const JA: u16 = 0x05;
    pub const ALU: u16 = 0x04;
    pub const JMP: u16 = 0x05;
    /// The source is X instead of K.
    pub const X: u16 = 0x08;
    pub const DIV: u16 = 0x30;
    pub const LSH: u16 = 0x60;
    pub const RSH: u16 = 0x70;
}

/// What an operation is checked for.
enum Kind {
    Load,
    Store,
    Memory,
    Always,
    Jump,
    Branch,
    Return,
    NonZero,
    Shift,
}

fn kind(code: u16) -> Option<Kind> {
    use class::{ALU, DIV, JMP, LSH, RSH, X};
    Some(match code {
        class::LD_W_ABS => Kind::Load,
        class::LD_W_LEN
        | class::LDX_W_LEN
        | class::LD_IMM
        | class::LDX_IMM
        | class::TAX
        | class::TXA
        | class::NEG => Kind::Always,
        class::LD_MEM | class::LDX_MEM => Kind::Memory,
        class::ST | class::STX => Kind::Store,
        class::RET_K | class::RET_A => Kind::Return,
        class::JA => Kind::Jump,
        // JEQ, JGT, JGE, JSET against K or X
        code if code & 0x07 == JMP && matches!(code & !(JMP | X), 0x10 | 0x20 | 0x30 | 0x40) => Kind::Branch,
        code if code == ALU | DIV => Kind::NonZero,
        code if code == ALU | LSH || code == ALU | RSH => Kind::Shift,
        // ADD, SUB, MUL, DIV, OR, AND, LSH, RSH, XOR; no MOD, which packet filters have
        code if code & 0x07 == ALU
            && matches!(code & !(ALU | X), 0x00 | 0x10 | 0x20 | 0x30 | 0x40 | 0x50 | 0x60 | 0x70 | 0xa0) =>
        {
            Kind::Always
        }
        _ => return None,
    })
}

/// Whether the kernel accepts a program.
///
/// # Errors
/// The first reason why it does not.
pub fn check(program: &[Instruction]) -> Result<(), Refusal> {
    let length = program.len();
    if length == 0 || length > MOST_INSTRUCTIONS {
        return Err(Refusal::Length(length));
    }
    for (at, instruction) in program.iter().enumerate() {
        one(at, instruction, length)?;
    }
    if !program.last().is_some_and(|i| matches!(i.code, class::RET_K | class::RET_A)) {
        return Err(Refusal::End);
    }
    memory(program)
}

fn one(at: usize, instruction: &Instruction, length: usize) -> Result<(), Refusal> {
    let Instruction { code, jt, jf, k } = *instruction;
    let within = |distance: usize| at.checked_add(distance).is_some_and(|to| to + 1 < length);
    let wrong = match kind(code).ok_or(Refusal::Operation { at, code })? {
        Kind::Load => (k >= DATA_SIZE || !k.is_multiple_of(4)).then_some(Refusal::Load { at, offset: k }),
        Kind::Memory | Kind::Store => (k >= MEMORY_WORDS).then_some(Refusal::Operand { at, k }),
        Kind::NonZero => (k == 0).then_some(Refusal::Operand { at, k }),
        Kind::Shift => (k >= 32).then_some(Refusal::Operand { at, k }),
        Kind::Jump => (!usize::try_from(k).is_ok_and(within)).then_some(Refusal::Jump { at }),
        Kind::Branch => {
            (!within(usize::from(jt)) || !within(usize::from(jf))).then_some(Refusal::Jump { at })
        }
        Kind::Always | Kind::Return => None,
    };
    wrong.map_or(Ok(()), Err)
}

/// Whether every memory word is stored on every path before it is read.
fn memory(program: &[Instruction]) -> Result<(), Refusal> {
    // Bit N of an entry: word N holds something whichever way one came here.
    let mut reached = vec![u16::MAX; program.len() + 1];
    let mut stored = 0u16;
    for (at, instruction) in program.iter().enumerate() {
        stored &= reached.get(at).copied().unwrap_or(u16::MAX);
        let bit = 1u16.checked_shl(instruction.k).unwrap_or(0);
        let mut meet = |distance: usize, stored: u16| {
            if let Some(entry) = reached.get_mut(at + distance + 1) {
                *entry &= stored;
            }
        };
        match kind(instruction.code) {
            Some(Kind::Store) => stored |= bit,
            Some(Kind::Memory) if stored & bit == 0 => return Err(Refusal::Memory { at }),
            Some(Kind::Jump) => {
                meet(usize::try_from(instruction.k).unwrap_or(0), stored);
                stored = u16::MAX;
            }
            Some(Kind::Branch) => {
                meet(usize::from(instruction.jt), stored);
                meet(usize::from(instruction.jf), stored);
                stored = u16::MAX;
            }
            _ => (),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seccomp::encode::op;

    fn i(code: u16, k: u32) -> Instruction {
        Instruction::plain(code, k)
    }

    const RET: Instruction = Instruction { code: op::RETURN, jt: 0, jf: 0, k: 0 };

    #[test]
    fn what_the_kernel_refuses_is_refused() {
        let jump = Instruction { code: op::EQUAL, jt: 0, jf: 1, k: 0 };
        for (program, refusal) in [
            (vec![], Refusal::Length(0)),
            (vec![RET; 4_097], Refusal::Length(4_097)),
            (vec![i(op::LOAD, 0)], Refusal::End),
            (vec![i(op::LOAD, 2), RET], Refusal::Load { at: 0, offset: 2 }),
            (vec![i(op::LOAD, 64), RET], Refusal::Load { at: 0, offset: 64 }),
            (vec![jump, RET], Refusal::Jump { at: 0 }),
            (vec![i(op::JUMP, 1), RET], Refusal::Jump { at: 0 }),
            (vec![i(op::JUMP, u32::MAX), RET], Refusal::Jump { at: 0 }),
            (vec![i(0x94, 3), RET], Refusal::Operation { at: 0, code: 0x94 }),
            (vec![i(0x28, 0), RET], Refusal::Operation { at: 0, code: 0x28 }),
            (vec![i(0x34, 0), RET], Refusal::Operand { at: 0, k: 0 }),
            (vec![i(0x64, 32), RET], Refusal::Operand { at: 0, k: 32 }),
            (vec![i(0x60, 3), RET], Refusal::Memory { at: 0 }),
            (vec![i(0x02, 16), RET], Refusal::Operand { at: 0, k: 16 }),
        ] {
            assert_eq!(check(&program), Err(refusal));
        }
    }

    #[test]
    fn what_the_kernel_accepts_is_accepted() {
        let jump = Instruction { code: op::EQUAL, jt: 0, jf: 1, k: 0 };
        for program in [
            vec![RET],
            vec![RET; 4_096],
            vec![i(op::LOAD, 60), i(op::AND, 0), jump, RET, RET],
            vec![i(op::JUMP, 0), RET],
            vec![i(0x02, 3), i(0x60, 3), i(0x16, 0)],
            vec![i(0x07, 0), i(0x87, 0), i(0x0c, 0), i(0x84, 0), i(0x80, 0), RET],
        ] {
            assert_eq!(check(&program), Ok(()));
        }
        // A word that only one of two ways has stored.
        let one_way = vec![Instruction { code: op::EQUAL, jt: 0, jf: 1, k: 0 }, i(0x02, 3), i(0x60, 3), RET];
        assert_eq!(check(&one_way), Err(Refusal::Memory { at: 2 }));
    }
}
