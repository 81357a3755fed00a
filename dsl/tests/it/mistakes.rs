//! A mistake in each statement, and a message for each of them at the exact text.

use crate::common::messages;
use canc_dsl::diag::Severity;
use canc_dsl::{Compilation, MemoryFiles, NoFiles, Options, compile};

fn run(text: &str) -> Compilation {
    compile("x.can", text.as_bytes(), &NoFiles, &Options::default())
}

/// Each line that ends in a comment `#! CODE text` has exactly that message: the code, and the text under the primary label.
fn expect_each(text: &str) {
    let done = run(text);
    let mut found: Vec<(usize, String)> = done
        .diagnostics
        .iter()
        .map(|d| {
            let span = d.labels.first().expect("a label").span;
            (done.sources.line_column(span).0, format!("{} {}", d.code.0, done.sources.text(span)))
        })
        .collect();
    let mut want: Vec<(usize, String)> = text
        .lines()
        .zip(1..)
        .filter_map(|(line, number)| line.split_once("#! ").map(|(_, w)| (number, w.trim().to_owned())))
        .collect();
    found.sort();
    want.sort();
    assert_eq!(found, want, "{:#?}", messages(&done));
    for d in &done.diagnostics {
        assert!(d.help.as_ref().is_some_and(|h| !h.is_empty()), "{d:?}");
        for text in [&d.message, &d.labels.first().expect("a label").text] {
            assert!(!text.ends_with('.') && !text.is_empty(), "{d:?}");
            assert!(!text.starts_with(|c: char| c.is_ascii_uppercase()) || text.starts_with("UDP"), "{d:?}");
        }
    }
}

