//! The policies that are tried: every form of rule, alone and with others, and those that the project carries.

use super::compile::{Compiler, Kernel, lowered, options, policies, text_named};
use super::ensure;
use crate::Error;
use canc_codegen::apparmor::features::Abi;
use canc_codegen::apparmor::{emit, lower, read};
use canc_dsl::policy::PolicySet;
use std::path::Path;

/// Statements of one policy, `p`, that may run `/usr/bin/p`.
pub const STATEMENTS: &[&str] = &[
    "",
    r#"allow read "/etc/hosts"; allow list "/etc/"; allow read, list "/srv/**";"#,
    r#"allow write "/a/b"; allow append "/a/log"; allow replace "/a/c"; allow manage "/a/d/**";"#,
    r#"allow create, delete "/a/e/"; allow lock, setattr "/a/f"; allow map "/a/g/*.so"; allow mknod "/dev/x";"#,
    r#"allow read owner "/o/**"; allow append, create owner "/o/*.log" as log; allow audit read "/o/x";"#,
    r#"allow link, create "/l/**"; allow read, write "/l/x"; deny link "/l/secret"; deny create "/m/**";"#,
    r#"allow read, list "/w/**" except "/w/**/.git/**", "/w/private/**"; allow read "/w/private/ok";"#,
    r#"allow read "/d/**"; deny read "/d/x/**" except "/d/x/y"; deny write "/d/**"; deny run "/d/bin/*"; deny lock, map "/d/z";"#,
    r#"allow write "/j/**"; deny delete "/j/keep"; deny append "/j/full"; deny setattr setid "/j/**";"#,
    r#"allow read "/g/?[a-c][!x-z]*"; allow read "/g/**/deep/*.{a,b}"; allow read "/g/*/x/**"; allow list "/g/**/";"#,
    r#"allow read "${home}/.config/**"; allow manage "${run_user}/p/**"; allow read "${self}/{maps,status}";"#,
    r#"allow run "/usr/bin/x"; allow run "/usr/lib/p/*" except "/usr/lib/p/su*";"#,
    r#"no_new_privs off because "test"; allow run "/usr/bin/x" -> unconfined;"#,
    "allow connect tcp; allow bind udp; allow listen tcp;",
    "allow connect tcp port 443; allow send udp port 53; allow receive udp; deny connect tcp port 25;",
    "allow connect tcp address 192.0.2.0/24 port 443; allow bind tcp address 2001:db8::/32 port 80;",
    "allow connect sctp; allow listen sctp; deny connect tcp;",
    "allow bind tcp port 80; deny listen tcp; deny connect udp;",
    "allow socket netlink route, audit; allow socket packet; allow socket vsock; allow socket alg;",
    "allow socket raw; allow socket icmp; deny socket vsock; deny socket netlink audit;",
    r#"allow connect unix "/run/x.sock"; allow listen unix dgram "/run/p/y"; allow connect unix seqpacket "/run/z" to systemd;"#,
    r#"allow connect unix "@x*"; allow listen unix stream "@own"; allow connect unix "@y" to self; deny connect unix dgram "@z";"#,
    "allow capability net_bind_service, setuid, checkpoint_restore; deny capability sys_admin;",
    "allow userns create; allow capability sys_admin in userns;",
    "deny userns create; deny io_uring; deny namespace mount;",
    "allow signal send term, hup to systemd; allow signal send all to user; allow signal receive kill, usr1 from systemd;",
    "allow signal send int to self; deny signal send kill;",
    "allow ptrace read self; allow ptrace trace self;",
    r#"allow mount type tmpfs, proc -> "/m/**" options ro, nosuid, nodev; allow mount type ext4 from "/dev/vda" -> "/m";"#,
    r#"allow mount bind "/s" -> "/m/a"; allow mount rbind "/s/**" -> "/m/b"; allow mount move "/m/a" -> "/m/c";"#,
    r#"allow mount remount ro, nosuid -> "/m"; allow mount remount -> "/n"; allow mount make rslave -> "/";"#,
    r#"allow unmount "/m/**"; allow pivot_root "/n/old" -> "/n"; deny mount make shared -> "/";"#,
    r#"allow mqueue create, read "/q"; allow mqueue write, delete "/r*"; deny mqueue read "/s";"#,
    "allow syscall socketpair; allow namespace net; allow shm; allow perf;",
    r#"mode complain; allow read "/a/**"; deny read "/a/b"; allow connect tcp;"#,
    r#"attach "/usr/bin/a", "/usr/lib/b c/*"; allow read "/x";"#,
];

