"""What programs ask for, answered: the rules, a run as plain values, a recorded run asked again, trace files. No gradio.

A program is a visitor like any other: the same line, limits, journal and store. A trace that it made has a name that nobody can
guess, and whoever holds the name may ask about the trace. What is wrong with a request is a DawnError.
"""

from __future__ import annotations

import base64
import binascii
import io
from collections.abc import Iterator
from dataclasses import asdict, fields

from dawn.errors import DawnError, LimitError
from dawn.plain import decision_json, trace_json
from dawn.replay import Replayed, replay, replay_all
from dawn.rules import RULES, Rule, make_rule, rule_help, rule_specs, settings_of, standard_rule
from dawn.thresholds import Thresholds
from dawn.trace import UPLOADED, Trace, from_file, to_bytes
from viz import exports
from viz.lab import LONGEST_LABEL, Lab, shortened, whole
from viz.limits import MIB
from viz.link import Request


def told_rules() -> list[dict]:
    """Every rule: name, help, and its settings, each with kind, help, range or options, and default."""
    return [{"name": name, "help": rule_help(name), "settings": told_settings(name)} for name in RULES]


def told_settings(rule: str) -> dict[str, dict]:
    """A rule's settings by name."""
    defaults = {one.name: one.default for record in (Thresholds, RULES[rule]) for one in fields(record)}
    return {
        name: {"kind": type(spec).__name__.lower(), "default": defaults[name], **asdict(spec)}
        for name, spec in rule_specs(rule).items()
    }


def told_models(lab: Lab) -> list[dict]:
    """Every model that may be asked for, and how it stands."""
    return [{"name": name, "state": lab.state(name).words} for name in lab.models]


def request_of(
    lab: Lab, question: object, rule: object, settings: object, model: object, lengths: tuple, more: tuple
) -> Request:
    """What a program asks to run. lengths: generated, of a block; more: temperature, seed, stop_at_end, suppress_end, fixed.
    Settings that are left out are the model's own, then the rule's defaults."""
    text, name, chosen = words(question, "question"), words(rule, "rule"), words(model, "model") or lab.models[0]
    made = standard_rule(name, chosen, named(settings))
    temperature, seed, stop_at_end, suppress_end, fixed = more
    ends = (bool(stop_at_end), bool(suppress_end))
    return Request(text, chosen, name, *lengths, temperature, seed, settings_of(made), *ends, words(fixed, "fixed"))


def words(value: object, name: str) -> str:
    """A text of a request that came from outside."""
    if not isinstance(value, str):
        raise DawnError(f"{name!r} must be a text, not {type(value).__name__}")
    return value


def named(settings: object) -> dict:
    """Settings by name; none if they are left out."""
    if settings is None:
        return {}
    if not isinstance(settings, dict):
        raise DawnError("'settings' must be an object of names and values, such as {\"low\": 0.6}")
    return settings


def decoded(lab: Lab, visitor: str, *asked) -> Iterator[dict]:
    """{"state", "forwards", "tokens"} after each step of a run; at its end what `python -m dawn run --json` prints, the name of
    the trace, and a notice if something ended it early. asked: as for `request_of`."""
    for name, entry in lab.call(request_of(lab, *asked), visitor):
        if entry.finished:
            yield trace_json(entry.finished) | {"trace": name, "notice": entry.notice}
        else:
            taken = sum(len(step.decision.selection.committed) for step in entry.steps)
            yield {"state": "running", "forwards": len(entry.steps), "tokens": taken}


def asked_rule(trace: Trace, rule: object, settings: object) -> Rule:
    """The rule that a recorded run is asked about: the run's own if none is named. Settings left out are the run's own, or what
    another rule would begin with on its model."""
    setup = trace.setup
    name = words(rule, "rule") or setup.rule
    if name != setup.rule:
        return standard_rule(name, setup.model, named(settings))
    return make_rule(name, setup.settings | named(settings))


def asked_again(lab: Lab, trace: object, rule: object, settings: object) -> dict:
    """Every recorded step decided again, each by itself."""
    found = lab.store.get(trace).trace
    chosen = asked_rule(found, rule, settings)
    steps = replay_all(found.steps, chosen)
    taken, judged = sum(len(one.taken) for one in steps), sum(one.judged for one in steps)
    return {
        "rule": chosen.name,
        "settings": settings_of(chosen),
        "tokens_per_step": taken / len(steps),
        "agreement": sum(one.taken_agreeing for one in steps) / judged if judged else None,
        "steps": [replayed_json(one) for one in steps],
    }


def replayed_json(one: Replayed) -> dict:
    """A step decided again, as plain values."""
    return {"index": one.step} | {name: list(getattr(one, name)) for name in ("taken", "added", "dropped", "agreeing")}


def explained(lab: Lab, trace: object, step: object, rule: object, settings: object) -> dict:
    """Every decision about one recorded step, with its reason; of another rule or other settings, if they are named."""
    found, index = lab.store.get(trace).trace, whole(step, "step")
    if index >= len(found.steps):
        raise DawnError(f"the trace has steps 0 to {len(found.steps) - 1}, not {index}")
    record, chosen = found.steps[index], asked_rule(found, rule, settings)
    decision = replay(record, chosen).decision
    graph = {} if decision.graph is None else {"sinks": decision.graph.sinks.tolist(), "edges": len(decision.graph.source)}
    return {"rule": chosen.name, "settings": settings_of(chosen)} | decision_json(found, record, decision.selection) | graph


def file_of(lab: Lab, trace: object) -> dict:
    """A trace as a file: its name, and its bytes in base64."""
    found = lab.store.get(trace).trace
    return {"name": exports.name_of(found, "npz", 0), "file": base64.b64encode(to_bytes(found)).decode("ascii")}


def opened(lab: Lab, file: object, visitor: str) -> dict:
    """The name under which a trace file, given in base64, is kept for this visitor, and what is in it."""
    most = lab.limits.upload_megabytes
    if not isinstance(file, str) or len(file) > most * MIB * 4 // 3 + 4:
        raise LimitError(f"'file' must be a trace file of at most {most} MB, in base64")
    try:
        trace = from_file(io.BytesIO(base64.b64decode(file, validate=True)), UPLOADED)
    except (binascii.Error, ValueError) as error:
        lab.journal.note("upload refused", visitor)
        raise error if isinstance(error, DawnError) else DawnError("'file' is not base64") from None
    lab.journal.note("upload", visitor, positions=trace.canvas.length, forwards=trace.forwards)
    name = lab.store.keep(trace, visitor, "file: " + shortened(trace.prompt, LONGEST_LABEL - 6))
    return {"trace": name, "model": trace.setup.model, "rule": trace.setup.rule, "forwards": trace.forwards}
