"""The comparison in a real browser, on a small app with made-up runs."""

from __future__ import annotations

import gradio as gr
import numpy as np
import pytest

from dawn.metrics import disagreements, first_divergence, moments_by_step, moments_by_tokens, written_at
from dawn.rules import Original
from tests.browser import serve, visited
from tests.viz.demo import answers
from tests.viz.synthetic import END, FIRST, MASK, synthetic_trace
from viz.comparison import choices, compare
from viz.components.compare import Compare
from viz.components.explorer import Explorer
from viz.store import TraceStore

pytestmark = pytest.mark.browser

HOSTILE = ("${document.title='x'}", "<img src=x onerror=document.title='x'>", "שלום", "{{value}}", "\n")
PIECES = {0: "<s>", MASK: "[MASK]", END: "<|end|>"} | {FIRST + i: text for i, text in enumerate(HOSTILE)}
TRACES = {
    "mixed": synthetic_trace(48, 16),
    "single": synthetic_trace(48, 16, rule=Original()),
    "longer": synthetic_trace(64, 16),
    "hostile": synthetic_trace(32, 24, pieces=PIECES),
}
LEFT, RIGHT = TRACES["mixed"], TRACES["single"]
READY = '#compare[data-ready="true"]'
STATES = "all => all.map(one => [one.dataset.state, one.dataset.mark])"


def page_with(traces: dict) -> gr.Blocks:
    """Explorer (its style) and comparison, every trace bundled."""
    store = TraceStore()
    for name, trace in traces.items():
        store.bundle(name, trace)
    served = answers(traces)
    with gr.Blocks(title="Comparison") as app:
        Explorer(*served)
        Compare(served[0], lambda request: compare(store, request), {"choices": choices(store, "")})
    return app


@pytest.fixture(scope="module")
def address():
    with serve(page_with(TRACES)) as url:
        yield url


@pytest.fixture
def page(context, address):
    with visited(context, address) as page:
        shown(page, len(moments_by_step(LEFT, RIGHT)) - 1)
        yield page


def shown(page, moment: int) -> None:
    page.wait_for_selector(f'{READY}[data-moment="{moment}"]', timeout=15_000)


def go(page, moment: int) -> None:
    page.evaluate(
        """k => { const range = document.querySelector('[data-testid=moment]');
        range.value = k; range.dispatchEvent(new Event('input', { bubbles: true })); }""",
        moment,
    )
    shown(page, moment)


def choose(page, side: str, name: str) -> None:
    page.select_option(f"[data-testid={side}]", name)
    page.wait_for_selector(READY)


def expected(trace, other, step: int, theirs: int) -> list[list[str]]:
    """State and mark of every token of `trace` after `step`, beside `other` after `theirs`."""

    def canvas(run, at):
        return run.steps[at].after if at >= 0 else run.canvas

    mine, yours = canvas(trace, step), canvas(other, theirs)
    found = []
    for position, (a, b) in enumerate(zip(mine.tokens, yours.tokens, strict=True)):
        state = "masked" if a == MASK else "prompt" if position < mine.prompt_length else "committed"
        mark = "" if a in (MASK, b) else "alone" if b == MASK else "differs"
        found.append([state, mark])
    return found


def states(page, side: str) -> list[list[str]]:
    return page.eval_on_selector_all(f".cx-side[data-side={side}] .dx-token", STATES)


@pytest.mark.parametrize("mode, moments", [("steps", moments_by_step), ("tokens", moments_by_tokens)])
def test_both_canvases_stand_as_the_records_say_at_every_moment(page, mode, moments):
    page.click(f"#compare [data-do={mode}]")
    pairs = moments(LEFT, RIGHT)
    page.wait_for_selector(f'#compare[data-moments="{len(pairs)}"][data-mode={mode}]')
    for moment in range(0, len(pairs), 3):
        go(page, moment)
        left, right = pairs[moment]
        assert states(page, "left") == expected(LEFT, RIGHT, left, right)
        assert states(page, "right") == expected(RIGHT, LEFT, right, left)


def test_scrubbing_asks_the_server_nothing(page):
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    for moment in (0, 5, 9, 3, 40):
        go(page, moment)
    page.click("#compare [data-do=tokens]")
    page.keyboard.press("Home")
    shown(page, 0)
    assert [url for url in requests if "heartbeat" not in url] == []


