//! Conditions on arguments, for one system call at a time: names to numbers, and values as the kernel sees them.

use super::Checker;
use crate::ast::{self, Name, Operand};
use crate::codes;
use crate::policy::{ArgTest, Compare, Condition, Width};
use crate::resolve::{AtomKind, Found, LetValue, Scope, Value};
use crate::source::Span;
use canc_sets::syscalls::{self, Arch, ArgKind};

/// An argument of the call at hand.
#[derive(Clone, Copy)]
struct Argument {
    number: u8,
    width: Width,
}

/// A value of a condition.
#[derive(Clone, Copy)]
struct Number {
    value: u64,
    span: Span,
}

/// Which call on which architecture a condition is understood for.
#[derive(Clone, Copy)]
struct On<'c> {
    call: &'c str,
    arch: Arch,
}

impl Checker<'_, '_> {
    /// A condition for one call. Where architectures differ in a constant or in the order of arguments, each has its own part.
    pub(super) fn condition(
        &mut self,
        condition: &ast::Condition,
        call: &str,
        arches: &[Arch],
        scope: &Scope,
    ) -> Option<Condition> {
        let mut parts: Vec<(Condition, Vec<Arch>)> = Vec::new();
        // A call that none of these has is understood all the same: its rule says nothing, but its mistakes are mistakes.
        let having: Vec<Arch> =
            arches.iter().copied().filter(|a| syscalls::number(*a, call).is_some()).collect();
        for arch in if having.is_empty() { &Arch::DEFAULT } else { having.as_slice() } {
            let own = self.condition_on(condition, On { call, arch: *arch }, scope)?;
            match parts.iter_mut().find(|p| p.0 == own) {
                Some((_, arches)) => arches.push(*arch),
                None => parts.push((own, vec![*arch])),
            }
        }
        if parts.len() <= 1 {
            return parts.pop().map(|p| p.0);
        }
        let any = parts.into_iter().map(|(own, arches)| Condition::All(vec![Condition::Arch(arches), own]));
        Some(Condition::Any(any.collect()))
    }

    fn condition_on(&mut self, condition: &ast::Condition, on: On<'_>, scope: &Scope) -> Option<Condition> {
        Some(match condition {
            ast::Condition::All(parts) => Condition::All(self.conditions(parts, on, scope)?),
            ast::Condition::Any(parts) => Condition::Any(self.conditions(parts, on, scope)?),
            ast::Condition::Not(inner) => Condition::Not(Box::new(self.condition_on(inner, on, scope)?)),
            ast::Condition::Test { arg, mask, op, values, negated, span } => {
                let argument = self.argument(arg, on)?;
                let mask = match mask {
                    Some(mask) => Some(self.number(mask, on.arch, scope)?),
                    None => None,
                };
                let test = self.comparison(argument, mask, *op, values, on.arch, scope, *span)?;
                if *negated { Condition::Not(Box::new(test)) } else { test }
            }
        })
    }

