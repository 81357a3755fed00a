//! The module store's CIL text to the types that each module declares and the assertions that a fresh domain meets.
//!
//! The linked policy has lost its assertions, the store has not.

use super::{Error, Root};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// What is needed of the store.
pub(super) struct Modules {
    /// Which module declares a type; `base` cannot be removed.
    pub(super) declared: BTreeMap<String, String>,
    /// What each attribute is made of, over all modules.
    sets: BTreeMap<String, Vec<Expr>>,
    assertions: Vec<Vec<Expr>>,
}

/// An s-expression.
#[derive(Debug, Clone)]
enum Expr {
    Word(String),
    List(Vec<Expr>),
}

impl Expr {
    fn word(&self) -> Option<&str> {
        match self {
            Self::Word(w) => Some(w),
            Self::List(_) => None,
        }
    }

    fn list(&self) -> &[Expr] {
        match self {
            Self::List(l) => l,
            Self::Word(_) => &[],
        }
    }
}

const DIRECTORY: &str = "/tmp/canc-facts";

pub(super) fn modules(root: &Root) -> Result<Modules, Error> {
    let listed = root.run("/", &["semodule", "-l"])?;
    let names: Vec<&str> = listed.split_whitespace().collect();
    root.write(&format!("{DIRECTORY}/README"), "facts are read here\n")?;
    let mut command = vec!["semodule", "--cil"];
    names.iter().for_each(|n| command.extend(["-E", n]));
    root.run(DIRECTORY, &command)?;
    let mut out = Modules { declared: BTreeMap::new(), sets: BTreeMap::new(), assertions: Vec::new() };
    for name in names {
        let text = root.read(&format!("{DIRECTORY}/{name}.cil"))?;
        parse(&text).iter().for_each(|e| collect(name, e, &mut out));
    }
    Ok(out)
}

fn collect(module: &str, expr: &Expr, out: &mut Modules) {
    let list = expr.list();
    match (list.first().and_then(Expr::word), list.get(1).and_then(Expr::word)) {
        (Some("type"), Some(name)) => {
            out.declared.insert(name.into(), module.into());
        }
        (Some("typeattributeset"), Some(name)) => {
            out.sets.entry(name.into()).or_default().extend(list.get(2).cloned());
        }
        (Some("neverallow"), _) => out.assertions.push(list.to_vec()),
        (Some("optional" | "block" | "booleanif" | "true" | "false"), _) => {
            list.iter().for_each(|e| collect(module, e, out));
        }
        _ => {}
    }
}

fn parse(text: &str) -> Vec<Expr> {
    let mut stack: Vec<Vec<Expr>> = vec![Vec::new()];
    for line in text.lines() {
        let line = line.split(';').next().unwrap_or_default();
        for token in tokens(line) {
            match token {
                "(" => stack.push(Vec::new()),
                ")" => {
                    let done = stack.pop().unwrap_or_default();
                    stack.last_mut().into_iter().for_each(|l| l.push(Expr::List(done.clone())));
                }
                word => stack.last_mut().into_iter().for_each(|l| l.push(Expr::Word(word.into()))),
            }
        }
    }
    stack.into_iter().next().unwrap_or_default()
}

fn tokens(line: &str) -> impl Iterator<Item = &str> {
    line.split_inclusive(['(', ')', ' ', '\t'])
        .flat_map(|piece| {
            let cut = piece.len() - usize::from(piece.ends_with(['(', ')', ' ', '\t']));
            let (word, end) = piece.split_at(cut);
            [word, end.trim()]
        })
        .filter(|t| !t.is_empty())
}

impl Modules {
    /// Whether a new type that has the attribute `domain` and no other would be in the set that `expr` describes.
    fn has_fresh_domain(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Word(name) if name == "domain" => true,
            Expr::Word(name) => {
                self.sets.get(name).is_some_and(|all| all.iter().any(|e| self.has_fresh_domain(e)))
            }
            Expr::List(list) => match list.first().and_then(Expr::word) {
                Some("all") => true,
                Some("not") => !list.get(1..).unwrap_or_default().iter().any(|e| self.has_fresh_domain(e)),
                Some("and") => list.get(1..).unwrap_or_default().iter().all(|e| self.has_fresh_domain(e)),
                Some("or") => list.get(1..).unwrap_or_default().iter().any(|e| self.has_fresh_domain(e)),
                _ => list.iter().any(|e| self.has_fresh_domain(e)),
            },
        }
    }

    /// The names that an assertion's source spares.
    fn spared(&self, source: &Expr, out: &mut BTreeSet<String>, negated: bool) {
        match source {
            Expr::Word(name) if negated => {
                out.insert(name.clone());
            }
            Expr::Word(name) => {
                if let Some(all) = self.sets.get(name) {
                    all.iter().for_each(|e| self.spared(e, out, false));
                }
            }
            Expr::List(list) => {
                let not = list.first().and_then(Expr::word) == Some("not");
                let skip =
                    usize::from(matches!(list.first().and_then(Expr::word), Some("not" | "and" | "or")));
                list.get(skip..).unwrap_or_default().iter().for_each(|e| self.spared(e, out, negated || not));
            }
        }
    }
}

/// The assertions that a fresh domain type would break, and the attributes that spare a type from them.
pub(super) fn assertions(modules: &Modules) -> Result<String, Error> {
    let mut lines = BTreeSet::new();
    for assertion in &modules.assertions {
        let [_, source, target, rest] = assertion.as_slice() else {
            return Err(Error::Answer(format!("{assertion:?}")));
        };
        if !modules.has_fresh_domain(source) {
            continue;
        }
        let target = match target.word() {
            Some("self") => "self",
            Some(name) if modules.declared.contains_key(name) => name,
            // Sets of all types that are no domains; a transition to those is never emitted.
            _ => continue,
        };
        let (Some(class), Some(perms)) = (rest.list().first().and_then(Expr::word), rest.list().get(1))
        else {
            return Err(Error::Answer(format!("{rest:?}")));
        };
        let mut perms: Vec<&str> = perms.list().iter().filter_map(Expr::word).collect();
        perms.sort_unstable();
        let mut spared = BTreeSet::new();
        modules.spared(source, &mut spared, false);
        spared.remove("domain");
        let spared: Vec<String> = spared.into_iter().collect();
        lines.insert(format!("{target}\t{class}\t{}\t{}", perms.join(" "), spared.join(" ")));
    }
    let mut out = String::from(
        "# target\tclass\tpermissions that a fresh domain may not get\tattributes that spare a type\n",
    );
    lines.iter().for_each(|l| {
        let _ = writeln!(out, "{l}");
    });
    Ok(out)
}
