//! One file and what it uses to units: trees with their names. Rings of `use` are reported whole.

use super::ring::order;
use crate::ast::{self, Item, Name};
use crate::codes;
use crate::compile::Loader;
use crate::diag::Diagnostic;
use crate::limits::{MAX_CANDIDATES, MAX_FILE_BYTES, MAX_FILES, MAX_USE_DEPTH};
use crate::parse;
use crate::sink::Sink;
use crate::source::{FileId, SourceMap, Span};
use crate::std_fragments;
use std::collections::HashMap;
use std::sync::Arc;

/// Where a thing of a unit stands: its place in the list of the unit's lets, fragments, …
pub(crate) type Names = HashMap<Arc<str>, usize>;

/// One source text with its names.
#[derive(Debug, Default)]
pub(crate) struct Unit {
    pub(crate) tree: ast::File,
    /// The units that `use` statements named.
    pub(crate) aliases: HashMap<Arc<str>, usize>,
    /// Aliases whose file could not be had; uses of them are not reported again.
    pub(crate) lost: HashMap<Arc<str>, ()>,
    /// Places in `tree.items` of lets and parameters.
    pub(crate) values: Names,
    /// Places in `tree.items`.
    pub(crate) fragments: Names,
    /// Places in `tree.items` of policies, templates and instances.
    pub(crate) policies: Names,
    /// The alias under which the first file uses it, which names its parameters on the command line.
    pub(crate) prefix: Option<String>,
    /// Part of the standard library.
    pub(crate) is_std: bool,
}

impl Unit {
    /// Names of items in the order of the text, as many as are worth comparing an unknown name with.
    pub(crate) fn names<'u>(
        &'u self,
        name: impl Fn(&'u Item) -> Option<&'u Name>,
    ) -> impl Iterator<Item = &'u str> {
        self.tree.items.iter().filter_map(name).map(|n| &*n.text).take(MAX_CANDIDATES)
    }

    /// The files used, in the order of the text.
    pub(crate) fn used(&self) -> impl Iterator<Item = (&str, usize)> {
        self.tree.items.iter().filter_map(|item| match item {
            Item::Use(used) => self.aliases.get(&used.alias.text).map(|unit| (&*used.alias.text, *unit)),
            _ => None,
        })
    }
}

/// All units; the first is the file compiled.
#[derive(Debug, Default)]
pub(crate) struct Units {
    pub(crate) list: Vec<Unit>,
    /// Units of the standard library by the name of their fragment.
    pub(crate) std: HashMap<Arc<str>, usize>,
    /// The units, each after those that it uses.
    pub(crate) order: Vec<usize>,
}

impl Units {
    /// The unit and the rest of the name for a name that may start with an alias; `None` for an unknown alias.
    pub(crate) fn qualify<'n>(&self, unit: usize, name: &'n str) -> Option<(usize, &'n str)> {
        match name.split_once('.') {
            None => Some((unit, name)),
            Some(("std", rest)) => Some((*self.std.get(rest)?, rest)),
            Some((alias, rest)) => Some((*self.list.get(unit)?.aliases.get(alias)?, rest)),
        }
    }

    /// Whether the alias in front of a name was reported already.
    pub(crate) fn is_lost(&self, unit: usize, name: &str) -> bool {
        let alias = name.split_once('.').map(|n| n.0);
        alias.zip(self.list.get(unit)).is_some_and(|(a, u)| u.lost.contains_key(a))
    }
}

struct Pending {
    unit: usize,
    depth: usize,
}

struct Load<'a> {
    sources: &'a mut SourceMap,
    sink: &'a mut Sink,
    loader: &'a dyn Loader,
    units: Units,
    keys: HashMap<String, usize>,
    edges: Vec<(usize, usize, Span)>,
    queue: Vec<Pending>,
}

/// Reads and parses the file and everything it uses. `None` when nothing can be said of what follows: a text that is refused as a
/// whole, or a ring of files.
pub(crate) fn load(
    name: &str,
    bytes: &[u8],
    loader: &dyn Loader,
    sources: &mut SourceMap,
    sink: &mut Sink,
) -> Option<Units> {
    let mut load = Load {
        sources,
        sink,
        loader,
        units: Units::default(),
        keys: HashMap::new(),
        edges: Vec::new(),
        queue: Vec::new(),
    };
    load.add(name, bytes, 0, false)?;
    while let Some(next) = load.queue.pop() {
        load.uses(&next);
        load.standard(next.unit);
    }
    load.finish()
}

