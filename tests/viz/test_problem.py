"""A held-out problem: drawn, its answer hidden until it is wanted, judged after a run, gone when the question changes."""

from __future__ import annotations

from collections import namedtuple
from dataclasses import replace
from itertools import cycle

import gradio as gr
import numpy as np
import pytest

from dawn.pretrain.data import Problem
from tests.browser import PAINTED, serve, visited
from tests.dawn.fakes import prediction
from tests.viz.synthetic import synthetic_trace
from viz.analysis import Analysis, Reader
from viz.lab import EXAMPLE, Lab
from viz.problem import card, judged, verdict_about
from viz.server import launch_options
from viz.store import Entry, TraceStore
from viz.tabs.explore import LIMITS, build_explore

MASK, END, FIRST = 0, 1, 2
SAYS = "4 + 3 = 7\n#### 7"
MARKUP = "<img src=x onerror=document.title='x'>"
PROBLEMS = (
    Problem("Ada has 4 pears and gets 3 more. How many has she?", SAYS, "7"),
    Problem(f"Ben has 9 figs {MARKUP}. How many has he?", SAYS, f"9{MARKUP}"),
)
State = namedtuple("State", "words busy")


class Sayer:
    """A model whose tokens are characters and that is certain of one answer to every question."""

    name, mask_id, end_ids, special_ids, longest = "embedded", MASK, (END,), (MASK, END), 4096

    def encode_text(self, text: str) -> list[int]:
        return [FIRST + ord(character) for character in text]

    encode = encode_text

    def text(self, ids) -> str:
        return "".join(self.pieces([token])[token] for token in ids if token not in self.special_ids)

    def pieces(self, ids) -> dict[int, str]:
        return {int(i): "<end>" if i == END else "<mask>" if i == MASK else chr(i - FIRST) for i in ids}

    def predict(self, canvas, needs, temperature, random):
        tokens = canvas.tokens.copy()
        tokens[canvas.prompt_length :] = END
        tokens[canvas.prompt_length :][: len(SAYS)] = self.encode_text(SAYS)
        even, zero = np.full((canvas.length, canvas.length), 1 / canvas.length), np.zeros(canvas.length)
        found = prediction(canvas, np.ones(canvas.length), even, tokens, None, zero, zero + 1)
        best = tokens[canvas.window][:, None].astype(np.int32)
        return replace(found, alternatives=(best, np.ones(best.shape, dtype=np.float32)))


def a_lab() -> Lab:
    store = TraceStore()
    store.bundle(EXAMPLE, synthetic_trace(24, 12), "Recorded example")
    return Lab(store, lambda name: Sayer(), ["embedded", "another"], lambda name: State("ready", False))


def finished(prompt: str, output: str) -> TraceStore:
    """A store with one finished run, called `run`."""
    store = TraceStore()
    store.entries["run"] = Entry(finished=replace(synthetic_trace(24, 12), prompt=prompt, output=output), done=True)
    return store


@pytest.mark.parametrize(
    ("output", "answer", "words", "right"),
    [
        ("4 + 3 = 7\n#### 7", "7", "✓ Right: 7", True),
        ("so\n#### 7.0", "7", "✓ Right: 7", True),
        ("4 + 3 = 8\n#### 8", "7", "✗ Wrong: it says 8, the right answer is 7.", False),
        ("4 + 3 =", "7", "No verdict: the text does not end in “#### number”. The right answer is 7.", None),
        ("#### " + "9" * 400, "7", f"✗ Wrong: it says {'9' * 40}, the right answer is 7.", False),
    ],
)
def test_a_verdict_compares_numbers(output, answer, words, right):
    assert verdict_about(output, answer) == {"verdict": words, "right": right}


def test_only_a_finished_run_of_the_very_question_is_judged():
    problem = card(PROBLEMS[0])
    store = finished(PROBLEMS[0].question, SAYS)
    found = judged(store, problem, {"trace": "run"})
    assert found["right"] is True and found["trace"] == "run"
    for other in ({"trace": "none"}, {"notice": "stopped"}, {}, None, "run", {"trace": ["run"]}):
        assert judged(store, problem, other) == problem
    assert judged(store, card(PROBLEMS[1]), {"trace": "run"}) == card(PROBLEMS[1])
    store.entries["run"].finished = None
    assert judged(store, problem, {"trace": "run"}) == problem


