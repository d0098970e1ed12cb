"""The loop: it ends, it keeps the prompt, it stops when told, and a seed fixes it."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dawn.canvas import Canvas
from dawn.decode import Options, decode
from dawn.errors import CanvasError, ThresholdError
from dawn.prediction import EVERYTHING
from dawn.rules import Confidence, Dawn, Moment, Original
from tests.dawn.fakes import MASK, RandomDenoiser, ScriptedDenoiser, canvases, rules

SEEDS = st.integers(0, 10_000)
END = 8


@given(canvases(), rules(), SEEDS)
def test_ends_within_as_many_steps_as_masks_and_keeps_what_is_written(canvas, rule, seed):
    denoiser = RandomDenoiser(seed)
    steps = list(decode(denoiser, rule, canvas))
    assert 1 <= len(steps) == denoiser.calls <= canvas.masked.sum()
    final = steps[-1].after
    assert final.is_complete
    written = ~canvas.masked
    assert np.array_equal(final.tokens[written], canvas.tokens[written])
    assert np.array_equal(final.committed_confidence[written], canvas.committed_confidence[written])


@given(canvases(), rules(), SEEDS)
def test_steps_follow_one_another(canvas, rule, seed):
    steps = list(decode(RandomDenoiser(seed), rule, canvas))
    assert [step.index for step in steps] == list(range(len(steps)))
    assert steps[0].canvas is canvas
    for before, after in pairwise(steps):
        assert np.array_equal(before.after.tokens, after.canvas.tokens)
        assert before.block <= after.block
    for step in steps:
        chosen = step.decision.selection.positions
        assert len(chosen) and set(chosen.tolist()) <= set(step.canvas.candidates.tolist())
        assert np.array_equal(step.after.committed_confidence[chosen], step.prediction.confidence[chosen])
        assert len(step.seconds) == 3 and min(step.seconds) >= 0


@given(canvases(), rules(), SEEDS, st.integers(1, 30))
def test_the_step_limit_is_never_exceeded(canvas, rule, seed, limit):
    denoiser = RandomDenoiser(seed)
    steps = list(decode(denoiser, rule, canvas, Options(step_limit=limit)))
    assert len(steps) == denoiser.calls <= limit
    assert len(steps) == limit or steps[-1].after.is_complete


@given(canvases(), st.integers(1, 14), SEEDS)
def test_the_moment_counts_steps_and_masks_of_a_block(canvas, steps_per_block, seed):
    steps = list(decode(RandomDenoiser(seed), Original(steps_per_block), canvas))
    blocks = {step.block: [s for s in steps if s.block == step.block] for step in steps}
    for block in blocks.values():
        masks = len(block[0].canvas.candidates)
        assert [step.moment for step in block] == [Moment(t, masks) for t in range(len(block))]
        assert len(block) == min(steps_per_block, masks)


@pytest.mark.parametrize("after", [0, 1, 3])
def test_cancelling_stops_between_steps_and_keeps_what_there_is(after):
    made = []
    canvas = Canvas.blank([1], 8, 8, MASK)
    for step in decode(RandomDenoiser(), Original(), canvas, cancelled=lambda: len(made) >= after):
        made.append(step)
    assert len(made) == after


def test_nothing_runs_ahead_of_its_consumer():
    denoiser = RandomDenoiser()
    steps = decode(denoiser, Original(), Canvas.blank([1], 8, 8, MASK))
    assert denoiser.calls == 0
    next(steps)
    assert denoiser.calls == 1


def ends_with(tokens, confidence, canvas, **options):
    denoiser = ScriptedDenoiser([tokens], [confidence], end_ids=(END, 7))
    return list(decode(denoiser, Original(), canvas, Options(**options)))


def test_an_end_of_text_without_masks_before_it_ends_the_run_and_fills_the_rest():
    canvas = Canvas.blank([5, END], 6, 3, MASK)  # an end of text in the prompt means nothing
    steps = ends_with([1, 1, 3, END, 4, 4, 4, 4], [1, 1, 0.8, 0.9, 0.1, 0.1, 0.1, 0.1], canvas)
    assert [step.decision.selection.positions.tolist() for step in steps] == [[3], [2]]
    assert steps[0].filled.tolist() == [] and steps[1].filled.tolist() == [4, 5, 6, 7]
    assert steps[-1].after.tokens.tolist() == [5, END, 3, END, END, END, END, END]
    assert steps[-1].after.committed_confidence[4:].tolist() == [0, 0, 0, 0]


def test_the_fill_is_the_token_that_ended_the_run():
    steps = ends_with([1, 7, 4, 4], [1, 0.9, 0.1, 0.1], Canvas.blank([5], 3, 3, MASK))
    assert steps[-1].after.tokens.tolist() == [5, 7, 7, 7]


def test_without_stop_at_end_every_position_is_decoded():
    canvas = Canvas.blank([5], 4, 2, MASK)
    steps = ends_with([1, END, 4, 4, 4], [1, 0.9, 0.1, 0.1, 0.1], canvas, stop_at_end=False)
    assert len(steps) == 4 and steps[-1].after.tokens.tolist() == [5, END, 4, 4, 4]


@given(canvases(), rules(), SEEDS)
def test_whatever_ends_the_canvas_is_complete_and_nothing_follows_the_end(canvas, rule, seed):
    steps = list(decode(RandomDenoiser(seed, end_ids=(END, 7)), rule, canvas))
    assert steps[-1].after.is_complete
    for step in steps[:-1]:
        assert not len(step.filled)


@given(canvases(), SEEDS, st.integers(0, 2**32 - 1))
def test_a_seed_fixes_a_sampled_run(canvas, seed, noise):
    runs = [
        [step.after.tokens.tolist() for step in decode(RandomDenoiser(seed), Dawn(), canvas, Options(2.0, noise))]
        for _ in range(2)
    ]
    assert runs[0] == runs[1]


def test_another_seed_samples_other_tokens():
    canvas = Canvas.blank([1], 40, 40, MASK)
    one, other = (list(decode(RandomDenoiser(), Original(), canvas, Options(5.0, seed)))[-1].after for seed in (1, 2))
    assert one.tokens.tolist() != other.tokens.tolist()


@given(canvases(), SEEDS)
def test_watching_records_more_and_decides_the_same(canvas, seed):
    rule = Confidence(0.6)
    plain = list(decode(RandomDenoiser(seed), rule, canvas))
    watched = list(decode(RandomDenoiser(seed), rule, canvas, watch=EVERYTHING))
    assert plain[0].prediction.attention is None and plain[0].prediction.alternatives is None
    assert watched[0].prediction.attention is not None
    assert watched[0].prediction.alternatives[0].shape == (len(canvas.window), 5)
    assert [s.after.tokens.tolist() for s in plain] == [s.after.tokens.tolist() for s in watched]


def test_a_complete_canvas_is_refused():
    with pytest.raises(CanvasError, match="nothing to decode"):
        next(decode(RandomDenoiser(), Dawn(), Canvas.of([1, 2], 1, 1, MASK)))


def test_a_denoiser_that_predicts_the_mask_token_is_refused_and_does_not_loop():
    with pytest.raises(CanvasError, match="mask token"):
        ends_with([1, MASK, MASK], [1, 0.9, 0.9], Canvas.blank([5], 2, 2, MASK))


@pytest.mark.parametrize(
    "given",
    [{"temperature": -1}, {"temperature": float("nan")}, {"seed": -1}, {"seed": 1.5}, {"seed": 2**32}]
    + [{"step_limit": n} for n in (0, -1, 2.5, True)],
)
def test_options_outside_their_range_are_refused(given):
    (name,) = given
    with pytest.raises(ThresholdError, match=name.replace("_", " ")):
        Options(**given)


def test_suppressed_end_of_text_is_taken_last():
    canvas = Canvas.blank([5], 4, 4, MASK)
    denoiser = ScriptedDenoiser([[5, END, 3, 3, 3]], [[1, 0.99, 0.9, 0.9, 0.95]], end_ids=(END,))
    free = list(decode(denoiser, Original(), canvas))
    late = list(decode(denoiser, Original(), canvas, Options(suppress_end=True)))
    assert [step.decision.selection.positions.tolist() for step in free] == [[1]]
    assert [step.decision.selection.positions.tolist() for step in late] == [[4], [2], [3], [1]]
    assert late[0].prediction.confidence[0] == 1 and late[-1].prediction.confidence[1] == 0


@given(canvases(), rules(), SEEDS)
def test_suppression_leaves_every_decision_possible(canvas, rule, seed):
    denoiser = RandomDenoiser(seed, end_ids=(3, END))
    for step in decode(denoiser, rule, canvas, Options(suppress_end=True), EVERYTHING):
        ends = step.canvas.masked & np.isin(step.prediction.tokens, (3, END))
        known = ends & ~np.isnan(step.prediction.confidence)
        assert (step.prediction.confidence[known] == 0).all() and step.after.length == canvas.length


def test_filling_says_how_many_forward_passes_it_saved():
    canvas = Canvas.blank([5], 12, 4, MASK)
    denoiser = ScriptedDenoiser([[5, 3, END] + [3] * 10], [[1, 0.9, 0.8] + [0.1] * 10], end_ids=(END,))
    steps = list(decode(denoiser, Original(), canvas))
    assert [step.forwards_saved for step in steps] == [(0, 0), (3, 10)]
