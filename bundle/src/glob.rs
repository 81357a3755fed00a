//! A program pattern as the manifest spells it, to yes or no for one path. It builds no automaton and answers no question about sets:
//! `canc-sets` does that at build time, and a property test holds the two to the same answers.

use std::fmt;

/// One pattern of the language with its alternatives already expanded, ready to match paths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glob {
    anchor: Anchor,
    components: Vec<Component>,
    tail: Tail,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Anchor {
    Root,
    Home,
    RunUser,
    SelfProc,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tail {
    Entry,
    Directory,
    Subtree,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Component {
    Name(Vec<Item>),
    AnyDepth,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Item {
    Byte(u8),
    Any,
    Star,
    Class { negated: bool, ranges: Vec<(u8, u8)> },
}

/// The pattern text is not one that a compiler writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GlobError {
    /// Where, as a byte offset.
    pub at: usize,
}

impl fmt::Display for GlobError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a path pattern, from byte {}", self.at)
    }
}

impl std::error::Error for GlobError {}

/// Linux's `PATH_MAX`.
const MAX_BYTES: usize = 4096;

/// Links of a system with merged `/usr` and `/run`: the language takes both spellings for one path.
const ALIASES: [(&str, &str); 8] = [
    ("/bin", "/usr/bin"),
    ("/sbin", "/usr/sbin"),
    ("/lib", "/usr/lib"),
    ("/lib32", "/usr/lib32"),
    ("/lib64", "/usr/lib64"),
    ("/libx32", "/usr/libx32"),
    ("/var/run", "/run"),
    ("/var/lock", "/run/lock"),
];

impl Glob {
    /// Reads a pattern.
    ///
    /// # Errors
    /// Where it is no pattern of the language. Alternatives (`{a,b}`) are refused too, since the compiler expands them.
    pub fn parse(text: &str) -> Result<Self, GlobError> {
        let bad = |at| Err(GlobError { at });
        if text.len() > MAX_BYTES {
            return bad(MAX_BYTES);
        }
        if let Some((at, _)) = text.char_indices().find(|(_, c)| c.is_control()) {
            return bad(at);
        }
        let (anchor, at) = anchor(text)?;
        let mut reader = Reader { text, at };
        let mut components = Vec::new();
        let mut tail = Tail::Entry;
        while let Some('/') = reader.peek() {
            reader.bump();
            match reader.component()? {
                None if reader.peek().is_some() => return bad(reader.at),
                None => tail = Tail::Directory,
                Some(Component::AnyDepth) if components.last() == Some(&Component::AnyDepth) => {}
                Some(component) => components.push(component),
            }
        }
        if reader.peek().is_some() {
            return bad(reader.at);
        }
        if tail == Tail::Entry && components.last() == Some(&Component::AnyDepth) {
            components.pop();
            tail = Tail::Subtree;
        }
        if anchor == Anchor::Root {
            rewrite_alias(&mut components);
        }
        Ok(Self { anchor, components, tail })
    }

    /// Whether it matches this canonical absolute path. A directory's path ends in `/`, any other's does not.
    #[must_use]
    pub fn matches(&self, path: &[u8]) -> bool {
        let Some(path) = path.strip_prefix(b"/") else { return false };
        let (names, directory) = match path.strip_suffix(b"/") {
            Some(rest) => (rest, true),
            None => (path, path.is_empty()),
        };
        let names: Vec<&[u8]> =
            if names.is_empty() { Vec::new() } else { names.split(|b| *b == b'/').collect() };
        self.below(&names).is_some_and(|rest| self.walk(rest, directory))
    }

    /// The components that are left below the place where the pattern starts.
    fn below<'a, 'b>(&self, names: &'a [&'b [u8]]) -> Option<&'a [&'b [u8]]> {
        match (self.anchor, names) {
            (Anchor::Root, rest) => Some(rest),
            (Anchor::Home, [b"root", rest @ ..] | [b"home", _, rest @ ..]) => Some(rest),
            (Anchor::RunUser, [b"run", b"user", uid, rest @ ..]) => {
                uid.iter().all(u8::is_ascii_digit).then_some(rest)
            }
            (Anchor::SelfProc, [b"proc", b"self", rest @ ..]) => Some(rest),
            _ => None,
        }
    }

    /// Greedy, with the last `**` as the only point of return: what an earlier one could take, the later one can take too.
    fn walk(&self, names: &[&[u8]], directory: bool) -> bool {
        let (mut c, mut n) = (0, 0);
        let mut retry = None;
        loop {
            match (self.components.get(c), names.get(n)) {
                (None, left) if self.ends(left.is_none(), directory) => return true,
                (Some(Component::AnyDepth), _) => {
                    c += 1;
                    retry = Some((c, n));
                    continue;
                }
                (Some(Component::Name(items)), Some(name)) if name_matches(items, name) => {
                    (c, n) = (c + 1, n + 1);
                    continue;
                }
                _ => {}
            }
            match retry {
                Some((after, from)) if from < names.len() => {
                    retry = Some((after, from + 1));
                    (c, n) = (after, from + 1);
                }
                _ => return false,
            }
        }
    }

    fn ends(&self, no_names_left: bool, directory: bool) -> bool {
        match self.tail {
            Tail::Entry => no_names_left,
            Tail::Directory => no_names_left && directory,
            Tail::Subtree => !no_names_left || directory,
        }
    }
}

