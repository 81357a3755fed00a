//! Skeleton nodes to the statements of a policy or fragment.

use super::cst::{Token, TokenKind, tokens};
use super::line::{Context, Line, one_of};
use super::rule;
use super::split::Node;
use super::value::Words;
use crate::ast::{Call, Expr, Launcher, Name, Statement, StatementKind, When, WhenCondition};
use crate::codes;
use crate::diag::Diagnostic;
use crate::policy::{Action, Compare, NamespaceKind, Target};
use crate::sink::{Parsed, Reported};
use crate::source::Span;
use crate::{Version, words};
use canc_sets::syscalls::Arch;
use std::sync::Arc;

/// The tokens of one statement, cut out of a node: where a `;` is missing, a node holds several.
pub(crate) struct Piece<'t> {
    pub(crate) tokens: &'t [Token],
    pub(crate) span: Span,
    /// The node, for the last piece alone: its block belongs to it.
    pub(crate) node: Option<&'t Node>,
}

/// Calls `each` for every statement of the nodes, and reports what is missing between them.
pub(crate) fn each_statement<'s, 'd>(
    cx: &mut Context<'s, 'd>,
    nodes: &[Node],
    starts: &[&str],
    mut each: impl FnMut(&mut Context<'s, 'd>, Piece<'_>),
) {
    for node in nodes {
        if cx.sink.is_full() {
            return;
        }
        let all = tokens(cx.file, cx.text, node.head.clone(), cx.sink);
        let mut rest = all.as_slice();
        while let Some(at) = missing_end(cx, rest, starts) {
            let (head, tail) = rest.split_at(at);
            report_missing_end(cx, head);
            each(cx, Piece { tokens: head, span: span_of(head), node: None });
            rest = tail;
        }
        if !node.ended && !node.broken {
            report_missing_end(cx, rest);
        }
        let span =
            if rest.is_empty() { Span::new(cx.file, node.head.start, node.head.end) } else { span_of(rest) };
        each(cx, Piece { tokens: rest, span, node: Some(node) });
    }
}

fn span_of(tokens: &[Token]) -> Span {
    match (tokens.first(), tokens.last()) {
        (Some(first), Some(last)) => first.span.to(last.span),
        _ => Span::default(),
    }
}

fn report_missing_end(cx: &mut Context<'_, '_>, tokens: &[Token]) {
    let Some(last) = tokens.last() else { return };
    cx.sink.push(
        Diagnostic::new(codes::MISSING_SEMICOLON, "`;` is missing")
            .label(last.span, "the statement ends here")
            .help(format!("write `{};`", super::line::shorten(cx.str(last.span)))),
    );
}

/// Where in the tokens another statement starts: a statement's word at the start of a later line, after something that can end one.
fn missing_end(cx: &Context<'_, '_>, tokens: &[Token], starts: &[&str]) -> Option<usize> {
    /// Words that cannot end a statement, so that the next line goes on with it.
    const GO_ON: &[&str] = &[
        "from", "to", "as", "socket", "allow", "deny", "audit", "or", "and", "not", "with", "except",
        "where", "in", "on", "by", "because", "type", "include", "policy",
    ];
    (1..tokens.len()).find(|at| {
        let (Some(before), Some(token)) = (tokens.get(at - 1), tokens.get(*at)) else { return false };
        let text = cx.str(token.span);
        let next = tokens.get(at + 1).map(|t| cx.str(t.span));
        let starts_one = match token.kind {
            TokenKind::Word => {
                starts.contains(&text)
                    || (starts.is_empty() && next.is_some_and(|n| super::test::VERBS.contains(&n)))
            }
            TokenKind::At => text == "@prefer" || text == "@id",
            _ => false,
        };
        starts_one
            && cx
                .text
                .get(before.span.range().end..token.span.range().start)
                .is_some_and(|t| t.contains('\n'))
            && !matches!(before.kind, TokenKind::Comma | TokenKind::Operator)
            && !GO_ON.contains(&cx.str(before.span))
            && !only_annotations(cx, tokens.get(..*at).unwrap_or_default())
    })
}

fn only_annotations(cx: &Context<'_, '_>, tokens: &[Token]) -> bool {
    tokens.iter().all(|t| match t.kind {
        TokenKind::At => matches!(cx.str(t.span), "@prefer" | "@id"),
        TokenKind::Group(_) => true,
        _ => false,
    })
}

/// The statements of a block.
pub(crate) fn statements(cx: &mut Context<'_, '_>, nodes: &[Node]) -> Vec<Statement> {
    let mut out: Vec<Statement> = Vec::with_capacity(nodes.len());
    each_statement(cx, nodes, words::STATEMENTS, |cx, piece| {
        let first = piece.tokens.first().map(|t| cx.str(t.span)).unwrap_or_default();
        if first == "else" {
            otherwise(cx, &piece, out.last_mut());
            return;
        }
        let broken: Arc<str> = first.into();
        let kind = match piece.node {
            Some(node) if node.broken => StatementKind::Broken(broken),
            _ => statement(cx, &piece).unwrap_or(StatementKind::Broken(broken)),
        };
        out.push(Statement { kind, span: piece.span });
    });
    out
}

/// `else { … }` belongs to the `when` before it.
fn otherwise(cx: &mut Context<'_, '_>, piece: &Piece<'_>, before: Option<&mut Statement>) {
    let body = piece.node.and_then(|n| n.body.as_deref());
    match (before.map(|s| &mut s.kind), body) {
        (Some(StatementKind::When(when)), Some(body)) if when.otherwise.is_empty() => {
            if let [_, extra, ..] = piece.tokens {
                cx.sink.push(
                    Diagnostic::new(codes::UNEXPECTED, "`else` has no condition")
                        .label(extra.span, "not expected")
                        .help("write `else { when … { … } }`"),
                );
            }
            when.otherwise = statements(cx, body);
        }
        // The `when` could not be understood, so its `else` says nothing either.
        (Some(StatementKind::Broken(word)), Some(_)) if &**word == "when" => {}
        _ => {
            cx.sink.push(
                Diagnostic::new(codes::UNEXPECTED, "`else` without a `when`")
                    .label(piece.span, "no `when { … }` stands before it")
                    .help("write `when COND { … } else { … }`"),
            );
        }
    }
}

fn statement(cx: &mut Context<'_, '_>, piece: &Piece<'_>) -> Parsed<StatementKind> {
    let body = piece.node.and_then(|n| n.body.as_deref());
    let mut line = Line::new(cx, piece.tokens, piece.span);
    if line.eat("when").is_some() {
        let condition = line.when_condition()?;
        line.finish()?;
        let Some(body) = body else {
            return Err(line.expected("a block", "write `when COND { … }`"));
        };
        let then = statements(line.cx, body);
        let when = When { condition, then, otherwise: Vec::new() };
        return Ok(StatementKind::When(Box::new(when)));
    }
    let kind = words_of(&mut line)?;
    line.finish()?;
    no_block(cx, piece)?;
    Ok(kind)
}

/// Fails if a block follows a statement that has none.
pub(crate) fn no_block(cx: &mut Context<'_, '_>, piece: &Piece<'_>) -> Parsed<()> {
    let Some(node) = piece.node.filter(|n| n.body.is_some()) else { return Ok(()) };
    let span = Span::new(cx.file, node.block.start, node.block.start + 1);
    Err(cx.sink.push(
        Diagnostic::new(codes::UNEXPECTED, "a block stands where none belongs")
            .label(span, "this block")
            .help("end the statement before it with `;`"),
    ))
}

fn words_of(line: &mut Line<'_, '_, '_>) -> Parsed<StatementKind> {
    let Some(word) = line.peek_word() else {
        if line.peek().is_some_and(|t| t.kind == TokenKind::At) {
            return rule::rule(line);
        }
        return Err(line.expected("a statement", one_of(words::STATEMENTS.iter().copied())));
    };
    match word {
        "allow" | "deny" => return rule::rule(line),
        w if !words::STATEMENTS.contains(&w) => return Err(unknown(line, w)),
        _ => line.next(),
    };
    match word {
        "exec" => Ok(StatementKind::Exec(line.set("a path", Words::Names)?)),
        "attach" => Ok(StatementKind::Attach(line.set("a path", Words::Names)?)),
        "launch" => launch(line),
        "backend" => backend(line),
        "mode" => Ok(StatementKind::Mode(line.choose("a mode", words::MODES)?.0)),
        "include" => Ok(StatementKind::Include(line.list(|l| l.call("a fragment"))?)),
        "tolerate" => {
            let classes = line.choices("a class", words::CLASSES)?;
            Ok(StatementKind::Tolerate { classes, because: line.because()? })
        }
        "raw" => raw(line),
        "limit" => {
            let kind = line.choose("a limit", words::LIMITS)?.0;
            let value = line.value("a number", Words::Names)?;
            Ok(StatementKind::Limit { kind, value, prefer: line.eat("prefer").is_some() })
        }
        "isolate" => {
            let kinds: Vec<_> = words::NAMESPACES
                .iter()
                .copied()
                .filter(|n| !matches!(n.1, NamespaceKind::Cgroup | NamespaceKind::Time))
                .collect();
            Ok(StatementKind::Isolate(
                line.choices("a namespace", &kinds)?.into_iter().map(|k| k.0).collect(),
            ))
        }
        "separate" => {
            line.expect("instances", "write `separate instances;`")?;
            Ok(StatementKind::SeparateInstances)
        }
        "no_new_privs" => {
            line.expect("off", "write `no_new_privs off because \"…\";`; it is on otherwise")?;
            Ok(StatementKind::NoNewPrivsOff(line.because()?))
        }
        "env" => env(line),
        "keep" => keep(line),
        _ => syscall(line),
    }
}

fn unknown(line: &mut Line<'_, '_, '_>, word: &str) -> Reported {
    let span = line.here();
    if words::ITEMS.contains(&word) {
        let message = format!("`{word}` belongs at the top of a file");
        let help = "move it out of the block; if it stands outside already, a `}` is missing before it";
        return line.fail(codes::MISPLACED, span, message, "inside a block", help);
    }
    if words::BODIES.contains(&word) {
        let message = format!("`{word}` needs `allow` or `deny` before it");
        return line.fail(
            codes::UNKNOWN_WORD,
            span,
            message,
            "not a statement",
            format!("write `allow {word} …`"),
        );
    }
    line.unknown("a statement", word, span, words::STATEMENTS.iter().copied())
}

fn launch(line: &mut Line<'_, '_, '_>) -> Parsed<StatementKind> {
    line.expect("from", "write `launch from user`, `launch from systemd` or `launch from policy NAME`")?;
    let launchers = line.list(|l| match l.peek_word() {
        Some("policy") => {
            l.next();
            Ok(Launcher::Policy(l.name("a policy's name")?))
        }
        _ => {
            const WHO: &[(&str, u8)] = &[("user", 0), ("systemd", 1), ("policy", 2)];
            Ok(if l.choose("a launcher", WHO)?.0 == 0 { Launcher::User } else { Launcher::Systemd })
        }
    })?;
    Ok(StatementKind::Launch(launchers))
}

fn backend(line: &mut Line<'_, '_, '_>) -> Parsed<StatementKind> {
    let mut targets: Vec<Target> = vec![line.choose("a back end", words::TARGETS)?.0];
    while line.eat("or").is_some() {
        let (target, span) = line.choose("a back end", words::TARGETS)?;
        if targets.contains(&target) {
            let message = format!("`{}` stands here twice", target.word());
            return Err(line.fail(codes::REPEATED, span, message, "again", "remove it"));
        }
        targets.push(target);
    }
    let (demand, span) = line.choose("a demand", words::DEMANDS)?;
    if demand == crate::policy::Demand::Off && targets.len() > 1 {
        let help = "write one `backend … off;` for each of them";
        return Err(line.fail(codes::UNEXPECTED, span, "`or` and `off` do not go together", "here", help));
    }
    Ok(StatementKind::Backend { targets, demand })
}

fn raw(line: &mut Line<'_, '_, '_>) -> Parsed<StatementKind> {
    const TARGETS: &[(&str, Target)] = &[("selinux", Target::Selinux), ("apparmor", Target::Apparmor)];
    let target = line.choose("a target", TARGETS)?.0;
    let text = match line.peek() {
        Some(token) if matches!(token.kind, TokenKind::Raw | TokenKind::String) => {
            line.value("a text", Words::Names)?
        }
        _ => return Err(line.expected("a text", "write the text between `\"\"\"` and `\"\"\"`")),
    };
    Ok(StatementKind::Raw { target, text, because: line.because()? })
}

fn env(line: &mut Line<'_, '_, '_>) -> Parsed<StatementKind> {
    let help = "write `env keep \"NAME\"`, `env set NAME \"value\"` or `env clear`";
    match line.peek_word() {
        Some("keep") => {
            line.next();
            Ok(StatementKind::EnvKeep(line.list(env_name)?))
        }
        Some("set") => {
            line.next();
            let name = env_name(line)?;
            Ok(StatementKind::EnvSet { name, value: line.string("a value")? })
        }
        Some("clear") => {
            line.next();
            Ok(StatementKind::EnvClear)
        }
        _ => Err(line.expected("`keep`, `set` or `clear`", help)),
    }
}

/// A variable's name, as a string or as a bare word.
fn env_name(line: &mut Line<'_, '_, '_>) -> Parsed<Expr> {
    match line.peek() {
        Some(token) if matches!(token.kind, TokenKind::Word | TokenKind::String) => {
            line.value("a name", Words::Calls)
        }
        _ => Err(line.expected("a variable's name", "write it in double quotes: `\"LD_LIBRARY_PATH\"`")),
    }
}

fn keep(line: &mut Line<'_, '_, '_>) -> Parsed<StatementKind> {
    match line.peek_word() {
        Some("activation") => {
            line.next();
            Ok(StatementKind::KeepActivation)
        }
        Some("descriptor") => {
            line.next();
            Ok(StatementKind::KeepDescriptors(line.set("a descriptor's number", Words::Names)?))
        }
        _ => {
            Err(line
                .expected("`descriptor` or `activation`", "write `keep descriptor 3` or `keep activation`"))
        }
    }
}

fn syscall(line: &mut Line<'_, '_, '_>) -> Parsed<StatementKind> {
    match line.peek_word() {
        Some("default") => {
            line.next();
            Ok(StatementKind::SyscallDefault(line.action()?.0))
        }
        Some("infer") => {
            line.next();
            line.expect("off", "write `syscall infer off;`; it is on otherwise")?;
            Ok(StatementKind::SyscallInferOff)
        }
        _ => {
            let help = "write `syscall default …` or `syscall infer off`; a rule is `allow syscall …` or `deny syscall …`";
            Err(line.expected("`default` or `infer`", help))
        }
    }
}

impl Line<'_, '_, '_> {
    /// `NAME`, `NAME(args)`
    pub(crate) fn call(&mut self, what: &str) -> Parsed<Call> {
        let name = self.name(what)?;
        let mut args = Vec::new();
        if let Some(token) = self.peek()
            && let TokenKind::Group(inner) = &token.kind
        {
            self.next();
            if !inner.is_empty() {
                args = self.inside(inner, token.span, |l| l.list(argument))?;
            }
        }
        let span = self.since(name.span);
        Ok(Call { name, args, span })
    }

    /// What a filter answers: `EPERM`, `errno(1)`, `kill`, …
    pub(crate) fn action(&mut self) -> Parsed<(Action, Span)> {
        const ACTIONS: &[(&str, Action)] = &[
            ("kill", Action::Kill),
            ("kill_thread", Action::KillThread),
            ("trap", Action::Trap),
            ("trace", Action::Trace),
            ("notify", Action::Notify),
        ];
        let span = self.here();
        if self.at_word("errno") {
            self.next();
            return self.errno_number(span);
        }
        let Some(word) = self.peek_word() else {
            return Err(self.expected("an action", "write an error name such as `EPERM`, or `kill`"));
        };
        let action = match ACTIONS.iter().find(|a| a.0 == word) {
            Some((_, action)) => *action,
            None => match crate::tables::errno(word) {
                Some(number) => Action::Errno(number),
                None => {
                    let known = ACTIONS.iter().map(|a| a.0).chain(crate::tables::errno_names());
                    return Err(self.unknown("an action", word, span, known));
                }
            },
        };
        self.next();
        Ok((action, span))
    }

    fn errno_number(&mut self, start: Span) -> Parsed<(Action, Span)> {
        let Some(token) = self.peek() else {
            return Err(self.expected("a number in parentheses", "write `errno(1)`"));
        };
        let TokenKind::Group(inner) = &token.kind else {
            return Err(self.expected("a number in parentheses", "write `errno(1)`"));
        };
        let number = self.inside(inner, token.span, |l| l.integer("an error number"))?;
        self.next();
        // The kernel keeps 4095 error numbers apart from results (MAX_ERRNO in linux/err.h).
        match u16::try_from(number).ok().filter(|n| (1..=4095).contains(n)) {
            Some(number) => Ok((Action::Errno(number), self.since(start))),
            None => {
                let help = "write a number from 1 to 4095";
                Err(self.fail(codes::BAD_ERRNO, token.span, "no such error number", "out of range", help))
            }
        }
    }
}

