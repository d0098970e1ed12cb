"""Data, rows and masks of the training."""

from __future__ import annotations

import re

import numpy as np
import pytest

from dawn.models.registry import EMBEDDED_FOLDER
from dawn.pretrain import data
from dawn.pretrain.equations import made_up_equation
from dawn.pretrain.rows import (
    DRILL_WIDTH,
    EQUATION_WIDTHS,
    LARGEST,
    MULTIPLE,
    TIMES,
    WIDTHS,
    RowMaker,
    asked_before,
    frontier_mask,
    masked_drill,
    uniform_mask,
)


@pytest.fixture(scope="module")
def tokenizer():
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(EMBEDDED_FOLDER)


def test_problems_are_clean_and_end_in_their_answer(tokenizer):
    stream = data.task_problems(3, tokenizer, held_out=False)
    for _ in range(300):
        problem = next(stream)
        assert data.final_answer(problem.solution) == problem.answer
        assert "Give the result as your final answer" not in problem.question
        assert not any(mark in problem.question + problem.solution for mark in data.UNRENDERED)
        assert all(float(n) <= 200 for n in data.NUMBER.findall(problem.question + " " + problem.solution))


def test_the_split_holds_out_its_share():
    shares = [data.is_held_out(f"question {i}") for i in range(8000)]
    assert abs(np.mean(shares) - data.HELD_OUT_SHARE) < 0.01


@pytest.mark.parametrize("text, answer", [("so 4\n#### 4", "4"), ("#### 12.5 ", "12.5"), ("no end", None), ("", None)])
def test_final_answer(text, answer):
    assert data.final_answer(text) == answer


@pytest.mark.parametrize("largest", LARGEST)
def test_made_up_equations_are_true_and_within_bounds(largest):
    random = np.random.default_rng(largest)
    for _ in range(300):
        equation = made_up_equation(random, largest)
        known = equation.replace(" + T ", "")
        left, right = (re.sub(r"[^\d.+*/-]", "", re.sub(r"(\d) ?x ?|( )x ", r"\1*", side)) for side in known.split("="))
        assert abs(eval(left) - float(right)) < 1e-6, equation
        assert all(float(number) < largest + 1 for number in data.NUMBER.findall(equation)), equation


def test_equations_stand_without_the_words_around_them():
    solution = "In all 140 total students - 36 bake = 104.\nShe paid 8 x £5.5 = £44 and has 5-2=3 left.\n#### 3"
    found = data.equations(data.Problem("", solution, "3"))
    assert found == ["140 total students - 36 bake = 104", "8 x £5.5 = £44", "5-2=3"]


def test_a_canvas_opens_by_degrees(tokenizer):
    """What a causal row would not see is veiled up to the level, and not at all at the end."""
    maker = RowMaker(tokenizer, 4)
    for veil in (8.0, 1.0, 0.0):
        maker.veil = veil
        rows = [maker.canvas_row() for _ in range(20)]
        assert all(0 <= row.veil <= veil and (row.bias() == np.where(row.sees, 0, -np.float32(row.veil))).all() for row in rows)
        start = int(np.flatnonzero(rows[0].ids == maker.assistant)[0]) + 1
        assert rows[0].sees[:start, :start].all() and not np.triu(rows[0].sees[start:, start:], 1).any()
    single = maker.single_row()
    assert single.bias()[~single.sees].max() < -1e30


def test_rows_have_the_trained_widths_and_never_mask_the_prompt(tokenizer):
    maker = RowMaker(tokenizer, seed=5)
    for _ in range(200):
        row = maker.canvas_row()
        start = int(np.flatnonzero(row.ids == maker.assistant)[0]) + 1
        assert len(row.ids) in WIDTHS and row.masked.any() and not row.masked[:start].any()


def test_of_a_decoders_canvas_only_the_block_in_progress_is_asked(tokenizer):
    maker = RowMaker(tokenizer, seed=6)
    asked_blocks = set()
    for row in (maker.decoder_row() for _ in range(60)):
        start = int(np.flatnonzero(row.ids == maker.assistant)[0]) + 1
        blocks = (np.flatnonzero(row.asked) - start) // MULTIPLE
        assert len(set(blocks)) == 1 and not row.masked[: start + blocks[0] * MULTIPLE].any()
        assert row.masked[start + blocks[0] * MULTIPLE :].all() and row.reveal.shape == (TIMES, len(row.ids))
        assert (row.reveal < len(blocks)).all() and (row.following < 0).all()
        asked_blocks.add(blocks[0])
    assert asked_blocks == {0, 1, 2}


def test_block_and_single_rows_hold_whole_responses(tokenizer):
    maker = RowMaker(tokenizer, seed=7)
    for _ in range(30):
        for row, times in ((maker.block_row(), TIMES), (maker.single_row(), 0)):
            start = int(np.flatnonzero(row.ids == maker.assistant)[0]) + 1
            copies = row.ids[row.masked]
            assert (copies == row.ids[start : start + len(copies)]).all() and copies[-1] == maker.end
            assert len(row.ids) % MULTIPLE == 0 and len(row.reveal) == times
            assert not times or len(copies) % MULTIPLE == 0


