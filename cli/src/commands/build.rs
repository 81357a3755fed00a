//! `canc build`: compile, print what each layer enforces, write the bundle.

use super::compile::{Compiled, compile, print_diagnostics, refuse};
use super::target_options::build_options;
use super::{Failure, Outcome, to_json};
use crate::args::{BuildArgs, Emit};
use crate::exit::Exit;
use crate::paint::Paint;
use crate::stream::Streams;
use crate::{input, launcher, render, sarif, table, write};
use canc_bundle::Manifest;
use canc_codegen::build::{Build, build};
use canc_codegen::seccomp::frequencies::{Frequencies, Uncounted};
use canc_dsl::codes;
use canc_dsl::diag::{Diagnostic, Severity};
use canc_dsl::policy::PolicySet;
use std::path::{Path, PathBuf};

pub fn run(args: &BuildArgs, streams: &mut Streams<'_>) -> Outcome {
    let denied = args.deny.iter().map(|d| Denied::parse(d)).collect::<Result<Vec<_>, _>>()?;
    let mut options = build_options(&args.source, &args.deployments)?;
    options.seccomp.frequencies = args.frequencies.as_deref().map(frequencies).transpose()?;
    let mut compiled = compile(&args.source)?;
    let Some(set) = compiled.policies.take() else { return Ok(refuse_as(args, &compiled, streams)) };
    let built = match build(&set, &compiled.sources, &options) {
        Ok(built) => built,
        Err(errors) => {
            compiled.diagnostics.extend(errors);
            return Ok(refuse_as(args, &compiled, streams));
        }
    };
    compiled.diagnostics.extend(built.diagnostics.iter().cloned());
    compiled.diagnostics.extend(denied.iter().flat_map(|d| d.found(&built.manifest, &set)));
    if compiled.diagnostics.iter().any(|d| d.severity == Severity::Error) {
        return Ok(refuse_as(args, &compiled, streams));
    }
    finish(args, &compiled, &built, streams)
}

/// Says what is wrong, in the form that was asked for.
fn refuse_as(args: &BuildArgs, compiled: &Compiled, streams: &mut Streams<'_>) -> Exit {
    if args.sarif {
        streams.out(&to_json(&sarif::log(&compiled.diagnostics, &compiled.sources)));
        return Exit::Policy;
    }
    refuse(args.source.json, compiled, streams)
}

/// Counts in a file, or the built-in ones.
fn frequencies(path: &Path) -> Result<Frequencies, Failure> {
    if path == Path::new("default") {
        return Ok(Frequencies::builtin());
    }
    let bytes = input::read(path).map_err(Failure::host)?;
    Frequencies::parse(&String::from_utf8_lossy(&bytes)).map_err(|errors| {
        let place = |line: usize| if line == 0 { String::new() } else { format!(":{line}") };
        let one = |e: &Uncounted| format!("{}{}: {}", path.display(), place(e.line), e.message);
        Failure::usage(errors.iter().map(one).collect::<Vec<_>>().join("\n"))
    })
}

fn finish(args: &BuildArgs, compiled: &Compiled, built: &Build, streams: &mut Streams<'_>) -> Outcome {
    if let Some(emit) = args.emit {
        print_diagnostics(&compiled.diagnostics, &compiled.sources, streams);
        streams.out(&artefact(emit, built));
        return Ok(Exit::Done);
    }
    let launcher = launcher(args, built)?;
    let target = output(args);
    write::bundle(&target, &built.files, &launcher).map_err(|e| Failure::host(e.to_string()))?;
    if args.sarif {
        streams.out(&to_json(&sarif::log(&compiled.diagnostics, &compiled.sources)));
    } else if args.source.json {
        let diagnostics = render::json(&compiled.diagnostics, &compiled.sources);
        let bundle = target.display().to_string();
        streams.out(&to_json(&serde_json::json!({
            "ok": true, "bundle": bundle, "diagnostics": diagnostics, "manifest": built.manifest,
        })));
    } else {
        print_diagnostics(&compiled.diagnostics, &compiled.sources, streams);
        streams.out(&table::report(&built.manifest, Paint(streams.color), args.all));
        streams.out(&format!("wrote {}\n", target.display()));
    }
    Ok(Exit::Done)
}

