//! What is said about each rule, and who is named for a decision.

use super::*;
use crate::seccomp::{LowerError, Why};
use crate::verdict::{Outcome, Verdict};
use canc_dsl::policy::RuleId;

/// The verdict on the first rule of its own.
fn first(body: &str) -> Outcome {
    lowered(body).outcomes.first().unwrap().clone()
}

fn words(body: &str) -> Vec<&'static str> {
    lowered(body).outcomes.iter().map(Outcome::word).collect()
}

/// The column of the design's table of least acceptable verdicts, and what it leaves open.
#[test]
fn allows_are_judged_by_what_a_filter_sees() {
    for (rule, word) in [
        ("allow read \"/srv/**\";", "n/a"),
        ("allow run \"/usr/bin/x\";", "n/a"),
        ("allow capability sys_time;", "n/a"),
        ("allow userns create;", "exact"),
        ("allow namespace net, pid;", "exact"),
        ("allow connect tcp port 443;", "widened"),
        ("allow connect tcp;", "widened"),
        ("allow bind udp;", "exact"),
        ("allow bind udp port 53;", "widened"),
        ("allow connect udp address 10.0.0.0/8 port 53;", "widened"),
        ("allow connect sctp;", "exact"),
        ("allow connect unix \"/run/x\";", "widened"),
        ("allow listen unix dgram \"@x\";", "widened"),
        ("allow socket raw;", "exact"),
        ("allow socket netlink route;", "exact"),
        ("allow signal send term to any;", "widened"),
        ("allow signal receive term from any;", "n/a"),
        ("allow ptrace read self;", "widened"),
        ("allow mount bind \"/a\" -> \"/b\";", "widened"),
        ("allow unmount \"/b\";", "widened"),
        ("allow io_uring;", "widened"),
        ("allow mqueue read \"/q\";", "widened"),
        ("allow shm;", "exact"),
        ("allow keyring;", "exact"),
        ("allow perf;", "exact"),
        ("allow syscall read where fd == 0;", "exact"),
    ] {
        assert_eq!(first(rule).word(), word, "{rule}");
    }
}

#[test]
fn denies_are_exact_where_nothing_of_the_kind_is_left() {
    for (rules, word) in [
        ("deny syscall ptrace;", "exact"),
        ("deny userns create; allow syscall clone, unshare;", "exact"),
        ("deny namespace net; allow namespace pid;", "exact"),
        ("deny connect tcp port 25;", "exact"),
        ("deny connect tcp port 25; allow connect tcp;", "dropped"),
        ("deny connect tcp; allow syscall socket, connect;", "exact"),
        ("deny bind tcp; allow connect tcp;", "exact"),
        ("deny bind tcp; allow connect tcp; allow bind udp;", "dropped"),
        ("deny connect unix \"/run/x\"; allow connect unix \"/run/y\";", "dropped"),
        ("deny connect unix \"/run/x\"; allow connect tcp;", "exact"),
        ("deny socket packet; allow syscall socket;", "exact"),
        ("deny signal send kill to any; allow syscall kill;", "dropped"),
        ("deny signal send kill to any;", "exact"),
        ("deny ptrace trace self; allow ptrace read self;", "dropped"),
        ("deny mount bind \"/a\" -> \"/b\"; allow mount bind \"/c\" -> \"/d\";", "dropped"),
        ("deny mount bind \"/a\" -> \"/b\"; allow mount move \"/c\" -> \"/d\";", "exact"),
        ("deny io_uring; allow syscall io_uring_setup;", "exact"),
        ("deny mqueue delete \"/q\"; allow mqueue read \"/q\";", "exact"),
        ("deny keyring; allow syscall keyctl;", "exact"),
        ("deny read \"/x\";", "n/a"),
        ("deny capability sys_time;", "n/a"),
    ] {
        assert_eq!(first(rules).word(), word, "{rules}");
    }
}

#[test]
fn what_another_rule_takes_away_is_said() {
    let Verdict::Allow { narrowed, .. } = first("allow connect tcp; deny syscall connect;").verdict else {
        panic!()
    };
    assert_eq!(narrowed, ["`connect` is refused"]);
    let Verdict::Allow { narrowed, .. } = first("allow connect tcp; syscall infer off;").verdict else {
        panic!()
    };
    assert_eq!(narrowed, ["`connect` is refused", "`socket` is refused"]);
    let Verdict::Allow { narrowed, .. } = first("allow userns create; deny syscall unshare;").verdict else {
        panic!()
    };
    assert_eq!(narrowed, ["`unshare` of user is refused"]);
    assert_eq!(
        words("allow connect tcp; syscall infer off; allow syscall socket, connect;"),
        ["widened", "exact"]
    );
}

