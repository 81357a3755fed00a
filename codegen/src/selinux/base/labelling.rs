//! All lines of file contexts as one automaton over canonical paths: which line labels a path, built state by state as asked.
//!
//! A state is a place among the sorted literal parts, the automata of the lines whose literal part is behind us, and what an
//! alias may still do. The base's lines and the policy's own run side by side; where both label a path the order decides.

use super::apart::{Bytes, representative};
use super::pack::program;
use super::pack::rank::Kind;
use super::pack::tables::{Inst, part};
use super::under::line_program;
use super::{Ask, Base, Packed};
use canc_sets::mix::Mixed;
use canc_sets::path::{Atom, Lang, Machine};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// The policy's own lines, packed like a base, and where each of them stands among the base's: it beats those below its number.
#[derive(Debug, Clone)]
pub struct Overlay {
    /// The lines.
    pub(in crate::selinux) tables: Packed,
    /// By line, how many of the base's lines it beats.
    pub(in crate::selinux) beats: Vec<u32>,
    /// By line, lines that must match too; such helpers label nothing themselves.
    pub(in crate::selinux) with: Vec<Vec<u32>>,
    /// By line, whether it only helps another.
    pub(in crate::selinux) helper: Vec<bool>,
}

impl Overlay {
    /// Whether a line only helps another.
    fn helps(&self, at: u32) -> bool {
        self.helper.get(at as usize).copied().unwrap_or(false)
    }

    /// Whether a line labels whatever it matches.
    fn counts_alone(&self, at: u32) -> bool {
        !self.helps(at) && self.with.get(at as usize).is_none_or(Vec::is_empty)
    }
}

/// A line that labels a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Winner {
    /// One of the base's.
    Base(u32),
    /// One of the policy's own.
    Own(u32),
}

/// The lines of a base, with or without own ones, ready for questions.
#[derive(Clone)]
pub struct Labelling {
    shared: Arc<Shared>,
}

pub(super) struct Shared {
    pub(super) base: Packed,
    pub(super) own: Option<Overlay>,
    aliases: Vec<(String, String)>,
    store: Mutex<Store>,
}

#[derive(Default)]
struct Store {
    states: Vec<Arc<State>>,
    known: HashMap<Arc<State>, u32>,
    steps: HashMap<u64, Option<u32>, Mixed>,
    apart: HashMap<u32, Bytes, Mixed>,
}

/// Where one set of lines stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct Pos {
    /// The lines whose literal part goes on, as a range of those sorted by it.
    pub(super) from: u32,
    pub(super) to: u32,
    /// How many bytes of the literal part are behind us.
    pub(super) depth: u32,
    /// Lines whose literal part is behind us, and the instructions they are at.
    pub(super) threads: Vec<(u32, u16)>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct State {
    pub(super) base: Pos,
    pub(super) own: Pos,
    /// Aliases that may still apply, a bit each, and how many bytes of them are behind us.
    pub(super) aliases: u32,
    read: u32,
    /// After a slash: which line labels the directory it ends.
    pub(super) directory: Option<Option<Winner>>,
}

impl Labelling {
    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// The lines of `base` alone, or together with own ones.
    #[must_use]
    pub fn new(base: &Base, own: Option<Overlay>) -> Self {
        let aliases = base.aliases().map(|(from, to)| (from.to_owned(), to.to_owned())).take(32).collect();
        let shared = Shared { base: base.tables().clone(), own, aliases, store: Mutex::default() };
        Self { shared: Arc::new(shared) }
    }

    /// The line that labels a canonical path.
    #[must_use]
    pub fn label(&self, path: &str, ask: Ask) -> Option<Winner> {
        let mut at = self.shared.first();
        for byte in path.bytes() {
            at = self.shared.after(&at, byte)?;
        }
        at.directory.unwrap_or_else(|| self.shared.winner(&at, ask))
    }

    /// The canonical paths for which `wanted` accepts the line that labels them. `ask` says what is at a path that is no directory;
    /// `wanted` also hears whether the path is a directory.
    ///
    /// `target` must hold for every line that `wanted` may accept; it only saves time.
    pub fn lang(
        &self,
        name: impl Into<String>,
        ask: Ask,
        target: impl Fn(Winner) -> bool,
        wanted: impl Fn(Winner, bool) -> bool + Send + Sync + 'static,
    ) -> Lang {
        let base_count = |at: u32| target(Winner::Base(at));
        let own_count = |at: u32| target(Winner::Own(at));
        let machine = Question {
            shared: Arc::clone(&self.shared),
            ask,
            base_targets: Targets::new(&self.shared.base, &base_count),
            own_targets: self
                .shared
                .own
                .as_ref()
                .map(|o| Targets::new(&o.tables, &own_count))
                .unwrap_or_default(),
            wanted: Box::new(wanted),
        };
        Lang::Atom(Atom::machine(Arc::new(machine), name))
    }
}

