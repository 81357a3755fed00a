//! Requests as the command line gives them.

use canc_dsl::meaning::{Dim, Evaluator, Region, RequestSet, request_regions};
use canc_dsl::policy::{Body, FileOp, FileOps, Peer, PolicySet, Who};
use canc_dsl::{NoFiles, Options, RequestReading, compile, parse_request};
use canc_sets::path::Lang;

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

/// One of each form of rule that has requests.
const RULES: [&str; 34] = [
    "allow read, list \"/srv/a/**\" as x",
    "allow setattr setid \"/srv/b\" as y",
    "allow connect tcp port 25",
    "allow connect tcp address 192.0.2.0/24, 2001:db8::/32",
    "allow listen sctp port 47500",
    "allow bind udp port 53",
    "allow connect unix stream \"/run/x\" to any",
    "allow connect unix dgram \"@x\" to systemd",
    "allow listen unix seqpacket \"/run/y\"",
    "allow socket netlink route",
    "allow socket packet",
    "allow socket vsock",
    "allow capability net_admin",
    "allow capability net_admin in userns",
    "allow userns create",
    "allow namespace mount, time",
    "allow signal send term, 35 to user",
    "allow signal receive usr1 from systemd",
    "allow ptrace read policy p",
    "allow ptrace trace self",
    "allow mount type tmpfs -> \"/a/\"",
    "allow mount type tmpfs from tmpfs -> \"/a/\" options ro, nosuid",
    "allow mount type ext4 from \"/dev/sda\" -> \"/a/\" options rw",
    "allow mount bind \"/a/\" -> \"/b/\"",
    "allow mount rbind \"/a/\" -> \"/b/\"",
    "allow mount move \"/a/\" -> \"/b/\"",
    "allow mount remount ro -> \"/b/\"",
    "allow mount remount bind, ro -> \"/b/\"",
    "allow mount make rprivate -> \"/\"",
    "allow unmount \"/b/\"",
    "allow pivot_root \"/old/\" -> \"/new/\"",
    "allow io_uring sqpoll",
    "allow mqueue create, delete \"/q\"",
    "allow shm",
];

/// What is shown as an example can be asked about: it reads back as a request of the same set. This holds for what a rule allows and for
/// what differs from it in a path or a name.
#[test]
fn shown_requests_read_back_as_themselves() {
    let mut shown = Vec::new();
    for rule in RULES {
        let text = format!("can 1; policy p {{ exec \"/p\"; {rule}; }}");
        let compiled = compile("p.can", text.as_bytes(), &NoFiles, &Options::default());
        let set = compiled.policies.unwrap_or_else(|| panic!("{rule}: {:?}", compiled.diagnostics));
        let policy = &set.policies()[0];
        let evaluator = Evaluator::new(&set, policy);
        let own = evaluator.rule_regions(&policy.rules[0]).unwrap();
        let others = own.iter().flat_map(others);
        for region in own.iter().cloned().chain(others) {
            let asked = RequestSet::new(vec![region]);
            let Some(text) = asked.witness(evaluator.peers()).unwrap() else { continue };
            let reading = parse_request(&text, &set, &Options::default());
            let request =
                reading.request.unwrap_or_else(|| panic!("{rule}: {text}: {:?}", reading.diagnostics));
            let read = RequestSet::new(request_regions(&request, evaluator.peers()).unwrap());
            assert!(read.minus(&asked).is_empty().unwrap(), "{rule}: `{text}` is another request");
            shown.push(text);
        }
    }
    assert!(shown.len() > RULES.len(), "{shown:?}");
}

/// The same with another path or name, for each that it has.
fn others(region: &Region) -> Vec<Region> {
    let with = |at: usize, dim: Dim| {
        let mut other = region.clone();
        other.dims[at] = dim;
        other
    };
    let turned = region.dims.iter().enumerate().filter_map(|(at, dim)| match dim {
        Dim::Paths(lang) => Some(with(at, Dim::Paths(Lang::All.minus(lang.clone())))),
        Dim::Names(lang) => Some(with(at, Dim::Names(Lang::All.minus(lang.clone())))),
        _ => None,
    });
    turned.collect()
}
