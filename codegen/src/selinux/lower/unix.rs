//! Rules on unix sockets to grants on the socket's file, on the peer's domain, and on own sockets.

use super::own::OwnNo;
use super::place::Wanted;
use super::plan::rule_ops;
use super::sheet::{Sheet, Source, Target, Ty};
use crate::selinux::base::Kind;
use crate::selinux::words::Access;
use canc_dsl::policy::{Peer, Rule, UnixAddress, UnixRule, UnixType};
use canc_sets::path::meet;
use canc_sets::path::{Pattern, TooLarge};

impl Sheet<'_, '_> {
    pub(super) fn unix_rule(&mut self, rule: &Rule, unix: &UnixRule) -> Result<(), TooLarge> {
        let source = Source::Rule(rule.id);
        let stream = unix.types.has(UnixType::Stream) || unix.types.has(UnixType::Seqpacket);
        let dgram = unix.types.has(UnixType::Dgram);
        if stream {
            self.grant(
                source,
                Target::Itself,
                if unix.listen { Access::StreamServer } else { Access::StreamClient },
            );
        }
        if dgram {
            self.grant(
                source,
                Target::Itself,
                if unix.listen { Access::DgramServer } else { Access::DgramClient },
            );
        }
        if stream && unix.types.has(UnixType::Stream) != unix.types.has(UnixType::Seqpacket) {
            self.draft(source)
                .widen("stream and seqpacket sockets alike: SELinux gives both one class".into());
        }
        match &unix.address {
            UnixAddress::Abstract(_) => {
                let what =
                    if unix.listen { "every abstract name" } else { "every abstract name of such a peer" };
                self.draft(source).widen(what.into());
            }
            UnixAddress::Paths(paths) => {
                for path in paths {
                    self.unix_path(rule, unix, &path.pattern)?;
                }
            }
        }
        if !unix.listen {
            self.unix_peers(source, unix, stream, dgram);
        }
        Ok(())
    }

    fn unix_peers(&mut self, source: Source, unix: &UnixRule, stream: bool, dgram: bool) {
        let peer = unix.peer.clone().unwrap_or(Peer::Any);
        for target in self.peers(source, &peer) {
            if stream {
                self.grant(source, target, Access::StreamPeer);
            }
            if dgram {
                self.grant(source, target, Access::DgramPeer);
            }
        }
        let by_path = matches!(unix.address, UnixAddress::Paths(_));
        match peer {
            Peer::Any if by_path => {
                self.draft(source).widen(
                    "abstract sockets of every process: SELinux asks for the peer, not for its name".into(),
                );
            }
            Peer::User | Peer::Systemd if by_path => {
                self.draft(source).widen("abstract sockets of that peer".into());
            }
            _ => {}
        }
    }

    fn unix_path(&mut self, rule: &Rule, unix: &UnixRule, pattern: &Pattern) -> Result<(), TooLarge> {
        let source = Source::Rule(rule.id);
        let access = if unix.listen { Access::SocketFileMake } else { Access::SocketFile };
        let plan = self.plan;
        let near: Vec<usize> = plan.areas_near(pattern).map(|(i, _)| i).collect();
        for index in near {
            let (Some(area), Some(parts)) = (plan.areas.get(index), plan.parts.get(index)) else { continue };
            if area.kind == Kind::Regular || !meet(pattern, &area.pattern)? {
                continue;
            }
            let Some(path) = super::plan::rule_paths(rule).iter().find(|p| p.pattern == *pattern) else {
                continue;
            };
            for part in parts {
                if plan.granted(self.number, rule, path, index, part)? & rule_ops(rule) != 0 {
                    self.grant(source, Target::Type(Ty::Own(part.ty)), access);
                    self.widen_socket(source, part.ty, pattern, &part.witness);
                }
            }
        }
        let except: Vec<&Pattern> = unix.except.iter().map(|p| &p.pattern).collect();
        let hits = self.base_hits(pattern, &except, Wanted { files: true, directories: false })?;
        for hit in hits.found.iter().filter(|h| matches!(h.kind, Kind::Any | Kind::Socket)) {
            self.grant(source, Target::Type(Ty::Base(hit.ty)), access);
            let name = plan.base.type_name(hit.ty).to_owned();
            self.draft(source).widen(format!("other sockets labelled `{name}`"));
        }
        let draft = self.draft(source);
        hits.narrowed.iter().for_each(|n| draft.narrow(n.clone()));
        self.search_parents(source, pattern)?;
        if unix.listen {
            self.change_directory(source, pattern, Access::AddName)?;
            self.change_directory(source, pattern, Access::RemoveName)?;
        }
        Ok(())
    }

    fn widen_socket(&mut self, source: Source, ty: OwnNo, pattern: &Pattern, witness: &str) {
        if pattern.as_literal().is_some() && !pattern.matches(witness) {
            let name = self.type_name(Ty::Own(ty));
            self.draft(source).widen(format!("other sockets labelled `{name}`"));
        }
    }
}
