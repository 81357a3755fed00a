//! Types to the canonical paths that carry them, as automata: what a path is labelled, and what the directory is that holds it.
//!
//! Where no line gives a label, what is there carries the type of the nearest directory that has one, as new files do. What the
//! kernel labels by itself (`/proc`, `/sys`, …) is left out: that is a question of file systems, not of lines.

use super::labelling::{Labelling, Pos, Shared, State, Winner};
use super::pack::rank::Kind;
use super::pack::tables::{NO_TYPE, part};
use super::{Ask, Packed, TypeNo};
use canc_sets::mix::Mixed;
use canc_sets::path::{Atom, Lang, Machine};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, OnceLock};

/// The type of a line: the base's, or the own lines' by its number in their tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Label {
    /// The base's.
    Base(TypeNo),
    /// One of the own lines'.
    Own(u16),
}

/// Kinds of file, a bit each by their number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Kinds(pub u8);

impl Kinds {
    /// Everything.
    pub const ALL: Self = Self(0b1111_1110);
    /// Everything that is no directory.
    pub const NO_DIRECTORY: Self = Self(0b1111_1010);

    /// One kind.
    #[must_use]
    pub fn one(kind: Kind) -> Self {
        Self(1 << (kind as u8))
    }

    /// What either has.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether something that a line of this kind labels may be one of them, directories apart.
    fn meets(self, line: Kind) -> bool {
        let of_line = if line == Kind::Any { Self::NO_DIRECTORY } else { Self::one(line) };
        self.0 & of_line.0 & Self::NO_DIRECTORY.0 != 0
    }

    fn directory(self) -> bool {
        self.0 & Self::one(Kind::Directory).0 != 0
    }
}

/// Which paths are wanted. All conditions must hold.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Wanted {
    /// What the path itself carries, with the kinds of file of which that is wanted; `None` where it does not matter.
    pub labels: Option<BTreeMap<Label, Kinds>>,
    /// Kinds of file that are wanted where no line gives a label, whatever the directories above carry.
    pub unlabelled: Kinds,
    /// What the directory that holds it carries; `None` where it does not matter.
    pub holders: Option<BTreeSet<Label>>,
    /// Whether directories are wanted, and whether anything else is.
    pub things: Kinds,
}

/// Lines ready for questions about types.
#[derive(Clone)]
pub struct Places {
    lines: Labelling,
    mounts: Arc<Vec<String>>,
    /// By line, its place among the lines sorted by literal part: the base's and the own ones'.
    positions: Arc<OnceLock<(Vec<u32>, Vec<u32>)>>,
    /// The bytes that some line or mount point may tell from the byte before them.
    boundaries: Arc<[bool; 256]>,
}

impl Places {
    /// Of these lines; `mounts` are the directories on which file systems are mounted whose labels the kernel makes.
    #[must_use]
    pub fn new(lines: Labelling, mounts: Vec<String>) -> Self {
        let mut boundaries = [false; 256];
        for (byte, slot) in (0..=255u8).zip(&mut boundaries) {
            let in_mount = |m: &String| m.bytes().any(|b| b == byte || b.checked_add(1) == Some(byte));
            *slot = lines.shared().starts_class(byte) || mounts.iter().any(in_mount);
        }
        Self { lines, mounts: Arc::new(mounts), positions: Arc::default(), boundaries: Arc::new(boundaries) }
    }

    /// The lines.
    #[must_use]
    pub fn lines(&self) -> &Labelling {
        &self.lines
    }

    /// The type that a line gives.
    #[must_use]
    pub fn label_of(&self, line: Winner) -> Option<Label> {
        label_of(self.lines.shared(), line).map(|l| l.0)
    }

    /// The file type of a line.
    #[must_use]
    pub fn kind_of(&self, line: Winner) -> Option<Kind> {
        let shared = self.lines.shared();
        let entry = match line {
            Winner::Base(at) => shared.base.entry(at),
            Winner::Own(at) => shared.own.as_ref()?.tables.entry(at),
        };
        entry.map(|e| e.kind)
    }

    /// The label of this name, the base's before the own lines'.
    #[must_use]
    pub fn label_named(&self, base: &super::Base, name: &str) -> Option<Label> {
        if let Some(ty) = base.type_no(name) {
            return Some(Label::Base(ty));
        }
        let own = &self.lines.shared().own.as_ref()?.tables;
        let place = own.types.binary_search_by(|t| own.text(t.name).cmp(name)).ok()?;
        u16::try_from(place).ok().map(Label::Own)
    }

    /// The name of a type of the own lines.
    #[must_use]
    pub fn own_name(&self, ty: u16) -> Option<&str> {
        let own = &self.lines.shared().own.as_ref()?.tables;
        own.types.get(usize::from(ty)).map(|t| own.text(t.name))
    }

    /// The language of the wanted paths.
    #[must_use]
    pub fn lang(&self, name: impl Into<String>, wanted: Wanted) -> Lang {
        let targets = self.targets(&wanted);
        let machine = Question {
            shared: Arc::clone(self.lines.shared()),
            mounts: Arc::clone(&self.mounts),
            wanted,
            targets,
            boundaries: Arc::clone(&self.boundaries),
            memo: Mutex::default(),
        };
        Lang::Atom(Atom::machine(Arc::new(machine), name))
    }

