//! Programs to a listing that a person reads: each block names the lines of the policy that it comes from. The words of the listing
//! stand in its template.

use super::encode::{Instruction, action, op};
use super::layout::Mark;
use super::model::{Clause, Effect, Source};
use super::sim::{ARGUMENT_NAMES, Place};
use super::{Filter, Lowered};
use askama::Template;
use canc_dsl::policy::{Action, PolicyData, RuleId};
use canc_dsl::source::{FileId, SourceMap, Span};
use canc_sets::syscalls::{self, Arch};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Calls named in a remark at most; the rest is counted.
const MOST_CALLS: usize = 12;
/// Rules named in a remark at most.
const MOST_RULES: usize = 4;
/// Characters of a rule's text in a remark.
const MOST_TEXT: usize = 90;

impl Lowered {
    /// All filters, with remarks.
    #[must_use]
    pub fn listing(&self, policy: &PolicyData, sources: &SourceMap) -> String {
        let reader = Reader { lowered: self, policy, lines: Lines::new(sources) };
        let filters = self.filters.values().flat_map(|list| {
            let count = list.len();
            list.iter().enumerate().map(move |(i, f)| (i + 1, count, f))
        });
        let filters = filters.map(|(number, count, filter)| reader.filter(number, count, filter)).collect();
        Listing { policy: Text::new(&policy.name), filters }.render().unwrap_or_default()
    }
}

#[derive(Template)]
#[template(path = "seccomp.listing", escape = "listing")]
struct Listing {
    policy: Text,
    filters: Vec<FilterText>,
}

struct FilterText {
    arch: Arch,
    number: usize,
    count: usize,
    length: usize,
    lines: Vec<Line>,
}

/// An instruction and what to say before it.
struct Line {
    at: usize,
    remarks: Vec<Remark>,
    code: Code,
}

enum Remark {
    /// The calls of an architecture start here.
    Section { arches: Vec<Arch> },
    /// The arguments of these calls are looked at.
    Calls { calls: Calls, rules: Vec<RuleText>, more: usize },
    /// Inner questions.
    Inner,
    /// When the comparison below holds, or does not, it is one of these calls.
    Found {
        when: bool,
        calls: Calls,
        numbers: (u32, u32),
        outcome: Option<Action>,
        rules: Vec<RuleText>,
        more: usize,
    },
}

/// Names of calls, and how many more there are.
struct Calls {
    names: Vec<&'static str>,
    more: usize,
}

/// A rule where it stands.
struct RuleText {
    file: Text,
    line: usize,
    text: Text,
}

/// What an instruction does, for people.
enum Code {
    Load(Place),
    And(u32),
    Jump(usize),
    Branch {
        test: Test,
        holds: usize,
        fails: usize,
    },
    Return(Action),
    /// No filter of this compiler has it.
    Other(Instruction),
}

enum Test {
    Equal(Operand),
    AtLeast(Operand),
    Greater(Operand),
    AnyBit(u32),
}

/// A number, with the name it has where it is compared.
struct Operand {
    value: u32,
    name: Option<&'static str>,
}

/// Text of a policy or a file name, on one line and without control characters.
struct Text(String);

impl Text {
    fn new(text: &str) -> Self {
        let plain = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>();
        let mut words = plain.split_whitespace().collect::<Vec<_>>().join(" ");
        if let Some((end, _)) = words.char_indices().nth(MOST_TEXT) {
            words.truncate(end);
            words.push('…');
        }
        Self(words)
    }
}

/// Line numbers of spans, found by a search in each text's list of line starts.
struct Lines<'a> {
    sources: &'a SourceMap,
    starts: HashMap<FileId, Vec<u32>>,
}

impl<'a> Lines<'a> {
    fn new(sources: &'a SourceMap) -> Self {
        let starts = |text: &str| {
            let breaks = text.bytes().enumerate().filter(|b| b.1 == b'\n').map(|b| b.0 + 1);
            std::iter::once(0).chain(breaks).filter_map(|s| u32::try_from(s).ok()).collect()
        };
        Self { sources, starts: sources.iter().map(|(id, file)| (id, starts(&file.text))).collect() }
    }

    fn rule(&self, span: Span) -> RuleText {
        let starts = self.starts.get(&span.file).map_or(&[][..], Vec::as_slice);
        // Without its directories: the same source gives the same bytes wherever it lies.
        let file = self.sources.get(span.file).and_then(|f| f.name.rsplit('/').next()).unwrap_or_default();
        RuleText {
            file: Text::new(file),
            line: starts.partition_point(|s| *s <= span.start),
            text: Text::new(self.sources.text(span)),
        }
    }
}

struct Reader<'a> {
    lowered: &'a Lowered,
    policy: &'a PolicyData,
    lines: Lines<'a>,
}

