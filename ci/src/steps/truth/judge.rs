//! What the compiler says and what the kernel did, to what is wrong: pure.
//!
//! A request counts as let through where it comes out as without the layer, and as refused with the layer's own error and, where the
//! layer has one, its own audit record.

use super::claims::Claim;
use canc_guest::Ran;
use serde_json::Value;

/// What the probe said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The kernel did it.
    Done,
    /// The error's name.
    Error(String),
}

/// Errors that say that a request came through to what is behind it: nobody listens, or arguments were looked at that make no sense.
const BEHIND: [&str; 9] =
    ["ECONNREFUSED", "EADDRINUSE", "EINVAL", "EFAULT", "EBADF", "ENOENT", "ESRCH", "E2BIG", "ENODEV"];

/// A layer, as its refusals are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// Its word.
    pub name: &'static str,
    /// The errors that it refuses with.
    pub errors: &'static [&'static str],
    /// What an audit record of it holds; empty where it writes none.
    pub record: Vec<String>,
}

/// The answer in a trial's output.
///
/// # Errors
/// What was there instead.
pub fn answer(ran: &Ran) -> Result<Answer, String> {
    let line = ran.stdout.lines().rev().find_map(|line| serde_json::from_str::<Value>(line).ok());
    let said = line.filter(|line| line.get("request").is_some());
    let said =
        said.ok_or_else(|| format!("the probe did not run: {} {}", ran.stdout.trim(), ran.stderr.trim()))?;
    Ok(match said.get("error").and_then(Value::as_str) {
        Some(error) => Answer::Error(error.to_owned()),
        None => Answer::Done,
    })
}

/// What is wrong with a trial under one layer alone, beside the same without any.
pub fn fault(layer: &Layer, claim: Claim, without: &Ran, with: &Ran) -> Option<String> {
    let (without, answered) = match (answer(without), answer(with)) {
        (Ok(without), Ok(with)) => (without, with),
        (Err(why), _) => return Some(format!("without a layer {why}")),
        (_, Err(why)) => return Some(why),
    };
    match &without {
        Answer::Error(error) if !BEHIND.contains(&error.as_str()) => {
            return Some(format!("it shows nothing: without any layer it fails too, with {error}"));
        }
        _ => {}
    }
    let record = with.audit.iter().find(|line| layer.record.iter().all(|word| line.contains(word.as_str())));
    let refused = match &answered {
        Answer::Error(error) if answered != without => Some(error.as_str()),
        _ => None,
    };
    match (claim, refused) {
        (Claim::Refuses, None) => Some("it should refuse it, and lets it through".to_owned()),
        (Claim::Refuses, Some(error)) if !layer.errors.contains(&error) => {
            Some(format!("{error} is no refusal of this layer"))
        }
        (Claim::Refuses, Some(error)) if !layer.record.is_empty() && record.is_none() => {
            Some(format!("{error} without an audit record of this layer"))
        }
        (Claim::Refuses, Some(_)) | (Claim::Permits | Claim::Unseen, None) => None,
        (Claim::Permits, Some(error)) => Some(format!("it should permit it, and refuses it with {error}")),
        (Claim::Unseen, Some(error)) => {
            Some(format!("it is said not to see such requests, and refuses it with {error}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ran(error: &str, audit: &str) -> Ran {
        let error = if error.is_empty() { String::new() } else { format!(",\"error\":\"{error}\"") };
        Ran {
            stdout: format!("{{\"request\":\"open-read\"{error}}}\n"),
            audit: vec![audit.to_owned()],
            ..Ran::default()
        }
    }

    fn layer() -> Layer {
        Layer { name: "apparmor", errors: &["EACCES"], record: vec!["DENIED".to_owned()] }
    }

    #[test]
    fn a_refusal_takes_the_errno_and_the_record() {
        let done = ran("", "");
        let judged = |claim, with: &Ran| fault(&layer(), claim, &done, with);
        assert_eq!(judged(Claim::Refuses, &ran("EACCES", "DENIED x")), None);
        assert!(judged(Claim::Refuses, &ran("EACCES", "")).unwrap().contains("without an audit record"));
        assert!(judged(Claim::Refuses, &ran("ENOSYS", "DENIED x")).unwrap().contains("no refusal"));
        assert!(judged(Claim::Refuses, &done).unwrap().contains("lets it through"));
    }

    #[test]
    fn what_is_let_through_comes_out_as_without_the_layer() {
        for claim in [Claim::Permits, Claim::Unseen] {
            assert_eq!(fault(&layer(), claim, &ran("", ""), &ran("", "")), None);
            assert_eq!(fault(&layer(), claim, &ran("ECONNREFUSED", ""), &ran("ECONNREFUSED", "")), None);
            assert!(fault(&layer(), claim, &ran("", ""), &ran("EACCES", "DENIED")).is_some());
        }
    }

    #[test]
    fn what_shows_nothing_is_a_fault() {
        for claim in [Claim::Permits, Claim::Refuses, Claim::Unseen] {
            assert!(fault(&layer(), claim, &ran("EACCES", ""), &ran("EACCES", "DENIED")).is_some());
            assert!(fault(&layer(), claim, &Ran::default(), &ran("", "")).is_some());
            assert!(fault(&layer(), claim, &ran("", ""), &Ran::default()).is_some());
        }
    }
}
