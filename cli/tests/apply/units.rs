//! Services under policies: the drop-in that is written, what of a unit stands against it, and that it goes again.

use super::host::{Host, SERVICE, UNIT, bundle, policy};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

const DROP_IN: &str = "etc/systemd/system/web.service.d/zz-canc.conf";
const ADMIN: &str = "etc/systemd/system/web.service.d";

fn host() -> Host {
    Host::new(true, false).with_service()
}

fn text(host: &Host, name: &str) -> String {
    fs::read_to_string(host.path(name)).unwrap()
}

/// A drop-in of the administrator.
fn drop_in(host: &Host, lines: &str) {
    fs::create_dir_all(host.path(ADMIN)).unwrap();
    fs::write(host.path(ADMIN).join("override.conf"), format!("[Service]\n{lines}\n")).unwrap();
}

#[test]
fn a_service_gets_a_drop_in_and_loses_it_again() {
    let host = host();
    let before = host.everything();
    let said = host.good(&["apply", &bundle("one"), "--unit", "web.service"]);
    assert!(said.contains("systemctl restart web.service") && said.contains("zz-canc.conf"), "{said}");
    let written = text(&host, DROP_IN);
    let command =
        "ExecStart=\nExecStart=/usr/bin/canc-run cat -- /usr/bin/cat /srv/x/notes  'two words' $MORE\n";
    assert!(written.ends_with(command), "{written}");
    assert_eq!(host.is("cat", "unit"), "installed");
    assert_eq!(host.calls().iter().filter(|c| *c == "systemctl daemon-reload").count(), 1);
    let first = host.everything();
    // It stays with the policy, whose next version is applied without a word about it.
    assert_eq!(host.good(&["apply", &bundle("one")]), "nothing to change\n");
    assert_eq!(host.calls(), Vec::<String>::new());
    host.good(&["apply", &bundle("two")]);
    assert_eq!(text(&host, DROP_IN), written);
    host.good(&["rollback"]);
    assert_eq!(host.everything(), first);
    host.good(&["apply", &bundle("one"), "--no-unit"]);
    assert!(!host.path(ADMIN).exists());
    host.good(&["rollback"]);
    assert_eq!(host.everything(), first);
    host.calls();
    host.good(&["remove", "cat"]);
    assert_eq!(host.calls().iter().filter(|c| *c == "systemctl daemon-reload").count(), 1);
    let (mut after, mut before) = (host.everything(), before);
    after.remove("current");
    before.remove("current");
    assert_eq!(after, before);
}

#[test]
fn what_others_put_beside_it_stays() {
    let one = host();
    drop_in(&one, "Nice=5");
    let good = |host: &Host| {
        host.good(&["apply", &bundle("one"), "--unit", "web.service"]);
    };
    let both = |host: &Host| (host.path(ADMIN).join("override.conf").exists(), host.path(DROP_IN).exists());
    good(&one);
    one.good(&["remove", "cat"]);
    assert_eq!(both(&one), (true, false));
    let two = host();
    good(&two);
    drop_in(&two, "Nice=5");
    two.good(&["remove", "cat"]);
    assert_eq!(both(&two), (true, false));
    // An empty directory that was there before stays too.
    let three = host();
    fs::create_dir(three.path(ADMIN)).unwrap();
    good(&three);
    three.good(&["remove", "cat"]);
    assert!(three.path(ADMIN).is_dir());
}

#[test]
fn without_systemd_running_nobody_is_told_to_read_it() {
    let host = host();
    fs::remove_dir(host.path("run/systemd/system")).unwrap();
    host.good(&["apply", &bundle("one"), "--unit", "web.service"]);
    assert!(!host.calls().iter().any(|call| call.starts_with("systemctl")));
}

#[test]
fn a_systemd_that_refuses_has_it_undone() {
    let host = host();
    let right = text(&host, "usr/sbin/systemctl");
    host.good(&["apply", &bundle("dog")]);
    host.tool("systemctl", "#!/bin/sh\necho no bus >&2; exit 1\n");
    let ran = host.canc(&["apply", &bundle("one"), "--unit", "web.service"]);
    assert!(ran.code == Some(4) && ran.err.contains("no bus"), "{ran:?}");
    host.tool("systemctl", &right);
    assert_eq!(host.canc(&["status"]).code, Some(0));
    assert!(!host.path(ADMIN).exists() && !host.path("etc/apparmor.d/canc.cat").exists());
}

