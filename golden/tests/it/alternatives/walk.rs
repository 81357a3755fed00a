//! A rule, or a file, to the names of the alternatives that it uses: every struct is taken apart whole.

use super::*;

/// The alternatives that a rule uses.
pub fn of_rule(rule: &Rule) -> Names {
    let Rule { id, prefer, deny, audit, body: of, because } = rule;
    let effect = if *deny { "deny" } else { "allow" };
    let mut walk = Walk::default();
    walk.add(format!("{effect} {}", body(of)));
    walk.clause("@id", id.is_some());
    walk.clause("@prefer", *prefer);
    walk.clause("audit", *audit);
    walk.clause("because", because.is_some());
    walk.body(of);
    walk.values(because);
    walk.0
}

/// The alternatives that a file uses beside those of its rules, and each rule with its statement.
pub fn of_file(file: &File) -> (Names, Vec<&Statement>) {
    let File { id: _, items, comments: _ } = file;
    let mut walk = Walk::default();
    let mut rules = Vec::new();
    for one in items {
        walk.add(item(one));
        match one {
            Item::Edition(_) => {}
            Item::Use(used) => walk.values(&Some(used.path.clone())),
            Item::Let(named) => walk.values(&named.value),
            Item::Param(param) => walk.param(param),
            Item::Fragment(block) | Item::Policy(block) => {
                block.params.iter().flatten().for_each(|p| walk.param(p));
                walk.statements(&block.body, &mut rules);
            }
            Item::Instance(instance) => walk.call(&instance.template),
            Item::Test(test) => walk.test(test),
        }
    }
    (walk.0, rules)
}

#[derive(Default)]
struct Walk(Names);

impl Walk {
    fn add(&mut self, name: String) {
        self.0.insert(name);
    }

    fn clause(&mut self, name: &str, there: bool) {
        assert!(OF_CLAUSES.contains(&name), "{name}");
        if there {
            self.add(name.to_owned());
        }
    }

