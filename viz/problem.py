"""A held-out problem that a visitor has drawn: its right answer, and the verdict about the run that is shown.

What the page's card holds: {"question", "answer", "verdict": words or None, "right": bool or None, "trace": the name of the
judged one or None}; {} where nothing is drawn.
It is the visitor's own, kept by the page and not by the server; what comes back from there is checked here.
"""

from __future__ import annotations

from dawn.errors import TraceError
from dawn.evaluate import same_answer
from dawn.pretrain.data import Problem, final_answer
from viz.store import TraceStore

LONGEST = 40  # characters of an answer in a verdict
NO_VERDICT = {"verdict": None, "right": None, "trace": None}


def card(problem: Problem) -> dict:
    """The card of a problem that was just drawn."""
    return {"question": problem.question, "answer": problem.answer, **NO_VERDICT}


def judged(store: TraceStore, drawn: object, shown: object) -> dict:
    """The card with the verdict about the trace that the explorer shows, if that is a finished run of the card's question.
    drawn: the card as the page has it; shown: the explorer's value."""
    if not isinstance(drawn, dict) or not all(isinstance(drawn.get(name), str) for name in ("question", "answer")):
        return {}
    question, answer = drawn["question"], drawn["answer"]
    output = output_of(store, shown, question)
    verdict = NO_VERDICT if output is None else verdict_about(output, answer) | {"trace": shown["trace"]}
    return {"question": question, "answer": answer, **verdict}


def output_of(store: TraceStore, shown: object, question: str) -> str | None:
    """What the shown trace wrote, if it is a finished run of that question."""
    try:
        entry = store.get(shown.get("trace") if isinstance(shown, dict) else None)
    except TraceError:
        return None
    return entry.finished.output if entry.finished and entry.prompt == question else None


def verdict_about(output: str, answer: str) -> dict:
    """Right or wrong, with the given answer; neither where the output does not end in one."""
    given = final_answer(output)
    if given is None:
        return {"verdict": f"No verdict: the text does not end in “#### number”. The right answer is {answer}.", "right": None}
    if same_answer(given, answer):
        return {"verdict": f"✓ Right: {answer}", "right": True}
    return {"verdict": f"✗ Wrong: it says {given[:LONGEST]}, the right answer is {answer}.", "right": False}
