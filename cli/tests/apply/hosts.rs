//! Hosts that are not as they should be: layers that are off, hidden or permissive, tools that are too old, files and directories that
//! somebody else had his hands on.

use super::host::{Host, bundle};
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};

/// It fails with these words, and the host is as it was.
fn fails(host: &Host, words: &[&str], code: i32) {
    let before = host.everything();
    let ran = host.canc(&["apply", &bundle("one")]);
    assert_eq!(ran.code, Some(code), "{ran:?}");
    assert!(words.iter().all(|w| ran.err.contains(w)), "{words:?}: {ran:?}");
    assert_eq!(host.everything(), before);
}

/// As in a container on a host with AppArmor, and where nobody mounted it.
#[test]
fn a_kernel_whose_profiles_nobody_can_see_is_refused() {
    let host = Host::new(true, false);
    fs::create_dir_all(host.path("sys/module/apparmor/parameters")).unwrap();
    fs::write(host.path("sys/module/apparmor/parameters/enabled"), "Y\n").unwrap();
    host.good(&["apply", &bundle("one")]);
    fs::rename(host.path("sys/kernel/security"), host.path("sys/kernel/hidden")).unwrap();
    for words in [&["apply", &bundle("two")][..], &["status"], &["remove", "cat"], &["rollback", "1"]] {
        let before = host.everything();
        let ran = host.canc(words);
        assert!(ran.code == Some(4) && ran.err.contains("mount -t securityfs"), "{words:?}: {ran:?}");
        assert!(ran.err.contains("outside of the container"), "{ran:?}");
        assert_eq!(host.everything(), before);
    }
    fs::rename(host.path("sys/kernel/hidden"), host.path("sys/kernel/security")).unwrap();
    assert_eq!(host.canc(&["status"]).code, Some(0));
    // A kernel that has it off is no such host.
    fs::remove_dir_all(host.path("sys/kernel/security")).unwrap();
    fs::write(host.path("sys/module/apparmor/parameters/enabled"), "N\n").unwrap();
    assert_eq!(host.is("cat", "apparmor"), "off");
}

#[test]
fn a_layer_that_is_switched_off_later_is_told_and_given_back() {
    let host = Host::new(true, true);
    let before = host.everything();
    host.good(&["apply", &bundle("one")]);
    fs::rename(host.path("sys"), host.path("tmp/sys")).unwrap();
    assert_eq!((host.is("cat", "apparmor"), host.is("cat", "selinux")), ("off".into(), "off".into()));
    assert_eq!(host.canc(&["status"]).code, Some(1));
    // It is left for the kernel that runs it again.
    assert!(host.good(&["apply", &bundle("one")]).ends_with("nothing to change\n"));
    assert!(host.path("etc/apparmor.d/canc.cat").exists());
    fs::rename(host.path("tmp/sys"), host.path("sys")).unwrap();
    assert_eq!(host.canc(&["status"]).code, Some(0));
    host.good(&["remove", "cat"]);
    let strip = |mut all: std::collections::BTreeMap<String, String>| {
        all.remove("current");
        all
    };
    assert_eq!(strip(host.everything()), strip(before));
}

#[test]
fn a_permissive_host_is_told_and_installed_to() {
    let host = Host::new(false, true);
    fs::write(host.path("sys/fs/selinux/enforce"), "0").unwrap();
    host.good(&["apply", &bundle("one")]);
    let ran = host.canc(&["status"]);
    assert!(ran.code == Some(1) && ran.out.contains("setenforce 1"), "{ran:?}");
    assert_eq!(host.good(&["apply", &bundle("one")]), "nothing to change\n");
    fs::write(host.path("sys/fs/selinux/enforce"), "1").unwrap();
    assert_eq!(host.canc(&["status"]).code, Some(0));
}

/// As those of older distributions refuse what they do not know.
#[test]
fn tools_that_are_too_old_are_told_before_anything_changes() {
    let old = "#!/bin/sh\necho \"AppArmor parser error at line 4: Could not open 'abi/4.0'\" >&2\nexit 1\n";
    let host = Host::new(true, false);
    host.tool("apparmor_parser", old);
    fails(&host, &["abi/4.0", "nothing was changed"], 1);
    let host = Host::new(true, false);
    fs::remove_file(host.path("etc/apparmor.d/abi/4.0")).unwrap();
    fails(&host, &["does not have /etc/apparmor.d/abi/4.0", "nothing was changed"], 4);
    let old = "#!/bin/sh\necho 'libsepol: policydb module version 21 does not match my version range 4-19' >&2\nexit 1\n";
    let host = Host::new(false, true);
    host.tool("semodule", old);
    fails(&host, &["my version range 4-19", "nothing was changed"], 1);
}

