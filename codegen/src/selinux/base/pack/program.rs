//! A file-context pattern to its literal part and a small automaton for the rest, and the simulation of that automaton.

use super::tables::{Inst, Shape};
use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Hir, HirKind, Repetition};

/// The most instructions of one automaton, so that a state set is one 256-bit word.
pub const MAX_INSTRUCTIONS: usize = 256;

/// A parsed pattern.
#[derive(Debug, Clone)]
pub struct Parsed {
    /// What each match starts with.
    pub literal: Vec<u8>,
    /// What follows.
    pub rest: Hir,
    /// How it matches.
    pub shape: Shape,
}

/// Parses a pattern as libselinux compiles it: PCRE, anchored at both ends, by bytes, the dot matching a newline too.
///
/// # Errors
/// Why the pattern is not understood.
pub fn parse(pattern: &str) -> Result<Parsed, String> {
    let mut parser = ParserBuilder::new().unicode(false).utf8(false).dot_matches_new_line(true).build();
    let hir = parser.parse(pattern).map_err(|e| e.to_string())?;
    if !hir.properties().look_set().is_empty() {
        return Err("assertions inside a pattern are not understood".into());
    }
    let (literal, rest) = split(hir);
    let shape = shape(&literal, &rest);
    Ok(Parsed { literal, rest, shape })
}

fn split(hir: Hir) -> (Vec<u8>, Hir) {
    match hir.into_kind() {
        HirKind::Literal(text) => (text.0.to_vec(), Hir::empty()),
        HirKind::Concat(parts) => {
            let mut parts = parts.into_iter().peekable();
            match parts.next().map(Hir::into_kind) {
                Some(HirKind::Literal(text)) => (text.0.to_vec(), Hir::concat(parts.collect())),
                Some(first) => {
                    (Vec::new(), Hir::concat(std::iter::once(rebuild(first)).chain(parts).collect()))
                }
                None => (Vec::new(), Hir::empty()),
            }
        }
        other => (Vec::new(), rebuild(other)),
    }
}

fn rebuild(kind: HirKind) -> Hir {
    match kind {
        HirKind::Empty | HirKind::Look(_) => Hir::empty(),
        HirKind::Literal(text) => Hir::literal(text.0),
        HirKind::Class(class) => Hir::class(class),
        HirKind::Repetition(repetition) => Hir::repetition(repetition),
        HirKind::Capture(capture) => Hir::capture(capture),
        HirKind::Concat(parts) => Hir::concat(parts),
        HirKind::Alternation(parts) => Hir::alternation(parts),
    }
}

fn shape(literal: &[u8], rest: &Hir) -> Shape {
    match inner(rest).kind() {
        HirKind::Empty => Shape::Plain,
        HirKind::Repetition(r)
            if r.min == 0 && r.max.is_none() && is_dot(&r.sub) && literal.ends_with(b"/") =>
        {
            Shape::Below
        }
        HirKind::Repetition(r) if r.min == 0 && r.max == Some(1) => match inner(&r.sub).kind() {
            HirKind::Concat(parts) if !literal.ends_with(b"/") => match parts.as_slice() {
                [slash, dots] if is_slash(slash) && is_dots(dots) => Shape::Subtree,
                _ => Shape::Program,
            },
            _ => Shape::Program,
        },
        _ => Shape::Program,
    }
}

fn inner(hir: &Hir) -> &Hir {
    match hir.kind() {
        HirKind::Capture(capture) => inner(&capture.sub),
        _ => hir,
    }
}

fn is_slash(hir: &Hir) -> bool {
    matches!(hir.kind(), HirKind::Literal(text) if &*text.0 == b"/")
}

fn is_dot(hir: &Hir) -> bool {
    matches!(hir.kind(), HirKind::Class(class) if bits(class) == [u64::MAX; 4])
}