    fn values<'e>(&mut self, list: impl IntoIterator<Item = &'e Expr>) {
        for one in list {
            self.add(value(&one.kind));
            if let ExprKind::List(inner) = &one.kind {
                self.values(inner);
            }
        }
    }

    fn param(&mut self, param: &Param) {
        let Param { name: _, kind, default } = param;
        kind.iter().for_each(|k| self.add(param_kind(k)));
        self.clause("default of a parameter", default.is_some());
        self.values(default);
    }

    fn call(&mut self, call: &Call) {
        self.clause("arguments", !call.args.is_empty());
        self.values(&call.args);
    }

    fn statements<'a>(&mut self, list: &'a [Statement], rules: &mut Vec<&'a Statement>) {
        for one in list {
            self.add(statement(&one.kind));
            self.statement(one, rules);
        }
    }

    fn statement<'a>(&mut self, one: &'a Statement, rules: &mut Vec<&'a Statement>) {
        match &one.kind {
            StatementKind::Rule(_) => rules.push(one),
            StatementKind::Exec(paths) | StatementKind::Attach(paths) => self.values(paths),
            StatementKind::Launch(who) => who.iter().for_each(|w| self.add(launcher(w))),
            StatementKind::Backend { targets, demand: what } => {
                self.clause("one of several back ends", targets.len() > 1);
                targets.iter().for_each(|t| self.add(format!("backend {}", t.word())));
                self.add(demand(what));
            }
            StatementKind::Mode(what) => self.add(mode(what)),
            StatementKind::Include(calls) => calls.iter().for_each(|c| self.call(c)),
            StatementKind::Tolerate { classes, because } => {
                classes.iter().for_each(|(class, _)| self.add(format!("tolerate {}", class.word())));
                self.values([because]);
            }
            StatementKind::When(when) => self.when(when, rules),
            StatementKind::Raw { target, text, because } => {
                self.add(format!("raw {}", target.word()));
                self.values([text, because]);
            }
            StatementKind::Limit { kind, value, prefer } => {
                self.add(limit(kind));
                self.values([value]);
                self.clause("limit prefer", *prefer);
            }
            StatementKind::Isolate(kinds) => {
                kinds.iter().for_each(|k| self.add(format!("isolate {}", k.word())));
            }
            StatementKind::EnvSet { name: _, value } => self.values([value]),
            StatementKind::EnvKeep(values) | StatementKind::KeepDescriptors(values) => self.values(values),
            StatementKind::NoNewPrivsOff(because) => self.values([because]),
            StatementKind::SyscallDefault(what) => self.add(action(what)),
            StatementKind::SeparateInstances
            | StatementKind::EnvClear
            | StatementKind::KeepActivation
            | StatementKind::SyscallInferOff
            | StatementKind::Broken(_) => {}
        }
    }

    fn when<'a>(&mut self, when: &'a When, rules: &mut Vec<&'a Statement>) {
        let When { condition, then, otherwise } = when;
        self.when_condition(condition);
        self.clause("else", !otherwise.is_empty());
        self.statements(then, rules);
        self.statements(otherwise, rules);
    }

    fn when_condition(&mut self, condition: &WhenCondition) {
        self.add(when(condition));
        match condition {
            WhenCondition::All(list) | WhenCondition::Any(list) => {
                list.iter().for_each(|c| self.when_condition(c));
            }
            WhenCondition::Not(one) => self.when_condition(one),
            WhenCondition::ApparmorAbi(how, _) => self.add(compare(how)),
            WhenCondition::Arch(_) | WhenCondition::SelinuxBase(_) | WhenCondition::Param(_) => {}
        }
    }

    fn body(&mut self, of: &Body) {
        match of {
            Body::File(file) => self.file(file),
            Body::Net(net) => self.net(net),
            Body::Unix(unix) => self.unix(unix),
            Body::Socket(kinds) => kinds.iter().for_each(|k| self.add(socket(k))),
            Body::Capability { bits: _, in_userns } => self.clause("in userns", *in_userns),
            Body::Syscall(calls) => self.syscall(calls),
            Body::UsernsCreate => {}
            Body::Namespace(kinds) => {
                kinds.iter().for_each(|k| self.add(format!("namespace {}", k.word())));
            }
            Body::Signal(signal) => self.signal(signal),
            Body::Ptrace { modes, peer: with } => {
                modes.iter().for_each(|m| self.add(format!("ptrace {}", m.word())));
                self.add(peer(with));
            }
            Body::Mount(what) => self.mount(what),
            Body::IoUring(uses) => self.io_uring(*uses),
            Body::Mqueue { ops, names } => {
                ops.iter().for_each(|op| self.add(format!("mqueue {}", op.word())));
                self.values(names);
            }
            Body::Facility(which) => self.add(facility(which)),
        }
    }

    fn file(&mut self, file: &FileBody) {
        let FileBody { ops, words: _, owner, paths, except, label, run } = file;
        ops.iter().for_each(|op| self.add(format!("access {}", op.word())));
        self.clause("owner", *owner);
        self.values(paths.iter().chain(except));
        self.clause("except of files", !except.is_empty());
        self.clause("as label", label.is_some());
        self.clause("takeover", label.as_ref().is_some_and(|l| l.takeover));
        run.iter().for_each(|to| self.add(run_target(to)));
    }

    fn net(&mut self, net: &NetBody) {
        let NetBody { ops, protocol, addresses, ports, except } = net;
        ops.iter().for_each(|(op, _)| self.add(format!("{} {}", op.word(), protocol.0.word())));
        self.clause("address", addresses.is_some());
        self.clause("port", ports.is_some());
        self.clause("except of ports and addresses", !except.is_empty());
        self.values(addresses.iter().flatten().chain(ports.iter().flatten()).chain(except));
    }

    fn unix(&mut self, unix: &UnixBody) {
        let UnixBody { listen, types, names, except, peer: with } = unix;
        self.clause("listen unix", *listen);
        self.clause("connect unix", !listen);
        types.iter().for_each(|t| self.add(format!("unix {}", t.word())));
        self.values(names.iter().chain(except));
        self.clause("except of sockets", !except.is_empty());
        self.clause("to peer", with.is_some());
        with.iter().for_each(|p| self.add(peer(p)));
    }

    fn syscall(&mut self, calls: &SyscallBody) {
        let SyscallBody { calls, except, condition, arches, action: with } = calls;
        self.values(calls.iter().chain(except));
        self.clause("except of calls", !except.is_empty());
        self.clause("where", condition.is_some());
        self.clause("on architectures", arches.is_some());
        self.clause("with", with.is_some());
        condition.iter().for_each(|c| self.condition(c));
        with.iter().for_each(|(a, _)| self.add(action(a)));
    }

    fn condition(&mut self, one: &Condition) {
        self.add(condition(one));
        match one {
            Condition::All(list) | Condition::Any(list) => list.iter().for_each(|c| self.condition(c)),
            Condition::Not(inner) => self.condition(inner),
            Condition::Test { arg: _, mask, op, values, negated, span: _ } => {
                self.clause("& mask", mask.is_some());
                self.clause("in a set", values.len() > 1 && !negated);
                self.clause("not in a set", *negated);
                self.add(compare(op));
                mask.iter().flatten().chain(values.iter().flatten()).for_each(|o| self.add(operand(o)));
            }
        }
    }

    fn signal(&mut self, signal: &SignalBody) {
        let SignalBody { send, signals, peers } = signal;
        self.clause("signal send", *send);
        self.clause("signal receive", !send);
        self.clause("all signals", signals.count_ones() >= 64);
        self.clause("to or from peers", !peers.is_empty());
        peers.iter().for_each(|p| self.add(peer(p)));
    }

    fn mount(&mut self, what: &MountBody) {
        self.add(mount(what));
        match what {
            MountBody::New { types: _, source, target, options } => {
                self.clause("mount from", source.is_some());
                self.clause("mount options", options.is_some());
                self.values(source.iter().chain(target));
                options.iter().flat_map(|o| o.iter()).for_each(|f| self.add(format!("option {}", f.word())));
            }
            MountBody::Remount { options, bind: _, target } => {
                self.values(target);
                options.iter().flat_map(|o| o.iter()).for_each(|f| self.add(format!("option {}", f.word())));
            }
            MountBody::Bind { recursive: _, source, target } | MountBody::Move { source, target } => {
                self.values(source.iter().chain(target));
            }
            MountBody::Make { propagation: how, target } => {
                self.add(propagation(how));
                self.values(target);
            }
            MountBody::Unmount(target) => self.values(target),
            MountBody::PivotRoot { old, new } => self.values(old.iter().chain(new)),
        }
    }

    fn io_uring(&mut self, uses: IoUringUses) {
        uses.iter()
            .filter(|u| *u != IoUringUse::Rings)
            .for_each(|u| self.add(format!("io_uring {}", u.word())));
    }

    fn test(&mut self, test: &Test) {
        let Test { title, assertions } = test;
        self.values([title]);
        for Assertion { policy: _, claim: what, on, span: _ } in assertions {
            self.add(claim(what));
            self.clause("on deployments", !on.is_empty());
            on.iter().for_each(|d| self.add(format!("on {}", d.word())));
            match what {
                Claim::Allows(request) | Claim::Denies(request, _) | Claim::Never(request) => {
                    let Request { body: of, who: by, span: _ } = request;
                    self.add(who(by));
                    self.body(of);
                }
                Claim::LosesNothing(target, class) => {
                    self.add(format!("loses nothing on {}", target.word()));
                    class.iter().for_each(|c| self.add(format!("for {}", c.word())));
                }
                Claim::Reaches { .. } => {}
            }
        }
    }
}
