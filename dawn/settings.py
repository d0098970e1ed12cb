"""Settings of rules: what a field takes, what it means, and how a slider shows it. One declaration checks values, makes the
command line's flag and draws the control on the page.

    @dataclass(frozen=True, slots=True)
    class Confidence(Settings):
        high: float = setting(0.9, Number("enough confidence to commit a position"))
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from dawn.errors import ThresholdError


@dataclass(frozen=True, slots=True)
class Number:
    """A finite number from low to high. shown: a slider's ends and step, where the useful range is narrower."""

    help: str
    low: float = 0.0
    high: float = 1.0
    shown: tuple[float, float, float] = (0.0, 1.0, 0.01)

    def check(self, name: str, value: object) -> None:
        require_number(name, value, self.low, self.high)


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number from low to high; shown as for Number."""

    help: str
    low: int
    high: int
    shown: tuple[int, int, int]

    def check(self, name: str, value: object) -> None:
        require_whole(name, value, self.low, self.high)


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words."""

    help: str
    options: tuple[str, ...]

    def check(self, name: str, value: object) -> None:
        require_choice(name, value, self.options)


Spec = Number | Whole | Choice


def setting(default: Any, spec: Spec):
    """A dataclass field with its spec."""
    return field(default=default, metadata={"spec": spec})


def specs(record: type) -> dict[str, Spec]:
    """The settings of a dataclass by name, in order."""
    return {one.name: one.metadata["spec"] for one in fields(record) if "spec" in one.metadata}


class Settings:
    """Base of dataclasses whose fields are settings: each value is checked; ThresholdError names the field."""

    __slots__ = ()

    def __post_init__(self):
        for name, spec in specs(type(self)).items():
            spec.check(name, getattr(self, name))


def require_number(name: str, value: object, low: float, high: float) -> None:
    """Refuse anything but a finite number within [low, high]."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not low <= value <= high:  # a NaN is in no range
        raise ThresholdError(f"{name} must be a number from {low:g} to {high:g}, not {value!r:.40}")


def require_whole(name: str, value: object, low: int, high: int) -> None:
    """Refuse anything but a whole number within [low, high]."""
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise ThresholdError(f"{name} must be a whole number from {low} to {high}, not {value!r:.40}")


def require_choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    """Refuse anything but one of the choices."""
    if value not in choices:
        raise ThresholdError(f"{name} must be one of {', '.join(choices)}, not {value!r:.40}")