impl Load<'_> {
    /// Parses a text; `None` when it is refused as a whole.
    fn add(&mut self, name: &str, bytes: &[u8], depth: usize, is_std: bool) -> Option<usize> {
        let shown =
            if bytes.len() > MAX_FILE_BYTES { Default::default() } else { String::from_utf8_lossy(bytes) };
        let file = self.sources.add(name, shown.as_ref());
        let before = self.sink.errors();
        let text = parse::scan(file, bytes, self.sink)?;
        if self.sink.errors() > before {
            return None;
        }
        let tree = parse::parse(file, text, self.sink);
        let mut unit = Unit { tree, is_std, ..Unit::default() };
        declare(&mut unit, self.sink);
        self.units.list.push(unit);
        let number = self.units.list.len() - 1;
        self.queue.push(Pending { unit: number, depth });
        Some(number)
    }

    fn uses(&mut self, next: &Pending) {
        let Some(unit) = self.units.list.get(next.unit) else { return };
        let uses: Vec<(ast::Use, String)> = unit
            .tree
            .items
            .iter()
            .filter_map(|item| match item {
                Item::Use(used) => Some((used.clone(), self.sources.text(used.path.span).to_owned())),
                _ => None,
            })
            .collect();
        let from: Arc<str> = self.sources.get(unit.tree.id).map(|f| Arc::clone(&f.name)).unwrap_or_default();
        for (used, quoted) in uses {
            let found = self.used(&used, &quoted, &from, next.depth);
            let Some(unit) = self.units.list.get_mut(next.unit) else { return };
            match found {
                Some(target) => {
                    unit.aliases.insert(Arc::clone(&used.alias.text), target);
                    self.edges.push((next.unit, target, used.path.span));
                    let prefix = (next.unit == 0).then(|| used.alias.text.to_string());
                    if let Some(target) = self.units.list.get_mut(target) {
                        target.prefix = target.prefix.take().or(prefix);
                    }
                }
                None => {
                    unit.lost.insert(Arc::clone(&used.alias.text), ());
                }
            }
        }
    }

    fn used(&mut self, used: &ast::Use, quoted: &str, from: &str, depth: usize) -> Option<usize> {
        let path = quoted.trim_matches('"');
        let refuse = |code, message: String, help: &str| {
            Diagnostic::new(code, message).label(used.path.span, "this file").help(help)
        };
        if path.is_empty() || path.starts_with('/') || path.contains(['\\', '$']) {
            let help = "write a path relative to this file, such as `\"lib/web.can\"`, without `\\` and `$`";
            self.sink.push(refuse(codes::BAD_USE, "not a relative path".into(), help));
            return None;
        }
        if depth >= MAX_USE_DEPTH {
            let message = format!("files use files more than {MAX_USE_DEPTH} deep");
            self.sink.push(refuse(codes::TOO_MANY_FILES, message, "use the file from further up"));
            return None;
        }
        if self.units.list.len() >= MAX_FILES {
            let message = format!("more than {MAX_FILES} files");
            self.sink.push(refuse(codes::TOO_MANY_FILES, message, "put several of them into one"));
            return None;
        }
        match self.loader.load(from, path) {
            Ok(loaded) => {
                if let Some(known) = self.keys.get(&loaded.key) {
                    return Some(*known);
                }
                let unit = self.add(&loaded.name, &loaded.bytes, depth + 1, false)?;
                self.keys.insert(loaded.key, unit);
                Some(unit)
            }
            Err(error) => {
                let message = format!("cannot use `{}`: {}", parse::shorten(path), error.message);
                self.sink.push(refuse(
                    codes::CANNOT_LOAD,
                    message,
                    "paths are relative to the file that uses them",
                ));
                None
            }
        }
    }

    /// Adds the parts of the standard library that a unit names.
    fn standard(&mut self, unit: usize) {
        let Some(unit) = self.units.list.get(unit) else { return };
        let mut names: Vec<Arc<str>> = Vec::new();
        for item in &unit.tree.items {
            if let Item::Fragment(block) | Item::Policy(block) = item {
                standard_names(&block.body, &mut names);
            }
        }
        for name in names {
            let Some(name) = name.strip_prefix("std.") else { continue };
            if self.units.std.contains_key(name) {
                continue;
            }
            let Some((_, text)) = std_fragments().iter().find(|f| f.0 == name) else { continue };
            if let Some(unit) = self.add(&format!("std.{name}"), text.as_bytes(), 0, true) {
                self.units.std.insert(name.into(), unit);
            }
        }
    }

    fn finish(self) -> Option<Units> {
        let Self { mut units, edges, sink, sources, .. } = self;
        let found = order(units.list.len(), &edges);
        let ringless = found.rings.is_empty();
        for ring in found.rings {
            let name = |unit: usize| {
                let file = units.list.get(unit).map(|u| u.tree.id).unwrap_or(FileId(0));
                sources.get(file).map(|f| f.name.to_string()).unwrap_or_default()
            };
            sink.push(ring_error(codes::USE_RING, "files use each other", &ring, name));
        }
        units.order = found.order;
        ringless.then_some(units)
    }
}

