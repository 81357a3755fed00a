//! Facts to packed tables: the precedence of lines worked out, templates expanded, patterns compiled, an index built.

use super::facts::{Context, FactError, Facts};
use super::program::{self, Compiler, Parsed};
use super::rank::{Kind, Rank};
use super::tables::{
    ATTRIBUTES, ClassFact, Entry, Inst, NO_TYPE, Node, PortFact, ROWS, Range, Row, Shape, Tables, Text,
    TypeFact,
};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Packs facts.
///
/// # Errors
/// A pattern that is not understood, or more facts than the packed form holds.
pub fn pack(facts: &Facts) -> Result<Tables, FactError> {
    let mut packer = Packer::default();
    let types = packer.types(facts)?;
    let mut entries = packer.contexts(facts, &types)?;
    let by_type = by_type(&entries, types.len());
    let (nodes, indexed) = packer.index(&mut entries);
    let mut plain: Vec<u32> = numbers(&entries, |e| e.shape == Shape::Plain);
    let key = |at: &u32| {
        entries.get(*at as usize).map(|e| (packer.pool.get(e.literal).to_owned(), std::cmp::Reverse(e.kind)))
    };
    plain.sort_by_cached_key(|at| key(at));
    let mut by_literal: Vec<u32> = numbers(&entries, |_| true);
    let literal = |at: &u32| entries.get(*at as usize).map(|e| packer.pool.get(e.literal).to_owned());
    by_literal.sort_by_cached_key(|at| literal(at));
    let boundaries = packer.boundaries(&entries);
    let (by_type, ranges) = by_type;
    let types = packer.type_facts(facts, &types, &ranges);
    let classes = packer.classes(facts);
    let ports = packer.ports(facts, &types)?;
    let (rows, row_tables) = packer.rows(facts);
    let mut tables = Tables {
        pool: Cow::Owned(packer.pool.text),
        entries: Cow::Owned(entries),
        plain: Cow::Owned(plain),
        by_literal: Cow::Owned(by_literal),
        boundaries,
        nodes: Cow::Owned(nodes),
        indexed: Cow::Owned(indexed),
        by_type: Cow::Owned(by_type),
        program: Cow::Owned(packer.program),
        classes_of_bytes: Cow::Owned(packer.compiler.classes),
        types: Cow::Owned(types),
        classes: Cow::Owned(classes),
        ports: Cow::Owned(ports),
        words: Cow::Owned(packer.words),
        rows: Cow::Owned(rows),
        row_tables,
    };
    witnesses(&mut tables);
    Ok(tables)
}

fn too_many(what: &str) -> FactError {
    FactError { file: what.into(), line: 0, what: "more than the packed form holds".into() }
}

fn numbers(entries: &[Entry], keep: impl Fn(&Entry) -> bool) -> Vec<u32> {
    (0u32..).zip(entries).filter(|(_, e)| keep(e)).map(|(i, _)| i).collect()
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[derive(Debug, Default)]
struct Pool {
    text: String,
    known: HashMap<String, Text>,
}

impl Pool {
    fn add(&mut self, text: &str) -> Text {
        if text.is_empty() {
            return Text::default();
        }
        if let Some(known) = self.known.get(text) {
            return *known;
        }
        let len = u16::try_from(text.len()).unwrap_or(u16::MAX);
        let out = Text { at: count(self.text.len()), len };
        self.text.push_str(text);
        self.known.insert(text.into(), out);
        out
    }

    fn get(&self, text: Text) -> &str {
        self.text.get(text.at as usize..text.at as usize + usize::from(text.len)).unwrap_or_default()
    }
}

#[derive(Debug, Default)]
struct Packer {
    pool: Pool,
    compiler: Compiler,
    program: Vec<Inst>,
    words: Vec<Text>,
}

/// A line with its template expanded.
struct Line<'a> {
    context: &'a Context,
    pattern: String,
    matched: Option<String>,
    home: bool,
    rank: Rank,
    group: usize,
}

impl Packer {
    /// The names of all types, in order: a type's number is its place.
    fn types(&mut self, facts: &Facts) -> Result<Vec<String>, FactError> {
        let mut names: BTreeSet<&String> = facts.types.iter().map(|t| &t.name).collect();
        names.extend(facts.contexts.iter().chain(&facts.homes).filter_map(|c| c.ty.as_ref()));
        names.extend(facts.ports.iter().map(|p| &p.3));
        if names.len() >= usize::from(NO_TYPE) {
            return Err(too_many("types.tsv"));
        }
        Ok(names.into_iter().cloned().collect())
    }