@pytest.mark.parametrize("drawn", [None, {}, [], "card", {"question": 3, "answer": "7"}, {"question": "?"}])
def test_what_is_no_card_becomes_none(drawn):
    assert judged(TraceStore(), drawn, {"trace": "run"}) == {}


@pytest.fixture(scope="module")
def address():
    lab, problems = a_lab(), cycle(PROBLEMS)
    with gr.Blocks(fill_width=True) as page:
        build_explore(
            lab, Analysis(lab, Reader(lambda model: (1, 1), lambda *_: None)), lab.there(EXAMPLE, ""), lambda: next(problems)
        )
    with serve(page, **launch_options(lab)) as url:
        yield url


@pytest.fixture
def page(context, address):
    with visited(context, address) as page:
        page.wait_for_function(PAINTED)
        yield page


def draw(page, problem: Problem) -> None:
    """Press the button until this problem is drawn."""
    for _ in PROBLEMS:
        before = page.input_value("#prompt textarea")
        page.click("#new-problem")
        page.wait_for_function("text => document.querySelector('#prompt textarea').value !== text", arg=before)
        if page.input_value("#prompt textarea") == problem.question:
            break
    page.wait_for_function("a => document.querySelector('[data-testid=right-answer]').textContent === a", arg=problem.answer)


def run(page) -> str:
    """Run the question; the verdict."""
    page.click("#run")
    page.wait_for_function("document.querySelector('[data-testid=verdict]').textContent", timeout=60_000)
    return page.inner_text("[data-testid=verdict]")


@pytest.mark.browser
def test_the_answer_is_hidden_until_it_is_wanted_and_the_verdict_comes_with_the_run(page):
    assert page.is_hidden("#problem") and LIMITS["embedded"] in page.inner_text("#prompt")
    draw(page, PROBLEMS[0])
    assert page.is_hidden("[data-testid=right-answer]")
    page.click("#problem summary")
    assert page.inner_text("[data-testid=right-answer]") == "7"
    assert run(page) == "✓ Right: 7" and page.is_hidden("#problem summary")
    page.evaluate("document.querySelector('#explorer').dataset.trace = 'another'")
    page.wait_for_function("document.querySelector('[data-testid=verdict]').textContent === ''")
    page.press("#prompt textarea", "End")
    page.keyboard.type("!")
    page.wait_for_selector("#problem", state="hidden")
    assert page.text_content("[data-testid=verdict]") == page.text_content("[data-testid=right-answer]") == ""


@pytest.mark.browser
def test_a_wrong_answer_is_told_as_text_and_the_next_problem_takes_the_verdict_away(page):
    draw(page, PROBLEMS[1])
    assert run(page) == f"✗ Wrong: it says 7, the right answer is {PROBLEMS[1].answer}."
    assert page.locator("#problem img").count() == 0 and page.title() != "x"
    draw(page, PROBLEMS[0])
    page.wait_for_function("document.querySelector('[data-testid=verdict]').textContent === ''")
    page.locator("#examples button, #examples td").first.click()
    page.wait_for_selector("#problem", state="hidden")


@pytest.mark.browser
def test_a_visitor_sees_nothing_of_anothers_problem(page, browser, address):
    draw(page, PROBLEMS[0])
    other = browser.new_page()
    other.goto(address)
    other.wait_for_function(PAINTED)
    assert other.is_hidden("#problem") and PROBLEMS[0].question not in other.content()
    other.close()


@pytest.mark.browser
def test_what_the_embedded_model_cannot_do_is_said_of_no_other(page):
    page.click("#model input")
    page.get_by_role("option", name="another").click()
    page.wait_for_function("words => !document.querySelector('#prompt').innerText.includes(words)", arg=LIMITS["embedded"])
