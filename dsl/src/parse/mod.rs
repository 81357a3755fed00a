//! Source text to [`ast::File`]: refusals, skeleton, tokens, and then words understood statement by statement, so that every
//! mistake of a file is reported. It looks nothing up: what a name stands for is `resolve`'s business.

mod body;
mod clause;
mod condition;
pub(crate) mod cst;
mod item;
mod line;
mod pieces;
mod rule;
mod scan;
pub(crate) mod split;
mod statement;
mod test;
mod value;
mod when;

pub(crate) use line::shorten;
use line::{Context, Line};
pub(crate) use scan::scan;

use crate::ast;
use crate::sink::Sink;
use crate::source::{FileId, Span};

/// The tree of a text that `scan` accepted.
pub(crate) fn parse(file: FileId, text: &str, sink: &mut Sink) -> ast::File {
    let skeleton = split::split(file, text, sink);
    let mut cx = Context::new(file, text, sink);
    let items = item::items(&mut cx, &skeleton.nodes);
    ast::File { id: file, items, comments: skeleton.comments }
}

/// The request of a text that `scan` accepted; `None` after an error.
pub(crate) fn request(file: FileId, text: &str, sink: &mut Sink) -> Option<ast::Request> {
    let skeleton = split::split(file, text, sink);
    let mut cx = Context::new(file, text, sink);
    let whole = Span::new(file, 0, text.len());
    let tokens = match skeleton.nodes.as_slice() {
        [node] if !node.broken && node.body.is_none() => cst::tokens(file, text, node.head.clone(), cx.sink),
        _ => Vec::new(),
    };
    let mut line = Line::new(&mut cx, &tokens, whole);
    let request = line.request().and_then(|r| line.finish().map(|()| r));
    request.ok()
}
