//! `canc import`: another program's filter as a policy.

use super::{Failure, Outcome, to_json};
use crate::args::{ImportArgs, ImportFormat};
use crate::exit::Exit;
use crate::stream::Streams;
use crate::{input, render, write};
use canc_codegen::interchange::oci_import::{ImportOptions, Imported, Remark, import, parse};
use canc_codegen::seccomp::{SeccompOptions, lower};
use canc_dsl::{NoFiles, Options, compile, spell};

pub fn run(args: &ImportArgs, streams: &mut Streams<'_>) -> Outcome {
    let options = options(args)?;
    let bytes = input::read(&args.file).map_err(Failure::host)?;
    let read = match args.format {
        ImportFormat::Oci => {
            parse(&bytes).map_err(|e| vec![e]).and_then(|profile| import(&profile, &options))
        }
    };
    let imported = match read {
        Ok(imported) => imported,
        Err(errors) => return Ok(refuse(args, &errors, streams)),
    };
    if let Err(errors) = proved(&imported) {
        return Ok(refuse(args, &errors, streams));
    }
    if let Some(path) = &args.output {
        write::file(path, imported.text.as_bytes()).map_err(Failure::host)?;
    }
    if args.json {
        let arches: Vec<&str> = imported.arches.iter().map(|a| a.word()).collect();
        streams.out(&to_json(&serde_json::json!({
            "ok": true, "policy": imported.text, "arches": arches, "notes": imported.notes,
        })));
        return Ok(Exit::Done);
    }
    if args.output.is_none() {
        streams.out(&imported.text);
    }
    streams.err(&imported.notes.iter().map(|n| line(args, "note", n)).collect::<String>());
    Ok(Exit::Done)
}

fn options(args: &ImportArgs) -> Result<ImportOptions, Failure> {
    let stem = args.file.file_stem().map(|s| s.to_string_lossy().into_owned());
    let kernel = match &args.kernel {
        None => None,
        Some(text) => {
            let parts =
                text.split(['.', '-']).take(2).map(|p| p.parse::<u32>().ok()).collect::<Option<Vec<_>>>();
            match parts.as_deref() {
                Some([major, minor]) => Some((*major, *minor)),
                _ => return Err(Failure::usage(format!("`--kernel {text}` is no version such as 6.12"))),
            }
        }
    };
    if args.exec.contains(char::is_control) {
        let message = format!("`--exec {:?}`: no policy can name a path with control characters", args.exec);
        return Err(Failure::usage(message));
    }
    Ok(ImportOptions {
        name: args.name.clone().or(stem.as_deref().map(spell::name)).unwrap_or_else(|| "imported".into()),
        exec: args.exec.clone(),
        capabilities: args.capabilities.iter().cloned().collect(),
        kernel,
    })
}

/// Compiles what was imported: what the language refuses is not written.
fn proved(imported: &Imported) -> Result<(), Vec<Remark>> {
    let options = Options { arches: imported.arches.clone(), ..Options::default() };
    let done = compile("imported", imported.text.as_bytes(), &NoFiles, &options);
    let refused = |message: String| vec![Remark { at: "policy".into(), message }];
    let Some(set) = done.policies else {
        let look = render::Look::PLAIN;
        return Err(refused(render::text(&done.diagnostics, &done.sources, look)));
    };
    let options = SeccompOptions { arches: imported.arches.clone(), ..SeccompOptions::default() };
    for policy in set.policies() {
        lower(policy, &options).map_err(|errors| {
            let all: Vec<_> = errors.iter().map(|e| e.diagnostic(policy)).collect();
            refused(render::text(&all, &done.sources, render::Look::PLAIN))
        })?;
    }
    Ok(())
}

fn refuse(args: &ImportArgs, errors: &[Remark], streams: &mut Streams<'_>) -> Exit {
    if args.json {
        streams.out(&to_json(&serde_json::json!({ "ok": false, "errors": errors })));
    } else {
        streams.err(&errors.iter().map(|e| line(args, "error", e)).collect::<String>());
        let count = errors.len();
        streams.err(&format!("{count} error{}, nothing written\n", if count == 1 { "" } else { "s" }));
    }
    Exit::Policy
}

fn line(args: &ImportArgs, word: &str, remark: &Remark) -> String {
    format!("{word}: {}: {}: {}\n", args.file.display(), remark.at, remark.message)
}
