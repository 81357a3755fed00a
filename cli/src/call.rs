//! The words of a system call on the command line to its number and registers on one architecture.

use canc_codegen::seccomp::arguments::{Given, registers};
use canc_codegen::seccomp::sim::Data;
use canc_dsl::nearest_of_many;
use canc_sets::syscalls::{self, Arch};

/// A call as a filter sees it, with its name where the architecture has one for the number.
pub struct Call {
    /// What the filter sees.
    pub data: Data,
    /// The name.
    pub name: Option<&'static str>,
}

/// Reads a name or number and the arguments.
///
/// # Errors
/// One line for the person who wrote the words.
pub fn parse(arch: Arch, call: &str, words: &[String]) -> Result<Call, String> {
    let (nr, name) = number(arch, call)?;
    let given = words.iter().map(|word| argument(arch, word)).collect::<Result<Vec<_>, _>>()?;
    let args = registers(arch, name, &given)
        .map_err(|e| format!("{}: {e}{}", shown(name, nr), takes(arch, name)))?;
    Ok(Call { data: Data { arch: arch.audit_value(), nr, args }, name })
}

fn shown(name: Option<&str>, nr: u32) -> String {
    name.map_or_else(|| format!("call {nr}"), |n| format!("`{n}`"))
}

/// How the call is made, for those who made it otherwise.
fn takes(arch: Arch, name: Option<&'static str>) -> String {
    let Some(name) = name else { return String::new() };
    let list: Vec<&str> = syscalls::args_on(arch, name).iter().map(|a| a.name).collect();
    format!("; it is {name}({})", list.join(", "))
}

fn number(arch: Arch, call: &str) -> Result<(u32, Option<&'static str>), String> {
    if call.starts_with(|c: char| c.is_ascii_digit() || c == '-') {
        let value = integer(call).ok_or_else(|| format!("`{call}` is no number"))?;
        let low = value & 0xffff_ffff;
        // A negative number is one of 32 bits.
        let nr = if value == low || value | 0x7fff_ffff == u64::MAX { u32::try_from(low).ok() } else { None };
        let nr = nr.ok_or_else(|| format!("`{call}` is wider than a call's number, which has 32 bits"))?;
        return Ok((nr, syscalls::name(arch, nr)));
    }
    let Some(name) = syscalls::lookup(call) else {
        let near = nearest_of_many(call, syscalls::names());
        let help =
            near.map_or_else(|| "names are those of syscalls(2)".into(), |n| format!("did you mean `{n}`?"));
        return Err(format!("no architecture has a system call `{call}`; {help}"));
    };
    match syscalls::number(arch, name) {
        Some(nr) => Ok((nr, Some(name))),
        None => {
            let having = Arch::ALL.iter().filter(|a| syscalls::number(**a, name).is_some());
            let having: Vec<&str> = having.map(|a| a.word()).collect();
            Err(format!("{} has no `{name}`; it exists on {}", arch.word(), having.join(", ")))
        }
    }
}

fn argument(arch: Arch, word: &str) -> Result<Given, String> {
    let (name, text) = match word.split_once('=') {
        Some((name, text)) => (Some(name.to_owned()), text),
        None => (None, word),
    };
    let mut value = 0;
    for part in text.split('|') {
        value |= one(arch, part.trim(), word)?;
    }
    Ok(Given { name, value })
}

/// A number or a constant.
fn one(arch: Arch, text: &str, word: &str) -> Result<u64, String> {
    if text.is_empty() {
        return Err(format!("`{word}` lacks a value"));
    }
    if text.starts_with(|c: char| c.is_ascii_digit() || c == '-') {
        return integer(text).ok_or_else(|| format!("`{text}` is no number of at most 64 bits"));
    }
    if let Some(value) = syscalls::constant_on(arch, text) {
        return Ok(value);
    }
    if Arch::ALL.iter().any(|a| syscalls::constant_on(*a, text).is_some()) {
        return Err(format!("`{text}` has no value on {}", arch.word()));
    }
    let near = nearest_of_many(text, syscalls::constants());
    let help = near.map_or_else(|| "write the number".into(), |n| format!("did you mean `{n}`?"));
    Err(format!("unknown constant `{text}`; {help}"))
}

