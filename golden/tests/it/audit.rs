//! `canc why --audit` about records that real kernels wrote: what is said of `audit/KIND.log` is `audit/KIND.txt`.
//!
//! The step `audit-record` of the test bed records the logs.

use crate::canc::canc;
use crate::record::report;
use canc_cli::Exit;
use std::fs;
use std::path::Path;

#[test]
fn recorded_refusals_are_answered_as_recorded() {
    std::env::set_current_dir(env!("CARGO_MANIFEST_DIR")).unwrap();
    let update = std::env::var_os("CANC_UPDATE").is_some_and(|v| v == "1");
    let mut problems = Vec::new();
    for kind in ["apparmor", "seccomp", "selinux"] {
        let log = format!("audit/{kind}.log");
        let ran = canc(&["why", "audit/policy.can", "--audit", &log]);
        assert_eq!(ran.exit, Exit::No, "{}", ran.err);
        assert!(ran.out.contains(&format!(": {kind} refused")), "{log}: {}", ran.out);
        assert!(!ran.out.contains("cannot be read"), "{log}: {}", ran.out);
        let path = Path::new("audit").join(format!("{kind}.txt"));
        if update {
            fs::write(&path, &ran.out).unwrap();
        } else if fs::read_to_string(&path).ok().as_deref() != Some(ran.out.as_str()) {
            problems.push(format!("{}: otherwise than recorded:\n{}", path.display(), ran.out));
        }
    }
    report(&problems);
}