#[test]
fn what_is_changed_at_a_unit_is_seen_and_mended() {
    type Change = fn(&Host);
    let cases: [(&str, Change, &str); 4] = [
        ("missing", |h| fs::remove_file(h.path(DROP_IN)).unwrap(), "is gone"),
        ("altered", |h| fs::write(h.path(DROP_IN), "[Service]\n").unwrap(), "changed by hand"),
        (
            "altered",
            |h| fs::write(h.path(UNIT), "[Service]\nExecStart=/usr/bin/cat /srv/x/deep\n").unwrap(),
            "starts something else since",
        ),
        ("altered", |h| drop_in(h, "SystemCallFilter=@system-service"), "SystemCallFilter="),
    ];
    for (want, change, words) in cases {
        let host = host();
        host.good(&["apply", &bundle("one"), "--unit", "web.service"]);
        change(&host);
        let ran = host.canc(&["status"]);
        assert!(ran.code == Some(1) && ran.out.contains(words), "{words}: {ran:?}");
        assert_eq!(host.is("cat", "unit"), want, "{words}");
        if words.starts_with("SystemCallFilter") {
            let ran = host.canc(&["apply", &bundle("one")]);
            assert!(ran.code == Some(1) && ran.err.contains(words), "{ran:?}");
            continue;
        }
        host.good(&["apply", &bundle("one")]);
        assert_eq!(host.is("cat", "unit"), "installed", "{words}");
        assert!(text(&host, DROP_IN).contains("canc-run cat -- /usr/bin/cat"));
    }
}

/// Refused with these words and a remedy; nothing is changed and no tool runs.
fn refused(host: &Host, words: &[&str], unit: &str) {
    let before = host.everything();
    let ran = host.canc(&["apply", &bundle("one"), "--unit", unit]);
    assert_eq!(ran.code, Some(1), "{words:?}: {ran:?}");
    assert!(
        words.iter().all(|w| ran.err.contains(w)) && ran.err.contains("to mend it"),
        "{words:?}: {ran:?}"
    );
    assert_eq!(host.everything(), before, "{words:?}");
    assert_eq!(host.calls(), Vec::<String>::new());
}

#[test]
fn what_stands_against_it_in_a_unit_is_found_first() {
    for (lines, words) in [
        ("SystemCallFilter=@system-service", &["SystemCallFilter=@system-service", "canc-run"][..]),
        ("NoNewPrivileges=no", &["NoNewPrivileges=no"]),
        ("AppArmorProfile=web", &["AppArmorProfile=web", "one label"]),
        ("SELinuxContext=a:b:c:s0", &["SELinuxContext="]),
        ("RootDirectory=/srv/root", &["RootDirectory=/srv/root"]),
        ("TemporaryFileSystem=/var:ro", &["TemporaryFileSystem=/var"]),
        ("ExecStart=/usr/bin/cat /srv/x/deep", &["2 lines with ExecStart="]),
        ("ExecStart=\nExecStart=/usr/bin/cat /srv/x/deep", &["override.conf sets ExecStart= too"]),
    ] {
        let host = host();
        drop_in(&host, lines);
        refused(&host, words, "web.service");
        // Taken back, it is none.
        let key = lines.split('=').next().unwrap();
        if key != "ExecStart" {
            drop_in(&host, &format!("{lines}\n{key}="));
            host.good(&["apply", &bundle("one"), "--unit", "web.service"]);
        }
    }
    for (start, words) in [
        ("@/usr/bin/cat mouse", &["'@'", "its own name"][..]),
        ("+/usr/bin/cat", &["'+'", "restrictions"]),
        ("!!/usr/bin/cat", &["'!'"]),
        ("/usr/bin/other", &["starts /usr/bin/other", "exec \"/usr/bin/other\";"]),
        ("/usr/bin/none", &["no program /usr/bin/none"]),
        ("/usr/bin/%p", &["only systemd knows"]),
        ("\"/usr/bin/cat\"", &["only systemd knows"]),
    ] {
        let host = host();
        fs::write(host.path(UNIT), format!("[Service]\nExecStart={start}\n")).unwrap();
        refused(&host, words, "web.service");
    }
    let host = host();
    fs::write(host.path(UNIT), "[Service]\nType=oneshot\n").unwrap();
    refused(&host, &["0 lines with ExecStart="], "web.service");
    // What is before the program and does no harm stays where it has a meaning.
    fs::write(host.path(UNIT), "[Service]\nExecStart=-:cat /srv/x/notes\nExecStartPre=/bin/true\n").unwrap();
    let said = host.good(&["apply", &bundle("one"), "--unit", "web.service"]);
    assert!(said.contains("ExecStartPre run as before"), "{said}");
    assert!(text(&host, DROP_IN).contains("ExecStart=-:/usr/bin/canc-run cat -- cat /srv/x/notes\n"));
}

#[test]
fn a_unit_that_is_none_is_refused() {
    let host = host();
    refused(&host, &["no such unit", "list-unit-files"], "none.service");
    refused(&host, &["say --unit web.service"], "web");
    refused(&host, &["no service"], "web.socket");
    refused(&host, &["no service"], "../web.service");
    symlink("/dev/null", host.path("etc/systemd/system/masked.service")).unwrap();
    refused(&host, &["masks it", "systemctl unmask masked.service"], "masked.service");
    symlink(host.path(UNIT), host.path("etc/systemd/system/alias.service")).unwrap();
    refused(&host, &["another name of web.service"], "alias.service");
    fs::remove_file(host.path("usr/bin/canc-run")).unwrap();
    refused(&host, &["canc-run: it is not installed"], "web.service");
}

