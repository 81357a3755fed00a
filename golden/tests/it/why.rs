//! `canc why` about every request of every recorded policy's tests: the answer is what the test claims and what was proved.

use crate::canc::canc;
use crate::case::{Case, cases, each};
use crate::record::report;
use canc_cli::Exit;
use serde_json::Value;
use std::fs;

/// The policy, whether it is claimed to allow, the request, and the deployments that the claim is about.
fn claim(text: &str) -> Option<(&str, bool, String, Vec<&str>)> {
    let text = text.trim_end_matches(';');
    let (policy, rest) = text.split_once(' ')?;
    let (verb, rest) = rest.split_once(' ')?;
    let allows = match verb {
        "allows" => true,
        "denies" => false,
        _ => return None,
    };
    // What stands after the request, outside of quotes.
    let outside = |word: &str| {
        rest.match_indices(word).map(|(at, _)| at).find(|at| rest[..*at].matches('"').count() % 2 == 0)
    };
    let on = outside(" on ").map(|at| rest[at + 4..].split(", ").collect()).unwrap_or_default();
    let end = [" on ", " because ", " by @"].into_iter().filter_map(outside).min().unwrap_or(rest.len());
    Some((policy, allows, rest[..end].to_owned(), on))
}

fn json(args: &[String]) -> (Exit, Value) {
    let ran = canc(args);
    let value = serde_json::from_str(&ran.out);
    (ran.exit, value.unwrap_or_else(|_| panic!("{args:?}: {:?} {}{}", ran.exit, ran.out, ran.err)))
}

fn ask(policy_file: &str, options: &[String], assertion: &Value) -> Result<bool, String> {
    let text = assertion["text"].as_str().unwrap();
    let Some((policy, allows, request, on)) = claim(text) else { return Ok(false) };
    let mut args = vec!["why".to_owned(), policy_file.to_owned(), request];
    args.extend(["--policy".to_owned(), policy.to_owned(), "--json".to_owned()]);
    args.extend(options.iter().cloned());
    let (exit, answer) = json(&args);
    let wanted = if allows { ("allowed", Exit::Done) } else { ("denied", Exit::No) };
    let said = (answer["decision"].as_str().unwrap_or_default(), exit);
    let hosts = answer["deployments"].as_array().ok_or_else(|| format!("{args:?}: {answer}"))?;
    let about = |h: &&Value| on.is_empty() || on.iter().any(|d| h["deployment"] == *d);
    let agree = hosts.iter().filter(about).all(|h| h["decision"] == wanted.0);
    let passed = assertion["passed"] == true;
    if passed && !(said == wanted && agree) {
        return Err(format!("{policy_file}: `{text}` was proved, and why says {answer:#}"));
    }
    Ok(true)
}

/// How many requests of a policy's tests were asked about, and what disagrees.
fn asked(policy: &str, options: &[String]) -> (usize, Vec<String>) {
    let mut args = vec!["test".to_owned(), policy.to_owned(), "--json".to_owned()];
    args.extend(for_tests(options));
    let (_, report) = json(&args);
    let tests = report["tests"].as_array().cloned().unwrap_or_default();
    let assertions = tests.iter().flat_map(|t| t["assertions"].as_array().unwrap());
    let answers: Vec<_> = assertions.map(|a| ask(policy, options, a)).collect();
    let count = answers.iter().filter(|a| **a == Ok(true)).count();
    (count, answers.into_iter().filter_map(Result::err).collect())
}

#[test]
fn why_agrees_with_every_proved_assertion() {
    let tested = |case: &Case| case.text().lines().any(|l| l.starts_with("test "));
    let mut policies: Vec<(String, Vec<String>)> = cases("ok")
        .iter()
        .filter(|c| tested(c))
        .map(|c| (c.policy().display().to_string(), c.options.clone()))
        .collect();
    for example in fs::read_dir("../examples").unwrap().map(|e| e.unwrap().path()) {
        let name = example.file_name().unwrap().to_str().unwrap();
        policies.push((example.join(format!("{name}.can")).display().to_string(), Vec::new()));
    }
    let asked = each(&policies, |(policy, options)| asked(policy, options));
    report(&asked.iter().flat_map(|a| a.1.clone()).collect::<Vec<_>>());
    let count: usize = asked.iter().map(|a| a.0).sum();
    assert!(count >= 30, "{count} requests");
}

/// The options of a case that `canc test` has too.
fn for_tests(options: &[String]) -> Vec<String> {
    let mut out = Vec::new();
    let mut words = options.iter();
    while let Some(word) = words.next() {
        if matches!(word.as_str(), "--for" | "--deny" | "--frequencies") {
            words.next();
        } else {
            out.push(word.clone());
        }
    }
    out
}
