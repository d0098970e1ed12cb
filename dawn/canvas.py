"""The canvas: a prompt, then positions that are masked or committed, decoded block by block. Source: DAWN, section 3.

A canvas never changes; `commit` returns a new one and refuses anything but masked positions of the window. What follows from
its tokens is therefore worked out once, when somebody first asks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from dawn.errors import CanvasError


def frozen(array, dtype) -> np.ndarray:
    """A read-only copy of `array` as `dtype`."""
    return read_only(np.array(array, dtype=dtype))


def read_only(array: np.ndarray) -> np.ndarray:
    """The same array, from now on read-only."""
    array.setflags(write=False)
    return array


@dataclass(frozen=True, eq=False)
class Canvas:
    """tokens [L] int32 (mask_id where masked); committed_confidence [L] float32: 1 in the prompt, 0 where masked."""

    tokens: np.ndarray
    prompt_length: int
    block_length: int
    mask_id: int
    committed_confidence: np.ndarray

    def __post_init__(self):
        if self.tokens.ndim != 1 or self.committed_confidence.shape != self.tokens.shape:
            raise CanvasError(f"tokens must be one row of ids, not an array of shape {self.tokens.shape}")
        if not 0 <= self.prompt_length <= len(self.tokens):
            raise CanvasError(f"a prompt of {self.prompt_length} positions does not fit into {len(self.tokens)}")
        if self.block_length < 1:
            raise CanvasError(f"block length must be at least 1, not {self.block_length}")

    @classmethod
    def of(cls, tokens, prompt_length: int, block_length: int, mask_id: int) -> Canvas:
        """A canvas over given tokens [L]; whatever is not `mask_id` counts as written with confidence 1."""
        tokens = frozen(tokens, np.int32)
        confidence = frozen(tokens != mask_id, np.float32)
        return cls(tokens, int(prompt_length), int(block_length), int(mask_id), confidence)

    @classmethod
    def blank(cls, prompt, generated: int, block_length: int, mask_id: int) -> Canvas:
        """A prompt [P] followed by `generated` masked positions; none are needed after a prompt that holds masks itself."""
        if generated < (0 if mask_id in prompt else 1):
            raise CanvasError(f"generation length must be at least 1, not {generated}")
        tokens = np.concatenate([np.asarray(prompt, dtype=np.int32), np.full(generated, mask_id, dtype=np.int32)])
        return cls.of(tokens, len(prompt), block_length, mask_id)

    @property
    def length(self) -> int:
        """L, prompt included."""
        return len(self.tokens)

    @cached_property
    def masked(self) -> np.ndarray:
        """[L] bool."""
        return read_only(self.tokens == self.mask_id)

    @cached_property
    def is_complete(self) -> bool:
        return not self.masked.any()

    @cached_property
    def block(self) -> int:
        """Index of the active block: the first one that holds a mask. A mask in the prompt counts to block 0."""
        if self.is_complete:
            raise CanvasError("a complete canvas has no active block")
        return max(0, (int(self.masked.argmax()) - self.prompt_length) // self.block_length)

    def block_span(self, block: int) -> tuple[int, int]:
        """[start, end) of a block in positions."""
        start = self.prompt_length + block * self.block_length
        return start, min(start + self.block_length, self.length)

    @cached_property
    def candidates(self) -> np.ndarray:
        """M, ascending: the masked positions before the end of the active block."""
        _, end = self.block_span(self.block)
        return read_only(np.flatnonzero(self.masked[:end]))

    @cached_property
    def window(self) -> np.ndarray:
        """[W] ascending: the active block's positions, and masked positions before it."""
        start, end = self.block_span(self.block)
        return read_only(np.concatenate([np.flatnonzero(self.masked[:start]), np.arange(start, end)]))

    def commit(self, positions, tokens, confidence) -> Canvas:
        """The canvas with `tokens` [n] written at `positions` [n] ⊂ M, remembering their confidence [n]."""
        positions = np.asarray(positions, dtype=np.int64)
        once = set(positions.tolist())
        wrong = sorted(once.difference(self.candidates.tolist()))
        if wrong or len(once) != len(positions):
            raise CanvasError(f"only masked positions of the window can be committed, once each; not {wrong[:5]}")
        return self.write(positions, tokens, confidence)

    def edited(self, edits: Mapping[int, int | None]) -> Canvas:
        """The canvas with other tokens at some positions, as certain as a prompt's; None masks a position again."""
        tokens, confidence = self.tokens.copy(), self.committed_confidence.copy()
        for position, token in edits.items():
            tokens[position] = self.mask_id if token is None else token
            confidence[position] = token is not None
        return replace(self, tokens=read_only(tokens), committed_confidence=read_only(confidence))

    def write(self, positions, tokens, confidence) -> Canvas:
        """The canvas with tokens written at masked positions anywhere; the mask token itself is refused."""
        written, remembered = self.tokens.copy(), self.committed_confidence.copy()
        if not self.masked[positions].all() or np.any(np.asarray(tokens) == self.mask_id):
            raise CanvasError("only masked positions can be written, and not with the mask token")
        written[positions] = tokens
        remembered[positions] = confidence
        return replace(self, tokens=read_only(written), committed_confidence=read_only(remembered))
