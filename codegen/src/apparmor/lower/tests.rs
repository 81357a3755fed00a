//! Policies to profiles and verdicts. That the profiles mean what is claimed here is shown in `ci`, by the owner's parser.

use super::*;
use crate::apparmor::{emit, read};
use crate::testing::{one, policies};

fn lowered(set: &PolicySet, name: &str, abi: Abi) -> Lowered {
    let made = lower(set, set.policy(name).unwrap(), &ApparmorOptions::debian13(abi).unwrap()).unwrap();
    let text = emit(&made.profile);
    assert_eq!(read(&text).as_ref(), Ok(&made.profile), "{text}");
    made
}

/// The rules' lines, without comments.
fn lines(made: &Lowered) -> Vec<String> {
    let text = emit(&made.profile);
    let rules =
        text.lines().filter(|l| l.starts_with("  ") && !l.starts_with("  #") && !l.starts_with("  include"));
    rules.map(|l| l.trim().to_string()).collect()
}

/// The lines that statements add to those of a policy without any, and the verdicts.
fn added(statements: &str) -> (Vec<String>, Vec<String>) {
    let base = lines(&lowered(&one(""), "p", Abi::V4));
    let made = lowered(&one(statements), "p", Abi::V4);
    let new = lines(&made).into_iter().filter(|l| !base.contains(l)).collect();
    (new, made.outcomes.iter().map(verdict).collect())
}

fn verdict(outcome: &Outcome) -> String {
    match &outcome.verdict {
        Verdict::Allow { widened, narrowed } => {
            let mut out = outcome.word().to_string();
            for text in widened.iter().chain(narrowed) {
                out.push_str(": ");
                out.push_str(text);
            }
            out
        }
        Verdict::DenyPartial { through } => format!("partial: {}", through.join("; ")),
        Verdict::DenyDropped { why } => format!("dropped: {why}"),
        _ => outcome.word().into(),
    }
}

#[track_caller]
fn check(statements: &str, rules: &[&str], verdicts: &[&str]) {
    let (new, found) = added(statements);
    assert_eq!(new, rules, "rules of {statements}");
    assert_eq!(found.len(), verdicts.len(), "{found:#?}");
    for (found, want) in found.iter().zip(verdicts) {
        assert!(
            found.starts_with(want) && (found.len() == want.len() || want.contains(':')),
            "{found:?} is not {want:?}"
        );
    }
}

#[test]
fn a_whole_profile() {
    let set = policies(
        r#"can 1;
policy cat {
  exec "/usr/bin/cat";
  @id(libs) allow read, map "/usr/lib/**";
  allow read "/srv/x/**" as data because "what it is there for";
  allow read, list "/etc/cat.d/" because "include <abstractions/x>";
}
"#,
    );
    assert_eq!(
        emit(&lowered(&set, "cat", Abi::V4).profile),
        r#"# canc.cat: an AppArmor profile, made by canc from a policy. The next build overwrites it.
abi <abi/4.0>,

profile canc.cat {
  # @base: signals among the processes of the domain
  signal (send receive) peer="{**//&,}canc.cat{//&**,}",

  # @base: being looked at; the other side needs a permission of its own
  ptrace (readby tracedby) peer="unconfined",

  # @base: a program of this domain, which the kernel and its loader read
  "/usr/bin/cat" rm,

  # r1 @libs
  "/usr/lib/**[^/]" rm,

  # r2: what it is there for
  "/srv/x/**[^/]" r,

  # r3: include <abstractions/x>
  "/etc/cat.d/" r,

  include if exists <local/canc.cat>
}
"#
    );
}

