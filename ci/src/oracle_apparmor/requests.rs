//! Requests: what the compiled automata answer is what the reader of profiles says, and so what verdicts rest on.

use super::blob::Compiled;
use super::compile::{Compiler, Kernel, options, text_named};
use super::corpus::all;
use super::dfa::{Dfa, START};
use super::ensure;
use super::perms::{permits, permits_link, policy as policy_perms};
use crate::Error;
use canc_codegen::apparmor::features::Abi;
use canc_codegen::apparmor::model::{Profile, Rule};
use canc_codegen::apparmor::{decide, lower};
use canc_dsl::policy::{FileOp, Policy};
use canc_sets::path::Pattern;
use canc_sets::testing::Random;

/// `AA_CLASS_…` of the kernel's `security/apparmor/include/apparmor.h`.
mod class {
    pub const MOUNT: u8 = 7;
    pub const PTRACE: u8 = 9;
    pub const SIGNAL: u8 = 10;
    pub const NET: u8 = 14;
    pub const NAMESPACE: u8 = 21;
}

/// Answers how many requests were compared.
pub fn check(compiler: &Compiler) -> Result<usize, Error> {
    let sets = all()?;
    let (abi, kernel) = (Abi::V4, Kernel::Debian13);
    let options = options(abi, kernel)?;
    let mut subjects = Vec::new();
    for set in &sets {
        for policy in set.policies().iter().filter(|p| p.raw.is_empty()) {
            let made = lower(set, policy, &options).map_err(|e| Error::Odd(format!("{e:?}")))?;
            subjects.push((policy, made));
        }
    }
    let texts: Vec<String> = subjects.iter().enumerate().map(|(n, (_, made))| text_named(made, n)).collect();
    let binaries = compiler.binaries(&texts, abi, kernel)?;
    let mut random = Random(4);
    let mut count = 0;
    for ((policy, made), binary) in subjects.iter().zip(&binaries) {
        // Complaining grants what it logs, in the kernel.
        count += files(policy, &made.profile, binary, &mut random)?;
        count += capabilities(&made.profile, binary)?;
    }
    Ok(count + fixed(compiler)?)
}

/// Paths that a policy speaks of, and paths near them.
fn paths(policy: &Policy, random: &mut Random) -> Vec<String> {
    use canc_dsl::policy::Body;
    let mut patterns: Vec<&Pattern> = policy.exec.iter().map(|p| &p.pattern).collect();
    for rule in &policy.rules {
        if let Body::File(file) = &rule.body {
            patterns.extend(file.paths.iter().chain(&file.except).map(|p| &p.pattern));
        }
    }
    let mut out = vec!["/".to_string(), "/etc/shadow".into(), "/proc/1/maps".into()];
    for pattern in patterns {
        for fill in ["", "a", "x/y", "keep", ".git/x"] {
            out.extend(pattern.example_with(false, fill));
            out.extend(pattern.example_with(true, fill));
        }
    }
    let more: Vec<String> = out
        .iter()
        .map(|path| match random.below(3) {
            0 => format!("{}z", path.trim_end_matches('/')),
            1 => format!("{}/z", path.trim_end_matches('/')),
            _ => format!("{}/z/", path.trim_end_matches('/')),
        })
        .collect();
    out.extend(more);
    out.retain(|p| !p.contains("//") && !p.starts_with("/proc/self"));
    out.sort();
    out.dedup();
    out
}

fn files(policy: &Policy, profile: &Profile, binary: &Compiled, random: &mut Random) -> Result<usize, Error> {
    let dfa = binary.files.as_ref().ok_or_else(|| Error::Odd("no file automaton".into()))?;
    let device_nodes = binary.capabilities & (1 << 27) != 0;
    let mut count = 0;
    for path in paths(policy, random) {
        for op in FileOp::ALL.iter().copied().filter(|op| *op != FileOp::Link) {
            for owner in [true, false] {
                let said = decide(profile, op, &path, owner).map_err(|e| Error::Odd(e.to_string()))?;
                let found = permits(dfa, op, &path, owner) && (op != FileOp::Mknod || device_nodes);
                let asked = || {
                    format!(
                        "{} {path:?} (owner {owner}) of {}: the binary says {found}, the reader {said:?}",
                        op.word(),
                        binary.name
                    )
                };
                ensure(found == said.permitted, asked)?;
                count += 1;
            }
        }
    }
    Ok(count + links(profile, dfa, binary)?)
}

