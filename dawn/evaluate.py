"""Accuracy and cost of a rule on held-out problems of the task: one run a problem, greedy, nothing batched."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from dawn.decode import Options
from dawn.errors import DataError
from dawn.metrics import wilson
from dawn.prediction import Needs
from dawn.pretrain.data import TASK, Problem, final_answer, task_problems
from dawn.rules import Rule
from dawn.run import BLOCK, GENERATED, TextModel, start


@dataclass(frozen=True, slots=True)
class Outcome:
    """One problem: whether the answer is right, forward passes, tokens committed by the rule, seconds."""

    right: bool
    forwards: int
    tokens: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Report:
    """Figures over n problems; ci95 is the Wilson interval of the accuracy."""

    accuracy: float
    ci95: tuple[float, float]
    n: int
    forwards_per_item: float
    tokens_per_forward: float
    tokens_per_second: float


def outcomes(model: TextModel, rule: Rule, n: int, seed: int, tokenizer, task: str = TASK) -> Iterator[Outcome]:
    """The first n held-out problems of a seed, one Outcome each; tokenizer: the embedded model's, which defines the task."""
    return (outcome(model, rule, problem) for problem in islice(held_out(seed, tokenizer, task), n))


def held_out(seed: int, tokenizer, task: str = TASK) -> Iterator[Problem]:
    """The held-out problems of a seed, without end; DataError for an unknown task."""
    if task != TASK:
        raise DataError(f"unknown task {task!r:.40}: known is {TASK}")
    return task_problems(seed, tokenizer, held_out=True)


def outcome(model: TextModel, rule: Rule, problem: Problem) -> Outcome:
    """One problem decoded to its end."""
    run = start(model, problem.question, rule, GENERATED, BLOCK, Options(), watch=Needs())
    steps = list(run.iterate())
    answer = model.text(steps[-1].after.tokens[run.canvas.prompt_length :].tolist())
    tokens = sum(len(step.decision.selection.committed) for step in steps)
    seconds = sum(sum(step.seconds) for step in steps)
    return Outcome(same_answer(final_answer(answer), problem.answer), len(steps), tokens, seconds)


def same_answer(given: str | None, expected: str) -> bool:
    """Equal as numbers, or else as text."""
    try:
        return given is not None and float(given) == float(expected)
    except ValueError:
        return given == expected


def report(results: list[Outcome]) -> Report:
    """The figures of a list of outcomes; at least one."""
    n, right = len(results), sum(outcome.right for outcome in results)
    forwards, tokens = sum(outcome.forwards for outcome in results), sum(outcome.tokens for outcome in results)
    seconds = sum(outcome.seconds for outcome in results)
    return Report(right / n, wilson(right, n), n, forwards / n, tokens / forwards, tokens / seconds)