fn is_dots(hir: &Hir) -> bool {
    matches!(hir.kind(), HirKind::Repetition(r) if r.min == 0 && r.max.is_none() && is_dot(&r.sub))
}

/// A class of bytes as a set of bits.
pub fn bits(class: &Class) -> [u64; 4] {
    let mut out = [0; 4];
    let mut add = |low: u8, high: u8| {
        for byte in low..=high {
            set(&mut out, byte);
        }
    };
    match class {
        Class::Bytes(class) => class.ranges().iter().for_each(|r| add(r.start(), r.end())),
        // Only ASCII can come here, since patterns are parsed as bytes.
        Class::Unicode(class) => class.ranges().iter().for_each(|r| {
            let clamp = |c: char| u8::try_from(u32::from(c)).unwrap_or(127);
            add(clamp(r.start()), clamp(r.end()));
        }),
    }
    out
}

/// Puts a byte into a set.
pub fn set(bits: &mut [u64; 4], at: u8) {
    if let Some(word) = bits.get_mut(usize::from(at >> 6)) {
        *word |= 1 << (at & 63);
    }
}

/// Whether a set has a byte.
pub fn has(bits: &[u64; 4], at: u8) -> bool {
    bits.get(usize::from(at >> 6)).is_some_and(|w| w >> (at & 63) & 1 == 1)
}

/// What every match of `rest` has in it, the longest such text.
pub fn needs(rest: &Hir) -> Vec<u8> {
    match rest.kind() {
        HirKind::Literal(text) => text.0.to_vec(),
        HirKind::Capture(capture) => needs(&capture.sub),
        HirKind::Repetition(r) if r.min > 0 => needs(&r.sub),
        HirKind::Concat(parts) => {
            let mut best = Vec::new();
            for text in parts.iter().map(needs) {
                if text.len() > best.len() {
                    best = text;
                }
            }
            best
        }
        _ => Vec::new(),
    }
}

/// Builds automata; classes of bytes are shared.
#[derive(Debug, Default)]
pub struct Compiler {
    /// The classes so far.
    pub classes: Vec<[u64; 4]>,
}

impl Compiler {
    /// The automaton of `rest`.
    ///
    /// # Errors
    /// When it is over [`MAX_INSTRUCTIONS`], or there are more than 256 classes.
    pub fn compile(&mut self, rest: &Hir) -> Result<Vec<Inst>, String> {
        let mut out = Vec::new();
        self.emit(rest, &mut out)?;
        out.push(Inst::Match);
        if out.len() > MAX_INSTRUCTIONS {
            return Err("the pattern is too long".into());
        }
        Ok(out)
    }

