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
    found
        .iter()
        .map(|f| (f.ty.map_or("none".into(), |t| base.type_name(t).to_owned()), f.witness.clone()))
        .collect()
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
        ("/run/lock/", "var_lock_t"),
        ("/run/lock/x", "none"),
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
            assert_eq!(
                base.tables().find(path, &|k| k.covers(kind)),
                Some(entry.0),
                "{}",
                base.pattern(entry)
            );
            with += 1;
        }
        assert!(without.len() * 50 < with, "{}: {} of {with}: {without:#?}", base.name(), without.len());
    }
}

#[test]
fn lines_under_a_pattern_come_with_witnesses() {
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
    let out = Pattern::parse("/etc/shadow*/**").unwrap().remove(0);
    let out = [&out, &Pattern::parse("/etc/shadow*").unwrap().remove(0)];
    let has = |without: &[&Pattern]| {
        let found = base.under(PathSet { pattern: &pattern, without }, Place::Files).unwrap();
        found.iter().any(|f| f.ty == base.type_no("shadow_t") && f.witness.starts_with("/etc/shadow"))
    };
    assert!(has(&[]));
    assert!(!has(&out));
}

#[test]
fn every_witness_is_in_the_set_and_has_the_type() {
    let base = base();
    for text in [
        "/opt/webd/data.d/*",
        "/usr/lib/**",
        "/srv/webd/**",
        "/var/lib/*/x?",
        "/usr/local/**",
        "${home}/.ssh/**",
        "/run/lock/**",
    ] {
        let pattern = Pattern::parse(text).unwrap().remove(0);
        for place in [Place::Files, Place::Directories] {
            let found = base.under(PathSet { pattern: &pattern, without: &[] }, place).unwrap();
            for f in &found {
                assert!(pattern.matches(&f.witness), "{text}: {f:?}");
                let kind = match (place, f.kind) {
                    (Place::Directories, _) => Kind::Directory,
                    (Place::Files, Kind::Any) => Kind::Regular,
                    (Place::Files, kind) => kind,
                };
                assert_eq!(base.label(&f.witness, Ask::Exactly(kind)), Some(f.entry), "{text}: {f:?}");
            }
        }
    }
}

/// Paths that lines label, and variations of them.
fn many_paths(base: &Base) -> Vec<String> {
    let mut out = Vec::new();
    for path in base.entries().filter_map(|e| base.witness(e)) {
        out.push(path.to_owned());
        out.push(format!("{path}/"));
        out.push(format!("{path}/a/b"));
        out.push(format!("{path}x"));
        if let Some(rest) = path.strip_prefix("/usr") {
            out.push(rest.to_owned());
            out.push(format!("/usr/local{rest}"));
        }
    }
    out.retain(|p| !p.contains("//") && p.starts_with('/'));
    out
}

#[test]
fn the_automaton_of_all_lines_agrees_with_look_ups() {
    for base in Base::BUILTIN.map(|n| Base::builtin(n).unwrap()) {
        let labelling = base.labelling();
        // A part of them, other ones for each base: all of them take a minute without optimization.
        let step = if cfg!(debug_assertions) { 23 } else { 1 };
        for path in many_paths(&base).into_iter().step_by(step) {
            let asks = if path.ends_with('/') {
                vec![Ask::of(&path)]
            } else {
                vec![Ask::NoDirectory, Ask::Exactly(Kind::Regular), Ask::Exactly(Kind::Link)]
            };
            for ask in asks {
                let looked = base.label(&path, ask).map(|e| labelling::Winner::Base(e.0));
                assert_eq!(
                    labelling.label(&path, ask),
                    looked,
                    "{path} {ask:?} {}",
                    looked.map_or("", |w| match w {
                        labelling::Winner::Base(e) => base.pattern(EntryNo(e)),
                        _ => "",
                    })
                );
            }
        }
    }
}

#[test]
fn a_type_is_a_language_of_paths() {
    use canc_sets::path::{Lang, Universe};
    let base = base();
    let lang = |ty: &str| {
        let ty = base.type_no(ty).unwrap();
        let entries: Vec<u32> = base.entries_of(ty).map(|e| e.0).collect();
        let mine =
            move |w: labelling::Winner| matches!(w, labelling::Winner::Base(e) if entries.contains(&e));
        base.labelling().lang("t", Ask::NoDirectory, mine.clone(), move |w, _| mine(w))
    };
    let patterns = |texts: &[&str]| {
        Lang::patterns(&texts.iter().map(|t| Pattern::parse(t).unwrap().remove(0)).collect::<Vec<_>>())
            .unwrap()
    };
    let started = std::time::Instant::now();
    let ask = |l: Lang| l.witness(Universe::Paths).unwrap();
    assert_eq!(ask(lang("shadow_t").minus(patterns(&["/etc/shadow*"]))).as_deref(), Some("/etc/gshadow"));
    assert_eq!(ask(lang("etc_t").minus(patterns(&["/etc/**"]))).as_deref(), Some("/usr/etc"));
    assert_eq!(ask(lang("ssh_home_t").minus(patterns(&["/home/*/**", "/root/**"]))), None);
    assert_eq!(ask(lang("lib_t").and(patterns(&["/usr/local/lib/**"]))).as_deref(), Some("/usr/local/lib/"));
    assert_eq!(ask(lang("usr_t").minus(patterns(&["/usr/**"]))).as_deref(), Some("/opt/"));
    assert!(started.elapsed().as_secs() < 90, "{:?}", started.elapsed());
}