#[test]
fn what_others_can_write_is_not_relied_on() {
    for name in ["usr/bin/canc-run", "usr/bin", ADMIN, "etc/systemd/system"] {
        let host = host();
        fs::create_dir_all(host.path(ADMIN)).unwrap();
        fs::set_permissions(host.path(name), fs::Permissions::from_mode(0o777)).unwrap();
        let before = host.everything();
        let ran = host.canc(&["apply", &bundle("one"), "--unit", "web.service"]);
        assert!(
            matches!(ran.code, Some(1 | 4)) && ran.err.contains("others can write it"),
            "{name}: {ran:?}"
        );
        assert_eq!(host.everything(), before);
    }
    let host = host();
    fs::create_dir_all(host.path(ADMIN)).unwrap();
    fs::write(host.path(DROP_IN), "[Service]\nNice=1\n").unwrap();
    refused(&host, &["canc did not install it"], "web.service");
}

#[test]
fn one_policy_that_systemd_may_start_is_asked_for() {
    let host = host();
    let dir = tempfile::tempdir().unwrap();
    let source = dir.path().join("cat.can");
    let apply = |text: &str, unit: &str| {
        fs::write(&source, text).unwrap();
        host.canc(&["apply", source.to_str().unwrap(), "--unit", unit])
    };
    let one = policy("cat", "/srv/x");
    let ran = apply(&one.replace("user, systemd", "user"), "web.service");
    assert!(ran.code == Some(1) && ran.err.contains("launch from systemd;"), "{ran:?}");
    let two = format!("{one}{}", policy("dog", "/srv/d").replace("can 1;\n", ""));
    let ran = apply(&two, "web.service");
    assert!(ran.code == Some(2) && ran.err.contains("NAME=web.service"), "{ran:?}");
    let ran = apply(&two, "cow=web.service");
    assert!(ran.code == Some(2) && ran.err.contains("no policy cow"), "{ran:?}");
    let ran = apply(&two, "dog=web.service");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(text(&host, DROP_IN).contains("canc-run dog -- "));
    let ran = host.canc(&["apply", &bundle("one"), "--unit", "web.service"]);
    assert!(ran.code == Some(1) && ran.err.contains("two policies claim it"), "{ran:?}");
}

/// AppArmor or SELinux is all that the policy asks for.
#[test]
fn a_label_alone_is_given_by_systemd_itself() {
    let dir = tempfile::tempdir().unwrap();
    let source = dir.path().join("cat.can");
    let plain = policy("cat", "/srv/x").replace(
        "include",
        "backend seccomp off;\n  backend landlock off;\n  allow capability net_bind_service;\n  include",
    );
    let write = |text: &str| fs::write(&source, text).unwrap();
    let apply = |host: &Host| {
        host.good(&["apply", source.to_str().unwrap(), "--unit", "web.service"]);
        text(host, DROP_IN)
    };
    let launched = "ExecStart=/usr/bin/canc-run cat -- ";
    write(&plain);
    let host = Host::new(true, false).with_service();
    let label = "[Service]\nAppArmorProfile=canc.cat\nCapabilityBoundingSet=CAP_NET_BIND_SERVICE\nLimitCORE=0\nNoNewPrivileges=yes\n";
    let written = apply(&host);
    assert!(written.ends_with(label), "{written}");
    // A filter of the unit's own stays beside it.
    drop_in(&host, "SystemCallFilter=@system-service");
    assert_eq!(host.canc(&["status"]).code, Some(0));
    // It would hold for the other commands of the unit too.
    fs::write(host.path(UNIT), format!("{SERVICE}ExecReload=/bin/kill -HUP $MAINPID\n")).unwrap();
    fs::remove_file(host.path(ADMIN).join("override.conf")).unwrap();
    assert!(apply(&host).contains(launched));
    // Under SELinux systemd may enter the domain where the policy is attached to its program.
    let host = Host::new(false, true).with_service();
    assert!(apply(&host).contains(launched));
    write(&plain.replace("exec \"", "attach \""));
    let context = "SELinuxContext=system_u:system_r:canc__cat_t";
    assert!(apply(&host).contains(&format!("{context}:s0\n")));
    fs::write(host.path("sys/fs/selinux/mls"), "0").unwrap();
    assert!(apply(&host).contains(&format!("{context}\n")));
    // A limit needs the launcher.
    write(&plain.replace("include", "limit open_files 64;\n  include"));
    let host = Host::new(true, false).with_service();
    assert!(apply(&host).contains(launched));
}
