"""What the button draws: held out from training, of the task, another one every time."""

from __future__ import annotations

from itertools import islice

from dawn.pretrain import data
from dawn.pretrain.held_out import draw, tokenizer


def test_no_drawn_problem_is_one_that_training_takes():
    drawn = [draw() for _ in range(12)]
    assert all(data.is_held_out(problem.question) for problem in drawn)
    assert all(data.is_clean(problem) and data.is_easier(problem) and data.fits(problem, tokenizer()) for problem in drawn)
    assert len({problem.question for problem in drawn}) > 6
    trained = islice(data.task_problems(0, tokenizer(), held_out=False), 200)
    assert not any(data.is_held_out(problem.question) for problem in trained)
