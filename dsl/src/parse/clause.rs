//! The clauses that follow what a rule or request is about, in any order, each once.

use super::line::Line;
use super::value::Words;
use crate::ast::{Body, FileBody, MountBody, RunTarget, SignalBody, SyscallBody};
use crate::codes;
use crate::policy::{FileOp, FileOps};
use crate::sink::Parsed;
use crate::source::Span;
use crate::words;
use canc_sets::syscalls::Arch;

impl Line<'_, '_, '_> {
    /// Reads one clause that belongs to this kind of body; false if none is next.
    pub(crate) fn clause(&mut self, body: &mut Body, request: bool) -> Parsed<bool> {
        match body {
            Body::File(file) => self.file_clause(file),
            Body::Net(net) => {
                if net.addresses.is_none() && self.eat("address").is_some() {
                    net.addresses = Some(self.set("an address", Words::Names)?);
                } else if net.ports.is_none() && self.eat("port").is_some() {
                    net.ports = Some(self.set("a port", Words::Names)?);
                } else {
                    return Ok(false);
                }
                Ok(true)
            }
            Body::Unix(unix) if unix.peer.is_none() && self.eat("to").is_some() => {
                unix.peer = Some(self.peer()?);
                Ok(true)
            }
            Body::Signal(signal) => self.signal_clause(signal),
            Body::Syscall(calls) => self.syscall_clause(calls, request),
            Body::Mount(MountBody::New { options, .. })
                if options.is_none() && self.eat("options").is_some() =>
            {
                *options = Some(self.mount_options()?);
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    fn file_clause(&mut self, file: &mut FileBody) -> Parsed<bool> {
        if file.run.is_some() || !self.eat_operator("->") {
            return Ok(false);
        }
        file.run = Some(self.run_target(file.ops, file.words)?);
        Ok(true)
    }

    fn run_target(&mut self, ops: FileOps, words: Span) -> Parsed<RunTarget> {
        let target = match self.peek_word() {
            Some("policy") => {
                self.next();
                RunTarget::Policy(self.name("a policy's name")?)
            }
            Some("inherit") => {
                self.next();
                RunTarget::Inherit
            }
            Some("unconfined") => {
                self.next();
                RunTarget::Unconfined
            }
            _ => {
                let help = "write `-> inherit`, `-> policy NAME` or `-> unconfined`";
                return Err(self.expected("where the program goes", help));
            }
        };
        if ops != FileOps::of(&[FileOp::Run]) && target != RunTarget::Inherit {
            let help = "write the other accesses in a rule of their own";
            let message = "only `run` alone sends a program elsewhere";
            return Err(self.fail(codes::RUN_IN_LIST, words, message, "these have no `->`", help));
        }
        Ok(target)
    }

    fn signal_clause(&mut self, signal: &mut SignalBody) -> Parsed<bool> {
        let (word, other) = if signal.send { ("to", "from") } else { ("from", "to") };
        if self.at_word(other) {
            return Err(self.expected(&format!("`{word}`"), format!("write `{word}`")));
        }
        if !signal.peers.is_empty() || self.eat(word).is_none() {
            return Ok(false);
        }
        signal.peers = self.list(|l| l.peer())?;
        Ok(true)
    }

    fn syscall_clause(&mut self, body: &mut SyscallBody, request: bool) -> Parsed<bool> {
        let span = self.here();
        if body.condition.is_none() && self.eat("where").is_some() {
            body.condition = Some(self.condition()?);
        } else if body.arches.is_none() && self.at_word("on") && !(request && self.on_deployment()) {
            self.next();
            let table: Vec<_> = Arch::ALL.iter().map(|a| (a.word(), *a)).collect();
            body.arches = Some(self.choices("an architecture", &table)?.into_iter().map(|a| a.0).collect());
        } else if body.action.is_none() && self.eat("with").is_some() {
            body.action = Some((self.action()?.0, span));
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    /// Whether `on` starts the list of deployments of an assertion.
    fn on_deployment(&self) -> bool {
        self.peek_second().is_some_and(|t| words::DEPLOYMENTS.iter().any(|d| d.0 == self.str(t)))
    }

    /// What follows `except`, whose word stands at `span`.
    pub(crate) fn except(&mut self, body: &mut Body, span: crate::source::Span) -> Parsed<()> {
        let (target, what, words) = match body {
            Body::File(file) => (&mut file.except, "a path", Words::Names),
            Body::Net(net) => (&mut net.except, "a port", Words::Names),
            Body::Unix(unix) => (&mut unix.except, "a path", Words::Names),
            Body::Syscall(call) => (&mut call.except, "a system call", Words::Calls),
            Body::Signal(signal) => {
                let out = self.signals()?;
                signal.signals &= !out;
                return Ok(());
            }
            _ => {
                let help = "this rule names single things: leave out those that it should not have";
                return Err(self.fail(codes::NO_MEANING, span, "`except` has no meaning here", "here", help));
            }
        };
        if !target.is_empty() {
            let help = "separate the values with `,`";
            return Err(self.fail(codes::REPEATED, span, "`except` stands here twice", "again", help));
        }
        *target = self.set(what, words)?;
        Ok(())
    }
}
