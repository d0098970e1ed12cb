"""Infill: masks in the prompt and fixed tokens of the answer, under every rule."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dawn.canvas import Canvas
from dawn.decode import Options, decode
from dawn.errors import CanvasError
from dawn.infill import encode_masked, fix, parse_fixed
from dawn.rules import RULES, make_rule
from dawn.run import start
from dawn.trace import from_file, to_bytes
from tests.dawn.fakes import MASK, RandomDenoiser

LETTERS = "abcdefg "


def encode(text: str) -> list[int]:
    return [1 + LETTERS.index(letter) for letter in text]


@dataclass
class Speller(RandomDenoiser):
    """RandomDenoiser with a tokenizer of eight letters."""

    name: str = "speller"
    longest: int = 100
    special_ids: tuple[int, ...] = (MASK,)

    def encode(self, prompt: str) -> list[int]:
        return encode_masked(prompt, encode, MASK)

    def encode_text(self, text: str) -> list[int]:
        return encode(text)

    def text(self, ids) -> str:
        return "".join("?" if i == MASK else LETTERS[i - 1] for i in ids)

    def pieces(self, ids) -> dict[int, str]:
        return {int(i): self.text([i]) for i in ids}


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("ab", [1, 2]),
        ("[MASK]", [MASK]),
        ("a [MASK] b", [1, MASK, 8, 2]),
        ("a[MASK x 3]", [1, MASK, MASK, MASK]),
        ("[MASK×2][MASK*1]", [MASK] * 3),
        ("", []),
    ],
)
def test_spans_become_masks_and_take_the_space_before_them(text, ids):
    assert encode_masked(text, encode, MASK) == ids


def test_only_the_agreed_form_is_a_span():
    seen = []
    encode_masked("[mask] [MASK x] [MASKS] [MASK x -1]", lambda text: seen.append(text) or [], MASK)
    assert seen == ["[mask] [MASK x] [MASKS] [MASK x -1]"]


def test_more_masks_than_any_canvas_holds_are_refused_before_they_are_made():
    with pytest.raises(CanvasError, match="19,998 masked positions"):
        encode_masked("[MASK x 9999]" * 2, lambda text: [], MASK)


def test_fixed_tokens_are_written_where_they_are_asked_for():
    canvas = fix(Canvas.blank([5, 5], 6, 3, MASK), parse_fixed("1:ab\n\n 4: c"), encode)
    assert canvas.tokens.tolist() == [5, 5, MASK, 1, 2, MASK, 8, 3]
    assert canvas.committed_confidence.tolist() == [1, 1, 0, 1, 1, 0, 1, 1]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("therefore", "is not of the form"),
        ("x: a", "is not of the form"),
        ("-1: a", "is not of the form"),
        ("5:abc", "takes 3 positions from 5 on; the answer has 6"),
        ("999999:a", "takes 1 positions"),
        ("1:ab\n2:c", "overlaps"),
        ("0:abcdef", "nothing is left to decode"),
        ("1:a" * 5000, "are taken"),
    ],
)
def test_what_does_not_fit_is_refused_with_a_reason(lines, message):
    with pytest.raises(CanvasError, match=message):
        fix(Canvas.blank([5, 5], 6, 3, MASK), parse_fixed(lines), encode)


@pytest.mark.parametrize("name", RULES)
def test_every_rule_fills_in_and_leaves_what_is_fixed(name):
    run = start(Speller(), "ab[MASK x 2]c", make_rule(name, {}), 8, 4, Options(), "2:dd")
    before = run.canvas.tokens
    for step in run.iterate():
        assert step.block == 0 or not step.canvas.masked[:5].any()
    trace = run.trace()
    assert trace.final.is_complete and len(trace.output) == 13  # the prompt too, for it held masks
    written = before != MASK
    assert np.array_equal(trace.final.tokens[written], before[written]) and trace.output[7:9] == "dd"


@given(st.integers(1, 5), st.sampled_from(sorted(RULES)))
def test_a_prompt_may_be_all_there_is(count, name):
    run = start(Speller(), f"ab[MASK x {count}]c", make_rule(name, {}), 0, 4, Options())
    steps = list(decode(run.model, run.rule, run.canvas))
    assert steps[-1].after.is_complete and all(step.block == 0 for step in steps)


def test_an_infill_is_saved_and_loaded(tmp_path):
    import io

    run = start(Speller(), "a[MASK]b", make_rule("dawn", {}), 0, 4, Options())
    list(run.iterate())
    data = to_bytes(run.trace())
    assert to_bytes(from_file(io.BytesIO(data))) == data


def test_without_masks_something_must_be_generated():
    with pytest.raises(CanvasError, match="generation length must be at least 1"):
        start(Speller(), "ab", make_rule("dawn", {}), 0, 4, Options())
