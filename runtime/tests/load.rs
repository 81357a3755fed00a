//! `canc-run --load` on this kernel, which has neither module: there is nothing to load, and nobody but root may. What it loads is shown
//! in machines.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::process::Command;
use support::{Made, ran, refused};

#[test]
fn an_ordinary_user_may_not_load() {
    assert!(rustix::process::geteuid().is_root(), "becoming nobody needs root, as ci/test has");
    let mut made = Made::new();
    let bundle = made.write();
    let run = |options: &[&str]| {
        let mut command = Command::new("setpriv");
        command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups", "--"]).arg(made.canc_run());
        ran(command.args(options).arg(&bundle).arg("--").arg(made.probe()).arg("label"))
    };
    assert_eq!(run(&[]).code, Some(0), "vacuous: it does not start anyhow");
    refused(&run(&["--load"]), &["--load", "only root", "run it as root once"]);
}

#[test]
fn nothing_is_loaded_where_nothing_is_missing() {
    let mut made = Made::new();
    let bundle = made.write();
    let mut command = Command::new(made.canc_run());
    command.args(["--load", "--report", "json"]).arg(bundle).arg("--").arg(made.probe()).arg("label");
    let ran = ran(&mut command);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(!ran.err.contains("loaded:"), "{}", ran.err);
}
