//! What is exported, read by its own meaning, beside the filters that it was made of.

use super::tests::meant;
use super::{oci_export, systemd};
use crate::seccomp::sim::Data;
use crate::seccomp::tests::random::{answer, arguments, random_policy};
use crate::seccomp::{Lowered, SeccompOptions, lower};
use canc_dsl::policy::{Action, Policy};
use canc_dsl::{NoFiles, Options, compile};
use canc_sets::syscalls::{Arch, name, numbers};
use canc_sets::testing::Random;
use serde_json::Value;

fn lowered(body: &str, arches: &[Arch]) -> (Policy, Lowered) {
    let text = format!("can 1;\npolicy p {{\n  exec \"/usr/bin/p\";\n{body}\n}}\n");
    let done = compile(
        "p.can",
        text.as_bytes(),
        &NoFiles,
        &Options { arches: arches.to_vec(), ..Options::default() },
    );
    let policy =
        done.policies.unwrap_or_else(|| panic!("{:?}", done.diagnostics)).policies().first().unwrap().clone();
    let options = SeccompOptions { arches: arches.to_vec(), base: false, ..SeccompOptions::default() };
    let made = lower(&policy, &options).unwrap();
    (policy, made)
}

/// Whole registers, bits included that the kernel does not look at: a profile that compares them would be got around.
#[test]
fn random_policies_mean_what_their_profiles_do() {
    let mut random = Random(77);
    let (mut compared, mut conditional) = (0, 0);
    for _ in 0..40 {
        let data = random_policy(&mut random);
        let policy = Policy::unchecked(data.clone());
        let options = SeccompOptions {
            arches: vec![Arch::X86_64, Arch::S390x],
            base: false,
            ..SeccompOptions::default()
        };
        let Ok(made) = lower(&policy, &options) else { continue };
        for host in options.arches {
            let exported = oci_export::export(&made, &policy, host).unwrap();
            if exported.verdicts.iter().any(|v| v.verdict == "narrowed") {
                continue;
            }
            let profile: Value = serde_json::from_str(&exported.text).unwrap();
            let mut ask = |nr: u32, args: [u64; 6]| {
                let data = Data { arch: host.audit_value(), nr, args };
                let wanted = answer(&made, host, &data);
                let own = meant(&profile, name(host, nr), args);
                assert_eq!(own, wanted, "{host:?} {:?} {args:x?}\n{}", name(host, nr), exported.text);
                compared += 1;
            };
            for nr in 0..1_024 {
                ask(nr, [0; 6]);
                ask(nr, [u64::MAX; 6]);
            }
            let listed = exported.profile.syscalls.iter().flatten().filter(|e| e.args.is_some());
            let mut calls: Vec<&str> =
                listed.flat_map(|e| e.names.iter().flatten()).map(String::as_str).collect();
            calls.dedup();
            conditional += calls.len();
            for call in calls {
                let nr = canc_sets::syscalls::number(host, call).unwrap();
                arguments(&policy, call, &mut random, 300).into_iter().for_each(|args| ask(nr, args));
            }
        }
    }
    println!("{compared} inputs compared, {conditional} calls with conditions");
    assert!(compared > 100_000 && conditional > 50, "{compared} {conditional}");
}

fn verdicts(list: &[super::Verdict]) -> Vec<String> {
    list.iter().map(|v| format!("{}: {}: {}", v.what, v.verdict, v.why)).collect()
}

