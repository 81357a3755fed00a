//! `why` against the policy's meaning, against the proofs of tests, and on requests whose answer is known.
use crate::support::Lowering;
use canc_analysis::prove::prove;
use canc_analysis::why::{Done, Unanswered, why};
use canc_codegen::coverage::LayerName;
use canc_dsl::meaning::request_regions;
use canc_dsl::policy::{Assertion, Body, Claim, Deployment, Request, Target, Test};
use proptest::prelude::*;

const POLICIES: &str = r#"can 1;
fragment logs(dir: path) { allow append, create "${dir}/**" because "logs"; }
policy app {
  exec "/usr/bin/app";
  launch from user, systemd;
  include std.base, logs("/var/log/app");
  tolerate unix_sockets because "test";
  allow read, list "/srv/app/**" except "/srv/app/.git/**" as data;
  allow read owner "/home/*/.apprc";
  @id(private) @prefer deny read "/srv/app/private/**" because "secret";
  allow connect tcp port 443, 8000-8010;
  deny connect tcp port 8005;
  allow listen tcp port 47000;
  allow capability net_bind_service, chown;
  deny capability chown;
  allow signal send term to user;
  allow connect unix "/run/db.sock";
  allow syscall personality where arg0 == 8;
  deny syscall @module with kill;
  allow run "/usr/lib/app/helper" -> policy helper;
}
policy helper {
  exec "/usr/lib/app/helper";
  launch from policy app;
  include std.base;
  tolerate unix_sockets because "test";
  allow read "/srv/app/public/**";
}
"#;

fn made() -> &'static Lowering {
    static MADE: std::sync::OnceLock<Lowering> = std::sync::OnceLock::new();
    MADE.get_or_init(|| Lowering::of(POLICIES))
}

#[test]
fn the_deciding_rules_are_named_with_their_reasons() {
    let made = made();
    let subject = made.subject();
    let text = |ids: &[canc_dsl::policy::RuleId]| -> Vec<&str> {
        ids.iter()
            .map(|id| made.sources.text(made.set.policy("app").unwrap().rule(*id).unwrap().span))
            .collect()
    };
    for (request, done, rule) in [
        ("read /srv/app/x", Done::Allowed, "allow read, list \"/srv/app/**\""),
        ("read /srv/app/private/key", Done::Denied, "deny read \"/srv/app/private/**\""),
        ("read /srv/app/.git/config", Done::Denied, ""),
        ("append /var/log/app/a", Done::Allowed, "allow append, create"),
        ("read /home/joe/.apprc", Done::Allowed, "allow read owner"),
        ("read /home/joe/.apprc as other", Done::Denied, ""),
        ("connect tcp port 8004", Done::Allowed, "allow connect tcp port 443"),
        ("connect tcp port 8005", Done::Denied, "deny connect tcp port 8005"),
        ("bind tcp port 47000", Done::Allowed, "allow listen tcp"),
        ("capability chown", Done::Denied, "deny capability chown"),
        ("capability sys_admin", Done::Denied, ""),
        ("signal send kill to self", Done::Allowed, ""),
        ("syscall personality where arg0 == 8", Done::Allowed, "allow syscall personality"),
        ("syscall personality where arg0 == 7", Done::Denied, ""),
        ("syscall personality", Done::Partly, ""),
        ("syscall init_module", Done::Denied, "deny syscall @module"),
        ("run /usr/lib/app/helper", Done::Allowed, "allow run"),
    ] {
        let answer = why(&subject, "app", &made.request(request)).unwrap();
        assert_eq!(answer.decision.done, done, "{request}: {answer:?}");
        let rules = text(&answer.decision.rules);
        assert!(rule.is_empty() || rules.iter().any(|r| strip(r).starts_with(rule)), "{request}: {rules:?}");
    }
}

fn strip(rule: &str) -> &str {
    rule.trim_start_matches("@id(private) @prefer ")
}

#[test]
fn a_layer_answers_for_what_was_emitted() {
    let made = made();
    let answer = why(&made.subject(), "app", &made.request("read /srv/app/private/key")).unwrap();
    let layer = |deployment, target| {
        let host = answer.hosts.iter().find(|h| h.deployment == deployment).unwrap();
        let named = |l: &&canc_analysis::why::LayerAnswer| l.name == LayerName::Target(target);
        (host.done, host.layers.iter().find(named).unwrap().done)
    };
    // Landlock cannot carve a directory out of one that it grants.
    assert_eq!(layer(Deployment::Bare, Target::Landlock), (Done::Allowed, Done::Allowed));
    assert_eq!(layer(Deployment::Selinux, Target::Selinux), (Done::Denied, Done::Denied));
    assert_eq!(layer(Deployment::Apparmor, Target::Apparmor), (Done::Denied, Done::Denied));
}

#[test]
fn a_started_policy_is_held_by_its_starter() {
    let made = made();
    let answer = why(&made.subject(), "helper", &made.request("read /srv/app/x")).unwrap();
    assert!(answer.hosts.iter().all(|h| h.starter.as_deref() == Some("app")));
    let landlock = answer.hosts.iter().flat_map(|h| &h.layers);
    let mut landlock = landlock.filter(|l| l.name == LayerName::Target(Target::Landlock));
    assert!(landlock.all(|l| &*l.policy == "app" && l.done == Done::Allowed), "{answer:#?}");
    assert_eq!(answer.decision.done, Done::Denied);
}