/// Every pair of paths in link rules, and no other.
fn links(profile: &Profile, dfa: &Dfa, binary: &Compiled) -> Result<usize, Error> {
    let mut count = 0;
    let rules: Vec<_> = profile
        .rules()
        .filter_map(|(_, r)| match r {
            Rule::Link(link) => Some(link),
            _ => None,
        })
        .collect();
    let places = ["/a/d/x", "/l/x", "/l/secret", "/m/x", "/etc/shadow"];
    for name in places {
        for target in places {
            let mut says = false;
            let mut refuses = false;
            for rule in &rules {
                let meets = rule.name.matches(name).and_then(|n| Ok(n && rule.target.matches(target)?));
                if meets.map_err(|e| Error::Odd(e.to_string()))? {
                    if rule.mode.deny { refuses = true } else { says = true }
                }
            }
            let found = permits_link(dfa, name, target, true);
            ensure(found == (says && !refuses), || {
                format!("linking {name} to {target} under {}: the binary says {found}", binary.name)
            })?;
            count += 1;
        }
    }
    Ok(count)
}

fn capabilities(profile: &Profile, binary: &Compiled) -> Result<usize, Error> {
    let (mut allowed, mut denied) = (0u64, 0u64);
    for (_, rule) in profile.rules() {
        if let Rule::Capability(rule) = rule {
            let bits = rule.numbers.iter().fold(0u64, |bits, n| bits | 1 << n);
            if rule.mode.deny { denied |= bits } else { allowed |= bits }
        }
    }
    ensure(binary.capabilities == allowed & !denied, || {
        format!("capabilities of {}: {:#x}, not {:#x}", binary.name, binary.capabilities, allowed & !denied)
    })?;
    Ok(1)
}

/// A rule, a way through the automaton, and whether that is permitted.
struct Fixed {
    rule: &'static str,
    class: u8,
    bytes: Vec<u8>,
    wanted: u32,
    yes: bool,
}

/// The kernel's numbers for operations on sockets (`security/apparmor/include/net.h`).
mod net {
    pub const SEND: u32 = 0x2;
    pub const CREATE: u32 = 0x10;
    pub const CONNECT: u32 = 0x40;
    pub const BIND: u32 = 0x20_0000;
    pub const LISTEN: u32 = 0x40_0000;
}

/// Family and type as the kernel looks them up.
fn socket(family: u8, kind: u8) -> Vec<u8> {
    vec![0, family, 0, kind]
}

/// A mount as the kernel looks it up: mount point, source, type, and one byte per flag.
fn mount(target: &str, source: &str, kind: &str, flags: &[u8]) -> Vec<u8> {
    [target.as_bytes(), b"\0", source.as_bytes(), b"\0", kind.as_bytes(), b"\0", flags].concat()
}

