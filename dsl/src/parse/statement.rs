//! Skeleton nodes to the statements of a policy or fragment.

use super::cst::TokenKind;
use super::line::{Context, Line, one_of};
use super::pieces::{Piece, each_statement, no_block};
use super::rule;
use super::split::Node;
use super::value::Words;
use crate::ast::{Call, Expr, Launcher, Statement, StatementKind, When};
use crate::codes;
use crate::diag::Diagnostic;
use crate::policy::{Action, NamespaceKind, Target};
use crate::sink::{Parsed, Reported};
use crate::source::Span;
use crate::words;
use std::sync::Arc;

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
