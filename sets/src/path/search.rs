//! A formula over automata to a shortest string that satisfies it, breadth first over their product.

use super::atom::{Engine, Memory, StateId};
use super::guide::{Distance, Guide};
use super::{Atom, Lang, Pattern, TooLarge};
use crate::mix::Mixed;
use std::collections::{HashMap, HashSet, VecDeque};
use std::rc::Rc;

/// The most product states that one question may visit.
const MAX_STATES: usize = 200_000;

/// A question that visits more of them is asked again with a guide.
const FEW_STATES: usize = 2_000;

/// How a walk ended.
enum Ended {
    /// With all there is.
    With(Option<Vec<u8>>),
    /// Before that.
    Early,
}

/// Where a byte leads.
enum Step {
    To(Node),
    /// To no string of the language.
    Dead,
    /// To strings that are longer than is asked.
    TooFar,
}

/// A [`Lang`] whose atoms are numbers into a list without repetition.
enum Formula {
    Constant(bool),
    Atom(usize),
    Or(Vec<Formula>),
    And(Vec<Formula>),
    Not(Box<Formula>),
}

impl Formula {
    fn new<'a>(lang: &'a Lang, atoms: &mut Atoms<'a>) -> Self {
        match lang {
            Lang::Empty => Self::Constant(false),
            Lang::All => Self::Constant(true),
            Lang::Atom(atom) => Self::Atom(atoms.number(atom)),
            Lang::Any(parts) => Self::Or(parts.iter().map(|p| Self::new(p, atoms)).collect()),
            Lang::Every(parts) => Self::And(parts.iter().map(|p| Self::new(p, atoms)).collect()),
            Lang::Not(inner) => Self::Not(Box::new(Self::new(inner, atoms))),
        }
    }

    /// The value where it is already decided by what `atom` knows; `None` where it is open.
    fn value(&self, atom: &dyn Fn(usize) -> Option<bool>) -> Option<bool> {
        match self {
            Self::Constant(value) => Some(*value),
            Self::Atom(i) => atom(*i),
            Self::Not(inner) => inner.value(atom).map(|v| !v),
            Self::Or(parts) => Self::join(parts, true, atom),
            Self::And(parts) => Self::join(parts, false, atom),
        }
    }

    fn join(parts: &[Self], decides: bool, atom: &dyn Fn(usize) -> Option<bool>) -> Option<bool> {
        let mut open = false;
        for part in parts {
            match part.value(atom) {
                Some(v) if v == decides => return Some(decides),
                Some(_) => {}
                None => open = true,
            }
        }
        if open { None } else { Some(!decides) }
    }

    /// Notes the atoms that every string must be in.
    fn required(&self, out: &mut [bool]) {
        match self {
            Self::Atom(i) => out.iter_mut().skip(*i).take(1).for_each(|r| *r = true),
            Self::And(parts) => parts.iter().for_each(|p| p.required(out)),
            Self::Or(parts) if parts.len() == 1 => parts.iter().for_each(|p| p.required(out)),
            Self::Constant(_) | Self::Or(_) | Self::Not(_) => {}
        }
    }
}

/// The live automata of a product state; a dead one is left out.
type Node = Vec<(u32, StateId)>;

/// The atoms of a formula, each once: the same atom, or another one of the same pattern.
#[derive(Default)]
struct Atoms<'a> {
    list: Vec<&'a Atom>,
    by_pattern: HashMap<&'a Pattern, usize>,
    by_address: HashMap<*const Atom, usize>,
}

impl<'a> Atoms<'a> {
    fn number(&mut self, atom: &'a Atom) -> usize {
        let next = self.list.len();
        let number = match atom.as_pattern() {
            Some(pattern) => *self.by_pattern.entry(pattern).or_insert(next),
            None => *self.by_address.entry(std::ptr::from_ref(atom)).or_insert(next),
        };
        if number == next {
            self.list.push(atom);
        }
        number
    }
}

/// One automaton at work.
pub(super) struct Runner<'a> {
    pub(super) atom: &'a Atom,
    pub(super) engine: &'a Engine,
    pub(super) memory: Memory,
    /// Whether nothing is left once it is dead.
    pub(super) required: bool,
}

/// A question at work.
pub(super) struct Search<'a> {
    formula: Formula,
    runners: Vec<Runner<'a>>,
    /// One byte for each class that no automaton tells apart, the most readable first.
    alphabet: Vec<u8>,
}

