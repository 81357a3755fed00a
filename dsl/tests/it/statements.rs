//! Every statement of a policy, and what is in the policy afterwards.

use crate::common::{messages, own, policy, try_policy};
use canc_dsl::policy::{
    Action, Claim, Class, DecidedBy, Demand, Deployment, Launcher, LimitKind, Mode, NamespaceKind, Target,
    Who,
};
use canc_dsl::{MemoryFiles, NoFiles, Options, Version, compile};
use canc_sets::syscalls::Arch;

#[test]
fn defaults() {
    let p = policy("");
    assert_eq!(p.launch, [Launcher::User]);
    assert_eq!((p.mode, p.syscall_infer, p.syscall_default), (Mode::Enforce, true, None));
    assert!(!p.keep_activation && !p.separate_instances && p.no_new_privs_off.is_none());
    assert_eq!(p.demand(Target::Seccomp), Demand::Require);
    assert_eq!(p.demand(Target::Selinux), Demand::Prefer);
}

#[test]
fn programs_and_launchers() {
    let p = policy(
        "exec \"/usr/bin/b\"; attach \"/usr/sbin/c\"; launch from systemd; launch from policy example; allow run \"/x\" -> policy example;",
    );
    let shown =
        |paths: &[canc_dsl::policy::PathRef]| paths.iter().map(|p| p.pattern.to_string()).collect::<Vec<_>>();
    assert_eq!(shown(&p.exec), ["/usr/bin/example", "/usr/bin/b", "/usr/sbin/c"]);
    assert_eq!(shown(&p.attach), ["/usr/sbin/c"]);
    assert_eq!(p.launch, [Launcher::Systemd, Launcher::Policy("example".into())]);
    assert!(p.keep_activation, "systemd brings activation");
}

#[test]
fn demands_and_mode() {
    let p = policy(
        "backend selinux require; backend landlock off; backend selinux or apparmor require; mode complain;",
    );
    assert_eq!(p.demand(Target::Selinux), Demand::Require);
    assert_eq!(p.demand(Target::Landlock), Demand::Off);
    assert_eq!(
        p.backends.get(2).map(|b| b.targets.as_slice()),
        Some([Target::Selinux, Target::Apparmor].as_slice())
    );
    assert_eq!(p.mode, Mode::Complain);
}

#[test]
fn limits_have_units() {
    let p = policy(
        "limit open_files 4096; limit file_size 1 GiB; limit cpu_time 2 min; limit core 0; limit stack 8MiB;\n\
         limit locked_memory 64 KiB; limit memory 512 MiB prefer; limit processes 64; limit cpu 150%;",
    );
    let found: Vec<_> = p.limits.iter().map(|l| (l.kind, l.value, l.prefer)).collect();
    assert_eq!(
        found,
        [
            (LimitKind::OpenFiles, 4096, false),
            (LimitKind::FileSize, 1 << 30, false),
            (LimitKind::CpuTime, 120, false),
            (LimitKind::Core, 0, false),
            (LimitKind::Stack, 8 << 20, false),
            (LimitKind::LockedMemory, 64 << 10, false),
            (LimitKind::Memory, 512 << 20, true),
            (LimitKind::Processes, 64, false),
            (LimitKind::Cpu, 150, false),
        ]
    );
}

#[test]
fn the_rest_of_the_statements() {
    let p = policy(
        "tolerate udp, unix_sockets because \"why\"; isolate pid, net; isolate user; separate instances;\n\
         env keep \"A\", \"B_*\"; env keep C; env set D \"d$$\"; env set \"E\" \"\"; env clear;\n\
         keep descriptor 3, 4; keep activation; syscall default ENOSYS; syscall infer off;",
    );
    assert_eq!(p.tolerate.iter().map(|t| t.class).collect::<Vec<_>>(), [Class::Udp, Class::UnixSockets]);
    assert_eq!(p.isolate, [NamespaceKind::Pid, NamespaceKind::Net, NamespaceKind::User]);
    assert!(p.separate_instances && p.env.clear && p.keep_activation && !p.syscall_infer);
    assert_eq!(p.env.keep.iter().map(|k| &**k).collect::<Vec<_>>(), ["A", "B_*", "C"]);
    assert_eq!(p.env.set, [("D".into(), "d$".into()), ("E".into(), "".into())]);
    assert_eq!(p.keep_descriptors, [3, 4]);
    assert_eq!(p.syscall_default, Some(Action::Errno(38)));
    let (p, messages) = try_policy("no_new_privs off because \"sudo\";");
    assert_eq!(p.and_then(|p| p.no_new_privs_off.clone()).as_deref(), Some("sudo"));
    assert_eq!(messages.len(), 1);
}