#[test]
fn notes_say_what_a_word_leaves_out() {
    let notes = |rule: &str| first(rule).notes.join("; ");
    assert!(notes("allow syscall open, read;").contains("not on aarch64: open"));
    assert!(notes("allow syscall @process;").contains("only by name: clone3"));
    assert!(notes("allow syscall clone;").contains("need their own rules: clone"));
    assert!(notes("allow syscall socket;").contains("MPTCP"));
    assert!(notes("deny syscall execveat;").contains("launch's own"));
}

#[test]
fn the_base_is_listed() {
    let Verdict::Allow { widened, .. } = lowered("allow listen tcp port 80;").base.verdict else { panic!() };
    assert_eq!(widened.len(), 4);
    assert!(widened[0].contains("execveat(250") && widened[3].contains("unbound"));
    assert_eq!(lowered("allow connect tcp;").base.word(), "widened");
}

#[test]
fn decisions_name_their_rules() {
    let made = lowered(
        "allow syscall ioctl where cmd == 1;
         allow syscall ioctl where cmd in [1, 2];
         deny syscall ioctl where cmd == 3;
         allow read \"/a\"; allow read \"/b\";
         allow syscall clone; allow syscall sendto;",
    );
    let ask = |call: &str, args: [u64; 6]| {
        let decided = made.decide(Arch::X86_64, number(Arch::X86_64, call).unwrap(), args).unwrap();
        (decided.why, decided.rules.iter().map(|r| r.0).collect::<Vec<_>>())
    };
    assert_eq!(ask("ioctl", [0, 1, 0, 0, 0, 0]), (Why::Rules, vec![0, 1, 3, 4]), "reading brings ioctl too");
    assert_eq!(ask("ioctl", [0, 3, 0, 0, 0, 0]), (Why::Rules, vec![2]));
    assert_eq!(ask("openat", [0; 6]), (Why::Rules, vec![3, 4]));
    assert_eq!(ask("ioctl", [0, 0x5412, 0, 0, 0, 0]), (Why::Unmatched, vec![]));
    assert_eq!(ask("clone", [0x1000_0000, 0, 0, 0, 0, 0]), (Why::Namespace, vec![]));
    assert_eq!(ask("sendto", [0, 0, 0, 0x2000_0000, 0, 0]), (Why::FastOpen, vec![]));
    assert_eq!(ask("unshare", [0x1000_0000, 0, 0, 0, 0, 0]), (Why::Unmentioned, vec![]));
    assert_eq!(ask("exit_group", [0; 6]), (Why::Base, vec![]));
    let foreign = made.decide(Arch::X86, 4, [0; 6]).unwrap();
    assert_eq!((foreign.action, foreign.why), (Action::Kill, Why::Foreign));
    assert_eq!(made.decide(Arch::X86_64, 401, [0; 6]).unwrap().why, Why::UnknownNumber);
    assert_eq!(made.decide(Arch::S390x, 1, [0; 6]), None);
}

#[test]
fn sets_of_calls_are_answered_with_examples() {
    let made = lowered("allow syscall kill where sig in [1, 2]; allow syscall getpid;");
    let ask = |rule: &str| {
        let policy = policy(rule);
        let canc_dsl::policy::Body::Syscall(calls) = &policy.rules[0].body else { panic!() };
        let asked = made.asked(calls);
        (asked.made.map(|w| w.to_string()), asked.refused.map(|w| w.to_string()))
    };
    let text = |s: &str| Some(s.to_owned());
    assert_eq!(ask("allow syscall getpid;"), (text("syscall getpid"), None));
    assert_eq!(ask("allow syscall getuid, ptrace;"), (None, text("syscall getuid")));
    assert_eq!(ask("allow syscall kill;"), (text("syscall kill(0x0, 0x1)"), text("syscall kill(0x0)")));
    assert_eq!(ask("allow syscall kill where sig == 2;"), (text("syscall kill(0x0, 0x2)"), None));
    assert_eq!(ask("allow syscall kill where sig > 2;"), (None, text("syscall kill(0x0, 0x3)")));
    let beyond = |rule: &str| made.beyond(&policy(rule).rules[0]);
    assert_eq!(beyond("allow syscall kill where sig == 1;"), None);
    assert_eq!(beyond("allow syscall kill where sig < 3;"), text("syscall kill(0x0)"));
    let named = policy("allow userns create; allow syscall clone3;");
    assert_eq!(made.beyond(&named.rules[1]), text("syscall clone3"));
    assert_eq!(lowered("allow syscall @process;").beyond(&policy("allow syscall @process;").rules[0]), None);
}