/// An argument of a fragment: a value, or `true` or `false`.
pub(crate) fn argument(line: &mut Line<'_, '_, '_>) -> Parsed<Expr> {
    let words = if matches!(line.peek_word(), Some("true" | "false")) { Words::Calls } else { Words::Names };
    line.value("a value", words)
}

const COMPARISONS: &[(&str, Compare)] = &[
    ("==", Compare::Eq),
    ("!=", Compare::Ne),
    ("<", Compare::Lt),
    ("<=", Compare::Le),
    (">", Compare::Gt),
    (">=", Compare::Ge),
];

impl Line<'_, '_, '_> {
    /// A comparison operator.
    pub(crate) fn comparison(&mut self) -> Parsed<(Compare, Span)> {
        let found = COMPARISONS.iter().find(|c| self.at_operator(c.0));
        let span = self.here();
        match found {
            Some((_, compare)) => {
                self.next();
                Ok((*compare, span))
            }
            None => {
                let help = if self.at_operator("=") {
                    "write `==`"
                } else {
                    "write one of `==` `!=` `<` `<=` `>` `>=`"
                };
                Err(self.expected("a comparison", help))
            }
        }
    }

    fn when_condition(&mut self) -> Parsed<WhenCondition> {
        let mut any = vec![self.when_all()?];
        while self.eat("or").is_some() {
            any.push(self.when_all()?);
        }
        Ok(if any.len() == 1 { any.remove(0) } else { WhenCondition::Any(any) })
    }

    fn when_all(&mut self) -> Parsed<WhenCondition> {
        let mut all = vec![self.when_one()?];
        while self.eat("and").is_some() {
            all.push(self.when_one()?);
        }
        Ok(if all.len() == 1 { all.remove(0) } else { WhenCondition::All(all) })
    }

    fn when_one(&mut self) -> Parsed<WhenCondition> {
        let mut negations = 0;
        while self.eat("not").is_some() {
            negations += 1;
        }
        let inner = self.when_atom()?;
        Ok(if negations % 2 == 0 { inner } else { WhenCondition::Not(Box::new(inner)) })
    }

    fn when_atom(&mut self) -> Parsed<WhenCondition> {
        let Some(token) = self.peek() else {
            return Err(self.expected("a condition", "write for instance `when arch == x86_64`"));
        };
        if let TokenKind::Group(inner) = &token.kind {
            self.next();
            return self.inside(inner, token.span, |l| l.when_condition());
        }
        let name = self.name("a condition")?;
        match &*name.text {
            "arch" => self.when_arch(),
            "selinux.base" => self.when_base(),
            "apparmor.abi" => {
                let compare = self.comparison()?.0;
                Ok(WhenCondition::ApparmorAbi(compare, self.version()?))
            }
            other if other.contains('.') => {
                const KNOWN: &[&str] = &["selinux.base", "apparmor.abi"];
                Err(self.unknown("a condition", other, name.span, KNOWN.iter().copied()))
            }
            _ => Ok(WhenCondition::Param(name)),
        }
    }

    fn when_arch(&mut self) -> Parsed<WhenCondition> {
        let table: Vec<(&'static str, Arch)> = Arch::ALL.iter().map(|a| (a.word(), *a)).collect();
        if self.eat("in").is_some() {
            let Some(token) = self.peek() else {
                return Err(self.expected("a list", "write `arch in [x86_64, aarch64]`"));
            };
            let TokenKind::List(inner) = &token.kind else {
                return Err(self.expected("a list", "write `arch in [x86_64, aarch64]`"));
            };
            self.next();
            let arches = self.inside(inner, token.span, |l| l.choices("an architecture", &table))?;
            return Ok(WhenCondition::Arch(arches.into_iter().map(|a| a.0).collect()));
        }
        let (compare, span) = self.comparison()?;
        let arch = WhenCondition::Arch(vec![self.choose("an architecture", &table)?.0]);
        self.equality(compare, span, arch)
    }

    fn when_base(&mut self) -> Parsed<WhenCondition> {
        let (compare, span) = self.comparison()?;
        let name = match self.peek() {
            Some(token) if token.kind == TokenKind::String => {
                self.next();
                let text = self.str(token).trim_matches('"');
                Name { text: self.cx.intern(text), span: token.span }
            }
            _ => self.name("the name of an SELinux base")?,
        };
        self.equality(compare, span, WhenCondition::SelinuxBase(name))
    }

    fn equality(&mut self, compare: Compare, span: Span, yes: WhenCondition) -> Parsed<WhenCondition> {
        match compare {
            Compare::Eq => Ok(yes),
            Compare::Ne => Ok(WhenCondition::Not(Box::new(yes))),
            _ => Err(self.fail(codes::UNEXPECTED, span, "names have no order", "here", "write `==` or `!=`")),
        }
    }

    fn version(&mut self) -> Parsed<Version> {
        let parsed = self.peek().and_then(|t| Version::parse(self.str(t)));
        match parsed {
            Some(version) => {
                self.next();
                Ok(version)
            }
            None => Err(self.expected("a version", "write a version such as `4.0`")),
        }
    }
}
