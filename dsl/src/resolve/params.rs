//! Parameters: values from the command line, from defaults and from arguments, checked against their types.

use super::load::{Unit, Units};
use super::values::{Atom, AtomKind, Found, LetValue, Scope, Value, World, value_atom};
use crate::ast::{Call, Expr, ExprKind, Item, Param, ParamKind, Unit as Measure};
use crate::codes;
use crate::compile::Options;
use crate::diag::Diagnostic;
use crate::sink::Sink;
use crate::source::{FileId, Span};
use crate::suggest::nearest;
use canc_sets::path::{Anchor, Component, Pattern, Tail};
use std::sync::Arc;

/// The value of a file's parameter.
pub(super) fn file_parameter(
    world: World<'_>,
    unit: &Unit,
    param: &Param,
    scope: &Scope,
    sink: &mut Sink,
) -> Value {
    let Some(kind) = param.kind else { return Value::Unknown };
    if let Some(given) = set_name(unit, scope.unit, param).and_then(|n| world.options.parameters.get(&n)) {
        return match typed(kind, given) {
            Ok(value) => value,
            Err(why) => {
                let message =
                    format!("`{}` is no {} for `{}`: {why}", shown(given), kind.word(), param.name.text);
                sink.push(
                    Diagnostic::new(codes::BAD_ARGUMENT, message)
                        .label(param.name.span, "this parameter")
                        .help(format!("give {}", example(kind))),
                );
                Value::Unknown
            }
        };
    }
    match &param.default {
        Some(default) => value_of(world, kind, default, scope, sink),
        None => {
            let name = set_name(unit, scope.unit, param).unwrap_or_else(|| param.name.text.to_string());
            sink.push(
                Diagnostic::new(
                    codes::NO_ARGUMENT,
                    format!("the parameter `{}` has no value", param.name.text),
                )
                .label(param.name.span, "no default")
                .help(format!("give it one with `--set {name}=VALUE`, or a default: `{} = …`", kind.word())),
            );
            Value::Unknown
        }
    }
}

/// How the command line names a parameter; nothing for those of files that the first one does not use itself.
fn set_name(unit: &Unit, number: usize, param: &Param) -> Option<String> {
    match &unit.prefix {
        Some(prefix) => Some(format!("{prefix}.{}", param.name.text)),
        None => (number == 0).then(|| param.name.text.to_string()),
    }
}

/// Reports values given to parameters that do not exist.
pub(super) fn unknown_ones(units: &Units, options: &Options, sink: &mut Sink) {
    let mut known: Vec<(String, Span)> = Vec::new();
    for (number, unit) in units.list.iter().enumerate() {
        for item in &unit.tree.items {
            if let Item::Param(param) = item {
                known.extend(set_name(unit, number, param).map(|name| (name, param.name.span)));
            }
        }
    }
    for name in options.parameters.keys().filter(|n| known.iter().all(|(k, _)| k != *n)) {
        let near = nearest(name, known.iter().map(|(k, _)| k.as_str()));
        let help = match near {
            Some(near) => format!("did you mean `--set {near}=…`?"),
            None => "declare it: `param NAME: path;`".into(),
        };
        let place = known.iter().find(|(k, _)| Some(k.as_str()) == near).or(known.last());
        let message = format!("the policy has no parameter `{}`", shown(name));
        let (span, label) = match place {
            Some((_, span)) if near.is_some() => (*span, "the parameter that is here"),
            Some((_, span)) => (*span, "the last parameter that is here"),
            None => (Span::new(FileId(0), 0, 0), "no parameter in this file"),
        };
        sink.push(Diagnostic::new(codes::UNKNOWN_PARAMETER, message).label(span, label).help(help));
    }
}

fn shown(text: &str) -> String {
    crate::parse::shorten(&text.escape_debug().to_string())
}

fn example(kind: ParamKind) -> &'static str {
    match kind {
        ParamKind::Path => "an absolute path such as `/srv/www`",
        ParamKind::Port => "a number from 0 to 65535",
        ParamKind::Int => "a number such as `64`",
        ParamKind::Bool => "`true` or `false`",
    }
}

