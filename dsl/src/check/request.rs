//! Requests: rule bodies whose values are concrete, in tests and on the command line.

use super::Checker;
use super::rules::Use;
use crate::ast;
use crate::codes;
use crate::policy::{Body, MountRule, MountSource, NamePattern, PathRef, Request, UnixAddress};
use crate::resolve::Scope;
use crate::source::Span;
use canc_sets::path::Tail;

impl Checker<'_, '_> {
    /// A request; `concrete` unless it stands after `never`.
    pub(crate) fn request(&mut self, request: &ast::Request, concrete: bool) -> Option<Request> {
        let body = self.body(&request.body, &Scope::default(), Use::Request, request.span)?;
        if concrete && let Some((span, what)) = vague(&body, request.span) {
            let help = "write one value; `NAME never …` is about everything that matches";
            self.fail(codes::NOT_CONCRETE, span, format!("a request names {what}"), "more than one", help);
            return None;
        }
        Some(Request { body, who: request.who, span: request.span })
    }
}

/// What keeps a body from being one request.
fn vague(body: &Body, whole: Span) -> Option<(Span, &'static str)> {
    match body {
        Body::File(file) if !file.except.is_empty() => Some((whole, "one path, and nothing to take out")),
        Body::File(file) => vague_paths(&file.paths),
        Body::Net(net) => {
            let one_port = matches!(net.ports.ranges(), [(low, high)] if low == high);
            let one_address = net.addresses.as_deref().is_none_or(
                |a| matches!(a, [one] if one.prefix == if one.address.is_ipv4() { 32 } else { 128 }),
            );
            if one_port && one_address { None } else { Some((whole, "one port and at most one address")) }
        }
        Body::Unix(unix) => match &unix.address {
            UnixAddress::Paths(paths) => vague_paths(paths),
            UnixAddress::Abstract(names) => vague_names(names, whole),
        },
        Body::Mqueue(queue) => vague_names(&queue.names, whole),
        Body::Mount(mount) => vague_mount(mount),
        _ => None,
    }
}

fn vague_mount(mount: &MountRule) -> Option<(Span, &'static str)> {
    match mount {
        MountRule::New { source, target, .. } => match source {
            Some(MountSource::Path(path)) => {
                vague_paths(std::slice::from_ref(path)).or_else(|| vague_paths(target))
            }
            _ => vague_paths(target),
        },
        MountRule::Bind { source, target, .. } | MountRule::Move { source, target } => {
            vague_paths(source).or_else(|| vague_paths(target))
        }
        MountRule::PivotRoot { old, new } => vague_paths(old).or_else(|| vague_paths(new)),
        MountRule::Remount { target, .. }
        | MountRule::Make { target, .. }
        | MountRule::Unmount { target } => vague_paths(target),
    }
}

fn vague_paths(paths: &[PathRef]) -> Option<(Span, &'static str)> {
    let literal = |p: &PathRef| p.pattern.has_literal_components() && p.pattern.tail() != Tail::Subtree;
    match paths {
        [one] if literal(one) => None,
        [one, ..] => {
            Some((paths.iter().find(|p| !literal(p)).unwrap_or(one).span, "one path without wildcards"))
        }
        [] => None,
    }
}

fn vague_names(names: &[NamePattern], whole: Span) -> Option<(Span, &'static str)> {
    match names {
        [one] if one.as_literal().is_some() => None,
        _ => Some((whole, "one name without wildcards")),
    }
}
