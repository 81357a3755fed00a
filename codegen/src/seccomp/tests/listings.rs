//! The listing: readable, complete, and closed to text of the policy.

use super::*;

const POLICY: &str = r#"can 1;
policy web {
  exec "/usr/bin/web";
  allow syscall read, write, getpid;
  allow connect tcp port 443 because "\"; return allow";
  allow syscall ioctl where cmd in [TCGETS, FIONREAD];
  deny syscall ptrace with kill;
}
"#;

fn listing(text: &str, arches: &[Arch]) -> String {
    let done = compile("dir/web.can", text.as_bytes(), &NoFiles, &Options::default());
    let set = done.policies.unwrap();
    let policy = set.policies().first().unwrap();
    let options = SeccompOptions { arches: arches.to_vec(), ..SeccompOptions::default() };
    lower(policy, &options).unwrap().listing(policy, &done.sources)
}

#[test]
fn each_block_names_its_line() {
    let text = listing(POLICY, &[Arch::X86_64]);
    assert!(text.starts_with("; seccomp filters of policy web\n\n; x86_64: filter 1 of 1, "), "{text}");
    for wanted in [
        "; calls of x86_64\n",
        "; arguments of ioctl\n",
        ";       web.can:6: allow syscall ioctl where cmd in [TCGETS, FIONREAD]\n",
        "; arguments of socket\n;       web.can:5: allow connect tcp port 443",
        "== 0x65 (ptrace) then",
        "ptrace: kill\n;       web.can:7: deny syscall ptrace with kill\n",
        "load arg1, low half\n",
        "return errno ENOSYS\n",
        "  load architecture\n",
        "1073741824 to 4294967295: no call: kill\n",
    ] {
        assert!(text.contains(wanted), "{wanted:?}\n{text}");
    }
    // Every line is a remark, an instruction or empty.
    for line in text.lines().filter(|l| !l.is_empty() && !l.starts_with(';')) {
        let (number, code) = line.trim_start().split_once("  ").unwrap_or_else(|| panic!("{line}"));
        assert!(number.parse::<usize>().is_ok(), "{line}");
        let first = code.split(' ').next().unwrap();
        assert!(["load", "and", "go", "return", "if"].contains(&first), "{line}");
    }
    let numbered = text.lines().filter(|l| l.starts_with(' ')).count();
    let made = lowered(
        "allow syscall read, write, getpid; allow connect tcp port 443; allow syscall ioctl where cmd in [TCGETS, FIONREAD]; deny syscall ptrace with kill;",
    );
    assert_eq!(numbered, made.filters[&Arch::X86_64][0].instructions().len());
}

#[test]
fn several_architectures_follow_each_other() {
    let text = listing(POLICY, &[Arch::X86_64, Arch::X86, Arch::S390x]);
    assert!(text.contains("; x86_64: filter 1 of 1") && text.contains("; s390x: filter 1 of 1"));
    assert!(text.contains("; calls of x86\n") && text.contains("(x86) then"));
    assert_eq!(text, listing(POLICY, &[Arch::S390x, Arch::X86, Arch::X86_64]), "in one order");
}