/// A text from the command line as a value: every character stands for itself.
fn typed(kind: ParamKind, text: &str) -> Result<Value, String> {
    match kind {
        ParamKind::Path => {
            let pattern = Pattern::literal_path(text).map_err(|e| e.to_string())?;
            Ok(path_value(&pattern))
        }
        ParamKind::Port => text.parse().map(Value::Port).map_err(|_| "not a port".into()),
        ParamKind::Int => text.parse().map(Value::Int).map_err(|_| "not a number".into()),
        ParamKind::Bool => match text {
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            _ => Err("neither `true` nor `false`".into()),
        },
    }
}

/// A final `/` is dropped, so that `${dir}/x` reads well.
fn path_value(pattern: &Pattern) -> Value {
    let root = pattern.anchor() == Anchor::Root && pattern.components().is_empty();
    let pattern = if root { pattern.clone() } else { pattern.with_tail(Tail::Entry) };
    let text: Arc<str> = pattern.to_string().into();
    let plain = pattern.as_literal().map_or_else(|| Arc::clone(&text), Into::into);
    Value::Path { pattern: text, plain }
}

/// A default or an argument as a value of its type.
pub(super) fn value_of(
    world: World<'_>,
    kind: ParamKind,
    expr: &Expr,
    scope: &Scope,
    sink: &mut Sink,
) -> Value {
    let found = match &expr.kind {
        ExprKind::Name => named(world, kind, expr.span, scope, sink),
        ExprKind::String => {
            let quoted = world.sources.text(expr.span);
            let Some(text) = world.decode(quoted, expr.span, scope, super::Mode::Pattern, sink) else {
                return Value::Unknown;
            };
            let text = AtomKind::Text { pattern: Some(Arc::new(text.into_owned())), plain: None };
            from_atom(kind, &Atom { kind: text, span: expr.span })
        }
        ExprKind::Int { value, unit } => {
            from_atom(kind, &Atom { kind: AtomKind::Int(*value, *unit), span: expr.span })
        }
        _ => Err("it is a set".into()),
    };
    found.unwrap_or_else(|why| {
        sink.push(
            Diagnostic::new(codes::BAD_ARGUMENT, format!("not a {}: {why}", kind.word()))
                .label(expr.span, "this value")
                .help(format!("give {}", example(kind))),
        );
        Value::Unknown
    })
}

/// What a name stands for, as a value of a type.
fn named(
    world: World<'_>,
    kind: ParamKind,
    span: Span,
    scope: &Scope,
    sink: &mut Sink,
) -> Result<Value, String> {
    let name = world.sources.text(span);
    if kind == ParamKind::Bool && matches!(name, "true" | "false") {
        return Ok(Value::Bool(name == "true"));
    }
    match world.find(name, scope) {
        Found::Param(Value::Unknown) | Found::Let(LetValue::Unknown) | Found::Lost => Ok(Value::Unknown),
        Found::Param(Value::Bool(value)) | Found::Let(LetValue::Param(Value::Bool(value))) => match kind {
            ParamKind::Bool => Ok(Value::Bool(*value)),
            _ => Err("it is a yes or no".into()),
        },
        Found::Param(value) | Found::Let(LetValue::Param(value)) => match value_atom(value, span) {
            Some(atom) => from_atom(kind, &atom),
            None => Ok(Value::Unknown),
        },
        Found::Let(LetValue::Atoms { atoms, set: false }) => {
            atoms.first().map_or(Ok(Value::Unknown), |atom| from_atom(kind, atom))
        }
        Found::Let(LetValue::Atoms { .. }) => Err("it is a set".into()),
        Found::Nothing => {
            sink.push(world.unknown_name(name, span, scope, false));
            Ok(Value::Unknown)
        }
    }
}

fn from_atom(kind: ParamKind, atom: &Atom) -> Result<Value, String> {
    match (kind, &atom.kind) {
        (ParamKind::Path, AtomKind::Text { pattern: Some(text), .. }) => one_path(&text.value),
        (ParamKind::Port, AtomKind::Int(value, Measure::None)) => {
            u16::try_from(*value).map(Value::Port).map_err(|_| "out of range".into())
        }
        (ParamKind::Int, AtomKind::Int(value, Measure::None)) => Ok(Value::Int(*value)),
        (_, AtomKind::Text { .. }) => Err("it is a string".into()),
        (_, AtomKind::Int(..)) => Err("it is a number".into()),
        _ => Err("it is something else".into()),
    }
}

