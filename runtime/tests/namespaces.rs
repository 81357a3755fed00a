//! `isolate`: the program is in namespaces of its own, with nothing gained by it.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use serde_json::{Value, json};
use std::net::TcpListener;
use std::process::Command;
use support::{Made, ran};

/// As the tests' own user, and as an ordinary one.
fn as_both(made: &mut Made, arguments: &[&str]) -> Vec<Value> {
    let bundle = made.write();
    let words = [made.canc_run(), bundle, made.probe()];
    let mut own = Command::new(&words[0]);
    own.args(&words[1..]).args(arguments);
    let mut commands = vec![own];
    if rustix::process::geteuid().is_root() {
        let mut user = Command::new("setpriv");
        user.args(["--reuid", "1000", "--regid", "1000", "--clear-groups", "--"])
            .args(&words)
            .args(arguments);
        commands.push(user);
    }
    let answer = |mut command: Command| {
        let ran = ran(&mut command);
        serde_json::from_str(&ran.out).unwrap_or_else(|e| panic!("{e}: {} {}", ran.out, ran.err))
    };
    commands.into_iter().map(answer).collect()
}

fn isolated(kinds: &[&str]) -> Made {
    let mut made = Made::new();
    made.launch().isolate = kinds.iter().map(|k| (*k).to_owned()).collect();
    made
}

#[test]
fn the_network_is_a_loopback_device_alone() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let mut made = isolated(&["user", "net"]);
    let connect = ["connect", "tcp", "127.0.0.1", port.as_str()];
    assert!(made.ask_bare(&connect).get("error").is_none());
    for answer in as_both(&mut made, &connect) {
        // Nobody listens there. ENETUNREACH would mean that the device is down.
        assert_eq!(answer["error"], "ECONNREFUSED");
    }
    for answer in as_both(&mut made, &["connect", "udp", "192.0.2.1", "53"]) {
        assert_eq!(answer["error"], "ENETUNREACH");
    }
}

#[test]
fn each_kind_is_a_namespace_of_its_own() {
    for kind in ["user", "net", "ipc", "uts"] {
        let link = format!("/proc/self/ns/{kind}");
        let outside = Made::new().ask(&["readlink", &link])["result"].clone();
        assert_eq!(Made::new().ask_bare(&["readlink", &link])["result"], outside, "{kind} without isolate");
        for answer in as_both(&mut isolated(&["user", kind]), &["readlink", &link]) {
            assert_ne!(answer["result"], outside, "{kind}");
            assert!(answer["result"].as_str().unwrap().starts_with(&format!("{kind}:[")));
        }
    }
}

#[test]
fn a_user_namespace_brings_no_capability_and_no_other_id() {
    let own = rustix::process::geteuid().as_raw();
    let states = as_both(&mut isolated(&["user", "net"]), &["state"]);
    for (answer, uid) in states.iter().zip([own, 1000]) {
        let found = &answer["result"];
        assert_eq!(found["uids"], json!([uid, uid, uid]));
        for set in ["permitted", "effective", "inheritable", "bounding", "ambient"] {
            assert_eq!(found[set], "0000000000000000", "{set} of {uid}");
        }
    }
    // With it declared, root has it inside, an ordinary user has not.
    let mut made = isolated(&["user", "net"]);
    made.launch().capabilities = vec![12];
    let states = as_both(&mut made, &["state"]);
    if own == 0 {
        assert_eq!(states[0]["result"]["effective"], "0000000000001000");
    }
    assert_eq!(states.last().unwrap()["result"]["effective"], "0000000000000000");
    // No other id exists there.
    for answer in as_both(&mut isolated(&["user", "net"]), &["setgid", "5"]) {
        assert_eq!(answer["error"], "EINVAL");
    }
}

#[test]
fn without_privilege_and_without_a_user_namespace_it_is_refused() {
    assert!(rustix::process::geteuid().is_root(), "run the tests by sudo, as ci/test does");
    let mut made = isolated(&["net"]);
    let bundle = made.write();
    let mut command = Command::new("setpriv");
    command.args(["--reuid", "1000", "--regid", "1000", "--clear-groups", "--"]);
    let ran = ran(command.arg(made.canc_run()).arg(bundle).arg(made.probe()).arg("label"));
    support::refused(&ran, &["isolate net", "isolate user, net"]);
    made.permits(&["list", "/"]);
}
