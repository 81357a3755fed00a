//! The packed order is the policy's own, and look-ups find what the policy finds.

use super::*;
use canc_sets::path::Pattern;

fn base() -> Base {
    Base::debian13()
}

fn type_at(base: &Base, path: &str, ask: Ask) -> String {
    let found = base.label(path, ask).and_then(|e| base.entry_type(e));
    found.map_or("none".into(), |t| base.type_name(t).to_owned())
}

fn types_under(pattern: &str, place: Place) -> Vec<(String, String)> {
    let base = base();
    let pattern = Pattern::parse(pattern).unwrap().remove(0);
    let found = base.under(PathSet { pattern: &pattern, without: &[] }, place).unwrap();
    found.iter().map(|f| (f.ty.map_or("none".into(), |t| base.type_name(t).to_owned()), f.witness.clone())).collect()
}

#[test]
fn the_order_is_that_of_the_installed_policy() {
    let text = include_str!("../../../data/base/debian13/file_contexts.tsv");
    let base = base();
    let mut last = None;
    let mut place = std::collections::HashMap::new();
    for entry in base.entries().filter(|e| !base.is_home(*e)) {
        place.insert((base.pattern(entry), base.kind(entry).field()), entry);
    }
    for line in text.lines().filter(|l| !l.starts_with('#')) {
        let fields: Vec<&str> = line.split('\t').collect();
        let at = place[&(fields[0], fields[1])];
        assert!(last < Some(at), "{line}");
        last = Some(at);
    }
}

#[test]
fn known_paths_have_their_types() {
    let base = base();
    for (path, ty) in [
        ("/etc/shadow", "shadow_t"),
        ("/etc/hosts", "net_conf_t"),
        ("/etc/x/y", "etc_t"),
        ("/usr/bin/cat", "bin_t"),
        ("/usr/sbin/sshd", "sshd_exec_t"),
        ("/usr/lib/x86_64-linux-gnu/libc.so.6", "lib_t"),
        ("/usr/lib64/ld-linux-x86-64.so.2", "ld_so_t"),
        ("/usr/local/lib/libx.so", "lib_t"),
        ("/srv/webd/index.html", "var_t"),
        ("/srv/www/index.html", "httpd_sys_content_t"),
        ("/tmp/x", "none"),
        ("/tmp/", "tmp_t"),
        ("/run/lock/x", "var_lock_t"),
        ("/home/joe/.ssh/id", "ssh_home_t"),
        ("/root/.ssh/id", "ssh_home_t"),
        ("/home/joe/", "user_home_dir_t"),
        ("/dev/null", "null_device_t"),
        ("/", "root_t"),
        ("/var/log/x.log", "var_log_t"),
        ("/run/user/1000/bus", "session_dbusd_runtime_t"),
    ] {
        assert_eq!(type_at(&base, path, Ask::of(path)), ty, "{path}");
    }
}

#[test]
fn nearly_every_line_has_a_witness_that_is_its_own() {
    for base in Base::BUILTIN.map(|n| Base::builtin(n).unwrap()) {
        let (mut with, mut without) = (0, Vec::new());
        for entry in base.entries() {
            let Some(path) = base.witness(entry) else {
                without.push(base.pattern(entry).to_owned());
                continue;
            };
            let kind = if base.kind(entry) == Kind::Any { Kind::Regular } else { base.kind(entry) };
            assert_eq!(base.tables().find(path, &|k| k.covers(kind)), Some(entry.0), "{}", base.pattern(entry));
            with += 1;
        }
        assert!(without.len() * 50 < with, "{}: {} of {with}: {without:#?}", base.name(), without.len());
    }
}

#[test]
fn lines_under_a_pattern_come_with_witnesses() {
    let found = types_under("/srv/webd/**", Place::Files);
    let names: Vec<&str> = found.iter().map(|f| f.0.as_str()).collect();
    assert_eq!(names, ["var_t"]);
    let found = types_under("/srv/**", Place::Files);
    for ty in ["httpd_sys_content_t", "public_content_t", "var_t"] {
        assert!(found.iter().any(|f| f.0 == ty), "{ty}: {found:?}");
    }
    let found = types_under("/etc/shadow", Place::Files);
    assert_eq!(found, [("shadow_t".into(), "/etc/shadow".into())]);
    let found = types_under("/usr/local/lib/**", Place::Files);
    assert!(found.iter().any(|f| f.0 == "lib_t" && f.1.starts_with("/usr/local/lib/")), "{found:?}");
}

#[test]
fn what_is_taken_out_is_not_found() {
    let base = base();
    let pattern = Pattern::parse("/etc/**").unwrap().remove(0);
    let out = Pattern::parse("/etc/shadow*").unwrap().remove(0);
    let has = |without: &[&Pattern]| {
        let found = base.under(PathSet { pattern: &pattern, without }, Place::Files).unwrap();
        found.iter().any(|f| f.ty == base.type_no("shadow_t") && f.witness.starts_with("/etc/shadow"))
    };
    assert!(has(&[]));
    assert!(!has(&[&out]));
}
