//! The layer permits exactly what the emitted text grants on the label of each path.

use super::*;
use crate::coverage::{Permitted, Source};
use crate::selinux::base::Kind as FileKind;
use crate::selinux::base::Rank;
use crate::selinux::model::{Operand, Statement};
use crate::selinux::{LowerErrorKind, lower};
use crate::testing::{one, policies};
use canc_dsl::meaning::{Evaluator, RequestSet};
use canc_dsl::policy::{FileOp, NetOp};
use canc_sets::path::{Lang, Pattern, Universe};
use proptest::prelude::*;
use std::collections::BTreeSet;

/// Rules that bring every way in which a path gets its label.
const MIXED: &str = r#"
  include std.base;
  allow read, list "/srv/p/**" except "/srv/p/private/**" as data;
  allow manage "/var/lib/p/**" as state;
  deny write "/var/lib/p/fixed/*.conf";
  allow create, write "/run/p.pid" as pid;
  allow read "${home}/.prc" as rc;
  allow read "/etc/hosts", "/etc/ssl/**";
  allow read "/proc/sys/kernel/hostname";
  allow read "/dev/urandom";
  allow append, create "/var/log/p/*.log" as log;
  allow run "/usr/bin/tool";
"#;

fn made(set: &PolicySet, base: &Base) -> Vec<Lowered> {
    lower(set, base).unwrap_or_else(|e| panic!("{e:#?}"))
}

fn permits(layer: &Layer<'_>, op: FileOp, path: &str) -> bool {
    let prefix = if path == "/" { path } else { path.trim_end_matches('/') };
    let permitted = (layer.permitted)(Kind::File(op), prefix).unwrap();
    let mut bare = vec![Pattern::literal_path(prefix).unwrap()];
    if path.ends_with('/') {
        bare = vec![bare.remove(0).with_tail(canc_sets::path::Tail::Directory)];
    }
    let only = Lang::patterns(&bare).unwrap();
    let kind = if path.ends_with('/') { Lang::directories() } else { Lang::All.minus(Lang::directories()) };
    let has = |region: &canc_dsl::meaning::Region| {
        let canc_dsl::meaning::Dim::Paths(paths) = &region.dims[1] else { panic!("a path") };
        paths.clone().and(only.clone()).and(kind.clone()).witness(Universe::Paths).unwrap().is_some()
    };
    let whole = permitted.set().unwrap().regions.iter().any(has);
    let each = permitted.grants().iter().any(|g| has(&g.region));
    assert_eq!(whole, each, "{op:?} {path}: together as one by one");
    whole
}

/// What the statements say, worked out anew: the label by the emitted lines' own patterns and the base's look-up, the permission by
/// a walk over all statements.
struct Plain<'a> {
    base: &'a Base,
    all: &'a [Lowered],
    mine: &'a Lowered,
}

