//! The kernel's and the C library's headers, evaluated by a C compiler for each architecture, to one table of constants.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Architectures, the directory with their `asm/`, and the compiler's word size.
const ARCHES: [(&str, &str, &str); 9] = [
    ("x86_64", "x86", "-m64"),
    ("x32", "x86", "-mx32"),
    ("x86", "x86", "-m32"),
    ("aarch64", "arm64", "-m64"),
    ("arm", "arm", "-m32"),
    ("riscv64", "riscv", "-m64"),
    ("ppc64le", "powerpc", "-m64"),
    ("s390x", "s390", "-m64"),
    ("loongarch64", "loongarch", "-m64"),
];

/// What `constants.list` asks for: a header, and names or prefixes with a final `*`.
pub type Wanted = Vec<(String, Vec<String>)>;

/// Values by name, then by architecture.
pub type Constants = BTreeMap<String, BTreeMap<&'static str, u64>>;

/// Parses `constants.list`.
pub fn wanted(text: &str) -> Wanted {
    let lines = text.lines().filter(|l| !l.starts_with('#'));
    let words = |w: &str| w.split_whitespace().map(str::to_owned).collect();
    lines.filter_map(|l| l.split_once('\t')).map(|(h, names)| (h.to_owned(), words(names))).collect()
}

/// A compiler for one architecture's headers.
struct Compiler {
    args: Vec<String>,
}

impl Compiler {
    fn new(libc_dev: &Path, directory: &str, words: &str, stubs: &Path) -> Self {
        let include = |p: PathBuf| format!("-I{}", p.display());
        let uapi = libc_dev.join("usr/lib/linux/uapi").join(directory);
        let args = vec![
            words.to_owned(),
            "-w".to_owned(),
            "-D_GNU_SOURCE".to_owned(),
            "-xc".to_owned(),
            include(uapi),
            include(libc_dev.join("usr/include")),
            include(stubs.to_owned()),
            "-I/usr/include/x86_64-linux-gnu".to_owned(),
        ];
        Self { args }
    }

    /// The compiler's standard output for this source; `None` when it refuses it.
    fn run(&self, mode: &[&str], source: &str) -> io::Result<Option<String>> {
        let mut child = Command::new("gcc")
            .args(&self.args)
            .args(mode)
            .args(["-o", "-", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        if let Some(stdin) = &mut child.stdin {
            stdin.write_all(source.as_bytes())?;
        }
        let output = child.wait_with_output()?;
        Ok(output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned()))
    }

    /// The names of a header's macros and enumerators that were asked for.
    fn candidates(&self, header: &str, wanted: &[String]) -> io::Result<BTreeSet<String>> {
        let Some(text) = self.run(&["-E", "-dM"], &prelude(header))? else { return Ok(BTreeSet::new()) };
        let name = |line: &str| {
            let name = line.strip_prefix("#define ")?.split(' ').next()?;
            (!name.contains('(')).then(|| name.to_owned())
        };
        let expanded = self.run(&["-E"], &prelude(header))?.unwrap_or_default();
        let words = expanded.split(|c: char| !c.is_alphanumeric() && c != '_').map(str::to_owned);
        let asked = |n: &String| {
            wanted.iter().any(|w| match w.strip_suffix('*') {
                Some(prefix) => n.starts_with(prefix) && n.len() > prefix.len(),
                None => n == w,
            })
        };
        let plain = |n: &String| n.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
        Ok(text.lines().filter_map(name).chain(words).filter(|n| plain(n) && asked(n)).collect())
    }

    /// The values of those that are integer constants.
    fn values(&self, header: &str, names: &[String]) -> io::Result<Vec<(String, u64)>> {
        let mut source = prelude(header);
        for (index, name) in names.iter().enumerate() {
            // `__builtin_constant_p` alone would let strings through; the multiplication refuses them.
            source.push_str(&format!("const long long canc_{index} = (long long)(({name}) * 1);\n"));
        }
        if let Some(text) = self.run(&["-S"], &source)? {
            return Ok(assembly(&text, names));
        }
        match names {
            [] | [_] => Ok(Vec::new()),
            _ => {
                let (left, right) = names.split_at(names.len() / 2);
                let mut out = self.values(header, left)?;
                out.extend(self.values(header, right)?);
                Ok(out)
            }
        }
    }
}

/// The includes that many kernel headers lean on, then the header.
fn prelude(header: &str) -> String {
    format!("#include <stddef.h>\n#include <linux/types.h>\n#include <linux/ioctl.h>\n#include <{header}>\n")
}

/// The words that the compiler put behind each label.
fn assembly(text: &str, names: &[String]) -> Vec<(String, u64)> {
    let mut out = Vec::new();
    let mut words: Vec<u64> = Vec::new();
    let mut current: Option<usize> = None;
    let mut finish = |current: Option<usize>, words: &mut Vec<u64>| {
        if let Some(name) = current.and_then(|i| names.get(i)) {
            let value = match words.as_slice() {
                [low, high] => low & 0xffff_ffff | high << 32,
                [one] => *one,
                _ => return,
            };
            out.push((name.clone(), value));
        }
        words.clear();
    };
    for line in text.lines().map(str::trim) {
        if let Some(label) = line.strip_prefix("canc_").and_then(|l| l.strip_suffix(':')) {
            finish(current, &mut words);
            current = label.parse().ok();
        } else if let Some(value) = line.strip_prefix(".quad").or_else(|| line.strip_prefix(".long")) {
            words.extend(value.trim().parse::<i64>().ok().map(i64::cast_unsigned));
        } else if let Some(bytes) = line.strip_prefix(".zero") {
            let count = bytes.trim().parse::<usize>().unwrap_or(0);
            words.extend(std::iter::repeat_n(0, if count == 8 { 1 } else { count / 4 }));
        }
    }
    finish(current, &mut words);
    out
}

/// Evaluates all names for all architectures. `stubs` is a directory for a header that the host's C library lacks for 32 bits.
pub fn read(libc_dev: &Path, wanted: &Wanted, stubs: &Path) -> io::Result<Constants> {
    let mut out = Constants::new();
    for (arch, directory, words) in ARCHES {
        let compiler = Compiler::new(libc_dev, directory, words, stubs);
        for (header, patterns) in wanted {
            let names: Vec<String> = compiler.candidates(header, patterns)?.into_iter().collect();
            for (name, value) in compiler.values(header, &names)? {
                out.entry(name).or_default().entry(arch).or_insert(value);
            }
        }
    }
    Ok(out)
}

/// The text of `constants.tsv`: the value on x86_64, then the architectures that differ or lack it.
pub fn render(table: &Constants) -> String {
    let mut out = String::from("# name\tvalue\tarch=value …, - where an architecture has none\n");
    for (name, values) in table {
        let base = values.get("x86_64").copied();
        let show = |v: Option<u64>| {
            v.map_or_else(|| "-".to_owned(), |v| if v < 10 { v.to_string() } else { format!("{v:#x}") })
        };
        out.push_str(&format!("{name}\t{}", show(base)));
        for (arch, ..) in ARCHES {
            let own = values.get(arch).copied();
            if own != base {
                out.push_str(&format!("\t{arch}={}", show(own)));
            }
        }
        out.push('\n');
    }
    out
}
