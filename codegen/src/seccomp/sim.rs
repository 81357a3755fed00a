//! A program and the data of a system call to the program's answer: the kernel's interpreter of classic BPF, as seccomp uses it.

use super::encode::{ARCHITECTURE, Instruction, NUMBER, op};

/// What a filter sees of a system call (`struct seccomp_data`); the instruction pointer is left out, since no filter here reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Data {
    /// `AUDIT_ARCH_*`
    pub arch: u32,
    /// The number.
    pub nr: u32,
    /// The registers.
    pub args: [u64; 6],
}

/// What a word of the data is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// The number of the call.
    Number,
    /// The architecture.
    Architecture,
    /// Half of a register.
    Argument {
        /// Which, from 0.
        register: u8,
        /// Bits 32 to 63.
        high: bool,
    },
    /// The instruction pointer, which filters here never read.
    Other,
}

/// The names of registers in listings, as numbered arguments are named in policies.
pub const ARGUMENT_NAMES: [&str; 6] = ["arg0", "arg1", "arg2", "arg3", "arg4", "arg5"];

impl Place {
    /// The word at an offset; `None` where there is none.
    #[must_use]
    pub fn at(offset: u32, big_endian: bool) -> Option<Self> {
        match offset {
            NUMBER => Some(Self::Number),
            ARCHITECTURE => Some(Self::Architecture),
            8 | 12 => Some(Self::Other),
            16..64 if offset.is_multiple_of(4) => {
                let register = u8::try_from((offset - 16) / 8).ok()?;
                Some(Self::Argument { register, high: (offset % 8 == 4) != big_endian })
            }
            _ => None,
        }
    }
}

impl Data {
    /// The word at an offset; `None` where the kernel would refuse the program.
    fn word(&self, offset: u32, big_endian: bool) -> Option<u32> {
        match Place::at(offset, big_endian)? {
            Place::Number => Some(self.nr),
            Place::Architecture => Some(self.arch),
            Place::Other => Some(0),
            Place::Argument { register, high } => {
                let value = self.args.get(usize::from(register))? >> if high { 32 } else { 0 };
                u32::try_from(value & 0xffff_ffff).ok()
            }
        }
    }
}

/// One step of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Which instruction.
    pub at: usize,
    /// The accumulator before it.
    pub accumulator: u32,
}

/// The value that a program returns; `None` where it leaves the program or does what filters never do, which the kernel's checker
/// refuses beforehand. `trace` sees every step.
pub fn run(
    program: &[Instruction],
    data: &Data,
    big_endian: bool,
    mut trace: impl FnMut(Step),
) -> Option<u32> {
    let (mut at, mut accumulator) = (0usize, 0u32);
    loop {
        let instruction = program.get(at)?;
        trace(Step { at, accumulator });
        at += 1;
        let k = instruction.k;
        let holds = match instruction.code {
            op::LOAD => {
                accumulator = data.word(k, big_endian)?;
                continue;
            }
            op::AND => {
                accumulator &= k;
                continue;
            }
            op::JUMP => {
                at = at.checked_add(usize::try_from(k).ok()?)?;
                continue;
            }
            op::RETURN => return Some(k),
            op::EQUAL => accumulator == k,
            op::GREATER => accumulator > k,
            op::AT_LEAST => accumulator >= k,
            op::ANY_BIT => accumulator & k != 0,
            _ => return None,
        };
        at += usize::from(if holds { instruction.jt } else { instruction.jf });
    }
}

/// The value that a program returns.
#[must_use]
pub fn answer(program: &[Instruction], data: &Data, big_endian: bool) -> Option<u32> {
    run(program, data, big_endian, |_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn i(code: u16, jt: u8, jf: u8, k: u32) -> Instruction {
        Instruction { code, jt, jf, k }
    }

    #[test]
    fn every_instruction_does_what_the_kernel_documents() {
        let program = [
            i(op::LOAD, 0, 0, NUMBER),
            i(op::EQUAL, 0, 1, 7),
            i(op::RETURN, 0, 0, 70),
            i(op::GREATER, 0, 1, 100),
            i(op::RETURN, 0, 0, 71),
            i(op::AT_LEAST, 0, 1, 100),
            i(op::RETURN, 0, 0, 72),
            i(op::ANY_BIT, 0, 1, 0x30),
            i(op::RETURN, 0, 0, 73),
            i(op::AND, 0, 0, 1),
            i(op::EQUAL, 1, 0, 1),
            i(op::JUMP, 0, 0, 1),
            i(op::RETURN, 0, 0, 74),
            i(op::RETURN, 0, 0, 75),
        ];
        let ask = |nr| answer(&program, &Data { nr, ..Data::default() }, false);
        let answers = [7, 101, 100, 0x20, 5, 4].map(ask);
        assert_eq!(answers, [70, 71, 72, 73, 74, 75].map(Some));
        assert_eq!(answer(&[i(op::JUMP, 0, 0, 5)], &Data::default(), false), None);
        assert_eq!(answer(&[i(0x80, 0, 0, 0)], &Data::default(), false), None);
    }

    #[test]
    fn words_of_arguments_lie_in_the_machines_order() {
        let data = Data { arch: 9, nr: 1, args: [0, 0x1111_2222_3333_4444, 0, 0, 0, 0xa] };
        let load = |k, big| {
            answer(&[i(op::LOAD, 0, 0, k), i(op::AT_LEAST, 0, 1, 0), i(op::RETURN, 0, 0, 0)], &data, big)
        };
        assert_eq!(data.word(24, false), Some(0x3333_4444));
        assert_eq!(data.word(28, false), Some(0x1111_2222));
        assert_eq!(data.word(24, true), Some(0x1111_2222));
        assert_eq!(data.word(56, false), Some(0xa));
        assert_eq!((load(22, false), load(64, false), load(60, false)), (None, None, Some(0)));
    }
}