/// They end well and did nothing.
#[test]
fn no_tool_is_believed() {
    for (tool, words) in [
        ("checkmodule", "checkmodule"),
        ("semodule_package", "canc_cat.pp"),
        ("semodule", "semodule"),
        ("restorecon", "which has \"system_u:object_r:before_t:s0\" and not"),
    ] {
        let host = Host::new(false, true);
        let before = host.everything();
        let right = fs::read_to_string(host.path("usr/sbin").join(tool)).unwrap();
        host.tool(tool, "#!/bin/sh\nhead -c 100000 /dev/urandom\nexit 0\n");
        let ran = host.canc(&["apply", &bundle("one")]);
        assert!(matches!(ran.code, Some(1 | 4)) && ran.err.contains(words), "{tool}: {ran:?}");
        host.tool(tool, &right);
        assert_eq!(host.canc(&["status"]).out, "no policy is installed\n", "{tool}");
        let (mut after, mut before) = (host.everything(), before);
        after.remove("usr/sbin");
        before.remove("usr/sbin");
        assert_eq!(after, before, "{tool}");
    }
}

#[test]
fn a_declared_directory_that_was_swapped_is_refused() {
    let host = Host::new(false, true);
    fs::create_dir(host.path("srv/secret")).unwrap();
    fs::write(host.path("srv/secret/key"), "key").unwrap();
    let swap = |host: &Host, owner: u32| {
        fs::rename(host.path("srv/x"), host.path("srv/kept")).unwrap();
        symlink(host.path("srv/secret"), host.path("srv/x")).unwrap();
        std::os::unix::fs::lchown(host.path("srv/x"), Some(owner), None).unwrap();
    };
    let label = |host: &Host| host.everything()["srv/secret/key"].clone();
    let before = label(&host);
    swap(&host, 1234);
    fails(&host, &["belongs to user 1234"], 1);
    assert_eq!(label(&host), before);
    // After it was labelled.
    fs::remove_file(host.path("srv/x")).unwrap();
    fs::rename(host.path("srv/kept"), host.path("srv/x")).unwrap();
    host.good(&["apply", &bundle("one")]);
    swap(&host, 1234);
    assert_eq!(host.is("cat", "labels"), "altered");
    let ran = host.canc(&["apply", &bundle("two")]);
    assert!(ran.code != Some(0) && ran.err.contains("belongs to user 1234"), "{ran:?}");
    let ran = host.canc(&["remove", "cat"]);
    assert!(ran.code != Some(0) && ran.err.contains("belongs to user 1234"), "{ran:?}");
    assert_eq!(label(&host), before);
    // Put right, it goes.
    fs::remove_file(host.path("srv/x")).unwrap();
    fs::rename(host.path("srv/kept"), host.path("srv/x")).unwrap();
    host.good(&["remove", "cat"]);
    assert_eq!(host.canc(&["status"]).out, "no policy is installed\n");
    assert!(host.everything()["srv/x/notes"].contains("before_t"));
}

#[test]
fn what_others_can_write_of_the_store_is_not_read() {
    type Spoil = fn(&Host, &str);
    let ways: [(Spoil, &str); 3] = [
        (
            |h, file| fs::set_permissions(h.path(file), fs::Permissions::from_mode(0o666)).unwrap(),
            "others can write",
        ),
        (|h, file| chown(h.path(file), Some(1234), None).unwrap(), "belongs to user 1234"),
        (
            |h, file| {
                fs::rename(h.path(file), h.path("tmp/moved")).unwrap();
                symlink(h.path("tmp/moved"), h.path(file)).unwrap();
            },
            "symbolic link",
        ),
    ];
    for (spoil, words) in ways {
        for file in ["history.json", "labels.json", "state"] {
            let host = Host::new(true, true);
            host.good(&["apply", &bundle("one")]);
            let current = fs::read_link(host.path("var/lib/canc/current")).unwrap().display().to_string();
            let file = match file {
                "state" => format!("var/lib/canc/{current}/state.json"),
                file => format!("var/lib/canc/{file}"),
            };
            spoil(&host, &file);
            let before = host.everything();
            let ran = host.canc(&["rollback", "1"]);
            assert!(ran.code == Some(4) && ran.err.contains(words), "{file}: {words}: {ran:?}");
            assert_eq!(host.everything(), before);
        }
    }
    // A journal that somebody else wrote has root do nothing.
    let host = Host::new(true, true);
    host.good(&["apply", &bundle("one")]);
    let entry = r#"{"number":9,"generation":"x","at":0,"did":"x"}"#;
    let journal = format!(r#"{{"from":null,"to":"x","undo":false,"entry":{entry}}}"#);
    fs::write(host.path("var/lib/canc/journal.json"), journal).unwrap();
    chown(host.path("var/lib/canc/journal.json"), Some(1234), None).unwrap();
    let ran = host.canc(&["apply", &bundle("two")]);
    assert!(ran.code == Some(4) && ran.err.contains("belongs to user 1234"), "{ran:?}");
    // Nor is a bundle started that others could have changed.
    let bundles = fs::read_dir(host.path("var/lib/canc/bundles")).unwrap().next().unwrap().unwrap().path();
    fs::remove_file(host.path("var/lib/canc/journal.json")).unwrap();
    fs::set_permissions(&bundles, fs::Permissions::from_mode(0o777)).unwrap();
    assert_eq!(host.is("cat", "store"), "altered");
}