fn fixed_cases() -> Vec<Fixed> {
    const MAY_MOUNT: u32 = 0x2;
    let case = |rule, class, bytes, wanted, yes| Fixed { rule, class, bytes, wanted, yes };
    let tcp = "allow connect tcp;";
    let bind = r#"allow mount bind "/s" -> "/m";"#;
    let tmpfs = r#"allow mount type tmpfs from "tmpfs" -> "/m" options ro, nosuid;"#;
    let signal = "allow signal send term to user;";
    vec![
        case(tcp, class::NET, socket(2, 1), net::CREATE | net::CONNECT, true),
        case(tcp, class::NET, socket(10, 1), net::CONNECT, true),
        case(tcp, class::NET, socket(2, 1), net::BIND, false),
        case(tcp, class::NET, socket(2, 1), net::LISTEN, false),
        case(tcp, class::NET, socket(2, 2), net::CREATE, false),
        case(tcp, class::NET, socket(1, 1), net::CREATE, false),
        case("allow listen tcp;", class::NET, socket(2, 1), net::LISTEN | net::BIND, true),
        case("allow listen tcp;", class::NET, socket(2, 1), net::CONNECT, false),
        case("allow send udp;", class::NET, socket(2, 2), net::SEND, true),
        case("allow send udp;", class::NET, socket(2, 2), net::CONNECT, false),
        case("allow connect tcp; deny connect tcp;", class::NET, socket(2, 1), net::CONNECT, false),
        case("allow syscall socketpair;", class::NET, socket(1, 1), net::CREATE, true),
        case("allow syscall socketpair;", class::NET, socket(1, 1), net::CONNECT, false),
        case(signal, class::SIGNAL, [b"\x0f".as_slice(), b"unconfined"].concat(), 2, true),
        case(signal, class::SIGNAL, [b"\x09".as_slice(), b"unconfined"].concat(), 2, false),
        case(signal, class::SIGNAL, [b"\x0f".as_slice(), b"other"].concat(), 2, false),
        case("", class::SIGNAL, [b"\x09".as_slice(), b"canc.p"].concat(), 6, true),
        case("", class::SIGNAL, [b"\x09".as_slice(), b"canc.a//&canc.p"].concat(), 6, true),
        case("", class::SIGNAL, [b"\x09".as_slice(), b"canc.p//&canc.z"].concat(), 6, true),
        case("", class::SIGNAL, [b"\x09".as_slice(), b"canc.pp"].concat(), 2, false),
        case("", class::SIGNAL, [b"\x09".as_slice(), b"xcanc.p"].concat(), 2, false),
        case("allow ptrace read self;", class::PTRACE, b"canc.p".to_vec(), 4, true),
        case("allow ptrace read self;", class::PTRACE, b"canc.p".to_vec(), 2, false),
        case("", class::PTRACE, b"canc.p".to_vec(), 4, false),
        case("", class::PTRACE, b"unconfined".to_vec(), 4, false),
        case("allow userns create;", class::NAMESPACE, Vec::new(), 0x8, true),
        case("", class::NAMESPACE, Vec::new(), 0x8, false),
        case(tmpfs, class::MOUNT, mount("/m/", "tmpfs", "tmpfs", &[1, 2]), MAY_MOUNT, true),
        case(tmpfs, class::MOUNT, mount("/m/", "tmpfs", "tmpfs", &[1]), MAY_MOUNT, false),
        case(tmpfs, class::MOUNT, mount("/m/", "tmpfs", "tmpfs", &[1, 2, 3]), MAY_MOUNT, false),
        case(tmpfs, class::MOUNT, mount("/m/", "tmpfs", "ext4", &[1, 2]), MAY_MOUNT, false),
        case(tmpfs, class::MOUNT, mount("/n/", "tmpfs", "tmpfs", &[1, 2]), MAY_MOUNT, false),
        case(bind, class::MOUNT, mount("/m/", "/s/", "", &[13]), MAY_MOUNT, true),
        case(bind, class::MOUNT, mount("/m/", "/s/", "", &[13, 15]), MAY_MOUNT, false),
        case(bind, class::MOUNT, mount("/m/", "/t/", "", &[13]), MAY_MOUNT, false),
        case(bind, class::MOUNT, mount("/m/", "/s/", "", &[14]), MAY_MOUNT, false),
        case(
            r#"allow mount remount ro -> "/m";"#,
            class::MOUNT,
            mount("/m/", "", "", &[1, 6]),
            MAY_MOUNT,
            true,
        ),
        case(
            r#"allow mount remount ro -> "/m";"#,
            class::MOUNT,
            mount("/m/", "", "", &[6]),
            MAY_MOUNT,
            false,
        ),
        case(
            r#"allow mount make rslave -> "/";"#,
            class::MOUNT,
            mount("/", "", "", &[15, 20]),
            MAY_MOUNT,
            true,
        ),
        case(r#"allow mount make rslave -> "/";"#, class::MOUNT, mount("/", "", "", &[20]), MAY_MOUNT, false),
        case("", class::MOUNT, mount("/m/", "tmpfs", "tmpfs", &[]), MAY_MOUNT, false),
    ]
}

fn fixed(compiler: &Compiler) -> Result<usize, Error> {
    let cases = fixed_cases();
    let options = options(Abi::V4, Kernel::Debian13)?;
    let mut texts = Vec::new();
    for (number, case) in cases.iter().enumerate() {
        let text = format!("can 1;\npolicy p {{ exec \"/usr/bin/p\"; {} }}\n", case.rule);
        let made = super::compile::lowered(&super::compile::policies(&text)?, &options)?;
        texts.push(text_named(&made, number));
    }
    let binaries = compiler.binaries(&texts, Abi::V4, Kernel::Debian13)?;
    for (case, binary) in cases.iter().zip(&binaries) {
        let dfa = binary.policy.as_ref().ok_or_else(|| Error::Odd("no policy automaton".into()))?;
        let state = dfa.run(dfa.step(START, case.class), &case.bytes);
        let found = policy_perms(dfa, state) & case.wanted == case.wanted;
        ensure(found == case.yes, || {
            format!(
                "{:?}: class {} {:?} permits {:#x}",
                case.rule,
                case.class,
                String::from_utf8_lossy(&case.bytes),
                policy_perms(dfa, state)
            )
        })?;
    }
    Ok(cases.len())
}