impl Reader<'_> {
    fn filter(&self, number: usize, count: usize, filter: &Filter) -> FilterText {
        let roots = self.roots(filter);
        let mut remarks: BTreeMap<usize, Vec<Remark>> = BTreeMap::new();
        for (at, mark) in &filter.program.marks {
            remarks.entry(*at).or_default().extend(self.remark(filter, *at, mark, &roots));
        }
        let program = filter.instructions();
        let holds = contents(program, filter.arch.is_big_endian());
        let line = |(at, instruction): (usize, &Instruction)| Line {
            at,
            remarks: remarks.remove(&at).unwrap_or_default(),
            code: code(at, instruction, filter, holds.get(at).copied().flatten()),
        };
        let lines = program.iter().enumerate().map(line).collect();
        FilterText { arch: filter.arch, number, count, length: program.len(), lines }
    }

    /// The calls whose decision starts at each node.
    fn roots(&self, filter: &Filter) -> HashMap<super::diagram::NodeId, BTreeSet<(Arch, &'static str)>> {
        let mut out: HashMap<_, BTreeSet<(Arch, &'static str)>> = HashMap::new();
        for (arch, name, node) in &self.lowered.roots {
            if filter.serves.contains(arch) {
                out.entry(*node).or_default().insert((*arch, name));
            }
        }
        out
    }

    fn remark(
        &self,
        filter: &Filter,
        at: usize,
        mark: &Mark,
        roots: &HashMap<super::diagram::NodeId, BTreeSet<(Arch, &'static str)>>,
    ) -> Option<Remark> {
        match mark {
            Mark::Section(audit) => {
                let arches = filter.serves.iter().copied().filter(|a| a.audit_value() == *audit).collect();
                Some(Remark::Section { arches })
            }
            Mark::Node(node) => Some(match roots.get(node) {
                None => Remark::Inner,
                Some(calls) => {
                    let (rules, more) = self.rules(calls.iter().copied());
                    Remark::Calls { calls: Calls::new(calls.iter().map(|c| c.1)), rules, more }
                }
            }),
            Mark::Found { audit, low, high, when } => self.found(filter, at, *audit, (*low, *high), *when),
        }
    }

    /// The calls with numbers of an interval that go where a side of the comparison leads. Others of the interval were found before.
    fn found(
        &self,
        filter: &Filter,
        at: usize,
        audit: u32,
        (low, high): (u32, u32),
        when: bool,
    ) -> Option<Remark> {
        let outcome = answer(filter.instructions(), at, when);
        let plain = |(arch, name): &(Arch, &'static str)| {
            let call = syscalls::index(name)?;
            self.lowered.clauses.plain(call, name, *arch)
        };
        let mut calls = Vec::new();
        for arch in filter.serves.iter().filter(|a| a.audit_value() == audit) {
            let table = syscalls::numbers(*arch);
            let from = table.partition_point(|e| e.0 < low);
            calls.extend(table.get(from..)?.iter().take_while(|e| e.0 <= high).map(|e| (*arch, e.1)));
        }
        calls.retain(|c| plain(c) == outcome);
        // Where more is asked, the rules stand at the questions.
        let asked = if outcome.is_some() { calls.as_slice() } else { &[] };
        let (rules, more) = self.rules(asked.iter().copied());
        let calls = Calls::new(calls.iter().map(|c| c.1));
        Some(Remark::Found { when, calls, numbers: (low, high), outcome: outcome.map(action), rules, more })
    }

    /// The rules behind calls, in the order of the policy, the first few of them.
    fn rules(&self, calls: impl Iterator<Item = (Arch, &'static str)>) -> (Vec<RuleText>, usize) {
        let mut rules: BTreeSet<RuleId> = BTreeSet::new();
        for (arch, name) in calls {
            let Some(call) = syscalls::index(name) else { continue };
            for clause in self.lowered.clauses.about(call, arch) {
                // Of the many rules that bring one family, the first speaks for them.
                let own = self.lowered.clauses.rules(&clause.source);
                rules.extend(if told(clause) { own } else { own.get(..1).unwrap_or_default() });
            }
        }
        let count = rules.len();
        let named = rules.into_iter().take(MOST_RULES).filter_map(|r| self.policy.rule(r));
        (named.map(|r| self.lines.rule(r.span)).collect(), count.saturating_sub(MOST_RULES))
    }
}

/// Whether every rule behind a clause is worth a line.
fn told(clause: &Clause) -> bool {
    matches!(clause.source, Source::Rule(_)) || matches!(clause.effect, Effect::Deny(_))
}

impl Calls {
    fn new(names: impl Iterator<Item = &'static str>) -> Self {
        let mut names: Vec<&'static str> = names.collect();
        names.dedup();
        let more = names.len().saturating_sub(MOST_CALLS);
        names.truncate(MOST_CALLS);
        Self { names, more }
    }
}

/// What the accumulator holds before each instruction.
fn contents(program: &[Instruction], big_endian: bool) -> Vec<Option<Place>> {
    let mut out: Vec<Option<Place>> = vec![None; program.len() + 1];
    for (at, instruction) in program.iter().enumerate() {
        let held = out.get(at).copied().flatten();
        let after = if instruction.code == op::LOAD { Place::at(instruction.k, big_endian) } else { held };
        let mut reach = |to: usize| {
            if let Some(slot) = out.get_mut(to) {
                *slot = slot.or(after);
            }
        };
        match instruction.code {
            op::RETURN => (),
            op::JUMP => reach(at + 1 + usize::try_from(instruction.k).unwrap_or(0)),
            _ if instruction.branches() => {
                reach(at + 1 + usize::from(instruction.jt));
                reach(at + 1 + usize::from(instruction.jf));
            }
            _ => reach(at + 1),
        }
    }
    out
}

/// What a side of a comparison returns; `None` where more is asked.
fn answer(program: &[Instruction], at: usize, when: bool) -> Option<u32> {
    let branch = program.get(at)?;
    let mut to = at + 1 + usize::from(if when { branch.jt } else { branch.jf });
    loop {
        let next = program.get(to)?;
        match next.code {
            op::JUMP => to += 1 + usize::try_from(next.k).ok()?,
            op::RETURN => return Some(next.k),
            _ => return None,
        }
    }
}

fn code(at: usize, instruction: &Instruction, filter: &Filter, held: Option<Place>) -> Code {
    let k = instruction.k;
    let operand = Operand { value: k, name: operand_name(k, filter, held) };
    let test = match instruction.code {
        op::LOAD => match Place::at(k, filter.arch.is_big_endian()) {
            Some(place) => return Code::Load(place),
            None => return Code::Other(*instruction),
        },
        op::AND => return Code::And(k),
        op::JUMP => return Code::Jump(at + 1 + usize::try_from(k).unwrap_or(0)),
        op::RETURN => return Code::Return(action(k)),
        op::EQUAL => Test::Equal(operand),
        op::AT_LEAST => Test::AtLeast(operand),
        op::GREATER => Test::Greater(operand),
        op::ANY_BIT => Test::AnyBit(k),
        _ => return Code::Other(*instruction),
    };
    let (jt, jf) = (usize::from(instruction.jt), usize::from(instruction.jf));
    Code::Branch { test, holds: at + 1 + jt, fails: at + 1 + jf }
}

/// What a compared number means: a call, or an architecture.
fn operand_name(k: u32, filter: &Filter, held: Option<Place>) -> Option<&'static str> {
    match held {
        Some(Place::Number) => filter.serves.iter().find_map(|a| syscalls::name(*a, k)),
        Some(Place::Architecture) => filter.serves.iter().find(|a| a.audit_value() == k).map(|a| a.word()),
        _ => None,
    }
}

mod filters {
    use super::{ARGUMENT_NAMES, Text};
    use askama::filters::Safe;
    use askama::{Result, Values};
    use canc_sets::syscalls::Arch;

    #[askama::filter_fn]
    pub fn text<'a>(text: &'a Text, _: &dyn Values) -> Result<Safe<&'a str>> {
        Ok(Safe(&text.0))
    }

    #[askama::filter_fn]
    pub fn arch(arch: &Arch, _: &dyn Values) -> Result<Safe<&'static str>> {
        Ok(Safe(arch.word()))
    }

    /// A name of the tables, which hold letters, digits and `_` alone.
    #[askama::filter_fn]
    pub fn name(name: &&'static str, _: &dyn Values) -> Result<Safe<&'static str>> {
        Ok(Safe(name))
    }

    #[askama::filter_fn]
    pub fn argument(register: &u8, _: &dyn Values) -> Result<Safe<&'static str>> {
        Ok(Safe(ARGUMENT_NAMES.get(usize::from(*register)).copied().unwrap_or_default()))
    }

    #[askama::filter_fn]
    pub fn count(number: &usize, _: &dyn Values) -> Result<Safe<usize>> {
        Ok(Safe(*number))
    }

    /// The number of an instruction, in a column.
    #[askama::filter_fn]
    pub fn place(number: &usize, _: &dyn Values) -> Result<Safe<String>> {
        Ok(Safe(format!("{number:5}")))
    }

    #[askama::filter_fn]
    pub fn decimal(number: &u32, _: &dyn Values) -> Result<Safe<u32>> {
        Ok(Safe(*number))
    }

    #[askama::filter_fn]
    pub fn hex(number: &u32, _: &dyn Values) -> Result<Safe<String>> {
        Ok(Safe(format!("{number:#x}")))
    }

    #[askama::filter_fn]
    pub fn opcode(number: &u16, _: &dyn Values) -> Result<Safe<String>> {
        Ok(Safe(format!("{number:#x}")))
    }

    /// The name of an error number, or the number.
    #[askama::filter_fn]
    pub fn errno(number: &u16, _: &dyn Values) -> Result<Safe<String>> {
        Ok(Safe(canc_dsl::tables::errno_name(*number).map_or_else(|| number.to_string(), str::to_owned)))
    }
}