fn one_path(text: &str) -> Result<Value, String> {
    let patterns = Pattern::parse(text).map_err(|e| e.to_string())?;
    let literal = |p: &Pattern| {
        p.tail() != Tail::Subtree && p.components().iter().all(|c| matches!(c, Component::Literal(_)))
    };
    match patterns.as_slice() {
        [one] if literal(one) => Ok(path_value(one)),
        _ => Err("a parameter is one path; write the pattern where it is used: `\"${NAME}/**\"`".into()),
    }
}

/// The scope of a fragment or template with its arguments. `None` after an error about their number.
pub(super) fn bind(
    world: World<'_>,
    unit: usize,
    params: &[Param],
    call: &Call,
    scope: &Scope,
    sink: &mut Sink,
) -> Option<Scope> {
    let needed = params.iter().take_while(|p| p.default.is_none()).count();
    if call.args.len() > params.len() || call.args.len() < needed {
        let takes = match (needed, params.len()) {
            (0, 0) => "no arguments".into(),
            (a, b) if a == b => format!("{a} argument{}", if a == 1 { "" } else { "s" }),
            (a, b) => format!("{a} to {b} arguments"),
        };
        let list: Vec<String> = params
            .iter()
            .map(|p| format!("{}: {}", p.name.text, p.kind.map_or("…", ParamKind::word)))
            .collect();
        let message = format!("`{}` takes {takes}, here are {}", call.name.text, call.args.len());
        sink.push(
            Diagnostic::new(codes::ARGUMENT_COUNT, message).label(call.span, "this call").help(format!(
                "write `{}({})` with values",
                call.name.text,
                list.join(", ")
            )),
        );
        return None;
    }
    let mut out = Scope { unit, params: Vec::with_capacity(params.len()) };
    for (number, param) in params.iter().enumerate() {
        let value = match (param.kind, call.args.get(number), &param.default) {
            (None, _, _) => Value::Unknown,
            (Some(kind), Some(arg), _) => value_of(world, kind, arg, scope, sink),
            (Some(kind), None, Some(default)) => {
                value_of(world, kind, default, &Scope { unit, params: Vec::new() }, sink)
            }
            (Some(_), None, None) => Value::Unknown,
        };
        out.params.push((Arc::clone(&param.name.text), value));
    }
    Some(out)
}

/// The scope in which a fragment or template is looked at by itself.
pub(super) fn unbound(unit: usize, params: &[Param]) -> Scope {
    // Some path, so that what is written around it can be checked; nothing that a rule means depends on which.
    let path: Arc<str> = "/parameter".into();
    let value = |kind| match kind {
        Some(ParamKind::Path) => Value::Path { pattern: Arc::clone(&path), plain: Arc::clone(&path) },
        _ => Value::Unknown,
    };
    let params = params.iter().map(|p| (Arc::clone(&p.name.text), value(p.kind))).collect();
    Scope { unit, params }
}

/// Reports what is wrong with a list of parameters by itself: names given twice, or taken by a value of the file.
pub(super) fn check_list(unit: &Unit, params: &[Param], sink: &mut Sink) {
    let mut defaults = false;
    for (number, param) in params.iter().enumerate() {
        let before = params.iter().take(number).find(|p| p.name.text == param.name.text).map(|p| p.name.span);
        let outer = unit.values.get(&param.name.text).and_then(|p| unit.tree.items.get(*p));
        let outer: Option<Span> = match outer {
            Some(Item::Let(item)) => Some(item.name.span),
            Some(Item::Param(item)) => Some(item.name.span),
            _ => None,
        };
        if let Some(first) = before.or(outer) {
            sink.push(super::load::twice("values", &param.name, first));
        }
        if param.default.is_none() && defaults {
            let message = "a parameter without default follows one with a default";
            sink.push(
                Diagnostic::new(codes::DEFAULT_ORDER, message)
                    .label(param.name.span, "no default")
                    .help("put it before, or give it a default"),
            );
        }
        defaults |= param.default.is_some();
    }
}
