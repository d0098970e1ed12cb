"""The decision rules by name. A rule is one file of this folder, found by being there (docs/add-a-rule.md); `make_rule` builds
one from plain settings, `settings_of` takes it apart.

The classes are attributes of this package as well: `from dawn.rules import Confidence`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from importlib import import_module
from pkgutil import iter_modules

from dawn.errors import RuleError
from dawn.rules.base import Moment, Rule
from dawn.rules.dawn import Dawn
from dawn.settings import Spec, specs
from dawn.thresholds import PRESETS, Thresholds, preset_of


def classes() -> Iterator[type]:
    """Every class with a rule's name, each in the file that defines it."""
    for one in iter_modules(__path__, __name__ + "."):
        module = import_module(one.name)
        yield from (
            found
            for found in vars(module).values()
            if isinstance(found, type) and found.__module__ == module.__name__ and "name" in vars(found)
        )


def by_name(found: Iterator[type]) -> dict[str, type]:
    """DAWN first, the other rules in the order of their names, DAWN's controls last; RuleError for a name that is taken."""
    rules: dict[str, type] = {}
    for rule in sorted(found, key=lambda rule: (rule is not Dawn, issubclass(rule, Dawn), rule.name)):
        other = rules.setdefault(rule.name, rule)
        if other is not rule:
            raise RuleError(f"{other.__module__} and {rule.__module__} both have a rule {rule.name!r}: rename one")
    return rules


RULES = by_name(classes())
globals().update({rule.__name__: rule for rule in RULES.values()})


def rule_specs(name: object) -> dict[str, Spec]:
    """The settings a rule takes, by name, or RuleError for an unknown rule."""
    if not (isinstance(name, str) and name in RULES):
        raise RuleError(f"unknown rule {name!r:.40}: known are {', '.join(RULES)}")
    rule = RULES[name]
    return (specs(Thresholds) if issubclass(rule, Dawn) else {}) | specs(rule)


def make_rule(name: str, settings: dict) -> Rule:
    """A rule from its name and settings; settings left out take the rule's defaults, unknown ones are refused."""
    known = rule_specs(name)
    unknown = sorted(set(settings) - set(known))
    if unknown:
        shown = ascii(unknown[0])[1:-1][:40]  # it may come from a file: nothing that a terminal would obey
        raise RuleError(f"rule {name} has no setting {shown}: it takes {', '.join(known)}")
    rule = RULES[name]
    if not issubclass(rule, Dawn):
        return rule(**settings)
    own = {key: settings[key] for key in settings if key in specs(rule)}
    return rule(Thresholds(**{key: settings[key] for key in settings if key not in own}), **own)


def settings_of(rule: Rule) -> dict:
    """The plain settings with which `make_rule(rule.name, …)` gives the rule again."""
    own = {name: getattr(rule, name) for name in specs(type(rule))}
    return asdict(rule.thresholds) | own if isinstance(rule, Dawn) else own


def standard_settings(name: str, model: str) -> dict:
    """The thresholds that a model has of its own for DAWN and its controls; none for other rules and models."""
    rule_specs(name)
    preset = preset_of(model) if issubclass(RULES[name], Dawn) else None
    return asdict(PRESETS[preset]) if preset else {}


def standard_rule(name: str, model: str, given: dict | None = None) -> Rule:
    """A rule whose settings are those given, then those of the model called `model`, then the rule's defaults."""
    own, given = standard_settings(name, model), given or {}
    if own and given.get("sink_mode", own["sink_mode"]) != own["sink_mode"]:
        del own["sink"]  # a level of the other mode means nothing here
    return make_rule(name, own | given)


def rule_help(name: str) -> str:
    """What a rule does, in a sentence or two."""
    return " ".join(RULES[name].__doc__.split())


__all__ = [
    "RULES",
    "Dawn",
    "Moment",
    "Rule",
    "make_rule",
    "rule_help",
    "rule_specs",
    "settings_of",
    "standard_rule",
    "standard_settings",
]
