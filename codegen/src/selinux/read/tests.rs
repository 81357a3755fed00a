//! What was emitted is read back as it was meant; anything else is refused.

use super::{fc, ports, te};
use crate::selinux::base::{Ask, Base, Kind};
use crate::selinux::model::{Operand, Statement};
use crate::selinux::{emit, lower};
use crate::testing::one;

const TEXT: &str = r#"
  mode complain;
  include std.base;
  allow read "/srv/p/**" except "/srv/p/a*" as data because "it's `dnl` quoted; allow x y:z w;";
  allow create, write "/run/p.pid" as pid;
  allow bind tcp port 47123;
  raw selinux "allow domain self:process execmem;" because "x";
"#;

#[test]
fn every_statement_comes_back() {
    let set = one(TEXT);
    let made = lower(&set, &Base::debian13()).unwrap_or_else(|e| panic!("{e:#?}")).remove(0);
    let read = te::read(&emit::te(&made.module).unwrap()).unwrap();
    let mut allows = Vec::new();
    let mut transitions = 0;
    for statement in made.module.statements() {
        match statement {
            Statement::Allow(a) => {
                let target = match &a.target {
                    Operand::Type(t) => t.to_string(),
                    Operand::Attribute(t) => t.to_string(),
                    Operand::SelfType => "self".into(),
                };
                allows.push(te::Allow {
                    source: a.source.to_string(),
                    target,
                    class: a.class.to_string(),
                    perms: a.perms.iter().map(ToString::to_string).collect(),
                });
            }
            Statement::Transition(t) => {
                let same = |n: &&te::NewType| {
                    n.source == t.source.as_str()
                        && n.target == t.target.as_str()
                        && n.class == t.class.as_str()
                        && n.result == t.result.as_str()
                        && n.name.as_deref() == t.name.as_ref().map(|n| n.as_str())
                };
                assert_eq!(read.transitions.iter().filter(same).count(), 1, "{t:?}");
                transitions += 1;
            }
            Statement::Permissive(t) => assert_eq!(read.permissive, [t.as_str()]),
            _ => {}
        }
    }
    assert_eq!(read.allows, allows);
    assert_eq!(read.transitions.len(), transitions);
    assert!(read.raw, "verbatim text is seen and not read");
    assert_eq!(read.permissive.len(), 1);
    let lines = fc::read(&emit::fc(&made.contexts).unwrap()).unwrap();
    let meant = made.contexts.lines.iter().map(|l| (l.path.text(), l.kind, l.ty.to_string()));
    assert_eq!(
        lines.iter().map(|l| (l.pattern.clone(), l.kind, l.ty.clone())).collect::<Vec<_>>(),
        meant.collect::<Vec<_>>()
    );
    let port = ports::read(&emit::cil(made.ports.as_ref().unwrap()).unwrap()).unwrap();
    assert_eq!((port[0].low, port[0].high, port[0].ty.as_str()), (47123, 47123, "canc__p__port_tcp_47123_t"));
}

#[test]
fn what_no_module_has_is_refused_with_its_line() {
    for (text, line) in [
        ("module x 1;\nneverallow a b:c d;\n", 2),
        ("allow a b:c d;\n", 1),
        ("allow a b:c { d }", 1),
        ("type_transition a b:c d e;\n", 1),
        ("\nallow a ~b:c { d };\n", 2),
        ("require {\n", 1),
    ] {
        assert_eq!(te::read(text).unwrap_err().line, line, "{text}");
    }
    for text in
        ["/a", "/a -x system_u:object_r:a_t:s0", "/a staff_u:object_r:a_t:s0", "/a system_u:object_r:a_t:s1"]
    {
        assert!(fc::read(text).is_err(), "{text}");
    }
    for text in [
        "(portcon tcp x (system_u object_r a_t ((s0) (s0))))",
        "(portcon dccp 1 (system_u object_r a_t ((s0) (s0))))",
    ] {
        assert!(ports::read(text).is_err(), "{text}");
    }
}

#[test]
fn look_aheads_count() {
    let base = Base::debian13();
    let lines = [
        fc::Line { pattern: "/srv/q(/.*)?".into(), kind: Kind::Any, ty: "canc__all_t".into() },
        fc::Line {
            pattern: "/srv/q(?=/a(/.*)?$|/b[)|]$)(?=/.*\\.x$)(/.*)?(?:)".into(),
            kind: Kind::Any,
            ty: "canc__both_t".into(),
        },
    ];
    let labels = fc::beside(&base, &lines).unwrap();
    let places = crate::selinux::base::places::Places::new(labels, Vec::new());
    let ty = |path: &str| match places.label_of(places.lines().label(path, Ask::of(path)).unwrap()).unwrap() {
        crate::selinux::base::places::Label::Own(n) => places.own_name(n).unwrap().to_owned(),
        other => panic!("{path}: {other:?}"),
    };
    assert_eq!(ty("/srv/q/a/c.x"), "canc__both_t");
    assert_eq!(ty("/srv/q/a/c.y"), "canc__all_t", "the second look-ahead does not match");
    assert_eq!(ty("/srv/q/c.x"), "canc__all_t", "the first does not match");
    assert_eq!(ty("/srv/q/"), "canc__all_t");
}

#[test]
fn the_order_of_the_base_is_the_order_of_keys() {
    for name in Base::BUILTIN {
        let base = Base::builtin(name).unwrap();
        let keys: Vec<_> = base
            .tables()
            .entries
            .iter()
            .map(|e| (fc::key(base.tables(), e), base.tables().text(e.pattern)))
            .collect();
        for pair in keys.windows(2) {
            assert!(pair[0].0 <= pair[1].0, "{name}: {pair:#?}");
        }
    }
}
