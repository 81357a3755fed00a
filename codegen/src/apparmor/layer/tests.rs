//! What a profile is read to permit is what the policy and the verdict say.

use super::*;
use crate::apparmor::features::Abi;
use crate::apparmor::{ApparmorOptions, Lowered, emit, lower, read};
use crate::coverage::{Judge, RuleResult};
use crate::testing::{one, policies};
use crate::verdict::Verdict;
use canc_dsl::meaning::Evaluator;
use canc_dsl::policy::{FileOp, RuleId};

fn made(set: &PolicySet, name: &str) -> (Lowered, Profile, ApparmorOptions) {
    let options = ApparmorOptions::debian13(Abi::V4).unwrap();
    let lowered = lower(set, set.policy(name).unwrap(), &options).unwrap();
    let profile = read(&emit(&lowered.profile)).unwrap();
    (lowered, profile, options)
}

#[test]
fn one_path() {
    let set = one(
        r#"allow read, list "/srv/**"; allow write owner "/srv/own/*"; deny read "/srv/private/**"; allow run "/usr/bin/x" because "x";"#,
    );
    let (_, profile, _) = made(&set, "p");
    let ask = |op, path: &str, owner| decide(&profile, op, path, owner).unwrap();
    let yes = ask(FileOp::Read, "/srv/a", false);
    assert_eq!((yes.permitted, yes.permitted_by, yes.refused_by), (true, vec![RuleId(0)], vec![]));
    let no = ask(FileOp::Read, "/srv/private/a/b", true);
    assert_eq!((no.permitted, no.permitted_by, no.refused_by), (false, vec![RuleId(0)], vec![RuleId(2)]));
    assert!(ask(FileOp::List, "/srv/private/", true).permitted);
    assert!(ask(FileOp::Write, "/srv/own/a", true).permitted);
    assert!(!ask(FileOp::Write, "/srv/own/a", false).permitted);
    assert!(ask(FileOp::Delete, "/srv/own/a", true).permitted, "what comes with writing");
    assert!(!ask(FileOp::Mknod, "/srv/own/a", true).permitted, "without the capability");
    assert!(ask(FileOp::Run, "/usr/bin/x", true).permitted && ask(FileOp::Map, "/usr/bin/x", true).permitted);
    let own = ask(FileOp::Read, "/usr/bin/p", true);
    assert!(own.permitted && own.by_base && own.permitted_by.is_empty());
    assert!(!ask(FileOp::Run, "/usr/bin/p", true).permitted);
}

fn judged(text: &str, rule: u32) -> RuleResult {
    let set = one(text);
    let policy = set.policy("p").unwrap();
    let (lowered, profile, options) = made(&set, "p");
    let layer = profile_layer(&set, policy, &profile, &options.features, &lowered.outcomes);
    let evaluator = Evaluator::new(&set, policy);
    let judge = Judge::new(&evaluator, vec![&layer]);
    let rule = std::slice::from_ref(policy.rule(RuleId(rule)).unwrap());
    judge.rules(rule).unwrap().remove(0)
}

