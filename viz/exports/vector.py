"""Cells as SVG: text stays text, in whatever font the reader has, fitted to the width that was kept for it."""

from __future__ import annotations

import re
from xml.sax.saxutils import escape, quoteattr

from viz import theme
from viz.exports.shapes import Box, Cell, Curve, Dot, Shape, Words

NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # no escape makes these XML


def svg(cells: tuple[Cell, ...], size: tuple[int, int], ground: str, title: str) -> bytes:
    """The picture as an SVG file."""
    width, height = size
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    style = f"<style>text {{ font-family: {escape(theme.FONT)}; white-space: pre }}</style>"
    parts = [f'{head} role="img">', f"<title>{xml(title)}</title>{style}", box(Box(0, 0, width, height, ground))]
    for cell in cells:
        parts += [
            PENS[type(shape)](shape) for shape in (Box(cell.x, cell.y, cell.width, cell.height, cell.ground), *cell.shapes)
        ]
    return "\n".join([*parts, "</svg>"]).encode("utf-8")


def xml(text: str) -> str:
    """Text as XML can hold it."""
    return escape(NO_XML.sub("\ufffd", text))


def element(name: str, body: str = "", **attributes: object) -> str:
    """An element; an attribute that is None is left out, and `_` in a name stands for `-`."""
    given = " ".join(f"{k.replace('_', '-')}={quoteattr(number(v))}" for k, v in attributes.items() if v is not None)
    return f"<{name} {given}>{body}</{name}>" if body else f"<{name} {given}/>"


def number(value: object) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def box(shape: Box) -> str:
    place = {"x": shape.x, "y": shape.y, "width": shape.width, "height": shape.height}
    return element("rect", **place, rx=shape.radius or None, fill=shape.fill or "none", stroke=shape.edge)


def words(shape: Words) -> str:
    place = {"x": shape.x, "y": shape.y, "font_size": shape.size, "fill": shape.colour, "text_anchor": shape.anchor}
    fit = {"textLength": shape.width, "lengthAdjust": "spacingAndGlyphs"} if shape.width and shape.text.strip() else {}
    return element("text", xml(shape.text), **place, dominant_baseline="central", **fit)


def curve(shape: Curve) -> str:
    (a, b), (c, d), (e, f) = shape.start, shape.control, shape.end
    path = "M{} {}Q{} {} {} {}".format(*(number(float(one)) for one in (a, b, c, d, e, f)))
    return element("path", d=path, fill="none", stroke=shape.colour, stroke_width=shape.width)


def dot(shape: Dot) -> str:
    return element("circle", cx=shape.x, cy=shape.y, r=shape.radius, fill=shape.fill, stroke=shape.edge, stroke_width=2)


PENS: dict[type[Shape], object] = {Box: box, Words: words, Curve: curve, Dot: dot}
