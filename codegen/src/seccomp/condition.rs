//! A policy's conditions on arguments to diagrams over words, for one call of one architecture, as the kernel sees the arguments.

use super::diagram::{Arena, Half, NodeId, TooLarge, View, Word};
use canc_dsl::policy::{ArgTest, Compare, Condition, Width};
use canc_sets::interval::Intervals;
use canc_sets::syscalls::{Arch, Arg, ArgKind, args, args_on};

/// Steps for each instruction of the parts, within which they are merged into one diagram.
const MERGING: usize = 64;

/// Arguments that a filter sees.
pub const REGISTERS: u8 = 6;

/// Why a condition cannot be compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfit {
    /// The diagram grew too large.
    TooLarge,
    /// The argument is an address, or there is none with this number.
    NoScalar {
        /// The argument's number.
        arg: u8,
    },
}

impl From<TooLarge> for Unfit {
    fn from(_: TooLarge) -> Self {
        Self::TooLarge
    }
}

/// Where an argument is, and how wide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Its low half.
    pub low: Word,
    /// Its high half, where it has one that the kernel looks at.
    pub high: Option<Word>,
    /// How the kernel takes it on this architecture.
    pub width: Width,
}

/// The place of the argument that x86_64 has at `arg`, by which policies count.
#[must_use]
pub fn place(arch: Arch, call: &str, arg: u8, width: Width) -> Option<Place> {
    let own = args_on(arch, call);
    let named = args(call).get(usize::from(arg));
    let position = named.and_then(|n| own.iter().position(|a| a.name == n.name));
    let (register, declared) = match (named, position) {
        (Some(_), Some(position)) => (register(arch, own, position), own.get(position)),
        // A name that this architecture lacks: its argument there is an address.
        (Some(_), None) => return None,
        (None, _) => (arg, None),
    };
    if register >= REGISTERS || declared.is_some_and(|a| a.kind == ArgKind::Pointer) {
        return None;
    }
    let width = if declared.is_some_and(|a| a.kind == ArgKind::U16) { Width::U16 } else { width };
    let low = Word { register, half: Half::Low };
    let wide = matches!(width, Width::U64 | Width::I64);
    Some(if !wide {
        Place { low, high: None, width }
    } else if arch.is_64_bit() {
        Place { low, high: Some(Word { register, half: Half::High }), width }
    } else if declared.is_some_and(|a| a.pair) {
        Place { low, high: Some(Word { register: register + 1, half: Half::Low }), width }
    } else {
        let width = if width == Width::I64 { Width::I32 } else { Width::U32 };
        Place { low, high: None, width }
    })
}

/// The register in which an argument starts. 32-bit architectures pass `loff_t` in two; ARM's start at an even one.
pub(super) fn register(arch: Arch, own: &[Arg], position: usize) -> u8 {
    let mut at = 0;
    for (index, arg) in own.iter().enumerate() {
        let pair = arg.pair && !arch.is_64_bit();
        if pair && arch == Arch::Arm {
            at += at % 2;
        }
        if index == position {
            break;
        }
        at += if pair { 2 } else { 1 };
    }
    at
}

/// Compiles conditions of one call on one architecture.
pub struct Compiler<'a> {
    /// Where the nodes go.
    pub arena: &'a mut Arena,
    /// The architecture.
    pub arch: Arch,
    /// The call.
    pub call: &'static str,
}

