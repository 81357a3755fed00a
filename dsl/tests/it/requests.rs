//! Requests as the command line gives them.

use canc_dsl::policy::{Body, FileOp, FileOps, Peer, PolicySet, Who};
use canc_dsl::{NoFiles, Options, RequestReading, compile, parse_request};

fn policies() -> PolicySet {
    let text = "can 1; policy p { exec \"/p\"; }";
    compile("p.can", text.as_bytes(), &NoFiles, &Options::default()).policies.unwrap()
}

fn read(text: &str) -> RequestReading {
    parse_request(text, &policies(), &Options::default())
}

fn path(text: &str) -> String {
    let reading = read(text);
    match reading.request.unwrap_or_else(|| panic!("{text}: {:?}", reading.diagnostics)).body {
        Body::File(file) => file.paths[0].pattern.as_literal().unwrap(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn paths_may_be_bare() {
    assert_eq!(path("read \"/etc/shadow\""), "/etc/shadow");
    assert_eq!(path("read /etc/shadow"), "/etc/shadow");
    assert_eq!(path("read /srv/a*b[c]{d,e}"), "/srv/a*b[c]{d,e}");
    assert_eq!(path("read /srv/$x\\y\"z"), "/srv/$x\\y\"z");
    assert_eq!(path("read /etc/ as root"), "/etc");
    assert_eq!(path("run \"/usr/bin/my prog\""), "/usr/bin/my prog");
}

#[test]
fn requests_are_exact() {
    let Some(Body::File(run)) = read("run /bin/sh").request.map(|r| r.body) else { panic!() };
    assert_eq!(run.ops, FileOps::of(&[FileOp::Run]), "a request to execute is no request to read");
    let Some(Body::Signal(signal)) = read("signal send term to policy p").request.map(|r| r.body) else {
        panic!()
    };
    assert_eq!(signal.peers, [Peer::Policy("p".into())], "not to itself as well");
    assert_eq!(read("read /x as other").request.map(|r| r.who), Some(Who::Other));
    assert!(read("connect tcp port 25").request.is_some());
    assert!(read("connect tcp address 10.0.0.1 port 25").diagnostics.is_empty());
    assert!(read("syscall ptrace").request.is_some());
}

#[test]
fn mistakes_are_reported() {
    for (text, code) in [
        ("raed /etc/shadow", "E0103"),
        ("read", "E0101"),
        ("", "E0101"),
        ("read /a; read /b", "E0102"),
        ("read \"/a\"; read \"/b\"", "E0101"),
        ("read \"/a*\"", "E0336"),
        ("read \"/a", "E0009"),
        ("connect tcp", "E0336"),
        ("connect tcp port 1-2", "E0336"),
        ("signal send term to policy q", "E0204"),
        ("read /x { }", "E0101"),
        ("read /a/../b", "E0302"),
        ("syscall nope", "E0322"),
        ("read \"${x}\"", "E0202"),
        ("read /a allows", "E0102"),
        ("read \"\u{7}\"", "E0004"),
    ] {
        let reading = read(text);
        let found: Vec<&str> = reading.diagnostics.iter().map(|d| d.code.0).collect();
        assert!(found.contains(&code), "{text}: {found:?}");
        assert!(reading.request.is_none(), "{text}");
    }
}
