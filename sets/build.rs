//! The data files of `data/` to sorted static arrays, so that nothing is parsed when the program starts.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

type Fallible<T> = Result<T, Box<dyn Error>>;

fn main() -> Fallible<()> {
    let data = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("data");
    let mut out = String::new();
    let numbers = rows(&data, "numbers.tsv")?;
    let arches = header(&data, "numbers.tsv")?;
    let names: Vec<&str> = numbers.iter().filter_map(|row| row.first().map(String::as_str)).collect();
    if !names.is_sorted() {
        return Err("numbers.tsv is not sorted".into());
    }
    let fallbacks = expand(&names, &rows(&data, "fallbacks.tsv")?)?;
    write_calls(&mut out, &numbers, &rows(&data, "args.tsv")?, &fallbacks)?;
    write_numbers(&mut out, &names, &numbers, arches.len())?;
    write_groups(&mut out, &names, &rows(&data, "groups.tsv")?)?;
    write_constants(&mut out, &arches, &rows(&data, "constants.tsv")?)?;
    fs::write(Path::new(&env::var("OUT_DIR")?).join("syscalls.rs"), out)?;
    Ok(())
}

/// The fields of every line that is no comment.
fn rows(data: &Path, file: &str) -> Fallible<Vec<Vec<String>>> {
    let path = data.join(file);
    println!("cargo::rerun-if-changed={}", path.display());
    let text = fs::read_to_string(path)?;
    let lines = text.lines().filter(|l| !l.starts_with('#'));
    Ok(lines.map(|l| l.split('\t').map(str::to_owned).collect()).collect())
}

/// The names of the columns after the first.
fn header(data: &Path, file: &str) -> Fallible<Vec<String>> {
    let text = fs::read_to_string(data.join(file))?;
    let line = text.lines().next().ok_or("no header")?;
    Ok(line.split('\t').skip(1).map(str::to_owned).collect())
}

fn field(row: &[String], index: usize) -> Fallible<&str> {
    row.get(index).map(String::as_str).ok_or_else(|| format!("{row:?} has no column {index}").into())
}

/// `name:kind …` as an array of `Arg`.
fn arguments(text: &str) -> Fallible<String> {
    let mut out = String::from("&[");
    for word in text.split_whitespace() {
        let (name, kind) = word.split_once(':').ok_or_else(|| format!("`{word}` has no kind"))?;
        let (kind, pair) = match kind {
            "ptr" => ("Pointer", false),
            "i32" => ("I32", false),
            "u32" => ("U32", false),
            "u16" => ("U16", false),
            "i64" => ("I64", false),
            "u64" => ("U64", false),
            "i64x2" => ("I64", true),
            "u64x2" => ("U64", true),
            other => return Err(format!("unknown kind `{other}`").into()),
        };
        write!(out, "Arg{{name:{name:?},kind:ArgKind::{kind},pair:{pair}}},")?;
    }
    out.push(']');
    Ok(out)
}

/// The calls that the lines name, with at most one `*` each.
fn expand<'a>(names: &[&'a str], rows: &[Vec<String>]) -> Fallible<BTreeSet<&'a str>> {
    let mut out = BTreeSet::new();
    for row in rows {
        let pattern = field(row, 0)?;
        let (head, tail) = pattern.split_once('*').unwrap_or((pattern, ""));
        let exact = !pattern.contains('*');
        let fits = |n: &&&str| if exact { **n == head } else { n.starts_with(head) && n.ends_with(tail) };
        let before = out.len();
        out.extend(names.iter().filter(fits));
        if out.len() == before {
            return Err(format!("`{pattern}` names no call that is not named before").into());
        }
    }
    Ok(out)
}

