"""query.py POLICY QUESTION TYPE...: prints the answer as one line of JSON."""

import json
import sys

import setools


def condition(rule):
    try:
        return str(rule.conditional)
    except setools.exception.RuleNotConditional:
        return None


def active(rule):
    """Whether the rule holds with every boolean at its default."""
    try:
        return rule.conditional_block == rule.conditional.evaluate()
    except setools.exception.RuleNotConditional:
        return True


def rules(policy, **criteria):
    return setools.TERuleQuery(policy, ruletype=["allow"], **criteria).results()


def as_rule(rule):
    return {
        "source": str(rule.source),
        "target": str(rule.target),
        "class": str(rule.tclass),
        "perms": sorted(rule.perms),
        "condition": condition(rule),
    }


def targets(rule, domain):
    """`self` stands for the domain; an attribute for all of its types."""
    if str(rule.target) == "self":
        return [domain]
    return [str(target) for target in rule.target.expand()]


def access(policy, domain):
    for rule in rules(policy, source=domain, source_indirect=True):
        if active(rule):
            for target in targets(rule, domain):
                yield {"target": target, "class": str(rule.tclass), "perms": sorted(rule.perms)}


def reach(policy, names):
    """What each type may do, and who may do what to it, in one walk over all rules."""
    asked = set(names)
    known = {}

    def expanded(operand):
        name = str(operand)
        if name not in known:
            known[name] = frozenset(str(member) for member in operand.expand())
        return known[name]

    def add(side, of, other, rule):
        found[of][side].setdefault((other, str(rule.tclass)), set()).update(rule.perms)

    found = {name: {"by": {}, "to": {}} for name in asked}
    for rule in rules(policy):
        if not active(rule):
            continue
        sources = expanded(rule.source)
        itself = str(rule.target) == "self"
        targets = sources if itself else expanded(rule.target)
        for source in sources & asked:
            for target in [source] if itself else targets:
                add("by", source, target, rule)
        for target in targets & asked:
            for source in [target] if itself else sources:
                add("to", target, source, rule)
    made = {name: [] for name in asked}
    for transition in transitions(policy, None):
        if transition["source"] in asked:
            made[transition["source"]].append(transition)
    listed = lambda entries: [
        {"target": key[0], "class": key[1], "perms": sorted(perms)} for key, perms in sorted(entries.items())
    ]
    return {
        name: {"by": listed(sides["by"]), "to": listed(sides["to"]), "transitions": made[name]}
        for name, sides in found.items()
    }


def transitions(policy, source):
    criteria = {"source": source, "source_indirect": False} if source else {}
    query = setools.TERuleQuery(policy, ruletype=["type_transition"], **criteria)
    for rule in query.results():
        try:
            name = rule.filename
        except (setools.exception.TERuleNoFilename, setools.exception.RuleUseError):
            name = None
        yield {
            "source": str(rule.source),
            "target": str(rule.target),
            "class": str(rule.tclass),
            "default": str(rule.default),
            "name": name,
        }


def main():
    file, question, *names = sys.argv[1:]
    policy = setools.SELinuxPolicy(file)
    if question == "members":
        json.dump(sorted(str(t) for t in policy.lookup_typeattr(names[0]).expand()), sys.stdout)
        return
    for name in names:
        policy.lookup_type(name)
    if question == "reach":
        json.dump(reach(policy, names), sys.stdout)
        return
    [name] = names
    answers = {
        "access": lambda: list(access(policy, name)),
        "rules": lambda: [as_rule(r) for r in rules(policy, source=name, source_indirect=True)],
        "rules-to": lambda: [as_rule(r) for r in rules(policy, target=name, target_indirect=True)],
        "transitions": lambda: list(transitions(policy, name)),
        "attributes": lambda: sorted(str(a) for a in policy.lookup_type(name).attributes()),
    }
    json.dump(answers[question](), sys.stdout)


main()
