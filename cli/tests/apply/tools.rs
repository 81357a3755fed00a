//! Tools that are missing, fail, hang or say garbage, and many commands at a time.

use super::host::{Host, bundle, policy};
use std::fs;
use std::time::{Duration, Instant};

const TOOLS: [&str; 5] = ["apparmor_parser", "checkmodule", "semodule_package", "semodule", "restorecon"];

/// An apply of the second version fails, and the host is as it was; with the tool put right the next one succeeds.
fn fails(spoil: impl Fn(&Host, &str), words: &[&str]) {
    for tool in TOOLS {
        let host = Host::new(true, true);
        host.good(&["apply", &bundle("one")]);
        let (before, right) =
            (host.everything(), fs::read_to_string(host.path("usr/sbin").join(tool)).unwrap());
        spoil(&host, tool);
        let start = Instant::now();
        let ran = host.canc(&["apply", &bundle("two"), "--tool-limit", "2"]);
        assert!(matches!(ran.code, Some(1 | 4)), "{tool}: {ran:?}");
        assert!(words.iter().any(|w| ran.err.contains(w)) && ran.err.contains(tool), "{tool}: {ran:?}");
        assert!(start.elapsed() < Duration::from_secs(40), "{tool} took {:?}", start.elapsed());
        host.tool(tool, &right);
        // Where going back needs the tool too, the next command does it.
        assert_eq!(host.canc(&["status"]).code, Some(0), "{tool}");
        let mut after = host.everything();
        after.remove("usr/sbin");
        let mut before = before;
        before.remove("usr/sbin");
        assert_eq!(after, before, "{tool}: {}", ran.err);
        host.good(&["apply", &bundle("two")]);
    }
}

#[test]
fn a_tool_that_fails_changes_nothing() {
    fails(|host, tool| host.tool(tool, "#!/bin/sh\necho no such thing >&2\nexit 3\n"), &["no such thing"]);
}

#[test]
fn a_tool_that_is_missing_changes_nothing() {
    fails(|host, tool| fs::remove_file(host.path("usr/sbin").join(tool)).unwrap(), &["not installed"]);
}

#[test]
fn a_tool_that_hangs_is_ended_and_changes_nothing() {
    fails(|host, tool| host.tool(tool, "#!/bin/sh\nsleep 600\n"), &["no end within 2 s"]);
}

/// They say that all is well, and do nothing.
#[test]
fn a_tool_that_only_says_that_it_did_is_not_believed() {
    for tool in ["apparmor_parser", "semodule"] {
        let host = Host::new(true, true);
        let before = host.everything();
        let right = fs::read_to_string(host.path("usr/sbin").join(tool)).unwrap();
        host.tool(tool, "#!/bin/sh\nhead -c 100000 /dev/urandom\nexit 0\n");
        let ran = host.canc(&["apply", &bundle("one")]);
        assert_eq!(ran.code, Some(4), "{ran:?}");
        assert!(ran.err.contains(tool) && ran.err.contains("does not have it"), "{ran:?}");
        host.tool(tool, &right);
        assert_eq!(host.canc(&["status"]).out, "no policy is installed\n");
        let (mut after, mut before) = (host.everything(), before);
        after.remove("usr/sbin");
        before.remove("usr/sbin");
        // Where the store is there is nothing that anybody else would miss.
        assert_eq!(after, before);
    }
}

/// Ten bundles, each ten times, at once: all succeed, and everything is there once.
#[test]
fn a_hundred_applies_at_once_come_one_after_another() {
    let host = Host::new(true, true);
    let dir = tempfile::tempdir().unwrap();
    let sources: Vec<String> = (0..10)
        .map(|i| {
            let file = dir.path().join(format!("p{i}.can"));
            fs::write(&file, policy(&format!("p{i}"), &format!("/srv/p{i}"))).unwrap();
            let bundle = dir.path().join(format!("p{i}.canc"));
            let mut build = std::process::Command::new(super::host::canc());
            build.args(["build", "--arch", "x86_64", "-o"]).arg(&bundle).arg(&file);
            assert!(build.output().unwrap().status.success());
            bundle.display().to_string()
        })
        .collect();
    let start = |i: usize| {
        let mut command = host.command(&["apply", &sources[i % 10], "--wait", "600"]);
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap()
    };
    let running: Vec<_> = (0..100).map(start).collect();
    let mut nothing = 0;
    for child in running {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        nothing += usize::from(String::from_utf8_lossy(&output.stdout).ends_with("nothing to change\n"));
    }
    assert_eq!(nothing, 90);
    assert_eq!(host.json(&["history", "--json"])["history"].as_array().unwrap().len(), 10);
    assert_eq!(host.canc(&["status"]).code, Some(0));
    let loads = host.calls().iter().filter(|c| c.starts_with("apparmor_parser --replace")).count();
    assert_eq!(loads, 10);
}

#[test]
fn a_lock_that_is_held_is_waited_for_and_no_longer() {
    let host = Host::new(true, false);
    host.good(&["apply", &bundle("one")]);
    let lock = fs::File::open(host.path("var/lib/canc/lock")).unwrap();
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive).unwrap();
    let ran = host.canc(&["apply", &bundle("two"), "--wait", "1"]);
    assert_eq!(ran.code, Some(4));
    assert!(ran.err.contains("another canc") && ran.err.contains("--wait"), "{ran:?}");
    // Looking needs no lock.
    assert_eq!(host.canc(&["status"]).code, Some(0));
    drop(lock);
    host.good(&["apply", &bundle("two"), "--wait", "1"]);
}