    fn conditions(&mut self, parts: &[ast::Condition], on: On<'_>, scope: &Scope) -> Option<Vec<Condition>> {
        // Every part is looked at, so that each mistake is reported.
        let parts: Vec<_> = parts.iter().map(|p| self.condition_on(p, on, scope)).collect();
        parts.into_iter().collect()
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one comparison")]
    fn comparison(
        &mut self,
        argument: Argument,
        mask: Option<Number>,
        op: Compare,
        values: &[Vec<Operand>],
        arch: Arch,
        scope: &Scope,
        span: Span,
    ) -> Option<Condition> {
        if mask.is_some() && !matches!(op, Compare::Eq | Compare::Ne) {
            let help = "compare what is left of the `&` with `==` or `!=`";
            self.fail(codes::MASK_ORDER, span, "`&` goes with `==` and `!=` alone", "this comparison", help);
            return None;
        }
        let all_ones =
            if matches!(argument.width, Width::U32 | Width::I32) { u64::from(u32::MAX) } else { u64::MAX };
        let bits = match mask {
            Some(mask) => self.fitting(mask, argument.width)? & all_ones,
            None => u64::MAX,
        };
        let mut tests = Vec::with_capacity(values.len());
        for value in values {
            for number in self.numbers(value, arch, scope)? {
                let value = self.fitting(number, argument.width)?;
                if bits != u64::MAX && value & all_ones & !bits != 0 {
                    let help = "the value has bits that the `&` takes away, so they are never equal";
                    self.fail(
                        codes::VALUE_OUT_OF_MASK,
                        number.span,
                        "the comparison is always the same",
                        "here",
                        help,
                    );
                    return None;
                }
                tests.push(Condition::Test(ArgTest {
                    arg: argument.number,
                    width: argument.width,
                    mask: bits,
                    op,
                    value,
                }));
            }
        }
        Some(if tests.len() == 1 { tests.remove(0) } else { Condition::Any(tests) })
    }

    /// The argument that a name or `argN` means for a call.
    fn argument(&mut self, name: &Name, on: On<'_>) -> Option<Argument> {
        let call = on.call;
        // Rules count arguments as x86_64 has them, whatever their order elsewhere: back ends find them again by their names.
        let (usual, args) = (syscalls::args(call), syscalls::args_on(on.arch, call));
        let by_number = name.text.strip_prefix("arg").and_then(|n| n.parse::<usize>().ok());
        let numbered = by_number.and_then(|n| {
            let own = usual.get(n).and_then(|u| args.iter().position(|a| a.name == u.name));
            own.or(Some(n).filter(|n| *n < args.len()))
        });
        let place = args.iter().position(|a| *a.name == *name.text).or(numbered);
        let Some((place, arg)) = place.and_then(|p| args.get(p).map(|a| (p, a))) else {
            let message = format!("`{call}` has no argument `{}`", crate::parse::shorten(&name.text));
            let near = crate::suggest::nearest(&name.text, args.iter().map(|a| a.name));
            let help = match (near, args.is_empty()) {
                (Some(near), _) => format!("did you mean `{near}`?"),
                (None, true) => format!("`{call}` takes no argument"),
                (None, false) => {
                    let names: Vec<&str> = args.iter().map(|a| a.name).collect();
                    format!("its arguments are `{}`, also called `arg0` and so on", names.join("`, `"))
                }
            };
            self.fail(codes::UNKNOWN_ARGUMENT, name.span, message, "not known", help);
            return None;
        };
        let width = match arg.kind {
            ArgKind::U16 => Width::U16,
            ArgKind::I32 => Width::I32,
            ArgKind::U32 => Width::U32,
            ArgKind::I64 => Width::I64,
            ArgKind::U64 => Width::U64,
            ArgKind::Pointer => {
                let message = format!("argument `{}` of `{call}` is a pointer", name.text);
                let help = "a filter sees the address and never what is there; restrict the path or the flags instead";
                self.fail(codes::POINTER_ARGUMENT, name.span, message, "cannot be compared", help);
                return None;
            }
        };
        let number = usual.iter().position(|u| u.name == arg.name).unwrap_or(place);
        Some(Argument { number: u8::try_from(number).unwrap_or(u8::MAX), width })
    }

    /// The values that an operand stands for: several for the name of a set.
    fn numbers(&mut self, operands: &[Operand], arch: Arch, scope: &Scope) -> Option<Vec<Number>> {
        if let [Operand::Name(span)] = operands
            && let Found::Let(LetValue::Atoms { atoms, set: true }) = self.world.find(self.text(*span), scope)
        {
            let numbers: Option<Vec<Number>> = atoms
                .iter()
                .map(|a| match a.kind {
                    AtomKind::Int(value, ast::Unit::None) => Some(Number { value, span: *span }),
                    _ => None,
                })
                .collect();
            if numbers.is_none() {
                self.not_a_number(*span);
            }
            return numbers;
        }
        Some(vec![self.number(operands, arch, scope)?])
    }

    fn not_a_number(&mut self, span: Span) {
        let help = "use a number, a constant such as `AF_INET`, or a `let` of numbers";
        self.fail(codes::WRONG_KIND, span, "expected a number", "something else", help);
    }

    /// One value: operands joined by `|`.
    fn number(&mut self, operands: &[Operand], arch: Arch, scope: &Scope) -> Option<Number> {
        let mut out: Option<Number> = None;
        for operand in operands {
            let number = match operand {
                Operand::Int { value, span } => Number { value: *value, span: *span },
                Operand::Name(span) => Number { value: self.constant(*span, arch, scope)?, span: *span },
            };
            out = Some(match out {
                None => number,
                Some(before) => {
                    Number { value: before.value | number.value, span: before.span.to(number.span) }
                }
            });
        }
        out
    }

    fn constant(&mut self, span: Span, arch: Arch, scope: &Scope) -> Option<u64> {
        let name = self.text(span);
        match self.world.find(name, scope) {
            Found::Param(Value::Int(value)) => return Some(*value),
            Found::Param(Value::Port(port)) => return Some(u64::from(*port)),
            Found::Let(LetValue::Atoms { atoms, set: false }) => {
                if let Some(AtomKind::Int(value, ast::Unit::None)) = atoms.first().map(|a| &a.kind) {
                    return Some(*value);
                }
                self.not_a_number(span);
                return None;
            }
            Found::Param(Value::Unknown) | Found::Let(LetValue::Unknown) | Found::Lost => return None,
            Found::Param(_) | Found::Let(_) => {
                self.not_a_number(span);
                return None;
            }
            Found::Nothing => {}
        }
        if let Some(value) = syscalls::constant_on(arch, name) {
            return Some(value);
        }
        let elsewhere = Arch::ALL.iter().any(|a| syscalls::constant_on(*a, name).is_some());
        let (message, help) = if elsewhere {
            let message = format!("`{name}` has no value on {}", arch.word());
            (message, "name the architectures that have it with `on`, or write the number".into())
        } else {
            let help = match crate::suggest::nearest_of_many(name, syscalls::constants()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => {
                    "constants are named as in the manual pages; write the number if it is not known".into()
                }
            };
            (format!("unknown constant `{}`", crate::parse::shorten(name)), help)
        };
        self.fail(codes::UNKNOWN_CONSTANT, span, message, "not known", help);
        None
    }

    /// The value in the argument's width; an error where the kernel would cut it.
    fn fitting(&mut self, number: Number, width: Width) -> Option<u64> {
        let seen = seen(width);
        // Negative numbers, and constants such as AT_FDCWD that are negative ones written with 64 bits.
        let negative = number.value | seen >> 1 == u64::MAX;
        if number.value <= seen || negative && width != Width::U16 {
            return Some(number.value);
        }
        let help = "write a value that fits into the bits that the kernel looks at";
        let message = format!("the kernel looks at {} bits of this argument", seen.count_ones());
        self.fail(codes::VALUE_TOO_WIDE, number.span, message, "this value has more", help);
        None
    }
}

/// The bits that the kernel looks at.
fn seen(width: Width) -> u64 {
    match width {
        Width::U16 => u64::from(u16::MAX),
        Width::U32 | Width::I32 => u64::from(u32::MAX),
        Width::U64 | Width::I64 => u64::MAX,
    }
}