#[test]
fn a_mistake_in_each_statement_of_a_policy() {
    expect_each(
        r#"can 1;
policy example {
  exec "usr/bin/x";                                   #! E0301 "usr/bin/x"
  attach "/usr/bin/../x";                             #! E0302 ..
  launch from sytemd;                                 #! E0103 sytemd
  launch user;                                        #! E0101 user
  backend selinx require;                             #! E0103 selinx
  backend selinux maybe;                              #! E0103 maybe
  mode strict;                                        #! E0103 strict
  include std.bse;                                    #! E0203 std.bse
  tolerate fils because "x";                          #! E0103 fils
  tolerate files;                                     #! E0111 files
  limit memry 5;                                      #! E0103 memry
  limit memory 5 MB;                                  #! E0112 MB
  limit stack 5 s;                                    #! E0333 5 s
  isolate pids;                                       #! E0103 pids
  isolate cgroup;                                     #! E0103 cgroup
  separate instance;                                  #! E0101 instance
  no_new_privs on;                                    #! E0101 on
  env kep "A";                                        #! E0101 kep
  env keep "A-B";                                     #! E0335 "A-B"
  env set A;                                          #! E0101 A
  keep descriptor 1;                                  #! E0334 1
  keep descriptors 3;                                 #! E0101 descriptors
  syscall default EPREM;                              #! E0103 EPREM
  syscall read;                                       #! E0101 read
  raw seccomp """x""" because "x";                    #! E0103 seccomp
  raw selinux """x""" because "x";                    #! E0228 raw selinux """x""" because "x"
  alow read "/x";                                     #! E0103 alow
  read "/x";                                          #! E0103 read
  allow raed "/x";                                    #! E0103 raed
  allow read, wirte "/x";                             #! E0103 wirte
  allow read "/x" "/y";                               #! E0102 "/y"
  allow read;                                         #! E0101 read
  allow read "/x" becuase "y";                        #! E0102 becuase
  allow read "/x" @prefer;                            #! E0102 @prefer
  allow read /x;                                      #! E0016 /
  @prefr allow read "/x";                             #! E0103 @prefr
  @prefer allow read "/x";                            #! E0110 @prefer allow read "/x"
  @id(A) allow read "/x";                             #! E0107 A
  allow read "/x" as Data;                            #! E0107 Data
  deny read "/x" as data;                             #! E0110 data
  allow read "/etc/**" as conf;                       #! E0309 "/etc/**"
  allow read "/x" owner;                              #! E0102 owner
  allow read foo;                                     #! E0202 foo
  allow read "/a/${foo}";                             #! E0202 foo
  allow read "/a$b";                                  #! E0222 $
  allow read "/a\qb";                                 #! E0011 \q
  allow read "/a/b**";                                #! E0303 **
  allow read "/a/[b";                                 #! E0304 [
  allow read "/a/${home}";                            #! E0305 $
  allow read "/a" except "b";                         #! E0301 "b"
  allow run "/x" -> polcy q;                          #! E0101 polcy
  allow run "/x" -> policy q;                         #! E0204 q
  allow run, read "/x" -> unconfined;                 #! E0114 run, read
  allow listen udp port 5;                            #! E0115 listen
  allow send tcp port 5;                              #! E0115 send
  allow connect tpc port 5;                           #! E0103 tpc
  allow connect tcp, udp port 5;                      #! E0102 ,
  allow connect tcp port 70000;                       #! E0317 70000
  allow connect tcp port 20-10;                       #! E0317 20-10
  allow connect tcp port http;                        #! E0317 http
  allow connect tcp port "80";                        #! E0220 "80"
  allow connect tcp address example.com;              #! E0319 example.com
  allow connect tcp address localhost;                #! E0319 localhost
  allow connect tcp address "10.0.0.1";               #! E0318 "10.0.0.1"
  allow connect tcp address 10.0.0.256;               #! E0318 10.0.0.256
  allow connect tcp address 10.0.0.1/8;               #! E0318 10.0.0.1/8
  allow connect tcp port 1 except 1;                  #! E0308 allow connect tcp port 1 except 1
  allow bind unix "/x";                               #! E0115 bind
  allow connect unix "/x", "@y";                      #! E0221 "@y"
  allow connect unix "@a{b}";                         #! E0320 {
  allow connect unix "@";                             #! E0320 "@"
  allow connect unix "/x" to polcy y;                 #! E0103 polcy
  allow socket netlnk;                                #! E0103 netlnk
  allow socket netlink rout;                          #! E0103 rout
  allow capability net_bind_servce;                   #! E0103 net_bind_servce
  allow capability CAP_CHOWN;                         #! E0103 CAP_CHOWN
  allow capability chown in user;                     #! E0101 user
  allow syscall opne;                                 #! E0322 opne
  allow syscall @modul;                               #! E0323 @modul
  allow syscall read with EPERM;                      #! E0110 with
  allow syscall read on x86;                          
  allow syscall read on x8664;                        #! E0103 x8664
  allow syscall socket where domian == 1;             #! E0324 domian
  allow syscall socket where domain = 1;              #! E0101 =
  allow syscall socket where domain == AF_INETT;      #! E0326 AF_INETT
  allow syscall openat where filename == 1;           #! E0325 filename
  allow syscall socket where domain == 0x1ffffffff;   #! E0327 0x1ffffffff
  allow syscall socket where domain & 1 == 2;         #! E0328 2
  allow syscall socket where domain & 1 < 2;          #! E0329 domain & 1 < 2
  allow syscall socket where domain in 1;             #! E0101 1
  allow syscall clone3;                               #! E0338 allow syscall clone3
  deny syscall bpf with errno(0);                     #! E0120 (0)
  allow userns;                                       #! E0101 userns
  allow namespace user;                               #! E0116 user
  allow signal sned term;                             #! E0103 sned
  allow signal send trem;                             #! E0103 trem
  allow signal send 99;                               #! E0117 99
  allow signal send term from user;                   #! E0101 from
  allow ptrace read any;                              #! E0118 any
  allow mount type tmpfs;                             #! E0101 tmpfs
  allow mount bind "/x";                              #! E0101 "/x"
  allow mount type tmpfs -> "/x" options rw, rx;      #! E0103 rx
  allow mount make sharde -> "/x";                    #! E0103 sharde
  allow io_uring fast;                                #! E0103 fast
  allow mqueue read "x";                              #! E0321 "x"
  allow shmm;                                         #! E0103 shmm
  when arhc == x86_64 { }                             #! E0103 arhc
  when flag { }                                       #! E0202 flag
  when arch == x8664 { }                              #! E0103 x8664
  when selinux.bse == debian13 { }                    #! E0103 selinux.bse
  when selinux.base == debain13 { }                   #! E0103 debain13
  when apparmor.abi >= new { }                        #! E0101 new
  when arch == x86_64 { allow read "/x"; }            #! E0226 allow read "/x"
  when apparmor.abi >= 4.0 { deny read "/x"; }        #! E0227 deny read "/x"
  let x = 5;                                          #! E0104 let
  else { }                                            #! E0102 else
  allow read "/x" { }                                 #! E0102 {
  § ;                                                 #! E0016 §
}
"#,
    );
}

