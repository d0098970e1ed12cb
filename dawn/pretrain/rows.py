"""Training rows: token ids, which of them are masked, and what the visible ones are asked. Six kinds of row.

A single row and a block row are a problem in the layout of `blocks`: every response token asked for at once, each from all that
precedes it (single), or as a decoder fills one block after the other (block). A drill row packs equations, those of problems
and made-up ones, and asks for their results alone, in three ways: causally; masked, with all the rest in view of all, for a
network that computes at `=` what follows has not thereby learned to compute it at the masks themselves, as a canvas asks; and
open, masked together with what follows and in view of what precedes alone, for what follows tells how many digits a result
has, and a decoder does not know it yet. An equation row is one such equation by itself: where nothing else can be looked at,
arithmetic is learned from few tokens, and what is learned there serves the longer rows. A canvas row and a decoder row are what
a decoder meets: question, worked solution and end-of-text up to a fixed width, all in view of all.

What is learned causally is lost when every position suddenly sees every other, so canvases are opened by degrees: whatever
the written copy of a block row would not see is first veiled, its attention scores lowered by up to `veil`, which falls to
nothing in training.

Masks of a canvas row follow two states:
- uniform (LLaDA, arXiv 2502.09992, section 2.2): t ~ U(0, 1), every response token masked with probability t;
- frontier: what a decoder meets that goes from left to right. Before a frontier all is written; behind it no number is, and
  words are written with some probability; behind the frontier's block nothing is.
A decoder row is what a decoder of the most confident tokens meets: the blocks before one are written, and of this one nothing.
Decoder rows and block rows are asked again with those tokens shown of which the network itself is most certain.
Only the block in progress is asked, but for uniform masks: no rule ever takes more.
Only the response is ever masked. In canvas rows the token before a masked one is asked for it too: what the written
copies teach stays in use where every position sees every other.
"""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from dawn.pretrain.blocks import block_row, causally, sees_before
from dawn.pretrain.data import LARGEST_NUMBER, Problem, equations, task_problems
from dawn.pretrain.equations import made_up_equation
from dawn.pretrain.numbers import number_values
from dawn.pretrain.row import Row, revealing

MULTIPLE = 32
GENERATED = 96
DRILL_WIDTH = 96
DRILL_LENGTH = 3 * DRILL_WIDTH  # characters: about as many as fit
WIDTHS = (96, 128, 160, 192)
FULL_WIDTH_SHARE = 0.6
UNIFORM_SHARE = 0.3  # of canvas rows
TIMES = 2  # that block rows and decoder rows are asked again
REAL_SHARES = {"drill": 0.6, "equation": 0.25}  # of equations that are a problem's, not made up
DRILL_SHARES = (0.5, 0.35, 0.15)  # of results whose length is open, of masked results in view of all, and of causal ones
OPEN_LENGTH = 60  # written tokens of a drill of open results; with their copies about as many as DRILL_WIDTH
BEHIND = 4  # the most tokens masked behind an open result
EQUATION_WIDTHS = (8, 12, 16, 20)
FARTHEST = 160  # where an equation row's positions begin, at most
PARTLY_SHARE = 0.25  # of masked results: some tokens in view
LARGEST = (10, 15, 20, 30, 40, 60, 80, 100, 150, LARGEST_NUMBER)  # of made-up equations
RESULT = re.compile(r"=\s*[$€£¥]?\s*(\d+(?:\.\d+)?)")


def number_tokens(tokenizer) -> np.ndarray:
    """[V] bool: the tokens that are a whole number, with or without the space before it."""
    return np.isin(np.arange(len(tokenizer)), list(number_values(tokenizer)))