/// Decimal, `0x…`, `0o…` or `0b…`, with `_` between digits; negative ones in two's complement.
fn integer(text: &str) -> Option<u64> {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let plain = digits.replace('_', "");
    let value = match plain.get(..2) {
        Some("0x") => u64::from_str_radix(plain.get(2..)?, 16),
        Some("0o") => u64::from_str_radix(plain.get(2..)?, 8),
        Some("0b") => u64::from_str_radix(plain.get(2..)?, 2),
        _ => plain.parse(),
    };
    // `parse` takes a sign of its own.
    let value = value.ok().filter(|_| !plain.contains(['+', '-']))?;
    match negative {
        false => Some(value),
        true => (value <= 1 << 63).then(|| value.wrapping_neg()),
    }
}

/// The architecture that this host's programs are made for.
#[must_use]
pub fn host() -> Option<Arch> {
    match std::env::consts::ARCH {
        "powerpc64" if cfg!(target_endian = "little") => Some(Arch::Ppc64le),
        word => Arch::parse(word),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(call: &str, words: &[&str]) -> Result<(u32, [u64; 6]), String> {
        let words: Vec<String> = words.iter().map(|w| (*w).to_owned()).collect();
        parse(Arch::X86_64, call, &words).map(|c| (c.data.nr, c.data.args))
    }

    #[test]
    fn words_become_registers() {
        assert_eq!(
            asked("socket", &["AF_INET", "SOCK_STREAM|SOCK_CLOEXEC"]),
            Ok((41, [2, 0o2000001, 0, 0, 0, 0]))
        );
        assert_eq!(asked("0x29", &["type=3"]), Ok((41, [0, 3, 0, 0, 0, 0])));
        assert_eq!(asked("lseek", &["0", "-1", "0b10"]), Ok((8, [0, u64::MAX, 2, 0, 0, 0])));
        assert_eq!(asked("-1", &["7"]), Ok((u32::MAX, [7, 0, 0, 0, 0, 0])));
        assert_eq!(asked("kill", &["arg0=0x1_0000_0000", "sig=0o17"]), Ok((62, [1 << 32, 15, 0, 0, 0, 0])));
    }

    #[test]
    fn mistakes_are_named_with_what_to_write() {
        for (call, words, wanted) in [
            ("sokcet", &[][..], "no architecture has a system call `sokcet`; did you mean `socket`?"),
            ("socketcall", &[], "x86_64 has no `socketcall`; it exists on x86, ppc64le, s390x"),
            (
                "socket",
                &["1", "2", "3", "4"],
                "`socket`: 4 arguments were given, and it takes 3; it is socket(domain, type, protocol)",
            ),
            ("socket", &["AF_INTE"], "unknown constant `AF_INTE`; did you mean `AF_INET`?"),
            ("socket", &["domain="], "`domain=` lacks a value"),
            (
                "socket",
                &["0x1ffffffff"],
                "`socket`: `0x1ffffffff` is wider than `domain`, of which the kernel looks at 32 bits; it is socket(domain, type, protocol)",
            ),
            (
                "socket",
                &["1", "arg0=1"],
                "`socket`: `arg0` was given twice; it is socket(domain, type, protocol)",
            ),
            ("socket", &["fd=1"], "`socket`: it has no argument `fd`; it is socket(domain, type, protocol)"),
            ("0x100000000", &[], "`0x100000000` is wider than a call's number, which has 32 bits"),
            ("9z", &[], "`9z` is no number"),
            ("lseek", &["1", "0x10000000000000000"], "`0x10000000000000000` is no number of at most 64 bits"),
        ] {
            assert_eq!(asked(call, words).unwrap_err(), wanted);
        }
    }
}
