"""query.py POLICY QUESTION TYPE: prints the answer as one line of JSON."""

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


def transitions(policy, source):
    query = setools.TERuleQuery(policy, ruletype=["type_transition"], source=source, source_indirect=False)
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
    file, question, name = sys.argv[1:]
    policy = setools.SELinuxPolicy(file)
    policy.lookup_type(name)
    answers = {
        "access": lambda: list(access(policy, name)),
        "rules": lambda: [as_rule(r) for r in rules(policy, source=name, source_indirect=True)],
        "rules-to": lambda: [as_rule(r) for r in rules(policy, target=name, target_indirect=True)],
        "transitions": lambda: list(transitions(policy, name)),
        "attributes": lambda: sorted(str(a) for a in policy.lookup_type(name).attributes()),
    }
    json.dump(answers[question](), sys.stdout)


main()
