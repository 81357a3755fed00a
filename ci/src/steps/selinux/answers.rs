//! What the compiler's layer calls permitted against what the linked policy grants on the label that the policy's own tools find.

use super::Linked;
use super::corpus::Case;
use super::labels::{self, kinds, parent};
use crate::Error;
use crate::oracle::selinux::{FileKind, Reach};
use canc_codegen::coverage::Permitted;
use canc_codegen::selinux::base::{Ask, Base, Kind as FileType};
use canc_codegen::selinux::{Lowered, Reader, layer};
use canc_dsl::meaning::{Dim, Kind, Peers, Region, RequestSet, request_regions};
use canc_dsl::policy::{FileOp, FileOps, PolicySet};
use canc_dsl::tables::capability_name;
use canc_dsl::{Options, parse_request};
use canc_sets::path::{Lang, Pattern, Tail};

/// Ports of each kind: named by the base, nobody's, ours, just beside ours, in the kernel's own range.
const PORTS: &[u16] = &[
    1, 22, 25, 53, 80, 443, 1024, 8000, 8080, 20000, 47123, 47124, 47199, 47200, 47205, 47210, 47211, 61000,
];
/// Ports that the kernel gives out itself, unless changed: `net/ipv4/inet_connection_sock.c`. It asks nobody about them.
const GIVEN_OUT: std::ops::RangeInclusive<u16> = 32768..=60999;
const SIGNALS: &[&str] = &["term", "kill", "stop", "chld"];

/// Where the compiler and the linked policy say different things.
pub fn check(linked: &Linked, base: &Base, case: &Case) -> Result<Vec<String>, Error> {
    let mut wrong = Vec::new();
    let paths = labels::paths(case, base);
    for one in &case.all {
        let policy = case.set.policies().iter().find(|p| p.name == one.policy);
        let policy = policy.ok_or_else(|| Error::Odd(format!("no policy `{}`", one.policy)))?;
        let reader = Reader::new(&case.set, policy, one, base).map_err(|e| Error::Odd(e.to_string()))?;
        let judge = Judge { linked, base, set: &case.set, one, reach: linked.reach(&one.domain)?, reader };
        let layer = layer(&case.set, policy, one, base);
        let permitted =
            |kind, near: &str| (layer.permitted)(kind, near).map_err(|e| Error::Odd(format!("{e:?}")));
        for path in &paths {
            let near = if path == "/" { path } else { path.trim_end_matches('/') };
            for op in FileOps::all().iter() {
                let Some(linked) = judge.file(op, path)? else { continue };
                let ours = contains(&permitted(Kind::File(op), near)?, file(op, path)?)?;
                let moved = op == FileOp::Create && judge.moves();
                // A name that something is moved to counts as made there, whatever it is.
                if ours != linked && !(moved && ours) {
                    wrong.push(judge.said(&format!("{} {path}", op.word()), ours, linked));
                }
            }
        }
        for (request, linked) in judge.others()? {
            for region in judge.regions(&request)? {
                let ours = contains(&permitted(region.kind, "/")?, region)?;
                if ours != linked {
                    wrong.push(judge.said(&request, ours, linked));
                }
            }
        }
    }
    Ok(wrong)
}

/// An operation on one canonical path, by whoever.
fn file(op: FileOp, path: &str) -> Result<Region, Error> {
    let odd = |what: String| Error::Odd(format!("{path}: {what}"));
    let directory = path.ends_with('/');
    let bare = if path == "/" { path } else { path.trim_end_matches('/') };
    let tail = if directory { Tail::Directory } else { Tail::Entry };
    let pattern = Pattern::literal_path(bare).map_err(|e| odd(format!("{e:?}")))?.with_tail(tail);
    let mut paths = Lang::patterns([&pattern]).map_err(|e| odd(format!("{e:?}")))?;
    if !directory {
        paths = paths.minus(Lang::directories());
    }
    Ok(Region { kind: Kind::File(op), dims: vec![Dim::Bits(0b11), Dim::Paths(paths)] })
}