    fn contexts(&mut self, facts: &Facts, types: &[String]) -> Result<Vec<Entry>, FactError> {
        let plain = |text: &str| Some(text.to_owned());
        let anyone = |text: &str| Some(home_of_anyone(text));
        let mut lines: Vec<Line<'_>> = Vec::new();
        lines.extend(facts.contexts.iter().filter_map(|c| Line::new(c, &plain, None)));
        lines.extend(facts.homes.iter().filter_map(|c| Line::new(c, &anyone, Some(0))));
        lines.extend(facts.homes.iter().filter_map(|c| Line::new(c, &home_of_root, Some(1))));
        // Templates come from a file of their own, read after the other; plain paths beat both.
        let plain = |l: &Line<'_>| l.rank.plain && !has_odd_escape(&l.pattern);
        lines.sort_by(|a, b| {
            let key = |l: &Line<'_>| (plain(l), l.home, l.group, l.rank);
            key(a).cmp(&key(b)).then_with(|| a.context.pattern.cmp(&b.context.pattern))
        });
        let (mut entries, mut seen) = (Vec::new(), BTreeSet::new());
        for line in &lines {
            // Root's home is a plain path more than once where templates differ only in what they expand.
            if seen.insert((line.pattern.clone(), line.context.kind)) {
                entries.push(self.entry(line, plain(line), types)?);
            }
        }
        Ok(entries)
    }

    fn entry(&mut self, line: &Line<'_>, plain: bool, types: &[String]) -> Result<Entry, FactError> {
        let wrong = |what: String| FactError {
            file: if line.home { "homedirs.tsv".into() } else { "file_contexts.tsv".into() },
            line: 0,
            what: format!("`{}`: {what}", line.context.pattern),
        };
        let Parsed { literal, rest, mut shape } =
            program::parse(line.matched.as_ref().unwrap_or(&line.pattern)).map_err(wrong)?;
        let literal = String::from_utf8(literal).map_err(|_| wrong("bytes that are no text".into()))?;
        if shape == Shape::Plain && !plain {
            shape = Shape::Program;
        }
        let mut range = Range::default();
        let mut needs = Text::default();
        if shape == Shape::Program {
            let code = self.compiler.compile(&rest).map_err(wrong)?;
            range = Range { from: count(self.program.len()), to: count(self.program.len() + code.len()) };
            self.program.extend(code);
            needs = std::str::from_utf8(&program::needs(&rest)).map(|n| self.pool.add(n)).unwrap_or_default();
        }
        let ty = match &line.context.ty {
            None => NO_TYPE,
            Some(name) => number(types, name),
        };
        Ok(Entry {
            pattern: self.pool.add(&line.pattern),
            literal: self.pool.add(&literal),
            needs,
            witness: Text::default(),
            kind: line.context.kind,
            shape,
            home: line.home,
            root: line.group == 1,
            stem: u16::try_from(line.rank.stem).unwrap_or(u16::MAX),
            length: u16::try_from(line.rank.length).unwrap_or(u16::MAX),
            ty,
            program: range,
        })
    }

    /// Directories of literal parts, children of one directory together and sorted.
    fn index(&mut self, entries: &mut [Entry]) -> (Vec<Node>, Vec<u32>) {
        let mut directories: BTreeMap<Vec<String>, Vec<u32>> = BTreeMap::from([(Vec::new(), Vec::new())]);
        for (at, entry) in (0..count(entries.len())).zip(entries.iter()).rev() {
            if entry.shape == Shape::Plain {
                continue;
            }
            let literal = self.pool.get(entry.literal);
            let mut names: Vec<String> = literal.split('/').skip(1).map(str::to_owned).collect();
            names.pop();
            for depth in 0..names.len() {
                directories.entry(names.iter().take(depth).cloned().collect()).or_default();
            }
            directories.entry(names).or_default().push(at);
        }
        let mut by_depth: Vec<(&Vec<String>, &Vec<u32>)> = directories.iter().collect();
        by_depth.sort_by_key(|(names, _)| (names.len(), (*names).clone()));
        let (mut nodes, mut indexed) = (Vec::new(), Vec::new());
        for (names, list) in &by_depth {
            let from = count(indexed.len());
            indexed.extend(list.iter().copied());
            let name = names.last().map(|n| self.pool.add(n)).unwrap_or_default();
            let place = |depth: usize| {
                move |(other, _): &(&Vec<String>, &Vec<u32>)| {
                    (other.len(), other.as_slice()) < (depth, names.as_slice())
                }
            };
            let first = by_depth.partition_point(place(names.len() + 1));
            let length = by_depth
                .iter()
                .skip(first)
                .take_while(|(o, _)| o.len() == names.len() + 1 && o.starts_with(names))
                .count();
            let children = Range { from: count(first), to: count(first + length) };
            nodes.push(Node { name, children, entries: Range { from, to: count(indexed.len()) } });
        }
        (nodes, indexed)
    }

