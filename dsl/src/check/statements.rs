//! Statements that are no rules, into the policy that is being made.

use super::Checker;
use super::policy::Making;
use crate::ast::{self, Expr, StatementKind, Unit};
use crate::codes;
use crate::diag::Diagnostic;
use crate::policy::{BackendDemand, Class, Launcher, Limit, LimitKind, Raw, Target, Tolerate};
use crate::resolve::{AtomKind, Scope, Step};
use crate::source::Span;
use canc_sets::path::Pattern;
use std::sync::Arc;

/// The largest descriptor that may be kept: the hard limit of descriptors that distributions set.
const MAX_DESCRIPTOR: u64 = 1_048_575;

impl Checker<'_, '_> {
    pub(super) fn statement(&mut self, step: &Step<'_>, making: &mut Making) {
        let (span, scope) = (step.statement.span, &*step.scope);
        match &step.statement.kind {
            StatementKind::Exec(paths) => {
                making.data.exec.extend(self.paths(paths, scope).unwrap_or_default())
            }
            StatementKind::Attach(paths) => self.attach(paths, scope, making),
            StatementKind::Launch(launchers) => self.launch(launchers, span, making),
            StatementKind::Backend { targets, demand } => self.backend(targets, *demand, span, making),
            StatementKind::Mode(mode) => {
                if self.once("mode", span, making) {
                    making.data.mode = *mode;
                }
            }
            StatementKind::Tolerate { classes, because } => self.tolerate(classes, because, scope, making),
            StatementKind::Raw { target, text, because } => self.raw(*target, text, because, step, making),
            StatementKind::Limit { kind, value, prefer } => {
                self.limit(*kind, value, *prefer, scope, span, making);
            }
            StatementKind::Isolate(kinds) => {
                making.data.isolate.extend(kinds);
                making.data.isolate.sort_unstable();
                making.data.isolate.dedup();
            }
            StatementKind::SeparateInstances => making.data.separate_instances = true,
            StatementKind::NoNewPrivsOff(because) => self.no_new_privs_off(because, scope, span, making),
            StatementKind::EnvKeep(names) => {
                let names: Vec<_> = names.iter().filter_map(|n| self.variable(n, scope, true)).collect();
                making.data.env.keep.extend(names);
            }
            StatementKind::EnvSet { name, value } => self.env_set(name, value, scope, making),
            StatementKind::EnvClear => making.data.env.clear = true,
            StatementKind::KeepDescriptors(numbers) => {
                for number in numbers {
                    self.descriptor(number, scope, making);
                }
            }
            StatementKind::KeepActivation => making.data.keep_activation = true,
            StatementKind::SyscallDefault(action) => {
                if self.once("syscall default", span, making) {
                    making.data.syscall_default = Some(*action);
                }
            }
            StatementKind::SyscallInferOff => making.data.syscall_infer = false,
            // Rules are the caller's, `include` and `when` are gone, broken statements were reported.
            StatementKind::Rule(_)
            | StatementKind::Include(_)
            | StatementKind::When(_)
            | StatementKind::Broken(_) => {}
        }
    }

    fn tolerate(&mut self, classes: &[(Class, Span)], because: &Expr, scope: &Scope, making: &mut Making) {
        let Some(because) = self.plain(because, scope) else { return };
        for (class, span) in classes {
            if making.data.tolerate.iter().any(|t| t.class == *class) {
                self.repeated(class.word(), *span);
                continue;
            }
            making.data.tolerate.push(Tolerate { class: *class, because: Arc::clone(&because), span: *span });
        }
    }

    fn no_new_privs_off(&mut self, because: &Expr, scope: &Scope, span: Span, making: &mut Making) {
        making.data.no_new_privs_off = self.plain(because, scope);
        let message = "programs may gain privileges when they are executed";
        self.sink.push(
            Diagnostic::new(codes::NO_NEW_PRIVS_OFF, message)
                .label(span, "and the launch needs privilege itself")
                .help("keep `no_new_privs` on unless the program starts set-user-id ones or user sessions"),
        );
    }

    /// Whether a statement that may stand once stands for the first time.
    fn once(&mut self, word: &'static str, span: Span, making: &mut Making) -> bool {
        if let Some((_, before)) = making.once.iter().find(|o| o.0 == word) {
            self.sink.push(
                Diagnostic::new(codes::REPEATED_STATEMENT, format!("`{word}` stands twice in one policy"))
                    .label(span, "the second one")
                    .label(*before, "the first one")
                    .help("keep one of them"),
            );
            return false;
        }
        making.once.push((word, span));
        true
    }

    fn repeated(&mut self, word: &str, span: Span) {
        self.fail(codes::REPEATED, span, format!("`{word}` stands here twice"), "again", "remove it");
    }

