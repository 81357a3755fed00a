//! Packs the tables of `data/base/` into Rust statics, so that a built-in base costs nothing at start.

#[path = "src/selinux/base/pack/mod.rs"]
mod pack;

use pack::tables::{Entry, Inst, Range, Shape, Tables, Text};
use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

const BASES: [&str; 2] = ["debian13", "fedora"];

fn main() -> Result<(), Box<dyn Error>> {
    let out = env::var("OUT_DIR")?;
    for base in BASES {
        let directory = Path::new("data/base").join(base);
        println!("cargo::rerun-if-changed={}", directory.display());
        let mut files = BTreeMap::new();
        for file in fs::read_dir(&directory)? {
            let path = file?.path();
            let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
            files.insert(name, fs::read_to_string(&path)?);
        }
        let tables = pack::packer::pack(&pack::facts::Facts::parse(&files)?)?;
        fs::write(Path::new(&out).join(format!("{base}.pool")), tables.pool.as_bytes())?;
        fs::write(Path::new(&out).join(format!("{base}.rs")), print(base, &tables)?)?;
    }
    fs::write(
        Path::new(&out).join("m4_words.rs"),
        m4_words(&fs::read_to_string("data/selinux/m4_words.txt")?)?,
    )?;
    fs::write(Path::new(&out).join("access.rs"), access(&fs::read_to_string("data/selinux/access.tsv")?)?)?;
    fs::write(Path::new(&out).join("names.rs"), names(&fs::read_to_string("data/selinux/names.tsv")?)?)?;
    println!("cargo::rerun-if-changed=data/selinux");
    println!("cargo::rerun-if-changed=src/selinux/base/pack");
    Ok(())
}

/// The words that m4 replaces, sorted for a binary search.
fn m4_words(text: &str) -> Result<String, Box<dyn Error>> {
    let words: BTreeSet<&str> = text.lines().filter(|l| !l.starts_with('#') && !l.is_empty()).collect();
    let mut o = String::from("static M4_WORDS: &[&str] = &[");
    words.iter().try_for_each(|w| write!(o, "{w:?},"))?;
    o.push_str("];");
    Ok(o)
}

/// Names of the reference policy by what they are for.
fn names(text: &str) -> Result<String, Box<dyn Error>> {
    let mut o = String::new();
    for line in text.lines().filter(|l| !l.starts_with('#') && !l.is_empty()) {
        let (what, names) = line.split_once('\t').ok_or_else(|| format!("no tab in `{line}`"))?;
        write!(o, "/// See `data/selinux/names.tsv`.\npub const {what}: &[&str] = &[")?;
        names.split_whitespace().try_for_each(|n| write!(o, "{n:?},"))?;
        o.push_str("];\n");
    }
    Ok(o)
}

/// The table of what may be granted, as an enumeration and its rows.
fn access(text: &str) -> Result<String, Box<dyn Error>> {
    let rows: Vec<Vec<&str>> = text
        .lines()
        .filter(|l| !l.starts_with('#') && !l.is_empty())
        .map(|l| l.split('\t').collect())
        .collect();
    let mut names: Vec<&str> = rows.iter().filter_map(|r| r.first().copied()).collect();
    names.dedup();
    let mut o = String::from(
        "/// Something that may be granted: its rows of `data/selinux/access.tsv` say what it is in the policy's classes.\n",
    );
    o.push_str("#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]\n");
    o.push_str("#[expect(missing_docs, reason = \"the table explains them\")]\npub enum Access {");
    names.iter().try_for_each(|n| write!(o, "{n},"))?;
    write!(
        o,
        "}}\nimpl Access {{\n/// All of them, in the order of the table.\npub const ALL: [Self; {}] = [",
        names.len()
    )?;
    names.iter().try_for_each(|n| write!(o, "Self::{n},"))?;
    o.push_str("];\n}\nstatic ROWS: &[(Access, &str, &[&str])] = &[");
    for row in &rows {
        let [name, class, perms] = row.as_slice() else { return Err(format!("{row:?}").into()) };
        write!(o, "\n(Access::{name}, {class:?}, &[")?;
        perms.split_whitespace().try_for_each(|p| write!(o, "{p:?},"))?;
        o.push_str("]),");
    }
    o.push_str("];");
    Ok(o)
}

fn print(base: &str, t: &Tables) -> Result<String, Box<dyn Error>> {
    let mut o = String::from("Tables {\n");
    writeln!(o, "pool: Cow::Borrowed(include_str!(concat!(env!(\"OUT_DIR\"), \"/{base}.pool\"))),")?;
    list(&mut o, "entries", &t.entries, entry)?;
    list(&mut o, "plain", &t.plain, u32::to_string)?;
    list(&mut o, "by_literal", &t.by_literal, u32::to_string)?;
    writeln!(o, "boundaries: {:?},", t.boundaries)?;
    list(&mut o, "nodes", &t.nodes, |n| {
        format!("nd({},{},{})", text(n.name), range(n.children), range(n.entries))
    })?;
    list(&mut o, "indexed", &t.indexed, u32::to_string)?;
    list(&mut o, "by_type", &t.by_type, u32::to_string)?;
    list(&mut o, "program", &t.program, |i| match i {
        Inst::Byte(b) => format!("B({b})"),
        Inst::Class(c) => format!("C({c})"),
        Inst::Any => "A".into(),
        Inst::Split(a, b) => format!("S({a},{b})"),
        Inst::Jump(a) => format!("J({a})"),
        Inst::Match => "M".into(),
    })?;
    list(&mut o, "classes_of_bytes", &t.classes_of_bytes, |c| format!("{c:?}"))?;
    list(&mut o, "types", &t.types, |f| {
        format!("ty({},{},{},{})", text(f.name), text(f.module), f.attributes, range(f.entries))
    })?;
    list(&mut o, "classes", &t.classes, |c| format!("cl({},{})", text(c.name), range(c.perms)))?;
    list(&mut o, "ports", &t.ports, |p| format!("po({},{},{},{})", text(p.protocol), p.low, p.high, p.ty))?;
    list(&mut o, "words", &t.words, |w| format!("tx({})", text(*w)))?;
    list(&mut o, "rows", &t.rows, |r| format!("rw({})", range(r.columns)))?;
    write!(o, "row_tables: [")?;
    t.row_tables.iter().try_for_each(|r| write!(o, "rg({}),", range(*r)))?;
    writeln!(o, "],\n}}")?;
    Ok(o)
}

fn list<T>(
    out: &mut String,
    name: &str,
    items: &[T],
    show: impl Fn(&T) -> String,
) -> Result<(), std::fmt::Error> {
    write!(out, "{name}: Cow::Borrowed(&[")?;
    for (i, item) in items.iter().enumerate() {
        write!(out, "{}{},", if i % 16 == 0 { "\n" } else { "" }, show(item))?;
    }
    writeln!(out, "]),")
}

fn text(t: Text) -> String {
    format!("{},{}", t.at, t.len)
}

fn range(r: Range) -> String {
    format!("{},{}", r.from, r.to)
}

fn entry(e: &Entry) -> String {
    let shape = match e.shape {
        Shape::Plain => "Pl",
        Shape::Subtree => "Su",
        Shape::Below => "Be",
        Shape::Program => "Pr",
    };
    format!(
        "en({},{},{},{},{:?},{shape},{},{},{},{},{},{})",
        text(e.pattern),
        text(e.literal),
        text(e.needs),
        text(e.witness),
        e.kind,
        e.home,
        e.root,
        e.stem,
        e.length,
        e.ty,
        range(e.program)
    )
}
