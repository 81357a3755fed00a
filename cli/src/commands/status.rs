//! `canc status` and `canc history`: what is installed on a host, how it is now, and what was done to it.

use super::compile::compile;
use super::installed::{engine, stopped, tell_recovered};
use super::{Failure, Outcome, to_json};
use crate::args::{HistoryArgs, SourceArgs, StatusArgs};
use crate::exit::Exit;
use crate::paint::{Paint, pad};
use crate::stream::Streams;
use canc_codegen::build::source_digest;
use canc_runtime::apply::{Applied, Finding, Is};
use std::path::Path;

/// `canc status`.
pub fn run(args: &StatusArgs, streams: &mut Streams<'_>) -> Outcome {
    let engine = engine(&args.place)?;
    let (mut state, mut unfinished) = engine.state().map_err(stopped)?;
    // Whoever may, brings an interrupted command to its end, so that what is told is one state or the other.
    if unfinished.is_some() && (args.place.root.is_some() || rustix::process::geteuid().is_root()) {
        let locked = engine.lock().map_err(stopped)?;
        tell_recovered(&locked, streams);
        (state, unfinished) = engine.state().map_err(stopped)?;
    }
    let missing: Vec<&String> = args.policies.iter().filter(|p| !state.policies.contains_key(*p)).collect();
    if !args.policies.is_empty() {
        state.policies.retain(|name, _| args.policies.contains(name));
    }
    let found = engine.look_at(&state).map_err(stopped)?;
    let stale: Vec<(String, String)> =
        state.policies.iter().filter_map(|(name, applied)| Some((name.clone(), stale(applied)?))).collect();
    let good = missing.is_empty()
        && stale.is_empty()
        && unfinished.is_none()
        && found.iter().all(|f| f.is.enforces());
    if args.place.json {
        let stale: Vec<_> =
            stale.iter().map(|(p, why)| serde_json::json!({ "policy": p, "why": why })).collect();
        streams.out(&to_json(&serde_json::json!({
            "ok": good, "policies": state.policies, "layers": found, "stale": stale, "not_installed": missing,
            "unfinished": unfinished.map(|journal| journal.entry.did),
        })));
    } else {
        if let Some(journal) = unfinished {
            let why = "a canc command of root completes or undoes it";
            streams.out(&format!("`{}` is not finished: {why}\n", journal.entry.did));
        }
        streams.out(&text(&found, &stale, &missing, Paint(streams.color)));
    }
    Ok(if good { Exit::Done } else { Exit::No })
}

/// Why what is installed is not what its source now says; `None` where it is, or where nobody knows the source.
fn stale(applied: &Applied) -> Option<String> {
    let origin = applied.origin.as_deref()?;
    let args = SourceArgs::new(Path::new(origin), &[], Vec::new(), true);
    match compile(&args) {
        Ok(compiled) if source_digest(&compiled.sources) == applied.source => None,
        Ok(_) => Some(format!("{origin} was changed since: canc apply {origin}")),
        Err(Failure { message, .. }) => Some(format!("its source is gone: {message}")),
    }
}

fn text(found: &[Finding], stale: &[(String, String)], missing: &[&String], paint: Paint) -> String {
    let mut out = String::new();
    for finding in found {
        let word = pad(finding.is.word(), 15);
        let word = match finding.is {
            Is::Installed => paint.good(&word),
            Is::Kept | Is::Unknown => paint.dim(&word),
            _ => paint.bad(&word),
        };
        let line = format!("{} {} {word} {}", pad(&finding.policy, 16), pad(&finding.layer, 9), finding.why);
        out.push_str(line.trim_end());
        out.push('\n');
    }
    for (policy, why) in stale {
        out.push_str(&format!(
            "{} {} {} {why}\n",
            pad(policy, 16),
            pad("source", 9),
            paint.bad(&pad("stale", 15))
        ));
    }
    for policy in missing {
        out.push_str(&format!("{} {} {}\n", pad(policy, 16), pad("all", 9), paint.bad("not installed")));
    }
    if out.is_empty() {
        out.push_str("no policy is installed\n");
    }
    out
}

/// `canc history`.
pub fn history(args: &HistoryArgs, streams: &mut Streams<'_>) -> Outcome {
    let (history, current) = engine(&args.place)?.history().map_err(stopped)?;
    if args.place.json {
        streams.out(&to_json(&serde_json::json!({ "history": history, "current": current })));
        return Ok(Exit::Done);
    }
    let last = history.iter().rposition(|entry| Some(&entry.generation) == current.as_ref());
    for (i, entry) in history.iter().enumerate() {
        let mark = if Some(i) == last { "*" } else { " " };
        let digest: String = entry.generation.chars().take(12).collect();
        streams.out(&format!("{mark} {:>4}  {digest}  {}  {}\n", entry.number, utc(entry.at), entry.did));
    }
    if history.is_empty() {
        streams.out("nothing was applied yet\n");
    }
    Ok(Exit::Done)
}

/// Seconds since 1970 as a date and a time of day in UTC: days to a date as in the proleptic Gregorian calendar.
fn utc(at: u64) -> String {
    let (days, time) = (at / 86_400 + 719_468, at % 86_400);
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let date = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{date:02} {:02}:{:02}", time / 3_600, time % 3_600 / 60)
}

#[cfg(test)]
mod tests {
    use super::utc;

    #[test]
    fn seconds_become_dates() {
        for (at, want) in [
            (0, "1970-01-01 00:00"),
            (951_782_400, "2000-02-29 00:00"),
            (1_767_225_599, "2025-12-31 23:59"),
            (4_107_542_400, "2100-03-01 00:00"),
        ] {
            assert_eq!(utc(at), want);
        }
    }
}
