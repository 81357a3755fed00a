//! What lets and parameters stand for. Each is worked out once, after those that it needs.

use super::load::{Unit, Units, ring_error};
use super::params;
use super::ring::order;
use super::text::{Mode, Text, interpolated};
use crate::ast::{Expr, ExprKind, Item, Name, Unit as Measure};
use crate::codes;
use crate::compile::Options;
use crate::diag::Diagnostic;
use crate::limits::MAX_VALUES;
use crate::sink::Sink;
use crate::source::{SourceMap, Span};
use crate::suggest::nearest;
use canc_sets::syscalls::{self, Arch};
use std::collections::HashMap;
use std::sync::Arc;

/// One member of a set, or the whole of a single value.
#[derive(Debug, Clone)]
pub(crate) struct Atom {
    pub(crate) kind: AtomKind,
    /// Where it is written.
    pub(crate) span: Span,
}

#[derive(Debug, Clone)]
pub(crate) enum AtomKind {
    /// A string, as a pattern and as a plain text; each is `None` where it has no value in that use.
    Text { pattern: Option<Arc<Text<'static>>>, plain: Option<Arc<Text<'static>>> },
    /// An integer.
    Int(u64, Measure),
    /// A range of integers.
    Range(u64, u64),
    /// An address, as written at the span.
    Address,
    /// A system call.
    Call(&'static str),
    /// A group of them.
    Group(&'static str),
}

/// What a let stands for.
#[derive(Debug, Clone)]
pub(crate) enum LetValue {
    /// These; one for a single value.
    Atoms { atoms: Arc<[Atom]>, set: bool },
    /// A parameter's value under another name.
    Param(Value),
    /// Not known, or an error has been reported.
    Unknown,
}

/// What a parameter stands for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Value {
    /// One path, as pattern and as it is.
    Path { pattern: Arc<str>, plain: Arc<str> },
    /// A port.
    Port(u16),
    /// An integer.
    Int(u64),
    /// Yes or no.
    Bool(bool),
    /// Any value: a fragment or template is looked at by itself, or an error has been reported.
    Unknown,
}

/// Where names are looked up: a unit, and the parameters of a fragment or template of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Scope {
    pub(crate) unit: usize,
    pub(crate) params: Vec<(Arc<str>, Value)>,
}

/// What a name was found to be.
pub(crate) enum Found<'v> {
    Let(&'v LetValue),
    Param(&'v Value),
    /// No such name; nothing has been reported.
    Nothing,
    /// No such name, but an error about why has been reported.
    Lost,
}

/// The values of all units.
#[derive(Debug, Default)]
pub(crate) struct Values {
    /// Per unit, by place in `tree.items`.
    pub(super) units: Vec<HashMap<usize, LetValue>>,
}

/// Everything that a name or a text is understood by.
#[derive(Clone, Copy)]
pub(crate) struct World<'w> {
    pub(crate) units: &'w Units,
    pub(crate) values: &'w Values,
    pub(crate) sources: &'w SourceMap,
    pub(crate) options: &'w Options,
}

impl Values {
    /// Works out every let and parameter.
    pub(crate) fn new(units: &Units, sources: &SourceMap, options: &Options, sink: &mut Sink) -> Self {
        let mut values = Self { units: units.list.iter().map(|_| HashMap::new()).collect() };
        let mut budget = MAX_VALUES;
        for number in &units.order {
            let Some(unit) = units.list.get(*number) else { continue };
            let scope = Scope { unit: *number, params: Vec::new() };
            for place in order_of(unit, sources, sink) {
                let world = World { units, values: &values, sources, options };
                let value = match unit.tree.items.get(place) {
                    Some(Item::Let(item)) => match &item.value {
                        Some(expr) => world.let_value(expr, &scope, sink, &mut budget),
                        None => LetValue::Unknown,
                    },
                    Some(Item::Param(item)) => {
                        LetValue::Param(params::file_parameter(world, unit, item, &scope, sink))
                    }
                    _ => continue,
                };
                if let Some(values) = values.units.get_mut(*number) {
                    values.insert(place, value);
                }
            }
        }
        params::unknown_ones(units, options, sink);
        values
    }
}