#[test]
fn raw_is_kept_to_the_letter() {
    let text = "can 1; policy p { exec \"/p\"; raw selinux \"\"\"allow a \"b\" \\ ${c};\n#x\n\"\"\" because \"x\"; }";
    let options = Options { allow_raw: true, ..Options::default() };
    let done = compile("x.can", text.as_bytes(), &NoFiles, &options);
    let set = done.policies.expect("compiles");
    let raw = &set.policies()[0].raw[0];
    assert_eq!((&*raw.text, raw.target), ("allow a \"b\" \\ ${c};\n#x\n", Target::Selinux));
}

fn run(text: &str, files: &[(&str, &str)], options: &Options) -> canc_dsl::Compilation {
    let files = MemoryFiles(files.iter().map(|(n, t)| ((*n).to_owned(), t.as_bytes().to_vec())).collect());
    compile("main.can", text.as_bytes(), &files, options)
}

fn paths(p: &canc_dsl::policy::Policy) -> Vec<String> {
    let files = p.rules.iter().filter_map(|r| match &r.body {
        canc_dsl::policy::Body::File(f) => Some(f),
        _ => None,
    });
    files.flat_map(|f| &f.paths).map(|p| p.pattern.to_string()).collect()
}

#[test]
fn files_fragments_and_provenance() {
    let web = "can 1; use \"inner.can\" as inner; param dir: path = \"/w\"; let pages = \"${dir}/**\";\n\
               fragment site(extra: path = \"/e\") { allow read pages, extra; include inner.deep; }\n\
               policy not_built { exec \"/x\"; } test \"not run\" { nobody allows read \"/x\"; }";
    let inner = "can 1; fragment deep { allow read \"/deep\"; }";
    let text = "can 1; use \"web.can\" as web; policy p { exec \"/p\"; include web.site; include web.site(\"/f\"), web.site; }";
    let done = run(text, &[("web.can", web), ("inner.can", inner)], &Options::default());
    assert_eq!(messages(&done), Vec::<String>::new());
    let set = done.policies.expect("compiles");
    assert_eq!(set.policies().len(), 1, "policies of used files are not built");
    assert!(set.tests().is_empty());
    let p = set.policy("p").expect("p");
    assert_eq!(paths(p), ["/w/**", "/e", "/deep", "/w/**", "/f"], "once per set of values");
    let chain = |n: usize| p.rules[n].included.iter().map(|i| i.fragment.to_string()).collect::<Vec<_>>();
    assert_eq!(chain(0), ["web.site"]);
    assert_eq!(chain(1), ["web.site", "inner.deep"]);
    assert_eq!(done.sources.get(p.rules[1].span.file).map(|f| &*f.name), Some("inner.can"));
    let options = Options { parameters: [("web.dir".into(), "/o*".into())].into(), ..Options::default() };
    let done = run(text, &[("web.can", web), ("inner.can", inner)], &options);
    assert_eq!(paths(&done.policies.expect("compiles").policies()[0])[0], "/o\\*/**", "escaped");
}

#[test]
fn one_rule_of_a_fragment_may_come_several_times() {
    let text = "can 1; fragment f(a: path) { @id(x) @prefer deny read a because \"y\"; }\n\
                policy p { exec \"/p\"; include f(\"/a\"), f(\"/b\"); } test \"t\" { p denies read \"/a\" by @id(x); }";
    assert_eq!(messages(&run(text, &[], &Options::default())), Vec::<String>::new());
}

#[test]
fn templates_make_policies() {
    let text = "can 1; let base = \"/srv\";\n\
        policy worker(name: path, at: port, big: bool = false, n: int = 8) {\n\
          exec name; allow read \"${base}${name}/${at}/**\"; allow listen tcp port at; limit open_files n;\n\
          when big { limit memory 1 GiB; } else { limit memory 1 MiB; }\n\
        }\n\
        policy a = worker(\"/a\", 80); policy b = worker(\"/b/\", 81, true, 9);";
    let set = run(text, &[], &Options::default()).policies.expect("compiles");
    let names: Vec<&str> = set.policies().iter().map(|p| &*p.name).collect();
    assert_eq!(names, ["a", "b"]);
    let [a, b] = set.policies() else { panic!() };
    assert_eq!((paths(a), paths(b)), (vec!["/srv/a/80/**".into()], vec!["/srv/b/81/**".into()]));
    let limits = |p: &canc_dsl::policy::Policy| p.limits.iter().map(|l| l.value).collect::<Vec<_>>();
    assert_eq!((limits(a), limits(b)), (vec![8, 1 << 20], vec![9, 1 << 30]));
}

