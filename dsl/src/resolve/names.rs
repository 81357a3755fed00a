//! What a name stands for where it is used, and strings with names in them.

use super::text::{Mode, Replacement, Text, decode};
use super::values::{AtomKind, Found, LetValue, Scope, Value, World};
use crate::ast::{Item, Name};
use crate::codes;
use crate::diag::Diagnostic;
use crate::limits::MAX_STRING_BYTES;
use crate::sink::Sink;
use crate::source::Span;
use crate::suggest::nearest;
use canc_sets::syscalls;
use std::sync::Arc;

impl<'w> World<'w> {
    /// What a name stands for in a scope.
    pub(crate) fn find<'v>(self, name: &str, scope: &'v Scope) -> Found<'v>
    where
        'w: 'v,
    {
        if let Some((_, value)) = scope.params.iter().find(|p| &*p.0 == name) {
            return Found::Param(value);
        }
        let Some((unit, rest)) = self.units.qualify(scope.unit, name) else {
            return if self.units.is_lost(scope.unit, name) { Found::Lost } else { Found::Nothing };
        };
        let place = self.units.list.get(unit).and_then(|u| u.values.get(rest));
        match place.and_then(|p| self.values.units.get(unit).and_then(|u| u.get(p))) {
            Some(LetValue::Param(value)) => Found::Param(value),
            Some(value) => Found::Let(value),
            // A value of a ring, or one that could not be understood.
            None if place.is_some() => Found::Lost,
            None => Found::Nothing,
        }
    }

    /// The text of a string literal in a scope; `None` when it has no value, which was reported if it is an error.
    pub(crate) fn decode<'s>(
        self,
        quoted: &'s str,
        span: Span,
        scope: &Scope,
        mode: Mode,
        sink: &mut Sink,
    ) -> Option<Text<'s>> {
        let text =
            decode(quoted, span, mode, sink, &mut |name, sink| self.replacement(name, scope, mode, sink))?;
        if text.value.len() > MAX_STRING_BYTES {
            let message =
                format!("a text of {} bytes; at most {MAX_STRING_BYTES} are allowed", text.value.len());
            sink.push(
                Diagnostic::new(codes::STRING_TOO_LONG, message)
                    .label(span, "after its names are replaced")
                    .help("shorten it"),
            );
            return None;
        }
        Some(text)
    }

    fn replacement(self, name: &Name, scope: &Scope, mode: Mode, sink: &mut Sink) -> Replacement {
        let text: Arc<str> = match self.find(&name.text, scope) {
            Found::Param(Value::Path { pattern, plain }) => {
                Arc::clone(if mode == Mode::Pattern { pattern } else { plain })
            }
            Found::Param(Value::Port(port)) => port.to_string().into(),
            Found::Param(Value::Int(value)) => value.to_string().into(),
            Found::Param(Value::Bool(value)) => value.to_string().into(),
            Found::Let(LetValue::Atoms { atoms, set: false }) => match atoms.first().map(|a| &a.kind) {
                Some(AtomKind::Text { pattern, plain }) => {
                    match if mode == Mode::Pattern { pattern } else { plain } {
                        Some(text) => text.value.as_ref().into(),
                        None => return no_text(name, sink),
                    }
                }
                Some(AtomKind::Int(value, _)) => value.to_string().into(),
                _ => return no_text(name, sink),
            },
            Found::Let(LetValue::Atoms { .. }) => return no_text(name, sink),
            Found::Let(_) | Found::Param(Value::Unknown) | Found::Lost => return Replacement::Unknown,
            Found::Nothing => {
                sink.push(self.unknown_name(&name.text, name.span, scope, false));
                return Replacement::Unknown;
            }
        };
        Replacement::Text(text)
    }

    /// The error about a name that nothing has.
    pub(crate) fn unknown_name(self, name: &str, span: Span, scope: &Scope, calls: bool) -> Diagnostic {
        let own = self.units.list.get(scope.unit);
        let mut known: Vec<&str> = scope.params.iter().map(|p| &*p.0).collect();
        if let Some(unit) = own {
            known.extend(unit.names(|item| match item {
                Item::Let(item) => Some(&item.name),
                Item::Param(item) => Some(&item.name),
                _ => None,
            }));
        }
        if calls {
            known.extend(syscalls::names().map(|n: &str| n));
        }
        let help = match nearest(name, known) {
            Some(near) => format!("did you mean `{near}`?"),
            None if name.contains('.') => {
                "name the file with `use \"FILE\" as NAME;`, and the value with `let` in it".into()
            }
            None => format!("define it: `let {name} = …;`"),
        };
        let message = format!("unknown name `{}`", crate::parse::shorten(name));
        Diagnostic::new(codes::UNKNOWN_NAME, message).label(span, "nothing has this name").help(help)
    }
}

fn no_text(name: &Name, sink: &mut Sink) -> Replacement {
    let message = format!("`{}` cannot stand inside a text", name.text);
    sink.push(
        Diagnostic::new(codes::WRONG_KIND, message)
            .label(name.span, "it is no string and no integer, or one with a directory that only paths have")
            .help("use a `let` of one string or one integer"),
    );
    Replacement::Unknown
}