impl Plain<'_> {
    fn label(&self, path: &str) -> Option<(String, FileKind)> {
        let directory = path.ends_with('/');
        let theirs = self.base.label(path, Ask::of(path));
        let key = self.base.lookup_key(path).into_owned();
        let key = if directory && key != "/" { format!("{key}/") } else { key };
        let lines = self.all.iter().flat_map(|l| &l.contexts.lines);
        let fits = |kind: FileKind| {
            if directory { kind.covers(FileKind::Directory) } else { kind != FileKind::Directory }
        };
        let own = lines
            .filter(|l| {
                fits(l.kind)
                    && (l.path.matches(&key) || (directory && l.path.matches(key.trim_end_matches('/'))))
            })
            .map(|l| {
                let home = l.path.main().anchor() != canc_sets::path::Anchor::Root;
                let rank = Rank::new(&l.path.text(), l.kind);
                ((rank.plain, home, rank), (l.ty.to_string(), l.kind))
            })
            .max();
        let of_base = theirs.map(|e| {
            let rank = self.base.rank(e);
            let ty = self.base.entry_type(e).map(|t| self.base.type_name(t).to_owned());
            ((rank.plain, self.base.is_home(e), rank), (ty, self.base.kind(e)))
        });
        match (own, of_base) {
            (Some((rank, own)), Some((other, _))) if rank > other => Some(own),
            (Some((_, own)), None) => Some(own),
            (_, Some((_, (ty, kind)))) => ty.map(|t| (t, kind)),
            (None, None) => None,
        }
    }

    fn granted(&self, ty: &str, class: &str, perms: &[&str]) -> bool {
        let mut have: BTreeSet<String> = BTreeSet::new();
        for statement in self.mine.module.statements() {
            if let Statement::Allow(a) = statement
                && a.source.as_str() == self.mine.domain
                && a.target == Operand::Type(crate::selinux::names::TypeName::new(ty).unwrap())
                && a.class.as_str() == class
            {
                have.extend(a.perms.iter().map(ToString::to_string));
            }
        }
        for rule in self.base.domain_rules().filter(|r| r.condition.is_empty()) {
            if rule.target == ty && rule.class == class {
                have.extend(rule.perms.split_whitespace().map(str::to_owned));
            }
        }
        perms.iter().all(|p| have.contains(*p))
    }

    /// `None` where no line says what is there.
    fn permits(&self, op: FileOp, path: &str) -> Option<bool> {
        let (ty, kind) = self.label(path)?;
        let classes: Vec<(&str, &[&str])> = match op {
            FileOp::Read => ["file", "chr_file", "blk_file", "fifo_file"]
                .map(|c| (c, &["open", "read"] as &[&str]))
                .into_iter()
                .chain([("lnk_file", &["read"] as &[&str])])
                .collect(),
            FileOp::Write => ["file", "chr_file", "blk_file", "fifo_file"]
                .map(|c| (c, &["open", "write"] as &[&str]))
                .into(),
            FileOp::List => vec![("dir", &["open", "read"])],
            _ => panic!("not asked"),
        };
        let of_kind = |class: &str| match kind {
            FileKind::Any => true,
            FileKind::Regular => class == "file",
            FileKind::Directory => class == "dir",
            FileKind::Character => class == "chr_file",
            FileKind::Block => class == "blk_file",
            FileKind::Socket => class == "sock_file",
            FileKind::Pipe => class == "fifo_file",
            FileKind::Link => class == "lnk_file",
        };
        if path.ends_with('/') != (op == FileOp::List) {
            return Some(false);
        }
        Some(classes.iter().any(|(class, perms)| of_kind(class) && self.granted(&ty, class, perms)))
    }
}

/// Paths near what the policy and the base speak of.
fn paths() -> impl Strategy<Value = String> {
    let base = Base::debian13();
    let known: Vec<String> = base.entries().filter_map(|e| base.witness(e).map(str::to_owned)).collect();
    let start = prop_oneof![
        2 => proptest::sample::select(known),
        3 => proptest::sample::select(vec![
            "/srv/p", "/srv/p/private", "/srv", "/var/lib/p", "/var/lib/p/fixed", "/run/p.pid", "/home/joe/.prc",
            "/root/.prc", "/etc/hosts", "/etc/ssl", "/var/log/p", "/usr/bin/tool", "/usr/bin/p", "/lib64", "/var/run",
            "/usr/lib64", "/var/named/chroot/etc", "/dev",
        ]).prop_map(str::to_owned),
    ];
    let name = proptest::sample::select(vec![
        "",
        "/x",
        "/a.conf",
        "/a.log",
        "/private",
        "/fixed/b.conf",
        "/urandom",
    ]);
    let path =
        (start, name, any::<bool>()).prop_map(|(s, n, d)| format!("{s}{n}{}", if d { "/" } else { "" }));
    let kernel = |p: &String| !kernel::mounts().iter().any(|m| files::below(p.trim_end_matches('/'), m));
    path.prop_filter("labels that lines give", move |p| kernel(p) && !p.contains("//"))
}