#[test]
fn when_chooses() {
    let text = "can 1; param extra: bool = false; policy p { exec \"/p\";\n\
        when extra { allow read \"/extra\"; }\n\
        when not extra or apparmor.abi < 4.0 { allow read \"/plain\"; }\n\
        when apparmor.abi >= 4.0 and selinux.base == debian13 { allow read \"/new\"; } else { allow read \"/old\"; }\n\
        when selinux.base != \"my_base\" { allow read \"/not_mine\"; }\n\
        when arch in [x86_64, riscv64] { allow syscall read; } else { allow syscall write; }\n\
        when arch == x86_64 { when arch == aarch64 { allow syscall fsync; } allow syscall close on x86_64, aarch64; } }";
    let set = run(text, &[], &Options::default()).policies.expect("compiles");
    let p = &set.policies()[0];
    assert_eq!(paths(p), ["/plain", "/new", "/not_mine"]);
    let calls: Vec<(&str, Vec<Arch>)> = p
        .rules
        .iter()
        .filter_map(|r| match &r.body {
            canc_dsl::policy::Body::Syscall(c) => {
                Some((c.calls[0].name, c.arches.clone().unwrap_or_default()))
            }
            _ => None,
        })
        .collect();
    assert_eq!(
        calls,
        [
            ("read", vec![Arch::X86_64, Arch::Riscv64]),
            ("write", vec![Arch::Aarch64]),
            ("close", vec![Arch::X86_64])
        ]
    );
    let options = Options {
        parameters: [("extra".into(), "true".into())].into(),
        selinux_base: "my_base".into(),
        apparmor_abi: Version { major: 3, minor: 0 },
        ..Options::default()
    };
    let set = run(text, &[], &options).policies.expect("compiles");
    assert_eq!(paths(&set.policies()[0]), ["/extra", "/plain", "/old"]);
}

#[test]
fn tests_are_read() {
    let text = "can 1; policy p { exec \"/p\"; @id(no) deny read \"/n\" because \"why\"; allow run \"/q\" -> policy q; }\n\
        policy q { exec \"/q\"; launch from policy p; }\n\
        test \"t\" {\n\
          p allows read, write \"/x\" as root on bare, selinux;\n\
          p denies read \"/n\" because \"why\"; p denies read \"/n\" by @id(no); p denies read \"/n\" by @no on apparmor;\n\
          p never connect tcp port 1-100 except 80;\n\
          p loses nothing on seccomp for syscalls; p loses nothing on landlock on bare;\n\
          p reaches q; q never reaches p;\n\
          p denies syscall socket where domain == AF_PACKET on x86_64 on bare;\n\
        }";
    let done = run(text, &[], &Options::default());
    assert_eq!(messages(&done), Vec::<String>::new());
    let set = done.policies.expect("compiles");
    let test = &set.tests()[0];
    assert_eq!((&*test.title, test.assertions.len()), ("t", 10));
    let claim = |n: usize| &test.assertions[n].claim;
    assert!(matches!(claim(0), Claim::Allows(r) if r.who == Who::Root));
    assert_eq!(test.assertions[0].on, [Deployment::Selinux, Deployment::Bare]);
    assert!(matches!(claim(1), Claim::Denies(_, Some(DecidedBy::Because(w))) if &**w == "why"));
    assert!(matches!(claim(2), Claim::Denies(_, Some(DecidedBy::Id(i))) if &**i == "no"));
    assert!(matches!(claim(3), Claim::Denies(_, Some(DecidedBy::Id(i))) if &**i == "no"));
    assert!(matches!(claim(4), Claim::Never(_)));
    assert!(matches!(claim(5), Claim::LosesNothing(Target::Seccomp, Some(Class::Syscalls))));
    assert!(matches!(claim(6), Claim::LosesNothing(Target::Landlock, None)));
    assert!(matches!(claim(7), Claim::Reaches { not: false, .. }));
    assert!(matches!(claim(8), Claim::Reaches { not: true, .. }));
    assert_eq!(
        done.sources.text(match claim(9) {
            Claim::Denies(r, _) => r.span,
            _ => panic!(),
        }),
        "syscall socket where domain == AF_PACKET on x86_64"
    );
}

#[test]
fn the_order_of_items_and_rules_does_not_matter() {
    let a = "can 1; policy p { exec \"/p\"; include f; allow read x; } fragment f { allow read y; } let x = \"${y}/z\"; let y = \"/y\";";
    let b = "can 1; let y = \"/y\"; let x = \"${y}/z\"; fragment f { allow read y; } policy p { allow read x; include f; exec \"/p\"; }";
    for text in [a, b] {
        let set = run(text, &[], &Options::default()).policies.expect("compiles");
        let mut found = paths(&set.policies()[0]);
        found.sort();
        assert_eq!(found, ["/y", "/y/z"]);
    }
}

#[test]
fn every_rule_has_its_place() {
    let p = policy("allow read \"/a\";\ninclude std.base;\ndeny read \"/b\";");
    assert_eq!(own(&p).len(), 2);
    assert!(
        p.rules.iter().all(|r| r.because.is_some() || r.included.is_empty()),
        "the library gives reasons"
    );
    assert!(
        p.rules
            .first()
            .zip(p.rules.last())
            .is_some_and(|(a, b)| a.included.is_empty() && b.included.is_empty())
    );
}
