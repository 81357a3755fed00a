//! What every command that takes a policy does first: options to compiler options, file to checked policies, messages printed.

use super::target_options::build_options;
use super::{Failure, to_json};
use crate::args::SourceArgs;
use crate::exit::Exit;
use crate::input;
use crate::render::{self, Look};
use crate::stream::Streams;
use canc_codegen::build::{Build, build};
use canc_dsl::diag::Diagnostic;
use canc_dsl::policy::PolicySet;
use canc_dsl::source::SourceMap;
use canc_dsl::{Loader, Options, Version};
use canc_sets::syscalls::Arch;
use std::collections::BTreeMap;
use std::path::Path;

/// A compiled source.
pub struct Compiled {
    /// All texts.
    pub sources: SourceMap,
    /// What there is to say.
    pub diagnostics: Vec<Diagnostic>,
    /// `None` when the policy is wrong.
    pub policies: Option<PolicySet>,
}

/// Reads and compiles the policy.
pub fn compile(args: &SourceArgs) -> Result<Compiled, Failure> {
    compile_with(args, &input::Disk)
}

/// The same with another way to the files that the policy uses.
pub fn compile_with(args: &SourceArgs, files: &dyn Loader) -> Result<Compiled, Failure> {
    let options = options(args)?;
    let bytes = input::read(&args.policy).map_err(Failure::host)?;
    let name = args.policy.display().to_string();
    let compilation = canc_dsl::compile(&name, &bytes, files, &options);
    Ok(Compiled {
        sources: compilation.sources,
        diagnostics: compilation.diagnostics,
        policies: compilation.policies,
    })
}

/// Says what is wrong with a policy that did not compile.
pub fn refuse(json: bool, compiled: &Compiled, streams: &mut Streams<'_>) -> Exit {
    if json {
        let diagnostics = render::json(&compiled.diagnostics, &compiled.sources);
        streams.out(&to_json(&serde_json::json!({ "ok": false, "diagnostics": diagnostics })));
    } else {
        print_diagnostics(&compiled.diagnostics, &compiled.sources, streams);
    }
    Exit::Policy
}

/// What the front end is told.
pub fn options(args: &SourceArgs) -> Result<Options, Failure> {
    let mut parameters = BTreeMap::new();
    for setting in &args.set {
        let Some((name, value)) = setting.split_once('=') else {
            return Err(Failure::usage(format!(
                "`--set {setting}` has no value; write `--set {setting}=VALUE`"
            )));
        };
        if parameters.insert(name.to_owned(), value.to_owned()).is_some() {
            return Err(Failure::usage(format!("`--set {name}=…` is given twice")));
        }
    }
    let abi = Version::parse(&args.apparmor_abi)
        .ok_or_else(|| Failure::usage(format!("`{}` is no AppArmor policy ABI", args.apparmor_abi)))?;
    Ok(Options {
        parameters,
        selinux_base: base_name(&args.selinux_base),
        apparmor_abi: abi,
        arches: arches(&args.arch)?,
        allow_raw: args.allow_raw,
    })
}

/// A directory of facts is known by its last component, so that bundles do not depend on where it lies.
fn base_name(base: &str) -> String {
    Path::new(base).file_name().map_or_else(|| base.to_owned(), |n| n.to_string_lossy().into_owned())
}

pub fn arches(words: &[String]) -> Result<Vec<Arch>, Failure> {
    let mut out = Vec::new();
    for word in words {
        let arch = Arch::parse(word).ok_or_else(|| {
            let known: Vec<&str> = Arch::ALL.iter().map(|a| a.word()).collect();
            Failure::usage(format!("`{word}` is no architecture; there are {}", known.join(", ")))
        })?;
        if !out.contains(&arch) {
            out.push(arch);
        }
    }
    out.sort_unstable();
    Ok(out)
}

/// Prints messages for people to standard error, with a last line that counts them.
pub fn print_diagnostics(diagnostics: &[Diagnostic], sources: &SourceMap, streams: &mut Streams<'_>) {
    if diagnostics.is_empty() {
        return;
    }
    let look = Look { color: streams.color, ..Look::PLAIN };
    let mut text = render::text(diagnostics, sources, look);
    let count = render::count(diagnostics);
    if !count.is_empty() {
        text.push_str(&count);
        text.push('\n');
    }
    streams.err(&text);
}

/// Compiles and builds with all deployments; `None` where the policy is wrong, which the diagnostics then say.
pub fn compile_and_build(source: &SourceArgs) -> Result<(Compiled, Option<Build>), Failure> {
    let mut compiled = compile(source)?;
    let options = build_options(source, &[])?;
    let built = match compiled.policies.take() {
        Some(set) => build(&set, &compiled.sources, &options)
            .map_err(|errors| compiled.diagnostics.extend(errors))
            .ok(),
        None => None,
    };
    Ok((compiled, built))
}
