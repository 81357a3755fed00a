//! The library without `canc-run`: the example that embeds it, and a bundle that was never written.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use canc_runtime::{Bundle, Code, Host, Layer, LayerState, Plan, Program, Request, enforce, launch};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use support::{Made, bpf, ran};

#[test]
fn the_example_starts_a_program_under_a_bundle() {
    let filter = bpf::answers(&[(libc::SYS_mkdirat, bpf::errno(libc::EXDEV))], bpf::ALLOW);
    let mut made = Made::new().filters(vec![filter]);
    let (bundle, directory) = (made.write(), made.home.path().join("new"));
    let example = Path::new(support::CANC_RUN).with_file_name("examples").join("embed");
    let run = ran(Command::new(&example).arg(&bundle).arg(made.probe()).arg("mkdir").arg(&directory));
    assert!(run.out.contains("EXDEV"), "{} {}", run.out, run.err);
    assert!(run.err.ends_with("/bin/probe under seccomp\n"), "{}", run.err);
    let run = ran(Command::new(&example).arg(&bundle).arg("/usr/bin/true"));
    assert_eq!(run.code, Some(125));
    assert!(run.err.contains("the policy starts only"), "{}", run.err);
}

#[test]
fn a_bundle_in_memory_is_decided_like_one_on_disk() {
    let mut made = Made::new();
    let directory = made.write();
    let files: BTreeMap<String, Vec<u8>> = std::fs::read_dir(&directory)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap()))
        .collect();
    let bundle = Bundle::from_memory(files.get("manifest.json").unwrap(), files.clone()).unwrap();
    let request = Request { command: vec![made.probe().into()], dry_run: true, ..Request::default() };
    let plan = launch(&bundle, request.clone()).unwrap().plan.unwrap();
    assert!(plan.layers.get(&Layer::Seccomp).is_some_and(LayerState::is_active));
    let on_disk = launch(&Bundle::open(&directory).unwrap(), request).unwrap().plan.unwrap();
    assert_eq!(plan, on_disk);
    let damaged = Bundle::from_memory(b"{}", files).unwrap_err();
    assert!(damaged.to_string().contains("missing field"), "{damaged}");
}

/// The four steps by themselves, in a process that goes on because the last of them refuses.
#[test]
fn the_steps_are_those_of_a_launch() {
    let mut made = Made::new();
    let directory = made.write();
    let bundle = Bundle::open(&directory).unwrap();
    let policy = bundle.policy(None).unwrap();
    let command = made.probe();
    let program = Program::of(policy, command.as_os_str(), "".as_ref()).unwrap();
    let host = Host::probe(policy, Some(&program)).unwrap();
    let plan = Plan::new(policy, &host).unwrap();
    let request = Request { command: vec![command.into()], dry_run: true, ..Request::default() };
    let decision = launch(&bundle, request.clone()).unwrap();
    assert_eq!((decision.plan.as_ref(), &decision.host), (Ok(&plan), &host));
    // Without a program, the host is the same but for what a label would tell.
    assert_eq!(Host::probe(policy, None).unwrap(), host);
    // Read and verified before the first step: nothing of this process is changed.
    std::fs::write(directory.join("p0.bpf"), bpf::allow_all().repeat(2)).unwrap();
    let failure = enforce(&bundle, &host, &plan, &program, request).unwrap_err();
    assert_eq!(failure.code, Code::Refused);
    assert!(failure.to_string().contains("it was altered after the build"), "{failure}");
    assert_eq!(Host::probe(policy, Some(&program)).unwrap(), host);
}

#[test]
fn a_program_is_never_one_that_the_policy_does_not_start() {
    let mut made = Made::new();
    let directory = made.write();
    let bundle = Bundle::open(&directory).unwrap();
    let policy = bundle.policy(None).unwrap();
    for (command, code) in
        [("/usr/bin/true", Code::Refused), ("/none", Code::NotFound), ("/etc", Code::CannotExecute)]
    {
        let failure = Program::of(policy, command.as_ref(), "".as_ref()).unwrap_err();
        assert_eq!(failure.code, code, "{failure}");
    }
    let search = made.home.path().join("bin");
    let found = Program::of(policy, "probe".as_ref(), search.as_os_str()).unwrap();
    assert_eq!(found.path, made.probe().canonicalize().unwrap());
}