#[test]
fn leaks_and_blocks_follow_from_the_profile() {
    let leak = |text: &str| judged(text, 0).leak;
    assert_eq!(leak(r#"allow read "/a/**";"#), None);
    assert_eq!(leak(r#"allow manage "/a/**";"#), None);
    assert_eq!(leak(r#"allow write "/a";"#).as_deref(), Some("create \"/a\""));
    assert_eq!(leak(r#"allow connect tcp;"#), None);
    assert_eq!(leak(r#"allow connect tcp port 443;"#).as_deref(), Some("connect tcp address 0.0.0.0 port 0"));
    assert_eq!(leak(r#"allow capability chown;"#), None);
    assert_eq!(
        leak(r#"allow capability chown; allow userns create;"#).as_deref(),
        Some("capability chown in userns")
    );
    assert_eq!(
        leak(r#"allow capability chown in userns; allow userns create;"#).as_deref(),
        Some("capability chown")
    );
    assert_eq!(leak(r#"allow signal send term to systemd;"#).as_deref(), Some("signal send term to user"));
    assert_eq!(
        leak(r#"allow connect unix stream "/run/x";"#).as_deref(),
        Some("connect unix stream \"/\" to self")
    );
    assert_eq!(leak(r#"allow mount type tmpfs -> "/m" options ro;"#), None);
    assert_eq!(leak(r#"allow mount remount -> "/m";"#), None);
    // A deny is refused, or something gets through.
    assert_eq!(judged(r#"allow read "/a/**"; deny read "/a/b";"#, 1).leak, None);
    assert_eq!(judged(r#"allow write "/a"; deny delete "/a";"#, 1).leak.as_deref(), Some("delete \"/a\""));
    assert_eq!(
        judged(r#"allow connect tcp port 1; deny connect tcp port 2;"#, 1).leak.as_deref(),
        Some("connect tcp address 0.0.0.0 port 2")
    );
    // A refusal that takes more than the deny says so.
    let block = judged(r#"allow manage "/a/**"; deny write "/a/ro/**";"#, 0).block;
    assert_eq!(block, Some(("append \"/a/ro/a\"".into(), "apparmor")));
    assert_eq!(judged(r#"allow read "/a/**"; deny read "/a/ro/**";"#, 0).block, None);
}

#[test]
fn exact_means_that_nothing_leaks_and_nothing_is_blocked() {
    let rules = [
        r#"allow read, list "/a/**" except "/a/**/.git/**";"#,
        r#"allow read, list, create, delete, write, setattr, append "/a/*.x";"#,
        r#"allow lock, map "/a/b/c";"#,
        r#"allow read "${home}/.x/**";"#,
        "allow connect, bind udp;",
        "allow listen tcp; allow socket packet;",
        "allow userns create;",
        "allow capability chown, net_raw;",
        "allow ptrace read self;",
        "allow signal send all to self;",
        r#"allow mount bind "/s" -> "/d"; allow unmount "/d"; allow pivot_root "/n/o" -> "/n";"#,
        r#"allow mount type tmpfs, proc from "x" -> "/m/**" options nosuid, nodev;"#,
        r#"allow mount remount ro -> "/d"; allow mount make rslave -> "/";"#,
        r#"allow run "/usr/bin/*" except "/usr/bin/su*";"#,
    ];
    for text in rules {
        let set = one(text);
        let policy = set.policy("p").unwrap();
        let (lowered, profile, options) = made(&set, "p");
        let layer = profile_layer(&set, policy, &profile, &options.features, &lowered.outcomes);
        let evaluator = Evaluator::new(&set, policy);
        for (rule, outcome) in policy.rules.iter().zip(&lowered.outcomes) {
            assert_eq!(outcome.verdict, Verdict::Allow { widened: vec![], narrowed: vec![] }, "{text}");
            for region in evaluator.rule_regions(rule).unwrap().iter() {
                let kind = region.kind;
                let permitted = (layer.permitted)(kind, "/").unwrap().set().unwrap();
                let allowed = evaluator.allowed(kind, "/").unwrap();
                let asked = canc_dsl::meaning::RequestSet::new(vec![region.clone()]);
                assert_eq!(
                    asked.minus(&permitted).witness(evaluator.peers()).unwrap(),
                    None,
                    "{text}: {kind:?} is blocked"
                );
                let base = (layer.permitted)(kind, "/").unwrap().loose(|_| false);
                let base = canc_dsl::meaning::RequestSet::new(base.into_iter().map(|g| g.region).collect());
                let surplus = permitted.minus(&allowed).minus(&base);
                assert_eq!(surplus.witness(evaluator.peers()).unwrap(), None, "{text}: {kind:?} leaks");
            }
        }
    }
}

#[test]
fn sources_survive_the_text() {
    let set = policies(
        "can 1;\npolicy p { exec \"/usr/bin/p\"; @id(a) allow read \"/x\"; allow write \"/x\"; allow list \"/y/\"; }\n",
    );
    let (_, profile, options) = made(&set, "p");
    let layer = profile_layer(&set, set.policy("p").unwrap(), &profile, &options.features, &[]);
    let Permitted::Only { grants, .. } = (layer.permitted)(Kind::File(FileOp::Read), "/x").unwrap() else {
        panic!("files are mediated");
    };
    let from: Vec<Source> = grants.iter().map(|g| g.source).collect();
    assert_eq!(from, [Source::Rule(RuleId(0)), Source::Rule(RuleId(1))], "one line, two rules");
    assert!(grants.iter().all(|g| g.near == "/x"));
}