impl<'a> Search<'a> {
    /// Asks for a string of the universe that is in the language.
    pub(super) fn new(universe: &'a Atom, lang: &'a Lang) -> Result<Self, TooLarge> {
        let mut atoms = Atoms::default();
        let universe = Formula::Atom(atoms.number(universe));
        let formula = Formula::And(vec![universe, Formula::new(lang, &mut atoms)]);
        let mut required = vec![false; atoms.list.len()];
        formula.required(&mut required);
        let mut runners = Vec::with_capacity(atoms.list.len());
        for (atom, required) in atoms.list.into_iter().zip(required) {
            let engine = atom.engine()?;
            runners.push(Runner { atom, engine, memory: engine.memory(), required });
        }
        let alphabet = alphabet(&runners);
        Ok(Self { formula, runners, alphabet })
    }

    /// A shortest string, the most readable of its length.
    pub(super) fn run(&mut self) -> Result<Option<Vec<u8>>, TooLarge> {
        if let Ended::With(found) = self.walk(None)? {
            return Ok(found);
        }
        self.guided()
    }

    fn guided(&mut self) -> Result<Option<Vec<u8>>, TooLarge> {
        let guide = Guide::new(&mut self.runners, &self.alphabet)?;
        // A string that is longer than need be costs little; walking again and again would.
        let (mut longest, mut more) = (guide.start(), 4);
        loop {
            if let Ended::With(found) = self.walk(Some((&guide, longest)))? {
                return Ok(found);
            }
            longest += more;
            more *= 2;
        }
    }

    /// Breadth first to strings of at most a length, leaving out what the guide says is too far from all of them; without a guide to
    /// the first few.
    fn walk(&mut self, within: Option<(&Guide, usize)>) -> Result<Ended, TooLarge> {
        let mut start: Node = Vec::with_capacity(self.runners.len());
        for (i, runner) in self.runners.iter_mut().enumerate() {
            let id = runner.engine.start(&mut runner.memory).ok_or_else(|| runner.atom.too_large())?;
            start.push((index(i), id));
        }
        if self.accepts(&start)? {
            return Ok(Ended::With(Some(Vec::new())));
        }
        let mut cut = false;
        // Each visited node remembers the node and the byte it was reached by, and after how many.
        let mut trail: Vec<(usize, u8)> = vec![(0, 0)];
        let mut nodes: Vec<(Rc<Node>, usize)> = vec![(Rc::new(start), 0)];
        let mut seen: HashSet<Rc<Node>, Mixed> = nodes.iter().map(|n| Rc::clone(&n.0)).collect();
        let mut queue: VecDeque<usize> = VecDeque::from([0]);
        while let Some(at) = queue.pop_front() {
            let Some((from, depth)) = nodes.get(at).cloned() else { break };
            let mut last: Option<Rc<Node>> = None;
            for symbol in 0..self.alphabet.len() {
                let Some(&byte) = self.alphabet.get(symbol) else { break };
                let left = within.map(|(guide, longest)| (guide, longest.checked_sub(depth + 1)));
                let next = match self.step(&from, byte, left)? {
                    Step::To(next) => next,
                    Step::Dead => continue,
                    Step::TooFar => {
                        cut = true;
                        continue;
                    }
                };
                // Most bytes lead where the one before did.
                if last.as_deref() == Some(&next) {
                    continue;
                }
                let next = Rc::new(next);
                last = Some(Rc::clone(&next));
                let alive =
                    |i: usize| next.binary_search_by_key(&index(i), |n| n.0).map_or(Some(false), |_| None);
                if seen.contains(&next) || self.formula.value(&alive) == Some(false) {
                    continue;
                }
                trail.push((at, byte));
                if self.accepts(&next)? {
                    return Ok(Ended::With(Some(spell(&trail, trail.len() - 1))));
                }
                seen.insert(Rc::clone(&next));
                nodes.push((next, depth + 1));
                queue.push_back(nodes.len() - 1);
                match within {
                    None if nodes.len() > FEW_STATES => return Ok(Ended::Early),
                    Some(_) if nodes.len() > MAX_STATES => return Err(self.too_large()),
                    _ => {}
                }
            }
        }
        Ok(if cut { Ended::Early } else { Ended::With(None) })
    }