    fn attach(&mut self, exprs: &[Expr], scope: &Scope, making: &mut Making) {
        for path in self.paths(exprs, scope).unwrap_or_default() {
            if let Some(program) = interpreter(&path.pattern) {
                let message = format!("every script that `{program}` runs enters this policy");
                self.sink.push(
                    Diagnostic::new(codes::ATTACH_INTERPRETER, message)
                        .label(path.span, "an interpreter")
                        .help("attach the script, or start it with `canc run` and use `exec`"),
                );
            }
            making.data.exec.push(path.clone());
            making.data.attach.push(path);
        }
    }

    fn launch(&mut self, launchers: &[ast::Launcher], span: Span, making: &mut Making) {
        for launcher in launchers {
            let (launcher, at) = match launcher {
                ast::Launcher::User => (Launcher::User, span),
                ast::Launcher::Systemd => (Launcher::Systemd, span),
                ast::Launcher::Policy(name) if self.known_policy(name) => {
                    (Launcher::Policy(Arc::clone(&name.text)), name.span)
                }
                ast::Launcher::Policy(_) => continue,
            };
            if making.launch.iter().any(|(known, _)| *known == launcher) {
                self.repeated(self.world.sources.text(at), at);
                continue;
            }
            making.launch.push((launcher, at));
        }
    }

    fn backend(
        &mut self,
        targets: &[Target],
        demand: crate::policy::Demand,
        span: Span,
        making: &mut Making,
    ) {
        let same = |b: &&BackendDemand| b.targets.iter().any(|t| targets.contains(t));
        let before =
            making.data.backends.iter().find(same).filter(|b| b.targets.len() == 1 && targets.len() == 1);
        if let Some(before) = before {
            let message =
                format!("two demands on `{}`", self.text(span).split_whitespace().nth(1).unwrap_or_default());
            self.sink.push(
                Diagnostic::new(codes::REPEATED_STATEMENT, message)
                    .label(span, "the second one")
                    .label(before.span, "the first one")
                    .help("keep one of them"),
            );
            return;
        }
        making.data.backends.push(BackendDemand { targets: targets.to_vec(), demand, span });
    }

    fn raw(&mut self, target: Target, text: &Expr, because: &Expr, step: &Step<'_>, making: &mut Making) {
        let span = step.statement.span;
        if !self.world.options.allow_raw || step.scope.unit != 0 {
            let (label, help) = if step.scope.unit == 0 {
                (
                    "not allowed",
                    "give `--allow-raw` if you trust this text; the target's verdicts become `unproved`",
                )
            } else {
                ("in a file that is used", "write it in the file that is named on the command line")
            };
            self.fail(codes::RAW_NOT_ALLOWED, span, "verbatim text is not accepted here", label, help);
            return;
        }
        let text: Option<Arc<str>> = match text.kind {
            ast::ExprKind::Raw => {
                let quoted = self.text(text.span);
                quoted.get(3..quoted.len().saturating_sub(3)).map(Into::into)
            }
            _ => self.plain(text, &step.scope),
        };
        if let (Some(text), Some(because)) = (text, self.plain(because, &step.scope)) {
            making.data.raw.push(Raw { target, text, because, span });
        }
    }

    fn limit(
        &mut self,
        kind: LimitKind,
        value: &Expr,
        prefer: bool,
        scope: &Scope,
        span: Span,
        making: &mut Making,
    ) {
        if let Some(before) = making.data.limits.iter().find(|l| l.kind == kind).map(|l| l.span) {
            self.sink.push(
                Diagnostic::new(codes::REPEATED_STATEMENT, "two limits of one kind")
                    .label(span, "the second one")
                    .label(before, "the first one")
                    .help("keep one of them"),
            );
            return;
        }
        let Some((number, unit)) = self.integer(value, scope) else { return };
        match in_unit(kind, number, unit) {
            Ok(value) => making.data.limits.push(Limit { kind, value, prefer, span }),
            Err(help) => {
                self.fail(codes::BAD_LIMIT, value.span, "not a value for this limit", "here", help);
            }
        }
    }

    /// One integer with its unit.
    fn integer(&mut self, expr: &Expr, scope: &Scope) -> Option<(u64, Unit)> {
        let atoms = self.atoms(std::slice::from_ref(expr), scope);
        match atoms.as_slice() {
            [atom] => match atom.kind {
                AtomKind::Int(value, unit) => Some((value, unit)),
                _ => {
                    self.wrong_kind(atom, expr.span, "a number");
                    None
                }
            },
            [] => None,
            _ => {
                self.fail(
                    codes::WRONG_KIND,
                    expr.span,
                    "expected a number, found a set",
                    "a set",
                    "write one number",
                );
                None
            }
        }
    }