impl Compiler<'_> {
    /// The diagram of a condition.
    ///
    /// # Errors
    /// When an argument cannot be compared, or the diagram is too large.
    pub fn condition(&mut self, condition: &Condition) -> Result<NodeId, Unfit> {
        match condition {
            Condition::All(list) => self.list(list, true),
            Condition::Any(list) => self.list(list, false),
            Condition::Not(inner) => {
                let inner = self.condition(inner)?;
                let (yes, no) = (self.arena.constant(true)?, self.arena.constant(false)?);
                Ok(self.arena.graft(inner, no, yes)?)
            }
            Condition::Test(test) => self.test(test),
            Condition::Arch(arches) => Ok(self.arena.constant(arches.contains(&self.arch))?),
        }
    }

    fn list(&mut self, list: &[Condition], every: bool) -> Result<NodeId, Unfit> {
        let parts: Vec<NodeId> = list.iter().map(|c| self.condition(c)).collect::<Result<_, _>>()?;
        let size: usize = parts.iter().map(|p| self.arena.cost(*p)).sum();
        let merged = self.arena.limited(MERGING * size + MERGING, |arena| arena.fold(parts.clone(), every));
        Ok(match merged {
            Ok(merged) => merged,
            Err(TooLarge) => self.one_by_one(&parts, every)?,
        })
    }

    /// The conditions one after another, each asked where those before it leave the answer open.
    fn one_by_one(&mut self, parts: &[NodeId], every: bool) -> Result<NodeId, TooLarge> {
        let end = self.arena.constant(every)?;
        let mut next = end;
        for part in parts.iter().rev() {
            let stop = self.arena.constant(!every)?;
            next = if every {
                self.arena.graft(*part, next, stop)?
            } else {
                self.arena.graft(*part, stop, next)?
            };
        }
        Ok(next)
    }

    fn test(&mut self, test: &ArgTest) -> Result<NodeId, Unfit> {
        let place =
            place(self.arch, self.call, test.arg, test.width).ok_or(Unfit::NoScalar { arg: test.arg })?;
        let equal = match place.high {
            None => return self.narrow(&place, test),
            Some(high) if test.mask == u64::MAX => {
                let set = wide_set(test, place.width);
                return Ok(self.wide(place.low, high, &set)?);
            }
            Some(high) => self.wide_masked(place.low, high, test)?,
        };
        Ok(if test.op == Compare::Ne { self.arena.not(equal)? } else { equal })
    }

    /// A comparison of at most 32 bits.
    fn narrow(&mut self, place: &Place, test: &ArgTest) -> Result<NodeId, Unfit> {
        let bits = if place.width == Width::U16 { 0xffff } else { u32::MAX };
        let mask = low(test.mask) & bits;
        if test.mask == u64::MAX {
            let set = narrow_set(test, place.width);
            return Ok(self.arena.member(View { word: place.low, mask: bits }, &set)?);
        }
        let equal = match narrow_value(test.value) {
            Some(value) => self.masked(place.low, mask, value)?,
            None => self.arena.constant(false)?,
        };
        Ok(if test.op == Compare::Ne { self.arena.not(equal)? } else { equal })
    }

    /// `word & mask == value`
    fn masked(&mut self, word: Word, mask: u32, value: u32) -> Result<NodeId, TooLarge> {
        if value & !mask != 0 {
            return self.arena.constant(false);
        }
        if mask == 0 {
            return self.arena.constant(true);
        }
        // A mask of the topmost bits is an interval of the word, which joins with other intervals.
        if (!mask).wrapping_add(1) & !mask == 0 {
            let view = View { word, mask: u32::MAX };
            return self.arena.member(view, &Intervals::range(value, value | !mask));
        }
        self.arena.member(View { word, mask }, &Intervals::one(value))
    }

    fn wide_masked(&mut self, low_word: Word, high_word: Word, test: &ArgTest) -> Result<NodeId, TooLarge> {
        let above = self.masked(high_word, high(test.mask), high(test.value))?;
        let below = self.masked(low_word, low(test.mask), low(test.value))?;
        self.arena.fold(vec![above, below], true)
    }

    /// Membership of a 64-bit value: the high half first, and below it only where it does not decide.
    fn wide(&mut self, low_word: Word, high_word: Word, set: &Intervals<u64>) -> Result<NodeId, TooLarge> {
        let mut pieces: Vec<(Range, Vec<Range>)> = Vec::new();
        for (highs, lows) in set.ranges().iter().flat_map(|r| by_high_half(*r)) {
            match pieces.last_mut() {
                Some(last) if last.0 == highs => last.1.push(lows),
                _ => pieces.push((highs, vec![lows])),
            }
        }
        let mut ranges = Vec::with_capacity(pieces.len());
        for (highs, lows) in pieces {
            let lows: Intervals<u32> = lows.into_iter().collect();
            ranges.push((highs, self.arena.member(View { word: low_word, mask: u32::MAX }, &lows)?));
        }
        let no = self.arena.constant(false)?;
        self.arena.branch(View { word: high_word, mask: u32::MAX }, ranges, no)
    }
}

