//! Tab-separated tables to facts with names. It refuses what it does not understand, with the file and the line.

use super::rank::Kind;
use super::tables::ROWS;
use std::collections::BTreeMap;
use std::fmt;

/// What is wrong with a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FactError {
    /// The file.
    pub file: String,
    /// The line, from 1; 0 when the file is missing.
    pub line: usize,
    /// What.
    pub what: String,
}

impl fmt::Display for FactError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.file, self.what),
            line => write!(f, "{}:{line}: {}", self.file, self.what),
        }
    }
}

impl std::error::Error for FactError {}

/// A line of file contexts.
#[derive(Debug, Clone)]
pub struct Context {
    /// The pattern or template; its spelling decides the line's place in the order.
    pub pattern: String,
    /// What is matched where that is less than the pattern says: a line's look-aheads are lines of their own.
    pub matched: Option<String>,
    /// The file type.
    pub kind: Kind,
    /// The type; `None` for `<<none>>`.
    pub ty: Option<String>,
}

/// A type.
#[derive(Debug, Clone)]
pub struct Type {
    /// The name.
    pub name: String,
    /// The module.
    pub module: String,
    /// The attributes that matter.
    pub attributes: Vec<String>,
}

/// Everything, unpacked.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// `file_contexts.tsv`
    pub contexts: Vec<Context>,
    /// `homedirs.tsv`
    pub homes: Vec<Context>,
    /// `types.tsv`
    pub types: Vec<Type>,
    /// `classes.tsv`: class and permissions.
    pub classes: Vec<(String, Vec<String>)>,
    /// `ports.tsv`: protocol, first, last, type.
    pub ports: Vec<(String, u16, u16, String)>,
    /// The others by the order of [`ROWS`].
    pub rows: [Vec<Vec<String>>; ROWS.len()],
}

/// The tables a base cannot do without.
const NEEDED: [&str; 3] = ["file_contexts", "classes", "ports"];

impl Facts {
    /// Reads the tables; `files` has their texts by file name (`ports.tsv`).
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn parse(files: &BTreeMap<String, String>) -> Result<Self, FactError> {
        if let Some(name) = NEEDED.iter().find(|n| !files.contains_key(&format!("{n}.tsv"))) {
            return Err(FactError {
                file: format!("{name}.tsv"),
                line: 0,
                what: "this table is missing".into(),
            });
        }
        let mut facts = Self::default();
        for line in Lines::of(files, "file_contexts") {
            facts.contexts.push(line.context()?);
        }
        for line in Lines::of(files, "homedirs") {
            facts.homes.push(line.context()?);
        }
        for line in Lines::of(files, "types") {
            let [name, module, attributes, ..] = line.columns::<3>()?;
            facts.types.push(Type {
                name: line.name(name)?,
                module: module.into(),
                attributes: split(attributes),
            });
        }
        for line in Lines::of(files, "classes") {
            let [name, perms] = line.columns::<2>()?;
            let perms = split(perms).iter().map(|p| line.name(p)).collect::<Result<_, _>>()?;
            facts.classes.push((line.name(name)?, perms));
        }
        for line in Lines::of(files, "ports") {
            facts.ports.push(line.port()?);
        }
        for ((name, columns), rows) in ROWS.iter().zip(&mut facts.rows) {
            for line in Lines::of(files, name) {
                let mut row: Vec<String> = line.text.split('\t').take(*columns).map(str::to_owned).collect();
                row.resize(*columns, String::new());
                rows.push(row);
            }
        }
        Ok(facts)
    }
}

fn split(words: &str) -> Vec<String> {
    words.split_whitespace().map(str::to_owned).collect()
}

struct Lines<'a> {
    file: &'a str,
    number: usize,
    text: &'a str,
}

impl<'a> Lines<'a> {
    fn of(files: &'a BTreeMap<String, String>, file: &'a str) -> impl Iterator<Item = Self> {
        let text = files.get(&format!("{file}.tsv")).map_or("", String::as_str);
        let lines = text.lines().zip(1..).filter(|(l, _)| !l.starts_with('#') && !l.trim().is_empty());
        lines.map(move |(text, number)| Lines { file, number, text })
    }

    fn wrong(&self, what: impl Into<String>) -> FactError {
        FactError { file: format!("{}.tsv", self.file), line: self.number, what: what.into() }
    }

    fn columns<const N: usize>(&self) -> Result<[&'a str; N], FactError> {
        let mut out = [""; N];
        let mut fields = self.text.split('\t');
        for slot in &mut out {
            *slot = fields.next().ok_or_else(|| self.wrong(format!("expected {N} columns")))?;
        }
        Ok(out)
    }

    /// A name that may stand in policy text as it is.
    fn name(&self, text: &str) -> Result<String, FactError> {
        let first = text.bytes().next().is_some_and(|b| b.is_ascii_alphabetic());
        let rest = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if first && rest && text.len() <= 255 {
            return Ok(text.into());
        }
        Err(self.wrong(format!("`{text}` is no name of the policy language")))
    }

    fn context(&self) -> Result<Context, FactError> {
        let [pattern, kind, ty] = self.columns::<3>()?;
        let kind = Kind::from_field(kind).ok_or_else(|| self.wrong(format!("`{kind}` is no file type")))?;
        let ty = if matches!(ty, "none" | "<<none>>") { None } else { Some(self.name(ty)?) };
        Ok(Context { pattern: pattern.into(), matched: None, kind, ty })
    }

    /// `tcp 80 http_port_t`, `tcp 80-81 http_port_t` or `tcp 80 81 http_port_t`.
    fn port(&self) -> Result<(String, u16, u16, String), FactError> {
        let fields: Vec<&str> = self.text.split('\t').collect();
        let (protocol, low, high, ty) = match fields.as_slice() {
            [protocol, range, ty] => {
                let (low, high) = range.split_once('-').unwrap_or((range, range));
                (*protocol, low, high, *ty)
            }
            [protocol, low, high, ty] => (*protocol, *low, *high, *ty),
            _ => return Err(self.wrong("expected protocol, ports and type")),
        };
        let number = |text: &str| text.parse::<u16>().map_err(|_| self.wrong(format!("`{text}` is no port")));
        Ok((self.name(protocol)?, number(low)?, number(high)?, self.name(ty)?))
    }
}