/// Several policies with edges between them.
pub const SETS: &[&str] = &[
    r#"can 1;
policy p { exec "/usr/bin/p"; allow run "/usr/bin/q" -> policy q; allow run "/usr/lib/p/*"; allow read "/x/**";
  allow signal send term to policy q; allow ptrace read policy q; allow connect unix "@q" to policy q; }
policy q { exec "/usr/bin/q"; launch from policy p; allow read "/x/**"; allow signal receive term from policy p; }
"#,
    r#"can 1;
policy p { exec "/usr/bin/p"; no_new_privs off because "test"; allow run "/usr/bin/q*" -> policy q;
  allow run "/usr/bin/*" except "/usr/bin/q*"; }
policy q { exec "/usr/bin/q*"; launch from policy p; }
"#,
];

/// All of them, and the policies of the project itself.
pub fn all() -> Result<Vec<PolicySet>, Error> {
    let mut out = Vec::new();
    for statements in STATEMENTS {
        out.push(policies(&format!("can 1;\npolicy p {{\n  exec \"/usr/bin/p\";\n{statements}\n}}\n"))?);
    }
    for text in SETS {
        out.push(policies(text)?);
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("/"));
    for place in ["golden/ok", "examples"] {
        let walk = walkdir::WalkDir::new(root.join(place)).sort_by_file_name();
        for entry in walk.into_iter().flatten().filter(|e| e.path().extension().is_some_and(|x| x == "can")) {
            let text = std::fs::read_to_string(entry.path()).map_err(Error::io("reading", entry.path()))?;
            // Those that use other files are tried with their bundles.
            out.extend(policies(&text).ok());
        }
    }
    Ok(out)
}

/// What a profile is made for.
pub const KINDS: [(Abi, Kernel); 4] = [
    (Abi::V4, Kernel::Debian13),
    (Abi::V4, Kernel::OfAbi(Abi::V4)),
    (Abi::V3, Kernel::Debian13),
    (Abi::V3, Kernel::OfAbi(Abi::V3)),
];

/// Every profile is read back as itself and taken by the strict parser, for both ABIs and both kinds of kernel.
pub fn accepted(compiler: &Compiler) -> Result<usize, Error> {
    let sets = all()?;
    let mut count = 0;
    for (abi, kernel) in KINDS {
        let options = options(abi, kernel)?;
        let mut texts = Vec::new();
        for set in &sets {
            for policy in set.policies() {
                let made = lower(set, policy, &options)
                    .map_err(|e| Error::Odd(format!("{}: {e:?}", policy.name)))?;
                let text = emit(&made.profile);
                ensure(read(&text).as_ref() == Ok(&made.profile), || format!("not read back:\n{text}"))?;
                texts.push(text_named(&made, texts.len()));
            }
        }
        let binaries = compiler.binaries(&texts, abi, kernel)?;
        count += binaries.len();
    }
    no_side_effect(compiler)?;
    shows_its_teeth(compiler)?;
    Ok(count)
}

/// A reason that looks like a directive changes nothing.
fn no_side_effect(compiler: &Compiler) -> Result<(), Error> {
    let options = options(Abi::V4, Kernel::Debian13)?;
    let binary = |because: &str| {
        let statement = format!("can 1;\npolicy p {{ exec \"/usr/bin/p\"; allow read \"/x\"{because}; }}\n");
        let made = lowered(&policies(&statement)?, &options)?;
        compiler.binary(&emit(&made.profile), Abi::V4, Kernel::Debian13)
    };
    let plain = binary("")?;
    let reasons = [
        "include <abstractions/base>",
        "#include <abstractions/base>",
        "include if exists </etc/passwd>",
        "}\\\\",
        "x, /** rwlk,",
        "@{HOME}",
    ];
    for reason in reasons {
        let made = binary(&format!(" because \"{}\"", reason.replace('"', "\\\"")))?;
        ensure(made == plain, || format!("the reason {reason:?} changes the profile"))?;
    }
    Ok(())
}

/// The parser is strict: what it does not enforce, it refuses.
fn shows_its_teeth(compiler: &Compiler) -> Result<(), Error> {
    let refused = [
        ("profile canc.p { io_uring sqpoll, }", Kernel::Debian13),
        ("profile canc.p { mqueue (create) type=posix \"/x\", }", Kernel::Debian13),
        ("profile canc.p { \"/a\" wa, }", Kernel::OfAbi(Abi::V4)),
        ("profile canc.p { \"/a/*b\" ix, \"/a/b*\" Ux, }", Kernel::OfAbi(Abi::V4)),
    ];
    for (text, kernel) in refused {
        let text = format!("abi <abi/4.0>,\n{text}\n");
        ensure(compiler.parse(&text, kernel).is_err(), || format!("the parser takes {text}"))?;
    }
    Ok(())
}
