//! Policies that build, and everything that comes of them.

use crate::artefacts::{Bundle, texts};
use crate::case::{Case, cases, each};
use crate::record::{problems, report};

fn check(case: &Case) -> Vec<String> {
    match Bundle::build(&case.policy(), &case.options) {
        Ok(bundle) => problems(&case.dir(), &texts(case, &bundle), &[]),
        Err(ran) => vec![format!("{}: {:?}\n{}{}", case.name, ran.exit, ran.out, ran.err)],
    }
}

#[test]
fn ok_cases_give_what_is_recorded() {
    let cases = cases("ok");
    report(&each(&cases, check).concat());
    assert!(cases.len() >= 60, "{} cases", cases.len());
}
