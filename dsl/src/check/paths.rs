//! Strings to path patterns, with each error at the exact place in the source.

use super::Checker;
use crate::ast::{Expr, ExprKind};
use crate::codes;
use crate::diag::{Code, Diagnostic};
use crate::policy::PathRef;
use crate::resolve::{Atom, AtomKind, Mode, Scope, Text, spend};
use crate::source::Span;
use canc_sets::path::{MAX_ALTERNATIVES, MAX_PATTERN_BYTES, Pattern, PatternError, PatternErrorKind};

impl Checker<'_, '_> {
    /// The patterns of a set of paths; `None` when one of them could not be understood, which was reported if it is an error.
    pub(super) fn paths(&mut self, exprs: &[Expr], scope: &Scope) -> Option<Vec<PathRef>> {
        let mut out = Vec::with_capacity(exprs.len());
        let good = self.each_text(exprs, scope, "a path", |checker, text| checker.pattern(text, &mut out));
        if let (true, true, Some(first)) = (good, out.is_empty(), exprs.first()) {
            self.fail(codes::NOTHING_LEFT, first.span, "the set holds no path", "empty", "name a path");
            return None;
        }
        good.then_some(out)
    }

    /// Calls `each` for every string of a set; false when one could not be understood, or `each` said so.
    pub(super) fn each_text(
        &mut self,
        exprs: &[Expr],
        scope: &Scope,
        what: &str,
        mut each: impl FnMut(&mut Self, &Text<'_>) -> bool,
    ) -> bool {
        let mut good = true;
        for expr in exprs {
            if let ExprKind::String = expr.kind {
                let quoted = self.text(expr.span);
                let text = self.world.decode(quoted, expr.span, scope, Mode::Pattern, self.sink);
                good &= text.is_some_and(|text| each(self, &text));
                continue;
            }
            let before = self.sink.errors();
            let atoms = self.atoms(std::slice::from_ref(expr), scope);
            good &=
                self.sink.errors() == before && (!atoms.is_empty() || matches!(expr.kind, ExprKind::List(_)));
            for atom in atoms {
                match &atom.kind {
                    AtomKind::Text { pattern: Some(text), .. } => good &= each(self, text),
                    AtomKind::Text { .. } => good = false,
                    _ => {
                        self.wrong_kind(&atom, expr.span, what);
                        good = false;
                    }
                }
            }
        }
        good
    }

    /// The error about a value of the wrong kind.
    pub(super) fn wrong_kind(&mut self, atom: &Atom, used: Span, what: &str) {
        let is = match atom.kind {
            AtomKind::Text { .. } => "a string",
            AtomKind::Int(..) => "a number",
            AtomKind::Range(..) => "a range of numbers",
            AtomKind::Address => "an address",
            AtomKind::Call(_) => "a system call",
            AtomKind::Group(_) => "a group of system calls",
        };
        let mut error = Diagnostic::new(codes::WRONG_KIND, format!("expected {what}, found {is}"))
            .label(used, format!("not {what}"))
            .help(format!("write {what} here"));
        if atom.span != used {
            error = error.label(atom.span, format!("it is {is}"));
        }
        self.sink.push(error);
    }

    fn pattern(&mut self, text: &Text<'_>, out: &mut Vec<PathRef>) -> bool {
        // An error about too many values was reported: going on would only take time.
        if self.budget == 0 {
            return false;
        }
        match Pattern::parse(&text.value) {
            Ok(patterns) => {
                // What alternatives multiply counts with its length.
                let cost = match patterns.len() {
                    1 => 1,
                    many => many * (1 + text.value.len() / 8),
                };
                if !spend(cost, text.span, self.sink, &mut self.budget) {
                    return false;
                }
                out.extend(patterns.into_iter().map(|pattern| PathRef { pattern, span: text.span }));
                true
            }
            Err(error) => {
                self.pattern_error(text, &error);
                false
            }
        }
    }

    fn pattern_error(&mut self, text: &Text<'_>, error: &PatternError) {
        let Explained { code, help, at, length } = explain(&text.value, error);
        let span = if length == 0 { text.span } else { text.locate(at, length) };
        let label = if text.value.is_empty() { "empty" } else { "here" };
        self.fail(code, span, error.kind.to_string(), label, help);
    }
}

struct Explained {
    code: Code,
    help: String,
    at: usize,
    /// Zero for the whole string.
    length: usize,
}

fn explain(text: &str, error: &PatternError) -> Explained {
    use PatternErrorKind as Kind;
    let at = error.at;
    let rest = text.get(at..).unwrap_or_default();
    let one = rest.chars().next().map_or(1, char::len_utf8);
    let component = rest.find('/').unwrap_or(rest.len()).max(1);
    let (code, help, at, length) = match error.kind {
        Kind::NotAbsolute => {
            let help = match text.strip_prefix('~') {
                Some(rest) => format!("write `\"${{home}}{rest}\"`"),
                None if text.is_empty() => "write a path such as `\"/etc/hosts\"`".into(),
                None => format!(
                    "write `\"/{}\"`, or start with `${{home}}`, `${{run_user}}` or `${{self}}`",
                    shorten(text)
                ),
            };
            (codes::PATH_NOT_ABSOLUTE, help, 0, 0)
        }
        Kind::Dots => (
            codes::PATH_DOTS,
            "write the path as it is after `.` and `..` are followed".into(),
            at,
            component,
        ),
        Kind::EmptyComponent => (codes::PATH_DOTS, "write a single `/`".into(), at.saturating_sub(1), 2),
        Kind::GlobstarMixed => {
            let help =
                "write `/**/` for any directories, `/**` at the end for everything below, `*` within a name";
            (codes::PATH_GLOBSTAR, help.into(), at, 2)
        }
        Kind::Unbalanced => {
            let help = "close it, or write `\\\\` before it for the character itself";
            (codes::PATH_BRACKETS, help.into(), at, one)
        }
        Kind::NestedAlternatives => {
            (codes::PATH_BRACKETS, "write the alternatives out, or use several paths".into(), at, one)
        }
        Kind::BadClass => {
            let help = "write ASCII characters or ranges in rising order, such as `[a-z0-9]` or `[!0-9]`";
            (codes::PATH_BRACKETS, help.into(), at, one)
        }
        Kind::DanglingEscape => {
            (codes::PATH_ESCAPE, "write `\\\\\\\\` for a backslash in a path".into(), at, 1)
        }
        Kind::BadDollar => {
            let help =
                "built-in directories stand at the start and are followed by `/`; write `$$` for a dollar";
            (codes::PATH_ESCAPE, help.into(), at, one)
        }
        Kind::TooManyAlternatives => {
            let help = format!("at most {MAX_ALTERNATIVES} are allowed; use `*`, or several rules");
            (codes::PATH_TOO_LARGE, help, at, one)
        }
        Kind::TooLong => {
            (codes::PATH_TOO_LARGE, format!("at most {MAX_PATTERN_BYTES} bytes are allowed"), 0, 0)
        }
        Kind::Control => {
            (codes::PATH_ESCAPE, "no path in a policy holds a control character; use `?`".into(), at, one)
        }
    };
    Explained { code, help, at, length }
}

fn shorten(text: &str) -> String {
    crate::parse::shorten(text)
}
