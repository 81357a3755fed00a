//! What the commands do and say: apply, status, remove, history, rollback, and what they refuse before anything changes.

use super::host::{Host, bundle, policy};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Command;

#[test]
fn what_is_applied_is_there_and_what_is_removed_is_gone() {
    let host = Host::new(true, true);
    let before = host.everything();
    host.good(&["apply", &bundle("one"), &bundle("dog")]);
    for layer in ["store", "apparmor", "selinux", "labels"] {
        assert_eq!(host.is("cat", layer), "installed", "{layer}");
    }
    let profile = fs::read(bundle("one") + "/apparmor/canc.cat").unwrap();
    assert_eq!(fs::read(host.path("etc/apparmor.d/canc.cat")).unwrap(), profile);
    let first = host.everything();
    assert!(first["srv/x/deep/more"].contains("canc__cat__data_t"), "{}", first["srv/x/deep/more"]);
    assert!(first["srv/y/other"].contains("before_t"), "what was not declared got a label");
    host.good(&["remove", "--all"]);
    let strip = |mut all: std::collections::BTreeMap<String, String>| {
        all.remove("current");
        all
    };
    assert_eq!(strip(host.everything()), strip(before));
    assert_eq!(host.canc(&["status"]).out, "no policy is installed\n");
    host.good(&["apply", &bundle("one"), &bundle("dog")]);
    assert_eq!(host.everything(), first, "applied again, it is something else");
}

#[test]
fn an_apply_that_changes_nothing_runs_no_tool() {
    let host = Host::new(true, true);
    host.good(&["apply", &bundle("one")]);
    assert!(host.calls().iter().any(|call| call.starts_with("semodule -i")));
    let before = host.everything();
    assert_eq!(host.good(&["apply", &bundle("one")]), "nothing to change\n");
    assert_eq!(host.calls(), Vec::<String>::new());
    assert_eq!(host.everything(), before);
    let said = host.json(&["apply", &bundle("two"), "--dry-run", "--json"]);
    assert_eq!((said["changed"].as_bool(), host.calls().len()), (Some(false), 0));
    assert!(
        said["changes"]
            .as_array()
            .unwrap()
            .iter()
            .any(|c| c["does"] == "replace" && c["layer"] == "apparmor")
    );
    assert_eq!(said["rules"][0]["does"], "adds", "{said}");
    assert!(said["rules"][0]["rule"].as_str().unwrap().contains("/srv/y/**"), "{said}");
    assert_eq!(host.everything(), before, "a dry run changed something");
}

#[test]
fn profiles_are_replaced_and_never_unloaded_in_between() {
    let host = Host::new(true, true);
    host.good(&["apply", &bundle("one")]);
    host.good(&["apply", &bundle("two")]);
    let calls = host.calls();
    assert!(!calls.iter().any(|c| c.contains("--remove") || c.contains("semodule -r")), "{calls:?}");
}

#[test]
fn only_what_the_kernel_runs_is_installed() {
    for (apparmor, selinux) in [(true, false), (false, true), (false, false)] {
        let host = Host::new(apparmor, selinux);
        host.good(&["apply", &bundle("one")]);
        let want = |on| if on { "installed" } else { "kept" };
        assert_eq!(host.is("cat", "apparmor"), want(apparmor));
        assert_eq!(host.is("cat", "selinux"), want(selinux));
        assert_eq!(host.path("etc/apparmor.d/canc.cat").exists(), apparmor);
        let ran = host.calls();
        assert_eq!(ran.iter().any(|c| c.starts_with("apparmor_parser")), apparmor);
        assert_eq!(ran.iter().any(|c| c.starts_with("semodule")), selinux);
    }
}