/// The error that shows a whole ring.
pub(super) fn ring_error(
    code: crate::diag::Code,
    what: &str,
    ring: &[(usize, Span)],
    name: impl Fn(usize) -> String,
) -> Diagnostic {
    let mut names: Vec<String> = ring.iter().map(|r| name(r.0)).collect();
    let next: Vec<String> = names.iter().cycle().skip(1).take(names.len()).cloned().collect();
    let mut out = Diagnostic::new(code, "");
    for ((from, to), (_, span)) in names.iter().zip(&next).zip(ring) {
        out = out.label(*span, format!("`{from}` needs `{to}` here"));
    }
    names.extend(names.first().cloned());
    out.message = format!("{what}: {}", names.join(" -> "));
    out.help("break the ring: move what both need into a third place")
}

fn standard_names(body: &[ast::Statement], out: &mut Vec<Arc<str>>) {
    for statement in body {
        match &statement.kind {
            ast::StatementKind::Include(calls) => out.extend(calls.iter().map(|c| Arc::clone(&c.name.text))),
            ast::StatementKind::When(when) => {
                standard_names(&when.then, out);
                standard_names(&when.otherwise, out);
            }
            _ => {}
        }
    }
}

/// Enters a unit's names and reports those given twice.
fn declare(unit: &mut Unit, sink: &mut Sink) {
    let mut aliases = Names::new();
    for (place, item) in unit.tree.items.iter().enumerate() {
        let (names, what, name) = match item {
            Item::Use(used) => (&mut aliases, "files", &used.alias),
            Item::Let(item) => (&mut unit.values, "values", &item.name),
            Item::Param(item) => (&mut unit.values, "values", &item.name),
            Item::Fragment(block) => (&mut unit.fragments, "fragments", &block.name),
            Item::Policy(block) => (&mut unit.policies, "policies", &block.name),
            Item::Instance(item) => (&mut unit.policies, "policies", &item.name),
            Item::Edition(_) | Item::Test(_) => continue,
        };
        match names.get(&name.text) {
            None => {
                names.insert(Arc::clone(&name.text), place);
            }
            Some(before) => {
                let before = unit.tree.items.get(*before).and_then(name_of).map_or(name.span, |n| n.span);
                sink.push(twice(what, name, before));
            }
        }
    }
}

/// The error about a name given twice.
pub(super) fn twice(what: &str, name: &Name, before: Span) -> Diagnostic {
    Diagnostic::new(codes::DUPLICATE, format!("two {what} are named `{}`", name.text))
        .label(name.span, "the second one")
        .label(before, "the first one")
        .help(format!("rename one of them, for instance to `{}2`", name.text))
}

fn name_of(item: &Item) -> Option<&Name> {
    match item {
        Item::Use(used) => Some(&used.alias),
        Item::Let(item) => Some(&item.name),
        Item::Param(item) => Some(&item.name),
        Item::Fragment(block) | Item::Policy(block) => Some(&block.name),
        Item::Instance(item) => Some(&item.name),
        Item::Edition(_) | Item::Test(_) => None,
    }
}
