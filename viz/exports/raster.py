"""Cells as pixels. Each is drawn at twice its size and halved, which smooths every edge; one that is as it was stays."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw

from viz.exports.lettering import drawable, font
from viz.exports.shapes import Box, Cell, Curve, Dot, Shape, Words

FINE = 2
BENDS = 20  # straight pieces of a curve
T = np.linspace(0, 1, BENDS + 1)
BASIS = np.stack([(1 - T) ** 2, 2 * T * (1 - T), T**2], axis=1)  # [BENDS + 1, 3]
ANCHORS = {"start": "lm", "middle": "mm", "end": "rm"}


Recolour = Callable[[Image.Image], Image.Image]


class Raster:
    """A picture that is drawn again and again. fine: pixels of the picture for one of the drawing, 1 or 2; coloured: what the
    colours of each part become."""

    def __init__(self, size: tuple[int, int], ground: str, fine: int = 1, coloured: Recolour = lambda image: image):
        self.fine, self.coloured = fine, coloured
        self.image = coloured(Image.new("RGB", (size[0] * fine, size[1] * fine), ground))
        self.drawn: dict[tuple[int, int], Cell] = {}

    def draw(self, cells: tuple[Cell, ...]) -> Image.Image:
        """The picture with these cells, which leave nothing of others visible; it changes with the next call."""
        if self.drawn.keys() != {(cell.x, cell.y) for cell in cells}:
            self.drawn.clear()
        for cell in cells:
            place = (cell.x, cell.y)
            if self.drawn.get(place) != cell:
                self.image.paste(
                    self.coloured(pixels(cell).reduce(FINE // self.fine)), (cell.x * self.fine, cell.y * self.fine)
                )
                self.drawn[place] = cell
        return self.image


def pixels(cell: Cell) -> Image.Image:
    """A cell at FINE times its size."""
    image = Image.new("RGB", (cell.width * FINE, cell.height * FINE), cell.ground)
    pen = ImageDraw.Draw(image)
    for shape in cell.shapes:
        PENS[type(shape)](pen, shape, cell)
    return image


def at(cell: Cell, x: float, y: float) -> tuple[float, float]:
    """A place of the picture in the pixels of a cell."""
    return (x - cell.x) * FINE, (y - cell.y) * FINE


def box(pen: ImageDraw.ImageDraw, shape: Box, cell: Cell) -> None:
    (left, top), (right, bottom) = at(cell, shape.x, shape.y), at(cell, shape.x + shape.width, shape.y + shape.height)
    corners = (left, top, max(left, right - 1), max(top, bottom - 1))
    if shape.radius:
        pen.rounded_rectangle(corners, shape.radius * FINE, shape.fill, shape.edge, FINE if shape.edge else 0)
    else:
        pen.rectangle(corners, shape.fill, shape.edge, FINE if shape.edge else 0)


def words(pen: ImageDraw.ImageDraw, shape: Words, cell: Cell) -> None:
    face = font(shape.size * FINE)
    pen.text(at(cell, shape.x, shape.y), drawable(shape.text), shape.colour, face, ANCHORS[shape.anchor])


def curve(pen: ImageDraw.ImageDraw, shape: Curve, cell: Cell) -> None:
    ends = [at(cell, *place) for place in (shape.start, shape.control, shape.end)]
    pen.line((BASIS @ ends).ravel().tolist(), shape.colour, max(1, round(shape.width * FINE)))


def dot(pen: ImageDraw.ImageDraw, shape: Dot, cell: Cell) -> None:
    (x, y), radius = at(cell, shape.x, shape.y), shape.radius * FINE
    pen.ellipse((x - radius, y - radius, x + radius, y + radius), shape.fill, shape.edge, 2 * FINE if shape.edge else 0)


PENS: dict[type[Shape], object] = {Box: box, Words: words, Curve: curve, Dot: dot}


def png(cells: tuple[Cell, ...], size: tuple[int, int], ground: str) -> bytes:
    """The picture as a PNG file, at twice its size."""
    file = io.BytesIO()
    Raster(size, ground, FINE).draw(cells).save(file, "PNG", optimize=True)
    return file.getvalue()
