//! A request on the command line, spelled as in tests, to the same type that tests hold.

use crate::check::Checker;
use crate::compile::Options;
use crate::diag::Diagnostic;
use crate::parse;
use crate::policy::{PolicySet, Request};
use crate::resolve::{Units, Values, World};
use crate::sink::Sink;
use crate::source::SourceMap;
use crate::spell;

/// What reading a request gives.
#[derive(Debug)]
pub struct RequestReading {
    /// The request's text, with bare paths put into quotes; spans are about it.
    pub sources: SourceMap,
    /// What is wrong with it.
    pub diagnostics: Vec<Diagnostic>,
    /// `Some` exactly when there is no error.
    pub request: Option<Request>,
}

/// Reads a request such as `read "/etc/shadow"`, `connect tcp port 25` or `read /etc/shadow as root`. A bare path stands for itself,
/// without wildcards. `policies` are those that it may name.
#[must_use]
pub fn parse_request(text: &str, policies: &PolicySet, options: &Options) -> RequestReading {
    let mut sink = Sink::default();
    let mut sources = SourceMap::default();
    let quoted = quote_paths(text);
    let file = sources.add("request", quoted.as_str());
    let tree = parse::scan(file, quoted.as_bytes(), &mut sink)
        .filter(|_| sink.errors() == 0)
        .and_then(|text| parse::request(file, text, &mut sink));
    let request = tree.and_then(|tree| {
        let (units, values) = (Units::default(), Values::default());
        let world = World { units: &units, values: &values, sources: &sources, options };
        let names = policies.policies().iter().map(|p| std::sync::Arc::clone(&p.name)).collect();
        Checker::new(world, &mut sink, names).request(&tree, true)
    });
    let request = request.filter(|_| sink.errors() == 0);
    RequestReading { sources, diagnostics: sink.into_sorted(), request }
}

/// Puts quotes around what starts with `/` outside of quotes, up to the next blank.
fn quote_paths(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut in_string = false;
    let mut at_start = true;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if !in_string && at_start && c == '/' {
            let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
            let (path, after) = rest.split_at(end);
            out.push('"');
            out.push_str(&spell::literal_path(path));
            out.push('"');
            rest = after;
            at_start = false;
            continue;
        }
        in_string ^= c == '"';
        at_start = c.is_whitespace();
        out.push(c);
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
    }
    out
}
