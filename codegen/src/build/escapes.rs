//! Allows that are known ways around the rest of a policy, or into a wider one, to warnings with a request that shows it.

use super::edges::excess;
use super::judge::Subject;
use canc_dsl::codes;
use canc_dsl::diag::Diagnostic;
use canc_dsl::meaning::{Dim, Kind, Region, RequestSet};
use canc_dsl::policy::{Body, Effect, FileOp, PathRef, Peer, Policy, PtraceMode, Rule};
use canc_sets::path::{Lang, TooLarge};

/// `CAP_SYS_ADMIN` of `linux/capability.h`.
const SYS_ADMIN: u64 = 1 << 21;

/// Calls that a ring does by itself, where no filter sees them (`IORING_OP_*` of `linux/io_uring.h`).
const RING_CALLS: [&str; 31] = [
    "accept",
    "accept4",
    "bind",
    "connect",
    "fallocate",
    "fsetxattr",
    "fsync",
    "ftruncate",
    "linkat",
    "listen",
    "mkdirat",
    "openat",
    "openat2",
    "read",
    "readv",
    "recv",
    "recvfrom",
    "recvmsg",
    "renameat2",
    "send",
    "sendmsg",
    "sendto",
    "setxattr",
    "socket",
    "splice",
    "statx",
    "symlinkat",
    "tee",
    "unlinkat",
    "write",
    "writev",
];

/// What there is to say about one policy's own rules.
pub fn found(subject: &Subject<'_>, index: usize) -> Result<Vec<Diagnostic>, TooLarge> {
    let Some(policy) = subject.set.policies().get(index) else { return Ok(Vec::new()) };
    let mut out = Vec::new();
    for rule in policy.rules.iter().filter(|r| r.effect == Effect::Allow && r.included.is_empty()) {
        match &rule.body {
            Body::Capability(c) if c.bits & SYS_ADMIN != 0 && !c.in_userns => out.push(administrator(rule)),
            Body::IoUring(_) => out.extend(past_the_filter(policy, rule)),
            Body::Ptrace(p) if p.modes.has(PtraceMode::Trace) => {
                out.extend(puppet(subject, index, rule, &p.peer)?)
            }
            Body::File(file) if file.ops.has(FileOp::Write) => out.extend(planted(subject, index, rule)?),
            _ => {}
        }
    }
    Ok(out)
}

fn administrator(rule: &Rule) -> Diagnostic {
    Diagnostic::new(codes::ESCAPE, "`capability sys_admin` is close to all of root's power")
        .label(rule.span, "mounts, namespaces, devices and more")
        .help("name the calls or mounts that it is for, and deny the rest; or give it `in userns`")
}

/// A call that the policy denies and a ring makes.
fn past_the_filter(policy: &Policy, rule: &Rule) -> Option<Diagnostic> {
    let (deny, call) = policy.rules.iter().filter(|r| r.effect == Effect::Deny).find_map(|deny| {
        let Body::Syscall(calls) = &deny.body else { return None };
        let call = calls.calls.iter().map(|item| item.name).find(|call| RING_CALLS.contains(call))?;
        Some((deny, call))
    })?;
    let message = format!("a ring does what `{call}` does, and no filter sees it");
    let diagnostic = Diagnostic::new(codes::ESCAPE, message).label(rule.span, "rings are allowed here");
    Some(diagnostic.label(deny.span, "denied here, for the call alone").help(
        "remove `allow io_uring`, or deny the files, ports or sockets themselves, which layers besides seccomp enforce",
    ))
}

/// A process that may be traced does what its tracer wants.
fn puppet(
    subject: &Subject<'_>,
    index: usize,
    rule: &Rule,
    peer: &Peer,
) -> Result<Option<Diagnostic>, TooLarge> {
    let Peer::Policy(name) = peer else { return Ok(None) };
    let Some(traced) = subject.index(name).filter(|to| *to != index) else { return Ok(None) };
    let Some((more, witness)) = excess(subject, index, traced)? else { return Ok(None) };
    let message = format!("who traces `{name}` may do all that `{name}` may");
    let diagnostic = Diagnostic::new(codes::ESCAPE, message)
        .label(rule.span, format!("so this allows {witness}"))
        .label(more.span, "allowed to the traced one here");
    Ok(Some(diagnostic.help("allow `ptrace read` alone, or remove the rule")))
}

/// A program of another policy that the rule lets be overwritten.
fn planted(subject: &Subject<'_>, index: usize, rule: &Rule) -> Result<Option<Diagnostic>, TooLarge> {
    const WRITE: Kind = Kind::File(FileOp::Write);
    let Some(own) = subject.evaluators.get(index) else { return Ok(None) };
    let regions = own.rule_regions(rule)?;
    let written = RequestSet::new(regions.iter().filter(|region| region.kind == WRITE).cloned().collect());
    for (other, evaluator) in subject.evaluators.iter().enumerate().filter(|(other, _)| *other != index) {
        let Some(policy) = subject.set.policies().get(other) else { continue };
        let mut run = vec![(programs(&policy.exec)?, policy.span)];
        for rule in policy.rules.iter().filter(|r| r.effect == Effect::Allow && r.included.is_empty()) {
            if matches!(&rule.body, Body::File(file) if file.ops.has(FileOp::Run)) {
                let regions = evaluator.rule_regions(rule)?;
                let runs = regions.iter().filter(|region| region.kind == Kind::File(FileOp::Run));
                run.push((runs.map(|region| Region { kind: WRITE, ..region.clone() }).collect(), rule.span));
            }
        }
        for (regions, span) in run {
            let both = written.intersect(&RequestSet::new(regions));
            // What all rules together allow is asked last: it is the dearest.
            if both.is_empty()? {
                continue;
            }
            if let Some(witness) = both.intersect(&own.allowed(WRITE, "/")?).witness(own.peers())? {
                let message =
                    format!("`{}` may change a program that `{}` runs", own.policy().name, policy.name);
                let diagnostic = Diagnostic::new(codes::ESCAPE, message)
                    .label(rule.span, format!("{witness} is allowed here"))
                    .label(span, "and it is run here");
                return Ok(Some(
                    diagnostic.help("leave programs out with `except`, or let them lie elsewhere"),
                ));
            }
        }
    }
    Ok(None)
}

/// Writing to these programs, whoever owns them.
fn programs(paths: &[PathRef]) -> Result<Vec<Region>, TooLarge> {
    let lang = Lang::patterns(paths.iter().map(|path| &path.pattern))?;
    Ok(vec![Region { kind: Kind::File(FileOp::Write), dims: vec![Dim::Bits(0b11), Dim::Paths(lang)] }])
}
