//! What the owner's parser finds hard about a profile, and which rules bring it: said before anybody waits for it.

use super::model::{Origin, Profile, Rule};
use canc_dsl::policy::RuleId;

/// File rules from which parser 4.1 takes seconds: 10,000 take it 3.7 s and 83 MB (seen), and it grows a little faster than
/// the number.
pub const MANY_RULES: usize = 10_000;
/// File rules with which parser 4.1 fails without a word (seen at 100,000).
pub const TOO_MANY_RULES: usize = 50_000;
/// Globs with a star before other text that lie in one directory, from which the automaton of their union may explode.
pub const MANY_GLOBS: usize = 200;

/// One thing that the parser will find hard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    /// What, with figures.
    pub what: String,
    /// Whether the parser is expected to fail.
    pub fails: bool,
    /// The rules that bring most of it, worst first.
    pub rules: Vec<RuleId>,
}

/// How many rules a limit names.
const NAMED: usize = 5;

/// The limits that a profile meets.
#[must_use]
pub fn find(profile: &Profile) -> Vec<Limit> {
    let mut out = Vec::new();
    let (mut files, mut globs) = (0, 0);
    for (_, rule) in profile.rules() {
        let Rule::File(file) = rule else { continue };
        files += 1;
        globs += usize::from(is_wild(file.path.as_str()));
    }
    if files >= MANY_RULES {
        let fails = files >= TOO_MANY_RULES;
        let end = if fails { "fails on so many" } else { "takes seconds for so many" };
        let rules = worst(profile, |rule| matches!(rule, Rule::File(_)));
        out.push(Limit { what: format!("{files} rules on paths; apparmor_parser {end}"), fails, rules });
    }
    if globs >= MANY_GLOBS {
        let what = format!("{globs} globs with text after a star; apparmor_parser may run out of states");
        let wild = |rule: &Rule| matches!(rule, Rule::File(file) if is_wild(file.path.as_str()));
        out.push(Limit { what, fails: false, rules: worst(profile, wild) });
    }
    out
}

/// Whether text follows a star: the automaton must remember how far each of those has come.
fn is_wild(glob: &str) -> bool {
    if !glob.contains('*') {
        return false;
    }
    let glob = glob
        .trim_end_matches("{,**}")
        .trim_end_matches("{,**/}")
        .trim_end_matches("**[^/]")
        .trim_end_matches("{,/}");
    glob.find('*')
        .is_some_and(|at| glob.get(at..).is_some_and(|rest| rest.chars().any(|c| c.is_alphanumeric())))
}

fn worst(profile: &Profile, counts: impl Fn(&Rule) -> bool) -> Vec<RuleId> {
    let mut by_rule: std::collections::BTreeMap<RuleId, usize> = std::collections::BTreeMap::new();
    for (origins, _) in profile.rules().filter(|(_, r)| counts(r)) {
        for origin in origins {
            if let Origin::Rule { id, .. } = origin {
                *by_rule.entry(*id).or_default() += 1;
            }
        }
    }
    let mut list: Vec<(RuleId, usize)> = by_rule.into_iter().collect();
    list.sort_by_key(|(id, count)| (std::cmp::Reverse(*count), *id));
    list.into_iter().take(NAMED).map(|(id, _)| id).collect()
}
