//! What `sesearch` and `seinfo` print to plain values.

use super::{Error, Root};
use std::collections::BTreeSet;

/// One access rule of the linked policy.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Allow {
    pub(super) source: String,
    pub(super) target: String,
    pub(super) class: String,
    pub(super) perms: Vec<String>,
    /// The boolean expression and the value for which the rule holds; empty for always.
    pub(super) condition: String,
}

/// The rules that `sesearch -A` finds.
pub(super) fn allows(root: &Root, query: &[&str]) -> Result<Vec<Allow>, Error> {
    let mut command = vec!["sesearch", "-A"];
    command.extend(query);
    let text = root.run("/", &command)?;
    let mut out =
        text.lines().map(str::trim).filter(|l| !l.is_empty()).map(allow).collect::<Result<Vec<_>, _>>()?;
    out.sort();
    Ok(out)
}

/// `allow S T:C { P … }; [ EXPR ]:True`
fn allow(line: &str) -> Result<Allow, Error> {
    let wrong = || Error::Answer(line.into());
    let rest = line.strip_prefix("allow ").ok_or_else(wrong)?;
    let (rule, condition) = rest.split_once(';').ok_or_else(wrong)?;
    let (head, perms) = rule.split_once(':').ok_or_else(wrong)?;
    let (source, target) = head.split_once(' ').ok_or_else(wrong)?;
    let mut words = perms.split_whitespace().filter(|w| *w != "{" && *w != "}");
    let class = words.next().ok_or_else(wrong)?.to_owned();
    Ok(Allow {
        source: source.into(),
        target: target.trim().into(),
        class,
        perms: words.map(str::to_owned).collect(),
        condition: condition.trim().replace("[ ", "").replace(" ]", ""),
    })
}

/// The types of an attribute, or the type itself.
pub(super) fn expand(root: &Root, name: &str) -> Result<BTreeSet<String>, Error> {
    if name.ends_with("_t") {
        return Ok(BTreeSet::from([name.to_owned()]));
    }
    let text = root.run("/", &["seinfo", "-a", name, "-x"])?;
    let list = text.split_once(';').map_or("", |(_, rest)| rest);
    Ok(list.split_whitespace().map(str::to_owned).collect())
}