#[test]
fn profiles_say_what_they_cannot() {
    let (policy, made) = lowered(
        "allow read \"/srv/x\"; allow syscall getuid; allow syscall getgid on x86; deny syscall bpf with notify;",
        &[Arch::X86_64, Arch::X86],
    );
    let exported = oci_export::export(&made, &policy, Arch::X86_64).unwrap();
    let said = verdicts(&exported.verdicts);
    for wanted in [
        "1 rules that are not on system calls: dropped",
        "x86: dropped: entries are for all",
        "the program's start: blocks",
        "notify: exact",
    ] {
        assert!(said.iter().any(|v| v.starts_with(wanted)), "{wanted}\n{said:#?}");
    }
    assert_eq!(exported.profile.architectures.as_deref(), Some(&["SCMP_ARCH_X86_64".to_owned()][..]));
    let (policy, made) =
        lowered("syscall infer off; allow syscall execve, read;", &[Arch::X86_64, Arch::X86, Arch::Aarch64]);
    let exported = oci_export::export(&made, &policy, Arch::X86_64).unwrap();
    assert_eq!(exported.profile.architectures.map(|a| a.len()), Some(2), "both decide alike");
    assert!(!verdicts(&exported.verdicts).iter().any(|v| v.contains("dropped") || v.contains("blocks")));
    assert!(oci_export::export(&made, &policy, Arch::S390x).is_none());
}

/// The settings as systemd reads them: what is listed is let through, `@default` besides, the rest is refused.
fn lets_through(text: &str, call: &str) -> bool {
    let filters = text.lines().filter_map(|l| l.strip_prefix("SystemCallFilter="));
    filters.flat_map(|l| l.split(' ')).chain(["@default"]).any(|word| match word.strip_prefix('@') {
        Some(group) => canc_sets::syscalls::group(group).unwrap().contains(&call),
        None => word == call,
    })
}

#[test]
fn settings_let_through_what_the_policy_does_and_say_where_they_differ() {
    let body = "syscall infer off; allow syscall read, write, clone, clock_adjtime; allow audit syscall getppid; allow syscall lseek where whence == 0; deny syscall getpid with EACCES;";
    let (policy, made) = lowered(body, &Arch::DEFAULT);
    let closed = systemd::export(&made, &policy, Arch::X86_64, false).unwrap();
    let open = systemd::export(&made, &policy, Arch::X86_64, true).unwrap();
    for (nr, call) in numbers(Arch::X86_64) {
        let own =
            answer(&made, Arch::X86_64, &Data { arch: Arch::X86_64.audit_value(), nr: *nr, args: [0; 6] });
        let always = canc_sets::syscalls::group("default").unwrap().contains(call);
        let wanted = matches!(own, Action::Allow | Action::Log);
        assert_eq!(lets_through(&closed.text, call), always || wanted && *call != "lseek", "{call}");
        assert_eq!(lets_through(&open.text, call), always || wanted, "{call}");
    }
    for line in [
        "[Service]",
        "SystemCallArchitectures=x86-64",
        "SystemCallErrorNumber=EPERM",
        "SystemCallLog=getppid",
        "RestrictNamespaces=yes",
        "NoNewPrivileges=yes",
    ] {
        assert!(closed.text.lines().any(|l| l == line), "{line}\n{}", closed.text);
    }
    let said = verdicts(&closed.verdicts);
    assert!(said.iter().any(|v| v.starts_with("arguments: narrowed") && v.ends_with(": lseek")), "{said:#?}");
    assert!(said.iter().any(|v| v.starts_with("@default: widened") && v.contains("exit_group")), "{said:#?}");
    assert!(said.iter().any(|v| v.starts_with("errors: other error") && v.contains("getpid")), "{said:#?}");
    assert!(verdicts(&open.verdicts).iter().any(|v| v.starts_with("arguments: widened")));
    let (policy, made) = lowered(
        "syscall default trap; allow userns create; allow namespace net, pid; allow syscall clone, unshare;",
        &[Arch::Aarch64],
    );
    let made = systemd::export(&made, &policy, Arch::Aarch64, false).unwrap();
    assert!(
        made.text.contains("\nRestrictNamespaces=net pid user\n") && made.text.contains("=arm64\n"),
        "{}",
        made.text
    );
    assert!(
        !made.text.contains("ErrorNumber")
            && verdicts(&made.verdicts).iter().any(|v| v.starts_with("syscall default: narrowed"))
    );
}
