"""Canvas: blocks, window, commits."""

import numpy as np
import pytest
from hypothesis import given

from dawn.canvas import Canvas
from dawn.errors import CanvasError
from tests.dawn import oracles
from tests.dawn.fakes import MASK, canvases


def test_a_blank_canvas_is_prompt_then_masks():
    canvas = Canvas.blank([7, 8], 5, 4, MASK)
    assert canvas.tokens.tolist() == [7, 8, 0, 0, 0, 0, 0]
    assert canvas.committed_confidence.tolist() == [1, 1, 0, 0, 0, 0, 0]
    assert (canvas.block, canvas.block_span(0), canvas.block_span(1)) == (0, (2, 6), (6, 7))
    assert canvas.candidates.tolist() == canvas.window.tolist() == [2, 3, 4, 5]


def test_the_active_block_is_the_first_one_with_a_mask():
    canvas = Canvas.of([7, 1, 1, 0, 1, 0], 1, 2, MASK)
    assert canvas.block == 1
    assert canvas.window.tolist() == [3, 4]
    assert canvas.candidates.tolist() == [3]


def test_a_mask_in_the_prompt_belongs_to_the_first_block():
    canvas = Canvas.of([7, 0, 1, 1, 0], 2, 2, MASK)
    assert canvas.block == 0
    assert canvas.candidates.tolist() == [1]
    assert canvas.window.tolist() == [1, 2, 3]


@given(canvases())
def test_candidates_are_the_masked_positions_before_the_blocks_end(canvas):
    assert set(canvas.candidates.tolist()) == oracles.masked_window(canvas)
    assert set(canvas.candidates) <= set(canvas.window)
    assert (np.diff(canvas.window) > 0).all() and canvas.window[-1] + 1 == oracles.end_of_block(canvas)


def test_commit_gives_a_new_canvas_and_leaves_the_old_one():
    canvas = Canvas.blank([7], 3, 3, MASK)
    after = canvas.commit([2], [5], [0.5])
    assert after.tokens.tolist() == [7, 0, 5, 0] and canvas.tokens.tolist() == [7, 0, 0, 0]
    assert after.committed_confidence.tolist() == [1, 0, 0.5, 0]
    assert not after.is_complete and after.commit([1, 3], [4, 4], [1, 1]).is_complete
    with pytest.raises(ValueError, match="read-only"):
        after.tokens[0] = 1


@pytest.mark.parametrize("positions", [[0], [1], [4], [2, 2], [-1], [99]])
def test_only_masked_positions_of_the_window_can_be_committed(positions):
    canvas = Canvas.of([7, 7, 0, 0, 0, 0], 1, 3, MASK)
    with pytest.raises(CanvasError, match="only masked positions of the window"):
        canvas.commit(positions, [5] * len(positions), [1.0] * len(positions))


def test_the_mask_token_cannot_be_committed():
    with pytest.raises(CanvasError, match="not with the mask token"):
        Canvas.blank([7], 3, 3, MASK).commit([1], [MASK], [1.0])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Canvas.blank([1], 0, 4, MASK), "generation length must be at least 1"),
        (lambda: Canvas.blank([1], 4, 0, MASK), "block length must be at least 1"),
        (lambda: Canvas.of([1, 2], 3, 4, MASK), "a prompt of 3 positions does not fit into 2"),
        (lambda: Canvas.of([1, 2], -1, 4, MASK), "a prompt of -1 positions"),
        (lambda: Canvas.of([[1, 0]], 0, 4, MASK), "one row of ids"),
        (lambda: Canvas.of([1, 2], 1, 4, MASK).block, "no active block"),
    ],
)
def test_a_canvas_that_cannot_exist_is_refused(make, message):
    with pytest.raises(CanvasError, match=message):
        make()


def test_an_empty_prompt_is_a_canvas():
    assert Canvas.blank([], 3, 2, MASK).candidates.tolist() == [0, 1]