    /// The name of an environment variable; a final `*` matches any rest where `star`.
    fn variable(&mut self, expr: &Expr, scope: &Scope, star: bool) -> Option<Arc<str>> {
        let name: Arc<str> = match expr.kind {
            ast::ExprKind::String => self.plain(expr, scope)?,
            _ => self.text(expr.span).into(),
        };
        let body = if star { name.strip_suffix('*').unwrap_or(&name) } else { &name };
        let good = !body.is_empty()
            && body.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            && !body.starts_with(|c: char| c.is_ascii_digit());
        if !good {
            let help = "write letters, digits and `_`; `env keep` takes a final `*`";
            self.fail(codes::BAD_VARIABLE, expr.span, "not the name of a variable", "here", help);
            return None;
        }
        Some(name)
    }

    fn env_set(&mut self, name: &Expr, value: &Expr, scope: &Scope, making: &mut Making) {
        let (variable, value) = (self.variable(name, scope, false), self.plain(value, scope));
        let (Some(variable), Some(value)) = (variable, value) else { return };
        match making.data.env.set.iter().find(|s| s.0 == variable) {
            Some((_, before)) if *before == value => {}
            Some(_) => {
                let message = format!("`{variable}` is set to two values");
                self.fail(
                    codes::REPEATED_STATEMENT,
                    name.span,
                    message,
                    "the second one",
                    "keep one of them",
                );
            }
            None => making.data.env.set.push((variable, value)),
        }
    }

    fn descriptor(&mut self, expr: &Expr, scope: &Scope, making: &mut Making) {
        match self.integer(expr, scope) {
            Some((number @ 3..=MAX_DESCRIPTOR, Unit::None)) => {
                let number = u32::try_from(number).unwrap_or(u32::MAX);
                if !making.data.keep_descriptors.contains(&number) {
                    making.data.keep_descriptors.push(number);
                }
            }
            Some((0..=2, Unit::None)) => {
                let help = "remove it: standard input, output and error are always kept";
                self.fail(
                    codes::BAD_DESCRIPTOR,
                    expr.span,
                    "descriptors 0 to 2 are kept anyway",
                    "here",
                    help,
                );
            }
            Some(_) => {
                let help = format!("write a number from 3 to {MAX_DESCRIPTOR}");
                self.fail(codes::BAD_DESCRIPTOR, expr.span, "no such descriptor", "here", help);
            }
            None => {}
        }
    }
}

/// The value in the unit of the limit, or what to write.
fn in_unit(kind: LimitKind, number: u64, unit: Unit) -> Result<u64, &'static str> {
    match (kind, unit) {
        (LimitKind::OpenFiles | LimitKind::Processes, Unit::None) => Ok(number),
        (LimitKind::OpenFiles | LimitKind::Processes, _) => Err("write a count, such as `64`"),
        (LimitKind::CpuTime, Unit::None) => Ok(number),
        (LimitKind::CpuTime, Unit::Milliseconds) if number.is_multiple_of(1000) => Ok(number / 1000),
        (LimitKind::CpuTime, _) => Err("write whole seconds, such as `30 s`"),
        (LimitKind::Cpu, Unit::None | Unit::Percent) if number > 0 => Ok(number),
        (LimitKind::Cpu, _) => Err("write the percentage of one processor, such as `50` or `150`"),
        (
            LimitKind::FileSize
            | LimitKind::Core
            | LimitKind::Stack
            | LimitKind::LockedMemory
            | LimitKind::Memory,
            Unit::None | Unit::Bytes,
        ) => Ok(number),
        _ => Err("write a number of bytes, such as `512 MiB`"),
    }
}

/// An interpreter or shell that a pattern matches.
fn interpreter(pattern: &Pattern) -> Option<String> {
    const NAMES: &[&str] = &[
        "sh", "bash", "dash", "ash", "busybox", "zsh", "ksh", "mksh", "csh", "tcsh", "fish", "python",
        "python3", "perl", "ruby", "node", "nodejs", "lua", "php", "java", "tclsh", "wish", "guile", "gawk",
        "awk", "mawk", "env", "deno", "bun",
    ];
    const DIRECTORIES: &[&str] = &["/usr/bin", "/usr/local/bin"];
    let known = || DIRECTORIES.iter().flat_map(|d| NAMES.iter().map(move |n| format!("{d}/{n}")));
    if let Some(path) = known().find(|p| pattern.matches(p)) {
        return Some(path);
    }
    // With a version in its name, or elsewhere.
    let path = pattern.as_literal()?;
    let name = path.rsplit('/').next()?;
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    (NAMES.contains(&stem) || NAMES.contains(&name)).then_some(path)
}