/// The low half.
fn low(value: u64) -> u32 {
    u32::try_from(value & 0xffff_ffff).unwrap_or(0)
}

/// The high half.
fn high(value: u64) -> u32 {
    u32::try_from(value >> 32).unwrap_or(0)
}

/// An inclusive range of words.
type Range = (u32, u32);

/// A range of 64-bit values as at most three boxes of high halves and low halves, in ascending order.
fn by_high_half((first, last): (u64, u64)) -> impl Iterator<Item = (Range, Range)> {
    const FULL: Range = (0, u32::MAX);
    let (a, b) = (high(first), high(last));
    let boxes = if a == b {
        [Some(((a, a), (low(first), low(last)))), None, None]
    } else {
        // A half that is covered wholly goes with the middle.
        let from = if low(first) == 0 { Some(a) } else { a.checked_add(1) };
        let to = if low(last) == u32::MAX { Some(b) } else { b.checked_sub(1) };
        let middle = from.zip(to).filter(|(from, to)| from <= to);
        [
            (low(first) != 0).then_some(((a, a), (low(first), u32::MAX))),
            middle.map(|highs| (highs, FULL)),
            (low(last) != u32::MAX).then_some(((b, b), (0, low(last)))),
        ]
    };
    boxes.into_iter().flatten()
}

/// The word that a value stands for in an argument of at most 32 bits: authors write -1 as such or as `0xffffffff`.
fn narrow_value(value: u64) -> Option<u32> {
    const SIGN_EXTENDED: u64 = 0xffff_ffff_8000_0000;
    (value >> 32 == 0 || value >= SIGN_EXTENDED).then(|| low(value))
}

/// The number that a test's value stands for beside an argument that a kernel takes as wide as this. A number beyond what a 32-bit
/// kernel sees of a signed 64-bit argument stays one: 2^31 is not -2^31 there.
fn number(test: &ArgTest, width: Width) -> i128 {
    let value = test.value;
    match (width, narrow_value(value)) {
        _ if test.width == Width::I64 => i128::from(value.cast_signed()),
        (Width::U64, _) | (Width::U16 | Width::U32, None) => i128::from(value),
        (Width::I64, _) | (Width::I32, None) => i128::from(value.cast_signed()),
        (Width::I32, Some(word)) => i128::from(word.cast_signed()),
        (Width::U16 | Width::U32, Some(word)) => i128::from(word),
    }
}

/// The least and the greatest number of a width.
fn domain(width: Width) -> (i128, i128) {
    match width {
        Width::U16 => (0, i128::from(u16::MAX)),
        Width::U32 => (0, i128::from(u32::MAX)),
        Width::I32 => (i128::from(i32::MIN), i128::from(i32::MAX)),
        Width::U64 => (0, i128::from(u64::MAX)),
        Width::I64 => (i128::from(i64::MIN), i128::from(i64::MAX)),
    }
}

/// The values that satisfy an unmasked comparison of an argument of at most 32 bits.
fn narrow_set(test: &ArgTest, width: Width) -> Intervals<u32> {
    let ranges = satisfying(test.op, number(test, width), domain(width));
    // Negative numbers are the upper half of the words.
    let word = |v: i128| u32::try_from(v & 0xffff_ffff).unwrap_or(0);
    split_sign(ranges).map(|(a, b)| (word(a), word(b))).collect()
}

/// The values that satisfy an unmasked comparison of a 64-bit argument.
fn wide_set(test: &ArgTest, width: Width) -> Intervals<u64> {
    let ranges = satisfying(test.op, number(test, width), domain(width));
    let word = |v: i128| u64::try_from(v & i128::from(u64::MAX)).unwrap_or(0);
    split_sign(ranges).map(|(a, b)| (word(a), word(b))).collect()
}