    /// The directory below which all paths lie that carry one of these labels, without trailing slash; `/` for no such directory.
    #[must_use]
    pub fn near<'l>(&self, labels: impl Iterator<Item = &'l Label>) -> String {
        let shared = self.lines.shared();
        let mut common: Option<String> = None;
        for label in labels {
            let (tables, ty) = match (label, &shared.own) {
                (Label::Base(ty), _) => (&shared.base, ty.0),
                (Label::Own(ty), Some(own)) => (&own.tables, *ty),
                (Label::Own(_), None) => continue,
            };
            for at in lines_of(tables, ty) {
                let literal = tables.entry(at).map_or("", |e| tables.text(e.literal));
                let known = common.get_or_insert_with(|| literal.to_owned());
                let same = known.bytes().zip(literal.bytes()).take_while(|(a, b)| a == b).count();
                let same = (0..=same).rev().find(|n| known.is_char_boundary(*n)).unwrap_or(0);
                known.truncate(same);
                if same <= 1 {
                    return "/".into();
                }
            }
        }
        // A name may go on after its literal part, so only whole directories count.
        match common.as_deref().and_then(|c| c.rsplit_once('/')) {
            Some((directory, _)) if !directory.is_empty() => directory.to_owned(),
            _ => "/".into(),
        }
    }

    fn targets(&self, wanted: &Wanted) -> Targets {
        let shared = self.lines.shared();
        let (base, own) = self.positions.get_or_init(|| {
            let own = shared.own.as_ref().map(|o| inverse(&o.tables)).unwrap_or_default();
            (inverse(&shared.base), own)
        });
        let mut labels: BTreeSet<Label> = wanted.labels.iter().flat_map(BTreeMap::keys).copied().collect();
        labels.extend(wanted.holders.iter().flatten());
        let mut out = Targets { labels: labels.clone(), base: Vec::new(), own: Vec::new() };
        for label in labels {
            match (label, &shared.own) {
                (Label::Base(ty), _) => {
                    let lines = lines_of(&shared.base, ty.0);
                    out.base.extend(lines.filter_map(|at| base.get(at as usize).copied()));
                }
                (Label::Own(ty), Some(lines)) => {
                    let lines = lines_of(&lines.tables, ty);
                    out.own.extend(lines.filter_map(|at| own.get(at as usize).copied()));
                }
                (Label::Own(_), None) => {}
            }
        }
        out.base.sort_unstable();
        out.own.sort_unstable();
        out
    }
}

fn lines_of(tables: &Packed, ty: u16) -> impl Iterator<Item = u32> + '_ {
    let range = tables.types.get(usize::from(ty)).map(|t| t.entries).unwrap_or_default();
    part(&tables.by_type, range).iter().copied()
}

fn inverse(tables: &Packed) -> Vec<u32> {
    let mut out = vec![0; tables.by_literal.len()];
    for (place, at) in (0u32..).zip(tables.by_literal.iter()) {
        if let Some(slot) = out.get_mut(*at as usize) {
            *slot = place;
        }
    }
    out
}

fn label_of(shared: &Shared, line: Winner) -> Option<(Label, Kind)> {
    match line {
        Winner::Base(at) => {
            let entry = shared.base.entry(at).filter(|e| e.ty != NO_TYPE)?;
            Some((Label::Base(TypeNo(entry.ty)), entry.kind))
        }
        Winner::Own(at) => {
            let entry = shared.own.as_ref()?.tables.entry(at).filter(|e| e.ty != NO_TYPE)?;
            Some((Label::Own(entry.ty), entry.kind))
        }
    }
}

/// The lines that a question is about, by their place among the literal parts.
struct Targets {
    labels: BTreeSet<Label>,
    base: Vec<u32>,
    own: Vec<u32>,
}

impl Targets {
    /// Whether a line of them may still label what follows.
    fn reachable(&self, shared: &Shared, at: &State) -> bool {
        let ahead = |places: &[u32], pos: &Pos| {
            let first = places.partition_point(|p| *p < pos.from);
            places.get(first).is_some_and(|p| *p < pos.to)
        };
        let running = |pos: &Pos, line: fn(u32) -> Winner| {
            let mut threads = pos.threads.iter();
            threads.any(|(at, _)| label_of(shared, line(*at)).is_some_and(|(l, _)| self.labels.contains(&l)))
        };
        ahead(&self.base, &at.base)
            || ahead(&self.own, &at.own)
            || running(&at.base, Winner::Base)
            || running(&at.own, Winner::Own)
    }
}

struct Question {
    shared: Arc<Shared>,
    mounts: Arc<Vec<String>>,
    wanted: Wanted,
    targets: Targets,
    boundaries: Arc<[bool; 256]>,
    memo: Mutex<Memo>,
}

#[derive(Default)]
struct Memo {
    nodes: Vec<Node>,
    known: HashMap<Node, u32, Mixed>,
    /// By state and byte: the next state, `None` for a dead end; absent where nobody asked.
    steps: HashMap<u64, Option<u32>, Mixed>,
}

