"""What `calibrate` found, as an SVG reliability diagram and as text.

A row of panels a rule: share right over confidence for the agreement with the reference, the same near 1, where most tokens
are committed, and for the arithmetic. On the broken line a confidence is honest; below it the model is too sure.
"""

from __future__ import annotations

from math import log10

from dawn.calibration import CALIBRATION, MEANINGS
from dawn.chart import Plane, document, word

PANEL, HEAD, ROW = 190, 62, 330  # pixels: a panel's side, what stands above the panels of a row, a row
LEFT = (50, 296, 542)
BARS = 40  # pixels of the highest bar
NEAR = 0.8
TENTHS = [0, 0.2, 0.4, 0.6, 0.8, 1]
NAMES = {"by_tier": "tier", "by_part": "steps", "by_sort": "token"}


def svg(record: dict) -> str:
    """The picture of a file of `calibrate`."""
    found, n = record[CALIBRATION.entries], record["setting"]["n"]
    parts = [part for index, name in enumerate(found) for part in rule_row(name, found[name]["figures"], ROW * index)]
    foot = ROW * len(found) + 8
    parts += [
        word(f"{name}: {meaning}", 12, foot + 18 * index, "start", "soft")
        for index, (name, meaning) in enumerate(MEANINGS.items())
    ]
    parts.append(word("bars: tokens of a bin, logarithmic; intervals: 95 %, problems drawn", 12, foot + 36, "start", "soft"))
    return document(f"Confidence and share right of committed tokens on {n} held-out problems", foot + 48, parts)


def rule_row(name: str, figures: dict, top: float) -> list[str]:
    """The three panels of a rule."""
    agreement, arithmetic = figures["agreement"], figures["arithmetic"]
    near = [one for one in agreement["bins"] if one["from"] >= NEAR]
    lowest = min([NEAR, *(int(10 * one["ci95"][0]) / 10 for one in near)])
    panels = [
        (f"agreement, {asked(agreement)}", agreement["bins"], (0, 1), (0, 1), TENTHS, TENTHS),
        (f"agreement, from {NEAR:g}", near, (NEAR, 1), (lowest, 1), [0.8, 0.85, 0.9, 0.95, 1], tenths_from(lowest)),
        (f"arithmetic, {asked(arithmetic)}", arithmetic["bins"], (0, 1), (0, 1), TENTHS, TENTHS),
    ]
    parts = [word(f"{name}: {headline(agreement)}", 12, top + 22, "start", "")]
    for left, (title, bins, across, up, columns, rows) in zip(LEFT, panels, strict=True):
        plane = Plane(across, up, (left, left + PANEL, top + HEAD, top + HEAD + PANEL))
        parts += [word(title, left, top + HEAD - 12, "start", "soft"), *plane.lines(columns, rows), *marks(plane, bins)]
    return parts


def asked(figures: dict) -> str:
    """How many tokens are judged."""
    return f"{figures['tokens']:,} of {figures['tokens'] + figures['left_out']:,} tokens"


def tenths_from(lowest: float) -> list[float]:
    return [tenth / 10 for tenth in range(round(10 * lowest), 11)]


def marks(plane: Plane, bins: list[dict]) -> list[str]:
    """The line of honesty, and for each bin a dot on its interval and a bar for its tokens."""
    _, right, _, bottom = plane.frame
    start = max(plane.across[0], plane.up[0])
    most = max((one["tokens"] for one in bins), default=1)
    parts = [
        f'<line x1="{plane.x(start):.1f}" y1="{plane.y(start):.1f}" x2="{right}" y2="{plane.y(1):.1f}" class="ideal"/>',
        word("share right over confidence", right, bottom + 32, "end", "soft"),
    ]
    for one in bins:
        told = f"{interval_of(one)}: {one['tokens']} tokens, {percent(one['share'])} right"
        parts.append(plane.dot(one["confidence"], one["share"], one["ci95"], told=told))
        x, width = plane.x(one["from"]), max(1.0, plane.x(one["to"]) - plane.x(one["from"]) - 1)
        height = BARS * log10(1 + one["tokens"]) / log10(1 + most)
        parts.append(f'<rect x="{x:.1f}" y="{bottom - height:.1f}" width="{width:.1f}" height="{height:.1f}" class="bar"/>')
    return parts


def interval_of(one: dict) -> str:
    """A bin's confidences."""
    return f"{one['from']:g} to {one['to']:g}"


def percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def headline(figures: dict) -> str:
    """Calibration error and gap in words."""
    if not figures["tokens"]:
        return "no token judged"
    error, low, high = (100 * value for value in figures["ece"])
    gap = 100 * figures["gap"][0]
    side = "too sure" if gap > 0 else "too modest"
    return f"calibration error {error:.1f} points ({low:.1f} to {high:.1f}), {abs(gap):.1f} points {side} on average"


def text(record: dict) -> str:
    """All that a file of `calibrate` says, for reading: a block of lines a rule."""
    blocks = [rule_text(name, found["figures"]) for name, found in record[CALIBRATION.entries].items()]
    known = record["reference_equations"]
    ceiling = f"Of {known['equations']} equations in the reference solutions {known['true']} are true; some round down."
    return "\n\n".join([*blocks, ceiling])


def rule_text(name: str, figures: dict) -> str:
    lines = []
    for reading, found in figures.items():
        lines += [f"{name}, {reading}: {found['right']}", f"  {headline(found)}"]
        lines.append(f"  {found['tokens']} tokens of {found['problems']} problems judged, {found['left_out']} not")
        lines += table_of([(f"committed at {interval_of(one)}", one) for one in found["bins"]])
        lines += table_of([(f"at least {one['level']:g}", one) for one in found["at_least"] if one["tokens"]])
        groups = [(f"{words}: {group}", one) for key, words in NAMES.items() for group, one in found[key].items()]
        lines += table_of(groups, errors=True)
    return "\n".join(lines)


def table_of(rows: list[tuple[str, dict]], errors: bool = False) -> list[str]:
    """A line a group of tokens: how many, how sure, how many of them right; with errors, the calibration error as well."""
    lines = []
    for name, one in rows:
        low, high = one["ci95"]
        line = f"  {name:32} {one['tokens']:7} tokens  confidence {one['confidence']:.3f}  right {percent(one['share']):>7}"
        line += f" ({100 * low:.1f} to {100 * high:.1f})"
        if errors:
            line += "  error {:.1f} ({:.1f} to {:.1f})".format(*(100 * value for value in one["ece"]))
        lines.append(line)
    return lines
