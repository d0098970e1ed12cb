"""A problem that the embedded model was not trained on, another one every time."""

from __future__ import annotations

import secrets
from functools import cache

from dawn.models import embedded_tokenizer
from dawn.pretrain.data import TRAINING_SEED, Problem, task_problems

tokenizer = cache(embedded_tokenizer)


def draw() -> Problem:
    """A held-out problem of the task, drawn at random."""
    return next(task_problems(secrets.randbelow(TRAINING_SEED), tokenizer(), held_out=True))
