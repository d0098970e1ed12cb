"""The decision rules by name. A rule is one file; `make_rule` builds one from plain settings, `settings_of` takes it apart."""

from __future__ import annotations

from dataclasses import asdict

from dawn.errors import RuleError
from dawn.rules.base import Moment, Rule
from dawn.rules.confidence import Confidence
from dawn.rules.dapd import Dapd
from dawn.rules.dawn import Dawn
from dawn.rules.dawn_no_anchors import DawnNoAnchors
from dawn.rules.dawn_no_conflicts import DawnNoConflicts
from dawn.rules.dawn_no_sink_filter import DawnNoSinkFilter
from dawn.rules.dawn_random_graph import DawnRandomGraph
from dawn.rules.eb import EntropyBounded
from dawn.rules.entropy import Entropy
from dawn.rules.factor import Factor
from dawn.rules.klass import Klass
from dawn.rules.localleap import LocalLeap
from dawn.rules.margin import Margin
from dawn.rules.original import Original
from dawn.rules.random import Random
from dawn.settings import Spec, specs
from dawn.thresholds import Thresholds

EVERY = (
    *(Dawn, Original, Confidence, Factor, LocalLeap, EntropyBounded, Random, Entropy, Margin, Klass, Dapd),
    *(DawnNoSinkFilter, DawnRandomGraph, DawnNoAnchors, DawnNoConflicts),
)
RULES: dict[str, type] = {rule.name: rule for rule in EVERY}


def rule_specs(name: str) -> dict[str, Spec]:
    """The settings a rule takes, by name, or RuleError for an unknown rule."""
    if name not in RULES:
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


def rule_help(name: str) -> str:
    """What a rule does, in a sentence or two."""
    return " ".join(RULES[name].__doc__.split())


__all__ = [
    "RULES",
    "Confidence",
    "Dapd",
    "Dawn",
    "DawnNoAnchors",
    "DawnNoConflicts",
    "DawnNoSinkFilter",
    "DawnRandomGraph",
    "Entropy",
    "EntropyBounded",
    "Factor",
    "Klass",
    "LocalLeap",
    "Margin",
    "Moment",
    "Original",
    "Random",
    "Rule",
    "make_rule",
    "rule_help",
    "rule_specs",
    "settings_of",
]