    fn type_facts(&mut self, facts: &Facts, names: &[String], ranges: &[Range]) -> Vec<TypeFact> {
        let known: BTreeMap<&str, &super::facts::Type> =
            facts.types.iter().map(|t| (t.name.as_str(), t)).collect();
        let one = |(name, range): (&String, &Range)| {
            let fact = known.get(name.as_str());
            let bit = |a: &String| ATTRIBUTES.iter().position(|k| k == a).map_or(0, |i| 1u16 << i);
            TypeFact {
                name: self.pool.add(name),
                module: self.pool.add(fact.map_or("?", |f| &f.module)),
                attributes: fact.map_or(0, |f| f.attributes.iter().map(bit).sum()),
                entries: *range,
            }
        };
        names.iter().zip(ranges).map(one).collect()
    }

    fn classes(&mut self, facts: &Facts) -> Vec<ClassFact> {
        let mut sorted: Vec<&(String, Vec<String>)> = facts.classes.iter().collect();
        sorted.sort();
        sorted.dedup_by(|a, b| a.0 == b.0);
        let mut out = Vec::new();
        for (name, perms) in sorted {
            let mut perms = perms.clone();
            perms.sort();
            let perms = self.words(perms.iter());
            out.push(ClassFact { name: self.pool.add(name), perms });
        }
        out
    }

    fn ports(&mut self, facts: &Facts, types: &[TypeFact]) -> Result<Vec<PortFact>, FactError> {
        let names: Vec<String> = types.iter().map(|t| self.pool.get(t.name).to_owned()).collect();
        let mut out: Vec<(&String, PortFact)> = Vec::new();
        for (protocol, low, high, ty) in &facts.ports {
            if low > high {
                return Err(FactError {
                    file: "ports.tsv".into(),
                    line: 0,
                    what: format!("{low}-{high} is no range"),
                });
            }
            let fact = PortFact {
                protocol: self.pool.add(protocol),
                low: *low,
                high: *high,
                ty: number(&names, ty),
            };
            out.push((protocol, fact));
        }
        out.sort_by_key(|(protocol, f)| (*protocol, f.low, f.high, f.ty));
        Ok(out.into_iter().map(|p| p.1).collect())
    }

    fn rows(&mut self, facts: &Facts) -> (Vec<Row>, [Range; ROWS.len()]) {
        let mut out = Vec::new();
        let mut ranges = [Range::default(); ROWS.len()];
        for (range, rows) in ranges.iter_mut().zip(&facts.rows) {
            range.from = count(out.len());
            for row in rows {
                let columns = self.words(row.iter());
                out.push(Row { columns });
            }
            range.to = count(out.len());
        }
        (out, ranges)
    }

    fn boundaries(&self, entries: &[Entry]) -> [u64; 4] {
        let mut out = [0; 4];
        let mut one = |byte: u8| {
            program::set(&mut out, byte);
            program::set(&mut out, byte.saturating_add(1));
        };
        entries.iter().for_each(|e| self.pool.get(e.literal).bytes().for_each(&mut one));
        self.program.iter().for_each(|i| {
            if let Inst::Byte(b) = i {
                one(*b)
            }
        });
        // The end of a directory and of its name.
        one(b'/');
        for class in &self.compiler.classes {
            (1..=255u8)
                .filter(|b| program::has(class, *b) != program::has(class, b - 1))
                .for_each(|b| program::set(&mut out, b));
        }
        out
    }