#[test]
fn what_is_changed_by_hand_is_seen_and_mended() {
    let kernel = "sys/kernel/security/apparmor/policy/profiles/canc.cat.1";
    let module = "var/lib/selinux/default/active/modules/400/canc_cat/hll";
    let cases: [(&str, &str, &str, &str); 7] = [
        ("etc/apparmor.d/canc.cat", "profile canc.cat {}", "apparmor", "altered"),
        ("etc/apparmor.d/canc.cat", "", "apparmor", "missing"),
        (&format!("{kernel}/sha256"), "00", "apparmor", "altered"),
        (&format!("{kernel}/mode"), "complain", "apparmor", "altered"),
        (module, "another", "selinux", "altered"),
        ("sys/fs/selinux/types", " ", "selinux", "missing"),
        ("sys/fs/selinux/enforce", "0", "selinux", "permissive"),
    ];
    for (file, text, layer, want) in cases {
        let host = Host::new(true, true);
        host.good(&["apply", &bundle("one")]);
        let right = host.everything();
        match text {
            "" => fs::remove_file(host.path(file)).unwrap(),
            text => fs::write(host.path(file), text).unwrap(),
        }
        assert_eq!(host.is("cat", layer), want, "{file}");
        assert_eq!(host.canc(&["status"]).code, Some(1), "{file}");
        if want != "permissive" {
            host.good(&["apply", &bundle("one")]);
            assert_eq!(host.everything(), right, "{file}");
        }
    }
    let host = Host::new(true, true);
    host.good(&["apply", &bundle("one")]);
    let bundles = fs::read_dir(host.path("var/lib/canc/bundles")).unwrap().next().unwrap().unwrap().path();
    fs::write(bundles.join("seccomp/cat.x86_64.bpf"), "12345678").unwrap();
    assert_eq!(host.is("cat", "store"), "altered");
    host.good(&["apply", &bundle("one")]);
    assert_eq!(host.is("cat", "store"), "installed");
    assert!(Command::new("chcon").arg("a:b:other_t:s0").arg(host.path("srv/x")).status().unwrap().success());
    assert_eq!(host.is("cat", "labels"), "altered");
}

#[test]
fn a_source_that_was_changed_is_stale() {
    let host = Host::new(true, false);
    let dir = tempfile::tempdir().unwrap();
    let source = dir.path().join("cat.can");
    fs::write(&source, policy("cat", "/srv/x")).unwrap();
    host.good(&["apply", source.to_str().unwrap()]);
    assert_eq!(host.canc(&["status"]).code, Some(0));
    fs::write(&source, policy("cat", "/srv/y")).unwrap();
    let ran = host.canc(&["status", "cat"]);
    assert!(ran.code == Some(1) && ran.out.contains("stale"), "{ran:?}");
    let ran = host.canc(&["status", "none"]);
    assert!(ran.code == Some(1) && ran.out.contains("not installed"), "{ran:?}");
}

#[test]
fn one_can_go_back_and_forth() {
    let host = Host::new(true, true);
    host.good(&["apply", &bundle("one")]);
    let one = host.everything();
    host.good(&["apply", &bundle("two")]);
    let two = host.everything();
    host.good(&["rollback"]);
    assert_eq!(host.everything(), one);
    host.good(&["rollback", "2"]);
    assert_eq!(host.everything(), two);
    let ran = host.canc(&["rollback", "77"]);
    assert!(ran.code == Some(1) && ran.err.contains("canc history"), "{ran:?}");
    let history = host.json(&["history", "--json"]);
    assert_eq!(history["history"].as_array().unwrap().len(), 4);
    assert_eq!(history["current"], history["history"][1]["generation"]);
    // Labels that were given back are those from before the first apply.
    host.good(&["remove", "cat"]);
    assert!(host.everything()["srv/x/notes"].contains("before_t"));
}