#[test]
fn words_of_a_path_are_merged() {
    check(
        r#"allow read "/a"; allow write, append "/a"; allow list, create, delete, setattr "/a"; allow lock "/a" because "x";"#,
        &[r#""/a" rw,"#, r#""/a/" rw,"#, r#""/a{,/}" k,"#],
        &["exact", "exact", "exact", "exact"],
    );
    check(
        r#"allow manage "/a/**";"#,
        &[r#""/a/{,**}" rwk,"#, r#"link subset "/a/**[^/]" -> "/a/**[^/]","#],
        &["exact"],
    );
    check(
        r#"allow read, list "/a/**"; allow read owner "/a/**";"#,
        &[r#""/a/{,**}" r,"#, r#"owner "/a/**[^/]" r,"#],
        &["exact", "exact"],
    );
}

#[test]
fn what_writing_brings_besides() {
    check(
        r#"allow write "/a";"#,
        &[r#""/a" w,"#],
        &[r#"widened: create, delete and setattr of the same paths, such as `create "/a"`"#],
    );
    check(
        r#"allow replace "/a";"#,
        &[r#""/a{,/}" w,"#],
        &[r#"widened: setattr of the same paths, such as `setattr "/a"`"#],
    );
    check(r#"allow append "/a";"#, &[r#""/a" a,"#], &["exact"]);
    check(
        r#"allow append, create owner "/a/*.log";"#,
        &[r#"owner "/a/*.log{,/}" w,"#],
        &[r#"widened: write, delete and setattr of the same paths, such as `write "/a/.log"`"#],
    );
    // Other rules allow it: there, everywhere, and only in part.
    check(
        r#"allow write "/a/b"; allow create, delete, setattr "/a/**";"#,
        &[r#""/a/b" w,"#, r#""/a/{,**}" w,"#],
        &["exact", r#"widened: write and append of the same paths, such as `write "/a/a"`"#],
    );
    check(
        r#"allow replace "/a/**"; allow setattr "/a/*";"#,
        &[r#""/a/{,**}" w,"#, r#""/a/?*{,/}" w,"#],
        &[r#"widened: setattr of the same paths, such as `setattr "/a/"`"#, "exact"],
    );
    // Only its owner may, by the other rule.
    check(
        r#"allow replace "/a"; allow setattr owner "/a";"#,
        &[r#""/a{,/}" w,"#, r#"owner "/a{,/}" w,"#],
        &["widened: setattr", "exact"],
    );
    // The capability is another gate for device nodes.
    check(
        r#"allow manage "/d/**"; allow capability mknod;"#,
        &[r#""/d/{,**}" rwk,"#, r#"link subset "/d/**[^/]" -> "/d/**[^/]","#, "capability mknod,"],
        &[r#"widened: mknod of the same paths, such as `mknod "/d/a"`"#, "exact"],
    );
}

#[test]
fn a_deny_is_refused_and_logged() {
    check(
        r#"allow read, list "/a/**"; deny read "/a/private/**";"#,
        &[r#""/a/{,**}" r,"#, r#"audit deny "/a/private/**[^/]" r,"#],
        &["exact", "exact"],
    );
    check(
        r#"allow manage "/a/**"; deny write "/a/ro/**";"#,
        &[
            r#""/a/{,**}" rwk,"#,
            r#"link subset "/a/**[^/]" -> "/a/**[^/]","#,
            r#"audit deny "/a/ro/**[^/]" w,"#,
        ],
        &["narrowed: append, create, delete and setattr on `/a/ro/**`: the deny r2", "exact"],
    );
    // A word that comes with writing cannot be taken out of it.
    check(
        r#"allow write "/a/**"; deny delete "/a/keep";"#,
        &[r#""/a/**[^/]" w,"#],
        &["widened: create", r#"partial: delete "/a/keep": and AppArmor has one permission"#],
    );
    check(
        r#"allow read "/a/**"; deny create, link "/a/b"; deny run "/a/c"; deny append "/a/d"; deny setattr setid "/a/e";"#,
        &[
            r#""/a/**[^/]" r,"#,
            r#"audit deny "/a/b{,/}" w,"#,
            r#"audit deny link "/{,**}" -> "/a/b","#,
            r#"audit deny link "/a/b" -> "/{,**}","#,
            r#"audit deny "/a/c" x,"#,
            r#"audit deny "/a/d" a,"#,
            r#"audit deny "/a/e{,/}" w,"#,
        ],
        &["exact", "exact", "exact", "exact", "exact"],
    );
    // Complaining refuses nothing, not even what is denied.
    let made = lowered(&one("mode complain; allow read \"/a/**\"; deny read \"/a/b\";"), "p", Abi::V4);
    assert!(made.profile.complain && !emit(&made.profile).contains("deny"));
    assert_eq!(made.outcomes[1].word(), "dropped");
}

#[test]
fn an_exception_is_no_deny() {
    // Nobody else wants it: refused.
    check(
        r#"allow read, list "/a/**" except "/a/**/.git/**";"#,
        &[r#""/a/{,**}" r,"#, r#"audit deny "/a/{,**/}.git/{,**}" r,"#],
        &["exact"],
    );
    // Somebody else has it all: left alone.
    check(
        r#"allow read "/a/**" except "/a/b/**"; allow read "/a/b/**" because "x";"#,
        &[r#""/a/**[^/]" r,"#, r#""/a/b/**[^/]" r,"#],
        &["exact", "exact"],
    );
    // Somebody else has a part: kept out of the globs.
    check(
        r#"allow read "/a/**" except "/a/bc/**"; allow read "/a/bc/x" because "x";"#,
        &[r#""/a/{[^\x00/b]*,b,b[^\x00/c]*,bc?*}{,/**[^/]}" r,"#, r#""/a/bc" r,"#, r#""/a/bc/x" r,"#],
        &["exact", "exact"],
    );
    // And where that cannot be written, the surplus is named.
    check(
        r#"allow read "/a/**" except "/a/**/.git/**"; allow read "/a/b/.git/x" because "x";"#,
        &[r#""/a/**[^/]" r,"#, r#""/a/b/.git/x" r,"#],
        &[
            r#"widened: paths that it excepts but another rule needs in part, such as `read "/a/.git/a"`"#,
            "exact",
        ],
    );
    // Of a deny: kept out of it.
    check(
        r#"allow read "/a/**"; deny read "/a/b/**" except "/a/b/ok";"#,
        &[
            r#""/a/**[^/]" r,"#,
            r#"audit deny "/a/b/{[^\x00/o]*,o,o[^\x00/k]*,ok?*}{,/**[^/]}" r,"#,
            r#"audit deny "/a/b/ok/?*{,/**[^/]}" r,"#,
        ],
        &["exact", "exact"],
    );
}

#[test]
fn execution() {
    let text = r#"can 1;
policy p {
  exec "/usr/bin/p";
  allow run "/usr/lib/p/*" because "x";
  allow run "/usr/lib/p/q" -> policy q;
}
policy q { exec "/usr/lib/p/q"; launch from policy p; NNP }
"#;
    let set = policies(
        &text
            .replace("NNP", "")
            .replace("run \"/usr/lib/p/*\"", "run \"/usr/lib/p/*\" except \"/usr/lib/p/q\""),
    );
    let made = lowered(&set, "p", Abi::V4);
    let found = lines(&made);
    assert!(found.contains(&r#""/usr/lib/p/*" rmix,"#.into()), "{found:#?}");
    assert!(found.contains(&r#""/usr/lib/p/q" rmPx -> "canc.p//&canc.q","#.into()), "{found:#?}");
    assert_eq!(made.outcomes.iter().map(Outcome::word).collect::<Vec<_>>(), ["exact", "exact"]);
    // Two globs are made disjoint.
    let globs = text
        .replace("NNP", "")
        .replace("run \"/usr/lib/p/*\"", "run \"/usr/lib/p/*\" except \"/usr/lib/p/q*\"")
        .replace("run \"/usr/lib/p/q\"", "run \"/usr/lib/p/q*\"")
        .replace("exec \"/usr/lib/p/q\"", "exec \"/usr/lib/p/q*\"");
    let found = lines(&lowered(&policies(&globs), "p", Abi::V4));
    assert!(found.contains(&r#""/usr/lib/p/[^\x00/q]*" rmix,"#.into()), "{found:#?}");
    // Without no_new_privs the label changes altogether.
    let free = text
        .replace("NNP", "")
        .replace("run \"/usr/lib/p/*\"", "run \"/usr/lib/p/*\" except \"/usr/lib/p/q\"")
        .replace("exec \"/usr/bin/p\";", "exec \"/usr/bin/p\"; no_new_privs off because \"x\";");
    let found = lines(&lowered(&policies(&free), "p", Abi::V4));
    assert!(found.contains(&r#""/usr/lib/p/q" rmPx -> "canc.q","#.into()), "{found:#?}");
    check(
        r#"allow run "/usr/bin/x" -> unconfined;"#,
        &[r#""/usr/bin/x" rmUx,"#],
        &["narrowed: execution: under no_new_privs the kernel lets nobody leave a profile"],
    );
}

#[test]
fn attached_programs() {
    let set = policies("can 1;\npolicy p { attach \"/usr/bin/a\", \"/usr/bin/b c\"; }\n");
    let text = emit(&lowered(&set, "p", Abi::V4).profile);
    assert!(text.contains("profile canc.p \"/{usr/bin/a,usr/bin/b c}\" {"), "{text}");
}

#[test]
fn networks() {
    let all = "create connect shutdown getattr setattr getopt setopt send receive";
    check(
        "allow connect tcp;",
        &[&format!("network ({all}) inet stream,"), &format!("network ({all}) inet6 stream,")],
        &["exact"],
    );
    check(
        "allow connect tcp port 443; allow connect tcp port 80;",
        &[&format!("network ({all}) inet stream,"), &format!("network ({all}) inet6 stream,")],
        &["widened: every port, such as `connect tcp port 1`", "widened: every port"],
    );
    check(
        "allow connect tcp port 443 address 192.0.2.0/24;"
            .replace("port 443 address 192.0.2.0/24", "address 192.0.2.0/24 port 443")
            .as_str(),
        &[&format!("network ({all}) inet stream,")],
        &["widened: every address and port"],
    );
    check(
        "allow listen tcp; deny connect tcp;",
        &[
            "network (create bind listen accept shutdown getattr setattr getopt setopt send receive) inet stream,",
            "network (create bind listen accept shutdown getattr setattr getopt setopt send receive) inet6 stream,",
            "audit deny network (connect) inet stream,",
            "audit deny network (connect) inet6 stream,",
        ],
        &["exact", "exact"],
    );
    check(
        "allow connect tcp port 443; deny connect tcp port 25;",
        &[&format!("network ({all}) inet stream,"), &format!("network ({all}) inet6 stream,")],
        &["widened: every port", "dropped: connect tcp: AppArmor sees no ports"],
    );
    check(
        "allow connect tcp port 443; deny connect tcp;",
        &[
            &format!("network ({all}) inet stream,"),
            &format!("network ({all}) inet6 stream,"),
            "audit deny network (connect) inet stream,",
            "audit deny network (connect) inet6 stream,",
        ],
        &["widened: every port", "exact"],
    );
    check(
        "allow bind udp; allow send udp; allow receive udp;",
        &[
            "network (create bind shutdown getattr setattr getopt setopt) inet dgram,",
            "network (create bind shutdown getattr setattr getopt setopt) inet6 dgram,",
            "network (create shutdown getattr setattr getopt setopt send) inet dgram,",
            "network (create shutdown getattr setattr getopt setopt send) inet6 dgram,",
            "network (create shutdown getattr setattr getopt setopt receive) inet dgram,",
            "network (create shutdown getattr setattr getopt setopt receive) inet6 dgram,",
        ],
        &["exact", "exact", "exact"],
    );
    check(
        "allow socket netlink route; allow socket packet; allow socket icmp;",
        &[
            "network netlink raw,",
            "network netlink dgram,",
            "network packet raw,",
            "network packet dgram,",
            "network inet dgram,",
            "network inet6 dgram,",
        ],
        &[
            "widened: every netlink protocol, such as `socket netlink 1`",
            "exact",
            "widened: UDP, which has the same family and type, such as `connect udp port 1`",
        ],
    );
    check(
        "deny socket vsock;",
        &[
            "audit deny network vsock stream,",
            "audit deny network vsock dgram,",
            "audit deny network vsock seqpacket,",
        ],
        &["exact"],
    );
    check(
        "allow socket netlink route; deny socket netlink audit;",
        &["network netlink raw,", "network netlink dgram,"],
        &["widened:", "dropped:"],
    );
    // An ABI without words for operations.
    let made = lowered(&one("allow connect tcp;"), "p", Abi::V3);
    assert!(lines(&made).contains(&"network inet stream,".into()));
    assert!(
        verdict(&made.outcomes[0]).starts_with("widened: every operation on sockets"),
        "{:?}",
        made.outcomes
    );
}

#[test]
fn unix_sockets() {
    check(
        r#"allow connect unix stream "/run/php/x.sock";"#,
        &[
            r#""/run/php/x.sock" rw,"#,
            "network (create connect shutdown getattr setattr getopt setopt send receive) unix stream,",
        ],
        &["widened: every unix socket of the type"],
    );
    check(
        r#"allow listen unix stream "@own";"#,
        &[
            "network (create bind listen accept shutdown getattr setattr getopt setopt send receive) unix stream,",
        ],
        &["widened: every abstract name"],
    );
    let features = include_str!("../../../data/apparmor/features/abi-4.0");
    let options = ApparmorOptions::new(Abi::V4, FeatureSet::parse(features).unwrap()).unwrap();
    let set = one(r#"allow connect unix stream "@x\"y*" to self;"#);
    let made = lower(&set, set.policy("p").unwrap(), &options).unwrap();
    let found = lines(&made);
    let wanted =
        r#"unix (connect send receive) type=stream peer=(label="{**//&,}canc.p{//&**,}", addr="@x\x22y*"),"#;
    assert!(found.contains(&wanted.to_string()), "{found:#?}");
    assert!(made.outcomes[0].unseen && made.outcomes[0].word() == "exact", "{:?}", made.outcomes);
    assert_eq!(read(&emit(&made.profile)), Ok(made.profile));
}

#[test]
fn processes_and_the_rest() {
    check(
        "allow signal send term, hup to self; allow signal receive all from systemd, user; allow signal send kill to systemd;",
        &[r#"signal (receive) peer="unconfined","#, r#"signal (send) set=(kill) peer="unconfined","#],
        &["exact", "exact", "widened: every process without a profile, such as `signal send 9 to user`"],
    );
    check(
        "allow ptrace read self;",
        &[
            r#"ptrace (read) peer="{**//&,}canc.p{//&**,}","#,
            r#"ptrace (readby) peer="{**//&,}canc.p{//&**,}","#,
        ],
        &["exact"],
    );
    check("allow capability net_bind_service, setuid;", &["capability setuid net_bind_service,"], &["exact"]);
    check(
        "allow capability sys_admin in userns;",
        &["capability sys_admin,"],
        &["widened: sys_admin outside user namespaces, too"],
    );
    check(
        "allow capability sys_admin in userns; deny capability sys_admin;",
        &["capability sys_admin,"],
        &["widened:", "dropped:"],
    );
    check("allow userns create;", &["userns create,"], &["exact"]);
    check("deny userns create;", &["audit deny userns create,"], &["exact"]);
    check("allow namespace mount;", &[], &["n/a"]);
    check("allow syscall read;", &[], &["n/a"]);
    check("deny io_uring;", &[], &["dropped: no AppArmor ABI has words for io_uring"]);
    check("allow mqueue create \"/q\";", &[], &["n/a"]);
    let old = lowered(&one("allow userns create; allow capability checkpoint_restore;"), "p", Abi::V3);
    assert_eq!(old.outcomes.iter().map(Outcome::word).collect::<Vec<_>>(), ["n/a", "narrowed"]);
    assert!(!emit(&old.profile).contains("userns"));
}

#[test]
fn mounts() {
    check(
        r#"allow mount type tmpfs, ext4 from "tmpfs" -> "/m" options ro, nosuid;
           allow mount rbind "/s" -> "/m/x";
           allow mount remount ro -> "/m";
           allow mount make rprivate -> "/";
           allow unmount "/m";
           allow pivot_root "/n/old" -> "/n";"#,
        &[
            r#"mount fstype=("ext4", "tmpfs") options=(ro, nosuid) "tmpfs" -> "/m{,/}","#,
            r#"mount options=(rbind) "/s{,/}" -> "/m/x{,/}","#,
            r#"remount options=(ro) "/m{,/}","#,
            r#"mount options=(rprivate) -> "/","#,
            r#"mount options=(rprivate, silent) -> "/","#,
            r#"umount "/m{,/}","#,
            r#"pivot_root oldroot="/n/old{,/}" "/n{,/}","#,
        ],
        &["exact", "exact", "exact", "exact", "exact", "exact"],
    );
}

#[test]
fn own_processes() {
    check(
        r#"allow read "${self}/maps"; allow read "${home}/.x"; allow read "${run_user}/bus" because "x";"#,
        &[
            r#"owner "/proc/[0-9]*/maps" r,"#,
            r#""/{home/?*,root}/.x" r,"#,
            r#""/run/user/[0-9]{,[0-9]{,[0-9]{,[0-9]{,[0-9]{,[0-9]{,[0-9]{,[0-9]{,[0-9]{,[0-9]}}}}}}}}}/bus" r,"#,
        ],
        &["widened: the same entries of the user's other processes", "exact", "exact"],
    );
}

#[test]
fn raw_text_stands_apart_and_proves_nothing() {
    let set = one("allow read \"/a\";\nraw apparmor \"\"\"\n  /x r,\n\"\"\" because \"y\";");
    let made = lowered(&set, "p", Abi::V4);
    let text = emit(&made.profile);
    assert!(text.contains("# raw text begins\n") && text.contains("\n  /x r,\n"), "{text}");
    assert!(made.outcomes.iter().all(|o| o.unproved));
}