/// The launcher as a file of the bundle, where it is asked for.
fn launcher(args: &BuildArgs, built: &Build) -> Result<Vec<(String, Vec<u8>)>, Failure> {
    let Some(path) = &args.with_runtime else { return Ok(Vec::new()) };
    let arches = &built.manifest.options.arches;
    let (_, bytes) = launcher::LAUNCHER.read(path.as_deref(), arches).map_err(Failure::host)?;
    Ok(vec![(launcher::NAME.into(), bytes)])
}

/// `./<stem>.canc`, in the working directory whatever directory the policy is in.
fn output(args: &BuildArgs) -> PathBuf {
    args.output.clone().unwrap_or_else(|| {
        let stem = args.source.policy.file_stem().map(|s| s.to_string_lossy().into_owned());
        PathBuf::from(format!("{}.canc", stem.unwrap_or_else(|| "policy".into())))
    })
}

/// The files of one kind, in the order of the policies.
fn artefact(emit: Emit, built: &Build) -> String {
    let wanted = |path: &str| match emit {
        Emit::Te => path.ends_with(".te"),
        Emit::Fc => path.ends_with(".fc"),
        Emit::Apparmor => path.starts_with("apparmor/"),
        Emit::Asm => path.ends_with(".asm"),
        Emit::Landlock => path.starts_with("landlock/"),
        Emit::Manifest => path == canc_bundle::MANIFEST,
    };
    let files = built.files.iter().filter(|(path, _)| wanted(path));
    files.map(|(_, contents)| String::from_utf8_lossy(contents).into_owned()).collect()
}

/// A result that `--deny` makes an error.
enum Denied {
    /// `leaks` or `blocks` on a deployment.
    Result(String),
    /// A verdict of one target.
    Verdict { target: String, word: String },
}

impl Denied {
    fn parse(text: &str) -> Result<Self, Failure> {
        const WORDS: [&str; 5] = ["widened", "narrowed", "partial", "dropped", "unknown"];
        match text.split_once(':') {
            None if text == "leaks" || text == "blocks" => Ok(Self::Result(text.into())),
            Some((target, word))
                if ["selinux", "apparmor", "seccomp", "landlock"].contains(&target)
                    && WORDS.contains(&word) =>
            {
                Ok(Self::Verdict { target: target.into(), word: word.into() })
            }
            _ => Err(Failure::usage(format!(
                "`--deny {text}` is no result; write leaks, blocks, or TARGET:VERDICT with one of {}",
                WORDS.join(", ")
            ))),
        }
    }

    /// An error for every rule with the result.
    fn found(&self, manifest: &Manifest, set: &PolicySet) -> Vec<Diagnostic> {
        let mut out = Vec::new();
        for (entry, policy) in manifest.policies.iter().zip(set.policies()) {
            // The first entry is `@base`, which is no rule.
            for (entry, rule) in entry.rules.iter().skip(1).zip(&policy.rules) {
                for what in self.reasons(entry) {
                    let message = format!("rule {} of `{}` {what}", entry.id, policy.name);
                    out.push(
                        Diagnostic::new(codes::RESULT_DENIED, message)
                            .label(rule.span, "forbidden by `--deny`")
                            .help("change the rule, or name the deployments that matter with `--for`"),
                    );
                }
            }
        }
        out
    }

    fn reasons(&self, entry: &canc_bundle::RuleEntry) -> Vec<String> {
        match self {
            Self::Result(word) => {
                let hit = |(on, d): (&String, &canc_bundle::DeploymentEntry)| {
                    let witness = if word == "leaks" { &d.leak } else { &d.block };
                    witness.as_ref().map(|w| format!("{word} on {on}: {w}"))
                };
                entry.deployments.iter().filter_map(hit).collect()
            }
            Self::Verdict { target, word } => {
                let hit = entry.verdicts.get(target).filter(|v| v.verdict.contains(word.as_str()));
                hit.map(|v| format!("is {} on {target}", v.verdict)).into_iter().collect()
            }
        }
    }
}
