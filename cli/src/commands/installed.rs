//! What the commands share that change what is installed: who may, what is shown, who is asked, what is told afterwards; and the two that
//! only go back, `canc remove` and `canc rollback`.

use super::diff::{Report, changes};
use super::words::differences;
use super::{Failure, Outcome, to_json};
use crate::args::{ChangeArgs, PlaceArgs, RemoveArgs, RollbackArgs};
use crate::exit::Exit;
use crate::paint::Paint;
use crate::stream::Streams;
use canc_runtime::apply::{Engine, Input, Locked, Place, Plan, Stop};
use serde::Serialize;
use std::io::{BufRead, IsTerminal};
use std::time::Duration;

/// `canc remove`.
pub fn remove(args: &RemoveArgs, streams: &mut Streams<'_>) -> Outcome {
    let engine = engine(&args.change.place)?;
    let did =
        if args.all { "remove --all".to_owned() } else { format!("remove {}", args.policies.join(" ")) };
    let plan = |engine: &Engine| Ok((engine.plan_removal(&args.policies).map_err(stopped)?, Vec::new()));
    change(&engine, &args.change, &did, streams, plan, |_| Ok(None), &[])
}

/// `canc rollback`.
pub fn rollback(args: &RollbackArgs, streams: &mut Streams<'_>) -> Outcome {
    let engine = engine(&args.change.place)?;
    let did = format!("rollback {}", args.generation.as_deref().unwrap_or_default());
    let wanted = args.generation.as_deref();
    let plan = |engine: &Engine| Ok((engine.plan_rollback(wanted).map_err(stopped)?, Vec::new()));
    change(&engine, &args.change, did.trim_end(), streams, plan, |_| Ok(None), &[])
}

/// A rule that an installed policy did not have, or no longer has.
#[derive(Debug, Serialize)]
pub struct RuleChange {
    /// The policy.
    pub policy: String,
    /// `adds` or `drops`.
    pub does: &'static str,
    /// Its text.
    pub rule: String,
}

/// What a plan means.
struct Words {
    /// For policies of which nobody has the source.
    rules: Vec<RuleChange>,
    /// What becomes allowed and denied.
    reports: Vec<Report>,
}

/// The host that is asked for.
pub fn engine(args: &PlaceArgs) -> Result<Engine, Failure> {
    let place = Place {
        root: args.root.clone(),
        wait: Duration::from_secs(args.wait),
        limit: args.tool_limit.map(Duration::from_secs),
    };
    Engine::open(&place).map_err(stopped)
}

/// A refusal or a failure of the host, for people.
pub fn stopped(stop: Stop) -> Failure {
    let exit = if matches!(stop, Stop::No(_)) { Exit::No } else { Exit::Host };
    Failure { exit, message: stop.failure().to_string() }
}

/// Plans, shows, asks, tries and does it, under the lock from the beginning.
pub fn change(
    engine: &Engine,
    args: &ChangeArgs,
    did: &str,
    streams: &mut Streams<'_>,
    plan: impl Fn(&Engine) -> Result<(Plan, Vec<RuleChange>), Failure>,
    trial: impl Fn(&Plan) -> Result<Option<Exit>, Failure>,
    inputs: &[Input],
) -> Outcome {
    let plan = |engine: &Engine| -> Result<(Plan, Words), Failure> {
        let (plan, mut rules) = plan(engine)?;
        let (reports, known) = differences(engine, &plan, inputs);
        rules.retain(|rule| !known.contains(&rule.policy));
        Ok((plan, Words { rules, reports }))
    };
    if args.dry_run {
        let (plan, rules) = plan(engine)?;
        show(args, (&plan, &rules), None, streams);
        return Ok(Exit::Done);
    }
    only_root(&args.place)?;
    let locked = engine.lock().map_err(stopped)?;
    tell_recovered(&locked, streams);
    let (plan, rules) = plan(engine)?;
    if !plan.is_empty() {
        if !args.place.json {
            show(args, (&plan, &rules), Some(&locked), streams);
        }
        if !agreed(args, streams) {
            return Err(Failure { exit: Exit::No, message: "nothing was changed".into() });
        }
        if let Some(exit) = trial(&plan)? {
            return Ok(exit);
        }
        locked.apply(&plan, inputs, did).map_err(stopped)?;
    }
    if args.place.json || plan.is_empty() {
        show(args, (&plan, &rules), Some(&locked), streams);
    } else {
        streams.out("done\n");
    }
    Ok(Exit::Done)
}

/// What an interrupted command came to.
pub fn tell_recovered(locked: &Locked<'_>, streams: &mut Streams<'_>) {
    if let Some(recovered) = &locked.recovered {
        streams.err(&format!("canc: {recovered}\n"));
    }
}

fn show(
    args: &ChangeArgs,
    (plan, words): (&Plan, &Words),
    locked: Option<&Locked<'_>>,
    streams: &mut Streams<'_>,
) {
    if args.place.json {
        let recovered = locked.and_then(|locked| locked.recovered.as_ref());
        streams.out(&to_json(&serde_json::json!({
            "ok": true, "dry_run": args.dry_run, "changed": !plan.is_empty() && !args.dry_run,
            "recovered": recovered, "changes": plan.changes, "rules": words.rules, "differences": words.reports,
            "generation": plan.to.digest(),
        })));
        return;
    }
    let paint = Paint(streams.color);
    let mut text = String::new();
    for change in &plan.changes {
        let does = format!("{:<8}", change.does);
        let does = match change.does {
            "install" => paint.good(&does),
            "remove" => paint.bad(&does),
            "keep" => paint.dim(&does),
            _ => paint.bold(&does),
        };
        let why =
            if change.why.is_empty() { String::new() } else { paint.dim(&format!("  ({})", change.why)) };
        text.push_str(&format!("{:<16} {:<9} {does} {}{why}\n", change.policy, change.layer, change.what));
    }
    for RuleChange { policy, does, rule } in &words.rules {
        let does = if *does == "adds" { paint.good("adds    ") } else { paint.bad("drops   ") };
        text.push_str(&format!("{policy:<16} {:<9} {does} {rule}\n", "rule"));
    }
    for report in &words.reports {
        text.push_str(&changes(report, paint));
    }
    if plan.is_empty() {
        text.push_str("nothing to change\n");
    }
    streams.out(&text);
}

/// Only a person at a terminal is asked.
fn agreed(args: &ChangeArgs, streams: &mut Streams<'_>) -> bool {
    let stdin = std::io::stdin();
    if args.yes || args.place.json || !stdin.is_terminal() || !std::io::stdout().is_terminal() {
        return true;
    }
    streams.err("go on? [y/N] ");
    let mut line = String::new();
    stdin.lock().read_line(&mut line).is_ok() && matches!(line.trim(), "y" | "Y" | "yes")
}

fn only_root(args: &PlaceArgs) -> Result<(), Failure> {
    if args.root.is_some() || rustix::process::geteuid().is_root() {
        return Ok(());
    }
    let quoted = |word: std::ffi::OsString| {
        let word = word.to_string_lossy().into_owned();
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_./=:,+@".contains(&b);
        if !word.is_empty() && word.bytes().all(plain) {
            word
        } else {
            format!("'{}'", word.replace('\'', "'\\''"))
        }
    };
    let command = std::env::args_os().map(quoted).collect::<Vec<_>>().join(" ");
    Err(Failure::host(format!("only root changes what is installed on a host; run: sudo {command}")))
}
