//! System calls: architectures, numbers, arguments, named groups and constants, as the kernel's own headers state them.
//!
//! The facts are in `data/*.tsv`, one line each, and reach the program as sorted static arrays: no start-up cost.

mod arch;
#[cfg(test)]
mod tests;

pub use arch::Arch;

include!(concat!(env!("OUT_DIR"), "/syscalls.rs"));

/// Stands for "this architecture has no such call" in [`CALLS`]; no table reaches this number.
const NONE: u32 = u32::MAX;

/// One row of the table.
struct Call {
    name: &'static str,
    /// By [`Arch::index`].
    numbers: [u32; Arch::ALL.len()],
    args: &'static [Arg],
    fallback: bool,
}

/// One argument of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arg {
    /// The name that conditions use.
    pub name: &'static str,
    /// What the kernel takes it for.
    pub kind: ArgKind,
    /// Whether it takes two registers on a 32-bit architecture.
    pub pair: bool,
}

/// What the kernel takes an argument for. It looks at no bit beyond the width given here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ArgKind {
    /// An address, which a filter cannot follow.
    Pointer,
    /// `int` and its like: the low 32 bits, signed.
    I32,
    /// `unsigned int` and its like: the low 32 bits.
    U32,
    /// `umode_t` and the old 16-bit identities: the low 16 bits.
    U16,
    /// `long`, `off_t`, `loff_t`: the whole word, signed.
    I64,
    /// `unsigned long`, `size_t`: the whole word.
    U64,
}

/// A constant of the kernel's or the C library's headers.
struct Constant {
    name: &'static str,
    /// On x86_64.
    value: Option<u64>,
    /// Where it is another.
    others: &'static [(&'static str, Option<u64>)],
}

fn call(name: &str) -> Option<&'static Call> {
    let index = CALLS.binary_search_by(|c| c.name.cmp(name)).ok()?;
    CALLS.get(index)
}

/// The table's own spelling of a call that some architecture has; `None` for a name that none has.
#[must_use]
pub fn lookup(name: &str) -> Option<&'static str> {
    // ARM's headers have both names for one call.
    call(if name == "arm_sync_file_range" { "sync_file_range2" } else { name }).map(|c| c.name)
}

/// A call's place in [`names`], for arrays that have an entry per call.
#[must_use]
pub fn index(name: &str) -> Option<usize> {
    CALLS.binary_search_by(|c| c.name.cmp(name)).ok()
}

/// All calls in the order of their names.
pub fn names() -> impl ExactSizeIterator<Item = &'static str> {
    CALLS.iter().map(|c| c.name)
}

/// The number of a call. x32 numbers have bit 30 set.
#[must_use]
pub fn number(arch: Arch, name: &str) -> Option<u32> {
    call(name)?.numbers.get(arch.index()).copied().filter(|n| *n != NONE)
}

/// The call with this number.
#[must_use]
pub fn name(arch: Arch, number: u32) -> Option<&'static str> {
    let table = numbers(arch);
    let index = table.binary_search_by_key(&number, |e| e.0).ok()?;
    table.get(index).map(|e| e.1)
}

/// An architecture's calls in the order of their numbers.
#[must_use]
pub fn numbers(arch: Arch) -> &'static [(u32, &'static str)] {
    BY_NUMBER.get(arch.index()).copied().unwrap_or_default()
}

/// For each entry of [`numbers`], the call's [`index`].
#[must_use]
pub fn indices(arch: Arch) -> &'static [u16] {
    PLACES.get(arch.index()).copied().unwrap_or_default()
}

/// The greatest number of the table.
#[must_use]
pub fn max_number(arch: Arch) -> u32 {
    numbers(arch).last().map_or(0, |e| e.0)
}

/// The calls of a group, named without its `@`, in the order of their names.
#[must_use]
pub fn group(name: &str) -> Option<&'static [&'static str]> {
    let index = GROUPS.binary_search_by(|g| g.0.cmp(name)).ok()?;
    GROUPS.get(index).map(|g| g.1)
}

/// All groups in the order of their names, each with its calls. `known` has every call.
pub fn groups() -> impl ExactSizeIterator<Item = (&'static str, &'static [&'static str])> {
    GROUPS.iter().copied()
}

/// Whether callers take ENOSYS for "this kernel is older" and do without the call (`data/fallbacks.tsv` says how).
#[must_use]
pub fn has_fallback(name: &str) -> bool {
    call(name).is_some_and(|c| c.fallback)
}

/// The arguments of a call in the order of x86_64; empty for an unknown call. See [`args_on`].
#[must_use]
pub fn args(name: &str) -> &'static [Arg] {
    call(name).map_or(&[], |c| c.args)
}

/// The arguments of a call in the order of one architecture: `clone` differs, and 16-bit identities on 32-bit tables.
#[must_use]
pub fn args_on(arch: Arch, name: &str) -> &'static [Arg] {
    let own = ARGS_BY_ARCH.iter().find(|e| e.0 == name && e.1 == arch.word());
    own.map_or_else(|| args(name), |e| e.2)
}

/// The value of a constant, when x86_64, aarch64 and riscv64 agree on it. Otherwise ask [`constant_on`].
#[must_use]
pub fn constant(name: &str) -> Option<u64> {
    let value = constant_on(Arch::X86_64, name)?;
    Arch::DEFAULT.iter().all(|a| constant_on(*a, name) == Some(value)).then_some(value)
}

/// The value of a constant on one architecture; negative ones in two's complement.
#[must_use]
pub fn constant_on(arch: Arch, name: &str) -> Option<u64> {
    let index = CONSTANTS.binary_search_by(|c| c.name.cmp(name)).ok()?;
    let constant = CONSTANTS.get(index)?;
    constant.others.iter().find(|o| o.0 == arch.word()).map_or(constant.value, |o| o.1)
}

/// All constants in the order of their names, for suggestions.
pub fn constants() -> impl ExactSizeIterator<Item = &'static str> {
    CONSTANTS.iter().map(|c| c.name)
}