def test_drills_ask_for_results_alone(tokenizer):
    maker = RowMaker(tokenizer, 3)
    rows = [maker.drill_row() for _ in range(60)]
    causal = [row for row in rows if not row.masked.any()]
    assert 2 < len(causal) < 30
    for row in causal:
        asked = np.flatnonzero(row.following >= 0)
        assert len(row.ids) == DRILL_WIDTH and len(asked)
        assert set(tokenizer.decode(row.following[asked])) <= set(" .0123456789")
        assert (row.ids[asked + 1] == row.following[asked]).all() and not np.triu(row.sees, 1).any()
        assert "=" in tokenizer.decode(row.ids[max(0, asked[0] - 6) : asked[0] + 1])


def test_masked_drills_mask_results_and_what_follows_them(tokenizer):
    maker = RowMaker(tokenizer, 3)
    rows = [row for row in (maker.drill_row() for _ in range(120)) if row.masked.any() and not len(row.reveal)]
    assert len(rows) > 30
    ends = 0
    for row in rows:
        assert len(row.ids) == DRILL_WIDTH and row.sees.all() and (row.masked == row.asked).all() and (row.following < 0).all()
        for at in np.flatnonzero(row.masked):
            if set(tokenizer.decode(row.ids[at : at + 1])) <= set(" .0123456789"):
                continue
            ends += 1  # no digit: what follows a result, and stands right behind one
            assert set(tokenizer.decode(row.ids[at - 1 : at])) <= set(" .0123456789")
        whole = tokenizer.decode(np.where(row.masked, tokenizer.mask_token_id, row.ids))
        assert "=" in whole and "<|mask|>" in whole
    assert ends > len(rows)


def test_open_drills_ask_for_a_result_and_its_end_in_view_of_what_precedes_it_alone(tokenizer):
    maker = RowMaker(tokenizer, 5)
    rows = [row for row in (maker.drill_row() for _ in range(60)) if len(row.reveal)]
    assert 15 < len(rows) < 45
    longer = 0
    for row in rows:
        written = int(np.argmax(row.masked))  # tokens before the masked copies
        assert len(row.ids) % MULTIPLE == 0 and row.reveal.shape == (TIMES, len(row.ids))
        for begin in np.unique(row.block[row.masked]):
            copies = np.flatnonzero(row.masked & (row.block == begin))
            wanted = copies[row.asked[copies]]
            assert row.ids[wanted].tolist() == row.ids[row.position[wanted]].tolist()
            assert set(tokenizer.decode(row.ids[wanted[:-1]])) <= set(" .0123456789") and tokenizer.decode(row.ids[wanted[:1]])
            assert (np.diff(wanted) == 1).all() and wanted[0] == copies[0]
            seen = np.flatnonzero(row.sees[copies[0]])
            assert set(seen) == set(range(row.position[copies[0]])) | set(copies)
            longer += len(copies) > len(wanted)
        assert (row.following[written:] < 0).all() and (row.following >= 0).any()
    assert longer > len(rows)


def test_an_equation_row_asks_for_one_result_anywhere(tokenizer):
    maker = RowMaker(tokenizer, 9)
    rows = [maker.equation_row() for _ in range(200)]
    causal = [row for row in rows if not row.sees.all()]
    assert 60 < len(causal) < 140 and {int(row.position[0]) // 50 for row in rows} == {0, 1, 2, 3}
    for row in rows:
        assert len(row.ids) in EQUATION_WIDTHS and (np.diff(row.position) == 1).all()
        first, last = np.flatnonzero(row.asked)[[0, -1]]
        assert tokenizer.decode(row.ids[:first]).count("=") == 1 and row.asked[first : last + 1].all()
        assert set(tokenizer.decode(row.ids[row.asked])) <= set(" .0123456789")
        assert row.masked[first:].all() and not row.masked[:first].any()
        assert np.flatnonzero(row.following >= 0).tolist() == ([] if row.sees.all() else [first - 1])
        assert row.sees.all() or (row.following[first - 1] == row.ids[first] and not np.triu(row.sees, 1).any())


def test_a_drill_that_would_mask_nothing_masks_a_result():
    results = np.array([False, True, False])
    chosen = [masked_drill(np.random.default_rng(seed), np.arange(3), results).masked for seed in range(60)]
    assert all(mask.any() for mask in chosen) and not any(mask[0] for mask in chosen)


def test_a_frontier_hides_every_number_behind_it():
    """All but the few digits next to the frontier that some states reveal."""
    random = np.random.default_rng(1)
    is_number = np.array([False] * 10 + [True, True, False, False] * 8)
    for _ in range(300):
        masked = frontier_mask(random, is_number, start=10)
        numbers = np.flatnonzero(is_number)
        hidden = masked[numbers]
        first = int(np.argmax(hidden)) if hidden.any() else len(hidden)
        assert hidden[first + 3 :].all() and not masked[:10].any()


def test_uniform_masks_cover_all_ratios():
    random = np.random.default_rng(2)
    ratios = [uniform_mask(random, 110, 10)[10:].mean() for _ in range(500)]
    assert min(ratios) < 0.05 and max(ratios) > 0.95 and abs(np.mean(ratios) - 0.5) < 0.05


def test_the_token_before_a_masked_one_is_asked_for_it():
    asked = asked_before(np.array([5, 6, 7, 8, 9]), np.array([False, True, True, False, True]))
    assert asked.tolist() == [6, -1, -1, 9, -1]
