//! The bytes that `apparmor_parser -S` prints to profiles: the typed stream of the kernel's `policy_unpack.c`.

use super::dfa::Dfa;

/// A compiled profile, as far as anybody here looks at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compiled {
    /// Its name.
    pub name: String,
    /// What it attaches to, as an automaton.
    pub attachment: Option<Dfa>,
    /// Bit N: capability N is permitted.
    pub capabilities: u64,
    /// Files and links.
    pub files: Option<Dfa>,
    /// Everything else.
    pub policy: Option<Dfa>,
    /// The targets of executions.
    pub targets: Vec<String>,
}

/// One element of the stream.
#[derive(Debug, Clone, PartialEq)]
enum Value {
    Number(u64),
    Text(String),
    Blob(Vec<u8>),
    Many(Vec<(String, Value)>),
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }

    fn number(&mut self, bytes: usize) -> Option<u64> {
        Some(self.take(bytes)?.iter().rev().fold(0, |n, b| n << 8 | u64::from(*b)))
    }

    fn size(&mut self, bytes: usize) -> Option<usize> {
        usize::try_from(self.number(bytes)?).ok()
    }

    fn text(&mut self) -> Option<String> {
        let length = self.size(2)?;
        let bytes = self.take(length)?.strip_suffix(b"\0")?;
        Some(String::from_utf8_lossy(bytes).into_owned())
    }

    /// A value with its name, which is empty for most.
    fn value(&mut self) -> Option<(String, Value)> {
        let name = if self.rest.first() == Some(&4) {
            self.take(1)?;
            self.text()?
        } else {
            String::new()
        };
        let value = match self.take(1)?.first()? {
            0 => Value::Number(self.number(1)?),
            1 => Value::Number(self.number(2)?),
            2 => Value::Number(self.number(4)?),
            3 => Value::Number(self.number(8)?),
            5 => Value::Text(self.text()?),
            6 => {
                let length = self.size(4)?;
                Value::Blob(self.take(length)?.to_vec())
            }
            7 => Value::Many(self.until(8)?),
            9 => Value::Many(self.until(10)?),
            11 => {
                self.take(2)?;
                Value::Many(self.until(12)?)
            }
            _ => return None,
        };
        Some((name, value))
    }

    fn until(&mut self, end: u8) -> Option<Vec<(String, Value)>> {
        let mut out = Vec::new();
        while *self.rest.first()? != end {
            out.push(self.value()?);
        }
        self.take(1)?;
        Some(out)
    }
}

/// The profiles of a stream; `None` where it is no such stream.
pub fn profiles(bytes: &[u8]) -> Option<Vec<Compiled>> {
    let mut reader = Reader { rest: bytes };
    let mut out = Vec::new();
    while !reader.rest.is_empty() {
        let (name, value) = reader.value()?;
        if let ("profile", Value::Many(parts)) = (name.as_str(), value) {
            out.push(profile(parts)?);
        }
    }
    Some(out)
}

fn find<'v>(parts: &'v [(String, Value)], name: &str) -> Option<&'v Value> {
    parts.iter().find(|(n, _)| n == name).map(|(_, v)| v)
}

fn dfa(parts: &[(String, Value)], name: &str, perms: Option<&Value>) -> Option<Dfa> {
    match find(parts, name)? {
        Value::Blob(bytes) => Dfa::parse(bytes, perms.map(table).unwrap_or_default()),
        _ => None,
    }
}

/// The rows of a table of permissions: what they allow.
fn table(value: &Value) -> Vec<u32> {
    /// Numbers of a row, of which the second says what is allowed (`struct aa_perms` without its first, reserved word).
    const ROW: usize = 14;
    const ALLOW: usize = 1;
    let Value::Many(parts) = value else { return Vec::new() };
    let rows = parts.iter().find_map(|(name, v)| match v {
        Value::Many(numbers) if name.is_empty() => Some(numbers),
        _ => None,
    });
    let number = |(_, v): &(String, Value)| match v {
        Value::Number(n) => u32::try_from(*n).unwrap_or_default(),
        _ => 0,
    };
    let numbers: Vec<u32> = rows.into_iter().flatten().map(number).collect();
    numbers.chunks(ROW).filter_map(|row| row.get(ALLOW).copied()).collect()
}

fn profile(parts: Vec<(String, Value)>) -> Option<Compiled> {
    let name = parts.iter().find_map(|(_, v)| match v {
        Value::Text(text) => Some(text.clone()),
        _ => None,
    })?;
    // Four words of capabilities stand between the flags and `caps64`, whose first is the upper half.
    let loose: Vec<u64> = parts
        .iter()
        .skip_while(|(n, _)| n != "flags")
        .filter_map(|(n, v)| match v {
            Value::Number(number) if n.is_empty() => Some(*number),
            _ => None,
        })
        .collect();
    let upper = match find(&parts, "caps64") {
        Some(Value::Many(list)) => list.first().and_then(|(_, v)| match v {
            Value::Number(n) => Some(*n),
            _ => None,
        }),
        _ => None,
    };
    let capabilities = loose.first().copied().unwrap_or(0) | upper.unwrap_or(0) << 32;
    let policy = match find(&parts, "policydb") {
        Some(Value::Many(list)) => dfa(list, "aadfa", find(list, "perms")),
        _ => None,
    };
    let targets = match find(&parts, "xtable") {
        Some(Value::Many(list)) => texts(list),
        _ => Vec::new(),
    };
    Some(Compiled {
        name,
        attachment: attachment(&parts),
        capabilities,
        files: files(&parts),
        policy,
        targets,
    })
}

/// The automaton of the attachment has the name of the files' one, and comes before the flags.
fn attachment(parts: &[(String, Value)]) -> Option<Dfa> {
    let flags = parts.iter().position(|(name, _)| name == "flags")?;
    dfa(parts.get(..flags)?, "aadfa", None)
}

fn files(parts: &[(String, Value)]) -> Option<Dfa> {
    let flags = parts.iter().position(|(name, _)| name == "flags")?;
    dfa(parts.get(flags..)?, "aadfa", find(parts, "perms"))
}

fn texts(list: &[(String, Value)]) -> Vec<String> {
    list.iter()
        .flat_map(|(_, v)| match v {
            Value::Text(text) => vec![text.clone()],
            Value::Many(inner) => texts(inner),
            _ => Vec::new(),
        })
        .collect()
}