/// Whether some of the request is permitted.
fn contains(permitted: &Permitted, asked: Region) -> Result<bool, Error> {
    let Some(set) = permitted.set() else { return Ok(true) };
    let both = set.intersect(&RequestSet::new(vec![asked]));
    Ok(!both.is_empty().map_err(|e| Error::Odd(format!("{e:?}")))?)
}

/// The linked policy about one domain.
struct Judge<'a> {
    linked: &'a Linked,
    base: &'a Base,
    set: &'a PolicySet,
    one: &'a Lowered,
    reach: &'a Reach,
    reader: Reader,
}

impl Judge<'_> {
    fn said(&self, request: &str, ours: bool, linked: bool) -> String {
        let word = |yes| if yes { "permits" } else { "refuses" };
        format!(
            "{request}: the layer {} it, the linked policy {} it to `{}`",
            word(ours),
            word(linked),
            self.one.domain
        )
    }

    fn may(&self, target: &str, class: &str, perms: &[&str]) -> bool {
        let have = self.reach.by.get(&(target.to_owned(), class.to_owned()));
        have.is_some_and(|have| perms.iter().all(|p| have.contains(*p)))
    }

    /// Whether anything but its own processes' files may get another name.
    fn moves(&self) -> bool {
        let other = |target: &str| target != self.one.domain;
        self.reach.by.iter().any(|((t, _), p)| other(t) && (p.contains("rename") || p.contains("link")))
    }

    /// Whether the domain may do it to whatever can be at the path; `None` where something there has no label.
    fn file(&self, op: FileOp, path: &str) -> Result<Option<bool>, Error> {
        let mut unknown = false;
        let mut permitted = false;
        // What is no directory is what the line says that labels it.
        let said = self.reader.kind_of(path, Ask::of(path)).unwrap_or(FileType::Any);
        let makes = matches!(op, FileOp::Create | FileOp::Mknod);
        for (kind, _) in kinds(path).filter(|(_, kind)| makes || said.covers(*kind)) {
            match (op, self.linked.label(kind, path)?) {
                (FileOp::Create | FileOp::Mknod, _) => {
                    permitted |= self.makes(op, kind, path)?.unwrap_or_else(|| {
                        unknown = true;
                        false
                    })
                }
                (_, Some(ty)) => {
                    permitted |= self.does(op, kind, ty) && self.holder(op, path)?.unwrap_or(true)
                }
                (_, None) => unknown = true,
            }
        }
        Ok(if unknown { permitted.then_some(true) } else { Some(permitted) })
    }

    fn does(&self, op: FileOp, kind: FileKind, ty: &str) -> bool {
        let class = class(kind);
        let any = |sets: &[&[&str]]| sets.iter().any(|perms| self.may(ty, class, perms));
        let directory = kind == FileKind::Directory;
        let opened = matches!(kind, FileKind::File | FileKind::Fifo | FileKind::Character | FileKind::Block);
        match op {
            FileOp::Read if kind == FileKind::Link => any(&[&["read"]]),
            FileOp::Read => opened && any(&[&["open", "read"]]),
            FileOp::List => directory && any(&[&["open", "read"]]),
            FileOp::Write => opened && any(&[&["open", "write"]]),
            FileOp::Append => opened && any(&[&["open", "append"], &["open", "write"]]),
            FileOp::Delete => any(&[if directory { &["rmdir"] } else { &["unlink"] }, &["rename"]]),
            FileOp::Link => !directory && any(&[&["link"]]),
            FileOp::Lock => any(&[&["lock"]]),
            FileOp::Setattr | FileOp::Setid => any(&[&["setattr"]]),
            FileOp::Map => opened && any(&[&["map", "execute"]]),
            FileOp::Run => {
                kind == FileKind::File
                    && (any(&[&["execute", "execute_no_trans"]]) || (any(&[&["execute"]]) && self.leaves(ty)))
            }
            FileOp::Create | FileOp::Mknod => false,
        }
    }

    /// Whether running a program of the type takes the process elsewhere.
    fn leaves(&self, ty: &str) -> bool {
        self.reach.transitions.iter().any(|t| t.target == ty && t.class == "process")
            || self.may(&self.one.domain, "process", &["setexec"])
    }

    /// What it needs in the directory; `None` where that has no label.
    fn holder(&self, op: FileOp, path: &str) -> Result<Option<bool>, Error> {
        let perms: &[&str] = match op {
            FileOp::Delete => &["remove_name", "write"],
            FileOp::Create | FileOp::Mknod => &["add_name", "write"],
            _ => return Ok(Some(true)),
        };
        let Some(parent) = parent(path) else { return Ok(Some(false)) };
        let ty = self.linked.label(FileKind::Directory, &parent)?;
        Ok(ty.map(|ty| self.may(ty, "dir", perms)))
    }

    fn makes(&self, op: FileOp, kind: FileKind, path: &str) -> Result<Option<bool>, Error> {
        let device = matches!(kind, FileKind::Character | FileKind::Block);
        if device != (op == FileOp::Mknod) {
            return Ok(Some(false));
        }
        let Some(directory) = parent(path) else { return Ok(Some(false)) };
        let Some(ty) = self.linked.label(FileKind::Directory, &directory)? else { return Ok(None) };
        if !self.may(ty, "dir", &["add_name", "write"]) {
            return Ok(Some(false));
        }
        let name = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        let here = self.reach.transitions.iter().filter(|t| t.target == ty && t.class == class(kind));
        let new = here
            .clone()
            .find(|t| t.name.as_deref() == Some(name))
            .or_else(|| here.clone().find(|t| t.name.is_none()));
        Ok(Some(self.may(new.map_or(ty, |t| t.default.as_str()), class(kind), &["create"])))
    }

    /// Requests that are not about files, with the linked policy's answers.
    fn others(&self) -> Result<Vec<(String, bool)>, Error> {
        let mut out = Vec::new();
        let own = |class, perms: &[&str]| self.may(&self.one.domain, class, perms);
        for number in 0..64 {
            let Some(name) = capability_name(number) else { continue };
            let class = if number < 32 { "capability" } else { "capability2" };
            out.push((format!("capability {name}"), own(class, &[name])));
        }
        for (protocol, class) in [("tcp", "tcp_socket"), ("udp", "udp_socket")] {
            for port in PORTS {
                let ty = self.linked.port(protocol, *port)?;
                let bind = own(class, &["bind"])
                    && (GIVEN_OUT.contains(port) || self.may(ty, class, &["name_bind"]));
                out.push((format!("bind {protocol} port {port}"), bind));
                if protocol == "tcp" {
                    let connect = own(class, &["connect"]) && self.may(ty, class, &["name_connect"]);
                    out.push((format!("connect {protocol} port {port}"), connect));
                }
            }
        }
        for signal in SIGNALS {
            let perm = match *signal {
                "kill" => "sigkill",
                "stop" => "sigstop",
                "chld" => "sigchld",
                _ => "signal",
            };
            out.push((format!("signal send {signal} to self"), own("process", &[perm])));
            for who in ["user", "systemd"] {
                let mut launchers = self.base.launchers().filter(|l| l.who == who);
                let any = launchers.any(|l| self.may(l.domain, "process", &[perm]));
                out.push((format!("signal send {signal} to {who}"), any));
            }
        }
        Ok(out)
    }

    fn regions(&self, request: &str) -> Result<Vec<Region>, Error> {
        let read = parse_request(request, self.set, &Options::default());
        let odd = || Error::Odd(format!("{request}: {:?}", read.diagnostics));
        let request = read.request.as_ref().ok_or_else(odd)?;
        request_regions(request, &Peers::new(self.set, &self.one.policy))
            .map_err(|e| Error::Odd(format!("{e:?}")))
    }
}

fn class(kind: FileKind) -> &'static str {
    match kind {
        FileKind::File => "file",
        FileKind::Directory => "dir",
        FileKind::Link => "lnk_file",
        FileKind::Socket => "sock_file",
        FileKind::Fifo => "fifo_file",
        FileKind::Character => "chr_file",
        FileKind::Block => "blk_file",
    }
}
