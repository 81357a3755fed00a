//! The library without `canc-run`: the example that embeds it, and a bundle that was never written.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use canc_runtime::{Bundle, Layer, LayerState, Request, launch};
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
