//! The least verdict that is acceptable for each form of rule on each target. A better one is welcome; a worse one is a regression.

use crate::artefacts::Bundle;
use crate::case::each;
use canc_dsl::policy::Target;

/// How good a verdict is: everything on the left of a word is at least as good.
const ALLOWS: &[&str] = &["exact", "widened", "narrowed", "widened, narrowed", "base unknown"];
const DENIES: &[&str] = &["exact", "partial", "dropped", "base unknown"];

/// A form of rule: its statements, of which the last is judged, and the worst words for selinux, apparmor, seccomp and landlock. `n/a`
/// means exactly that; a word with `?` may be `n/a` as well.
struct Form {
    name: &'static str,
    rules: &'static str,
    worst: [&'static str; 4],
}

const fn form(name: &'static str, rules: &'static str, worst: [&'static str; 4]) -> Form {
    Form { name, rules, worst }
}

const FORMS: &[Form] = &[
    form(
        "files of one's own: a tree",
        "allow read, list \"/srv/app/**\" as data;",
        ["exact", "exact", "n/a", "exact"],
    ),
    form(
        "files of one's own: one",
        "allow read \"/srv/app/one\" as data;",
        ["exact", "exact", "n/a", "exact"],
    ),
    form(
        "files of others: a tree",
        "allow read, list \"/srv/app/**\";",
        ["widened", "exact", "n/a", "exact"],
    ),
    form(
        "files of others: a pattern",
        "allow read \"/srv/app/*.conf\";",
        ["widened", "exact", "n/a", "widened"],
    ),
    form(
        "files of one's own: all that editors do",
        "allow replace \"/srv/app/**\" as data;",
        ["exact", "widened", "n/a", "widened"],
    ),
    form(
        "files by owner",
        "allow read owner \"/srv/app/**\" as data;",
        ["widened", "exact", "n/a", "widened"],
    ),
    form(
        "deny inside one's own",
        "allow read \"/srv/app/**\" as data; deny read \"/srv/app/private/**\";",
        ["exact", "exact", "n/a", "dropped"],
    ),
    form(
        "deny of a pattern inside one's own",
        "allow read \"/srv/app/**\" as data; deny read \"/srv/app/**/*.key\";",
        ["partial", "partial", "n/a", "dropped"],
    ),
    form(
        "except inside one's own",
        "allow read \"/srv/app/**\" except \"/srv/app/private/**\" as data;",
        ["widened", "exact", "n/a", "widened"],
    ),
    form(
        "deny outside",
        "allow read \"/srv/app/**\" as data; deny read \"/etc/shadow\";",
        ["exact", "exact", "n/a", "exact"],
    ),
    form(
        "deny outside, of a shared label",
        "allow read \"/etc/hosts\"; deny read \"/etc/passwd\";",
        ["dropped", "exact", "n/a", "exact"],
    ),
    form(
        "run in the same domain",
        "allow run \"/usr/lib/app/tool\";",
        ["widened", "exact", "n/a", "widened"],
    ),
    form(
        "run into another policy",
        "allow run \"/usr/bin/peer\" -> policy peer;",
        ["exact", "exact", "exact?", "widened?"],
    ),
    form("capability", "allow capability net_bind_service;", ["exact", "exact", "n/a", "n/a"]),
    form(
        "capability in own namespaces",
        "allow capability net_admin in userns;",
        ["exact", "widened", "n/a", "n/a"],
    ),
    form("userns create", "allow userns create;", ["exact", "exact", "exact", "n/a"]),
    form(
        "connect to a port of a service",
        "allow connect tcp port 80;",
        ["widened", "widened", "widened", "exact"],
    ),
    form(
        "listen on a port of a service",
        "allow listen tcp port 80;",
        ["widened", "widened", "widened", "exact"],
    ),
    form("bind a port of a service", "allow bind tcp port 80;", ["widened", "widened", "widened", "exact"]),
    form(
        "connect to a port of no service",
        "allow connect tcp port 4242;",
        ["exact", "widened", "widened", "exact"],
    ),
    form("bind a port of no service", "allow bind tcp port 4242;", ["exact", "widened", "widened", "exact"]),
    form("every udp", "allow send, receive udp;", ["widened", "exact", "widened", "n/a"]),
    form("udp by port", "allow send udp port 53;", ["widened", "widened", "widened", "n/a"]),
    form("other sockets", "allow socket netlink route;", ["exact", "widened", "exact", "n/a"]),
    form(
        "addresses",
        "allow connect tcp address 10.0.0.0/8 port 80;",
        ["widened, narrowed", "widened, narrowed", "widened, narrowed", "widened, narrowed"],
    ),
    form(
        "socket path of a policy",
        "allow connect unix \"/run/peer/socket\" to policy peer;",
        ["widened", "widened", "widened", "n/a"],
    ),
    form("socket path", "allow connect unix \"/run/other.sock\";", ["widened", "widened", "widened", "n/a"]),
    form(
        "abstract socket of a policy",
        "allow connect unix \"@peer\" to policy peer;",
        ["widened", "widened", "widened", "widened"],
    ),
    form(
        "signal of the kernel's five groups",
        "allow signal send kill to policy peer;",
        ["exact", "exact", "widened", "widened"],
    ),
    form(
        "other signal",
        "allow signal send usr1 to policy peer;",
        ["widened", "exact", "widened", "widened"],
    ),
    form("ptrace", "allow ptrace trace policy peer;", ["widened", "exact", "widened", "narrowed"]),
    form("system call", "allow syscall socket where domain == AF_VSOCK;", ["n/a", "n/a", "exact", "n/a"]),
    form("denied system call", "deny syscall ptrace with kill;", ["n/a", "n/a", "exact", "n/a"]),
    form(
        "mount",
        "allow mount type tmpfs -> \"/mnt/app\" options ro, nosuid;",
        ["widened", "widened", "widened", "narrowed"],
    ),
];

/// What is worse than it should be for now: form, target, and the verdict. One that is better than that may not stay here.
const PENDING: &[(&str, &str, &str)] = &[
    // Landlock has no right of its own for listening.
    ("bind a port of a service", "landlock", "widened"),
    ("bind a port of no service", "landlock", "widened"),
    // Sockets of programs whose directories have types of their own.
    ("socket path", "selinux", "widened, narrowed"),
    ("socket path of a policy", "selinux", "widened, narrowed"),
];

fn verdicts(form: &Form) -> Vec<String> {
    let text = format!(
        "can 1; policy app {{ exec \"/usr/bin/app\"; {} }}\npolicy peer {{ exec \"/usr/bin/peer\"; launch from user{}; \
         allow listen unix \"/run/peer/socket\"; allow listen unix \"@peer\"; }}",
        form.rules,
        if form.rules.contains("-> policy") { ", policy app" } else { "" },
    );
    // What is started may do no more than its starter.
    let text = if form.rules.contains("-> policy") {
        text.replace("allow listen unix \"/run/peer/socket\"; allow listen unix \"@peer\";", "")
    } else {
        text
    };
    let dir = tempfile::tempdir().unwrap();
    let policy = dir.path().join("policy.can");
    std::fs::write(&policy, text).unwrap();
    let options = ["--arch", "x86_64"].map(str::to_owned);
    let bundle = Bundle::build(&policy, &options).unwrap_or_else(|ran| panic!("{}: {}", form.name, ran.err));
    let rule = bundle.manifest.policies[0].rules.last().unwrap();
    Target::ALL.iter().map(|t| rule.verdicts[t.word()].verdict.clone()).collect()
}

/// Whether a verdict is no worse than the worst one.
fn good_enough(verdict: &str, worst: &str, words: &[&str]) -> bool {
    let (worst, or_none) = worst.strip_suffix('?').map_or((worst, false), |w| (w, true));
    if verdict == "n/a" || worst == "n/a" {
        return verdict == worst || (verdict == "n/a" && or_none);
    }
    let place =
        |word: &str| words.iter().position(|w| *w == word).unwrap_or_else(|| panic!("verdict `{word}`"));
    // Widened and narrowed are two things, and neither is better than the other.
    match worst {
        "narrowed" => ["exact", "narrowed"].contains(&verdict),
        _ => place(verdict) <= place(worst),
    }
}

#[test]
fn verdicts_are_no_worse_than_the_least_acceptable() {
    assert_eq!(Target::ALL.map(Target::word), ["selinux", "apparmor", "seccomp", "landlock"]);
    let mut bad = Vec::new();
    for (form, found) in FORMS.iter().zip(each(FORMS, verdicts)) {
        let last = form.rules.trim_end_matches(';').rsplit("; ").next().unwrap();
        let words = if last.starts_with("deny") { DENIES } else { ALLOWS };
        for ((target, verdict), worst) in Target::ALL.iter().zip(&found).zip(form.worst) {
            let pending = PENDING.contains(&(form.name, target.word(), verdict.as_str()));
            let better = PENDING.iter().any(|p| (p.0, p.1) == (form.name, target.word())) && !pending;
            if better {
                bad.push(format!("{}: {verdict} on {} is not what is pending", form.name, target.word()));
            } else if !pending && !good_enough(verdict, worst, words) {
                bad.push(format!(
                    "{}: {verdict} on {}, at worst {worst} is acceptable",
                    form.name,
                    target.word()
                ));
            }
        }
    }
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}

#[test]
fn worse_verdicts_are_not_good_enough() {
    assert!(good_enough("exact", "widened", ALLOWS) && !good_enough("widened", "exact", ALLOWS));
    assert!(
        !good_enough("widened", "narrowed", ALLOWS) && good_enough("narrowed", "widened, narrowed", ALLOWS)
    );
    assert!(!good_enough("n/a", "exact", ALLOWS) && !good_enough("exact", "n/a", ALLOWS));
    assert!(good_enough("n/a", "exact?", ALLOWS) && !good_enough("dropped", "partial", DENIES));
}