    fn words<'a>(&mut self, words: impl Iterator<Item = &'a String>) -> Range {
        let from = count(self.words.len());
        for word in words {
            let text = self.pool.add(word);
            self.words.push(text);
        }
        Range { from, to: count(self.words.len()) }
    }
}

impl<'a> Line<'a> {
    /// A line, its template expanded; `home` is the number of the expansion.
    fn new(
        context: &'a Context,
        expand: &dyn Fn(&str) -> Option<String>,
        home: Option<usize>,
    ) -> Option<Self> {
        let pattern = expand(&context.pattern)?;
        let matched = context.matched.as_deref().map(expand);
        let matched = if matched == Some(None) { return None } else { matched.flatten() };
        // Templates are sorted before they are expanded.
        let rank = Rank::new(if home.is_some() { &context.pattern } else { &pattern }, context.kind);
        let plain = Rank::new(&pattern, context.kind).plain;
        let rank = Rank { plain, ..rank };
        Some(Self { context, pattern, matched, home: home.is_some(), rank, group: home.unwrap_or(0) })
    }
}

/// Escapes that libselinux does not take as literal make it try a plain path as a pattern.
fn has_odd_escape(pattern: &str) -> bool {
    let mut bytes = pattern.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'\\' && !bytes.next().is_some_and(|b| b".^$?*+|[({])}-_,".contains(&b)) {
            return true;
        }
    }
    false
}

/// What `genhomedircon` makes of a template for users without an entry of their own.
pub fn home_of_anyone(template: &str) -> String {
    template
        .replace("HOME_DIR", "/home/[^/]+")
        .replace("HOME_ROOT", "/home")
        .replace("%{USERID}", "[0-9]+")
        .replace("%{USERNAME}", "[^/]+")
}

/// The same for root, whose home is elsewhere; what is no part of a home is there already.
fn home_of_root(template: &str) -> Option<String> {
    template.starts_with("HOME_DIR").then(|| template.replace("HOME_DIR", "/root"))
}

fn number(types: &[String], name: &String) -> u16 {
    types.binary_search(name).ok().and_then(|i| u16::try_from(i).ok()).unwrap_or(NO_TYPE)
}

fn by_type(entries: &[Entry], types: usize) -> (Vec<u32>, Vec<Range>) {
    let mut lists: Vec<Vec<u32>> = vec![Vec::new(); types];
    for (at, entry) in (0..count(entries.len())).zip(entries).rev() {
        if let Some(list) = lists.get_mut(usize::from(entry.ty)) {
            list.push(at);
        }
    }
    let (mut out, mut ranges) = (Vec::new(), Vec::new());
    for list in lists {
        let from = count(out.len());
        out.extend(list);
        ranges.push(Range { from, to: count(out.len()) });
    }
    (out, ranges)
}

/// Gives each entry a path that it labels, where one is found.
fn witnesses(tables: &mut Tables) {
    let mut found: Vec<String> = Vec::with_capacity(tables.entries.len());
    for (at, entry) in (0u32..).zip(tables.entries.iter()) {
        let pattern = tables.text(entry.pattern);
        let parsed = program::parse(pattern).ok();
        let rests = parsed.map_or(Vec::new(), |p| program::examples(&p.rest));
        let texts = rests
            .iter()
            .filter_map(|r| std::str::from_utf8(r).ok())
            .map(|r| format!("{}{r}", tables.text(entry.literal)));
        let mine = |path: &String| {
            let wanted = |k: Kind| {
                if entry.kind == Kind::Any { k.covers(Kind::Regular) } else { k.covers(entry.kind) }
            };
            canonical(path) && tables.find(path, &wanted) == Some(at)
        };
        found.push(texts.into_iter().find(mine).unwrap_or_default());
    }
    let mut pool = tables.pool.to_string();
    let entries = tables.entries.to_mut();
    for (entry, path) in entries.iter_mut().zip(found) {
        entry.witness = Text { at: count(pool.len()), len: u16::try_from(path.len()).unwrap_or(0) };
        pool.push_str(&path);
    }
    tables.pool = Cow::Owned(pool);
}

/// Whether the text is a path without empty, `.` and `..` components and without a final slash.
fn canonical(path: &str) -> bool {
    path == "/" || path.strip_prefix('/').is_some_and(|p| p.split('/').all(|c| !matches!(c, "" | "." | "..")))
}
