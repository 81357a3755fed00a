//! Rules on unix sockets with names.

use super::Checker;
use crate::ast;
use crate::codes;
use crate::policy::{UnixAddress, UnixRule};
use crate::resolve::Scope;
use crate::source::Span;

impl Checker<'_, '_> {
    pub(super) fn unix(&mut self, unix: &ast::UnixBody, scope: &Scope, span: Span) -> Option<UnixRule> {
        let mut names = Vec::new();
        let (mut first_path, mut first_name): (Option<Span>, Option<Span>) = (None, None);
        let good = self.each_text(&unix.names, scope, "a socket's path or \"@name\"", |checker, text| {
            if !text.value.starts_with('@') {
                first_path.get_or_insert(text.span);
                return true;
            }
            first_name.get_or_insert(text.span);
            if text.value.len() == 1 {
                let help = "write a name after the `@`; socket pairs need no rule beside `std.base`";
                checker.fail(codes::BAD_NAME_PATTERN, text.span, "an abstract name is empty", "here", help);
                return false;
            }
            let pattern = checker.name_pattern(text, 1);
            let good = pattern.is_some();
            names.extend(pattern);
            good
        });
        if let (Some(_), Some(name)) = (first_path, first_name) {
            let help = "write a rule for paths and one for abstract names";
            self.fail(
                codes::MIXED_SET,
                name,
                "a rule has paths or abstract names",
                "abstract, beside a path",
                help,
            );
            return None;
        }
        let peer = match &unix.peer {
            Some(peer) => Some(self.peer(peer)?),
            None => None,
        };
        let except = self.paths(&unix.except, scope)?;
        let address = if first_name.is_some() {
            if let Some(out) = unix.except.first() {
                let help = "name the sockets that are meant, or use `[!…]`";
                self.fail(
                    codes::NO_MEANING,
                    out.span,
                    "`except` takes paths out, not abstract names",
                    "here",
                    help,
                );
                return None;
            }
            UnixAddress::Abstract(names)
        } else {
            UnixAddress::Paths(self.paths(&unix.names, scope)?)
        };
        if !good {
            return None;
        }
        if matches!(&address, UnixAddress::Paths(paths) if paths.is_empty()) {
            let help = "name a socket";
            self.fail(codes::NOTHING_LEFT, span, "the rule names no socket", "this rule", help);
            return None;
        }
        Some(UnixRule { listen: unix.listen, types: unix.types, address, except, peer })
    }
}
