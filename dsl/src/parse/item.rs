//! Skeleton nodes to the items of a file: edition, uses, lets, parameters, fragments, policies, tests.

use super::cst::TokenKind;
use super::line::{Context, Line, one_of};
use super::pieces::{Piece, each_statement, no_block};
use super::split::Node;
use super::statement;
use super::test;
use super::value::Words;
use crate::ast::{Block, Call, Instance, Item, Let, Name, Param, ParamKind, Use};
use crate::codes;
use crate::diag::Diagnostic;
use crate::limits::{MAX_ITEMS, MAX_PARAMETERS};
use crate::sink::{Parsed, Reported};
use crate::source::Span;
use crate::words;

/// The edition that this compiler knows.
const EDITION: &str = "1";

pub(super) fn items(cx: &mut Context<'_, '_>, nodes: &[Node]) -> Vec<Item> {
    let mut out = Vec::new();
    let mut first = true;
    each_statement(cx, nodes, words::ITEMS, |cx, piece| {
        if std::mem::take(&mut first) && !starts_with(cx, &piece, "can") {
            missing_edition(cx, piece.span);
        }
        if out.len() > MAX_ITEMS {
            return;
        }
        if out.len() == MAX_ITEMS {
            cx.sink.push(
                Diagnostic::new(codes::TOO_MANY_ITEMS, format!("more than {MAX_ITEMS} items"))
                    .label(piece.span, "one too many; nothing from here on is looked at")
                    .help("put values into sets, and split the file with `use`"),
            );
        }
        if let Ok(item) = item(cx, &piece) {
            if let Item::Edition(span) = item
                && !out.is_empty()
            {
                cx.sink.push(
                    Diagnostic::new(codes::EDITION, "the edition stands first, and once")
                        .label(span, "not the first statement")
                        .help("remove it, and start the file with `can 1;`"),
                );
            }
            out.push(item);
        }
    });
    if first && cx.sink.errors() == 0 {
        missing_edition(cx, Span::new(cx.file, 0, 0));
    }
    out
}

fn starts_with(cx: &Context<'_, '_>, piece: &Piece<'_>, word: &str) -> bool {
    piece.tokens.first().is_some_and(|t| cx.str(t.span) == word)
}

fn missing_edition(cx: &mut Context<'_, '_>, span: Span) {
    cx.sink.push(
        Diagnostic::new(codes::EDITION, "the file does not say which edition it is in")
            .label(span, "before this")
            .help("start the file with `can 1;`"),
    );
}

fn item(cx: &mut Context<'_, '_>, piece: &Piece<'_>) -> Parsed<Item> {
    let broken = piece.node.is_some_and(|n| n.broken);
    let mut line = Line::new(cx, piece.tokens, piece.span);
    let Some(word) = line.peek_word() else {
        return Err(line.expected("an item", one_of(words::ITEMS.iter().copied())));
    };
    if !words::ITEMS.contains(&word) {
        return Err(unknown(&mut line, word, piece));
    }
    line.next();
    match word {
        "fragment" => block(line, piece, broken).map(Item::Fragment),
        "policy" => policy(line, piece, broken),
        "test" => test::test(line, piece),
        _ => {
            let item = simple(&mut line, word, broken);
            item.as_ref().map_err(|e| *e)?;
            let finished = if broken { Ok(()) } else { line.finish() };
            no_block(cx, piece).and(finished).or_else(|e| declares(&item).then_some(()).ok_or(e))?;
            item
        }
    }
}

/// Whether an item gives a name, so that keeping it in spite of an error spares errors about its uses.
fn declares(item: &Parsed<Item>) -> bool {
    matches!(item, Ok(Item::Let(_) | Item::Param(_) | Item::Use(_)))
}

fn unknown(line: &mut Line<'_, '_, '_>, word: &str, piece: &Piece<'_>) -> Reported {
    let span = line.here();
    if words::STATEMENTS.contains(&word) || word == "else" {
        let message = format!("`{word}` belongs inside a policy or a fragment");
        let help = "move it into a `policy NAME { … }`; if it stands in one already, there is a `}` too many before it";
        return line.fail(codes::MISPLACED, span, message, "at the top of the file", help);
    }
    let reported = line.unknown("an item", word, span, words::ITEMS.iter().copied());
    // What looks like a policy is looked into all the same.
    if let Some(body) = piece.node.and_then(|n| n.body.as_deref()) {
        statement::statements(line.cx, body);
    }
    reported
}

fn simple(line: &mut Line<'_, '_, '_>, word: &str, broken: bool) -> Parsed<Item> {
    match word {
        "can" => edition(line),
        "use" => {
            let path = line.string("a path")?;
            line.expect("as", "give the file a name: `use \"web.can\" as web;`")?;
            let alias = line.new_name("a name", true)?;
            Ok(Item::Use(Use { path, alias, span: line.whole }))
        }
        "let" => {
            let name = line.new_name("a name", true)?;
            if broken {
                return Ok(Item::Let(Let { name, value: None }));
            }
            let value = let_value(line).ok();
            if value.is_none() {
                line.skip_rest();
            }
            Ok(Item::Let(Let { name, value }))
        }
        _ => {
            let param = parameter(line, broken)?;
            Ok(Item::Param(param))
        }
    }
}

