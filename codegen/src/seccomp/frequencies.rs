//! Counts of system calls, as tools print them, to the share of each call. It weighs the search for a number; no answer depends on it.

use super::tree::WHOLE_SHARE;
use canc_dsl::nearest_of_many;
use canc_sets::syscalls::{self, Arch};
use std::collections::BTreeMap;

/// What real programs do on average, measured; the file says which.
const BUILTIN: &str = include_str!("frequencies.tsv");

/// The share of each call, in parts of a whole.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frequencies(BTreeMap<&'static str, u64>);

/// A line that counts a call which no architecture has, or a text without any count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uncounted {
    /// The line, from 1; 0 for the whole text.
    pub line: usize,
    /// What is wrong.
    pub message: String,
}

impl Frequencies {
    /// What is taken where nobody has measured.
    #[must_use]
    pub fn builtin() -> Self {
        Self::parse(BUILTIN).unwrap_or_default()
    }

    /// Reads what `strace -c` or `perf trace -s` print, records of an audit log, or lines of a name and a number. Other lines, such
    /// as their headings, are passed over.
    ///
    /// # Errors
    /// Every line that counts an unknown call; a text in which nothing is counted.
    pub fn parse(text: &str) -> Result<Self, Vec<Uncounted>> {
        let mut counts: BTreeMap<&'static str, u64> = BTreeMap::new();
        let mut errors = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let (name, count) = match read(line) {
                Some(Line::Counted(name, count)) => (name, count),
                Some(Line::Recorded(name)) => {
                    *counts.entry(name).or_default() += 1;
                    continue;
                }
                None => continue,
            };
            match syscalls::lookup(name) {
                Some(known) => {
                    let own = counts.entry(known).or_default();
                    *own = own.saturating_add(count);
                }
                None => {
                    let near = nearest_of_many(name, syscalls::names());
                    let help = near.map(|n| format!("; did you mean `{n}`?")).unwrap_or_default();
                    let message = format!("no architecture has a system call `{name}`{help}");
                    errors.push(Uncounted { line: index + 1, message });
                }
            }
        }
        let total: u128 = counts.values().map(|c| u128::from(*c)).sum();
        if total == 0 && errors.is_empty() {
            let message = "no system call is counted in it; give the output of `strace -c`".to_owned();
            errors.push(Uncounted { line: 0, message });
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let share =
            |count: u64| u64::try_from(u128::from(count) * u128::from(WHOLE_SHARE) / total).unwrap_or(0);
        Ok(Self(counts.into_iter().map(|(name, count)| (name, share(count))).collect()))
    }

    /// The shares as text, a line each, by which two of them are told apart.
    #[must_use]
    pub fn text(&self) -> String {
        self.0.iter().map(|(name, share)| format!("{name} {share}\n")).collect()
    }

    /// The share of a call.
    pub(super) fn share(&self, name: &str) -> u64 {
        self.0.get(name).copied().unwrap_or(0)
    }
}

enum Line<'l> {
    /// A name and how often.
    Counted(&'l str, u64),
    /// One call.
    Recorded(&'static str),
}

fn read(line: &str) -> Option<Line<'_>> {
    if line.contains("type=SYSCALL") {
        return recorded(line);
    }
    let words: Vec<&str> = line.split_whitespace().collect();
    let name = |word: &&&str| {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        word.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
            && word.chars().all(plain)
            && **word != "total"
    };
    match words.as_slice() {
        // % time, seconds, usecs/call, calls, errors where there are any, and the name.
        [share, _, _, calls, .., last] if share.parse::<f64>().is_ok() && words.len() <= 6 => {
            Some(Line::Counted(Some(last).filter(name)?, calls.parse().ok()?))
        }
        [first, calls, ..] => Some(Line::Counted(Some(first).filter(name)?, calls.parse().ok()?)),
        _ => None,
    }
}

/// The call of a record, whose architecture and number are given.
fn recorded(line: &str) -> Option<Line<'static>> {
    let field = |name: &str| line.split_whitespace().find_map(|w| w.strip_prefix(name)?.strip_prefix('='));
    let audit = u32::from_str_radix(field("arch")?, 16).ok()?;
    let number: u32 = field("syscall")?.parse().ok()?;
    let arches = Arch::ALL.into_iter().filter(|a| a.audit_value() == audit);
    arches.filter_map(|a| syscalls::name(a, number)).map(Line::Recorded).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRACE: &str = "% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 24.83    0.238249         794       300           read
 18.21    0.174688          28      100        56 futex
------ ----------- ----------- --------- --------- ----------------
100.00    0.959367         101       400        56 total
";

    fn shares(text: &str) -> Vec<(&'static str, u64)> {
        Frequencies::parse(text).unwrap().0.into_iter().collect()
    }

    #[test]
    fn counts_of_all_tools_are_read() {
        let wanted = vec![("futex", WHOLE_SHARE / 4), ("read", WHOLE_SHARE / 4 * 3)];
        assert_eq!(shares(STRACE), wanted);
        let perf = " ls (1234), 800 events, 99.9%\n\n   syscall            calls  errors  total       min\n   --------------- --------  ------ -------- ---------\n   read                 300      0     0.1     0.0\n   futex                100      0     0.1     0.0\n";
        assert_eq!(shares(perf), wanted);
        assert_eq!(shares("# counted\nread 3\nfutex\t1\n"), wanted);
        let record =
            |nr| format!("type=SYSCALL msg=audit(1.1:2): arch=c000003e syscall={nr} success=yes exit=0\n");
        assert_eq!(shares(&[record(0), record(0), record(202), record(0)].concat()), wanted);
    }

    #[test]
    fn what_counts_nothing_is_refused() {
        let errors = Frequencies::parse("read 1\nraed 2\n").unwrap_err();
        assert_eq!(
            (errors[0].line, errors[0].message.as_str()),
            (2, "no architecture has a system call `raed`; did you mean `read`?")
        );
        assert_eq!(Frequencies::parse("hello world\n").unwrap_err()[0].line, 0);
        assert!(Frequencies::parse("").is_err());
    }

    #[test]
    fn the_built_in_shares_are_a_whole() {
        let Frequencies(shares) = Frequencies::builtin();
        assert!(shares.len() > 30 && shares.values().sum::<u64>() > WHOLE_SHARE / 10 * 9);
    }
}