    /// The live automata after a byte, in the order of their numbers. After it a string may have so many bytes `left`; what is too
    /// far is not asked of the automata behind the one that tells.
    fn step(
        &mut self,
        from: &Node,
        byte: u8,
        left: Option<(&Guide, Option<usize>)>,
    ) -> Result<Step, TooLarge> {
        let mut next = Node::with_capacity(from.len());
        for (i, id) in from {
            let Some(runner) = self.runners.get_mut(*i as usize) else { continue };
            let id =
                runner.engine.step(&mut runner.memory, *id, byte).ok_or_else(|| runner.atom.too_large())?;
            match id {
                Some(id) => {
                    if let Some((guide, left)) = left {
                        match guide.distance(*i, id) {
                            Distance::Endless => return Ok(Step::Dead),
                            Distance::AtLeast(least) if left.is_none_or(|left| least > left) => {
                                return Ok(Step::TooFar);
                            }
                            Distance::AtLeast(_) => {}
                        }
                    }
                    next.push((*i, id));
                }
                None if runner.required => return Ok(Step::Dead),
                None => {}
            }
        }
        Ok(Step::To(next))
    }

    fn accepts(&mut self, node: &Node) -> Result<bool, TooLarge> {
        let mut hits = Vec::with_capacity(node.len());
        for (i, id) in node {
            let Some(runner) = self.runners.get_mut(*i as usize) else { continue };
            let hit =
                runner.engine.accepts(&mut runner.memory, *id).ok_or_else(|| runner.atom.too_large())?;
            if hit {
                hits.push(*i);
            }
        }
        Ok(self.formula.value(&|i| Some(hits.binary_search(&index(i)).is_ok())) == Some(true))
    }

    /// Blames the automaton that has grown most.
    fn too_large(&self) -> TooLarge {
        let worst = self.runners.iter().max_by_key(|r| r.engine.weight(&r.memory));
        worst.map_or(TooLarge { pattern: String::new() }, |r| r.atom.too_large())
    }
}

pub(super) fn index(i: usize) -> u32 {
    u32::try_from(i).unwrap_or(u32::MAX)
}

fn spell(trail: &[(usize, u8)], mut at: usize) -> Vec<u8> {
    let mut out = Vec::new();
    while at != 0 {
        let Some((from, byte)) = trail.get(at) else { break };
        out.push(*byte);
        at = *from;
    }
    out.reverse();
    out
}

/// How pleasant a byte is in a witness; less is better.
pub(super) fn rank(byte: u8) -> u8 {
    match byte {
        b'a'..=b'z' => 0,
        b'0'..=b'9' => 1,
        b'/' | b'.' | b'_' | b'-' => 2,
        b'A'..=b'Z' => 3,
        0x21..=0x7e => 4,
        b' ' => 5,
        0x80.. => 6,
        _ => 7,
    }
}

fn alphabet(runners: &[Runner<'_>]) -> Vec<u8> {
    let starts = |byte: u8| runners.iter().any(|r| r.engine.starts_class(byte));
    // Intervals between starts may still be one class of every automaton; telling them apart costs time, never exactness.
    let mut best: Vec<u8> = Vec::new();
    for byte in 0..=255u8 {
        match best.last_mut() {
            Some(kept) if !starts(byte) => {
                if rank(byte) < rank(*kept) {
                    *kept = byte;
                }
            }
            _ => best.push(byte),
        }
    }
    best.sort_by_key(|b| (rank(*b), *b));
    best
}

#[cfg(test)]
mod tests {
    use super::super::Universe;
    use super::*;

    #[test]
    fn a_guide_changes_no_answer() {
        let of = |texts: &[&str]| {
            let all: Vec<Pattern> = texts.iter().flat_map(|t| Pattern::parse(t).unwrap()).collect();
            Lang::patterns(&all).unwrap()
        };
        let Lang::Atom(universe) = Lang::universe(Universe::Paths).unwrap() else { panic!("no atom") };
        let wholes = ["/**/srv/data/**", "/srv/**", "/**/a/*/b", "/s*/x[0-9]y/**", "/a/b"];
        let taken: [&[&str]; 6] = [
            &["/srv/**"],
            &["/**/srv/**"],
            &["/srv/data/**", "/*/srv/data/**", "/*/*/srv/data/?"],
            &["/a/**", "/b/a/a/*"],
            &["/**"],
            &["/**/b"],
        ];
        let (mut found, mut guided) = (0, 0);
        for whole in wholes {
            for taken in taken {
                let lang = of(&[whole]).and(of(&["/**"])).minus(of(taken));
                let mut search = Search::new(&universe, &lang).unwrap();
                let Ended::With(plain) = search.walk(Some((&Guide::default(), usize::MAX))).unwrap() else {
                    panic!("a walk without end")
                };
                found += usize::from(plain.is_some());
                assert_eq!(search.guided().unwrap(), plain, "{whole} without {taken:?}");
                let guide = Guide::new(&mut search.runners, &search.alphabet).unwrap();
                guided += usize::from(guide.start() != usize::MAX);
            }
        }
        assert!(found > 15 && guided > 10, "{found} {guided}");
    }
}
