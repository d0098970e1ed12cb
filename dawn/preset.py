"""A model's preset: DAWN's thresholds and the layers whose attention it averages, chosen on one set of held-out problems and
reported on another.

The search turns one dial at a time: all values of a dial with the others held, then on from the best of them by the rule of
choice; all dials in their order, and once more if anything moved. A measured setting is kept, so that a stopped search goes
on with what it has, and the choice is among all that were ever measured on these problems.

Among many settings the luckiest looks better than it is: what the tuning problems say of the chosen one is biased, what the
reporting problems say is not. Those leave out every question that is among the tuning problems.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice

from dawn.errors import DataError
from dawn.evaluate import Outcome
from dawn.pretrain.data import Problem
from dawn.rules import settings_of
from dawn.rules.dawn import Dawn
from dawn.rules.original import Original
from dawn.table import BASELINE, Kind, Setting, columns, figures
from dawn.thresholds import Thresholds

PRESET = Kind("preset", "points")
TRIED = {
    "low": (0.7, 0.75, 0.8, 0.85, 0.9, 0.95),
    "induced": (0.6, 0.7, 0.8, 0.9),
    "high": (0.85, 0.9, 0.95, 0.99),
}
MORE_DIALS = ("edge", "sink", "layers")
ROUNDS = 2
CHOICE = (
    "of all measured settings the one with the fewest forward passes whose accuracy on the tuning problems is at most {:g} "
    "points below that of `original` on the same problems; if there is none, the most accurate"
)
Layers = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Splits(Setting):
    """What a preset is about: seed and n are the tuning problems'."""

    report_seed: int = 0
    report_n: int = 0


@dataclass(frozen=True, slots=True)
class Point:
    """One setting: thresholds, and the layers that are averaged, ascending."""

    thresholds: Thresholds
    layers: Layers

    def turned(self, dial: str, value: float | Layers) -> Point:
        """The point with one dial at another value; ThresholdError for one outside its range."""
        if dial == "layers":
            return replace(self, layers=value)
        return replace(self, thresholds=replace(self.thresholds, **{dial: value}))

    @property
    def name(self) -> str:
        numbers = (f"{name} {getattr(self.thresholds, name):g}" for name in ("high", "induced", "low", "edge", "sink"))
        return f"{', '.join(numbers)}, layers {layers_text(self.layers)}"

    @property
    def settings(self) -> dict:
        """What a file says of the point."""
        return settings_of(Dawn(self.thresholds)) | {"layers": list(self.layers)}


def layers_text(layers: Layers) -> str:
    """`2-5` for neighbours, `0+3` for others."""
    if len(layers) > 1 and layers[-1] - layers[0] == len(layers) - 1:
        return f"{layers[0]}-{layers[-1]}"
    return "+".join(map(str, layers))