/// Which lines may be wanted, ready to be counted over ranges.
#[derive(Default)]
struct Targets {
    is: Vec<bool>,
    before: Vec<u32>,
}

impl Targets {
    fn new(tables: &Packed, target: &dyn Fn(u32) -> bool) -> Self {
        let is: Vec<bool> =
            (0..tables.entries.len()).map(|at| target(u32::try_from(at).unwrap_or(u32::MAX))).collect();
        let mut before = vec![0];
        let mut sum = 0;
        for at in tables.by_literal.iter() {
            sum += u32::from(is.get(*at as usize).copied().unwrap_or(false));
            before.push(sum);
        }
        Self { is, before }
    }

    fn reachable(&self, pos: &Pos) -> bool {
        let count = |at: u32| self.before.get(at as usize).copied().unwrap_or(0);
        count(pos.to) > count(pos.from)
            || pos.threads.iter().any(|(e, _)| self.is.get(*e as usize).copied().unwrap_or(false))
    }
}

struct Question {
    shared: Arc<Shared>,
    ask: Ask,
    base_targets: Targets,
    own_targets: Targets,
    wanted: Box<dyn Fn(Winner, bool) -> bool + Send + Sync>,
}

impl Machine for Question {
    fn start(&self) -> u32 {
        self.shared.intern(self.shared.first())
    }

    fn step(&self, state: u32, byte: u8) -> Option<u32> {
        let next = self.shared.step(state, byte)?;
        let at = self.shared.state(next)?;
        let ahead =
            self.base_targets.reachable(&at.base) || self.own_targets.reachable(&at.own) || at.aliases != 0;
        // Right after a slash the path may end: then the directory's line counts.
        let here = at.directory.flatten().is_some_and(|w| (self.wanted)(w, true));
        (ahead || here).then_some(next)
    }

    fn accepts(&self, state: u32) -> bool {
        let Some(at) = self.shared.state(state) else { return false };
        match at.directory {
            Some(winner) => winner.is_some_and(|w| (self.wanted)(w, true)),
            None => self.shared.winner(&at, self.ask).is_some_and(|w| (self.wanted)(w, false)),
        }
    }

    fn starts_class(&self, byte: u8) -> bool {
        self.shared.starts_class(byte)
    }
}

impl Shared {
    /// Whether some line may tell `byte` from the byte before it.
    pub(super) fn starts_class(&self, byte: u8) -> bool {
        let own = self.own.as_ref().is_some_and(|o| program::has(&o.tables.boundaries, byte));
        let alias = |(from, _): &(String, String)| from.bytes().any(|b| b == byte || b + 1 == byte);
        own || program::has(&self.base.boundaries, byte) || self.aliases.iter().any(alias)
    }

    pub(super) fn first(&self) -> State {
        State {
            base: Pos::start(&self.base),
            own: self.own.as_ref().map(|o| Pos::start(&o.tables)).unwrap_or_default(),
            aliases: u32::MAX.checked_shr(32 - u32::try_from(self.aliases.len()).unwrap_or(32)).unwrap_or(0),
            read: 0,
            directory: None,
        }
    }

    pub(super) fn intern(&self, state: State) -> u32 {
        let Ok(mut store) = self.store.lock() else { return 0 };
        if let Some(known) = store.known.get(&state) {
            return *known;
        }
        let number = u32::try_from(store.states.len()).unwrap_or(u32::MAX);
        let state = Arc::new(state);
        store.states.push(Arc::clone(&state));
        store.known.insert(state, number);
        number
    }

    pub(super) fn state(&self, number: u32) -> Option<Arc<State>> {
        self.store.lock().ok()?.states.get(number as usize).cloned()
    }

    /// A byte after which a state stands where it stands after this one.
    pub(super) fn representative(&self, number: u32, byte: u8) -> Option<u8> {
        if let Some(known) = self.store.lock().ok()?.apart.get(&number) {
            return Some(representative(known, byte));
        }
        let apart = self.apart(&*self.state(number)?);
        self.store.lock().ok()?.apart.insert(number, apart);
        Some(representative(&apart, byte))
    }

