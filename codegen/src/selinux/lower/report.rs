//! What a module changes for others: who loses access to relabelled paths and ports, and who reaches the private ones.

use super::own::Sort;
use super::sheet::Sheet;

/// What changes for others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Paths and ports that get another label than the base gives them.
    pub lost: Vec<Lost>,
    /// How many domains of the base may read the policy's private files all the same, and how many may write them.
    pub readers: usize,
    /// See `readers`.
    pub writers: usize,
    /// A few of them by name.
    pub named: Vec<String>,
    /// Whether anybody may start the policy at all on this base.
    pub startable: bool,
}

/// Something that the base labels otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// A path, or `tcp port 8443`.
    pub what: String,
    /// The type that the base gives it.
    pub from: String,
    /// The private type that it gets.
    pub to: String,
}

/// How many domains are named.
const NAMED: usize = 5;

pub(super) fn report(sheet: &Sheet<'_, '_>) -> Report {
    let (plan, base) = (sheet.plan, sheet.plan.base);
    let mut out = Report { startable: !sheet.launches().is_empty(), ..Report::default() };
    for area in plan.areas.iter().filter(|a| a.policy == sheet.number) {
        let to = plan.own(area.main).map(|t| t.name.to_string()).unwrap_or_default();
        for hit in &area.displaced {
            let from = hit.ty.map_or("<<none>>", |t| base.type_name(t)).to_owned();
            out.lost.push(Lost { what: hit.witness.clone(), from, to: to.clone() });
        }
    }
    for own in plan.ports.own.iter().filter(|p| p.policy == sheet.number) {
        let to = plan.own(own.ty).map(|t| t.name.to_string()).unwrap_or_default();
        for (low, high) in own.ports.ranges() {
            let from = base.port_type(own.protocol, *low).map_or("port_t", |t| base.type_name(t)).to_owned();
            let range = if low == high { low.to_string() } else { format!("{low}-{high}") };
            out.lost.push(Lost { what: format!("{} port {range}", own.protocol.word()), from, to: to.clone() });
        }
    }
    let sort = plan.types.iter().filter(|(_, t)| t.policy == sheet.number).find_map(|(_, t)| match t.sort {
        Sort::Data { log: true, .. } => Some("log"),
        Sort::Data { .. } => Some("data"),
        _ => None,
    });
    if let Some(sort) = sort {
        let readers = base.reach(sort, "read");
        out.readers = readers.len();
        out.writers = base.reach(sort, "write").len();
        out.named = readers.into_iter().take(NAMED).map(str::to_owned).collect();
    }
    out
}
