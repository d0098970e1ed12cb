"""Word problems with worked solutions: generated, filtered, split. Source: reasoning_gym's `gsm_symbolic`.

A problem is held out or trained on by the hash of its question, so that the two sets are disjoint whatever the seeds.
The task `gsm_symbolic` here is the easier part of that generator: see `is_easier`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

TASK = "gsm_symbolic"
HELD_OUT_SHARE = 1 / 16
LONGEST_QUESTION = 92
LONGEST_ANSWER = 95
LARGEST_NUMBER = 200
TRAINING_SEED = 10**9
CHUNK = 4096

INSTRUCTION = " Give the result as your final answer. Do not include units."
UNRENDERED = ("@{", "•", "Let's solve")
NUMBER = re.compile(r"\d+(?:\.\d+)?")
FINAL = re.compile(r"####\s*(\S+)\s*$")
AMOUNT = r"[$€£¥]?\d+(?:\.\d+)?%?"
UNIT = r"(?: [A-Za-z/]+){0,3}"
EQUATION = re.compile(rf"{AMOUNT}{UNIT}(?:\s*[-+*/x]\s*{AMOUNT}{UNIT})+\s*=\s*{AMOUNT}")
TWO_DIGIT_PRODUCT = re.compile(r"\d\d\s*[*x×]\s*[$€£¥]?\d\d")


@dataclass(frozen=True, slots=True)
class Problem:
    """A question, its worked solution (which ends in `#### answer`), and the answer alone."""

    question: str
    solution: str
    answer: str


def is_held_out(question: str) -> bool:
    """Whether a question belongs to the held-out set: decided by its SHA-256 alone."""
    digest = hashlib.sha256(question.encode()).digest()
    return int.from_bytes(digest[:4], "big") < HELD_OUT_SHARE * 2**32


def equations(problem: Problem) -> list[str]:
    """The equations of a worked solution as they stand there, with currencies and units, without the words around them."""
    return EQUATION.findall(problem.solution)


def final_answer(text: str) -> str | None:
    """What stands behind the last `####` of a solution, or None."""
    match = FINAL.search(text.strip())
    return match.group(1) if match else None


def is_clean(problem: Problem) -> bool:
    """The worked solution ends in the stated answer and no template text was left unrendered."""
    text = problem.question + problem.solution
    return final_answer(problem.solution) == problem.answer and not any(mark in text for mark in UNRENDERED)


def is_easier(problem: Problem) -> bool:
    """No number above 200 and no product of two two-digit numbers. (Lengths in tokens are checked by `fits`.)"""
    text = problem.question + " " + problem.solution
    numbers = [float(number) for number in NUMBER.findall(text)]
    return max(numbers, default=0) <= LARGEST_NUMBER and not TWO_DIGIT_PRODUCT.search(problem.solution)


def fits(problem: Problem, tokenizer) -> bool:
    """At most 92 question tokens and 95 answer tokens."""
    question, answer = tokenizer([problem.question, problem.solution], add_special_tokens=False)["input_ids"]
    return len(question) <= LONGEST_QUESTION and len(answer) <= LONGEST_ANSWER


def problems(seed: int, *, held_out: bool) -> Iterator[Problem]:
    """An endless stream of clean problems of one side of the split, without end and without repeats of a seed."""
    import reasoning_gym

    start = seed if held_out else TRAINING_SEED + seed
    while True:
        generated = reasoning_gym.create_dataset(TASK, seed=start, size=CHUNK)
        for item in generated:
            problem = from_item(item)
            if is_clean(problem) and is_held_out(problem.question) == held_out:
                yield problem
        start += CHUNK


def from_item(item: dict) -> Problem:
    """A reasoning_gym item as a Problem, without the instruction at the end of its question."""
    question = item["question"].removesuffix(INSTRUCTION).strip()
    return Problem(question, item["metadata"]["answer_cot"].strip(), item["answer"])


def task_problems(seed: int, tokenizer, *, held_out: bool) -> Iterator[Problem]:
    """The task: the easier problems that fit the canvas, as an endless stream."""
    stream = problems(seed, held_out=held_out)
    return (problem for problem in stream if is_easier(problem) and fits(problem, tokenizer))
