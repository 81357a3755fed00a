//! `canc trace-filter`: a system call's way through the filters, step by step, with the lines of the policy.

use super::compile::{Compiled, arches, compile, refuse};
use super::{Failure, Outcome, choose, to_json};
use crate::args::{SourceArgs, TraceFilterArgs};
use crate::call::{self, Call};
use crate::exit::Exit;
use crate::paint::Paint;
use crate::stream::Streams;
use crate::validate::{Bundle, Policy};
use canc_analysis::why::words;
use canc_codegen::seccomp::encode::{Instruction, instructions};
use canc_codegen::seccomp::walk::{Listed, Remark, Walk, When, read_listing, together, walk};
use canc_codegen::seccomp::{SeccompOptions, lower};
use canc_dsl::policy::{Demand, Policy as CheckedPolicy, Target};
use canc_sets::syscalls::Arch;

/// The filters of one kernel, and what a checked policy says besides.
struct Filters {
    policy: String,
    programs: Vec<(Vec<Instruction>, Listed)>,
    why: Option<&'static str>,
}

pub fn run(args: &TraceFilterArgs, streams: &mut Streams<'_>) -> Outcome {
    let arch = arch(args)?;
    let call = call::parse(arch, &args.call, &args.args).map_err(Failure::usage)?;
    let filters = if args.subject.is_dir() {
        of_bundle(args, arch)?
    } else {
        let mut compiled = compile(&args.source(arch))?;
        match of_policy(args, arch, &call, &mut compiled)? {
            Some(filters) => filters,
            None => return Ok(refuse(args.json, &compiled, streams)),
        }
    };
    let walks: Option<Vec<Walk>> =
        filters.programs.iter().map(|(p, listed)| walk(p, listed, &call.data)).collect();
    let walks = walks.ok_or_else(|| Failure::host("the listing is not that of the filters"))?;
    if args.json {
        streams.out(&to_json(&json(arch, &call, &filters, &walks)));
    } else {
        streams.out(&text(arch, &call, &filters, &walks, Paint(streams.color)));
    }
    Ok(Exit::Done)
}

fn arch(args: &TraceFilterArgs) -> Result<Arch, Failure> {
    match &args.arch {
        Some(word) => arches(std::slice::from_ref(word))?.first().copied(),
        None => call::host(),
    }
    .ok_or_else(|| {
        Failure::usage("canc knows no system calls of this host; name an architecture with `--arch`")
    })
}

impl TraceFilterArgs {
    /// What `canc build` would be told.
    fn source(&self, arch: Arch) -> SourceArgs {
        SourceArgs {
            json: self.json,
            ..SourceArgs::new(
                &self.subject,
                &self.set,
                served(arch).iter().map(|a| a.word().to_owned()).collect(),
                self.allow_raw,
            )
        }
    }
}

/// The architectures that a policy is built for: those of every build, and the one that is asked about.
fn served(arch: Arch) -> Vec<Arch> {
    let mut all = Arch::DEFAULT.to_vec();
    if !all.contains(&arch.host()) {
        all.push(arch.host());
    }
    all
}

/// `None` where the policy is wrong, which the diagnostics then say.
fn of_policy(
    args: &TraceFilterArgs,
    arch: Arch,
    call: &Call,
    compiled: &mut Compiled,
) -> Result<Option<Filters>, Failure> {
    let Some(set) = compiled.policies.take() else { return Ok(None) };
    let policy: &CheckedPolicy = choose(set.policies(), args.policy.as_deref(), |p| &p.name)?;
    if policy.demand(Target::Seccomp) == Demand::Off {
        return Err(no_filters(&policy.name));
    }
    let options = SeccompOptions { arches: served(arch), ..SeccompOptions::default() };
    let lowered = match lower(policy, &options) {
        Ok(lowered) => lowered,
        Err(errors) => {
            compiled.diagnostics.extend(errors.iter().map(|e| e.diagnostic(policy)));
            return Ok(None);
        }
    };
    let own = lowered.filters.get(&arch.host()).into_iter().flatten();
    let programs = own.map(|f| f.instructions().to_vec()).collect();
    let why = lowered.decide(arch, call.data.nr, call.data.args).map(|d| words(d.why));
    let programs = listed(programs, &lowered.listing(policy, &compiled.sources), arch)?;
    Ok(Some(Filters { policy: policy.name.to_string(), programs, why }))
}