#[test]
fn what_no_filter_can_say_is_refused_with_the_rules() {
    let errors = |body: &str| lower(&policy(body), &SeccompOptions::default()).unwrap_err();
    // The checker of the language finds equal conditions; these meet in one value.
    let two =
        errors("deny syscall kill where sig > 8 with EACCES; deny syscall kill where sig < 10 with ENOENT;");
    assert_eq!(two, [LowerError::TwoErrnos { call: "kill", first: RuleId(0), second: RuleId(1) }]);
    let apart = "deny syscall kill where sig > 9 with EACCES; deny syscall kill where sig < 10 with ENOENT; allow syscall kill;";
    assert_eq!(x86_64(&lowered(apart), "kill", &[0, 9]), Action::Errno(2));
    let diagnostic = two[0].diagnostic(&policy("deny syscall kill with EACCES; deny syscall getpid;"));
    assert_eq!((diagnostic.code.0, diagnostic.labels.len()), ("E0330", 2));
}

#[test]
fn a_condition_that_multiplies_is_asked_part_by_part() {
    let test = |i: u32| {
        format!(
            "(arg0 & {:#x} == 0 or arg1 & {:#x} == 0 or arg2 & {:#x} == 0 or arg3 & {:#x} == 0)",
            3 << i,
            5 << i,
            9 << i,
            3 << i
        )
    };
    let all: Vec<String> = (0..24).map(test).collect();
    let started = std::time::Instant::now();
    let made = lower(
        &policy(&format!("allow syscall prctl where {};", all.join(" and "))),
        &SeccompOptions::default(),
    );
    let made = made.unwrap();
    assert!(started.elapsed().as_secs() < 90);
    assert!(made.filters[&Arch::X86_64][0].instructions().len() < 400);
    let asked = [([0, !0, !0, !0], Action::Allow), ([!0, 0, !0, !0], Action::Allow), ([!0; 4], EPERM)];
    for (args, wanted) in asked {
        assert_eq!(x86_64(&made, "prctl", &args), wanted, "{args:?}");
    }
    // Every part holds, by another argument each, until the last one does not.
    let [a, b, c, d] = [!(3 | 3 << 4), !(5 << 1), !(9 << 2 | 9 << 7), !0u64];
    assert_eq!(x86_64(&made, "prctl", &[a, b, c, d]), EPERM);
}

#[test]
fn the_layer_permits_what_the_filters_do() {
    use crate::coverage::Permitted;
    use canc_dsl::meaning::{Dim, Kind};
    use canc_dsl::policy::{NamespaceKind, NetOp, Protocol, SocketKind};
    let ask = |body: &str, kind: Kind| {
        let set = set(body);
        let policy = set.policies().first().unwrap();
        let made = lower(policy, &SeccompOptions::default()).unwrap();
        let layer = crate::seccomp::layer(&set, policy, &made);
        (layer.permitted)(kind, "/").unwrap()
    };
    let grants = |body: &str, kind: Kind| match ask(body, kind) {
        Permitted::Everything => panic!("{kind:?}"),
        Permitted::Only { grants, .. } | Permitted::Joined { grants, .. } => grants,
    };
    let tcp = Kind::Net(NetOp::Connect, Protocol::Tcp);
    assert_eq!(grants("allow connect tcp port 443;", tcp).len(), 1);
    assert!(grants("allow bind tcp port 443;", tcp).is_empty());
    assert!(grants("allow connect tcp; deny syscall connect;", tcp).is_empty());
    assert!(grants("allow listen unix \"/x\"; allow connect udp;", tcp).is_empty());
    assert!(matches!(
        ask("allow read \"/x\";", Kind::File(canc_dsl::policy::FileOp::Write)),
        Permitted::Everything
    ));
    let made = grants("allow namespace net, pid;", Kind::Namespace);
    let bits = |g: &crate::coverage::Grant| match g.region.dims.first() {
        Some(Dim::Bits(bits)) => *bits,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        made.iter().map(bits).collect::<Vec<_>>(),
        [1 << NamespaceKind::Net as u32 | 1 << NamespaceKind::Pid as u32]
    );
    assert!(grants("allow syscall clone, unshare;", Kind::UsernsCreate).is_empty());
    assert_eq!(grants("allow userns create;", Kind::UsernsCreate).len(), 1);
    assert!(grants("allow socket raw;", Kind::Socket(SocketKind::Packet)).is_empty());
    assert_eq!(grants("allow syscall socket;", Kind::Socket(SocketKind::Packet)).len(), 1);
    assert!(
        grants("allow syscall @mount;", Kind::MountNew).len() == 1
            && grants("allow shm;", Kind::MountNew).is_empty()
    );
}
