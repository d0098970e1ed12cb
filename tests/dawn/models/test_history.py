"""The changes that KLASS reads, against distributions of whole canvases kept over whole decodes."""

from __future__ import annotations

import gc

import numpy as np
import pytest
import torch

from dawn.canvas import Canvas
from dawn.decode import decode
from dawn.models import load_model
from dawn.models.history import History, tracked
from dawn.prediction import EVERYTHING, Needs
from dawn.rules import Klass
from tests.dawn.models.small import small_checkpoint


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return load_model(str(small_checkpoint(tmp_path_factory.mktemp("model"))))


def blank(model) -> Canvas:
    return Canvas.blank(model.encode("What is 2 + 3?"), 12, 4, model.mask_id)


def whole_shares(model, canvas) -> np.ndarray:
    """[L, V] float64, the mask token excluded."""
    with torch.inference_mode():
        hidden = model.forward(torch.tensor(np.array(canvas.tokens)[None]).long(), None)
        return model.logits(hidden, np.arange(canvas.length)).double().softmax(-1).numpy()


def test_changes_equal_those_of_a_history_of_everything(model):
    canvas = blank(model)
    steps = list(decode(model, Klass(2, 0.0, 100.0), canvas))
    assert len({step.block for step in steps}) == 3
    before, changes = np.zeros((canvas.length, len(whole_shares(model, canvas)[0]))), []
    for step in steps:
        now = whole_shares(model, step.canvas)
        changes.append((now * (np.log(now + 1e-12) - np.log(before + 1e-12))).sum(-1))
        before, read = now, step.canvas.candidates
        np.testing.assert_allclose(step.prediction.kl[-1, read], changes[-1][read], rtol=1e-3, atol=1e-5)
        if step.moment.step_in_block >= 1:
            np.testing.assert_allclose(step.prediction.kl[-2, read], changes[-2][read], rtol=1e-3, atol=1e-5)


def test_runs_that_take_turns_do_not_share_their_history(model):
    rule = Klass(0, 0.0, 100.0)
    alone = [step.prediction.kl for step in decode(model, rule, blank(model))]
    turns = [
        [one.prediction.kl, two.prediction.kl]
        for one, two in zip(*(decode(model, rule, blank(model)) for _ in "ab"), strict=True)
    ]
    for kl, (one, two) in zip(alone, turns, strict=True):
        np.testing.assert_array_equal(kl, one)
        np.testing.assert_array_equal(kl, two)


def test_a_finished_run_is_forgotten_and_others_remember_nothing(model):
    list(decode(model, Klass(), blank(model)))
    gc.collect()
    assert len(model.histories.by_run) == 0
    seen = model.predict(blank(model), EVERYTHING, 0.0, np.random.default_rng(0))
    assert seen.kl is None and len(model.histories.by_run) == 0


def test_watching_the_changes_leaves_sampling_as_it_was(model):
    seen = [model.predict(blank(model), needs, 1.0, np.random.default_rng(0)) for needs in (Needs(), Needs(kl=2))]
    np.testing.assert_array_equal(seen[0].tokens, seen[1].tokens)


def test_kept_are_the_window_and_the_next_block_with_masks():
    canvas = Canvas.blank([5, 6], 12, 3, 0)
    assert tracked(canvas).tolist() == [2, 3, 4, 5, 6, 7]
    written = canvas.write(np.array([3, 5, 6, 7, 9]), [1] * 5, 1.0)
    assert tracked(written).tolist() == [2, 4, 8, 10]
    assert tracked(written.write(np.array([8, 10, 11, 12, 13]), [1] * 5, 1.0)).tolist() == [2, 4]


def test_a_history_shorter_than_asked_for_is_unknown_before():
    history, half = History(), torch.tensor([[0.5, 0.5]])
    first = history.advance(3, np.array([1]), half, 2)
    assert first.shape == (2, 3) and np.isnan(first[0]).all() and first[1, 1] == pytest.approx(np.log(0.5 / 1e-12), rel=1e-5)
    second = history.advance(3, np.array([1, 2]), half.repeat(2, 1), 2)
    assert second[0, 1] == first[1, 1] and second[1, 1] == 0 and np.isnan(second[1, 2])