fn of_bundle(args: &TraceFilterArgs, arch: Arch) -> Result<Filters, Failure> {
    if !args.set.is_empty() || args.allow_raw {
        let option = if args.allow_raw { "--allow-raw" } else { "--set" };
        let message = format!(
            "`{option}` is for building; `{}` is a bundle that was built already",
            args.subject.display()
        );
        return Err(Failure::usage(message));
    }
    let bundle = Bundle::open(&args.subject).map_err(Failure::host)?;
    let policy: &Policy = choose(&bundle.manifest.policies, args.policy.as_deref(), |p| &p.name)?;
    let seccomp = policy.seccomp.as_ref().ok_or_else(|| no_filters(&policy.name))?;
    let files = seccomp.programs.get(arch.host().word()).ok_or_else(|| {
        let there: Vec<&str> = seccomp.programs.keys().map(String::as_str).collect();
        Failure::usage(format!(
            "`{}` has no filters for {}; it was built for {}",
            args.subject.display(),
            arch.host().word(),
            there.join(", ")
        ))
    })?;
    let read = |file| {
        let bytes = bundle.read(file).map_err(Failure::host)?;
        instructions(&bytes, arch)
            .ok_or_else(|| Failure::host(format!("{}: no whole instructions", file.path)))
    };
    let programs = files.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let listing = bundle.read(&seccomp.listing).map_err(Failure::host)?;
    let programs = listed(programs, &String::from_utf8_lossy(&listing), arch)?;
    Ok(Filters { policy: policy.name.clone(), programs, why: None })
}

fn no_filters(policy: &str) -> Failure {
    Failure::usage(format!("policy `{policy}` has no filters: it says `backend seccomp off`"))
}

/// The programs of a kernel, each with its part of the listing.
fn listed(
    programs: Vec<Vec<Instruction>>,
    listing: &str,
    arch: Arch,
) -> Result<Vec<(Vec<Instruction>, Listed)>, Failure> {
    let listed =
        read_listing(listing).map(|l| l.into_iter().filter(|f| f.arch == arch.host()).collect::<Vec<_>>());
    match listed {
        Some(list) if list.len() == programs.len() => Ok(programs.into_iter().zip(list).collect()),
        _ => Err(Failure::host("the listing is not one that this canc writes")),
    }
}

/// What the kernel does, in the words of the filter that decides.
fn action(walks: &[Walk]) -> &str {
    let decisive = together(walks.iter().map(|w| w.action));
    let walk = walks.iter().find(|w| Some(w.action) == decisive);
    let last = walk.and_then(|w| w.steps.last()).map_or("", |s| &s.text);
    last.strip_prefix("return ").unwrap_or(last)
}

fn text(arch: Arch, call: &Call, filters: &Filters, walks: &[Walk], paint: Paint) -> String {
    let registers: Vec<String> = call.data.args.iter().map(|a| format!("{a:#x}")).collect();
    let mut out = format!(
        "{} on {}: number {}, registers {}\n",
        paint.bold(call.name.unwrap_or("no call")),
        arch.word(),
        call.data.nr,
        registers.join(" ")
    );
    for (index, walk) in walks.iter().enumerate() {
        out.push_str(&format!("filter {} of {} of policy {}\n", index + 1, walks.len(), filters.policy));
        for step in &walk.steps {
            let (before, after): (Vec<_>, Vec<_>) = step.remarks.iter().partition(|r| is_entry(r));
            before.iter().for_each(|r| remark(&mut out, r, paint));
            let result = match step.holds {
                Some(true) => paint.good("yes"),
                Some(false) => paint.dim("no"),
                None if step.text.starts_with("load") || step.text.starts_with("and") => {
                    format!("{:#x}", step.accumulator)
                }
                None => String::new(),
            };
            out.push_str(format!("{:5}  {:52}{result}", step.at, step.text).trim_end());
            out.push('\n');
            after.iter().for_each(|r| remark(&mut out, r, paint));
        }
        out.push_str(&format!("{} of {} instructions executed\n", walk.steps.len(), walk.length));
    }
    out.push_str(&format!(
        "{}{}\n",
        paint.bold(action(walks)),
        filters.why.map(|w| format!(": {w}")).unwrap_or_default()
    ));
    out
}

/// Whether a remark is about what follows, not about how a comparison ended.
fn is_entry(remark: &Remark) -> bool {
    remark.when == When::Always
}

fn remark(out: &mut String, remark: &Remark, paint: Paint) {
    let sign = if is_entry(remark) { "" } else { "  " };
    out.push_str(&paint.dim(&format!("; {sign}{}", remark.text)));
    out.push('\n');
    for rule in &remark.rules {
        out.push_str(&paint.dim(&format!(";       {rule}")));
        out.push('\n');
    }
}

fn json(arch: Arch, call: &Call, filters: &Filters, walks: &[Walk]) -> serde_json::Value {
    let remark = |r: &Remark| serde_json::json!({ "text": r.text, "rules": r.rules });
    let walked = |walk: &Walk| {
        let steps = walk.steps.iter().map(|s| {
            serde_json::json!({
                "at": s.at, "instruction": s.text, "accumulator": s.accumulator, "holds": s.holds,
                "remarks": s.remarks.iter().map(remark).collect::<Vec<_>>(),
            })
        });
        serde_json::json!({
            "instructions": walk.length, "executed": walk.steps.len(),
            "action": action(std::slice::from_ref(walk)), "steps": steps.collect::<Vec<_>>(),
        })
    };
    serde_json::json!({
        "ok": true, "policy": filters.policy, "arch": arch.word(), "call": call.name, "number": call.data.nr,
        "registers": call.data.args, "action": action(walks), "why": filters.why,
        "filters": walks.iter().map(walked).collect::<Vec<_>>(),
    })
}
