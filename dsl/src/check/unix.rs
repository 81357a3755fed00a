//! Rules on unix sockets with names.

use super::Checker;
use crate::ast;
use crate::codes;
use crate::policy::{NamePattern, UnixAddress, UnixRule};
use crate::resolve::{Scope, Text};
use crate::source::Span;

/// The names of a rule, as far as they are known.
#[derive(Default)]
struct Names {
    abstracts: Vec<NamePattern>,
    first_path: Option<Span>,
    first_abstract: Option<Span>,
}

impl Checker<'_, '_> {
    pub(super) fn unix(&mut self, unix: &ast::UnixBody, scope: &Scope, span: Span) -> Option<UnixRule> {
        let mut names = Names::default();
        let what = "a socket's path or \"@name\"";
        let good =
            self.each_text(&unix.names, scope, what, |checker, text| checker.socket_name(text, &mut names));
        if let (Some(_), Some(name)) = (names.first_path, names.first_abstract) {
            let help = "write a rule for paths and one for abstract names";
            let message = "a rule has paths or abstract names";
            self.fail(codes::MIXED_SET, name, message, "abstract, beside a path", help);
            return None;
        }
        let peer = match &unix.peer {
            Some(peer) => Some(self.peer(peer)?),
            None => None,
        };
        let except = self.paths(&unix.except, scope)?;
        if let (Some(_), Some(out)) = (names.first_abstract, unix.except.first()) {
            let help = "name the sockets that are meant, or use `[!…]`";
            let message = "`except` takes paths out, not abstract names";
            self.fail(codes::NO_MEANING, out.span, message, "here", help);
            return None;
        }
        let address = match names.first_abstract {
            Some(_) => UnixAddress::Abstract(names.abstracts),
            None => UnixAddress::Paths(self.paths(&unix.names, scope)?),
        };
        if good && names.first_path.or(names.first_abstract).is_none() {
            self.fail(codes::NOTHING_LEFT, span, "the rule names no socket", "this rule", "name a socket");
            return None;
        }
        good.then_some(UnixRule { listen: unix.listen, types: unix.types, address, except, peer })
    }

    /// Sorts one name in; false after an error.
    fn socket_name(&mut self, text: &Text<'_>, names: &mut Names) -> bool {
        if !text.value.starts_with('@') {
            names.first_path.get_or_insert(text.span);
            return true;
        }
        names.first_abstract.get_or_insert(text.span);
        if text.value.len() == 1 {
            let help = "write a name after the `@`; socket pairs need no rule beside `std.base`";
            self.fail(codes::BAD_NAME_PATTERN, text.span, "an abstract name is empty", "here", help);
            return false;
        }
        let pattern = self.name_pattern(text, 1);
        let good = pattern.is_some();
        names.abstracts.extend(pattern);
        good
    }
}
