"""What a run is made of: as a visitor set it, and as the parts of a link, so that it can be made again on another server, after
a restart, by somebody else.

    run.prompt  run.model  run.rule  run.set.NAME  run.generated  run.block  run.temperature  run.seed  run.stop  run.suppress
    run.canvas=61-345-3f7a1c2e_62-88-3f800000

A run is decided by its first canvas, its rule and its sampling. The canvas is the prompt's and what was written on it before
the first step: fixed tokens, and for a branch all that its parent had written, each as position, token id and the bits of its
confidence (float32, hexadecimal), since DAWN reads how sure the model was of an anchor. The same parts give the same steps on
the same model; another processor may round differently.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass

from dawn.decode import Options
from dawn.errors import DawnError
from dawn.rules import Rule, make_rule, rule_specs
from dawn.run import Written, written_on
from dawn.settings import Choice, Spec, Whole
from viz.payload import Facts

PREFIX, SETTING = "run.", "set."
WRITTEN = re.compile(r"(\d{1,6})-(\d{1,7})-([0-9a-f]{8})")
LONGEST_NUMBER = 40  # characters
MOST_WRITTEN = 10_000  # positions


@dataclass(frozen=True, slots=True)
class Request:
    """What a visitor set on the page, or a link tells. settings: the rule's own; written: see `dawn.run.start`."""

    prompt: str
    model: str
    rule: str
    generated: int
    block_length: int
    temperature: float
    seed: int
    settings: dict
    stop_at_end: bool = True
    suppress_end: bool = False
    fixed: str = ""
    written: tuple[Written, ...] = ()

    @property
    def options(self) -> Options:
        ends = {"stop_at_end": bool(self.stop_at_end), "suppress_end": bool(self.suppress_end)}
        return Options(self.temperature, self.seed, **ends)

    def make_rule(self) -> Rule:
        return make_rule(self.rule, self.settings)


def parts_of(prompt: str, facts: Facts) -> dict[str, str]:
    """The parts of a link that make a run again."""
    setup, canvas = facts.setup, facts.canvas
    parts = {
        "prompt": prompt,
        "model": setup.model,
        "rule": setup.rule,
        "generated": canvas.length - canvas.prompt_length,
        "block": canvas.block_length,
        "temperature": setup.temperature,
        "seed": setup.seed,
        "stop": int(bool(setup.end_ids)),
        "suppress": int(setup.suppress_end),
        "canvas": "_".join(bits(*one) for one in written_on(prompt, canvas)),
        **{SETTING + name: value for name, value in setup.settings.items()},
    }
    return {PREFIX + name: str(value) for name, value in parts.items() if value != ""}


def bits(position: int, token: int, sure: float) -> str:
    """One written token, as a link says it."""
    return f"{position}-{token}-{struct.pack('>f', sure).hex()}"


def request_of(parts: Mapping[str, str]) -> Request | None:
    """The run that a link tells; None if it tells none, DawnError for what cannot be read. The values are checked where the
    run is begun, as those of the page are."""
    if PREFIX + "prompt" not in parts:
        return None
    told = {name.removeprefix(PREFIX): text for name, text in parts.items() if name.startswith(PREFIX)}
    lacking = [name for name in ("model", "rule", "generated", "block") if name not in told]
    if lacking:
        raise DawnError(f"it lacks {', '.join(PREFIX + name for name in lacking)}")
    rule, settings = told["rule"], settings_in(told, told["rule"])
    lengths = (number(told, "generated", int), number(told, "block", int))
    sampling = (number(told, "temperature", float, "0"), number(told, "seed", int, "0"))
    ends = (told.get("stop", "1") != "0", told.get("suppress", "0") != "0")
    more = (settings, *ends, "", written(told.get("canvas", "")))
    return Request(told["prompt"], told["model"], rule, *lengths, *sampling, *more)


def settings_in(parts: Mapping[str, str], rule: str) -> dict:
    """The settings of a rule among parts `set.NAME`; DawnError for an unknown rule. What is no number stays text, and a name
    that the rule does not know stays too: the rule refuses both by name."""
    known = rule_specs(rule)
    named = {name.removeprefix(SETTING): text for name, text in parts.items() if name.startswith(SETTING)}
    return {name: setting(text, known.get(name)) for name, text in named.items()}


def setting(text: str, spec: Spec | None) -> object:
    """A setting's value from its text."""
    if spec is None or isinstance(spec, Choice):
        return text
    try:
        return (int if isinstance(spec, Whole) else float)(text[:LONGEST_NUMBER])
    except ValueError:
        return text


def number(parts: Mapping[str, str], name: str, kind: type, otherwise: str = "") -> float:
    """A number of a link; DawnError if it is none."""
    text = parts.get(name, otherwise)
    try:
        return kind(text[:LONGEST_NUMBER])
    except ValueError:
        raise DawnError(f"run.{name} is {text!r:.40}, which is no number") from None


def written(text: str) -> tuple[Written, ...]:
    """What a link says of the first canvas; DawnError for what is none."""
    items = text.split("_", MOST_WRITTEN) if text else []
    return tuple(one_written(item) for item in items)


def one_written(item: str) -> Written:
    match = WRITTEN.fullmatch(item)
    sure = struct.unpack(">f", bytes.fromhex(match[3]))[0] if match else -1.0
    if not 0.0 <= sure <= 1.0:
        raise DawnError(f"run.canvas holds {item!r:.40}, which is no position, token and confidence")
    return int(match[1]), int(match[2]), sure
