"""Infill: masks inside a prompt, and tokens fixed at chosen positions of the answer.

In a prompt, `[MASK]` stands for one masked position and `[MASK x 5]` for five; they are decoded with the first block. A space
before it belongs to the masked token. `5: therefore` fixes the tokens of ` therefore` from the answer's position 5 on.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np

from dawn.canvas import Canvas, frozen
from dawn.errors import CanvasError

SPAN = re.compile(r" ?\[MASK(?: ?[x×*] ?(\d{1,4}))?\]")
LINE = re.compile(r"\s*(\d{1,6})\s*:(.+)")
LONGEST_FIXED = 10_000
MOST_MASKS = 10_000


def encode_masked(text: str, encode: Callable[[str], list[int]], mask_id: int) -> list[int]:
    """The ids of a text whose `[MASK]` spans become masks; encode: ids of plain text. CanvasError above MOST_MASKS masks."""
    masks = sum(int(span[1] or 1) for span in SPAN.finditer(text))
    if masks > MOST_MASKS:
        raise CanvasError(f"{masks:,} masked positions in the prompt: at most {MOST_MASKS:,} are taken")
    ids, end = [], 0
    for span in SPAN.finditer(text):
        ids += encode(text[end : span.start()])
        ids += [mask_id] * int(span[1] or 1)
        end = span.end()
    return ids + encode(text[end:])


def parse_fixed(lines: str) -> tuple[tuple[int, str], ...]:
    """(position, text) of each non-empty line `position:text`, positions counted from 0 in the answer."""
    if len(lines) > LONGEST_FIXED:
        raise CanvasError(f"fixed tokens: {len(lines):,} characters are more than the {LONGEST_FIXED:,} that are taken")
    parsed = []
    for line in filter(str.strip, lines.splitlines()):
        match = LINE.fullmatch(line)
        if not match:
            raise CanvasError(f"fixed tokens: {line!r:.40} is not of the form `position: text`, as in `5: therefore`")
        parsed.append((int(match[1]), match[2]))
    return tuple(parsed)


def fix(canvas: Canvas, fixed: tuple[tuple[int, str], ...], encode: Callable[[str], list[int]]) -> Canvas:
    """The canvas with the tokens of each text written from its position of the answer on; CanvasError where they do not fit."""
    generated = canvas.length - canvas.prompt_length
    tokens = canvas.tokens.copy()
    for position, text in fixed:
        ids = encode(text)
        if position + len(ids) > generated:
            raise CanvasError(
                f"fixed tokens: {text!r:.40} takes {len(ids)} positions from {position} on; the answer has {generated}"
            )
        span = slice(canvas.prompt_length + position, canvas.prompt_length + position + len(ids))
        if (tokens[span] != canvas.mask_id).any():
            raise CanvasError(f"fixed tokens: {text!r:.40} at {position} overlaps another fixed text")
        tokens[span] = ids
    if not np.any(tokens == canvas.mask_id):
        raise CanvasError("fixed tokens: nothing is left to decode")
    return Canvas.of(frozen(tokens, np.int32), canvas.prompt_length, canvas.block_length, canvas.mask_id)
