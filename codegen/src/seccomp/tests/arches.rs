//! Architectures besides the usual three: x32, 32-bit ones, and one with the high half first.

use super::oracle::expected;
use super::random::{answer, random_policy};
use super::*;
use crate::seccomp::{checker, encode};
use canc_sets::syscalls::max_number;
use canc_sets::testing::Random;

fn on_arches(body: &str, arches: &[Arch]) -> Lowered {
    lower(&policy(body), &SeccompOptions { arches: arches.to_vec(), ..SeccompOptions::default() }).unwrap()
}

#[test]
fn x32_and_x86_join_the_filter_of_their_host() {
    let made = on_arches("allow syscall getuid; allow syscall getgid on x32;", &[Arch::X86_64]);
    assert_eq!(made.filters.keys().copied().collect::<Vec<_>>(), [Arch::X86_64]);
    assert_eq!(
        (on(&made, Arch::X32, "getuid", &[]), on(&made, Arch::X32, "getgid", &[])),
        (Action::Allow, Action::Allow)
    );
    assert_eq!(
        (on(&made, Arch::X86_64, "getuid", &[]), on(&made, Arch::X86_64, "getgid", &[])),
        (Action::Allow, EPERM)
    );
    assert_eq!(made.decide(Arch::X86, 199, [0; 6]).unwrap().action, Action::Kill);
    let made = on_arches("allow syscall getuid;", &[Arch::X86_64, Arch::X86]);
    assert_eq!(
        (on(&made, Arch::X86, "getuid", &[]), on(&made, Arch::X86_64, "getuid", &[])),
        (Action::Allow, Action::Allow)
    );
    assert_eq!(on(&made, Arch::X32, "getuid", &[]), Action::Kill);
    let made = on_arches("allow syscall getuid;", &[Arch::X32]);
    assert_eq!(
        (on(&made, Arch::X32, "getuid", &[]), on(&made, Arch::X86_64, "getuid", &[])),
        (Action::Allow, Action::Kill)
    );
}

#[test]
fn arguments_lie_where_the_architecture_has_them() {
    let body = "allow syscall clone where flags == 17; allow syscall pread64 where pos == 0x100000002; allow syscall setuid where uid == 1;";
    let made = on_arches(body, &Arch::ALL);
    for arch in Arch::ALL {
        let swapped: &[u64] = if arch == Arch::S390x { &[9, 17] } else { &[17, 9] };
        assert_eq!(on(&made, arch, "clone", swapped), Action::Allow, "{arch:?}");
        assert_eq!(on(&made, arch, "clone", &[18, 18]), EPERM, "{arch:?}");
    }
    assert_eq!(on(&made, Arch::X86_64, "pread64", &[0, 0, 0, 0x1_0000_0002]), Action::Allow);
    assert_eq!(on(&made, Arch::S390x, "pread64", &[0, 0, 0, 0x1_0000_0002]), Action::Allow);
    assert_eq!(on(&made, Arch::X86, "pread64", &[0, 0, 0, 2, 1]), Action::Allow);
    assert_eq!(
        on(&made, Arch::Arm, "pread64", &[0, 0, 0, 0, 2, 1]),
        Action::Allow,
        "pairs start at an even register"
    );
    assert_eq!(on(&made, Arch::Arm, "pread64", &[0, 0, 0, 2, 1]), EPERM);
    assert_eq!(on(&made, Arch::X86, "setuid", &[0x1_0001]), Action::Allow, "the first table takes 16 bits");
    assert_eq!(on(&made, Arch::X86, "setuid32", &[1]), EPERM);
    assert_eq!(on(&made, Arch::X86_64, "setuid", &[0x1_0001]), EPERM);
}

