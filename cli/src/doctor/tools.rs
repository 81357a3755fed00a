//! The owners' tools to whether they answer here.

use crate::validate::host::Host;
use canc_runtime::survey::Tool;
use std::collections::BTreeMap;

/// Each tool, and what makes it say something and do nothing.
const TOOLS: [(&str, &str); 4] = [
    ("apparmor_parser", "--version"),
    ("checkmodule", "-V"),
    ("semodule", "--help"),
    ("semodule_package", "-h"),
];

/// Asks each. One that cannot be started is told as such: that is an answer about the host.
#[must_use]
pub fn tools() -> BTreeMap<String, Tool> {
    let host = Host::here();
    TOOLS.iter().map(|(name, option)| ((*name).to_owned(), ask(&host, name, option))).collect()
}

fn ask(host: &Host, name: &str, option: &str) -> Tool {
    if !host.has(name) {
        return Tool::Missing;
    }
    match host.run(name, [option], &[]) {
        Ok(ran) => {
            let first = ran.text.lines().next().unwrap_or_default().trim();
            // Some tools tell only how to use them.
            let version = if first.starts_with("usage") { "it answers" } else { first };
            Tool::Found { version: version.to_owned() }
        }
        Err(why) => Tool::Silent { why },
    }
}
