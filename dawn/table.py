"""Every rule on the same held-out problems: a file that fills rule by rule, its figures, and the table drawn from them.

The file is JSON: `setting` says which problems and which model, `rules` has for each rule its settings, its figures, and the
outcome of every problem, from which paired intervals follow. Each finished rule is on disk before the next one begins.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from dawn.canvas import Canvas
from dawn.errors import DataError
from dawn.evaluate import BLOCK, GENERATED, Outcome, report
from dawn.prediction import Needs
from dawn.rules import Rule, settings_of
from dawn.run import TextModel

BASELINE = "original"
RESAMPLES = 2000
PROBED = "How many?"
HEADERS = (
    *("rule", "accuracy", "95 % interval", "forward passes", "tokens per forward", "tokens per second"),
    *("speed-up in forwards", "speed-up in time"),
)


@dataclass(frozen=True, slots=True)
class Kind:
    """A sort of file that fills entry by entry: the command that writes it, and the key below which its entries stand."""

    command: str
    entries: str


TABLE = Kind("table", "rules")


@dataclass(frozen=True, slots=True)
class Setting:
    """What a table is about: the first n held-out problems of a seed, and the model; weights: see `probe`."""

    task: str
    seed: int
    n: int
    model: str
    weights: str
    generated: int = GENERATED
    block_length: int = BLOCK


def probe(model: TextModel) -> str:
    """What tells weights apart: a hash of the tokens that the model predicts on a fixed canvas."""
    canvas = Canvas.blank(model.encode(PROBED), GENERATED, GENERATED, model.mask_id)
    tokens = model.predict(canvas, Needs(), 0.0, np.random.default_rng(0)).tokens
    return hashlib.sha256(tokens.tobytes()).hexdigest()[:16]


def fill(path: Path, setting: Setting, rules: list[Rule], run: Callable[[Rule], list[Outcome]]) -> None:
    """Run every rule that the file lacks, the baseline first, and write the file after each."""
    table = begun(path, setting)
    for rule in sorted(rules, key=lambda rule: rule.name != BASELINE):
        done = table["rules"].get(rule.name)
        if done is None or done["settings"] != settings_of(rule):
            table["rules"][rule.name] = {"settings": settings_of(rule), "items": columns(run(rule))}
            write(path, with_figures(table))


def begun(path: Path | None, setting: Setting, kind: Kind = TABLE) -> dict:
    """The table so far; DataError if the file is about something else. No path: a table that is kept nowhere."""
    if path is None or not path.exists():
        return {"setting": asdict(setting), kind.entries: {}}
    table = read(path, kind)
    differing = [name for name, value in asdict(setting).items() if table["setting"].get(name) != value]
    if differing:
        raise DataError(f"{path.name} holds another table (its {differing[0]} differs): give another file, or remove it")
    return table


def read(path: Path, kind: Kind = TABLE) -> dict:
    """A table file; DataError if it is none of this kind."""
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
        items = [column for entry in table[kind.entries].values() for column in entry["items"].values()]
        if all(len(column) == table["setting"]["n"] for column in items):
            return table
    except OSError as error:
        raise DataError(f"cannot read {path.name}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        pass
    raise DataError(f"{path.name} is not a table that `python -m dawn {kind.command} --save` wrote")


def write(path: Path, table: dict) -> None:
    """Beside its place, then moved there: a stop in the middle leaves the file as it was."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(json.dumps(table) + "\n", encoding="utf-8")
        os.replace(partial, path)
    except OSError as error:
        raise DataError(f"cannot write {path}: {error.strerror}") from None


def columns(outcomes: list[Outcome]) -> dict[str, list]:
    """The outcomes of all problems, one list a figure, each in the problems' order."""
    return {
        "right": [int(outcome.right) for outcome in outcomes],
        "forwards": [outcome.forwards for outcome in outcomes],
        "tokens": [outcome.tokens for outcome in outcomes],
        "seconds": [round(outcome.seconds, 6) for outcome in outcomes],
    }


def with_figures(table: dict) -> dict:
    """The table with each rule's figures, and how it compares with the baseline on the same problems."""
    base = table["rules"][BASELINE]["items"]
    entries = {name: entry | {"figures": figures(entry["items"], base)} for name, entry in table["rules"].items()}
    return table | {"rules": entries}


def figures(items: dict, base: dict) -> dict:
    """Those of one rule; comparisons as [value, low, high] with the 95 % bootstrap interval over problems."""
    outcomes = [Outcome(bool(right), *rest) for right, *rest in zip(*items.values(), strict=True)]
    return asdict(report(outcomes)) | {
        "accuracy_difference": paired(items["right"], base["right"], lambda here, there: here - there),
        "speedup_forwards": paired(items["forwards"], base["forwards"], lambda here, there: there / here),
        "speedup_seconds": paired(items["seconds"], base["seconds"], lambda here, there: there / here),
    }


def paired(here: list, there: list, compare: Callable) -> list[float]:
    """[value, low, high] of compare(mean of here, mean of there), resampling the problems (seeded)."""
    pairs = np.array([here, there], dtype=np.float64)
    drawn = np.random.default_rng(0).integers(0, len(here), (RESAMPLES, len(here)))
    low, high = np.quantile(compare(*pairs[:, drawn].mean(axis=2)), [0.025, 0.975])
    return [round(float(value), 4) for value in (compare(*pairs.mean(axis=1)), low, high)]


def markdown(table: dict) -> str:
    """The table as Markdown, in the order of the rules' speed-up in forward passes."""
    entries = sorted(table["rules"].items(), key=lambda item: item[1]["figures"]["speedup_forwards"][0])
    lines = [" | ".join(HEADERS), "|".join(["---"] * len(HEADERS))]
    lines += [" | ".join(cells(name, entry["figures"])) for name, entry in entries]
    return "\n".join(f"| {line} |" for line in lines)


def cells(name: str, found: dict) -> list[str]:
    """One rule's row."""
    low, high = found["ci95"]
    return [
        f"`{name}`",
        f"{found['accuracy']:.1%}".replace("%", " %"),
        f"{100 * low:.1f} to {100 * high:.1f} %",
        f"{found['forwards_per_item']:.1f}",
        f"{found['tokens_per_forward']:.2f}",
        f"{found['tokens_per_second']:.0f}",
        *("{:.2f} ({:.2f} to {:.2f})".format(*found[name]) for name in ("speedup_forwards", "speedup_seconds")),
    ]
