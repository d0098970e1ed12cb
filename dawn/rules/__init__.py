"""The decision rules by name. A rule is one file; `make_rule` builds one from plain settings, `settings_of` takes it apart."""

from __future__ import annotations

from dataclasses import asdict, fields

from dawn.errors import RuleError
from dawn.rules.base import Moment, Rule
from dawn.rules.confidence import Confidence
from dawn.rules.dawn import Dawn
from dawn.rules.eb import EntropyBounded
from dawn.rules.entropy import Entropy
from dawn.rules.factor import Factor
from dawn.rules.klass import Klass
from dawn.rules.localleap import LocalLeap
from dawn.rules.margin import Margin
from dawn.rules.original import Original
from dawn.rules.random import Random
from dawn.thresholds import THRESHOLD_NAMES, Thresholds

EVERY = (Dawn, Original, Confidence, Factor, LocalLeap, EntropyBounded, Random, Entropy, Margin, Klass)
RULES: dict[str, type] = {rule.name: rule for rule in EVERY}


def setting_names(name: str) -> tuple[str, ...]:
    """The settings a rule takes, or RuleError for an unknown rule."""
    if name not in RULES:
        raise RuleError(f"unknown rule {name!r:.40}: known are {', '.join(RULES)}")
    return THRESHOLD_NAMES if RULES[name] is Dawn else tuple(field.name for field in fields(RULES[name]))


def make_rule(name: str, settings: dict) -> Rule:
    """A rule from its name and settings; settings left out take the rule's defaults, unknown ones are refused."""
    unknown = sorted(set(settings) - set(setting_names(name)))
    if unknown:
        shown = ascii(unknown[0])[1:-1][:40]  # it may come from a file: nothing that a terminal would obey
        raise RuleError(f"rule {name} has no setting {shown}: it takes {', '.join(setting_names(name))}")
    return Dawn(Thresholds(**settings)) if RULES[name] is Dawn else RULES[name](**settings)


def settings_of(rule: Rule) -> dict:
    """The plain settings with which `make_rule(rule.name, …)` gives the rule again."""
    return asdict(rule.thresholds) if isinstance(rule, Dawn) else asdict(rule)


__all__ = [
    "RULES",
    "Confidence",
    "Dawn",
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
    "setting_names",
    "settings_of",
]