fn anchor(text: &str) -> Result<(Anchor, usize), GlobError> {
    let known = [("${home}", Anchor::Home), ("${run_user}", Anchor::RunUser), ("${self}", Anchor::SelfProc)];
    for (name, anchor) in known {
        if text.starts_with(name) {
            return Ok((anchor, name.len()));
        }
    }
    if text.starts_with('/') { Ok((Anchor::Root, 0)) } else { Err(GlobError { at: 0 }) }
}

fn rewrite_alias(components: &mut Vec<Component>) {
    let names = |path: &str| -> Vec<Component> {
        let bytes = |name: &str| Component::Name(name.bytes().map(Item::Byte).collect());
        path.split('/').skip(1).map(bytes).collect()
    };
    for (from, to) in ALIASES {
        let from = names(from);
        if components.starts_with(&from) {
            components.splice(..from.len(), names(to));
            return;
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.text.get(self.at..)?.chars().next()
    }

    fn bump(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn bad<T>(&self) -> Result<T, GlobError> {
        Err(GlobError { at: self.at })
    }

    /// What stands before the next `/`; `None` for nothing.
    fn component(&mut self) -> Result<Option<Component>, GlobError> {
        let start = self.at;
        let mut items = Vec::new();
        let mut any_depths = 0;
        while let Some(c) = self.peek() {
            if c == '/' {
                break;
            }
            self.bump();
            match c {
                '?' => items.push(Item::Any),
                '*' if self.peek() == Some('*') => {
                    self.bump();
                    any_depths += 1;
                }
                '*' => items.push(Item::Star),
                '[' => items.push(self.class()?),
                '{' | '}' | ']' | '$' => return Err(GlobError { at: start }),
                '\\' => match self.bump() {
                    // An escaped slash still separates.
                    Some('/') => {
                        self.at -= 1;
                        break;
                    }
                    Some(c) => push_bytes(&mut items, c),
                    None => return self.bad(),
                },
                c => push_bytes(&mut items, c),
            }
        }
        let dots = [vec![Item::Byte(b'.')], vec![Item::Byte(b'.'); 2]];
        match (any_depths, items.is_empty()) {
            _ if dots.contains(&items) => Err(GlobError { at: start }),
            (0, true) => Ok(None),
            (0, false) => Ok(Some(Component::Name(items))),
            (1, true) => Ok(Some(Component::AnyDepth)),
            _ => Err(GlobError { at: start }),
        }
    }

    fn class(&mut self) -> Result<Item, GlobError> {
        let negated = self.peek() == Some('!');
        if negated {
            self.bump();
        }
        let mut ranges = Vec::new();
        while let Some(low) = self.class_end()? {
            let mut high = low;
            if self.peek() == Some('-') {
                self.bump();
                let Some(c) = self.class_end()? else { return self.bad() };
                high = c;
            }
            match (u8::try_from(low), u8::try_from(high)) {
                (Ok(a), Ok(b)) if a <= b && b.is_ascii() && !(a..=b).contains(&b'/') => ranges.push((a, b)),
                _ => return self.bad(),
            }
        }
        if ranges.is_empty() { self.bad() } else { Ok(Item::Class { negated, ranges }) }
    }

    /// The next end of a range; `None` for the bracket that closes the class.
    fn class_end(&mut self) -> Result<Option<char>, GlobError> {
        match self.bump() {
            None => self.bad(),
            Some(']') => Ok(None),
            Some('\\') => self.bump().map_or_else(|| self.bad(), |c| Ok(Some(c))),
            Some(c) => Ok(Some(c)),
        }
    }
}

fn push_bytes(items: &mut Vec<Item>, c: char) {
    let mut buffer = [0; 4];
    items.extend(c.encode_utf8(&mut buffer).bytes().map(Item::Byte));
}

/// As [`Glob::walk`], for one component.
fn name_matches(items: &[Item], name: &[u8]) -> bool {
    if items == [Item::Star] {
        return !name.is_empty();
    }
    let (mut i, mut n) = (0, 0);
    let mut retry = None;
    loop {
        match (items.get(i), name.get(n)) {
            (None, None) => return true,
            (Some(Item::Star), _) => {
                i += 1;
                retry = Some((i, n));
                continue;
            }
            (Some(item), Some(byte)) if item.takes(*byte) => {
                (i, n) = (i + 1, n + 1);
                continue;
            }
            _ => {}
        }
        match retry {
            Some((after, from)) if from < name.len() => {
                retry = Some((after, from + 1));
                (i, n) = (after, from + 1);
            }
            _ => return false,
        }
    }
}

impl Item {
    fn takes(&self, byte: u8) -> bool {
        match self {
            Self::Byte(b) => *b == byte,
            Self::Any => true,
            Self::Star => false,
            Self::Class { negated, ranges } => {
                ranges.iter().any(|(low, high)| (low..=high).contains(&&byte)) != *negated
            }
        }
    }
}
