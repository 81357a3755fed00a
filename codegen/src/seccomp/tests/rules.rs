//! What each kind of rule allows and refuses.

use super::*;

#[test]
fn a_call_is_allowed_by_name_and_everything_else_refused() {
    let made = lowered("allow syscall read, write, getpid;");
    assert_eq!(x86_64(&made, "getpid", &[]), Action::Allow);
    assert_eq!(x86_64(&made, "getuid", &[]), EPERM);
    assert_eq!(x86_64(&made, "clone3", &[]), ENOSYS);
    assert_eq!(x86_64(&made, "statx", &[]), ENOSYS);
    assert_eq!(made.decide(Arch::X86_64, 400, [0; 6]).unwrap().action, ENOSYS);
    assert_eq!(made.decide(Arch::X86_64, 5_000, [0; 6]).unwrap().action, ENOSYS);
    for arch in Arch::DEFAULT {
        let filter = &made.filters[&arch][0];
        crate::seccomp::checker::check(filter.instructions()).unwrap();
        eprintln!("{arch:?} {}", filter.instructions().len());
    }
}

#[test]
fn show() {
    let text = include_str!("policies/container.can");
    let done = compile("container.can", text.as_bytes(), &NoFiles, &Options::default());
    let set = done.policies.unwrap();
    let p = set.policies().first().unwrap();
    let made = lower(p, &SeccompOptions { arches: vec![Arch::X86_64], ..Default::default() }).unwrap();
    println!("{}", made.listing(p, &done.sources));
}