/// The mixed policy, lowered once.
fn mixed() -> &'static (PolicySet, Base, Vec<Lowered>) {
    static MADE: std::sync::OnceLock<(PolicySet, Base, Vec<Lowered>)> = std::sync::OnceLock::new();
    MADE.get_or_init(|| {
        let (set, base) = (one(MIXED), Base::debian13());
        let all = made(&set, &base);
        (set, base, all)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn permitted_is_what_is_granted_on_the_label(path in paths()) {
        let (_, base, all) = mixed();
        thread_local! {
            static LAYER: (Layer<'static>, Reader) = {
                let (set, base, all) = mixed();
                let policy = &set.policies()[0];
                (layer(set, policy, &all[0], base), Reader::new(set, policy, &all[0], base).unwrap())
            };
        }
        LAYER.with(|(layer, reader)| {
            let plain = Plain { base, all, mine: &all[0] };
            for op in [FileOp::Read, FileOp::Write, FileOp::List] {
                if let Some(expected) = plain.permits(op, &path) {
                    prop_assert_eq!(permits(layer, op, &path), expected, "{:?} {}: {:?}", op, path, plain.label(&path));
                }
            }
            prop_assert_eq!(reader.type_of(&path, Ask::of(&path)), plain.label(&path).map(|l| l.0), "{}", path);
            Ok(())
        })?;
    }
}

/// The judgement on the operations of one policy's text at a path.
fn ask(text: &str, questions: &[(FileOp, &str, bool)]) {
    let set = one(text);
    let base = Base::debian13();
    let all = made(&set, &base);
    let layer = layer(&set, &set.policies()[0], &all[0], &base);
    for (op, path, expected) in questions {
        assert_eq!(permits(&layer, *op, path), *expected, "{op:?} {path} under {text}");
    }
}

#[test]
fn what_a_policy_does_not_reach_is_refused() {
    use FileOp::*;
    ask(
        MIXED,
        &[
            (Read, "/etc/shadow", false),
            (Read, "/etc/hosts", true),
            (Read, "/srv/p/a", true),
            (Read, "/srv/p/private/a", false),
            (Read, "/srv/other", false),
            (Write, "/srv/p/a", false),
            (Write, "/var/lib/p/a", true),
            (Write, "/var/lib/p/fixed/a.conf", false),
            (Read, "/var/lib/p/fixed/a.conf", true),
            (Read, "/home/joe/.prc", true),
            (Read, "/root/.prc", true),
            (Read, "/home/joe/.ssh/id", false),
            (Read, "/proc/sys/kernel/hostname", true),
            (Read, "/proc/self/maps", true),
            (Read, "/proc/1/environ", false),
            (Read, "/proc/kcore", false),
            (Read, "/dev/urandom", true),
            (Read, "/dev/sda", false),
            (Run, "/usr/bin/tool", true),
            (Run, "/usr/sbin/sshd", false),
            (Create, "/var/lib/p/a", true),
            (Create, "/srv/p/a", false),
            (Create, "/etc/a", false),
            (Delete, "/var/lib/p/a", true),
            (Delete, "/srv/p/a", false),
            (Create, "/run/p.pid", true),
            // What may be renamed elsewhere may be renamed to this.
            (Create, "/run/q.pid", true),
            (Append, "/var/log/p/a.log", true),
            (Mknod, "/var/lib/p/a", false),
        ],
    );
}

#[test]
fn a_new_file_has_the_type_of_its_name() {
    use FileOp::*;
    let text = r#"allow create, write "/run/p.pid" as pid;"#;
    ask(text, &[(Create, "/run/p.pid", true), (Create, "/run/q.pid", false), (Write, "/run/q.pid", false)]);
    let text = r#"allow create, write "/run/p/**" as run;"#;
    ask(text, &[(Create, "/run/p/a", true), (Create, "/run/p/a/", true), (Create, "/run/x", false)]);
}

#[test]
fn denies_are_proved_and_leaks_are_found() {
    let judged = |text: &str, rule: usize| {
        let set = one(text);
        let base = Base::debian13();
        let all = made(&set, &base);
        let policy = &set.policies()[0];
        let layer = layer(&set, policy, &all[0], &base);
        let evaluator = Evaluator::new(&set, policy);
        crate::coverage::Judge::new(&evaluator, vec![&layer])
            .rules(&policy.rules[rule..=rule])
            .unwrap()
            .remove(0)
    };
    assert_eq!(judged(r#"allow read "/srv/p/**" as data; deny read "/etc/shadow";"#, 1).leak, None);
    assert_eq!(judged(r#"allow read "/srv/p/**" as data; deny read "/srv/p/no/**";"#, 1).leak, None);
    assert_eq!(
        judged(r#"allow read "/etc/ssl/openssl.cnf"; deny read "/etc/ssl/x.cnf";"#, 1).leak.as_deref(),
        Some("read \"/etc/ssl/x.cnf\"")
    );
    assert!(judged(r#"allow read "/etc/ssl/openssl.cnf";"#, 0).leak.is_some(), "the type has other paths");
    assert_eq!(judged(r#"allow read "/srv/p/**" as data;"#, 0).leak, None);
    assert_eq!(judged("allow connect tcp port 47123;", 0).leak, None, "a port of its own");
    assert!(judged("allow connect tcp port 80;", 0).leak.is_some(), "the type has other ports");
    assert_eq!(judged("allow capability chown; deny capability sys_admin;", 1).leak, None);
    assert_eq!(judged("allow signal send term to self; deny signal send kill to systemd;", 1).leak, None);
}

#[test]
fn ports_capabilities_and_processes() {
    let set = one(
        "allow connect tcp port 47123; allow bind tcp port 80; allow capability chown, bpf; allow capability chown in userns;
         allow signal send kill to user; allow socket netlink route; allow userns create; allow ptrace trace self;",
    );
    let base = Base::debian13();
    let all = made(&set, &base);
    let layer = layer(&set, &set.policies()[0], &all[0], &base);
    let witness = |kind: Kind| {
        let rules: Vec<_> = match (layer.permitted)(kind, "/").unwrap() {
            Permitted::Only { grants, .. } | Permitted::Joined { grants, .. } => {
                grants.into_iter().filter(|g| g.source != Source::Base).collect()
            }
            Permitted::Everything => panic!("{kind:?} is mediated"),
        };
        let peers = canc_dsl::meaning::Peers::new(&set, &set.policies()[0].name);
        RequestSet::new(rules.into_iter().map(|g| g.region).collect()).witness(&peers).unwrap()
    };
    let nothing = |kind: Kind| assert_eq!(witness(kind), None, "{kind:?}");
    let tcp = canc_dsl::policy::Protocol::Tcp;
    assert_eq!(witness(Kind::Net(NetOp::Connect, tcp)).as_deref(), Some("connect tcp port 47123"));
    assert_eq!(witness(Kind::Net(NetOp::Bind, tcp)).as_deref(), Some("bind tcp port 80"));
    nothing(Kind::Net(NetOp::Listen, tcp));
    nothing(Kind::Net(NetOp::Send, canc_dsl::policy::Protocol::Udp));
    assert_eq!(witness(Kind::Capability).as_deref(), Some("capability chown"));
    assert_eq!(witness(Kind::Signal).as_deref(), Some("signal send kill to self"));
    assert!(witness(Kind::UsernsCreate).is_some());
    assert!(witness(Kind::Ptrace).is_some());
    assert!(witness(Kind::Socket(canc_dsl::policy::SocketKind::Netlink(0))).is_some());
    nothing(Kind::Socket(canc_dsl::policy::SocketKind::Netlink(9)));
    nothing(Kind::Socket(canc_dsl::policy::SocketKind::Packet));
    nothing(Kind::MountMake);
    nothing(Kind::Mqueue);
    assert!(matches!((layer.permitted)(Kind::Namespace, "/").unwrap(), Permitted::Everything));
}

#[test]
fn lines_of_other_policies_count() {
    let set = policies(
        "can 1;\npolicy a { exec \"/usr/bin/a\"; allow read \"/srv/x/**\" as x; }\n\
         policy b { exec \"/usr/bin/b\"; allow read \"/srv/x/b/**\"; allow read \"/srv/**\"; }\n",
    );
    let base = Base::debian13();
    let all = match lower(&set, &base) {
        Ok(all) => all,
        Err(errors) => {
            let kinds: Vec<&LowerErrorKind> = errors.iter().map(|e| &e.kind).collect();
            panic!("{kinds:?}")
        }
    };
    let reader = Reader::new(&set, &set.policies()[1], &all[1], &base).unwrap();
    assert_eq!(reader.type_of("/srv/x/q", Ask::NoDirectory).as_deref(), Some("canc__a__x_t"));
    let layer = layer(&set, &set.policies()[1], &all[1], &base);
    assert!(permits(&layer, FileOp::Read, "/srv/x/b/c"));
}