#[test]
fn what_becomes_allowed_and_denied_is_said_in_words() {
    let host = Host::new(true, false);
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("lib")).unwrap();
    let (source, more) = (dir.path().join("cat.can"), dir.path().join("lib/more.can"));
    let write = |own: &str, used: &str| {
        let text = policy("cat", own).replace("can 1;\n", "can 1;\nuse \"lib/../lib/more.can\" as m;\n");
        fs::write(&source, text.replace("std.base", "std.base, m.more")).unwrap();
        fs::write(&more, format!("can 1;\nfragment more {{ allow read \"{used}/**\"; }}\n")).unwrap();
    };
    let apply = |words: &[&str]| host.good(&[&["apply", source.to_str().unwrap()], words].concat());
    write("/srv/x", "/srv/m");
    assert!(!apply(&[]).contains("allowed"), "a first apply has nothing to compare with");
    write("/srv/y", "/srv/n");
    let said = apply(&["--dry-run"]);
    for line in ["+ allowed read \"/srv/y/**\", such as read \"/srv/y/a\"", "+ allowed read \"/srv/n/**\""] {
        assert!(said.contains(line), "{said}");
    }
    for line in ["- denied  read \"/srv/x/**\"", "- denied  read \"/srv/m/**\""] {
        assert!(said.contains(line), "{said}");
    }
    assert!(!said.contains("adds") && !said.contains("drops"), "{said}");
    let json = host.json(&["apply", source.to_str().unwrap(), "--dry-run", "--json"]);
    assert_eq!(json["differences"][0]["widens"], true, "{json}");
    assert_eq!(json["differences"][0]["policies"][0]["new"], "cat");
    apply(&[]);
    let said = host.good(&["rollback", "--dry-run"]);
    assert!(
        said.contains("+ allowed read \"/srv/m/**\"") && said.contains("- denied  read \"/srv/n/**\""),
        "{said}"
    );
    // What somebody else could have written, or is not what was installed, is not compared with: the rules' texts are.
    let current = fs::read_link(host.path("var/lib/canc/current")).unwrap();
    let state = fs::read_to_string(host.path("var/lib/canc").join(current).join("state.json")).unwrap();
    let state: serde_json::Value = serde_json::from_str(&state).unwrap();
    let bundle = state["policies"]["cat"]["bundle"].as_str().unwrap();
    let kept = host.path("var/lib/canc/bundles").join(bundle).join("source.json");
    let text = fs::read_to_string(&kept).unwrap();
    write("/srv/z", "/srv/n");
    for spoiled in [text.replace("/srv/y", "/srv/z"), "{}".to_owned(), text.clone()] {
        fs::write(&kept, &spoiled).unwrap();
        if spoiled == text {
            fs::set_permissions(&kept, fs::Permissions::from_mode(0o666)).unwrap();
        }
        let said = apply(&["--dry-run"]);
        assert!(said.contains("adds     allow read \"/srv/z/**\"") && !said.contains("+ allowed"), "{said}");
    }
}

#[test]
fn old_generations_are_forgotten_and_the_others_can_be_gone_back_to() {
    let host = Host::new(true, true);
    let dir = tempfile::tempdir().unwrap();
    let source = dir.path().join("cat.can");
    let mut seen = Vec::new();
    for i in 0..25 {
        fs::write(&source, policy("cat", &format!("/srv/d{i}"))).unwrap();
        host.good(&["apply", source.to_str().unwrap()]);
        seen.push(host.everything());
    }
    let count = |room: &str| fs::read_dir(host.path("var/lib/canc").join(room)).unwrap().count();
    assert_eq!(host.everything_of_history_is_there(), Ok(20));
    assert_eq!((count("generations"), count("bundles")), (20, 20));
    let ran = host.canc(&["rollback", "5"]);
    assert!(ran.code == Some(1) && ran.err.contains("canc history"), "{ran:?}");
    // The oldest that is left; one more is forgotten for it.
    host.good(&["rollback", "6"]);
    assert_eq!(host.everything(), seen[5]);
    host.good(&["rollback", "25"]);
    assert_eq!(host.everything(), seen[24]);
    assert_eq!(host.everything_of_history_is_there(), Ok(20));
    assert_eq!(host.canc(&["status"]).code, Some(0));
}

/// Refused with these words, and nothing is changed, not even the store.
fn conflict(host: &Host, subjects: &[&str], words: &[&str]) {
    let before = host.everything();
    let all: Vec<&str> = ["apply"].iter().chain(subjects).copied().collect();
    let ran = host.canc(&all);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(words.iter().all(|w| ran.err.contains(w)) && ran.err.contains("to mend it"), "{ran:?}");
    assert_eq!(host.everything(), before);
    assert_eq!(host.calls(), Vec::<String>::new());
}

