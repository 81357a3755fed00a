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
        let (at, length) = extent(&text.value, error);
        let span = if length == 0 { text.span } else { text.locate(at, length) };
        let (code, label) = verdict(error.kind);
        let label = if text.value.is_empty() { "empty" } else { label };
        self.fail(code, span, error.kind.to_string(), label, advice(&text.value, error.kind));
    }
}

/// The bytes of the text that are wrong; a length of zero stands for the whole string.
fn extent(text: &str, error: &PatternError) -> (usize, usize) {
    use PatternErrorKind as Kind;
    let at = error.at;
    let rest = text.get(at..).unwrap_or_default();
    match error.kind {
        Kind::NotAbsolute | Kind::TooLong => (0, 0),
        Kind::Dots => (at, rest.find('/').unwrap_or(rest.len()).max(1)),
        Kind::EmptyComponent => (at.saturating_sub(1), 2),
        Kind::GlobstarMixed => (at, 2),
        _ => (at, rest.chars().next().map_or(1, char::len_utf8)),
    }
}

fn verdict(kind: PatternErrorKind) -> (Code, &'static str) {
    use PatternErrorKind as Kind;
    match kind {
        Kind::NotAbsolute => (codes::PATH_NOT_ABSOLUTE, "does not start at the root"),
        Kind::Dots => (codes::PATH_DOTS, "never seen by the kernel"),
        Kind::EmptyComponent => (codes::PATH_DOTS, "one `/` too many"),
        Kind::GlobstarMixed => (codes::PATH_GLOBSTAR, "beside other characters"),
        Kind::Unbalanced => (codes::PATH_BRACKETS, "without its partner"),
        Kind::NestedAlternatives => (codes::PATH_BRACKETS, "inside other alternatives"),
        Kind::BadClass => (codes::PATH_BRACKETS, "in this class"),
        Kind::DanglingEscape => (codes::PATH_ESCAPE, "nothing follows"),
        Kind::BadDollar => (codes::PATH_ESCAPE, "nothing that patterns know"),
        Kind::Control => (codes::PATH_ESCAPE, "here"),
        Kind::TooManyAlternatives => (codes::PATH_TOO_LARGE, "these are too many"),
        Kind::TooLong => (codes::PATH_TOO_LARGE, "too long"),
    }
}

/// What to write instead.
fn advice(text: &str, kind: PatternErrorKind) -> String {
    use PatternErrorKind as Kind;
    let fixed: &str = match kind {
        Kind::NotAbsolute => {
            return match text.strip_prefix('~') {
                Some(rest) => format!("write `\"${{home}}{}\"`", shorten(rest)),
                None if text.is_empty() => "write a path such as `\"/etc/hosts\"`".into(),
                None => {
                    let text = shorten(text.trim_start_matches("./"));
                    format!("write `\"/{text}\"`, or start with `${{home}}`, `${{run_user}}` or `${{self}}`")
                }
            };
        }
        Kind::Dots | Kind::EmptyComponent => return format!("write `\"{}\"`", shorten(&followed(text))),
        Kind::TooManyAlternatives => {
            return format!("at most {MAX_ALTERNATIVES} are allowed; use `*`, or several rules");
        }
        Kind::TooLong => return format!("at most {MAX_PATTERN_BYTES} bytes are allowed"),
        Kind::GlobstarMixed => {
            "write `/**/` for any directories, `/**` at the end for everything below, `*` within a name"
        }
        Kind::Unbalanced => "close it, or write `\\\\` before it for the character itself",
        Kind::NestedAlternatives => "write the alternatives out, or use several paths",
        Kind::BadClass => "write ASCII characters or ranges in rising order, such as `[a-z0-9]` or `[!0-9]`",
        Kind::DanglingEscape => "write `\\\\\\\\` for a backslash in a path",
        Kind::BadDollar => {
            "built-in directories stand at the start and are followed by `/`; write `$$` for a dollar"
        }
        Kind::Control => "no path in a policy holds a control character; use `?`",
    };
    fixed.into()
}

/// The path after `.`, `..` and `//` are followed.
fn followed(text: &str) -> String {
    let mut names: Vec<&str> = Vec::new();
    for name in text.split('/') {
        match name {
            "" | "." => {}
            ".." => {
                names.pop();
            }
            name => names.push(name),
        }
    }
    let start = if text.starts_with('/') { "/" } else { "" };
    let end = if text.ends_with('/') && !names.is_empty() { "/" } else { "" };
    format!("{start}{}{end}", names.join("/"))
}

fn shorten(text: &str) -> String {
    crate::parse::shorten(text)
}