def test_keys_and_buttons_move(page):
    page.focus("[data-testid=moment]")
    for key, moment in (("Home", 0), ("ArrowRight", 1), ("ArrowRight", 2), ("ArrowLeft", 1)):
        page.keyboard.press(key)
        shown(page, moment)
    for action, moment in (("forward", 2), ("back", 1), ("first", 0), ("last", 47)):
        page.click(f"#compare [data-do={action}]")
        shown(page, moment)


def test_the_pair_plays_and_pauses(page):
    page.focus("[data-testid=moment]")
    page.keyboard.press("Home")
    shown(page, 0)
    page.select_option("[data-testid=compare-speed]", "20")
    page.focus("[data-testid=moment]")
    page.keyboard.press("Space")
    page.wait_for_function("Number(document.querySelector('#compare').dataset.moment) >= 3")
    assert page.inner_text("[data-testid=compare-play]").endswith("Pause")
    page.keyboard.press("Space")
    assert page.inner_text("[data-testid=compare-play]").endswith("Play")
    page.click("[data-testid=compare-play]")
    shown(page, len(moments_by_step(LEFT, RIGHT)) - 1)  # and it stops by itself at the end
    page.wait_for_function("document.querySelector('[data-testid=compare-play]').textContent.endsWith('Play')")
    page.click("[data-testid=compare-play]")
    page.click("#compare [data-do=first]")
    shown(page, 0)
    assert page.inner_text("[data-testid=compare-play]").endswith("Play")  # a hand on the scrubber stops it


def test_either_pair_fills_the_screen_and_comes_back(page):
    for pair, other in (("canvases", "graphs"), ("graphs", "canvases")):
        page.click(f"[data-pair={pair}] [data-do=solo]")
        page.wait_for_selector(f"#compare[data-solo={pair}] [data-pair={pair}]")
        page.wait_for_selector(f"[data-pair={other}]", state="hidden")
        page.focus("[data-testid=moment]")
        page.keyboard.press("Home")
        shown(page, 0)
        if pair == "graphs":
            page.wait_for_function("parseInt(document.querySelector('.cx-net canvas').style.height) > 320")
        page.keyboard.press("Escape")
        page.wait_for_selector(f"#compare:not([data-solo]) [data-pair={other}]")


def test_the_first_difference_is_jumped_to_and_named(page):
    found = first_divergence(LEFT, RIGHT)
    page.click("[data-testid=parting]")
    shown(page, found.step)
    words = page.inner_text("[data-testid=says]")
    assert f"After step {found.step + 1} " in words and f"at {found.positions[0]} (" in words
    for position in found.positions:
        assert page.locator(".cx-side .dx-token[data-mark]:not([data-mark=''])").count() > 0
        marks = [page.get_attribute(f"[data-testid={side}-{position}]", "data-mark") for side in ("left", "right")]
        assert any(marks), position


def test_different_tokens_are_walked_through_in_order_in_both_modes(page):
    found = disagreements(LEFT, RIGHT)
    assert len(found) > 3 and page.locator("[data-testid=differences] tbody tr").count() == len(found)
    for mode in ("steps", "tokens"):
        page.click(f"#compare [data-do={mode}]")
        for one in found[:2]:
            page.click("[data-testid=differing]")
            page.wait_for_function(
                "start => document.querySelector('[data-testid=says]').textContent.startsWith(start)",
                arg=f"Position {one.position}:",
            )
            page.wait_for_selector(f'[data-testid=left-{one.position}][data-mark="differs"].cx-mine')
            page.wait_for_selector(f'[data-testid=right-{one.position}][data-mark="differs"].cx-mine')
        page.evaluate("document.querySelector('[data-testid=differences] tbody tr:last-child button').click()")
        page.wait_for_selector(f'[data-testid=left-{found[-1].position}][data-mark="differs"].cx-mine')


def test_differing_tokens_are_told_apart_without_colour(page):
    page.locator("[data-testid=differing]").click()
    position = disagreements(LEFT, RIGHT)[0].position
    token = page.locator(f"[data-testid=left-{position}]")
    page.wait_for_selector(f"[data-testid=left-{position}].cx-differs")
    assert "differs from the other side" in token.get_attribute("aria-label")
    assert "repeating-linear-gradient" in token.evaluate("one => getComputedStyle(one).backgroundImage")


