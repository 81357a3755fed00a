//! An imported policy to its text. The statements stand in the template; this prints names, numbers and comparisons.

use super::oci_import::Policy;
use super::oci_rules::{Comparison, Effect, Rule};
use super::oci_sets::{Set, bits};
use askama::Template;
use canc_dsl::nearest_of_many;
use canc_sets::syscalls::{Arch, ArgKind};

/// Names of calls on a line.
const WIDTH: usize = 110;

#[derive(Template)]
#[template(path = "oci_import.can", escape = "can")]
struct Text<'a> {
    policy: &'a Policy,
}

/// The text.
pub(super) fn print(policy: &Policy) -> String {
    // A string takes whatever is printed, so that printing cannot fail.
    Text { policy }.render().unwrap_or_default()
}

/// What is said of an unknown operator.
pub(super) fn operator_unknown(word: &str) -> String {
    const WORDS: [&str; 7] = [
        "SCMP_CMP_EQ",
        "SCMP_CMP_GE",
        "SCMP_CMP_GT",
        "SCMP_CMP_LE",
        "SCMP_CMP_LT",
        "SCMP_CMP_MASKED_EQ",
        "SCMP_CMP_NE",
    ];
    let near = nearest_of_many(word, WORDS).map(|n| format!("; did you mean `{n}`?")).unwrap_or_default();
    format!("unknown operator `{word}`{near}")
}

/// A comparison in the language. Profiles compare without sign; where the kernel's argument has one, its negative half is the upper.
fn comparison(c: &Comparison) -> String {
    let name = c.name;
    match c.set {
        Set::Not(value) => format!("{name} != {value:#x}"),
        Set::Masked(mask, value) => format!("{name} & {mask:#x} == {value:#x}"),
        Set::Range(first, last) if first == last => format!("{name} == {first:#x}"),
        Set::Range(first, last) => range(name, c.kind, first, last),
    }
}

fn range(name: &str, kind: ArgKind, first: u64, last: u64) -> String {
    let width = bits(kind, Arch::X86_64);
    let most = u64::MAX >> (64 - width);
    let signed = matches!(kind, ArgKind::I32 | ArgKind::I64);
    let half = most >> 1;
    let number =
        |v: u64| if signed && v > half { format!("-{:#x}", most - v + 1) } else { format!("{v:#x}") };
    let (least, greatest) = if signed { (half + 1, half) } else { (0, most) };
    let from = (first != least).then(|| format!("{name} >= {}", number(first)));
    let to = (last != greatest).then(|| format!("{name} <= {}", number(last)));
    let joint = if signed && first <= half && last > half { " or " } else { " and " };
    let parts: Vec<String> = [from, to].into_iter().flatten().collect();
    if parts.len() > 1 { format!("({})", parts.join(joint)) } else { parts.concat() }
}

mod filters {
    use super::{Rule, WIDTH, comparison};
    use askama::filters::Safe;
    use askama::{Result, Values};
    use canc_dsl::policy::Action;
    use canc_sets::syscalls::Arch;

    /// The name of a policy: what is none becomes `_`.
    #[askama::filter_fn]
    pub fn word(name: &str, _: &dyn Values) -> Result<Safe<String>> {
        let plain = |c: char| if c.is_ascii_alphanumeric() || c == '_' || c == '-' { c } else { '_' };
        Ok(Safe(name.chars().map(plain).collect()))
    }

    /// A path that means itself alone.
    #[askama::filter_fn]
    pub fn path(value: &str, _: &dyn Values) -> Result<Safe<String>> {
        Ok(Safe(canc_dsl::spell::literal_path(value)))
    }

    /// A remark on one line, without characters that files of the language may not hold.
    #[askama::filter_fn]
    pub fn note(value: &str, _: &dyn Values) -> Result<Safe<String>> {
        Ok(Safe(value.chars().map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' }).collect()))
    }

    #[askama::filter_fn]
    pub fn action(action: &Action, _: &dyn Values) -> Result<Safe<String>> {
        Ok(Safe(match action {
            Action::Kill => "kill".to_owned(),
            Action::KillThread => "kill_thread".to_owned(),
            Action::Trap => "trap".to_owned(),
            Action::Errno(number) => match canc_dsl::tables::errno_name(*number) {
                Some(name) => name.to_owned(),
                None => format!("errno({number})"),
            },
            Action::Notify => "notify".to_owned(),
            Action::Trace => "trace".to_owned(),
            Action::Log | Action::Allow => return Err(askama::Error::Fmt),
        }))
    }

    /// Names, several lines of them where they are many.
    #[askama::filter_fn]
    pub fn calls(names: &[&'static str], _: &dyn Values) -> Result<Safe<String>> {
        let mut out = String::new();
        let mut line = 0;
        for (index, name) in names.iter().enumerate() {
            if index > 0 {
                out.push(',');
                line += 1;
                let (gap, left) = if line + name.len() > WIDTH { ("\n    ", 0) } else { (" ", line + 1) };
                out.push_str(gap);
                line = left;
            }
            out.push_str(name);
            line += name.len();
        }
        Ok(Safe(out))
    }

    #[askama::filter_fn]
    pub fn arches(list: &[Arch], _: &dyn Values) -> Result<Safe<String>> {
        Ok(Safe(list.iter().map(|a| a.word()).collect::<Vec<_>>().join(", ")))
    }

    #[askama::filter_fn]
    pub fn conditions(rule: &Rule, _: &dyn Values) -> Result<Safe<String>> {
        let all =
            |list: &Vec<super::Comparison>| list.iter().map(comparison).collect::<Vec<_>>().join(" and ");
        let any = rule.conditions.iter().map(all).collect::<Vec<_>>().join("\n      or ");
        Ok(Safe(if rule.negated { format!("not ({any})") } else { any }))
    }
}
