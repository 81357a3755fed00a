use super::{Asked, Log, Subject, read};
use canc_dsl::policy::Target;
use proptest::prelude::*;

const APPARMOR: &str = "audit: type=1400 audit(1700000000.1:7): apparmor=\"DENIED\" operation=\"open\" class=\"file\" \
    profile=\"canc.cat\" name=2F7372762F74776F20776F726473 pid=9 comm=\"cat\" requested_mask=\"r\" denied_mask=\"r\" fsuid=0 ouid=0";
const AVC: &str = "type=AVC msg=audit(1700000000.1:8): avc:  denied  { read open } for  pid=9 comm=\"cat\" name=\"shadow\" \
    dev=\"vda\" ino=9 scontext=system_u:system_r:canc__cat_t:s0 tcontext=system_u:object_r:shadow_t:s0 tclass=file permissive=0";
const PATH: &str = "type=PATH msg=audit(1700000000.1:8): item=0 name=\"/etc/shadow\" inode=9 nametype=NORMAL";
const SECCOMP: &str = "host audit[12]: SECCOMP auid=0 uid=0 gid=0 ses=1 subj=unconfined pid=12 comm=\"uname\" \
    exe=\"/usr/bin/uname\" sig=31 arch=c000003e syscall=63 compat=0 ip=0x7f code=0x80000000";
const LANDLOCK: &str = "type=LANDLOCK_ACCESS msg=audit(1700000000.1:9): domain=195ba459b blockers=fs.read_file path=\"/etc/shadow\" dev=\"vda2\" ino=351";
const CALL: &str = "type=SYSCALL msg=audit(1700000000.1:9): arch=c000003e syscall=257 success=no exit=-13 comm=\"cat\" exe=\"/usr/bin/cat\"";

fn only(log: &Log) -> (Subject, Target, Asked, usize) {
    assert_eq!((log.refusals.len(), log.unreadable), (1, 0), "{log:?}");
    let (refusal, count) = log.refusals.iter().next().unwrap();
    (refusal.subject.clone(), refusal.layer, refusal.asked.clone(), *count)
}

fn request(text: &str) -> Asked {
    Asked::Request(text.into())
}

#[test]
fn names_in_hexadecimal_are_decoded_and_one_access_is_counted() {
    let found = only(&read(&format!("{APPARMOR}\n[    1.5] {APPARMOR}\n")));
    let cat = Subject::Policy("cat".into());
    assert_eq!(found, (cat, Target::Apparmor, request("read \"/srv/two words\""), 2));
}

#[test]
fn a_record_of_selinux_has_its_path_from_the_same_event() {
    let cat = Subject::Policy("cat".into());
    let found = only(&read(&format!("{AVC}\n{PATH}\n")));
    assert_eq!(found, (cat, Target::Selinux, request("read \"/etc/shadow\""), 1));
    let other = PATH.replace(":8)", ":9)");
    assert!(matches!(only(&read(&format!("{AVC}\n{other}\n"))).2, Asked::Unclear(_)));
}

#[test]
fn calls_have_names_and_programs() {
    let found = only(&read(SECCOMP));
    assert_eq!(
        found,
        (Subject::Program("/usr/bin/uname".into()), Target::Seccomp, request("syscall uname"), 1)
    );
}

/// By the kernel's documentation: a record of Linux 6.15 or later was not seen.
#[test]
fn landlock_by_the_kernels_documentation() {
    let found = only(&read(&format!("{LANDLOCK}\n{CALL}\n")));
    let cat = Subject::Program("/usr/bin/cat".into());
    assert_eq!(found, (cat.clone(), Target::Landlock, request("read \"/etc/shadow\""), 1));
    let port =
        LANDLOCK.replace("fs.read_file path=\"/etc/shadow\"", "net.connect_tcp daddr=127.0.0.1 dest=80");
    assert_eq!(only(&read(&format!("{port}\n{CALL}\n"))).2, request("connect tcp port 80"));
}

#[test]
fn what_cannot_be_read_is_counted_and_other_lines_are_not() {
    let cut = APPARMOR.split_once("name=").unwrap().0.replace("profile=\"canc.cat\"", "profile=\"canc");
    let long = format!("{APPARMOR}{}", "x".repeat(super::MAX_LINE_BYTES));
    let log = read(&format!("{cut}\n{long}\nusb 1-1: new device\n{PATH}\n"));
    assert_eq!((log.unreadable, log.refusals.len()), (2, 0), "{log:?}");
}

#[test]
fn a_terminal_is_told_no_escapes() {
    let name = "1b5b324a2f78";
    let log = read(&APPARMOR.replace("2F7372762F74776F20776F726473", name));
    let Asked::Unclear(text) = only(&log).2 else { panic!("{log:?}") };
    assert!(!text.contains('\u{1b}'), "{text:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn mutated_records_give_no_panic(
        which in 0usize..6, at in 0usize..400, cut in 0usize..60, put in "\\PC{0,8}|[\\x00-\\x1f\"={} ]{0,8}"
    ) {
        let lines = [APPARMOR, AVC, PATH, SECCOMP, LANDLOCK, CALL];
        let chars: Vec<char> = lines[which].chars().collect();
        let at = at.min(chars.len());
        let end = (at + cut).min(chars.len());
        let line: String = chars[..at].iter().copied().chain(put.chars()).chain(chars[end..].iter().copied()).collect();
        let log = read(&format!("{line}\n{PATH}\n{CALL}\n"));
        for refusal in log.refusals.keys() {
            let (Asked::Request(text) | Asked::Unclear(text)) = &refusal.asked;
            prop_assert!(!text.chars().any(char::is_control), "{text:?}");
        }
    }
}