def test_the_figures_are_those_of_the_runs(page):
    cells = page.eval_on_selector_all(
        "[data-testid=figures] tr", "all => all.map(tr => [...tr.children].map(c => c.innerText))"
    )
    figures = {row[0]: row[1:] for row in cells}
    assert figures["Rule"] == ["dawn", "original"]
    assert figures["Forward passes"] == [str(LEFT.forwards), str(RIGHT.forwards)]
    assert figures["Tokens per forward pass"] == [f"{48 / LEFT.forwards:.2f}", "1.00"]
    assert "quota 100 %" in figures["Taken as"][1] and "high" in figures["Taken as"][0]


def test_graphs_are_drawn_side_by_side_with_their_edges_as_a_table(page):
    go(page, 4)
    assert "decides without a dependency graph" in page.inner_text(".cx-net[data-side=right]")
    choose(page, "right", "mixed")
    go(page, 4)
    edges = len(LEFT.steps[4].decision.graph.source)
    for side in ("left", "right"):
        assert f"{edges} edges, {edges} on both sides" in page.inner_text(f".cx-net[data-side={side}]")
        page.click(f".cx-net[data-side={side}] summary")
        page.wait_for_function(
            "([side, n]) => document.querySelectorAll(`.cx-net[data-side=${side}] tbody tr`).length === n", arg=[side, edges]
        )
    drawn = "canvas => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some((v) => v)"
    assert page.eval_on_selector(".cx-net[data-side=left] canvas", drawn)
    page.click("#compare [data-do=plane]")
    page.wait_for_function("document.querySelector('.cx-net canvas').style.height === '320px'")


def test_sides_can_be_swapped_and_equal_runs_never_differ(page):
    page.click("#compare [data-do=swap]")
    page.wait_for_function(f"document.querySelectorAll('{READY} .cx-table tr td')[0]?.innerText === 'original'")
    choose(page, "left", "mixed")
    choose(page, "right", "mixed")
    page.wait_for_function("document.querySelector('[data-testid=says]').innerText.startsWith('The two runs never differ')")
    assert page.is_disabled("[data-testid=parting]") and page.is_disabled("[data-testid=differing]")


def test_runs_of_other_lengths_are_shown_without_marks_and_that_is_said(page):
    choose(page, "right", "longer")
    page.wait_for_selector("#compare .dx-notice:not([hidden])")
    assert "cannot be compared" in page.inner_text("#compare .dx-notice")
    assert page.locator("[data-mark=differs], [data-mark=alone]").count() == 0
    assert page.locator("[data-testid=figures] tbody tr").count() == 7


def test_hostile_text_stays_text(page):
    choose(page, "left", "hostile")
    choose(page, "right", "hostile")
    page.wait_for_selector("[data-testid=left-55]")
    tokens = ".cx-side[data-side=right] .dx-token"
    page.wait_for_function("tokens => [...document.querySelectorAll(tokens)].some((one) => one.textContent)", arg=tokens)
    texts = page.eval_on_selector_all(tokens, "all => all.map(t => t.textContent)")
    assert {"${document.title='x'}", "<img·src=x·onerror=document.title='x'>", "שלום", "{{value}}", "↵"} <= set(texts)
    assert page.title() == "Comparison" and page.locator("#compare img").count() == 0


def test_every_control_has_a_name(page):
    unnamed = """() => [...document.querySelectorAll('#compare :is(button, input, select, canvas, section, [role=group])')]
        .filter((one) => !(one.getAttribute('aria-label') || one.textContent.trim() || one.closest('label')))
        .map((one) => one.outerHTML)"""
    assert page.evaluate(unnamed) == []


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_a_phone_shows_both_sides_within_its_width(browser, address, colours):
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.goto(f"{address}?__theme={colours}")
    page.wait_for_selector(READY, timeout=15_000)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    tops = [page.locator(f".cx-side[data-side={side}]").bounding_box()["y"] for side in ("left", "right")]
    assert tops[1] > tops[0] + 100
    page.close()


def test_written_at_names_what_stood_there_before():
    steps = written_at(LEFT)
    assert all(steps[p] == -1 for p in range(16)) and np.array_equal(sorted(steps), np.arange(64))
