//! The bytes of a filter to what it does with each system call, read from the bytes alone: every way through the program with the
//! conditions on arguments along it. It shares no code with the compiler but the names of instructions.

use canc_codegen::seccomp::encode::{Instruction, op};
use canc_codegen::seccomp::sim::{Data, Place, answer};
use canc_sets::syscalls::Arch;

/// A program.
pub struct Program {
    instructions: Vec<Instruction>,
    big_endian: bool,
}

/// A word of the arguments that a condition is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Word {
    /// Which register.
    pub register: u8,
    /// Bits 32 to 63 of it.
    pub high: bool,
    /// The bits that are looked at.
    pub mask: u32,
}

/// A condition that holds on the way to an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fact {
    /// What is compared.
    pub word: Word,
    /// How.
    pub relation: &'static str,
    /// With what.
    pub value: u32,
}

/// One way through a program.
pub type Way = (Vec<Fact>, u32);

#[derive(Clone, Copy)]
enum Accumulator {
    Known(u32),
    Argument(Word),
}

impl Program {
    /// Reads a program as the kernel takes it.
    pub fn read(bytes: &[u8], arch: Arch) -> Self {
        let big_endian = arch.is_big_endian();
        let half = |b: &[u8]| {
            let b = [b[0], b[1]];
            if big_endian { u16::from_be_bytes(b) } else { u16::from_le_bytes(b) }
        };
        let word = |b: &[u8]| {
            let b = [b[0], b[1], b[2], b[3]];
            if big_endian { u32::from_be_bytes(b) } else { u32::from_le_bytes(b) }
        };
        assert_eq!(bytes.len() % 8, 0);
        let one = |c: &[u8]| Instruction { code: half(c), jt: c[2], jf: c[3], k: word(&c[4..]) };
        Self { instructions: bytes.chunks_exact(8).map(one).collect(), big_endian }
    }

    /// Every way that a call can take.
    pub fn ways(&self, arch: Arch, call: u32) -> Vec<Way> {
        let mut out = Vec::new();
        let mut open = vec![(0, Accumulator::Known(0), Vec::new())];
        while let Some((at, accumulator, facts)) = open.pop() {
            self.step(at, accumulator, facts, (arch.audit_value(), call), &mut open, &mut out);
        }
        out
    }

    fn step(
        &self,
        at: usize,
        accumulator: Accumulator,
        mut facts: Vec<Fact>,
        (arch, call): (u32, u32),
        open: &mut Vec<(usize, Accumulator, Vec<Fact>)>,
        out: &mut Vec<Way>,
    ) {
        let instruction = self.instructions[at];
        let (k, next) = (instruction.k, at + 1);
        match instruction.code {
            op::RETURN => out.push((facts, k)),
            op::JUMP => open.push((next + k as usize, accumulator, facts)),
            op::LOAD => {
                let loaded = match Place::at(k, self.big_endian).expect("a word of the data") {
                    Place::Number => Accumulator::Known(call),
                    Place::Architecture => Accumulator::Known(arch),
                    Place::Argument { register, high } => {
                        Accumulator::Argument(Word { register, high, mask: u32::MAX })
                    }
                    Place::Other => panic!("no filter reads the instruction pointer"),
                };
                open.push((next, loaded, facts));
            }
            op::AND => {
                let masked = match accumulator {
                    Accumulator::Known(value) => Accumulator::Known(value & k),
                    Accumulator::Argument(word) => {
                        Accumulator::Argument(Word { mask: word.mask & k, ..word })
                    }
                };
                open.push((next, masked, facts));
            }
            code => {
                let (yes, no) = (next + usize::from(instruction.jt), next + usize::from(instruction.jf));
                match accumulator {
                    Accumulator::Known(value) => {
                        open.push((if holds(code, value, k) { yes } else { no }, accumulator, facts));
                    }
                    Accumulator::Argument(word) => {
                        let (then, otherwise) = relations(code);
                        let mut other = facts.clone();
                        other.push(Fact { word, relation: otherwise, value: k });
                        facts.push(Fact { word, relation: then, value: k });
                        open.push((no, accumulator, other));
                        open.push((yes, accumulator, facts));
                    }
                }
            }
        }
    }

