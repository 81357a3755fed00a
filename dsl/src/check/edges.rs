//! The two ends of each edge between policies: `run … -> policy Q` in P, and `launch from policy P` in Q.

use super::Checker;
use super::policy::Making;
use crate::codes;
use crate::diag::Diagnostic;
use crate::policy::{Body, Effect, Launcher, RunTarget};
use crate::source::Span;
use std::collections::HashMap;

impl Checker<'_, '_> {
    pub(super) fn edges(&mut self, policies: &[Making]) {
        let mut runs: HashMap<(&str, &str), Span> = HashMap::new();
        let mut launches: HashMap<(&str, &str), Span> = HashMap::new();
        let by_name: HashMap<&str, &Making> = policies.iter().map(|m| (&*m.data.name, m)).collect();
        let mut order = Vec::new();
        for making in policies {
            for rule in making.data.rules.iter().filter(|r| r.effect == Effect::Allow) {
                let Body::File(file) = &rule.body else { continue };
                let RunTarget::Policy(to) = &file.run else { continue };
                let edge = (&*making.data.name, &**to);
                runs.entry(edge).or_insert_with(|| {
                    order.push(edge);
                    rule.span
                });
            }
            for (launcher, span) in &making.launch {
                let Launcher::Policy(from) = launcher else { continue };
                let edge = (&**from, &*making.data.name);
                launches.insert(edge, *span);
                order.push(edge);
            }
        }
        for edge in order {
            let (Some(from), Some(to)) = (by_name.get(edge.0), by_name.get(edge.1)) else { continue };
            if from.broken || to.broken {
                continue;
            }
            match (runs.get(&edge), launches.get(&edge)) {
                (Some(run), None) => self.no_launch(edge, *run, to),
                (None, Some(launch)) => self.no_run(edge, *launch, from, to),
                _ => {}
            }
        }
    }

    fn no_launch(&mut self, (from, to): (&str, &str), run: Span, target: &Making) {
        self.sink.push(
            Diagnostic::new(
                codes::EDGE_WITHOUT_LAUNCH,
                format!("`{to}` does not say that `{from}` may start it"),
            )
            .label(run, format!("starts programs in `{to}`"))
            .label(target.data.span, format!("no `launch from policy {from}` in here"))
            .help(format!("add to `policy {to}`: `launch from policy {from};`")),
        );
    }

    fn no_run(&mut self, (from, to): (&str, &str), launch: Span, starter: &Making, target: &Making) {
        let path = target.data.exec.first().map(|p| p.pattern.to_string()).unwrap_or_default();
        let path = path.replace('\\', "\\\\").replace('"', "\\\"");
        self.sink.push(
            Diagnostic::new(codes::EDGE_WITHOUT_RUN, format!("`{from}` runs no program in `{to}`"))
                .label(launch, format!("says that `{from}` starts it"))
                .label(starter.data.span, format!("no `-> policy {to}` in here"))
                .help(format!("add to `policy {from}`: `allow run \"{path}\" -> policy {to};`")),
        );
    }
}
