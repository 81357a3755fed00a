//! Rules on TCP, UDP and SCTP.

use super::Checker;
use super::addresses;
use super::rules::Use;
use crate::ast;
use crate::codes;
use crate::diag::Diagnostic;
use crate::policy::{IpBlock, NetOp, NetOps, NetRule, Protocol};
use crate::resolve::{Atom, AtomKind, Scope, spend};
use crate::source::Span;
use canc_sets::interval::Intervals;

/// Names that people write for ports.
const SERVICES: &[(&str, u16)] = &[
    ("ftp", 21),
    ("ssh", 22),
    ("smtp", 25),
    ("dns", 53),
    ("domain", 53),
    ("http", 80),
    ("ntp", 123),
    ("imap", 143),
    ("ldap", 389),
    ("https", 443),
    ("mysql", 3306),
    ("postgresql", 5432),
    ("postgres", 5432),
    ("redis", 6379),
];

impl Checker<'_, '_> {
    pub(super) fn net(
        &mut self,
        net: &ast::NetBody,
        scope: &Scope,
        what_for: Use,
        span: Span,
    ) -> Option<NetRule> {
        let ops = self.net_ops(net);
        let before = self.sink.errors();
        let ports = net.ports.as_deref().map_or(Some(Intervals::full()), |p| self.port_set(p, scope));
        let addresses = net.addresses.as_deref().map_or(Some(None), |a| self.address_set(a, scope).map(Some));
        let (no_ports, no_addresses) = self.net_except(&net.except, scope);
        if self.sink.errors() > before {
            return None;
        }
        let ports = ports?.minus(&no_ports);
        let mut addresses = addresses?;
        if !no_addresses.is_empty() {
            let left = addresses::minus(addresses, &no_addresses, self.budget);
            let count = left.as_ref().map_or(self.budget, Vec::len);
            if !spend(count, span, self.sink, &mut self.budget) {
                return None;
            }
            addresses = left;
        }
        if ports.is_empty() || addresses.as_ref().is_some_and(Vec::is_empty) {
            let help = "widen the set, or leave the rule out";
            self.fail(
                codes::NOTHING_LEFT,
                span,
                "the rule matches nothing",
                "no port or address is left",
                help,
            );
            return None;
        }
        if addresses.is_some() && what_for != Use::Request {
            let named = net.addresses.as_deref().and_then(|a| a.first());
            self.addresses_unenforced(named.or(net.except.first()).map_or(span, |e| e.span));
        }
        Some(NetRule { ops: ops?, protocol: net.protocol.0, addresses, ports })
    }

    fn addresses_unenforced(&mut self, span: Span) {
        let message = "no layer of today's common kernels enforces addresses";
        self.sink.push(
            Diagnostic::new(codes::ADDRESS_UNENFORCED, message)
                .label(span, "other addresses are reached too")
                .help("use `isolate net` and a unix socket to a proxy, or a packet filter beside the policy"),
        );
    }

    fn net_ops(&mut self, net: &ast::NetBody) -> Option<NetOps> {
        let mut good = true;
        let (protocol, _) = net.protocol;
        for (op, span) in &net.ops {
            let instead = match (op, protocol) {
                (NetOp::Listen, Protocol::Udp) => "write `bind udp`: a UDP socket that is bound receives",
                (NetOp::Send, Protocol::Tcp) => "write `connect tcp`, which implies sending",
                (NetOp::Receive, Protocol::Tcp) => {
                    "write `connect tcp` or `listen tcp`, which imply receiving"
                }
                _ => continue,
            };
            let message = format!("`{} {}` is no rule", op.word(), protocol.word());
            self.fail(
                codes::WRONG_OPERATION,
                *span,
                message,
                format!("not for {}", protocol.word()),
                instead,
            );
            good = false;
        }
        good.then(|| net.ops.iter().map(|o| o.0).collect())
    }

    /// The ports of a set; `None` when it has no value.
    fn port_set(&mut self, exprs: &[ast::Expr], scope: &Scope) -> Option<Intervals<u16>> {
        let before = self.sink.errors();
        self.service_names(exprs, scope);
        if self.sink.errors() > before {
            return None;
        }
        let mut ranges = Vec::with_capacity(exprs.len());
        let mut known = true;
        for expr in exprs {
            let atoms = self.atoms(std::slice::from_ref(expr), scope);
            known &= !atoms.is_empty() || matches!(expr.kind, ast::ExprKind::List(_));
            for atom in atoms {
                ranges.extend(self.port(&atom, expr.span));
            }
        }
        (known && self.sink.errors() == before).then(|| ranges.into_iter().collect())
    }