/// The places of a unit's lets and parameters, each after those that it needs. Rings are reported and left out.
fn order_of(unit: &Unit, sources: &SourceMap, sink: &mut Sink) -> Vec<usize> {
    let mut edges = Vec::new();
    for (place, item) in unit.tree.items.iter().enumerate() {
        let mut needs = Vec::new();
        match item {
            Item::Let(item) => needs_of(item.value.as_ref(), sources, &mut needs),
            Item::Param(item) => needs_of(item.default.as_ref(), sources, &mut needs),
            _ => {}
        }
        edges.extend(needs.iter().filter_map(|n| unit.values.get(&n.text).map(|to| (place, *to, n.span))));
    }
    let found = order(unit.tree.items.len(), &edges);
    for ring in &found.rings {
        let name = |place: usize| match unit.tree.items.get(place) {
            Some(Item::Let(item)) => item.name.text.to_string(),
            Some(Item::Param(item)) => item.name.text.to_string(),
            _ => String::new(),
        };
        sink.push(ring_error(codes::LET_RING, "these values need each other", ring, name));
    }
    found.order
}

impl<'w> World<'w> {
    fn let_value(self, expr: &Expr, scope: &Scope, sink: &mut Sink, budget: &mut usize) -> LetValue {
        if let ExprKind::Name = expr.kind
            && let Found::Let(value) = self.find(self.sources.text(expr.span), scope)
        {
            return value.clone();
        }
        let mut atoms = Vec::new();
        let before = sink.errors();
        self.atoms(expr, scope, sink, budget, &mut atoms);
        let empty = atoms.is_empty() && !matches!(expr.kind, ExprKind::List(_));
        // A text without value holds a name whose error was reported.
        let lost = atoms.iter().any(|a| matches!(a.kind, AtomKind::Text { pattern: None, .. }));
        if sink.errors() > before || empty || lost {
            return LetValue::Unknown;
        }
        let set = matches!(expr.kind, ExprKind::List(_) | ExprKind::Range(..) | ExprKind::Address);
        if let Some(odd) = odd_one(&atoms) {
            sink.push(odd);
            return LetValue::Unknown;
        }
        LetValue::Atoms { atoms: atoms.into(), set }
    }

    /// The members of a value: lists are flattened and names replaced by what they stand for.
    pub(crate) fn atoms(
        self,
        expr: &Expr,
        scope: &Scope,
        sink: &mut Sink,
        budget: &mut usize,
        out: &mut Vec<Atom>,
    ) {
        if !spend(1, expr.span, sink, budget) {
            return;
        }
        let span = expr.span;
        let kind = match &expr.kind {
            ExprKind::String => self.text_atom(span, scope, sink),
            ExprKind::Raw => {
                let message = "a `\"\"\"` text stands after `raw` alone";
                sink.push(
                    Diagnostic::new(codes::WRONG_KIND, message)
                        .label(span, "not a value")
                        .help("write `\"…\"`"),
                );
                return;
            }
            ExprKind::Int { value, unit } => AtomKind::Int(*value, *unit),
            ExprKind::Range(low, high) => AtomKind::Range(*low, *high),
            ExprKind::Address => AtomKind::Address,
            ExprKind::Group => match known_group(self.sources.text(span), span, sink) {
                Some(group) => AtomKind::Group(group),
                None => return,
            },
            ExprKind::List(items) => {
                items.iter().for_each(|item| self.atoms(item, scope, sink, budget, out));
                return;
            }
            ExprKind::Name => {
                self.named_atoms(span, scope, sink, budget, out);
                return;
            }
        };
        out.push(Atom { kind, span });
    }

    fn named_atoms(
        self,
        span: Span,
        scope: &Scope,
        sink: &mut Sink,
        budget: &mut usize,
        out: &mut Vec<Atom>,
    ) {
        let name = self.sources.text(span);
        match self.find(name, scope) {
            Found::Let(LetValue::Atoms { atoms, .. }) => {
                if spend(atoms.len(), span, sink, budget) {
                    out.extend(atoms.iter().cloned());
                }
            }
            Found::Let(LetValue::Param(value)) | Found::Param(value) => out.extend(value_atom(value, span)),
            Found::Let(LetValue::Unknown) | Found::Lost => {}
            Found::Nothing => match (syscalls::lookup(name), syscalls::constant(name)) {
                (Some(call), _) => out.push(Atom { kind: AtomKind::Call(call), span }),
                (None, Some(value)) => out.push(Atom { kind: AtomKind::Int(value, Measure::None), span }),
                (None, None) if Arch::ALL.iter().any(|a| syscalls::constant_on(*a, name).is_some()) => {
                    let message = format!("`{name}` has another value on each architecture");
                    sink.push(
                        Diagnostic::new(codes::WRONG_KIND, message)
                            .label(span, "not one number")
                            .help("write the constant itself in the condition"),
                    );
                }
                (None, None) => {
                    sink.push(self.unknown_name(name, span, scope, true));
                }
            },
        }
    }

