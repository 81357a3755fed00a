//! Policy texts to policies, for the tests of back ends.

use canc_dsl::policy::PolicySet;
use canc_dsl::{NoFiles, Options, compile};

/// The policies of a text; panics with the diagnostics of a wrong one.
pub(crate) fn policies(text: &str) -> PolicySet {
    let options = Options { allow_raw: true, ..Options::default() };
    let made = compile("test.can", text.as_bytes(), &NoFiles, &options);
    let diagnostics: Vec<String> = made
        .diagnostics
        .iter()
        .map(|d| {
            let places: Vec<&str> = d.labels.iter().map(|l| made.sources.text(l.span)).collect();
            format!("{} {} {places:?}", d.code.0, d.message)
        })
        .collect();
    made.policies.unwrap_or_else(|| panic!("{text}\n{diagnostics:#?}"))
}

/// One policy `p` with these statements, which may run `/usr/bin/p`.
pub(crate) fn one(statements: &str) -> PolicySet {
    policies(&format!("can 1;\npolicy p {{\n  exec \"/usr/bin/p\";\n{statements}\n}}\n"))
}
