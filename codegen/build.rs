//! Packs the tables of `data/base/` into Rust statics, so that a built-in base costs nothing at start.

#[path = "src/selinux/base/pack/mod.rs"]
mod pack;

use pack::tables::{Entry, Inst, Range, Shape, Tables, Text};
use std::collections::BTreeMap;
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
    println!("cargo::rerun-if-changed=src/selinux/base/pack");
    Ok(())
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
        "en({},{},{},{},{:?},{shape},{},{},{})",
        text(e.pattern),
        text(e.literal),
        text(e.needs),
        text(e.witness),
        e.kind,
        e.home,
        e.ty,
        range(e.program)
    )
}
