//! The body of a rule or request: what it is about. One function per kind.

use super::cst::TokenKind;
use super::line::Line;
use super::value::Words;
use crate::ast::{Body, Expr, FileBody, MountBody, Name, NetBody, Peer, SignalBody, SyscallBody, UnixBody};
use crate::codes;
use crate::policy::{
    FileOp, FileOps, IoUringUses, MountFlags, MqueueOps, NamespaceKind, NamespaceKinds, NetOp, PtraceModes,
    SocketKind, UnixTypes,
};
use crate::sink::Parsed;
use crate::source::Span;
use crate::{tables, words};

impl Line<'_, '_, '_> {
    /// A body with its clauses; in a request (`request`), `on` may be about deployments and is left to the caller then.
    pub(crate) fn body(&mut self, request: bool) -> Parsed<Body> {
        let mut body = self.bare_body()?;
        while self.clause(&mut body, request)? {}
        Ok(body)
    }

    fn bare_body(&mut self) -> Parsed<Body> {
        let Some(word) = self.peek_word() else {
            return Err(
                self.expected("what the rule is about", super::line::one_of(words::BODIES.iter().copied()))
            );
        };
        if words::ACCESSES.iter().any(|a| a.0 == word) {
            return self.file();
        }
        if words::NET_OPS.iter().any(|n| n.0 == word) {
            return self.net_or_unix();
        }
        let span = self.here();
        self.next();
        match word {
            "socket" => self.socket(),
            "capability" => self.capability(),
            "syscall" => {
                let calls = self.set("a system call", Words::Calls)?;
                let body =
                    SyscallBody { calls, except: Vec::new(), condition: None, arches: None, action: None };
                Ok(Body::Syscall(body))
            }
            "userns" => {
                self.expect("create", "write `userns create`")?;
                Ok(Body::UsernsCreate)
            }
            "namespace" => self.namespace(),
            "signal" => self.signal(),
            "ptrace" => self.ptrace(),
            "mount" => self.mount(),
            "unmount" => Ok(Body::Mount(MountBody::Unmount(self.paths()?))),
            "pivot_root" => {
                let old = self.paths()?;
                self.arrow()?;
                Ok(Body::Mount(MountBody::PivotRoot { old, new: self.paths()? }))
            }
            "io_uring" => self.io_uring(),
            "mqueue" => {
                let ops = self.choices("an access", words::MQUEUE_OPS)?.into_iter().map(|o| o.0);
                Ok(Body::Mqueue {
                    ops: ops.collect::<MqueueOps>(),
                    names: self.set("a queue's name", Words::Names)?,
                })
            }
            other => {
                if let Some((_, facility)) = words::FACILITIES.iter().find(|f| f.0 == other) {
                    return Ok(Body::Facility(*facility));
                }
                let reported = self.unknown("a kind of rule", other, span, words::BODIES.iter().copied());
                // A list is one of accesses, whose other words may be misspelt too.
                if self.eat_comma() && self.peek_word().is_some() {
                    self.accesses()?;
                }
                Err(reported)
            }
        }
    }

    pub(crate) fn paths(&mut self) -> Parsed<Vec<Expr>> {
        self.set("a path", Words::Names)
    }

    fn arrow(&mut self) -> Parsed<()> {
        if self.eat_operator("->") {
            return Ok(());
        }
        Err(self.expected("`->`", "write where it goes after `->`"))
    }

    fn file(&mut self) -> Parsed<Body> {
        let start = self.here();
        let ops = self.accesses()?;
        let words = self.since(start);
        let owner = self.eat("owner").is_some();
        let paths = self.paths()?;
        Ok(Body::File(FileBody { ops, words, owner, paths, except: Vec::new(), label: None, run: None }))
    }

    fn accesses(&mut self) -> Parsed<FileOps> {
        let mut ops = FileOps::EMPTY;
        let mut failed = None;
        loop {
            match self.choose("an access", words::ACCESSES) {
                Ok((word, _)) if word.has(FileOp::Setattr) && self.eat("setid").is_some() => {
                    ops = ops.with(FileOp::Setid);
                }
                Ok((word, _)) => ops = ops.union(word),
                Err(reported) if self.peek_word().is_some() => {
                    self.next();
                    failed = Some(reported);
                }
                Err(reported) => return Err(reported),
            }
            if !self.eat_comma() {
                return failed.map_or(Ok(ops), Err);
            }
        }
    }

    fn net_or_unix(&mut self) -> Parsed<Body> {
        let ops = self.choices("a network access", words::NET_OPS)?;
        if self.eat("unix").is_some() {
            return self.unix(&ops);
        }
        let mut kinds: Vec<_> = words::PROTOCOLS.iter().map(|p| (p.0, Some(p.1))).collect();
        kinds.push(("unix", None));
        let (protocol, span) = self.choose("a protocol", &kinds)?;
        let Some(protocol) = protocol else { return self.unix(&ops) };
        if self.peek().is_some_and(|t| t.kind == TokenKind::Comma) {
            let span = self.here();
            let help = "write a rule for each protocol";
            return Err(self.fail(
                codes::UNEXPECTED,
                span,
                "a rule has one protocol",
                "another one follows",
                help,
            ));
        }
        Ok(Body::Net(NetBody {
            ops,
            protocol: (protocol, span),
            addresses: None,
            ports: None,
            except: Vec::new(),
        }))
    }

    fn unix(&mut self, ops: &[(NetOp, Span)]) -> Parsed<Body> {
        let listen = match ops {
            [(NetOp::Connect, _)] => false,
            [(NetOp::Listen, _)] => true,
            [(NetOp::Bind, span)] => {
                let help = "write `listen unix`, which implies bind and accept";
                return Err(self.fail(
                    codes::WRONG_OPERATION,
                    *span,
                    "`bind unix` is no rule",
                    "not for unix",
                    help,
                ));
            }
            [(op, span)] => {
                let message = format!("`{} unix` is no rule", op.word());
                let help = "write `connect unix`, which implies sending, or `listen unix`";
                return Err(self.fail(codes::WRONG_OPERATION, *span, message, "not for unix", help));
            }
            _ => {
                let span = ops.last().map_or(self.whole, |o| o.1);
                let help = "write a rule for `connect unix` and one for `listen unix`";
                let message = "a rule on unix sockets has one access";
                return Err(self.fail(codes::WRONG_OPERATION, span, message, "one too many", help));
            }
        };
        let mut types = UnixTypes::EMPTY;
        if self.peek_word().is_some_and(|w| words::UNIX_TYPES.iter().any(|t| t.0 == w)) {
            types = self.choices("a socket type", words::UNIX_TYPES)?.into_iter().map(|t| t.0).collect();
        }
        let names = self.set("a socket's path or \"@name\"", Words::Names)?;
        let mut unix = UnixBody { listen, types, names, except: Vec::new(), peer: None };
        if unix.types.is_empty() {
            unix.types = UnixTypes::all();
        }
        Ok(Body::Unix(unix))
    }

    /// `self`, `policy NAME`, `user`, `systemd`, `any`
    pub(super) fn peer(&mut self) -> Parsed<Peer> {
        const PEERS: &[(&str, u8)] = &[("policy", 0), ("self", 1), ("user", 2), ("systemd", 3), ("any", 4)];
        Ok(match self.choose("a peer", PEERS)?.0 {
            0 => Peer::Policy(self.name("a policy's name")?),
            1 => Peer::SelfDomain,
            2 => Peer::User,
            3 => Peer::Systemd,
            _ => Peer::Any,
        })
    }

    fn socket(&mut self) -> Parsed<Body> {
        const KINDS: &[(&str, Option<SocketKind>)] = &[
            ("netlink", None),
            ("raw", Some(SocketKind::Raw)),
            ("packet", Some(SocketKind::Packet)),
            ("vsock", Some(SocketKind::Vsock)),
            ("icmp", Some(SocketKind::Icmp)),
            ("alg", Some(SocketKind::Alg)),
        ];
        if self.eat("netlink").is_some() {
            let kinds = self.choices("a netlink protocol", tables::NETLINK)?;
            return Ok(Body::Socket(kinds.into_iter().map(|k| SocketKind::Netlink(k.0)).collect()));
        }
        let kinds = self.choices("a socket family", KINDS)?;
        if let Some((_, span)) = kinds.iter().find(|k| k.0.is_none()) {
            let help = "write a rule of its own: `allow socket netlink route`";
            return Err(self.fail(codes::UNEXPECTED, *span, "`netlink` stands in a list", "here", help));
        }
        Ok(Body::Socket(kinds.into_iter().filter_map(|k| k.0).collect()))
    }

    fn capability(&mut self) -> Parsed<Body> {
        let named = self.choices("a capability", tables::CAPABILITIES)?;
        let bits = named.iter().fold(0, |bits, (number, _)| bits | 1u64 << number);
        let in_userns = self.eat("in").is_some();
        if in_userns {
            self.expect("userns", "write `in userns`")?;
        }
        Ok(Body::Capability { bits, in_userns })
    }

    fn namespace(&mut self) -> Parsed<Body> {
        let kinds = self.choices("a namespace", words::NAMESPACES)?;
        if let Some((_, span)) = kinds.iter().find(|k| k.0 == NamespaceKind::User) {
            let help = "write `userns create`";
            return Err(self.fail(
                codes::USER_NAMESPACE,
                *span,
                "user namespaces have their own rule",
                "here",
                help,
            ));
        }
        Ok(Body::Namespace(kinds.into_iter().map(|k| k.0).collect::<NamespaceKinds>()))
    }

    fn signal(&mut self) -> Parsed<Body> {
        let send = self.choose("a direction", &[("send", true), ("receive", false)])?.0;
        let signals = self.signals()?;
        Ok(Body::Signal(SignalBody { send, signals, peers: Vec::new() }))
    }

    /// Names of signals, numbers of real-time ones, or `all`, as bits.
    pub(crate) fn signals(&mut self) -> Parsed<u128> {
        const ALL: u128 = ((1 << 64) - 1) << 1;
        if self.eat("all").is_some() {
            return Ok(ALL);
        }
        let mut bits = 0;
        loop {
            if self.peek().is_some_and(|t| t.kind == TokenKind::Number) {
                bits |= self.signal_numbers()?;
            } else {
                bits |= 1u128 << self.choose("a signal", tables::SIGNALS)?.0;
            }
            if !self.eat_comma() {
                return Ok(bits);
            }
        }
    }

    fn signal_numbers(&mut self) -> Parsed<u128> {
        let start = self.here();
        let low = self.integer("a signal's number")?;
        let high = if self.eat_operator("-") { self.integer("a signal's number")? } else { low };
        let span = self.since(start);
        if low == 0 || high > 64 || low > high {
            let help = "write a number from 1 to 64, or a range such as `34-64`";
            return Err(self.fail(codes::BAD_SIGNAL, span, "no such signal", "out of range", help));
        }
        Ok((low..=high).fold(0, |bits, n| bits | 1u128 << n))
    }

    fn ptrace(&mut self) -> Parsed<Body> {
        let modes = self.choices("a ptrace access", words::PTRACE_MODES)?.into_iter().map(|m| m.0);
        let modes = modes.collect::<PtraceModes>();
        let span = self.here();
        let peer = self.peer()?;
        if !matches!(peer, Peer::SelfDomain | Peer::Policy(_)) {
            let help = "write `self` or `policy NAME`";
            return Err(self.fail(
                codes::BAD_PEER,
                span,
                "ptrace reaches policies alone",
                "not a policy",
                help,
            ));
        }
        Ok(Body::Ptrace { modes, peer })
    }

    fn io_uring(&mut self) -> Parsed<Body> {
        if self.peek_word().is_none_or(|w| words::CLAUSES.contains(&w)) {
            return Ok(Body::IoUring(IoUringUses::EMPTY));
        }
        let uses = self.choices("a part of io_uring", words::IO_URING_USES)?;
        Ok(Body::IoUring(uses.into_iter().map(|u| u.0).collect()))
    }

    fn mount(&mut self) -> Parsed<Body> {
        const KINDS: &[(&str, u8)] =
            &[("type", 0), ("bind", 1), ("rbind", 2), ("move", 3), ("remount", 4), ("make", 5)];
        let kind = self.choose("a kind of mount", KINDS)?.0;
        let body = match kind {
            0 => return self.mount_new(),
            1 | 2 => {
                let source = self.paths()?;
                self.arrow()?;
                MountBody::Bind { recursive: kind == 2, source, target: self.paths()? }
            }
            3 => {
                let source = self.paths()?;
                self.arrow()?;
                MountBody::Move { source, target: self.paths()? }
            }
            4 => {
                let (options, bind) = self.remount_options()?;
                self.arrow()?;
                MountBody::Remount { options, bind, target: self.paths()? }
            }
            _ => {
                let propagation = self.choose("a propagation", words::PROPAGATIONS)?.0;
                self.arrow()?;
                MountBody::Make { propagation, target: self.paths()? }
            }
        };
        Ok(Body::Mount(body))
    }

    fn mount_new(&mut self) -> Parsed<Body> {
        let types = self.list(|l| l.text_name("a file system's type"))?;
        let source = match self.eat("from") {
            Some(_) => Some(self.mount_source()?),
            None => None,
        };
        self.arrow()?;
        let target = self.paths()?;
        Ok(Body::Mount(MountBody::New { types, source, target, options: None }))
    }

    /// A word, dotted or not, or a string without interpolation.
    fn text_name(&mut self, what: &str) -> Parsed<Name> {
        match self.peek() {
            Some(token) if token.kind == TokenKind::String => {
                self.next();
                let text = self.str(token);
                let text = text.get(1..text.len().saturating_sub(1)).unwrap_or_default();
                if text.is_empty() || !text.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c)) {
                    let help = "write letters, digits, `.`, `_` and `-` alone";
                    return Err(self.fail(
                        codes::BAD_TYPE_NAME,
                        token.span,
                        "not a type's name",
                        "here",
                        help,
                    ));
                }
                Ok(Name { text: self.cx.intern(text), span: token.span })
            }
            _ => self.name(what),
        }
    }

    fn mount_source(&mut self) -> Parsed<Expr> {
        let words =
            if self.peek().is_some_and(|t| t.kind == TokenKind::Word) { Words::Calls } else { Words::Names };
        self.value("a source", words)
    }

    pub(super) fn mount_options(&mut self) -> Parsed<MountFlags> {
        let named = self.choices("a mount option", words::MOUNT_OPTIONS)?;
        Ok(named.into_iter().filter_map(|o| o.0).collect())
    }

    /// The options before `->`; `bind` is one of them here.
    fn remount_options(&mut self) -> Parsed<(Option<MountFlags>, bool)> {
        if self.at_operator("->") {
            return Ok((None, false));
        }
        let mut table: Vec<(&'static str, (Option<_>, bool))> =
            words::MOUNT_OPTIONS.iter().map(|o| (o.0, (o.1, false))).collect();
        table.push(("bind", (None, true)));
        let named = self.choices("a mount option", &table)?;
        let bind = named.iter().any(|o| o.0.1);
        let flags: MountFlags = named.iter().filter_map(|o| o.0.0).collect();
        let only_bind = named.iter().all(|o| o.0.1);
        Ok((if only_bind { None } else { Some(flags) }, bind))
    }
}