def layer_sets(count: int) -> tuple[Layers, ...]:
    """Which layers are tried of a network's: each alone, the last 2, 3 and 4, the thirds, all."""
    every, third = tuple(range(count)), max(1, count // 3)
    sets = [*((one,) for one in every), *(every[-last:] for last in (2, 3, 4))]
    sets += [every[first : first + third] for first in range(0, count - third + 1, third)]
    return tuple(dict.fromkeys([*sets, every]))


def dials_of(tried: Iterable[str], count: int) -> dict[str, tuple]:
    """Each dial's values: those of TRIED and `layer_sets`, or what `low=.7,.8` or `layers=0+3,2-5,all` say instead."""
    dials: dict[str, tuple] = TRIED | {"layers": layer_sets(count)}
    for words in tried:
        name, _, values = words.partition("=")
        if name not in (*TRIED, *MORE_DIALS) or not values:
            raise DataError(f"cannot try {words!r:.60}: give low=.7,.8 or another of {', '.join((*TRIED, *MORE_DIALS))}")
        read = layers_from if name == "layers" else number_from
        dials[name] = tuple(read(value.strip(), count) for value in values.split(","))
    return dials


def number_from(text: str, count: int) -> float:
    try:
        return float(text)
    except ValueError:
        raise DataError(f"cannot try {text!r:.60}: expected a number") from None


def layers_from(text: str, count: int) -> Layers:
    """`all`, `2-5` or `0+3` of a network's `count` layers."""
    if text == "all":
        return tuple(range(count))
    chosen: set[int] = set()
    for part in text.split("+"):
        ends = re.fullmatch(r"(\d{1,4})(?:-(\d{1,4}))?", part)
        found = range(int(ends[1]), int(ends[2] or ends[1]) + 1) if ends else range(0)
        if not found or found[-1] >= count:
            raise DataError(f"cannot try the layers {text!r:.60}: expected all, 0+3 or 2-5, of the layers 0 to {count - 1}")
        chosen |= {*found}
    return tuple(sorted(chosen))


def splits(
    stream: Callable[[int], Iterator[Problem]], tuning: tuple[int, int], report: tuple[int, int]
) -> tuple[list[Problem], list[Problem]]:
    """Tuning and reporting problems, each by (seed, number), no question in both; stream: seed → problems without end."""
    first = list(islice(stream(tuning[0]), tuning[1]))
    known = {problem.question for problem in first}
    others = (problem for problem in stream(report[0]) if problem.question not in known)
    return first, list(islice(others, report[1]))


Run = Callable[[Point | None], list[Outcome]]  # None: `original`


@dataclass(frozen=True, slots=True)
class Measure:
    """Point (`original` is to be measured first) → its entry in `points`, run if it is not there yet; kept after each."""

    points: dict[str, dict]
    run: Run
    keep: Callable[[], None]

    def __call__(self, point: Point | None) -> dict:
        name = point.name if point else BASELINE
        settings = point.settings if point else settings_of(Original())
        if self.points.get(name, {}).get("settings") != settings:
            items = columns(self.run(point))
            base = self.points[BASELINE]["items"] if point else items
            self.points[name] = {"settings": settings, "items": items, "figures": figures(items, base)}
            self.keep()
        return self.points[name]


def search(start: Point, dials: dict[str, tuple], measure: Measure, lost: float) -> None:
    """Measure `original`, the start, and whatever the dials lead to (see the module's text)."""
    lines = {name: [start.turned(name, value) for value in values] for name, values in dials.items()}  # each value is checked
    measure(None)
    measure(start)
    best = start
    for _ in range(ROUNDS):
        before = best
        for name in lines:
            line = {point.name: point for point in (best, *(best.turned(name, value) for value in dials[name]))}
            best = line[choose({point.name: measure(point) for point in line.values()}, lost)]
        if best == before:
            return


def choose(points: dict[str, dict], lost: float) -> str:
    """The name that CHOICE says, among entries; ties in forward passes go to the more accurate."""
    found = {name: entry["figures"] for name, entry in points.items() if name != BASELINE}
    within = [name for name in found if is_within(found[name], lost)]
    if within:
        return min(within, key=lambda name: (found[name]["forwards_per_item"], -found[name]["accuracy"]))
    return max(found, key=lambda name: (found[name]["accuracy"], -found[name]["forwards_per_item"]))


def is_within(found: dict, lost: float) -> bool:
    """Whether a setting loses at most so many points of accuracy to `original` on the same problems."""
    return found["accuracy_difference"][0] >= -lost / 100 - 1e-9


def frontier(points: dict[str, dict]) -> list[str]:
    """The settings that no other one beats: whoever is more accurate needs more forward passes. From cheap to dear."""
    found = {name: entry["figures"] for name, entry in points.items() if name != BASELINE}
    result, best = [], -1.0
    for name in sorted(found, key=lambda name: (found[name]["forwards_per_item"], -found[name]["accuracy"])):
        if found[name]["accuracy"] > best:
            result, best = [*result, name], found[name]["accuracy"]
    return result


def decide(points: dict[str, dict], start: Point, dials: dict[str, tuple], lost: float) -> dict:
    """What is chosen, and all that it follows from."""
    chosen = choose(points, lost)
    return {
        "rule": CHOICE.format(lost),
        "points_lost": lost,
        "dials": {name: list(values) for name, values in dials.items()},
        "start": start.name,
        "chosen": chosen,
        "within": is_within(points[chosen]["figures"], lost),
        "frontier": frontier(points),
    }


def fill(record: dict, start: Point, dials: dict[str, tuple], lost: float, runs: tuple[Run, Run], keep: Callable[[], None]):
    """Search, choose and report what the record lacks; runs: over the tuning problems, over those of the report."""
    search(start, dials, Measure(record["points"], runs[0], keep), lost)
    record["choice"] = decide(record["points"], start, dials, lost)
    report = Measure(record["report"], runs[1], keep)
    for point in (None, start, point_of(record["points"][record["choice"]["chosen"]]["settings"])):
        report(point)
    keep()


def point_of(settings: dict) -> Point:
    """The point that a file speaks of."""
    thresholds = {name: value for name, value in settings.items() if name != "layers"}
    return Point(Thresholds(**thresholds), tuple(settings["layers"]))


def without_items(record: dict) -> dict:
    """A preset's file without the outcomes of single problems."""
    tables = {name: {key: dict(entry) for key, entry in record[name].items()} for name in ("points", "report")}
    for entry in (*tables["points"].values(), *tables["report"].values()):
        del entry["items"]
    return record | tables


def markdown(record: dict) -> str:
    """The settings measured for tuning, from cheap to dear, what was chosen, and the report, as Markdown."""
    choice, setting = record["choice"], record["setting"]
    marks = dict.fromkeys(choice["frontier"], "frontier") | {choice["start"]: "start", choice["chosen"]: "**chosen**"}
    kept = [BASELINE, *dict.fromkeys((choice["start"], choice["chosen"]))]
    report = {name: record["report"][name] for name in kept}
    verdict = "" if choice["within"] else " None is within that: this is the most accurate."
    return "\n".join(
        [
            f"Tuning, {setting['n']} problems of seed {setting['seed']}:\n",
            *rows(record["points"], marks),
            f"\nChosen: {choice['rule']}.{verdict}\n",
            f"Report, {setting['report_n']} other problems of seed {setting['report_seed']}:\n",
            *rows(report, marks),
        ]
    )


def rows(points: dict[str, dict], marks: dict[str, str]) -> list[str]:
    """The lines of a table; comparisons with `original` on the same problems, with 95 % bootstrap intervals."""
    cells = [["setting", "", "accuracy", "points to `original`", "forward passes", "times fewer"], ["---"] * 6]
    for name, entry in sorted(points.items(), key=lambda item: item[1]["figures"]["forwards_per_item"]):
        found = entry["figures"]
        difference = "{:+.1f} ({:+.1f} to {:+.1f})".format(*(100 * value for value in found["accuracy_difference"]))
        speed = "{:.2f} ({:.2f} to {:.2f})".format(*found["speedup_forwards"])
        accuracy, forwards = f"{100 * found['accuracy']:.1f} %", f"{found['forwards_per_item']:.1f}"
        cells.append([name, marks.get(name, ""), accuracy, difference, forwards, speed])
    return [f"| {' | '.join(line)} |" for line in cells]
