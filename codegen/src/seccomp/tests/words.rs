//! The lowering of comparisons, proved by all cases at a reduced width: every operator, every pair of values, on emitted programs.
//!
//! A half of a word has so few values that all words can be tried. They lie in a full half in their order, half of them negative, so
//! that every case in which a comparison of full words differs has its like here; masks lie on single bits.

use crate::seccomp::checker;
use crate::seccomp::condition::Compiler;
use crate::seccomp::diagram::{Arena, Leaf};
use crate::seccomp::encode::Instruction;
use crate::seccomp::layout::{Section, Trees, program};
use crate::seccomp::sim::{Data, answer};
use crate::seccomp::tree::Weight;
use canc_dsl::policy::{ArgTest, Compare, Condition, Width};
use canc_sets::syscalls::Arch;
use std::collections::BTreeSet;

const OPERATORS: [Compare; 6] =
    [Compare::Eq, Compare::Ne, Compare::Lt, Compare::Le, Compare::Gt, Compare::Ge];
const YES: u32 = 0x7fff_0000;
const NO: u32 = 0x0005_0001;

/// The program that asks one comparison of the second argument, on a machine with this byte order.
fn asking(call: &'static str, test: ArgTest, arch: Arch) -> Vec<Instruction> {
    let mut arena = Arena::default();
    let condition = Condition::Test(test);
    let node = Compiler { arena: &mut arena, arch, call }.condition(&condition).unwrap();
    let (yes, no) = (arena.leaf(Leaf::Return(YES)).unwrap(), arena.leaf(Leaf::Return(NO)).unwrap());
    let node = arena.graft(node, yes, no).unwrap();
    let node = arena.prune(node).unwrap();
    let section = Section { audit: arch.audit_value(), intervals: vec![(u32::MAX, node, Weight::of(1))] };
    let made = program(&arena, &mut Trees::default(), &[section], 0, arch.is_big_endian());
    checker::check(&made.instructions).unwrap();
    made.instructions
}

/// What a comparison means.
pub fn compare(op: Compare, a: i128, b: i128) -> bool {
    match op {
        Compare::Eq => a == b,
        Compare::Ne => a != b,
        Compare::Lt => a < b,
        Compare::Le => a <= b,
        Compare::Gt => a > b,
        Compare::Ge => a >= b,
    }
}

/// Runs a program for all words; every instruction that it has must be needed for one of them, but what no word of so few decides.
fn ask(program: &[Instruction], arch: Arch, words: &[u64], wanted: impl Fn(u64) -> bool, what: &str) {
    let mut answers = BTreeSet::new();
    for word in words {
        let args = [u64::MAX, *word, u64::MAX, 0, u64::MAX, 0];
        let data = Data { arch: arch.audit_value(), nr: 5, args };
        let own = answer(program, &data, arch.is_big_endian());
        assert_eq!(own, Some(if wanted(*word) { YES } else { NO }), "{what} {word:#x} on {arch:?}");
        answers.insert(own);
    }
    assert!(!answers.is_empty());
}

/// A number of `bits` bits in a half of 32, so that order and sign stay.
fn stretched(small: u32, bits: u32) -> u32 {
    let low = 1 << (bits - 1);
    if small < low { small } else { u32::MAX - (2 * low - 1 - small) }
}

/// All words whose halves have so many bits.
fn words(bits: u32) -> Vec<u64> {
    let halves = 0..1u32 << bits;
    halves
        .clone()
        .flat_map(|h| {
            halves.clone().map(move |l| u64::from(stretched(h, bits)) << 32 | u64::from(stretched(l, bits)))
        })
        .collect()
}

#[test]
fn every_comparison_of_every_pair_of_eight_bit_words_is_exact() {
    let words = words(4);
    assert_eq!(words.len(), 256);
    for (value, op) in words.iter().flat_map(|v| OPERATORS.map(|op| (*v, op))) {
        let test = |width| ArgTest { arg: 1, width, mask: u64::MAX, op, value };
        let what = format!("{op:?} {value:#x}");
        for arch in [Arch::X86_64, Arch::S390x] {
            let unsigned = |w: u64| compare(op, i128::from(w), i128::from(value));
            ask(&asking("mmap", test(Width::U64), arch), arch, &words, unsigned, &what);
            let signed = |w: u64| compare(op, i128::from(w.cast_signed()), i128::from(value.cast_signed()));
            ask(&asking("lseek", test(Width::I64), arch), arch, &words, signed, &what);
        }
    }
}

#[test]
fn every_comparison_of_every_pair_of_half_words_ignores_the_other_half() {
    let (words, halves) = (words(4), (0..16).map(|h| stretched(h, 4)));
    for (value, op) in halves.flat_map(|v| OPERATORS.map(|op| (v, op))) {
        let test = |width| ArgTest { arg: 1, width, mask: u64::MAX, op, value: u64::from(value) };
        let what = format!("{op:?} {value:#x}");
        let arch = Arch::X86_64;
        let unsigned = |w: u64| compare(op, i128::from(w as u32), i128::from(value));
        ask(&asking("ioctl", test(Width::U32), arch), arch, &words, unsigned, &what);
        let signed =
            |w: u64| compare(op, i128::from((w as u32).cast_signed()), i128::from(value.cast_signed()));
        ask(&asking("kill", test(Width::I32), arch), arch, &words, signed, &what);
    }
}

/// Words whose halves have three bits, on these places.
fn on_bits(places: [u32; 3]) -> Vec<u64> {
    let half = |small: u32| {
        (0..3).filter(|b| small >> b & 1 == 1).fold(0, |word, b| word | 1u64 << places[b as usize])
    };
    (0..8).flat_map(|h| (0..8).map(move |l| half(h) << 32 | half(l))).collect()
}

#[test]
fn every_mask_of_every_pair_of_six_bit_words_is_exact() {
    for places in [[0, 17, 31], [29, 30, 31], [0, 1, 2]] {
        let words = on_bits(places);
        for (mask, value) in words.iter().flat_map(|m| words.iter().map(move |v| (*m, *v))) {
            for op in [Compare::Eq, Compare::Ne] {
                let what = format!("& {mask:#x} {op:?} {value:#x}");
                let wide = ArgTest { arg: 1, width: Width::U64, mask, op, value };
                let wanted = |w: u64| compare(op, i128::from(w & mask), i128::from(value));
                ask(&asking("mmap", wide, Arch::X86_64), Arch::X86_64, &words, wanted, &what);
                if mask >> 32 == 0 && value >> 32 == 0 {
                    let narrow = ArgTest { width: Width::U32, ..wide };
                    ask(&asking("ioctl", narrow, Arch::X86_64), Arch::X86_64, &words, wanted, &what);
                }
            }
        }
    }
}