    /// The answer to one call with these registers.
    pub fn answer(&self, arch: Arch, call: u32, args: [u64; 6]) -> u32 {
        let data = Data { arch: arch.audit_value(), nr: call, args };
        answer(&self.instructions, &data, self.big_endian).expect("a program that the kernel takes")
    }
}

fn holds(code: u16, value: u32, k: u32) -> bool {
    match code {
        op::EQUAL => value == k,
        op::GREATER => value > k,
        op::AT_LEAST => value >= k,
        op::ANY_BIT => value & k != 0,
        other => panic!("instruction {other:#x}"),
    }
}

fn relations(code: u16) -> (&'static str, &'static str) {
    match code {
        op::EQUAL => ("==", "!="),
        op::GREATER => (">", "<="),
        op::AT_LEAST => (">=", "<"),
        op::ANY_BIT => ("has", "lacks"),
        other => panic!("instruction {other:#x}"),
    }
}

/// Whether the facts can hold together, as far as equalities tell.
pub fn possible(facts: &[Fact]) -> bool {
    let pinned = |fact: &Fact| {
        facts
            .iter()
            .filter(|f| {
                f.relation == "==" && (f.word.register, f.word.high) == (fact.word.register, fact.word.high)
            })
            .find(|f| f.word.mask & fact.word.mask == fact.word.mask)
            .map(|f| f.value & fact.word.mask)
    };
    facts.iter().all(|fact| {
        pinned(fact).is_none_or(|value| match fact.relation {
            "==" => value == fact.value,
            "!=" => value != fact.value,
            ">" => value > fact.value,
            "<=" => value <= fact.value,
            ">=" => value >= fact.value,
            "<" => value < fact.value,
            "has" => value & fact.value != 0,
            _ => value & fact.value == 0,
        })
    })
}

/// The word of an answer.
pub fn word(answer: u32) -> String {
    let data = answer & 0xffff;
    match answer & 0xffff_0000 {
        0x8000_0000 => "kill".into(),
        0x0000_0000 => "kill_thread".into(),
        0x0003_0000 => "trap".into(),
        0x0005_0000 => {
            let number = u16::try_from(data).expect("16 bits");
            canc_dsl::tables::errno_name(number).map_or_else(|| format!("errno({number})"), str::to_owned)
        }
        0x7fc0_0000 => "notify".into(),
        0x7ff0_0000 => "trace".into(),
        0x7ffc_0000 => "log".into(),
        0x7fff_0000 => "allow".into(),
        other => panic!("answer {other:#x}"),
    }
}

#[test]
fn ways_are_what_the_interpreter_runs() {
    let instruction = |code, jt, jf, k| Instruction { code, jt, jf, k };
    let program = Program {
        instructions: vec![
            instruction(op::LOAD, 0, 0, 0),
            instruction(op::EQUAL, 0, 4, 7),
            instruction(op::LOAD, 0, 0, 16),
            instruction(op::AND, 0, 0, 0xf),
            instruction(op::AT_LEAST, 0, 1, 3),
            instruction(op::RETURN, 0, 0, 0x7fff_0000),
            instruction(op::RETURN, 0, 0, 0x0005_0001),
        ],
        big_endian: false,
    };
    let fact = |relation| Fact { word: Word { register: 0, high: false, mask: 0xf }, relation, value: 3 };
    let ways = program.ways(Arch::X86_64, 7);
    assert_eq!(ways, [(vec![fact(">=")], 0x7fff_0000), (vec![fact("<")], 0x0005_0001)]);
    assert_eq!(program.ways(Arch::X86_64, 8), [(vec![], 0x0005_0001)]);
    assert_eq!(program.answer(Arch::X86_64, 7, [0x13, 0, 0, 0, 0, 0]), 0x7fff_0000);
    assert_eq!(program.answer(Arch::X86_64, 7, [0x12, 0, 0, 0, 0, 0]), 0x0005_0001);
    assert_eq!((word(0x7fff_0000), word(0x0005_0001)), ("allow".into(), "EPERM".into()));
}