fn edition(line: &mut Line<'_, '_, '_>) -> Parsed<Item> {
    let Some(token) = line.next() else { return Err(line.expected("an edition", "write `can 1;`")) };
    let text = line.str(token);
    if text == EDITION {
        return Ok(Item::Edition(token.span));
    }
    let message = format!("this compiler does not know edition `{}`", super::line::shorten(text));
    Err(line.fail(
        codes::UNKNOWN_EDITION,
        token.span,
        message,
        "not known",
        "write `can 1;`, or use a newer compiler",
    ))
}

fn let_value(line: &mut Line<'_, '_, '_>) -> Parsed<crate::ast::Expr> {
    if !line.eat_operator("=") {
        return Err(line.expected("`=`", "write `let NAME = VALUE;`"));
    }
    let value = line.value("a value", Words::Calls)?;
    if line.peek().is_some_and(|t| t.kind == TokenKind::Comma) {
        let span = line.here();
        let help = "put several values into brackets: `[a, b]`";
        return Err(line.fail(codes::UNEXPECTED, span, "a `let` has one value", "another one follows", help));
    }
    Ok(value)
}

/// `name: type [= value]`. A broken type or value is reported and the name declared all the same.
fn parameter(line: &mut Line<'_, '_, '_>, broken: bool) -> Parsed<Param> {
    let name = line.new_name("a name", true)?;
    let mut param = Param { name, kind: None, default: None };
    if broken || parameter_type(line, &mut param).is_err() {
        param.kind = None;
        line.skip_rest();
    }
    Ok(param)
}

fn parameter_type(line: &mut Line<'_, '_, '_>, param: &mut Param) -> Parsed<()> {
    const KINDS: &[(&str, ParamKind)] = &[
        ("path", ParamKind::Path),
        ("port", ParamKind::Port),
        ("int", ParamKind::Int),
        ("bool", ParamKind::Bool),
    ];
    if !line.eat_operator(":") {
        return Err(line.expected("`:`", "give its type: `NAME: path`, `port`, `int` or `bool`"));
    }
    param.kind = Some(line.choose("a type", KINDS)?.0);
    if line.eat_operator("=") {
        param.default = Some(statement::argument(line)?);
    }
    Ok(())
}

/// `(name: type, …)` if it is there.
fn parameters(line: &mut Line<'_, '_, '_>) -> Parsed<Option<Vec<Param>>> {
    let Some(token) = line.peek() else { return Ok(None) };
    let TokenKind::Group(inner) = &token.kind else { return Ok(None) };
    line.next();
    if inner.is_empty() {
        return Ok(Some(Vec::new()));
    }
    let mut params = Vec::new();
    for part in inner.split(|t| t.kind == TokenKind::Comma) {
        let span = part.first().zip(part.last()).map_or(token.span, |(a, b)| a.span.to(b.span));
        if let Ok(param) = line.inside(part, span, |l| parameter(l, false)) {
            params.push(param);
        }
    }
    if params.len() > MAX_PARAMETERS {
        let message = format!("{} parameters; at most {MAX_PARAMETERS} are allowed", params.len());
        return Err(line.fail(codes::TOO_MANY_PARAMETERS, token.span, message, "too many", "pass fewer"));
    }
    Ok(Some(params))
}

fn block(mut line: Line<'_, '_, '_>, piece: &Piece<'_>, broken: bool) -> Parsed<Block> {
    let name = line.new_name("a name", true);
    let params = parameters(&mut line);
    if !broken && name.is_ok() && params.is_ok() {
        // What follows the parameters is reported and passed by.
        let _reported = line.finish();
    }
    let Some(nodes) = piece.node.and_then(|n| n.body.as_deref()) else {
        return Err(match name {
            Ok(_) if !broken => line.expected("a block", "write the statements between `{` and `}`"),
            Ok(_) => {
                line.fail(codes::EXPECTED, line.whole, "expected a block", "after this", "write `{ … }`")
            }
            Err(reported) => reported,
        });
    };
    // The statements are looked at even if the first line is wrong.
    let body = statement::statements(line.cx, nodes);
    Ok(Block { name: name?, params: params.unwrap_or(Some(Vec::new())), body, span: piece.span })
}

/// `policy name { … }`, or `policy name = template(…);`
fn policy(line: Line<'_, '_, '_>, piece: &Piece<'_>, broken: bool) -> Parsed<Item> {
    if piece.node.is_some_and(|n| n.body.is_some()) || broken {
        return block(line, piece, broken).map(Item::Policy);
    }
    let mut line = line;
    let name = line.new_name("a name", true)?;
    if !line.eat_operator("=") {
        return Err(line.expected("a block", "write `policy NAME { … }`, or `policy NAME = TEMPLATE(…);`"));
    }
    let template = line.call("a template").unwrap_or_else(|_| {
        line.skip_rest();
        // The name is declared all the same; an empty template name tells that the error has been reported.
        Call { name: Name { text: "".into(), span: name.span }, args: Vec::new(), span: name.span }
    });
    let _reported = line.finish();
    Ok(Item::Instance(Instance { name, template }))
}
