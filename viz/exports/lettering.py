"""Type for drawn pictures: how wide text is, and which characters the font can draw.

DejaVu Sans where the machine has it, since it knows most scripts; else the font that Pillow carries. A character that the font
lacks is drawn as its number in angle brackets, never left out.
"""

from __future__ import annotations

from functools import cache, lru_cache

from PIL import ImageFont

NOBODY_HAS = "\uffff"  # no character: what a font draws for it, it draws for all that it lacks
PLAIN = {"␣": "_", "↵": "\\n", "␍": "\\r", "⇥": "\\t", "⟨": "<", "⟩": ">", "…": "...", "→": "->", "−": "-", "·": "."}


@cache
def font(size: int) -> ImageFont.FreeTypeFont:
    """The font in a size, in pixels."""
    try:
        return ImageFont.truetype("DejaVuSans.ttf", size)
    except OSError:
        return ImageFont.load_default(size)


@cache
def drawn_as(character: str) -> str:
    """The character if the font has it, or what stands for it."""
    face = font(16)
    if character == " " or glyph(face, character) != glyph(face, NOBODY_HAS):
        return character
    return PLAIN.get(character, f"<{ord(character):x}>")


def glyph(face: ImageFont.FreeTypeFont, character: str) -> tuple[float, bytes]:
    """What a font draws for a character; a lone half of a pair is none."""
    if "\ud800" <= character <= "\udfff":
        character = NOBODY_HAS
    return face.getlength(character), bytes(face.getmask(character))


def drawable(text: str) -> str:
    """Text in characters that the font has."""
    return "".join(map(drawn_as, text))


@lru_cache(maxsize=50_000)
def width(text: str, size: int) -> float:
    """Pixels that a text takes, as it is drawn."""
    return font(size).getlength(drawable(text))


@lru_cache(maxsize=50_000)
def fitted(text: str, size: int, room: float) -> str:
    """The text, cut with an ellipsis where it is wider than the room."""
    if width(text, size) <= room:
        return text
    low, high = 0, len(text)
    while low < high:  # the longest beginning that fits
        middle = (low + high + 1) // 2
        low, high = (middle, high) if width(text[:middle] + "…", size) <= room else (low, middle - 1)
    return text[:low] + "…"
