"""The learning curve of the embedded model: a line of JSON for every hundred steps or so, and its picture.

A line has the `step` of its run, the `tokens` seen since the first of the runs that follow each other, and for each kind of row
the means, over the steps since the line before, of the loss and of two shares right: of all targets, and of whole numbers.
"""

from __future__ import annotations

import json
from itertools import chain
from pathlib import Path

from dawn.chart import Axis, Plane, document, word
from dawn.errors import DataError
from dawn.pretrain.recipe import KINDS

CURVE = "curve.jsonl"
QUARTERS = [0, 0.25, 0.5, 0.75, 1]
PANEL, ROW, TOP = (190, 150), 226, 48  # pixels: a panel's width and height, from row to row, above the first
LEFT = (46, 296, 546)
MILLION = 10**6


def read(folder: Path) -> list[dict]:
    """The lines of a folder's curve, none if it has no such file. DataError if they cannot be understood."""
    path = folder / CURVE
    if not path.exists():
        return []
    try:
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        if not all(map(is_line, lines)):
            raise ValueError
    except (OSError, ValueError):
        raise DataError(f"{path} is no learning curve: remove it, or put back the one that training wrote") from None
    return lines


def is_line(line: object) -> bool:
    """Whether this is a line as the module's text describes it."""
    match line:
        case {"step": int(), "tokens": int(), "loss_right_digits": dict(kinds)}:
            means = list(kinds.values())
            return all(isinstance(three, list) and len(three) == 3 for three in means) and all(map(is_mean, chain(*means)))
    return False


def is_mean(value: object) -> bool:
    return value is None or isinstance(value, (int, float))


def write(folder: Path, lines: list[dict]) -> None:
    """Make these lines the folder's curve."""
    (folder / CURVE).write_text("".join(map(written, lines)), encoding="utf-8")


def append(folder: Path, line: dict) -> None:
    """Add a line to the folder's curve."""
    with (folder / CURVE).open("a", encoding="utf-8") as file:
        file.write(written(line))


def written(line: dict) -> str:
    return json.dumps(line) + "\n"


def svg(lines: list[dict]) -> str:
    """A panel for each kind of row: the shares right over the tokens seen; whole numbers stand out. DataError without lines."""
    if not lines:
        raise DataError("there is no learning curve to draw: train for a step at least")
    kinds = [kind for kind in KINDS if any(kind in line["loss_right_digits"] for line in lines)]
    most = lines[-1]["tokens"] / MILLION
    step = Axis.of(most, LEFT[:2]).step
    across = [step * index for index in range(int(most / step) + 1)]
    parts = [
        word("share right over millions of tokens seen:", 12, 18, "start", "soft"),
        word("whole numbers (solid)", 272, 18, "start", "dawn"),
        word("and all that is asked (broken)", 458, 18, "start", "soft"),
    ]
    for index, kind in enumerate(kinds):
        left, top = LEFT[index % 3], TOP + ROW * (index // 3)
        plane = Plane((0, most), (0, 1), (left, left + PANEL[0], top, top + PANEL[1]))
        parts += [
            word(f"{kind} rows", left, top - 10, "start", ""),
            *plane.lines(across, QUARTERS, "{:.0%}".format),
        ]
        for column, style in ((1, "ideal"), (2, "range dawn")):
            parts.append(path_of(plane, lines, kind, column, style))
    height = TOP + ROW * -(-len(kinds) // 3) - 20
    return document(f"What the embedded model predicts right in training, over {most:.1f} million tokens", height, parts)


def path_of(plane: Plane, lines: list[dict], kind: str, column: int, style: str) -> str:
    """The line of one mean of a kind of row, from where there is one to where there is another."""
    means = [(line["tokens"] / MILLION, line["loss_right_digits"].get(kind, (None,) * 3)[column]) for line in lines]
    points = " ".join(f"{plane.x(tokens):.1f},{plane.y(mean):.1f}" for tokens, mean in means if mean is not None)
    return f'<polyline points="{points}" fill="none" class="{style}"/>'