/// The order of arguments is looked up once, wherever the policy is compiled for.
#[test]
fn arguments_are_found_by_name_whatever_a_policy_is_compiled_for() {
    let bodies = ["flags == 17 and tls == 5", "arg0 == 17 and arg4 == 5"];
    for (arch, body) in Arch::ALL.into_iter().flat_map(|a| bodies.map(|b| (a, b))) {
        for served in [String::new(), format!(" on {}", arch.word())] {
            let text = format!(
                "can 1;\npolicy p {{\n  exec \"/p\";\n  allow syscall clone where {body}{served};\n}}\n"
            );
            let options = Options { arches: Arch::ALL.to_vec(), ..Options::default() };
            let set = compile("p.can", text.as_bytes(), &NoFiles, &options).policies.unwrap();
            let options = SeccompOptions { arches: Arch::ALL.to_vec(), ..SeccompOptions::default() };
            let made = lower(set.policies().first().unwrap(), &options).unwrap();
            // clone(2), "C library/kernel differences".
            let right: &[u64] = match arch {
                Arch::X86_64 | Arch::X32 => &[17, 9, 9, 9, 5],
                Arch::S390x => &[9, 17, 9, 9, 5],
                _ => &[17, 9, 9, 5, 9],
            };
            assert_eq!(on(&made, arch, "clone", right), Action::Allow, "{arch:?} {text}");
            for other in
                [[17, 9, 9, 9, 5], [9, 17, 9, 9, 5], [17, 9, 9, 5, 9]].iter().filter(|o| o[..] != *right)
            {
                assert_eq!(on(&made, arch, "clone", other), EPERM, "{arch:?} {text}");
            }
        }
    }
}

#[test]
fn constants_that_differ_are_compared_by_architecture() {
    let made = lowered("allow syscall openat where flags == O_DIRECTORY;");
    assert_eq!(
        (
            on(&made, Arch::X86_64, "openat", &[0, 0, 0o20_0000]),
            on(&made, Arch::Aarch64, "openat", &[0, 0, 0o20_0000])
        ),
        (Action::Allow, EPERM)
    );
    assert_eq!(on(&made, Arch::Aarch64, "openat", &[0, 0, 0o4_0000]), Action::Allow);
}

#[test]
fn programs_of_every_architecture_mean_what_the_policy_says() {
    let mut random = Random(3);
    for _ in 0..40 {
        let data = random_policy(&mut random);
        let options = SeccompOptions {
            arches: vec![Arch::X86_64, Arch::X32, Arch::S390x, Arch::Ppc64le, Arch::Loongarch64],
            ..SeccompOptions::default()
        };
        let Ok(made) = lower(&Policy::unchecked(data.clone()), &options) else { continue };
        for (host, filters) in &made.filters {
            let served: Vec<Arch> = options.arches.iter().copied().filter(|a| a.host() == *host).collect();
            for filter in filters {
                checker::check(filter.instructions()).unwrap();
                assert_eq!(
                    encode::instructions(&filter.encode(), *host).as_deref(),
                    Some(filter.instructions())
                );
                let inputs = super::paths::inputs(filter.instructions(), host.is_big_endian(), 20_000);
                assert_eq!(
                    super::paths::unreached(filter.instructions(), &inputs, host.is_big_endian()),
                    [0usize; 0]
                );
                for input in inputs {
                    let wanted =
                        expected(&data, &served, input.arch, input.nr, input.args, Some(options.launch_fd));
                    assert_eq!(
                        answer(&made, *host, &input),
                        wanted,
                        "{host:?} {input:x?}\n{:#?}",
                        data.rules
                    );
                }
            }
            for arch in &served {
                for nr in 0..=max_number(*arch) & 0xffff {
                    let nr = nr | (max_number(*arch) & 0x4000_0000);
                    let input = Data { arch: arch.audit_value(), nr, args: [1; 6] };
                    let wanted =
                        expected(&data, &served, input.arch, nr, input.args, Some(options.launch_fd));
                    assert_eq!(answer(&made, *host, &input), wanted, "{arch:?} {nr}");
                }
            }
        }
    }
}

#[test]
fn a_number_that_a_32_bit_kernel_cannot_see_is_none_of_its_negative_ones() {
    let made = on_arches("allow syscall lseek where offset == 0x80000000;", &[Arch::X86_64, Arch::X86]);
    assert_eq!(on(&made, Arch::X86_64, "lseek", &[0, 1 << 31]), Action::Allow);
    assert_eq!(on(&made, Arch::X86, "lseek", &[0, 1 << 31]), EPERM, "-2^31 there");
    let made = on_arches("allow syscall lseek where offset < 0x80000000;", &[Arch::X86_64, Arch::X86]);
    for offset in [0, 5, u64::from(u32::MAX), 1 << 31] {
        assert_eq!(on(&made, Arch::X86, "lseek", &[0, offset]), Action::Allow, "{offset:#x}");
    }
    let made = on_arches("allow syscall lseek where offset == -5;", &[Arch::X86]);
    assert_eq!(on(&made, Arch::X86, "lseek", &[0, 0xffff_fffb]), Action::Allow);
}