#[test]
fn what_is_no_request_has_no_answer() {
    let made = made();
    let asked = |policy, request: &str| why(&made.subject(), policy, &made.request(request)).unwrap_err();
    assert_eq!(asked("app", "signal receive term from user"), Unanswered::NoRequest);
    assert_eq!(asked("app", "write \"/srv/\""), Unanswered::Impossible);
    assert_eq!(asked("nobody", "read /x"), Unanswered::NoPolicy("nobody".into()));
}

fn request() -> impl Strategy<Value = String> {
    let path = || {
        let start = proptest::sample::select(vec![
            "/srv/app",
            "/srv/app/private",
            "/srv/app/.git",
            "/srv/app/public",
            "/var/log/app",
            "/home/joe/.apprc",
            "/etc/passwd",
            "/etc/shadow",
            "/usr/lib/app/helper",
            "/usr/lib/x86_64-linux-gnu/libc.so.6",
            "/proc/1/maps",
            "/",
            "/tmp/x",
            "/dev/null",
        ]);
        let tail = proptest::sample::select(vec!["", "/", "/a", "/a/b", "/private/key"]);
        (start, tail).prop_map(|(s, t)| format!("{s}{t}").replace("//", "/"))
    };
    let word = proptest::sample::select(vec![
        "read", "list", "write", "append", "create", "delete", "link", "lock", "setattr", "map", "run",
    ]);
    let who = proptest::sample::select(vec!["", " as owner", " as other", " as root"]);
    let net =
        proptest::sample::select(vec!["connect tcp", "bind tcp", "listen tcp", "connect udp", "bind udp"]);
    let port = prop_oneof![Just(443u16), Just(8005), 7998u16..8013, Just(47000), any::<u16>()];
    let other = proptest::sample::select(vec![
        "capability chown",
        "capability net_bind_service",
        "capability sys_admin in userns",
        "signal send term to user",
        "signal send kill to systemd",
        "ptrace read self",
        "userns create",
        "namespace mount",
        "io_uring",
        "connect unix \"/run/db.sock\"",
        "connect unix \"@x\"",
        "socket netlink route",
        "socket raw",
        "syscall personality",
        "syscall personality where arg0 == 8",
        "syscall ptrace",
        "syscall read",
        "syscall init_module",
        "syscall socket where domain == AF_INET",
        "syscall clone3",
        "mqueue read \"/q\"",
        "unmount \"/mnt\"",
    ]);
    prop_oneof![
        5 => (word, path(), who).prop_map(|(w, p, o)| format!("{w} \"{p}\"{o}")),
        2 => (net, port).prop_map(|(n, p)| format!("{n} port {p}")),
        3 => other.prop_map(str::to_owned),
    ]
}

/// Whether the proofs of tests have nothing against a claim about a request.
fn proved(subject: &canc_codegen::build::Subject<'_>, policy: &str, claim: Claim) -> bool {
    let assertion = Assertion { policy: policy.into(), claim, on: Vec::new(), span: Default::default() };
    let test = Test { title: "t".into(), assertions: vec![assertion], span: Default::default() };
    prove(subject, &test).unwrap().iter().all(|p| p.findings.is_empty())
}

fn check(policy: &str, request: &Request, text: &str) -> Result<(), TestCaseError> {
    thread_local! {
        static SUBJECT: canc_codegen::build::Subject<'static> = made().subject();
    }
    SUBJECT.with(|subject| {
        let answer = match why(subject, policy, request) {
            Err(Unanswered::Impossible) => return Ok(()),
            answer => answer.unwrap(),
        };
        if !matches!(request.body, Body::Syscall(_)) {
            let evaluator = &subject.evaluators[subject.index(policy).unwrap()];
            let meant = evaluator.decide(&request_regions(request, evaluator.peers()).unwrap(), "/").unwrap();
            let expected = (meant.allowed, meant.denied);
            let done = answer.decision.done;
            prop_assert_eq!((done == Done::Allowed, done == Done::Denied), expected, "{} {}", policy, text);
        }
        // Proofs about system calls look at the policy's own filters, whoever starts it.
        if !matches!(request.body, Body::Syscall(_)) || policy == "app" {
            let proved = |claim| proved(subject, policy, claim);
            let (allowed, denied) = (answer.is_allowed_everywhere(), answer.is_denied_everywhere());
            prop_assert_eq!(
                allowed,
                proved(Claim::Allows(request.clone())),
                "allows {}: {:#?}",
                text,
                answer
            );
            prop_assert_eq!(
                denied,
                proved(Claim::Denies(request.clone(), None)),
                "denies {}: {:#?}",
                text,
                answer
            );
        }
        Ok(())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn answers_agree_with_the_meaning_and_with_proofs(text in request(), helper in any::<bool>()) {
        let policy = if helper { "helper" } else { "app" };
        let reading = canc_dsl::parse_request(&text, &made().set, &canc_dsl::Options::default());
        if let Some(request) = reading.request {
            check(policy, &request, &text)?;
        }
    }
}
