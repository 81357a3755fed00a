//! One policy through the whole front end, and what is in it afterwards.

use canc_dsl::policy::{Body, Effect, FileOp, FileOps, Launcher, RunTarget};
use canc_dsl::{NoFiles, Options, compile};

const CATBOX: &str = r#"can 1;

policy catbox {
  exec "/usr/bin/cat";
  include std.base;
  allow read "/srv/x/**" as data because "what it is for";
  allow connect tcp port 443;
  allow syscall getrandom;
  @prefer deny read "/srv/x/secret/**" because "never shown";
}

test "catbox reads x alone" {
  catbox allows read "/srv/x/a";
  catbox denies read "/srv/x/secret/key" because "never shown";
  catbox denies connect tcp port 25;
}
"#;

#[test]
fn a_policy_becomes_what_it_says() {
    let done = compile("catbox.can", CATBOX.as_bytes(), &NoFiles, &Options::default());
    assert_eq!(done.diagnostics, []);
    let set = done.policies.expect("no error");
    let policy = set.policy("catbox").expect("it is there");
    assert_eq!(policy.launch, [Launcher::User]);
    assert_eq!(policy.exec.first().and_then(|p| p.pattern.as_literal()).as_deref(), Some("/usr/bin/cat"));
    let own: Vec<_> = policy.rules.iter().filter(|r| r.included.is_empty()).collect();
    let [read, connect, call, deny] = own.as_slice() else { panic!("{own:?}") };
    let Body::File(file) = &read.body else { panic!("{read:?}") };
    assert_eq!(file.ops, FileOps::of(&[FileOp::Read]));
    assert_eq!(file.paths.iter().map(|p| p.pattern.to_string()).collect::<Vec<_>>(), ["/srv/x/**"]);
    assert_eq!(file.label.as_ref().map(|l| &*l.name), Some("data"));
    assert_eq!(file.run, RunTarget::Inherit);
    assert_eq!(read.because.as_deref(), Some("what it is for"));
    assert_eq!(done.sources.line_column(read.span), (6, 3));
    let Body::Net(net) = &connect.body else { panic!("{connect:?}") };
    assert_eq!(net.ports.ranges(), [(443, 443)]);
    assert_eq!(net.addresses, None);
    let Body::Syscall(calls) = &call.body else { panic!("{call:?}") };
    assert_eq!(calls.calls.iter().map(|c| c.name).collect::<Vec<_>>(), ["getrandom"]);
    assert_eq!((deny.effect, deny.prefer), (Effect::Deny, true));
    assert!(policy.rules.iter().any(|r| r.included.iter().any(|i| &*i.fragment == "std.base")));
    assert!(policy.rules.iter().zip(0..).all(|(r, n)| r.id.0 == n));
    assert_eq!(set.tests().first().map(|t| t.assertions.len()), Some(3));
}
