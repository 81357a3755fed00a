//! The meaning of small policies, asked from outside.

use super::*;
use crate::policy::*;
use canc_sets::interval::Intervals;
use canc_sets::path::Pattern;
use std::sync::Arc;

fn refs(texts: &[&str]) -> Vec<PathRef> {
    let parsed = texts.iter().flat_map(|t| Pattern::parse(t).unwrap());
    parsed.map(|pattern| PathRef { pattern, span: Default::default() }).collect()
}

fn file(ops: &[FileOp], paths: &[&str], except: &[&str]) -> Body {
    Body::File(FileRule {
        ops: FileOps::of(ops),
        owner: false,
        paths: refs(paths),
        except: refs(except),
        label: None,
        run: RunTarget::Inherit,
    })
}

fn tcp(ops: &[NetOp], ports: &[(u16, u16)]) -> Body {
    let ports = ports.iter().copied().collect::<Intervals<u16>>();
    Body::Net(NetRule { ops: NetOps::of(ops), protocol: Protocol::Tcp, addresses: None, ports })
}

fn set(rules: Vec<(Effect, Body)>) -> PolicySet {
    let rules = rules.into_iter().enumerate().map(|(i, (effect, body))| Rule {
        id: RuleId(u32::try_from(i).unwrap()),
        name: None,
        effect,
        prefer: false,
        audit: false,
        body,
        because: None,
        span: Default::default(),
        included: Arc::new([]),
    });
    let data = PolicyData { name: "p".into(), rules: rules.collect(), ..PolicyData::default() };
    PolicySet::new(vec![data], Vec::new())
}

fn ask(set: &PolicySet, body: &Body) -> Verdict {
    let policy = set.policy("p").unwrap();
    let evaluator = Evaluator::new(set, policy);
    evaluator.decide(&body_regions(body, evaluator.peers()).unwrap(), "/").unwrap()
}

use Effect::{Allow, Deny};
use FileOp::{Append, List, Read, Write};

#[test]
fn deny_beats_allow_whatever_the_order() {
    let allow = (Allow, file(&[Read], &["/srv/**"], &[]));
    let deny = (Deny, file(&[Read], &["/srv/private/**"], &[]));
    for rules in [vec![allow.clone(), deny.clone()], vec![deny, allow]] {
        let set = set(rules);
        assert!(ask(&set, &file(&[Read], &["/srv/a"], &[])).allowed);
        let secret = ask(&set, &file(&[Read], &["/srv/private/key"], &[]));
        assert!(secret.denied && secret.denied_by.len() == 1, "{secret:?}");
        let all = ask(&set, &file(&[Read], &["/srv/**"], &[]));
        assert_eq!(all.not_allowed.as_deref(), Some("read \"/srv/private/a\""));
        assert_eq!(all.not_denied.as_deref(), Some("read \"/srv/a\""));
    }
}

#[test]
fn except_is_no_deny() {
    let set = set(vec![
        (Allow, file(&[Read], &["/srv/**"], &["/srv/x/**"])),
        (Allow, file(&[Read], &["/srv/x/open"], &[])),
    ]);
    assert!(ask(&set, &file(&[Read], &["/srv/x/open"], &[])).allowed);
    assert!(ask(&set, &file(&[Read], &["/srv/x/other"], &[])).denied);
}

#[test]
fn write_implies_append_and_a_denied_write_leaves_it() {
    let writes = set(vec![(Allow, file(&[Write], &["/log"], &[]))]);
    assert!(ask(&writes, &file(&[Append], &["/log"], &[])).allowed);
    let appends = set(vec![(Allow, file(&[Append], &["/log"], &[])), (Deny, file(&[Write], &["/log"], &[]))]);
    assert!(ask(&appends, &file(&[Append], &["/log"], &[])).allowed);
    assert!(ask(&appends, &file(&[Write], &["/log"], &[])).denied);
}

#[test]
fn listing_is_of_directories_and_reading_of_files() {
    let set = set(vec![(Allow, file(&[List], &["/srv/**"], &[]))]);
    assert!(ask(&set, &file(&[List], &["/srv/", "/srv/a"], &[])).allowed);
    assert!(ask(&set, &file(&[Read], &["/srv/a"], &[])).denied);
}

#[test]
fn ports_are_intervals() {
    let set = set(vec![
        (Allow, tcp(&[NetOp::Listen], &[(80, 80), (8000, 8010)])),
        (Deny, tcp(&[NetOp::Listen, NetOp::Bind], &[(8005, 8005)])),
    ]);
    assert!(ask(&set, &tcp(&[NetOp::Bind], &[(80, 80)])).allowed);
    assert!(ask(&set, &tcp(&[NetOp::Listen], &[(8005, 8005)])).denied);
    let range = ask(&set, &tcp(&[NetOp::Listen], &[(8000, 8010)]));
    assert_eq!(range.not_allowed.as_deref(), Some("listen tcp port 8005"));
    assert!(ask(&set, &tcp(&[NetOp::Connect], &[(80, 80)])).denied);
}

#[test]
fn candidates_are_found_by_prefix_in_both_directions() {
    let set = set(vec![
        (Allow, file(&[Read], &["/srv/a/b/c"], &[])),
        (Allow, file(&[Read], &["/srv/**"], &[])),
        (Allow, file(&[Read], &["/etc/x"], &[])),
        (Allow, file(&[Read], &["/*/x"], &[])),
    ]);
    let policy = set.policy("p").unwrap();
    let evaluator = Evaluator::new(&set, policy);
    let near = |prefix: &str| {
        evaluator.candidates(Kind::File(Read), prefix).iter().map(|r| r.id.0).collect::<Vec<_>>()
    };
    assert_eq!(near("/srv/a"), [0, 1, 3]);
    assert_eq!(near("/srv/a/b/c/d"), [0, 1, 3]);
    assert_eq!(near("/srv/ab"), [1, 3]);
    assert_eq!(near("/"), [0, 1, 2, 3]);
}

#[test]
fn a_domain_may_signal_itself() {
    let set = set(Vec::new());
    let signal = |peer| Body::Signal(SignalRule { send: true, signals: 1 << 15, peers: vec![peer] });
    assert!(ask(&set, &signal(Peer::SelfDomain)).allowed);
    assert!(ask(&set, &signal(Peer::User)).denied);
}
