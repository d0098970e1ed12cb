"""Forward passes and accuracy side by side, a row a rule, as an SVG that follows the reader's light or dark theme.

Rules lie too close together for names in a plane of the two figures; in rows every one can be read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from xml.sax.saxutils import escape

WIDTH, ROW, TOP, BOTTOM = 760, 24, 40, 32
FORWARDS, ACCURACY = (168, 410), (470, 700)  # where the two panels begin and end, in pixels
STYLE = """
text { font: 13px ui-sans-serif, system-ui, sans-serif; fill: #172036 }
.soft { fill: #55607a; font-size: 12px } .grid { stroke: #d9deea } .ideal { stroke: #55607a; stroke-dasharray: 4 4 }
.range { stroke: #1d5fd1; stroke-width: 2 } .mark { fill: #1d5fd1 } .bar { fill: #1d5fd1; opacity: .25 }
.mark.dawn { fill: #c2410c } .range.dawn { stroke: #c2410c } text.dawn { font-weight: 600 }
@media (prefers-color-scheme: dark) {
text { fill: #eef1fa } .soft { fill: #a3aec8 } .grid { stroke: #2c3653 } .ideal { stroke: #a3aec8 }
.range { stroke: #6cb2ff } .mark, .bar { fill: #6cb2ff } .mark.dawn { fill: #ff9d66 } .range.dawn { stroke: #ff9d66 } }
"""


@dataclass(frozen=True, slots=True)
class Axis:
    """Values from 0 onto pixels from `first` to `last`, with round marks `step` apart."""

    step: float
    count: int
    first: float
    last: float

    @classmethod
    def of(cls, highest: float, ends: tuple[float, float]) -> Axis:
        """At most five marks behind 0, the last at or above `highest`."""
        steps = (unit * 10.0**power for power in range(-3, 6) for unit in (1, 2, 5))
        step = next(step for step in steps if highest <= 5 * step)
        return cls(step, max(1, ceil(highest / step)), *ends)

    def __call__(self, value: float) -> float:
        return self.first + value / (self.step * self.count) * (self.last - self.first)


def svg(table: dict) -> str:
    """The picture of a table (see `dawn.table`), the rule with the fewest forward passes on top."""
    rows = sorted(((name, entry["figures"]) for name, entry in table["rules"].items()), key=cost_of)
    forwards = Axis.of(max(found["forwards_per_item"] for _, found in rows), FORWARDS)
    accuracy = Axis.of(100 * max(found["ci95"][1] for _, found in rows), ACCURACY)
    height = TOP + ROW * len(rows) + BOTTOM
    parts = [
        *grid(forwards, height, "forward passes per problem", ""),
        *grid(accuracy, height, "accuracy, 95 % interval", " %"),
    ]
    for index, (name, found) in enumerate(rows):
        parts += row(name, found, TOP + ROW * (index + 0.5), forwards, accuracy)
    title = f"Forward passes and accuracy of {len(rows)} rules on the same {table['setting']['n']} held-out problems"
    return document(title, height, parts)


def document(title: str, height: float, parts: list[str]) -> str:
    """An SVG file with its style, as wide as all of them."""
    title = escape(title, {'"': "&quot;"})
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}" role="img" aria-label="{title}">'
        f"<title>{title}</title><style>{STYLE}</style>{''.join(parts)}</svg>\n"
    )


@dataclass(frozen=True, slots=True)
class Plane:
    """A rectangle of pixels (left, right, top, bottom) over two ranges of values."""

    across: tuple[float, float]
    up: tuple[float, float]
    frame: tuple[float, float, float, float]

    def x(self, value: float) -> float:
        (low, high), (left, right, _, _) = self.across, self.frame
        return left + (value - low) / (high - low) * (right - left)

    def y(self, value: float) -> float:
        (low, high), (_, _, top, bottom) = self.up, self.frame
        return bottom - (value - low) / (high - low) * (bottom - top)

    def lines(self, across: list[float], up: list[float], words: Callable[[float], str] = "{:g}".format) -> list[str]:
        """Grid lines at these values, each with its number."""
        left, right, top, bottom = self.frame
        parts = []
        for x in map(self.x, across):
            parts.append(f'<line x1="{x:.1f}" y1="{top}" x2="{x:.1f}" y2="{bottom}" class="grid"/>')
        for y in map(self.y, up):
            parts.append(f'<line x1="{left}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}" class="grid"/>')
        parts += [word(f"{value:g}", self.x(value), bottom + 16, "middle", "soft") for value in across]
        return parts + [word(words(value), left - 6, self.y(value) + 4, "end", "soft") for value in up]

    def dot(self, x: float, value: float, ends: tuple[float, float], kind: str = "", told: str = "") -> str:
        """A dot on its interval, both cut off at the frame. told: what the dot says when it is pointed at."""
        low, high = (min(max(end, self.up[0]), self.up[1]) for end in ends)
        place = f'x1="{self.x(x):.1f}" y1="{self.y(low):.1f}" x2="{self.x(x):.1f}" y2="{self.y(high):.1f}"'
        inside = self.up[0] <= value <= self.up[1]
        mark = f'<circle cx="{self.x(x):.1f}" cy="{self.y(value):.1f}" r="3.5" class="mark{kind}"/>' if inside else ""
        return f'<g><title>{escape(told)}</title><line {place} class="range{kind}"/>{mark}</g>'


def cost_of(row: tuple[str, dict]) -> float:
    return row[1]["forwards_per_item"]


def grid(axis: Axis, height: float, name: str, unit: str, top: float = TOP) -> list[str]:
    """A panel's lines from `top` on with their numbers below, and its name above."""
    foot, parts = height - BOTTOM, [word(name, axis.first, top - 16, "start", "soft")]
    for index in range(axis.count + 1):
        x = axis(axis.step * index)
        parts.append(f'<line x1="{x:.1f}" y1="{top}" x2="{x:.1f}" y2="{foot}" class="grid"/>')
        parts.append(word(f"{axis.step * index:g}{unit}", x, foot + 18, "middle", "soft"))
    return parts


def row(name: str, found: dict, y: float, forwards: Axis, accuracy: Axis) -> list[str]:
    """A rule: its name, a bar and its number, a dot on its interval and its number. DAWN itself stands out."""
    kind = " dawn" if name == "dawn" else ""
    end, dot = forwards(found["forwards_per_item"]), accuracy(100 * found["accuracy"])
    low, high = (accuracy(100 * share) for share in found["ci95"])
    return [
        word(name, forwards.first - 10, y + 4, "end", kind.strip()),
        f'<rect x="{forwards.first}" y="{y - 6:.1f}" width="{end - forwards.first:.1f}" height="12" class="mark{kind}"/>',
        word(f"{found['forwards_per_item']:.1f}", end + 5, y + 4, "start", "soft"),
        f'<line x1="{low:.1f}" y1="{y:.1f}" x2="{high:.1f}" y2="{y:.1f}" class="range{kind}"/>',
        f'<circle cx="{dot:.1f}" cy="{y:.1f}" r="5" class="mark{kind}"/>',
        word(f"{100 * found['accuracy']:.1f} %", WIDTH - 6, y + 4, "end", "soft"),
    ]


def word(text: str, x: float, y: float, anchor: str, kind: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{kind}">{escape(text)}</text>'