    pub(super) fn step(&self, number: u32, byte: u8) -> Option<u32> {
        let byte = self.representative(number, byte)?;
        if let Some(known) = self.store.lock().ok()?.steps.get(&(u64::from(number) << 8 | u64::from(byte))) {
            return *known;
        }
        let from = self.state(number)?;
        let next = self.after(&from, byte).map(|s| self.intern(s));
        self.store.lock().ok()?.steps.insert(u64::from(number) << 8 | u64::from(byte), next);
        next
    }

    pub(super) fn after(&self, at: &State, byte: u8) -> Option<State> {
        let (mut base, mut own) = (at.base.clone(), at.own.clone());
        let mut aliases = at.aliases;
        if byte == b'/'
            && let Some((index, moved)) = self.alias(at)
        {
            (base, own) = moved;
            // An alias that comes first in the list may still take over further down.
            aliases &= (1 << index) - 1;
        }
        let directory = (byte == b'/').then(|| self.winner_of(&base, &own, Ask::Exactly(Kind::Directory)));
        base.step(&self.base, byte);
        base.drop_hopeless(&self.base, &|_| true, &|_| false);
        if let Some(lines) = &self.own {
            own.step(&lines.tables, byte);
            own.drop_hopeless(&lines.tables, &|at| lines.counts_alone(at), &|at| lines.helps(at));
        }
        let fits = |i: u32| {
            let from = self.aliases.get(i as usize).map_or("", |a| &a.0);
            aliases >> i & 1 == 1 && from.as_bytes().get(at.read as usize) == Some(&byte)
        };
        let aliases = (0..32).filter(|i| fits(*i)).fold(0, |bits, i| bits | 1 << i);
        let read = if aliases == 0 { 0 } else { at.read + 1 };
        // The root's name is its slash.
        let root = at.read == 0 && at.base.depth == 0 && at.directory.is_none() && at.base.threads.is_empty();
        let directory =
            if root { Some(self.winner_of(&base, &own, Ask::Exactly(Kind::Directory))) } else { directory };
        Some(State { base, own, aliases, read, directory })
    }

    /// The bytes with which aliases go on.
    pub(super) fn alias_bytes(&self, at: &State) -> impl Iterator<Item = u8> {
        let open =
            (0u32..).zip(&self.aliases).filter(|(i, _)| at.aliases.checked_shr(*i).unwrap_or(0) & 1 == 1);
        open.filter_map(|(_, (from, _))| from.as_bytes().get(at.read as usize).copied())
    }

    /// The alias that is complete here, and where it leads.
    fn alias(&self, at: &State) -> Option<(u32, (Pos, Pos))> {
        let complete = |i: &u32| {
            at.aliases >> i & 1 == 1
                && self.aliases.get(*i as usize).is_some_and(|a| a.0.len() == at.read as usize)
        };
        let index = (0..32).find(complete)?;
        let to = &self.aliases.get(index as usize)?.1;
        let mut base = Pos::start(&self.base);
        to.bytes().for_each(|b| base.step(&self.base, b));
        let mut own = Pos::default();
        if let Some(lines) = &self.own {
            own = Pos::start(&lines.tables);
            to.bytes().for_each(|b| own.step(&lines.tables, b));
        }
        Some((index, (base, own)))
    }

    pub(super) fn winner(&self, at: &State, ask: Ask) -> Option<Winner> {
        match self.alias(at) {
            Some((_, (base, own))) => self.winner_of(&base, &own, ask),
            None => self.winner_of(&at.base, &at.own, ask),
        }
    }

    fn winner_of(&self, base: &Pos, own: &Pos, ask: Ask) -> Option<Winner> {
        let base =
            base.ended(&self.base).filter(|at| self.base.entry(*at).is_some_and(|e| ask.wants(e.kind))).max();
        let own = self.own.as_ref().and_then(|lines| {
            let ended: Vec<u32> = own.ended(&lines.tables).collect();
            let all =
                |at: u32| lines.with.get(at as usize).is_none_or(|w| w.iter().all(|h| ended.contains(h)));
            let labels = |at: &&u32| {
                lines.tables.entry(**at).is_some_and(|e| ask.wants(e.kind)) && !lines.helps(**at) && all(**at)
            };
            ended.iter().filter(labels).max().copied()
        });
        match (base, own) {
            (Some(base), Some(own)) => {
                let beats = self.own.as_ref().and_then(|o| o.beats.get(own as usize)).copied().unwrap_or(0);
                Some(if base < beats { Winner::Own(own) } else { Winner::Base(base) })
            }
            (Some(base), None) => Some(Winner::Base(base)),
            (None, Some(own)) => Some(Winner::Own(own)),
            (None, None) => None,
        }
    }
}