/// The numbers of a domain that stand in a relation to a value, as at most two ranges.
fn satisfying(op: Compare, value: i128, (min, max): (i128, i128)) -> [(i128, i128); 2] {
    const NOTHING: (i128, i128) = (1, 0);
    let ranges = match op {
        Compare::Eq => [(value, value), NOTHING],
        Compare::Ne => [(min, value - 1), (value + 1, max)],
        Compare::Lt => [(min, value - 1), NOTHING],
        Compare::Le => [(min, value), NOTHING],
        Compare::Gt => [(value + 1, max), NOTHING],
        Compare::Ge => [(value, max), NOTHING],
    };
    ranges.map(|(a, b)| (a.max(min), b.min(max)))
}

/// Non-empty ranges cut at zero.
fn split_sign(ranges: [(i128, i128); 2]) -> impl Iterator<Item = (i128, i128)> {
    ranges.into_iter().flat_map(|(a, b)| [(a, b.min(-1)), (a.max(0), b)]).filter(|(a, b)| a <= b)
}

/// Whether a condition holds for the arguments of a call; `None` where [`Compiler::condition`] would refuse it.
#[must_use]
pub fn holds(condition: &Condition, arch: Arch, call: &str, registers: &[u64; 6]) -> Option<bool> {
    match condition {
        Condition::All(list) => {
            list.iter().try_fold(true, |all, c| Some(holds(c, arch, call, registers)? && all))
        }
        Condition::Any(list) => {
            list.iter().try_fold(false, |any, c| Some(holds(c, arch, call, registers)? || any))
        }
        Condition::Not(inner) => holds(inner, arch, call, registers).map(|yes| !yes),
        Condition::Arch(arches) => Some(arches.contains(&arch)),
        Condition::Test(test) => test_holds(test, place(arch, call, test.arg, test.width)?, registers),
    }
}