    /// A string of a let. What is wrong with it as a plain text alone is reported where it is used as one.
    fn text_atom(self, span: Span, scope: &Scope, sink: &mut Sink) -> AtomKind {
        let quoted = self.sources.text(span);
        let pattern = self.decode(quoted, span, scope, Mode::Pattern, sink);
        let plain = match pattern {
            Some(_) => self.decode(quoted, span, scope, Mode::Plain, &mut Sink::default()),
            None => None,
        };
        let own = |t: Text<'_>| Arc::new(t.into_owned());
        AtomKind::Text { pattern: pattern.map(own), plain: plain.map(own) }
    }
}

fn needs_of(expr: Option<&Expr>, sources: &SourceMap, out: &mut Vec<Name>) {
    let Some(expr) = expr else { return };
    match &expr.kind {
        ExprKind::Name => out.push(Name { text: sources.text(expr.span).into(), span: expr.span }),
        ExprKind::String => out.extend(interpolated(sources.text(expr.span), expr.span)),
        ExprKind::List(items) => items.iter().for_each(|i| needs_of(Some(i), sources, out)),
        _ => {}
    }
}

/// A parameter's value as a member of a set; nothing when it is not known.
pub(crate) fn value_atom(value: &Value, span: Span) -> Option<Atom> {
    let text = |text: &Arc<str>| Some(Arc::new(Text::elsewhere(text.to_string(), span)));
    let kind = match value {
        Value::Path { pattern, plain } => AtomKind::Text { pattern: text(pattern), plain: text(plain) },
        Value::Port(port) => AtomKind::Int(u64::from(*port), Measure::None),
        Value::Int(value) => AtomKind::Int(*value, Measure::None),
        Value::Bool(_) | Value::Unknown => return None,
    };
    Some(Atom { kind, span })
}

/// The kind of a member, for a set that must have one kind.
fn kind_name(kind: &AtomKind) -> &'static str {
    match kind {
        AtomKind::Text { .. } => "string",
        AtomKind::Int(..) | AtomKind::Range(..) => "number",
        AtomKind::Address => "address",
        AtomKind::Call(_) | AtomKind::Group(_) => "system call",
    }
}

fn odd_one(atoms: &[Atom]) -> Option<Diagnostic> {
    let first = atoms.first()?;
    let odd = atoms.iter().find(|a| kind_name(&a.kind) != kind_name(&first.kind))?;
    let (one, other) = (kind_name(&first.kind), kind_name(&odd.kind));
    Some(
        Diagnostic::new(codes::MIXED_SET, format!("a set of {one}s holds a {other}"))
            .label(odd.span, format!("a {other}"))
            .label(first.span, format!("a {one}"))
            .help("make a set for each kind"),
    )
}

/// The group `@name`, or an error.
pub(crate) fn known_group(written: &str, span: Span, sink: &mut Sink) -> Option<&'static str> {
    let name = written.trim_start_matches('@');
    if let Some((known, _)) = syscalls::groups().find(|g| g.0 == name) {
        return Some(known);
    }
    let help = match nearest(name, syscalls::groups().map(|g| g.0)) {
        Some(near) => format!("did you mean `@{near}`?"),
        None => "groups are named as in systemd.exec(5), with `_` for `-`".into(),
    };
    let message = format!("unknown group of system calls `{}`", crate::parse::shorten(written));
    sink.push(Diagnostic::new(codes::UNKNOWN_GROUP, message).label(span, "not known").help(help));
    None
}

/// Takes `count` values from what a compilation may hold; reports when it is used up, and says no from then on.
pub(crate) fn spend(count: usize, span: Span, sink: &mut Sink, budget: &mut usize) -> bool {
    if *budget > count {
        *budget -= count;
        return true;
    }
    if std::mem::take(budget) > 0 {
        sink.push(too_many_values(span));
    }
    false
}

/// The error about sets that expand to too much.
fn too_many_values(span: Span) -> Diagnostic {
    Diagnostic::new(
        codes::TOO_MANY_VALUES,
        format!("the sets of this policy hold more than {MAX_VALUES} values"),
    )
    .label(span, "one too many")
    .help("use patterns, ranges and groups instead of long lists")
}