#[test]
fn conflicts_are_found_before_anything_changes() {
    let host = Host::new(true, true);
    fs::write(host.path("etc/apparmor.d/canc.cat"), "profile canc.cat {}").unwrap();
    conflict(&host, &[&bundle("one")], &["canc did not install"]);

    let host = Host::new(true, true);
    let loaded = host.path("sys/kernel/security/apparmor/policy/profiles/canc.cat.7");
    fs::create_dir(&loaded).unwrap();
    fs::write(loaded.join("name"), "canc.cat\n").unwrap();
    fs::write(loaded.join("mode"), "enforce\n").unwrap();
    conflict(&host, &[&bundle("one")], &["profile canc.cat", "canc did not load"]);

    let host = Host::new(true, true);
    fs::create_dir(host.path("var/lib/selinux/default/active/modules/400/canc_cat")).unwrap();
    conflict(&host, &[&bundle("one")], &["module canc_cat", "semodule -r"]);

    let host = Host::new(true, true);
    conflict(&host, &[&bundle("one"), &bundle("two")], &["policy cat", "two of the bundles"]);
    let dir = tempfile::tempdir().unwrap();
    let same = dir.path().join("same.can");
    fs::write(&same, policy("same", "/srv/x")).unwrap();
    conflict(
        &host,
        &[&bundle("one"), same.to_str().unwrap()],
        &["label of /srv/x", "policy cat and policy same"],
    );

    let attach = |name: &str| {
        let file = dir.path().join(format!("{name}.can"));
        let text =
            policy(name, &format!("/srv/{name}")).replace("exec \"/usr/bin/cat\"", "attach \"/usr/bin/cat\"");
        fs::write(&file, text).unwrap();
        file.display().to_string()
    };
    let (a, b) = (attach("a"), attach("b"));
    conflict(&host, &[&a, &b], &["attachment to /usr/bin/cat"]);
    let foreign = host.path("sys/kernel/security/apparmor/policy/profiles/stock.3");
    fs::create_dir(&foreign).unwrap();
    for (file, text) in [("name", "stock\n"), ("mode", "enforce\n"), ("attach", "/usr/bin/cat\n")] {
        fs::write(foreign.join(file), text).unwrap();
    }
    conflict(&host, &[&a], &["the profile stock, which is not canc's"]);
}

#[test]
fn a_file_with_another_name_elsewhere_gets_no_label() {
    let host = Host::new(false, true);
    fs::write(host.path("etc/shadow"), "secret").unwrap();
    fs::hard_link(host.path("etc/shadow"), host.path("srv/x/innocent")).unwrap();
    conflict(&host, &[&bundle("one")], &["1 more names outside of /srv/x"]);
    fs::remove_file(host.path("srv/x/innocent")).unwrap();
    // Names that all lie below are no way out, and a link is not followed.
    fs::hard_link(host.path("srv/x/notes"), host.path("srv/x/twice")).unwrap();
    symlink(host.path("etc"), host.path("srv/x/link")).unwrap();
    let shadow = host.everything()["etc/shadow"].clone();
    host.good(&["apply", &bundle("one")]);
    host.good(&["remove", "cat"]);
    assert_eq!(host.everything()["etc/shadow"], shadow);
}

#[test]
fn a_store_that_others_can_change_is_refused() {
    let refused = |host: &Host, words: &str| {
        for command in
            [&["apply", &bundle("one")][..], &["status"], &["history"], &["remove", "--all"], &["rollback"]]
        {
            let ran = host.canc(command);
            assert_eq!(ran.code, Some(4), "{ran:?}");
            assert!(ran.err.contains(words), "{words}: {ran:?}");
        }
    };
    let open = |host: &Host, name: &str| {
        fs::set_permissions(host.path(name), fs::Permissions::from_mode(0o777)).unwrap()
    };
    for room in
        ["var/lib/canc", "var/lib/canc/bundles", "var/lib/canc/generations", "var/lib/canc/loaded", "var/lib"]
    {
        let host = Host::new(true, true);
        fs::create_dir_all(host.path(room)).unwrap();
        open(&host, room);
        refused(&host, "others can write it");
    }
    let host = Host::new(true, true);
    fs::create_dir(host.path("elsewhere")).unwrap();
    symlink(host.path("elsewhere"), host.path("var/lib/canc")).unwrap();
    refused(&host, "symbolic link");
    let host = Host::new(true, true);
    fs::create_dir(host.path("var/lib/canc")).unwrap();
    std::os::unix::fs::chown(host.path("var/lib/canc"), Some(1234), None).unwrap();
    refused(&host, "belongs to user 1234");
}

#[test]
fn an_ordinary_user_is_told_what_to_run() {
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let program = dir.path().join("canc");
    fs::copy(super::host::canc(), &program).unwrap();
    let run = |words: &[&str]| {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=1234", "--regid=1234", "--clear-groups"]).arg(&program).args(words);
        super::host::Ran::from(command.output().unwrap())
    };
    for words in [&["apply", &bundle("one")][..], &["remove", "cat"], &["rollback"]] {
        let ran = run(words);
        let command = format!("run: sudo {} {}", program.display(), words.join(" "));
        assert!(ran.code == Some(4) && ran.err.contains(&command), "{ran:?}");
    }
}