#[test]
fn a_mistake_in_each_item_and_assertion() {
    expect_each(
        r#"can 1;
can 1;                                                #! E0105 1
ues "a.can" as a;                                     #! E0103 ues
use "/a.can" as a;                                    #! E0214 "/a.can"
use "a.can" as b;                                     #! E0215 "a.can"
use "a.can";                                          #! E0101 "a.can"
let = 5;                                              #! E0101 =
let a;                                                #! E0101 a
let b = 5, 6;                                         #! E0102 ,
let c = [5, "/x"];                                    #! E0221 "/x"
let c = 5;                                            #! E0201 c
let D = 5;                                            #! E0107 D
let read = 5;                                         #! E0108 read
let e = nothing;                                      #! E0202 nothing
let f = [1 2];                                        #! E0102 2
param g: pth;                                         #! E0103 pth
param h = 5;                                          #! E0101 =
param i: port = 70000;                                #! E0207 70000
param j: bool = 5;                                    #! E0207 5
param k: int;                                         #! E0208 k
fragment l { deny read "/x"; }                        #! E0224 deny read "/x"
fragment m { limit core 0; }                          #! E0225 limit core 0
fragment n(o: pth) { allow read o; }                  #! E0103 pth
fragment p(q: int, q: int) { allow read "/x"; }       #! E0201 q
fragment r;                                           #! E0101 r
policy s;                                             #! E0101 s
policy t = u();                                       #! E0205 u
policy v = w;                                         #! E0205 w
policy w { include l(5); exec "/w"; }                 #! E0206 l(5)
policy y { exec "/y"; deny read "/z" because "yes"; }
policy x { }                                          #! E0331 x
test { }                                              #! E0101 test
test "a" {
  w alows read "/x";                                  #! E0103 alows
  ww allows read "/x";                                #! E0204 ww
  w allows read "/*";                                 #! E0336 "/*"
  w denies connect tcp;                               #! E0336 connect tcp
  y denies read "/x" because "no";                    #! E0337 "no"
  y denies read "/x" by @id(no);                      #! E0337 no
  w denies read "/x" by no;                           #! E0101 no
  w loses something on selinux;                       #! E0101 something
  w loses nothing on slinux;                          #! E0103 slinux
  w reaches z;                                        #! E0204 z
  w denies read "/x" on bear;                         #! E0103 bear
  w allows raed "/x" as root;                         #! E0103 raed
}
test "a" { }                                          #! E0201 "a"
"#,
    );
}

