//! A state of all lines to the bytes that it tells apart: after any of the others it stands in one and the same place.

use super::labelling::{Pos, Shared, State};
use super::pack::program;
use super::pack::tables::{Inst, Range, Tables, part};
use super::under::line_program;

/// A set of bytes, a bit each.
pub(super) type Bytes = [u64; 4];

/// What stands for a byte: itself where the state tells it apart, else the first byte that it does not.
pub(super) fn representative(apart: &Bytes, byte: u8) -> u8 {
    if program::has(apart, byte) {
        return byte;
    }
    (0..=u8::MAX).find(|b| !program::has(apart, *b)).unwrap_or(byte)
}

impl Shared {
    /// The bytes that a state tells apart.
    pub(super) fn apart(&self, at: &State) -> Bytes {
        let mut out = [0; 4];
        add(&mut out, b'/');
        at.base.apart(&self.base, &mut out);
        if let Some(lines) = &self.own {
            at.own.apart(&lines.tables, &mut out);
        }
        for byte in self.alias_bytes(at) {
            add(&mut out, byte);
        }
        out
    }
}

impl Pos {
    fn apart(&self, tables: &Tables, out: &mut Bytes) {
        for (at, pc) in &self.threads {
            let Some(entry) = tables.entry(*at) else { continue };
            match line_program(entry, part(&tables.program, entry.program)).get(usize::from(*pc)) {
                Some(Inst::Byte(byte)) => add(out, *byte),
                Some(Inst::Class(class)) => {
                    if let Some(bits) = tables.classes_of_bytes.get(usize::from(*class)) {
                        add_class(out, bits);
                    }
                }
                _ => {}
            }
        }
        let literals = part(&tables.by_literal, Range { from: self.from, to: self.to });
        let next = |at: &u32| {
            let literal = tables.entry(*at).map_or("", |e| tables.text(e.literal));
            literal.as_bytes().get(self.depth as usize).copied()
        };
        let mut from = 0;
        while let Some(at) = literals.get(from) {
            let byte = next(at);
            if let Some(byte) = byte {
                add(out, byte);
            }
            from += literals.get(from..).unwrap_or_default().partition_point(|at| next(at) <= byte);
        }
    }
}

fn add(set: &mut Bytes, byte: u8) {
    if let Some(word) = set.get_mut(usize::from(byte >> 6)) {
        *word |= 1 << (byte & 63);
    }
}

/// The members of a small class, or those that a large one leaves out.
fn add_class(set: &mut Bytes, class: &Bytes) {
    let large = class.iter().map(|w| w.count_ones()).sum::<u32>() > 128;
    for (word, bits) in set.iter_mut().zip(class) {
        *word |= if large { !bits } else { *bits };
    }
}

#[cfg(test)]
mod tests {
    use super::super::Base;
    use super::super::labelling::Labelling;
    use super::*;

    #[test]
    fn bytes_that_are_not_told_apart_lead_to_one_state() {
        let labelling = Labelling::new(&Base::debian13(), None);
        let shared = labelling.shared();
        let (mut states, mut told) = (0, 0);
        for path in [
            "/usr/lib/udev/devices/loop0",
            "/etc/ssl/private/x.pem",
            "/home/joe/.ssh/id",
            "/var/run/a/b",
            "/lib64/ld",
        ] {
            let mut at = shared.first();
            for byte in path.bytes() {
                let apart = shared.apart(&at);
                told += (0..=u8::MAX).filter(|b| program::has(&apart, *b)).count();
                states += 1;
                for other in 1..=u8::MAX {
                    let stands = representative(&apart, other);
                    assert_eq!(
                        shared.after(&at, other),
                        shared.after(&at, stands),
                        "{other} and {stands} in {path}"
                    );
                }
                at = shared.after(&at, byte).unwrap();
            }
        }
        // And few are.
        assert!(told < states * 64, "{told} bytes in {states} states");
    }
}