fn write_calls(
    out: &mut String,
    numbers: &[Vec<String>],
    args: &[Vec<String>],
    fallbacks: &BTreeSet<&str>,
) -> Fallible<()> {
    let mut by_name = BTreeMap::new();
    for row in args {
        by_name.insert(field(row, 0)?, arguments(field(row, 1)?)?);
    }
    writeln!(out, "static CALLS:[Call;{}]=[", numbers.len())?;
    for row in numbers {
        let name = field(row, 0)?;
        let own = by_name.get(name).ok_or_else(|| format!("args.tsv has no `{name}`"))?;
        let numbers: Vec<&str> = row.iter().skip(1).map(|n| if n == "-" { "NONE" } else { n }).collect();
        let (numbers, fallback) = (numbers.join(","), fallbacks.contains(name));
        writeln!(out, "Call{{name:{name:?},numbers:[{numbers}],args:{own},fallback:{fallback}}},")?;
    }
    writeln!(out, "];\nstatic ARGS_BY_ARCH:&[(&str,&str,&[Arg])]=&[")?;
    for (key, own) in &by_name {
        let Some((name, arches)) = key.split_once('@') else { continue };
        for arch in arches.split(',') {
            writeln!(out, "({name:?},{arch:?},{own}),")?;
        }
    }
    out.push_str("];\n");
    Ok(())
}

fn write_numbers(out: &mut String, names: &[&str], numbers: &[Vec<String>], arches: usize) -> Fallible<()> {
    let mut places = String::new();
    writeln!(out, "static BY_NUMBER:[&[(u32,&str)];{arches}]=[")?;
    for column in 1..=arches {
        let mut list: Vec<(u32, &str)> = Vec::new();
        for row in numbers.iter().filter(|r| r.get(column).is_some_and(|n| n != "-")) {
            list.push((field(row, column)?.parse()?, field(row, 0)?));
        }
        list.sort_unstable();
        if let Some(twice) = list.windows(2).find(|w| w.first().map(|a| a.0) == w.last().map(|b| b.0)) {
            return Err(format!("two calls have one number: {twice:?}").into());
        }
        writeln!(out, "&{list:?},")?;
        let own: Vec<usize> = list.iter().map(|e| names.partition_point(|n| *n < e.1)).collect();
        writeln!(places, "&{own:?},")?;
    }
    writeln!(out, "];\nstatic PLACES:[&[u16];{arches}]=[{places}];")?;
    Ok(())
}

fn write_groups(out: &mut String, names: &[&str], groups: &[Vec<String>]) -> Fallible<()> {
    let mut members: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for row in groups {
        for group in field(row, 1)?.split_whitespace() {
            members.entry(group).or_default().push(field(row, 0)?);
        }
    }
    members.insert("known", names.to_vec());
    writeln!(out, "static GROUPS:[(&str,&[&str]);{}]=[", members.len())?;
    for (group, calls) in members {
        writeln!(out, "({group:?},&{calls:?}),")?;
    }
    out.push_str("];\n");
    Ok(())
}

/// A value, or `None` where an architecture has none.
fn value(text: &str) -> Fallible<String> {
    if text == "-" {
        return Ok("None".into());
    }
    let number = match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16)?,
        None => text.parse()?,
    };
    Ok(format!("Some({number})"))
}

fn write_constants(out: &mut String, arches: &[String], constants: &[Vec<String>]) -> Fallible<()> {
    writeln!(out, "static CONSTANTS:[Constant;{}]=[", constants.len())?;
    for row in constants {
        let mut others = String::new();
        for exception in row.iter().skip(2) {
            let (arch, text) =
                exception.split_once('=').ok_or_else(|| format!("`{exception}` has no value"))?;
            if !arches.iter().any(|a| a == arch) {
                return Err(format!("unknown architecture `{arch}`").into());
            }
            write!(others, "({arch:?},{}),", value(text)?)?;
        }
        let (name, own) = (field(row, 0)?, value(field(row, 1)?)?);
        writeln!(out, "Constant{{name:{name:?},value:{own},others:&[{others}]}},")?;
    }
    out.push_str("];\n");
    Ok(())
}
