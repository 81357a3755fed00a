//! Which rules tests touch.

use crate::support::Lowering;
use canc_analysis::cover::covered;

#[test]
fn a_rule_is_touched_by_what_meets_it() {
    let made = Lowering::of(
        r#"can 1;
policy p {
  exec "/usr/bin/p"; include std.base; tolerate unix_sockets because "t";
  allow read "/srv/a/**"; allow read "/srv/b"; @prefer deny read "/srv/a/x"; allow connect tcp port 1; allow connect tcp port 2;
  allow syscall ptrace; allow syscall chroot; deny syscall bpf; allow signal receive term from user;
}
test "t" {
  p allows read "/srv/a/y"; p never connect tcp port 2; p allows syscall ptrace; p denies syscall bpf; p denies read "/srv/a/x";
}
"#,
    );
    let covered = covered(&made.subject()).unwrap();
    let text = |id: &canc_dsl::policy::RuleId| {
        made.sources.text(made.set.policies()[0].rule(*id).unwrap().span).to_owned()
    };
    let texts = |ids: &std::collections::BTreeSet<_>| ids.iter().map(text).collect::<Vec<_>>().join("|");
    assert_eq!(
        texts(&covered[0].touched),
        "allow read \"/srv/a/**\"|@prefer deny read \"/srv/a/x\"|allow connect tcp port 2|allow syscall ptrace|deny syscall bpf"
    );
    assert_eq!(
        texts(&covered[0].untouched),
        "allow read \"/srv/b\"|allow connect tcp port 1|allow syscall chroot"
    );
}
