//! Every way through a program: for each an input that takes it, found by solving the comparisons along it.

use crate::seccomp::encode::{ARCHITECTURE, Instruction, NUMBER, op};
use crate::seccomp::sim::{Data, run};
use crate::seccomp::word::{Bound, witness};
use std::collections::{BTreeMap, BTreeSet};

/// What the accumulator holds: a word of the data, and the bits of it.
type Held = (u32, u32);

/// Inputs that between them take every way that some input can take, up to a number of them.
pub fn inputs(program: &[Instruction], big_endian: bool, most: usize) -> Vec<Data> {
    let mut out = Vec::new();
    walk(program, 0, (0, 0), &mut BTreeMap::new(), big_endian, most, &mut out);
    out
}

type Bounds = BTreeMap<u32, Vec<Bound>>;

fn walk(
    program: &[Instruction],
    at: usize,
    held: Held,
    bounds: &mut Bounds,
    big: bool,
    most: usize,
    out: &mut Vec<Data>,
) {
    if out.len() >= most {
        return;
    }
    let i = program[at];
    let next = at + 1;
    match i.code {
        op::LOAD => walk(program, next, (i.k, u32::MAX), bounds, big, most, out),
        op::AND => walk(program, next, (held.0, held.1 & i.k), bounds, big, most, out),
        op::JUMP => walk(program, next + i.k as usize, held, bounds, big, most, out),
        op::RETURN => out.extend(data(bounds, big)),
        code => {
            let mask = if code == op::ANY_BIT { held.1 & i.k } else { held.1 };
            let bound = |low, high| Bound { mask, low, high };
            let below = i.k.checked_sub(1).map(|k| bound(0, k));
            let above = i.k.checked_add(1).map(|k| bound(k, u32::MAX));
            let (yes, no) = match code {
                op::EQUAL => (vec![Some(bound(i.k, i.k))], vec![below, above]),
                op::AT_LEAST => (vec![Some(bound(i.k, u32::MAX))], vec![below]),
                op::GREATER => (vec![above], vec![Some(bound(0, i.k))]),
                op::ANY_BIT => (vec![Some(bound(1, u32::MAX))], vec![Some(bound(0, 0))]),
                other => panic!("{other:#x}"),
            };
            for (sides, skip) in [(yes, i.jt), (no, i.jf)] {
                for side in sides.into_iter().flatten() {
                    let own = bounds.entry(held.0).or_default();
                    own.push(side);
                    // Many bounds on one word are about its whole value and fold into one.
                    let folded = fold(own);
                    if witness(&folded).is_some() {
                        walk(program, next + usize::from(skip), held, bounds, big, most, out);
                    }
                    bounds.get_mut(&held.0).unwrap().pop();
                }
            }
        }
    }
}

fn fold(bounds: &[Bound]) -> Vec<Bound> {
    let mut by_mask: BTreeMap<u32, (u32, u32)> = BTreeMap::new();
    for b in bounds {
        let entry = by_mask.entry(b.mask).or_insert((0, u32::MAX));
        *entry = (entry.0.max(b.low), entry.1.min(b.high));
    }
    by_mask.into_iter().map(|(mask, (low, high))| Bound { mask, low, high }).collect()
}

fn data(bounds: &Bounds, big: bool) -> Option<Data> {
    let mut out = Data::default();
    for (offset, list) in bounds {
        let value = witness(&fold(list))?;
        match *offset {
            NUMBER => out.nr = value,
            ARCHITECTURE => out.arch = value,
            offset => {
                let high = (offset % 8 == 4) != big;
                out.args[(offset as usize - 16) / 8] |= u64::from(value) << if high { 32 } else { 0 };
            }
        }
    }
    Some(out)
}

/// The instructions that no input executes.
pub fn unreached(program: &[Instruction], inputs: &[Data], big: bool) -> Vec<usize> {
    let mut seen = BTreeSet::new();
    for input in inputs {
        run(program, input, big, |step| {
            seen.insert(step.at);
        })
        .unwrap();
    }
    (0..program.len()).filter(|at| !seen.contains(at)).collect()
}
