//! What every profile grants whatever the policy says, and the remarks that hold for kinds of access.

use super::claims::{Claim, WRITE_WORDS};
use super::context::Context;
use super::draft::Source;
use super::network::ANY_USE;
use super::process::passive;
use crate::apparmor::glob::AaGlob;
use crate::apparmor::model::{
    Family, FilePerm, Mode, NetPerm, NetPerms, NetworkRule, Peer, PtracePerm, PtracePerms, PtraceRule, Rule,
    SignalPerm, SignalPerms, SignalRule, SocketType,
};
use crate::apparmor::token::ProfileName;
use crate::verdict::{Outcome, Verdict};
use canc_dsl::policy::{self as dsl, Body, Effect, FileOp, RuleId};

/// The rules that are not about files.
pub(super) fn rules(cx: &mut Context<'_>) {
    if cx.features.signal() {
        let perms = SignalPerms::of(&[SignalPerm::Send, SignalPerm::Receive]);
        let peer = Some(Peer::Member(cx.own.clone()));
        let rule = SignalRule { mode: Mode::ALLOW, perms, signals: None, peer };
        cx.draft.add(Source::Base("signals among the processes of the domain"), Rule::Signal(rule));
    }
    if cx.features.ptrace() {
        let why = Source::Base("being looked at; the other side needs a permission of its own");
        let perms = PtracePerms::of(&[PtracePerm::Readby, PtracePerm::Tracedby]);
        for (perms, peer) in [(perms, Peer::Unconfined)].into_iter().chain(tracers(cx)) {
            cx.draft.add(why, Rule::Ptrace(PtraceRule { mode: Mode::ALLOW, perms, peer: Some(peer) }));
        }
    }
    if cx.features.network() && makes_socket_pairs(cx) {
        let why = Source::Base("socket pairs; without a permission to connect they reach nobody else");
        let perms = ANY_USE.union(NetPerms::of(&[NetPerm::Send, NetPerm::Receive]));
        if cx.features.network_operations() {
            for kind in [SocketType::Stream, SocketType::Seqpacket] {
                let rule = NetworkRule { mode: Mode::ALLOW, perms: Some(perms), family: Family::Unix, kind };
                cx.draft.add(why, Rule::Network(rule));
            }
        }
    }
}

/// The other policies whose rules trace this one's processes.
fn tracers(cx: &Context<'_>) -> Vec<(PtracePerms, Peer)> {
    let mut out = Vec::new();
    for other in cx.policies.policies().iter().filter(|p| p.name != cx.policy.name) {
        for rule in other.rules.iter().filter(|r| r.effect == Effect::Allow) {
            let Body::Ptrace(ptrace) = &rule.body else { continue };
            let at_us = matches!(&ptrace.peer, dsl::Peer::Policy(name) if *name == cx.policy.name);
            let Ok(name) = ProfileName::of_policy(&other.name) else { continue };
            if at_us {
                let perms = ptrace.modes.iter().map(|m| match m {
                    dsl::PtraceMode::Read => passive(PtracePerm::Read),
                    dsl::PtraceMode::Trace => passive(PtracePerm::Trace),
                });
                out.push((perms.collect(), Peer::Member(name)));
            }
        }
    }
    out
}

fn makes_socket_pairs(cx: &Context<'_>) -> bool {
    cx.allows().any(|body| match body {
        Body::Syscall(rule) => rule.calls.iter().any(|c| c.name == "socketpair"),
        _ => false,
    })
}

/// The synthetic verdict.
pub(super) fn outcome(cx: &Context<'_>) -> Outcome {
    let mut granted: Vec<String> = [
        "stat, readlink and searching directories, of anything",
        "timestamps and extended attributes, of anything",
        "ioctl on what is open",
        "descriptors that were inherited from a process without a profile",
        "reading and mapping the domain's own programs",
    ]
    .map(Into::into)
    .into();
    if cx.allows().any(|b| matches!(b, Body::File(f) if !f.ops.intersect(WRITE_WORDS).is_empty())) {
        granted.push("the set-id bits wherever a rule lets the profile write".into());
    }
    if cx.features.signal() {
        granted.push("signals among the processes of the domain".into());
    }
    let mut out = Outcome::new(Verdict::Allow { widened: granted, narrowed: Vec::new() });
    if makes_socket_pairs(cx) {
        out = match cx.features.network_operations() {
            true => out.note("socket pairs of streams and packets; a pair of datagrams could send to any socket and takes `connect unix dgram`"),
            false => out.note("no socket pairs, because this ABI cannot separate them from connecting"),
        };
    }
    if cx.complain {
        out = out.note("complain mode: everything is permitted and logged");
    }
    out.note("a site may add rules in local/ under the profile's name")
}

/// What a reader of a verdict should know about some accesses.
pub(super) fn remarks(cx: &mut Context<'_>, id: RuleId, claim: &Claim<'_>) {
    let ops = claim.ops;
    let writes = claim.file.has(FilePerm::Write);
    if ops.has(FileOp::Delete) && !claim.file.has(FilePerm::Read) {
        cx.note(id, "renaming something away asks for `read` of it, too");
    }
    if ops.has(FileOp::Append) && !writes {
        cx.note(id, "an open that may create asks for `create` even where the file exists");
    }
    if ops.has(FileOp::Lock) && !writes {
        cx.note(id, "an exclusive lock asks for `write`, too");
    }
}

/// What a reader should know about the entries of processes.
pub(super) fn process_remarks(cx: &mut Context<'_>, id: RuleId, claim: &Claim<'_>) {
    if AaGlob::names_process(claim.pattern) {
        cx.widen(id, "the same entries of the user's other processes, as far as the kernel lets one see them: AppArmor does not know whose they are");
        cx.note(id, "a process that changed its user has entries of root's, which are refused");
    }
}
