"""What `preset` found, as an SVG: accuracy beside `original` over forward passes, on the tuning problems and on the report's.

A dot is a setting. On the left the frontier has its intervals; the broken line is the least accuracy that may be chosen. On the
right, on other problems, the start and the chosen setting. The chosen one stands out in both.
"""

from __future__ import annotations

from math import ceil, floor

from dawn.chart import Plane, document, word
from dawn.table import BASELINE

HEIGHT, TOP, BOTTOM = 400, 56, 300  # pixels: the picture, and where the panels begin and end
PANELS = ((70, 430), (510, 730))


def svg(record: dict) -> str:
    """The picture of a file of `preset`."""
    choice, setting = record["choice"], record["setting"]
    tuned = {name: entry["figures"] for name, entry in record["points"].items() if name != BASELINE}
    reported = {name: record["report"][name]["figures"] for name in dict.fromkeys((choice["start"], choice["chosen"]))}
    everything = [*tuned.values(), *reported.values()]
    with_intervals = [*reported.values(), *(tuned[name] for name in choice["frontier"])]
    differences = [100 * found["accuracy_difference"][0] for found in everything]
    ends = [100 * end for found in with_intervals for end in ends_of(found)]
    up = marks([*differences, *ends, 0, -choice["points_lost"]])
    across = marks([found["forwards_per_item"] for found in everything])
    parts = []
    for (left, right), found, words in zip(PANELS, (tuned, reported), ("tuning", "report"), strict=True):
        plane = Plane((across[0], across[-1]), (up[0], up[-1]), (left, right, TOP, BOTTOM))
        n = setting["n" if words == "tuning" else "report_n"]
        parts += [*plane.lines(across, up, "{:+g}".format), word(f"{words}: {n} problems", left, TOP - 12, "start", "soft")]
        parts.append(level(plane, -choice["points_lost"]))
        parts += dots(plane, found, choice, words == "report")
        parts.append(word("forward passes per problem", right, BOTTOM + 32, "end", "soft"))
    parts.append(word("points of accuracy more or less than original, 95 % interval", 12, 22, "start", ""))
    parts += [word(f"{name}: {choice[name]}", 12, BOTTOM + y, "start", kind) for name, y, kind in NAMED]
    return document("Accuracy and forward passes of DAWN's settings beside original", HEIGHT, parts)


NAMED = (("start", 58, "soft"), ("chosen", 78, "dawn"))


def level(plane: Plane, value: float) -> str:
    """A broken line across the panel."""
    left, right, *_ = plane.frame
    return f'<line x1="{left}" y1="{plane.y(value):.1f}" x2="{right}" y2="{plane.y(value):.1f}" class="ideal"/>'


def dots(plane: Plane, points: dict[str, dict], choice: dict, intervals: bool) -> list[str]:
    """The settings of a panel, the chosen one last and on top; intervals: of all, not of the frontier alone."""
    parts = []
    for name in sorted(points, key=lambda name: name == choice["chosen"]):
        found = points[name]
        value = 100 * found["accuracy_difference"][0]
        told = f"{name}: {value:+.1f} points, {found['forwards_per_item']:.1f} forward passes"
        ends = tuple(100 * end for end in ends_of(found)) if intervals or name in choice["frontier"] else (value, value)
        kind = " dawn" if name == choice["chosen"] else ""
        parts.append(plane.dot(found["forwards_per_item"], value, ends, kind, told))
    return parts


def ends_of(found: dict) -> tuple[float, float]:
    """The interval of the accuracy's difference."""
    return tuple(found["accuracy_difference"][1:])


def marks(values: list[float]) -> list[float]:
    """At most seven round numbers, evenly apart, from below the lowest value to above the highest."""
    low, high = round(min(values), 6), round(max(values), 6)
    steps = (unit * 10.0**power for power in range(-3, 6) for unit in (1, 2, 5))
    step = next(step for step in steps if ceil(high / step) - floor(low / step) <= 6)
    first = floor(low / step)
    return [round(step * index, 6) for index in range(first, max(ceil(high / step), first + 1) + 1)]