    fn emit(&mut self, hir: &Hir, out: &mut Vec<Inst>) -> Result<(), String> {
        if out.len() > MAX_INSTRUCTIONS {
            return Err("the pattern is too long".into());
        }
        match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => {}
            HirKind::Literal(text) => out.extend(text.0.iter().map(|b| Inst::Byte(*b))),
            HirKind::Class(class) => match bits(class) {
                bits if bits == [u64::MAX; 4] => out.push(Inst::Any),
                bits => out.push(Inst::Class(self.class(bits)?)),
            },
            HirKind::Capture(capture) => self.emit(&capture.sub, out)?,
            HirKind::Concat(parts) => parts.iter().try_for_each(|p| self.emit(p, out))?,
            HirKind::Alternation(parts) => self.alternation(parts, out)?,
            HirKind::Repetition(r) => self.repetition(r, out)?,
        }
        Ok(())
    }

    fn class(&mut self, bits: [u64; 4]) -> Result<u8, String> {
        let at = self.classes.iter().position(|c| *c == bits).unwrap_or_else(|| {
            self.classes.push(bits);
            self.classes.len() - 1
        });
        u8::try_from(at).map_err(|_| "too many classes of characters".to_owned())
    }

    fn alternation(&mut self, parts: &[Hir], out: &mut Vec<Inst>) -> Result<(), String> {
        let mut ends = Vec::new();
        for (i, part) in parts.iter().enumerate() {
            if i + 1 == parts.len() {
                self.emit(part, out)?;
                break;
            }
            let fork = reserve(out);
            self.emit(part, out)?;
            ends.push(reserve(out));
            let next = here(out);
            put(out, fork, Inst::Split(target(fork + 1), next));
        }
        let end = here(out);
        ends.into_iter().for_each(|at| put(out, at, Inst::Jump(end)));
        Ok(())
    }

    fn repetition(&mut self, r: &Repetition, out: &mut Vec<Inst>) -> Result<(), String> {
        for _ in 0..r.min {
            self.emit(&r.sub, out)?;
        }
        match r.max {
            None => {
                let fork = reserve(out);
                self.emit(&r.sub, out)?;
                out.push(Inst::Jump(target(fork)));
                let end = here(out);
                put(out, fork, Inst::Split(target(fork + 1), end));
            }
            Some(max) => {
                let mut forks = Vec::new();
                for _ in r.min..max {
                    forks.push(reserve(out));
                    self.emit(&r.sub, out)?;
                }
                let end = here(out);
                forks.into_iter().for_each(|at| put(out, at, Inst::Split(target(at + 1), end)));
            }
        }
        Ok(())
    }
}

fn reserve(out: &mut Vec<Inst>) -> usize {
    out.push(Inst::Match);
    out.len() - 1
}

fn put(out: &mut [Inst], at: usize, inst: Inst) {
    if let Some(slot) = out.get_mut(at) {
        *slot = inst;
    }
}

fn here(out: &[Inst]) -> u16 {
    target(out.len())
}

fn target(at: usize) -> u16 {
    u16::try_from(at).unwrap_or(u16::MAX)
}

/// A set of instructions.
pub type States = [u64; 4];

/// Adds an instruction and what it reaches without reading a byte.
pub fn add(program: &[Inst], states: &mut States, at: u16) {
    let mut stack = [0u16; MAX_INSTRUCTIONS];
    let mut depth = 0;
    let mut next = Some(at);
    while let Some(at) = next {
        next = None;
        let Ok(bit) = u8::try_from(at) else { continue };
        if !has(states, bit) {
            set(states, bit);
            match program.get(usize::from(at)) {
                Some(Inst::Jump(to)) => next = Some(*to),
                Some(Inst::Split(a, b)) => {
                    if let Some(slot) = stack.get_mut(depth) {
                        *slot = *b;
                        depth += 1;
                    }
                    next = Some(*a);
                }
                _ => {}
            }
        }
        if next.is_none() && depth > 0 {
            depth -= 1;
            next = stack.get(depth).copied();
        }
    }
}

/// The states in a set, in order.
pub fn each(states: &States) -> impl Iterator<Item = u16> + use<> {
    let states = *states;
    (0u16..4).flat_map(move |word| {
        let mut bits = states.get(usize::from(word)).copied().unwrap_or(0);
        std::iter::from_fn(move || {
            (bits != 0).then(|| {
                let low = bits.trailing_zeros();
                bits &= bits - 1;
                word * 64 + u16::try_from(low).unwrap_or(0)
            })
        })
    })
}

/// The states before the first byte.
pub fn start(program: &[Inst]) -> States {
    let mut states = [0; 4];
    add(program, &mut states, 0);
    states
}

/// The states after a byte; empty when nothing can match any more.
pub fn step(program: &[Inst], classes: &[[u64; 4]], states: &States, byte: u8) -> States {
    let mut next = [0; 4];
    for at in each(states) {
        let hit = match program.get(usize::from(at)) {
            Some(Inst::Byte(b)) => *b == byte,
            Some(Inst::Any) => true,
            Some(Inst::Class(c)) => classes.get(usize::from(*c)).is_some_and(|bits| has(bits, byte)),
            _ => false,
        };
        if hit {
            add(program, &mut next, at + 1);
        }
    }
    next
}