impl Pos {
    fn start(tables: &Packed) -> Self {
        let mut out = Self {
            from: 0,
            to: u32::try_from(tables.by_literal.len()).unwrap_or(u32::MAX),
            ..Self::default()
        };
        out.begin(tables);
        out
    }

    /// Starts the automata of the lines whose literal part ends here.
    fn begin(&mut self, tables: &Packed) {
        let mut begun = 0;
        for at in part(&tables.by_literal, super::pack::tables::Range { from: self.from, to: self.to }) {
            let Some(entry) = tables.entry(*at).filter(|e| u32::from(e.literal.len) == self.depth) else {
                break;
            };
            begun += 1;
            let program = line_program(entry, part(&tables.program, entry.program));
            let states = program::start(program);
            self.threads.extend(program::each(&states).map(|pc| (*at, pc)));
        }
        self.from += begun;
    }

    fn step(&mut self, tables: &Packed, byte: u8) {
        let mut threads: Vec<(u32, u16)> = Vec::new();
        for group in self.threads.chunk_by(|a, b| a.0 == b.0) {
            let Some((at, entry)) = group.first().and_then(|(at, _)| Some((*at, tables.entry(*at)?))) else {
                continue;
            };
            let program = line_program(entry, part(&tables.program, entry.program));
            let mut states = [0; 4];
            for (_, pc) in group {
                let hit = match program.get(usize::from(*pc)) {
                    Some(Inst::Byte(b)) => *b == byte,
                    Some(Inst::Any) => true,
                    Some(Inst::Class(c)) => tables
                        .classes_of_bytes
                        .get(usize::from(*c))
                        .is_some_and(|bits| program::has(bits, byte)),
                    _ => false,
                };
                if hit {
                    program::add(program, &mut states, pc + 1);
                }
            }
            // Only instructions that read or end are places; the others lead to them.
            threads.extend(program::each(&states).map(|pc| (at, pc)));
        }
        let literals = part(&tables.by_literal, super::pack::tables::Range { from: self.from, to: self.to });
        let next = |at: &u32| {
            let literal = tables.entry(*at).map_or("", |e| tables.text(e.literal));
            literal.as_bytes().get(self.depth as usize).copied()
        };
        let first = literals.partition_point(|at| next(at) < Some(byte));
        let last = literals.partition_point(|at| next(at) <= Some(byte));
        let offset = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        (self.from, self.to) = (self.from + offset(first), self.from + offset(last));
        self.depth += 1;
        self.threads = threads;
        if self.from == self.to {
            // Where the literal parts stand no longer matters, so that equal states are equal.
            (self.from, self.to, self.depth) = (0, 0, u32::MAX / 2);
        } else {
            self.begin(tables);
            if self.from == self.to {
                (self.from, self.to, self.depth) = (0, 0, u32::MAX / 2);
            }
        }
        self.threads.sort_unstable();
    }

    /// Drops lines that a stronger one beats from here on, whatever follows; `alone` holds for lines that label whatever they match,
    /// `helps` for those that others need.
    fn drop_hopeless(&mut self, tables: &Packed, alone: &dyn Fn(u32) -> bool, helps: &dyn Fn(u32) -> bool) {
        let forever = |&(at, pc): &(u32, u16)| {
            let entry = tables.entry(at)?;
            let program = line_program(entry, part(&tables.program, entry.program));
            let all = entry.kind == Kind::Any && super::product::takes_all(program, pc);
            (all && alone(at)).then_some(at)
        };
        if let Some(floor) = self.threads.iter().filter_map(forever).max() {
            self.threads.retain(|(at, _)| *at >= floor || helps(*at));
        }
    }

    /// The lines that match what was read.
    fn ended<'t>(&'t self, tables: &'t Packed) -> impl Iterator<Item = u32> + 't {
        self.threads.iter().filter_map(|(at, pc)| {
            let entry = tables.entry(*at)?;
            let program = line_program(entry, part(&tables.program, entry.program));
            matches!(program.get(usize::from(*pc)), Some(Inst::Match)).then_some(*at)
        })
    }
}
