"""What a drawn picture consists of: cells, each a rectangle with shapes in it. Whoever draws them, in pixels or as SVG, knows
nothing of runs; whoever makes them knows nothing of files.

Places and sizes are in pixels of the whole picture, colours are #rrggbb, text is text.
"""

from __future__ import annotations

from dataclasses import dataclass

Place = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle. edge: the colour of its outline; radius: of its corners."""

    x: float
    y: float
    width: float
    height: float
    fill: str | None = None
    edge: str | None = None
    radius: float = 0


@dataclass(frozen=True, slots=True)
class Words:
    """A line of text about the height y; x is its start, its middle or its end, as `anchor` says. width: what it takes."""

    x: float
    y: float
    text: str
    size: int
    colour: str
    anchor: str = "start"
    width: float | None = None


@dataclass(frozen=True, slots=True)
class Curve:
    """From start to end, bent towards control (quadratic)."""

    start: Place
    control: Place
    end: Place
    colour: str
    width: float = 1.0


@dataclass(frozen=True, slots=True)
class Dot:
    """A disc."""

    x: float
    y: float
    radius: float
    fill: str
    edge: str | None = None


Shape = Box | Words | Curve | Dot


@dataclass(frozen=True, slots=True)
class Cell:
    """A part of the picture that is drawn as one; nothing of it lies outside."""

    x: int
    y: int
    width: int
    height: int
    ground: str
    shapes: tuple[Shape, ...] = ()