/// Whether the states have the end.
pub fn accepts(program: &[Inst], states: &States) -> bool {
    each(states).any(|at| matches!(program.get(usize::from(at)), Some(Inst::Match)))
}

/// Whether the automaton matches all of `text`.
pub fn matches(program: &[Inst], classes: &[[u64; 4]], text: &[u8]) -> bool {
    let mut states = start(program);
    for byte in text {
        states = step(program, classes, &states, *byte);
        if states == [0; 4] {
            return false;
        }
    }
    accepts(program, &states)
}

/// Bytes by how pleasant they are: letters, digits, punctuation of names, capitals, the rest; a slash last.
const PLEASANT: [[u64; 4]; 4] = [
    [0, 0x07ff_fffe_0000_0000, 0, 0],
    [0x03ff_0000_0000_0000, 0, 0, 0],
    [0x0000_6000_0000_0000, 0x0000_0000_8000_0000, 0, 0],
    [0, 0x0000_0000_07ff_fffe, 0, 0],
];

/// The most pleasant byte of a class, a slash only when there is nothing else.
pub fn pleasant(class: &[u64; 4]) -> Option<u8> {
    let first = |set: [u64; 4]| {
        let words = set.iter().zip([0u8, 64, 128, 192]);
        words
            .filter(|(w, _)| **w != 0)
            .map(|(w, base)| base + u8::try_from(w.trailing_zeros()).unwrap_or(0))
            .next()
    };
    for group in &PLEASANT {
        let mut both = *group;
        both.iter_mut().zip(class).for_each(|(b, c)| *b &= c);
        if let Some(byte) = first(both) {
            return Some(byte);
        }
    }
    let mut rest = *class;
    if let Some(word) = rest.first_mut() {
        *word &= !(1 | 1 << b'/');
    }
    let printable = (0x21..=0x7eu8).find(|b| has(&rest, *b));
    printable.or_else(|| first(rest)).or_else(|| has(class, b'/').then_some(b'/'))
}

/// The most examples that one pattern gives.
const EXAMPLES: usize = 24;

/// Some texts that `hir` matches, varied in what is optional and in the alternatives.
pub fn examples(hir: &Hir) -> Vec<Vec<u8>> {
    let mut out = match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => vec![Vec::new()],
        HirKind::Literal(text) => vec![text.0.to_vec()],
        HirKind::Class(class) => pleasant(&bits(class)).map(|b| vec![b]).into_iter().collect(),
        HirKind::Capture(capture) => examples(&capture.sub),
        HirKind::Repetition(r) => repeated(r),
        HirKind::Alternation(parts) => parts.iter().flat_map(examples).collect(),
        HirKind::Concat(parts) => {
            parts.iter().fold(vec![Vec::new()], |heads, part| join(&heads, &examples(part)))
        }
    };
    out.truncate(EXAMPLES);
    out
}

fn repeated(r: &Repetition) -> Vec<Vec<u8>> {
    let one = examples(&r.sub);
    let least = (0..r.min).fold(vec![Vec::new()], |heads, _| join(&heads, &one));
    if r.max == Some(r.min) {
        return least;
    }
    let more = join(&least, &one);
    // What may be absent is most often tried present: `(/.*)?` is about what is below.
    more.into_iter().chain(least).collect()
}

/// Each head with each tail, the first of both most varied.
fn join(heads: &[Vec<u8>], tails: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut out = Vec::new();
    for sum in 0..heads.len() + tails.len() {
        for (i, head) in heads.iter().enumerate().take(sum + 1) {
            let Some(tail) = tails.get(sum - i) else { continue };
            out.push([head.as_slice(), tail.as_slice()].concat());
            if out.len() >= EXAMPLES {
                return out;
            }
        }
    }
    out
}
