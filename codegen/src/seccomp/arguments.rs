//! Arguments of a call, by name or in their order, to the registers in which an architecture passes them.

use super::condition::{REGISTERS, register};
use canc_sets::syscalls::{Arch, Arg, ArgKind, args, args_on};
use std::fmt;

/// Why a value is no argument of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Misplaced {
    /// The call takes fewer arguments.
    TooMany {
        /// How many were given.
        given: usize,
        /// How many it takes.
        takes: usize,
    },
    /// The call has no argument of this name.
    NoSuchName(String),
    /// The kernel takes fewer bits of it.
    TooWide {
        /// The argument.
        name: String,
        /// The value.
        value: u64,
        /// The bits.
        bits: u32,
    },
    /// It was given twice.
    Twice(String),
}

/// A value, and which argument it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// The name of an argument, or `arg0` to `arg5` for a whole register; `None` for the next one in the order of the call.
    pub name: Option<String>,
    /// The value; negative ones in two's complement.
    pub value: u64,
}

/// The registers of a call with these arguments; those that are not given are 0. `call` may be `None` for a number that no call has:
/// then every register is an argument.
///
/// # Errors
/// The first value that is no argument of the call.
pub fn registers(arch: Arch, call: Option<&str>, given: &[Given]) -> Result<[u64; 6], Misplaced> {
    let (usual, own) = call.map_or((&[][..], &[][..]), |c| (args(c), args_on(arch, c)));
    let mut out = [0u64; 6];
    let mut seen: Vec<usize> = Vec::new();
    let mut next = 0;
    for one in given {
        let whole = one.name.as_deref().and_then(numbered);
        let position = match (&one.name, whole) {
            (_, Some(register)) => Err(register),
            (None, None) => {
                next += 1;
                in_order(usual, own, call.is_some(), next - 1, given)?
            }
            (Some(name), None) => match own.iter().position(|a| a.name == name) {
                Some(position) => Ok(position),
                None => return Err(Misplaced::NoSuchName(name.clone())),
            },
        };
        let first = match position {
            Ok(position) => usize::from(register(arch, own, position)),
            Err(register) => register,
        };
        let pair = position.is_ok_and(|p| own.get(p).is_some_and(|a| a.pair) && !arch.is_64_bit());
        for (at, half) in (first..).take(1 + usize::from(pair)).enumerate() {
            if seen.contains(&half) {
                return Err(Misplaced::Twice(title(own, position)));
            }
            seen.push(half);
            let value = match position.ok().and_then(|p| own.get(p)) {
                _ if pair => one.value >> (32 * at) & 0xffff_ffff,
                Some(arg) => cut(arch, arg, one.value)?,
                None => cut_to(&title(own, position), one.value, if arch.is_64_bit() { 64 } else { 32 })?,
            };
            if let Some(slot) = out.get_mut(half) {
                *slot = value;
            }
        }
    }
    Ok(out)
}

/// The register in which an argument starts, by its place among an architecture's own.
#[must_use]
pub fn register_of(arch: Arch, own: &[Arg], position: usize) -> u8 {
    register(arch, own, position)
}

/// The place of the next argument without a name. Policies count arguments as x86_64 has them, and so does everyone who calls; an
/// architecture that has them in another order finds them by name.
fn in_order(
    usual: &[Arg],
    own: &[Arg],
    known: bool,
    index: usize,
    given: &[Given],
) -> Result<Result<usize, usize>, Misplaced> {
    let takes = if known { usual.len() } else { usize::from(REGISTERS) };
    if index >= takes {
        let given = given.iter().filter(|g| g.name.is_none()).count();
        return Err(Misplaced::TooMany { given, takes });
    }
    let named = usual.get(index).and_then(|u| own.iter().position(|o| o.name == u.name));
    Ok(if known { Ok(named.unwrap_or(index)) } else { Err(index) })
}

/// The register that `argN` names.
fn numbered(name: &str) -> Option<usize> {
    super::sim::ARGUMENT_NAMES.iter().position(|n| *n == name)
}

fn title(own: &[Arg], position: Result<usize, usize>) -> String {
    match position {
        Ok(position) => own.get(position).map_or("", |a| a.name).to_owned(),
        Err(register) => format!("arg{register}"),
    }
}