#[test]
fn broken_texts_are_left_at_the_next_statement() {
    expect_each(
        r#"can 1;
let a = [80, 443;                                     #! E0012 [
let b = 80];                                          #! E0012 ]
let c = (80];                                         #! E0012 (
let d = "x;                                           
policy p {
  exec "/p";
  allow read "/x
  allow read "/y/../z";                               #! E0302 ..
  allow syscall socket where (domain == 1;            #! E0012 (
  allow read "/a//b";                                 #! E0302 //
}
"#
        .replace("let d = \"x;                                           ", "let d = \"x;")
        .as_str()
        .replace("let d = \"x;\n", "")
        .replace("  allow read \"/x\n", "")
        .as_str(),
    );
    let done = run(
        "can 1;\nlet d = \"x;\nlet e = \"/y;  \npolicy p {\n exec \"/p\";\n allow read \"/x;\n allow read d, \"/a//\";\n}\n",
    );
    assert_eq!(
        messages(&done),
        [
            "E0009 \"x: this string is never closed",
            "E0009 \"/y: this string is never closed",
            "E0009 \"/x: this string is never closed",
            "E0302 //: empty path component `//`",
        ]
    );
}

#[test]
fn missing_semicolons_are_found_where_they_are_missing() {
    let done = run(
        "can 1\nlet a = 5\nlet b = [1,\n 2]\npolicy p {\n exec \"/p\"\n @prefer\n deny read \"/x\"\n @id(y) allow read \"/y\",\n \"/z\"\n \
         allow syscall\n read, limit_\n limit core 0\n launch from\n policy p\n when arch == x86_64 { allow syscall read }\n}\n\
         test \"t\" {\n p denies read \"/x\"\n p allows read \"/y\" }\n",
    );
    let missing: Vec<(usize, String)> = done
        .diagnostics
        .iter()
        .filter(|d| d.code.0 == "E0015")
        .map(|d| {
            let span = d.labels.first().expect("a label").span;
            (done.sources.line_column(span).0, done.sources.text(span).to_owned())
        })
        .collect();
    let want = [
        (1, "1"),
        (2, "5"),
        (4, "[1,\n 2]"),
        (6, "\"/p\""),
        (8, "\"/x\""),
        (10, "\"/z\""),
        (12, "limit_"),
        (13, "0"),
        (15, "p"),
        (16, "read"),
        (19, "\"/x\""),
        (20, "\"/y\""),
    ];
    let want: Vec<(usize, String)> = want.iter().map(|(n, t)| (*n, (*t).to_owned())).collect();
    let at = |list: &[(usize, String)]| list.iter().map(|(n, _)| *n).collect::<Vec<_>>();
    assert_eq!(at(&missing), [1, 2, 3, 6, 8, 10, 12, 13, 15, 16, 19, 20], "{missing:?}");
    assert_eq!(
        missing.iter().map(|m| &m.1).collect::<Vec<_>>(),
        want.iter().map(|m| &m.1).collect::<Vec<_>>()
    );
    let others: Vec<String> = messages(&done).into_iter().filter(|m| !m.starts_with("E0015")).collect();
    assert_eq!(others.iter().filter(|m| m.starts_with("E0322 limit_")).count(), 1, "{others:?}");
    assert_eq!(others.len(), 1, "only the call that does not exist: {others:?}");
}

#[test]
fn a_missing_brace_is_found_before_the_next_item() {
    let done = run(
        "can 1;\npolicy p {\n  exec \"/p\";\n  when arch == x86_64 { allow syscall read;\n\npolicy q {\n  exec \"/q\";\n}\n",
    );
    assert_eq!(
        messages(&done),
        ["E0013 {: this block is never closed", "E0013 {: this block is never closed"]
    );
    let lines: Vec<usize> =
        done.diagnostics.iter().map(|d| done.sources.line_column(d.labels[0].span).0).collect();
    assert_eq!(lines, [2, 4]);
}

#[test]
fn mistakes_do_not_cascade() {
    // What a broken definition defines is not unknown, and what a broken statement would have said is not missing.
    for (text, count) in [
        ("can 1; let a = [; policy p { exec \"/p\"; allow read a; }", 1),
        ("can 1; let a = $; policy p { exec \"/p\"; allow read a, \"${a}/x\"; }", 1),
        ("can 1; param a: nothing; policy p { exec \"/p\"; allow read a; }", 1),
        (
            "can 1; use \"no.can\" as a; policy p { exec \"/p\"; include a.f; allow read a.x, \"${a.x}\"; } policy q = a.t();",
            1,
        ),
        ("can 1; policy p { exec /p; }", 1),
        (
            "can 1; policy p { exec \"/p\"; allow rn \"/q\" -> policy q; } policy q { exec \"/q\"; launch from policy p; }",
            1,
        ),
        (
            "can 1; fragment f { allow raed \"/x\"; } policy p { exec \"/p\"; include f; } policy q { exec \"/q\"; include f; }",
            1,
        ),
        ("can 1; let a = b; let b = c; let c = a; policy p { exec \"/p\"; allow read a, b; }", 1),
        (
            "can 1; fragment a { include b; } fragment b { include a; } policy p { exec \"/p\"; include a, b; }",
            1,
        ),
        (
            "can 1; policy t(x: path) { exec x; allow read \"/a/../b\"; } policy a = t(\"/a\"); policy b = t(\"/b\");",
            1,
        ),
        ("can 1; polcy p { exec \"/p\"; allow read \"/a//b\"; }", 1),
        (
            "can 1; policy p { exec \"/p\"; @id(x) deny raed \"/x\"; } test \"t\" { p denies read \"/x\" by @id(x); }",
            1,
        ),
        ("can 1; when arch == x { }", 1),
        (
            "can 1; policy p { exec \"/p\"; when nonsense. == x { allow read \"/x\"; } else { allow read \"/x\"; } }",
            1,
        ),
    ] {
        let done = run(text);
        assert_eq!(done.diagnostics.len(), count, "{text}: {:#?}", messages(&done));
        assert!(done.policies.is_none());
    }
}

#[test]
fn errors_in_paths_point_through_escapes_and_names() {
    for (text, want) in [
        (r#"allow read "/a\\*b/../c";"#, "E0302 .."),
        (r#"allow read "/a\"b/\\{/../c";"#, "E0302 .."),
        (r#"allow read "/a$$b/../c";"#, "E0302 .."),
        (r#"allow read "${ok}/../c";"#, "E0302 .."),
        (r#"allow read "/x/${bad}/c";"#, "E0302 ${bad}"),
        (r#"allow read "/é/ü/../c";"#, "E0302 .."),
        (r#"allow read "/a/b\\";"#, r"E0305 \\"),
        (r#"allow read "${ok}${ok}[";"#, "E0304 ["),
        (r#"allow read "/a/[${ok}]";"#, "E0304 ["),
    ] {
        let text = format!(r#"can 1; let ok = "/ok\\?"; let bad = ".."; policy p {{ exec "/p"; {text} }}"#);
        let done = run(&text);
        let found: Vec<String> = done
            .diagnostics
            .iter()
            .map(|d| format!("{} {}", d.code.0, done.sources.text(d.labels[0].span)))
            .collect();
        assert_eq!(found, [want], "{text}");
    }
}

#[test]
fn unused_fragments_templates_and_branches_are_looked_at() {
    for text in [
        "can 1; fragment f(a: path) { allow read \"${a}/../x\"; allow raed a; }",
        "can 1; policy t(a: port) { exec \"/t\"; allow connect tcp port a, 70000; allow raed \"/x\"; }",
        "can 1; param extra: bool = false; policy p { exec \"/p\"; when extra { allow read \"/a/../b\"; allow raed \"/x\"; } }",
        "can 1; policy p { exec \"/p\"; when apparmor.abi < 1.0 { allow read \"/a/../b\", nothing; include nothing; } }",
    ] {
        assert_eq!(run(text).diagnostics.len(), 2, "{text}: {:?}", messages(&run(text)));
    }
}

#[test]
fn rings_are_shown_whole() {
    let done = run("can 1; let a = b; let b = [1, c]; let c = a;");
    assert_eq!(messages(&done), ["E0211 b: these values need each other: a -> b -> c -> a"]);
    assert_eq!(done.diagnostics[0].labels.len(), 3);
    let done = run("can 1; fragment x { include x; }");
    assert_eq!(messages(&done), ["E0212 x: fragments include each other: x -> x"]);
    let files = MemoryFiles(
        [
            ("a.can", "can 1; use \"b.can\" as b;"),
            ("b.can", "can 1; use \"c.can\" as c;"),
            ("c.can", "can 1; use \"a.can\" as a;"),
        ]
        .into_iter()
        .map(|(n, t)| (n.to_owned(), t.as_bytes().to_vec()))
        .collect(),
    );
    let done = compile("main.can", b"can 1; use \"a.can\" as a;", &files, &Options::default());
    assert_eq!(messages(&done), ["E0213 \"b.can\": files use each other: a.can -> b.can -> c.can -> a.can"]);
}

#[test]
fn edges_quote_the_line_to_add() {
    let help = |text: &str| -> Vec<String> {
        run(text).diagnostics.iter().map(|d| d.help.clone().unwrap_or_default()).collect()
    };
    assert_eq!(
        help("can 1; policy p { exec \"/p\"; allow run \"/q\" -> policy q; } policy q { exec \"/q\"; }"),
        ["add to `policy q`: `launch from policy p;`"]
    );
    assert_eq!(
        help("can 1; policy p { exec \"/p\"; } policy q { exec \"/q/*\"; launch from policy p; }"),
        ["add to `policy p`: `allow run \"/q/*\" -> policy q;`"]
    );
}

#[test]
fn helps_are_texts_to_write() {
    for (text, help) in [
        (r#"allow read "/srv/../etc//x/./y/";"#, r#"write `"/etc/x/y/"`"#),
        (r#"allow read "~/.x";"#, r#"write `"${home}/.x"`"#),
        (r#"allow raed "/x";"#, "did you mean `read`?"),
        (r#"read "/x";"#, "write `allow read …`"),
        (r#"allow capability CAP_SYS_ADMIN;"#, "did you mean `sys_admin`?"),
        (r#"allow capability net-bind-service;"#, "did you mean `net_bind_service`?"),
        (r#"allow signal send SIGTERM;"#, "did you mean `term`?"),
        (r#"allow connect tcp port 20-10;"#, "write `10-20`"),
        (
            r#"allow connect tcp address 10.1.2.3/8;"#,
            "write `10.0.0.0/8` for the block, or `10.1.2.3` for the one address",
        ),
        (r#"allow syscall module;"#, "did you mean the group `@module`?"),
        (r#"allow connect tcp port https;"#, "write `443`: names of services differ from host to host"),
        (r#"limit memory 5 GB;"#, "write `GiB`"),
        (r#"launch from policy other;"#, "define it in this file: `policy other { … }`"),
        ("allow read \"/x\"", "write `\"/x\";`"),
    ] {
        let text = format!("can 1;\npolicy p {{\nexec \"/p\";\n{text}\n}}\n");
        let done = run(&text);
        let helps: Vec<&str> = done.diagnostics.iter().filter_map(|d| d.help.as_deref()).collect();
        assert!(helps.contains(&help), "{text}: {helps:?}");
    }
}

#[test]
fn claims_name_a_path() {
    let both = "can 1; policy p { exec \"/p\"; allow read \"/srv/a/**\" as x; attach \"/usr/lib/a*\"; }\n\
                policy q { exec \"/q\"; allow read \"/srv/a/b*\" as y; attach \"/usr/lib/*b\"; }";
    let found = messages(&run(both));
    assert_eq!(
        found,
        [
            "E0312 \"/srv/a/b*\": `/srv/a/b` is owned by two policies",
            "E0313 \"/usr/lib/*b\": `/usr/lib/ab` is attached to two policies",
        ]
    );
}

#[test]
fn warnings_do_not_stop() {
    let done =
        run("can 1; policy p { attach \"/usr/bin/python3\"; allow connect tcp address 10.0.0.1 port 1; }");
    assert!(done.policies.is_some());
    assert!(done.diagnostics.iter().all(|d| d.severity == Severity::Warning));
    assert_eq!(done.diagnostics.len(), 2);
}