fn test_holds(test: &ArgTest, place: Place, registers: &[u64; 6]) -> Option<bool> {
    let word = |w: Word| {
        let register = registers.get(usize::from(w.register))?;
        Some(if w.half == Half::High { high(*register) } else { low(*register) })
    };
    let seen = match place.high {
        Some(above) => u64::from(word(above)?) << 32 | u64::from(word(place.low)?),
        None if place.width == Width::U16 => u64::from(word(place.low)? & 0xffff),
        None => u64::from(word(place.low)?),
    };
    if test.mask != u64::MAX {
        let wanted =
            if place.high.is_some() { Some(test.value) } else { narrow_value(test.value).map(u64::from) };
        let equal = wanted == Some(seen & test.mask);
        return Some(equal == (test.op == Compare::Eq));
    }
    let own = match place.width {
        Width::I32 => i128::from(low(seen).cast_signed()),
        Width::I64 => i128::from(seen.cast_signed()),
        _ => i128::from(seen),
    };
    let order = own.cmp(&number(test, place.width));
    Some(match test.op {
        Compare::Eq => order.is_eq(),
        Compare::Ne => order.is_ne(),
        Compare::Lt => order.is_lt(),
        Compare::Le => order.is_le(),
        Compare::Gt => order.is_gt(),
        Compare::Ge => order.is_ge(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seccomp::diagram::Leaf;
    use crate::seccomp::tests::words::compare;

    const OPERATORS: [Compare; 6] =
        [Compare::Eq, Compare::Ne, Compare::Lt, Compare::Le, Compare::Gt, Compare::Ge];

    /// Halves at which a comparison of words can change.
    const HALVES: [u32; 9] = [0, 1, 2, 3, 0x7fff_ffff, 0x8000_0000, 0x8000_0001, u32::MAX - 1, u32::MAX];

    fn words() -> Vec<u64> {
        HALVES.iter().flat_map(|h| HALVES.map(|l| u64::from(*h) << 32 | u64::from(l))).collect()
    }

    /// A comparison of the second argument, compiled, with the words to ask it for and what it should say.
    fn agrees(call: &'static str, test: ArgTest, asked: impl IntoIterator<Item = (u64, bool)>) {
        let mut arena = Arena::default();
        let condition = Condition::Test(test);
        let node = Compiler { arena: &mut arena, arch: Arch::X86_64, call }.condition(&condition).unwrap();
        let node = arena.prune(node).unwrap();
        for (seen, wanted) in asked {
            let value = |w: Word| match (w.register == test.arg, w.half) {
                (false, _) => 0xdead_beef,
                (true, Half::High) => high(seen),
                (true, Half::Low) => low(seen),
            };
            let own = arena.evaluate(node, value) == Leaf::Bool(true);
            let mut registers = [0xdead_beef_dead_beef; 6];
            registers[usize::from(test.arg)] = seen;
            assert_eq!(own, wanted, "{test:?} {seen:#x}");
            assert_eq!(holds(&condition, Arch::X86_64, call, &registers), Some(wanted), "{test:?} {seen:#x}");
        }
    }

    /// Whether a comparison holds changes only where a half passes a half of the value, or its own sign: so the words whose halves
    /// are such numbers and their neighbours stand for all words, for every value made of such halves.
    #[test]
    fn all_comparisons_of_whole_words_are_exact() {
        let words = words();
        for (value, op) in words.iter().flat_map(|v| OPERATORS.map(|op| (*v, op))) {
            let test = |width| ArgTest { arg: 1, width, mask: u64::MAX, op, value };
            let unsigned = words.iter().map(|s| (*s, compare(op, i128::from(*s), i128::from(value))));
            agrees("mmap", test(Width::U64), unsigned);
            let signed = |w: u64| i128::from(w.cast_signed());
            agrees(
                "lseek",
                test(Width::I64),
                words.iter().map(|s| (*s, compare(op, signed(*s), signed(value)))),
            );
        }
    }

    #[test]
    fn all_comparisons_of_half_words_are_exact_and_look_at_nothing_else() {
        let words: Vec<u64> = HALVES
            .iter()
            .flat_map(|l| [0, 1, u32::MAX].map(|h| u64::from(h) << 32 | u64::from(*l)))
            .collect();
        for (value, op) in HALVES.iter().flat_map(|v| OPERATORS.map(|op| (*v, op))) {
            let test = |width| ArgTest { arg: 1, width, mask: u64::MAX, op, value: u64::from(value) };
            let right = i128::from(value);
            agrees(
                "ioctl",
                test(Width::U32),
                words.iter().map(|s| (*s, compare(op, i128::from(low(*s)), right))),
            );
            let signed = |w: u32| i128::from(w.cast_signed());
            let kill = words.iter().map(|s| (*s, compare(op, signed(low(*s)), signed(value))));
            agrees("kill", test(Width::I32), kill);
            if value <= 0xffff {
                agrees(
                    "chmod",
                    test(Width::U16),
                    words.iter().map(|s| (*s, compare(op, i128::from(s & 0xffff), right))),
                );
            }
        }
    }

    #[test]
    fn all_masks_of_few_bits_are_exact() {
        let spread = |bits: u64| (0..6).fold(0, |out, i| out | (bits >> i & 1) << [0, 1, 31, 32, 33, 63][i]);
        for mask in 0..64 {
            for value in (0..64).filter(|v| v & !mask == 0) {
                for op in [Compare::Eq, Compare::Ne] {
                    let test =
                        ArgTest { arg: 1, width: Width::U64, mask: spread(mask), op, value: spread(value) };
                    let asked = (0..64).map(|s| (spread(s), (s & mask == value) == (op == Compare::Eq)));
                    agrees("mmap", test, asked);
                }
            }
        }
    }

    #[test]
    fn a_negative_value_may_be_written_either_way() {
        for value in [u64::MAX, 0xffff_ffff] {
            let test = ArgTest { arg: 1, width: Width::I32, mask: u64::MAX, op: Compare::Eq, value };
            agrees("kill", test, [(u64::MAX, true), (0xffff_ffff, true), (0x7fff_ffff, false)]);
        }
    }
}