/// Where a question stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Node {
    /// The state of the lines.
    lines: u32,
    /// Whether the directory that we are in is one of the wanted holders, and whether the one above it is.
    holder: bool,
    above: bool,
    /// What is wanted of files that carry the type of the directory that we are in.
    inherited: Kinds,
    /// Mount points that the path may still lead to, a bit each, and how many bytes of them are behind us.
    mounts: u32,
    read: u16,
}

impl Question {
    fn kinds(&self, label: Label) -> Kinds {
        self.wanted.labels.as_ref().and_then(|l| l.get(&label)).copied().unwrap_or_default()
    }

    fn held(&self, label: Label) -> bool {
        self.wanted.holders.as_ref().is_some_and(|h| h.contains(&label))
    }

    fn node(&self, number: u32) -> Option<Node> {
        self.memo.lock().ok()?.nodes.get(number as usize).copied()
    }

    fn intern(&self, node: Node) -> u32 {
        let Ok(mut memo) = self.memo.lock() else { return 0 };
        let next = u32::try_from(memo.nodes.len()).unwrap_or(u32::MAX);
        let number = *memo.known.entry(node).or_insert(next);
        if number == next {
            memo.nodes.push(node);
        }
        number
    }

    fn after(&self, from: Node, byte: u8) -> Option<Node> {
        let open = (0u32..).zip(self.mounts.iter()).filter(|(i, _)| from.mounts >> i & 1 == 1);
        let mut mounts = 0;
        for (i, mount) in open {
            match mount.as_bytes().get(usize::from(from.read)) {
                None if byte == b'/' => return None,
                Some(expected) if *expected == byte => mounts |= 1 << i,
                _ => {}
            }
        }
        let lines = self.shared.step(from.lines, byte)?;
        let read = if mounts == 0 { 0 } else { from.read + 1 };
        let mut next = Node { lines, mounts, read, ..from };
        let at = self.shared.state(lines)?;
        if let Some(line) = at.directory {
            next.above = from.holder;
            if let Some((label, _)) = line.and_then(|l| label_of(&self.shared, l)) {
                next.inherited = self.kinds(label);
                next.holder = self.held(label);
            }
        }
        let alive = at.aliases != 0
            || next.inherited.0 != 0
            || self.wanted.unlabelled.0 != 0
            || next.holder
            || next.above
            || self.targets.reachable(&self.shared, &at);
        alive.then_some(next)
    }

    fn label_is_wanted(&self, node: &Node, at: &State) -> bool {
        let inherited = node.inherited.or(self.wanted.unlabelled);
        match at.directory {
            Some(_) => inherited_directory(at, &self.shared, |l| self.kinds(l), inherited),
            None => match self.shared.winner(at, Ask::NoDirectory).and_then(|l| label_of(&self.shared, l)) {
                Some((label, line)) => self.kinds(label).meets(line),
                None => inherited.0 & Kinds::NO_DIRECTORY.0 != 0,
            },
        }
    }
}

fn inherited_directory(
    at: &State,
    shared: &Shared,
    kinds: impl Fn(Label) -> Kinds,
    inherited: Kinds,
) -> bool {
    match at.directory.flatten().and_then(|l| label_of(shared, l)) {
        Some((label, _)) => kinds(label).directory(),
        None => inherited.directory(),
    }
}

impl Machine for Question {
    fn start(&self) -> u32 {
        let lines = self.shared.intern(self.shared.first());
        let mounts = u32::MAX.checked_shr(32 - u32::try_from(self.mounts.len().min(32)).unwrap_or(32));
        self.intern(Node {
            lines,
            holder: false,
            above: false,
            inherited: Kinds::default(),
            mounts: mounts.unwrap_or(0),
            read: 0,
        })
    }

    fn step(&self, state: u32, byte: u8) -> Option<u32> {
        let from = self.node(state)?;
        // Mount points have bytes of their own.
        let byte = if from.mounts == 0 { self.shared.representative(from.lines, byte)? } else { byte };
        if let Some(known) = self.memo.lock().ok()?.steps.get(&(u64::from(state) << 8 | u64::from(byte))) {
            return *known;
        }
        let next = self.after(from, byte).map(|n| self.intern(n));
        self.memo.lock().ok()?.steps.insert(u64::from(state) << 8 | u64::from(byte), next);
        next
    }

    fn accepts(&self, state: u32) -> bool {
        let Some(node) = self.node(state) else { return false };
        let Some(at) = self.shared.state(node.lines) else { return false };
        let label = self.wanted.labels.is_none() || self.label_is_wanted(&node, &at);
        let holder = if at.directory.is_some() { node.above } else { node.holder };
        let thing = match at.directory {
            Some(_) => self.wanted.things.directory(),
            None => self.wanted.things.0 & Kinds::NO_DIRECTORY.0 != 0,
        };
        thing && label && (self.wanted.holders.is_none() || holder)
    }

    fn starts_class(&self, byte: u8) -> bool {
        self.boundaries.get(usize::from(byte)).copied().unwrap_or(true)
    }
}
