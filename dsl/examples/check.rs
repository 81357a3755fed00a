//! Compiles a policy and prints what the front end says about it, one line per message: `cargo run -p canc-dsl --example check FILE`.

use canc_dsl::{Compilation, LoadError, Loaded, Loader, Options, compile};
use std::path::Path;
use std::time::Instant;

struct Disk;

impl Loader for Disk {
    fn load(&self, relative_to: &str, path: &str) -> Result<Loaded, LoadError> {
        let path = Path::new(relative_to).parent().unwrap_or(Path::new("")).join(path);
        let error = |e: std::io::Error| LoadError { message: e.to_string() };
        let key = path.canonicalize().map_err(error)?.to_string_lossy().into_owned();
        let bytes = std::fs::read(&path).map_err(error)?;
        Ok(Loaded { name: path.to_string_lossy().into_owned(), key, bytes })
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let name = std::env::args().nth(1).ok_or("give a file")?;
    let bytes = std::fs::read(&name)?;
    let start = Instant::now();
    let Compilation { sources, diagnostics, policies } =
        compile(&name, &bytes, &Disk, &Options { allow_raw: true, ..Options::default() });
    let took = start.elapsed();
    for d in &diagnostics {
        let at = d
            .labels
            .first()
            .map(|l| (sources.get(l.span.file).map_or("", |f| &f.name), sources.line_column(l.span)));
        let (file, (line, column)) = at.unwrap_or(("", (0, 0)));
        println!("{file}:{line}:{column}: {} {}", d.code.0, d.message);
        for l in &d.labels {
            println!("    `{}` {}", sources.text(l.span), l.text);
        }
        println!("    help: {}", d.help.as_deref().unwrap_or_default());
    }
    let rules: usize = policies.iter().flat_map(|p| p.policies()).map(|p| p.rules.len()).sum();
    println!("{} messages, {rules} rules, {took:?}", diagnostics.len());
    Ok(())
}
