//! Filters hold: what works without one is refused with it, and the program is the first thing that runs under them.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod support;

use canc_bundle::LAUNCH_FD;
use support::{Made, bpf, refused};

#[test]
fn a_call_is_refused_with_the_errno_of_the_policy() {
    let filter = bpf::answers(&[(libc::SYS_mkdirat, bpf::errno(libc::EXDEV))], bpf::ALLOW);
    let mut made = Made::new().filters(vec![filter]);
    let (one, two) = (made.home.path().join("one"), made.home.path().join("two"));
    assert!(made.ask_bare(&["mkdir", one.to_str().unwrap()]).get("error").is_none());
    assert_eq!(made.ask(&["mkdir", two.to_str().unwrap()])["error"], "EXDEV");
    assert!(one.exists() && !two.exists());
    made.permits(&["list", "/"]);
}

#[test]
fn all_programs_are_loaded_and_each_one_counts() {
    let deny = |call| bpf::answers(&[(call, bpf::errno(libc::EXDEV))], bpf::ALLOW);
    let mut made = Made::new().filters(vec![deny(libc::SYS_getcwd), deny(libc::SYS_getdents64)]);
    made.refuses(&["list", "/"], "EXDEV");
    let number = libc::SYS_getcwd.to_string();
    made.refuses(&["syscall", &number, "buf:100", "100"], "EXDEV");
    assert_eq!(made.ask(&["state"])["result"]["seccomp"], 2);
}

#[test]
fn the_launch_is_the_only_exec_that_its_filter_needs() {
    let mut made = Made::new().filters(vec![bpf::only_the_launch(LAUNCH_FD)]);
    let probe = made.probe();
    let exec = ["exec", probe.to_str().unwrap(), "label"];
    made.refuses(&exec, "EACCES");
    // A filter for another descriptor keeps the launch itself from happening, and the message still comes.
    let ran = Made::new().filters(vec![bpf::only_the_launch(LAUNCH_FD + 1)]).run(&["label"]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(126), ""));
    assert!(ran.err.contains("permission denied"), "{}", ran.err);
}

#[test]
fn the_descriptor_is_the_manifests() {
    let mut made = Made::new().filters(vec![bpf::only_the_launch(77)]);
    made.policy().seccomp.as_mut().unwrap().launch_fd = 77;
    made.permits(&["list", "/"]);
    made.launch().keep_descriptors = vec![77];
    made.is_refused(&["keep descriptor 77"]);
}

/// With everything but the exec killed, there is no call between the filter and the program.
#[test]
fn nothing_is_called_between_the_filter_and_the_exec() {
    let filter = bpf::answers(&[(libc::SYS_execveat, bpf::ALLOW)], bpf::KILL);
    let ran = Made::new().filters(vec![filter]).run(&["state"]);
    // The program starts and dies of its own first call, by SIGSYS.
    assert_eq!(ran.code, None, "{}", ran.err);
    assert_eq!((ran.out.as_str(), ran.err.as_str()), ("", ""));
    // Where the exec itself is refused, the message and the exit code need two more calls.
    let calls = [
        (libc::SYS_execveat, bpf::errno(libc::EPERM)),
        (libc::SYS_write, bpf::ALLOW),
        (libc::SYS_exit_group, bpf::ALLOW),
    ];
    let ran = Made::new().filters(vec![bpf::answers(&calls, bpf::KILL)]).run(&["state"]);
    assert_eq!(ran.code, Some(126), "{}", ran.err);
    assert!(ran.err.contains("not permitted"), "{}", ran.err);
}

#[test]
fn complain_mode_loads_what_only_logs() {
    let mut made = Made::new().filters(vec![bpf::answers(&[(libc::SYS_mkdirat, bpf::LOG)], bpf::ALLOW)]);
    made.launch().mode = "complain".into();
    let directory = made.home.path().join("one");
    made.permits(&["mkdir", directory.to_str().unwrap()]);
    assert_eq!(made.ask(&["state"])["result"]["seccomp"], 2);
}

#[test]
fn damaged_programs_are_refused() {
    for filter in [vec![], vec![0; 7], bpf::allow_all().repeat(4097)] {
        Made::new().filters(vec![filter]).is_refused(&["p0.bpf", "are no filter"]);
    }
    // One that the kernel's checker refuses.
    Made::new().filters(vec![vec![0xff; 8]]).is_refused(&["seccomp filter 1", "Invalid argument"]);
    let mut largest = bpf::allow_all().repeat(4095);
    largest.extend(bpf::allow_all());
    Made::new().filters(vec![largest]).permits(&["list", "/"]);
}

#[test]
fn a_bundle_for_other_architectures_is_refused() {
    let mut made = Made::new();
    let bundle = made.write();
    let programs = &mut made.policy().seccomp.as_mut().unwrap().programs;
    let own = programs.remove(std::env::consts::ARCH).unwrap();
    programs.insert("s390x".into(), own);
    std::fs::write(bundle.join("manifest.json"), serde_json::to_vec(&made.manifest).unwrap()).unwrap();
    let ran = support::ran(
        std::process::Command::new(support::CANC_RUN).arg(&bundle).arg("--").arg(made.probe()).arg("state"),
    );
    refused(&ran, &["seccomp", "no filter for", "--arch"]);
}

#[test]
fn actions_that_need_somebody_to_answer_are_refused() {
    let mut made = Made::new();
    made.policy().seccomp.as_mut().unwrap().needs_listener = true;
    made.is_refused(&["with notify", "nobody here answers"]);
    let mut made = Made::new();
    made.policy().seccomp.as_mut().unwrap().needs_tracer = true;
    made.is_refused(&["with trace"]);
}