    /// Names of services, which are no names of the policy.
    fn service_names(&mut self, exprs: &[ast::Expr], scope: &Scope) {
        for expr in exprs.iter().filter(|e| e.kind == ast::ExprKind::Name) {
            let name = self.text(expr.span);
            let Some((_, port)) = SERVICES.iter().find(|s| s.0 == name) else { continue };
            if matches!(self.world.find(name, scope), crate::resolve::Found::Nothing) {
                let message = format!("`{name}` is no port");
                let help = format!("write `{port}`: names of services differ from host to host");
                self.fail(codes::BAD_PORT, expr.span, message, "a name", help);
            }
        }
    }

    fn port(&mut self, atom: &Atom, used: Span) -> Option<(u16, u16)> {
        let (low, high) = match atom.kind {
            AtomKind::Int(port, ast::Unit::None) => (port, port),
            AtomKind::Range(low, high) => (low, high),
            _ => {
                self.wrong_kind(atom, used, "a port");
                return None;
            }
        };
        if low > high {
            let help = format!("write `{high}-{low}`");
            self.fail(codes::BAD_PORT, atom.span, "a range that ends before it starts", "here", help);
            return None;
        }
        match (u16::try_from(low), u16::try_from(high)) {
            (Ok(low), Ok(high)) => Some((low, high)),
            _ => {
                let help = "write ports from 0 to 65535";
                self.fail(codes::BAD_PORT, atom.span, "no such port", "over 65535", help);
                None
            }
        }
    }

    fn address_set(&mut self, exprs: &[ast::Expr], scope: &Scope) -> Option<Vec<IpBlock>> {
        let before = self.sink.errors();
        let mut blocks = Vec::with_capacity(exprs.len());
        let mut known = true;
        for expr in exprs {
            if self.host_name(expr, scope) {
                continue;
            }
            let atoms = self.atoms(std::slice::from_ref(expr), scope);
            known &= !atoms.is_empty() || matches!(expr.kind, ast::ExprKind::List(_));
            for atom in atoms {
                match atom.kind {
                    AtomKind::Address => blocks.extend(self.address(atom.span)),
                    _ => self.wrong_kind(&atom, expr.span, "an address"),
                }
            }
        }
        (known && self.sink.errors() == before).then(|| addresses::normal(&blocks))
    }

    /// Reports what looks like the name of a host.
    fn host_name(&mut self, expr: &ast::Expr, scope: &Scope) -> bool {
        let name = self.text(expr.span);
        let is_name = match expr.kind {
            ast::ExprKind::Name => matches!(self.world.find(name, scope), crate::resolve::Found::Nothing),
            ast::ExprKind::String => true,
            _ => false,
        };
        if !is_name {
            return false;
        }
        let bare = name.trim_matches('"');
        if bare.parse::<std::net::IpAddr>().is_ok() || bare.contains('/') {
            let help = format!("write `{bare}` without quotes");
            self.fail(codes::BAD_ADDRESS, expr.span, "an address stands without quotes", "a string", help);
            return true;
        }
        let help = "a name stands for other addresses tomorrow, and the kernel sees addresses alone; \
                    use `isolate net` and a unix socket to a proxy that knows names";
        let message = format!("`{}` is the name of a host", crate::parse::shorten(bare));
        self.fail(codes::HOST_NAME, expr.span, message, "not an address", help);
        true
    }

    fn address(&mut self, span: Span) -> Option<IpBlock> {
        match addresses::parse(self.text(span)) {
            Ok(block) => Some(block),
            Err(problem) => {
                self.fail(codes::BAD_ADDRESS, span, problem.message, "here", problem.help);
                None
            }
        }
    }

    /// What `except` takes out: ports and addresses, told apart by what they are.
    fn net_except(&mut self, exprs: &[ast::Expr], scope: &Scope) -> (Intervals<u16>, Vec<IpBlock>) {
        self.service_names(exprs, scope);
        let (mut ports, mut blocks) = (Vec::new(), Vec::new());
        for expr in exprs {
            for atom in self.atoms(std::slice::from_ref(expr), scope) {
                match atom.kind {
                    AtomKind::Address => blocks.extend(self.address(atom.span)),
                    AtomKind::Int(..) | AtomKind::Range(..) => ports.extend(self.port(&atom, expr.span)),
                    _ => self.wrong_kind(&atom, expr.span, "a port or an address"),
                }
            }
        }
        (ports.into_iter().collect(), blocks)
    }
}
