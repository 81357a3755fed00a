//! The head of an ELF file to what decides whether it runs anywhere by itself: its machine, the interpreter that it asks for, and the
//! libraries that it names.
//! elf(5) has the numbers; canc's architectures are all little-endian with 64-bit words.

/// What a program's head says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Elf {
    /// The architecture as the manifest names it; `None` for one that canc does not know.
    pub arch: Option<&'static str>,
    /// The dynamic linker that has to be there; `None` for a static program.
    pub interpreter: Option<String>,
}

/// `EM_…`.
const MACHINES: [(u16, &str); 3] = [(62, "x86_64"), (183, "aarch64"), (243, "riscv64")];
/// `ET_EXEC` and `ET_DYN`, the second for programs that can be loaded anywhere.
const PROGRAMS: [u16; 2] = [2, 3];
/// `PT_INTERP`.
const INTERPRETER: u32 = 3;
/// `ELFMAG`, `ELFCLASS64`, `ELFDATA2LSB`.
const START: [u8; 6] = [0x7f, b'E', b'L', b'F', 2, 1];

impl Elf {
    /// Reads it. `None` where the bytes are no such program, or damaged.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let head = bytes.strip_prefix(&START).map(|_| bytes)?;
        if !PROGRAMS.contains(&half(head, 16)?) {
            return None;
        }
        let machine = half(head, 18)?;
        let (table, size, count) = (long(head, 32)?, half(head, 54)?, half(head, 56)?);
        let mut interpreter = None;
        for n in 0..count {
            let at = table.checked_add(usize::from(n).checked_mul(usize::from(size))?)?;
            if word(bytes, at)? == INTERPRETER {
                let (from, length) = (long(bytes, at.checked_add(8)?)?, long(bytes, at.checked_add(32)?)?);
                let name = bytes.get(from..from.checked_add(length)?)?;
                interpreter = Some(String::from_utf8_lossy(name).trim_end_matches('\0').to_owned());
            }
        }
        let arch = MACHINES.iter().find(|(number, _)| *number == machine).map(|(_, word)| *word);
        Some(Self { arch, interpreter })
    }
}

/// `PT_LOAD`.
const LOADED: u32 = 1;
/// `PT_DYNAMIC`.
const DYNAMIC: u32 = 2;
/// `DT_NEEDED`.
const NEEDED: usize = 1;
/// `DT_STRTAB`.
const NAMES: usize = 5;

/// The libraries that a program names, in its order; none where it is static or damaged.
#[must_use]
pub fn needs(bytes: &[u8]) -> Vec<String> {
    needed(bytes).unwrap_or_default()
}

/// A program header: kind, place in the file, address, length in the file.
fn headers(bytes: &[u8]) -> Option<Vec<(u32, usize, usize, usize)>> {
    let (table, size, count) = (long(bytes, 32)?, half(bytes, 54)?, half(bytes, 56)?);
    let one = |n: u16| {
        let at = table.checked_add(usize::from(n).checked_mul(usize::from(size))?)?;
        let field = |by: usize| long(bytes, at.checked_add(by)?);
        Some((word(bytes, at)?, field(8)?, field(16)?, field(32)?))
    };
    (0..count).map(one).collect()
}

fn needed(bytes: &[u8]) -> Option<Vec<String>> {
    let headers = headers(bytes)?;
    let (_, from, _, length) = headers.iter().find(|h| h.0 == DYNAMIC).copied()?;
    let entries = bytes.get(from..from.checked_add(length)?)?.chunks_exact(16);
    let entries: Vec<(usize, usize)> = entries.filter_map(|e| Some((long(e, 0)?, long(e, 8)?))).collect();
    let address = entries.iter().find(|e| e.0 == NAMES)?.1;
    // The address is where it is loaded; the segment around it says where it is in the file.
    let segment = headers.iter().find(|h| h.0 == LOADED && h.2 <= address && address - h.2 < h.3)?;
    let names = segment.1.checked_add(address - segment.2)?;
    let name = |at: usize| {
        let text = bytes.get(names.checked_add(at)?..)?;
        let end = text.iter().position(|b| *b == 0)?;
        Some(String::from_utf8_lossy(text.get(..end)?).into_owned())
    };
    Some(
        entries.iter().take_while(|e| e.0 != 0).filter(|e| e.0 == NEEDED).filter_map(|e| name(e.1)).collect(),
    )
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn long(bytes: &[u8], at: usize) -> Option<usize> {
    usize::try_from(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_tests_own_program_asks_for_an_interpreter() {
        let bytes = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let elf = Elf::of(&bytes).unwrap();
        assert_eq!(elf.arch, Some(std::env::consts::ARCH));
        assert!(elf.interpreter.is_some_and(|name| name.contains("/ld")), "tests are linked dynamically");
        assert!(needs(&bytes).iter().any(|l| l.starts_with("libc.")), "{:?}", needs(&bytes));
        for length in 0..2000 {
            drop(needs(&bytes[..length]));
        }
        // Cut anywhere before the table's end it is none, and nothing panics.
        for length in 0..200 {
            assert!(Elf::of(&bytes[..length]).is_none(), "{length}");
        }
    }

    #[test]
    fn what_is_no_program_is_none() {
        assert_eq!(Elf::of(b"#!/bin/sh\n"), None);
        let mut huge = [0xff; 64];
        huge[..6].copy_from_slice(&START);
        huge[16..18].copy_from_slice(&2_u16.to_le_bytes());
        assert_eq!(Elf::of(&huge), None, "offsets beyond the file");
        huge[56..58].copy_from_slice(&0_u16.to_le_bytes());
        assert_eq!(Elf::of(&huge), Some(Elf { arch: None, interpreter: None }));
    }
}