/// The value in the bits that the kernel looks at.
fn cut(arch: Arch, arg: &Arg, value: u64) -> Result<u64, Misplaced> {
    let word = if arch.is_64_bit() { 64 } else { 32 };
    let bits = match arg.kind {
        ArgKind::U16 => 16,
        ArgKind::I32 | ArgKind::U32 => 32,
        ArgKind::Pointer | ArgKind::I64 | ArgKind::U64 => word,
    };
    cut_to(arg.name, value, bits)
}

fn cut_to(name: &str, value: u64, bits: u32) -> Result<u64, Misplaced> {
    let seen = u64::MAX >> (64 - bits);
    // A negative number is one whose upper bits are all set, the sign's among them.
    if value <= seen || value | seen >> 1 == u64::MAX {
        return Ok(value & seen);
    }
    Err(Misplaced::TooWide { name: name.to_owned(), value, bits })
}

impl fmt::Display for Misplaced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooMany { given, takes } => {
                let s = if *given == 1 { " was" } else { "s were" };
                write!(f, "{given} argument{s} given, and it takes {takes}")
            }
            Self::NoSuchName(name) => write!(f, "it has no argument `{name}`"),
            Self::TooWide { name, value, bits } => {
                write!(f, "`{value:#x}` is wider than `{name}`, of which the kernel looks at {bits} bits")
            }
            Self::Twice(name) => write!(f, "`{name}` was given twice"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(list: &[(&str, u64)]) -> Vec<Given> {
        let one = |(name, value): &(&str, u64)| Given {
            name: (!name.is_empty()).then(|| (*name).to_owned()),
            value: *value,
        };
        list.iter().map(one).collect()
    }

    fn ask(arch: Arch, call: &str, list: &[(&str, u64)]) -> Result<[u64; 6], Misplaced> {
        registers(arch, Some(call), &given(list))
    }

    #[test]
    fn arguments_land_where_the_architecture_has_them() {
        assert_eq!(ask(Arch::X86_64, "clone", &[("", 17), ("", 9)]), Ok([17, 9, 0, 0, 0, 0]));
        assert_eq!(ask(Arch::S390x, "clone", &[("", 17), ("", 9)]), Ok([9, 17, 0, 0, 0, 0]));
        assert_eq!(ask(Arch::S390x, "clone", &[("flags", 17)]), Ok([0, 17, 0, 0, 0, 0]));
        let pread = |arch| ask(arch, "pread64", &[("pos", 0x1_0000_0002)]);
        assert_eq!(pread(Arch::X86_64), Ok([0, 0, 0, 0x1_0000_0002, 0, 0]));
        assert_eq!(pread(Arch::X86), Ok([0, 0, 0, 2, 1, 0]));
        assert_eq!(pread(Arch::Arm), Ok([0, 0, 0, 0, 2, 1]));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let socket = |list: &[(&str, u64)]| ask(Arch::X86_64, "socket", list);
        assert_eq!(
            socket(&[("", 1), ("", 2), ("", 3), ("", 4)]),
            Err(Misplaced::TooMany { given: 4, takes: 3 })
        );
        assert_eq!(
            socket(&[("", 1 << 32)]).map_err(|e| e.to_string()).unwrap_err(),
            "`0x100000000` is wider than `domain`, of which the kernel looks at 32 bits"
        );
        assert_eq!(socket(&[("", u64::MAX)]), Ok([0xffff_ffff, 0, 0, 0, 0, 0]), "-1");
        assert_eq!(socket(&[("arg0", 1 << 32 | 2)]), Ok([1 << 32 | 2, 0, 0, 0, 0, 0]), "a whole register");
        assert_eq!(socket(&[("familly", 2)]), Err(Misplaced::NoSuchName("familly".into())));
        assert_eq!(socket(&[("", 2), ("domain", 2)]), Err(Misplaced::Twice("domain".into())));
        assert!(ask(Arch::X86, "read", &[("arg1", 1 << 32)]).is_err(), "registers of 32 bits");
        assert_eq!(registers(Arch::X86_64, None, &given(&[("", 7), ("", 8)])), Ok([7, 8, 0, 0, 0, 0]));
    }
}
