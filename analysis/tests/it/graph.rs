//! Drawings: everything is in them, boxes stand apart, and hostile names stay text.

use crate::support::Lowering;
use canc_analysis::graph::{domains, dot, mermaid, svg};
use canc_analysis::path;

const RING: &str = r#"can 1;
fragment web { include std.resolver; allow read "/srv/x"; }
policy front { exec "/usr/bin/front"; launch from user, systemd, policy back; include std.base, web;
  tolerate unix_sockets because "t"; allow run "/usr/lib/<a>&/*", "/usr/lib/\"c" -> policy worker;
  allow run "/usr/bin/back" -> policy back; allow run "/usr/bin/out" -> unconfined; }
policy worker { exec "/usr/lib/<a>&/*", "/usr/lib/\"c"; launch from policy front; }
policy back { exec "/usr/bin/back"; launch from policy front; include std.base;
  tolerate unix_sockets because "t"; allow run "/usr/bin/front" -> policy front; }
"#;

/// The numbers of an attribute of every element of a class.
fn boxes(svg: &str) -> Vec<(f64, f64, f64, f64)> {
    let number = |line: &str, name: &str| -> f64 {
        line.split(&format!(" {name}=\"")).nth(1).unwrap().split('"').next().unwrap().parse().unwrap()
    };
    let rects = svg.lines().filter(|l| l.starts_with("<rect class"));
    rects.map(|l| (number(l, "x"), number(l, "y"), number(l, "width"), number(l, "height"))).collect()
}

#[test]
fn every_domain_is_drawn_apart_from_the_others() {
    let made = Lowering::of(RING);
    let picture = svg(&domains(&made.set, true));
    let all = boxes(&picture);
    assert_eq!(all.len(), 9, "{picture}");
    for (i, a) in all.iter().enumerate() {
        for b in &all[i + 1..] {
            let apart = a.0 + a.2 < b.0 || b.0 + b.2 < a.0 || a.1 + a.3 < b.1 || b.1 + b.3 < a.1;
            assert!(apart, "{a:?} {b:?}\n{picture}");
        }
    }
    assert_eq!(picture.matches("marker-end").count(), 10, "{picture}");
    assert!(
        picture.contains("/usr/lib/&quot;c, /usr/lib/&lt;a&gt;&amp;/*") && !picture.contains("<a>"),
        "{picture}"
    );
    assert_eq!(boxes(&svg(&domains(&made.set, false))).len(), 6);
}

#[test]
fn names_stay_text_in_every_language() {
    let made = Lowering::of(RING);
    let graph = domains(&made.set, true);
    let (dot, mermaid) = (dot(&graph), mermaid(&graph));
    assert!(
        dot.contains(r#"policy_front -> policy_worker [label="/usr/lib/\"c, /usr/lib/<a>&/*"]"#),
        "{dot}"
    );
    assert!(dot.contains("policy_front -> fragment_std_base [style=dashed"), "{dot}");
    let arrow = "policy_front -->|\"/usr/lib/#34;c, /usr/lib/#60;a#62;#38;/#42;\"| policy_worker";
    assert!(mermaid.contains(arrow), "{mermaid}");
    assert!(mermaid.contains("fragment_web -.-> fragment_std_resolver"), "{mermaid}");
}

#[test]
fn ways_follow_transitions() {
    let made = Lowering::of(RING);
    assert_eq!(path(&made.set, "back", "worker"), Some(vec!["back", "front", "worker"]));
    assert_eq!(path(&made.set, "front", "front"), Some(vec!["front", "back", "front"]));
    assert_eq!(path(&made.set, "worker", "front"), None);
}