class RowMaker:
    """Rows of every kind from a seed; `veil`: see the module's text."""

    def __init__(self, tokenizer, seed: int):
        self.tokenizer = tokenizer
        self.end = tokenizer.eos_token_id
        self.user, self.assistant = tokenizer.convert_tokens_to_ids(["<|user|>", "<|assistant|>"])
        self.is_number = number_tokens(tokenizer)
        self.random = np.random.default_rng(seed)
        self.veil = 0.0
        self.waiting: list[str] = []  # equations that have no row yet
        self.task = task_problems(seed * 10**7, tokenizer, held_out=False)

    def canvas_row(self) -> Row:
        """A word problem, masked uniformly or behind a frontier."""
        ids, start = self.encode(next(self.task))
        if self.random.random() < UNIFORM_SHARE:
            masked = asked = uniform_mask(self.random, len(ids), start)
        else:
            masked = frontier_mask(self.random, self.is_number[ids], start)
            asked = masked & in_block(len(ids), start, (int(np.argmax(masked)) - start) // MULTIPLE)
        return self.opened(ids, start, masked, asked, asked_before(ids, masked))

    def decoder_row(self) -> Row:
        """A word problem of which one block is next."""
        ids, start = self.encode(next(self.task))
        written = int(np.argmax(ids[start:] == self.end))  # tokens of the answer
        block = int(self.random.integers(written // MULTIPLE + 1))
        masked = np.arange(len(ids)) >= start + block * MULTIPLE
        asked = masked & in_block(len(ids), start, block)
        one = np.zeros(len(ids), int)
        reveal = revealing(self.random, one, asked, TIMES)
        return self.opened(ids, start, masked, asked, np.full(len(ids), -1), block=one, reveal=reveal)

    def opened(self, ids: np.ndarray, start: int, masked: np.ndarray, asked: np.ndarray, following: np.ndarray, **more) -> Row:
        """A row on which every position sees every other, but for the veil."""
        veil, sees = self.veil * self.random.random(), sees_before(len(ids), start)
        return Row(ids, masked, following, np.arange(len(ids)), sees, asked, veil, **more)

    def block_row(self) -> Row:
        """A word problem filled block by block (see `blocks`)."""
        return self.in_blocks(MULTIPLE, TIMES)

    def single_row(self) -> Row:
        """A word problem whose response tokens are each asked for from all that precedes them (see `blocks`)."""
        return self.in_blocks(1, 0)

    def in_blocks(self, size: int, times: int) -> Row:
        prompt, answer = self.halves(next(self.task))
        response = answer + [self.end] * (size - len(answer) % size)
        begins = np.arange(len(response)) // size * size
        width = widened(len(prompt) + 2 * len(response))
        return block_row(self.random, prompt, response, begins, np.ones(len(response), bool), width, times)

    def halves(self, problem: Problem) -> tuple[list[int], list[int]]:
        """The token ids of the question in its chat form, and those of the worked solution."""
        question, answer = self.tokenizer([problem.question, problem.solution])["input_ids"]
        return [self.user, *question, self.assistant], answer

    def encode(self, problem: Problem) -> tuple[np.ndarray, int]:
        """ids [width] and the index of the first response token."""
        prompt, answer = self.halves(problem)
        full = self.random.random() < FULL_WIDTH_SHARE
        needed = len(prompt) + (GENERATED if full else len(answer) + 1)
        width = min(widened(max(needed, WIDTHS[0])), WIDTHS[-1])
        row = (prompt + answer + [self.end] * width)[:width]
        return np.array(row), len(prompt)

    def drill_row(self) -> Row:
        """Equations, a line each, whose results alone are asked: masked, or of the tokens before them."""
        lines: list[str] = []
        while sum(map(len, lines)) < DRILL_LENGTH:
            lines += self.equations("drill")
        ids, results = self.with_results("\n".join(lines), (DRILL_WIDTH,))
        kind = self.random.choice(["open", "masked", "causal"], p=DRILL_SHARES)
        if kind == "open":
            return open_drill(self.random, ids[:OPEN_LENGTH], results[:OPEN_LENGTH])
        if kind == "masked":
            return masked_drill(self.random, ids, results)
        return causally(ids, asked_next(ids, results), start=0)

    def equation_row(self) -> Row:
        """One equation whose result is asked, of the masks and, where none sees what comes later, of the token before it. It
        stands anywhere and is followed by masks, which are not asked."""
        results = np.zeros(0, bool)
        while not results.any():
            while not self.waiting:
                self.waiting = self.equations("equation")
            ids, results = self.with_results(self.waiting.pop(), EQUATION_WIDTHS)
        masked = results | (np.arange(len(ids)) > np.flatnonzero(results)[-1])
        position = self.random.integers(FARTHEST + 1) + np.arange(len(ids))
        if self.random.random() < 0.5:
            return Row(ids, masked, np.full(len(ids), -1), position, np.ones((len(ids), len(ids)), bool), results)
        return Row(ids, masked, asked_next(ids, first_of(results)), position, sees_before(len(ids), start=0), results)

    def with_results(self, text: str, widths: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
        """ids [width] of equations, and [width] bool: the tokens of their results. The width is the smallest that leaves room
        behind the text; what does not fit the largest is cut."""
        encoded = self.tokenizer.backend_tokenizer.encode(text)  # the tokenizer itself starts threads for every text
        is_result = np.zeros(len(text), bool)
        for match in RESULT.finditer(text):
            is_result[slice(*match.span(1))] = True
        results = [False, *(bool(is_result[start:stop].any()) for start, stop in encoded.offsets)]
        width = next((width for width in widths if width > len(results)), widths[-1])
        ids, rest = [self.assistant, *encoded.ids], max(0, width - len(results))
        return np.array(ids + [self.end] * rest)[:width], np.array(results + [False] * rest)[:width]

    def equations(self, kind: str) -> list[str]:
        """Those of a problem, for they are spelled in many ways there, or as many made up, for few numbers occur there."""
        if self.random.random() < REAL_SHARES[kind]:
            return equations(next(self.task))
        return [made_up_equation(self.random, self.largest()) for _ in range(3)]

    def largest(self) -> int:
        """The largest number of the next equation: half of the time the task's, else one of LARGEST."""
        return LARGEST_NUMBER if self.random.random() < 0.5 else int(self.random.choice(LARGEST))


def widened(length: int) -> int:
    """The width of a row that holds `length` tokens."""
    return -(-length // MULTIPLE) * MULTIPLE


def open_drill(random: np.random.Generator, ids: np.ndarray, results: np.ndarray) -> Row:
    """Each result masked with some tokens behind it, in view of what precedes it alone, as at the frontier of a canvas. The
    first of those is asked too, which tells where the result ends, and asked again with some of all these shown."""
    begins = np.full(len(ids), -1)
    for start in np.flatnonzero(first_of(results)):  # a longer block ends where the next result begins
        digits = int(np.argmin(np.r_[results[start:], False]))
        begins[start : start + digits + random.integers(1, BEHIND + 1)] = start - 1  # in the response
    copies = int((begins >= 0).sum())
    width = widened(max(len(ids) + copies, DRILL_WIDTH))
    row = block_row(random, ids[:1].tolist(), ids[1:].tolist(), begins[1:], (results | right_behind(results))[1:], width, TIMES)
    return replace(row, following=asked_next(row.ids, np.r_[results, np.zeros(width - len(ids), bool)]))


def masked_drill(random: np.random.Generator, ids: np.ndarray, results: np.ndarray) -> Row:
    """Results masked, most of them whole, of some any tokens; what follows a result, its length that is, at times too."""
    number = np.cumsum(first_of(results))  # the result that a token belongs to, or follows
    kept = random.random(len(ids) + 1)[number] < PARTLY_SHARE
    masked = results & ~(kept & (random.random(len(ids)) < 0.5))
    masked |= right_behind(results) & (random.random(len(ids)) < 0.5)
    masked[np.argmax(results)] |= not masked.any()
    everywhere = np.ones((len(ids), len(ids)), bool)
    return Row(ids, masked, np.full(len(ids), -1), np.arange(len(ids)), everywhere, masked)


def first_of(runs: np.ndarray) -> np.ndarray:
    """[width] bool: the first of every run of true entries."""
    return runs & ~np.r_[False, runs[:-1]]


def right_behind(runs: np.ndarray) -> np.ndarray:
    """[width] bool: what stands right behind every run of true entries."""
    return ~runs & np.r_[False, runs[:-1]]


def asked_next(ids: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """[width] int: at every token that a wanted one follows, that one; -1 elsewhere."""
    return np.where(np.r_[wanted[1:], False], np.roll(ids, -1), -1)


def asked_before(ids: np.ndarray, masked: np.ndarray) -> np.ndarray:
    """[width] int: at every visible token that a masked one follows, that one; -1 elsewhere."""
    return np.where(masked, -1, asked_next(ids, masked))


def in_block(width: int, start: int, block: int) -> np.ndarray:
    """[width] bool: the positions of a block, counted from the first response position `start`."""
    return (np.arange(width) - start) // MULTIPLE == block


def uniform_mask(random: np.random.Generator, width: int, start: int) -> np.ndarray:
    """[width] bool: each response position masked with one probability t ~ U(0, 1); at least one is."""
    masked = random.random(width) < random.random()
    masked[:start] = False
    if not masked.any():
        masked[random.integers(start, width)] = True
    return masked


def frontier_mask(random: np.random.Generator, is_number: np.ndarray, start: int) -> np.ndarray:
    """[width] bool: a state of block-wise decoding whose first unwritten number is the frontier (see the module's text)."""
    width = len(is_number)
    position = np.arange(width)
    begins = np.flatnonzero(first_of(is_number) & (position >= start))
    anywhere = not len(begins) or random.random() < 0.25
    frontier = int(random.integers(start, width) if anywhere else random.choice(begins))
    words = 1.0 if random.random() < 0.35 else random.random()
    behind = position >= frontier
    masked = behind & (is_number | (random.random(width) < words))
    if random.random() < 0.3:
        masked &= ~(is_number & (position < frontier + 3) & (random.random(width) < 0.4))
    if random.random() < 0.8:
        block_end = start + ((frontier - start) // MULTIPLE + 1) * MULTIPLE
        masked |= position >= block_end
    if random.random() < 0.2:
        masked |= ~behind & ~is_number & (random.random(width) < 0.3)
    masked[:start] = False
    masked[frontier] |= not masked.any()
    return masked
