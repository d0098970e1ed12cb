"""The explorer in a real browser, on a small app with made-up runs."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from dawn.prediction import Needs
from dawn.rules import Dawn, EntropyBounded, Factor, Klass, LocalLeap, Margin, Original
from dawn.thresholds import Thresholds
from tests.browser import launch, serve
from tests.viz.demo import demo
from tests.viz.synthetic import END, FIRST, MASK, synthetic_trace

pytestmark = pytest.mark.browser

STRICT = Dawn(Thresholds(high=0.999, induced=0.999, low=0.998, sink=4.0, sink_mode="relative", edge=0.05))
HOSTILE = (
    "${document.title='x'}",
    "<img src=x onerror=document.title='x'>",
    "👩\u200d👧",
    "שלום",
    "{{value}}",
    "\u202eabc",
    "\n",
)
RANKINGS = {  # a rule, and every tier and reason that its run holds
    "eb": (EntropyBounded(), {"ranked", "forced", "outranked"}),
    "factor": (Factor(), {"ranked", "forced", "below"}),
    "klass": (Klass(2), {"stable", "quota", "below", "outranked", "unstable"}),
    "localleap": (LocalLeap(), {"high", "nearby", "forced", "below"}),
    "margin": (Margin(), {"quota", "outranked"}),
}
TRACES = {name: synthetic_trace(48, 16, rule=rule) for name, (rule, _) in RANKINGS.items()} | {
    "long": synthetic_trace(200, 48, rule=STRICT),
    "mixed": synthetic_trace(96, 64),
    "growing": synthetic_trace(48, 16),
    "blind": synthetic_trace(32, 16, rule=Original(), watch=Needs(alternatives=5)),
    "hostile": synthetic_trace(
        32, 24, pieces={0: "<s>", MASK: "[MASK]", END: "<|end|>"} | {FIRST + i: t for i, t in enumerate(HOSTILE)}
    ),
}
SCRUB = """async (moves) => {
  const root = document.querySelector('#explorer'), scrubber = root.querySelector('[data-testid=scrubber]'), times = [];
  const last = Number(scrubber.max);
  for (let i = 0; i < moves; i++) {
    const goal = (i * 37) % (last + 1), start = performance.now();
    const painted = new Promise((done) => {
      const seen = new MutationObserver(() => { if (root.dataset.step === String(goal)) { seen.disconnect(); done(); } });
      seen.observe(root, { attributes: true, attributeFilter: ['data-step'] });
    });
    scrubber.value = goal;
    scrubber.dispatchEvent(new Event('input', { bubbles: true }));
    await painted;
    times.push(performance.now() - start);
    await new Promise(requestAnimationFrame);
  }
  return times;
}"""
ASK = """async (values) => {
  const box = document.querySelector('[data-testid=whatif]'), range = document.querySelector('#edge input[type=range]');
  const times = [];
  const answered = (edge) => ['differs', 'equal'].includes(box.dataset.state) && JSON.parse(box.dataset.settings).edge === edge;
  for (const edge of values) {
    const start = performance.now();
    range.value = edge;
    range.dispatchEvent(new Event('input', { bubbles: true }));
    while (!answered(edge) && performance.now() - start < 5000) await new Promise((done) => setTimeout(done, 1));
    times.push(performance.now() - start);
  }
  return times;
}"""


@pytest.fixture(scope="module")
def browser():
    with launch() as one:
        yield one


@pytest.fixture(scope="module")
def address():
    with serve(demo(TRACES, "mixed")) as url:
        yield url


@pytest.fixture
def page(browser, address):
    """The app with the run `mixed` painted; an error of a script fails the test."""
    page, errors = browser.new_page(viewport={"width": 1400, "height": 1000}), []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(address)
    painted(page, len(TRACES["mixed"].steps) - 1)
    yield page
    page.close()
    assert not errors


def painted(page, step: int) -> None:
    page.wait_for_selector(f'#explorer[data-step="{step}"]', timeout=30_000)


def open_run(page, name: str) -> None:
    """Choose a run and wait for its last step."""
    page.click("#pick input")
    page.get_by_role("option", name=name, exact=True).click()
    if name in TRACES:
        steps = len(TRACES[name].steps)
        page.wait_for_selector(f'#explorer[data-steps="{steps}"][data-step="{steps - 1}"]', timeout=30_000)


def show(page, step: int) -> None:
    page.evaluate(f"window.dawnExplorer.show({step})")
    painted(page, step)


def quickest(page, script: str, argument, limit: float) -> float:
    """The 95th percentile in ms, of up to three rounds until one is within the limit: a busy machine can only add."""
    for _ in range(3):
        p95 = float(np.percentile(page.evaluate(script, argument), 95))
        print(f"p95 {p95:.1f} ms")
        if p95 <= limit:
            break
    return p95


def card_of(page, position: int) -> str:
    """Lock a token and read its card."""
    page.click(f"[data-testid=token-{position}]")
    page.wait_for_function(f"document.querySelector('.dx-cardhead b')?.textContent === '{position}'")
    return page.inner_text("[data-testid=card]")


def states(page) -> list[tuple[str, str]]:
    return [
        tuple(pair) for pair in page.eval_on_selector_all(".dx-token", "all => all.map(t => [t.dataset.state, t.dataset.tier])")
    ]


def test_tokens_stand_as_the_record_says_at_every_step(page):
    tiers = [""] * TRACES["mixed"].canvas.length
    for record in TRACES["mixed"].steps:
        for commit in record.decision.selection.committed:
            tiers[commit.position] = commit.tier.value
        for position in record.filled:
            tiers[position] = "filled"
        show(page, record.index)
        masked, prompt = record.after.masked, record.canvas.prompt_length
        expected = ["prompt" if i < prompt else "masked" if masked[i] else "committed" for i in range(len(masked))]
        assert states(page) == list(zip(expected, tiers, strict=True))


def test_scrubbing_is_fast_and_asks_the_server_nothing(page):
    open_run(page, "long")
    assert len(TRACES["long"].steps) == 200 and TRACES["long"].canvas.length >= 160
    requests = []
    page.on("request", lambda request: requests.append(request.url))
    p95 = quickest(page, SCRUB, 200, limit=50)
    assert requests == []
    assert p95 <= 50


def test_another_threshold_is_answered_in_time(page):
    show(page, 10)
    assert quickest(page, ASK, [round(0.06 + 0.01 * (i % 20), 2) for i in range(40)], limit=150) <= 150


def test_added_and_dropped_are_marked_and_follow_the_step(page):
    show(page, 10)
    settings = "{edge: 0.3, low: 0.3, induced: 0.3}"
    page.evaluate(f"window.dawnExplorer.propose('dawn', {settings})")
    box = page.wait_for_selector('[data-testid=whatif][data-state="differs"][data-step="10"]')
    added = box.get_attribute("data-added").split(",")
    assert page.locator(".dx-token.dx-add").count() == len(added) > 0
    requests = []
    page.on("request", lambda request: requests.append(request.url))
    show(page, 12)
    page.wait_for_selector('[data-testid=whatif][data-step="12"]')
    assert len(requests) == 1
    page.evaluate("window.dawnExplorer.clearProposal()")
    page.wait_for_selector('[data-testid=whatif][data-state="none"]')
    assert page.locator(".dx-token.dx-add").count() == 0


def test_the_recorded_thresholds_are_recognised_without_a_request(page):
    requests = []
    page.on("request", lambda request: requests.append(request.url))
    page.evaluate("window.dawnExplorer.propose('dawn', {edge: 0.05})")
    page.wait_for_selector('[data-testid=whatif][data-state="recorded"]')
    assert "Same as recorded" in page.inner_text("[data-testid=whatif]")
    assert requests == []


def test_a_refused_proposal_is_a_notice(page):
    page.evaluate("window.dawnExplorer.propose('dawn', {edge: 7})")
    page.wait_for_selector(".dx-notice:not([hidden])")
    assert "edge must be a number" in page.inner_text(".dx-notice")


def test_keys_and_buttons_move(page):
    last = len(TRACES["mixed"].steps) - 1
    page.focus("[data-testid=scrubber]")
    for key, step in (("Home", 0), ("ArrowRight", 1), ("ArrowRight", 2), ("ArrowLeft", 1), ("End", last)):
        page.keyboard.press(key)
        painted(page, step)
    page.click("[data-do=first]")
    painted(page, 0)
    page.click("[data-do=forward]")
    painted(page, 1)


def test_play_and_pause(page):
    show(page, 0)
    page.select_option("[data-testid=speed]", "20")
    page.click("[data-testid=play]")
    page.wait_for_function("Number(document.querySelector('#explorer').dataset.step) >= 4")
    page.click("[data-testid=play]")
    assert page.inner_text("[data-testid=play]").endswith("Play")
    paused = page.get_attribute("#explorer", "data-step")
    page.wait_for_timeout(250)
    assert page.get_attribute("#explorer", "data-step") == paused


def test_a_click_locks_and_escape_or_a_second_click_unlocks(page):
    show(page, 5)
    token = page.locator("[data-testid=token-66]")
    for unlock in (lambda: page.keyboard.press("Escape"), token.click):
        token.click()
        page.mouse.move(5, 5)
        page.wait_for_selector(".dx-lock:has-text('locked')")
        assert "66" in page.inner_text(".dx-cardhead")
        unlock()
        page.wait_for_selector(".dx-lock:has-text('hover')")


def test_the_card_names_anchors_and_blockers_with_their_weights(page):
    induced = next((r, c) for r in TRACES["mixed"].steps for c in r.decision.selection.committed if c.evidence)
    show(page, induced[0].index)
    card = card_of(page, induced[1].position)
    anchor, weight = induced[1].evidence[0]
    assert f"{anchor} " in card and re.search(rf"{f'{weight:.3f}'.lstrip('0')}\d* ≥ edge \.05", card)
    page.keyboard.press("Escape")
    step, refusal = next((r, x) for r in TRACES["mixed"].steps for x in r.decision.selection.refused if x.blocker is not None)
    show(page, step.index)
    card = card_of(page, refusal.position)
    assert "in conflict with" in card and f"{refusal.blocker} " in card


@pytest.mark.parametrize("name", sorted(RANKINGS))
def test_the_card_has_words_for_every_rule(page, name):
    """One position per tier and reason of a run."""
    open_run(page, name)
    seen = {}
    for record in TRACES[name].steps:
        for one in record.decision.selection.committed + record.decision.selection.refused:
            kind = one.tier if hasattr(one, "tier") else one.reason
            seen.setdefault(kind.value, (record.index, one.position))
    assert set(seen) == RANKINGS[name][1]
    for kind, (step, position) in seen.items():
        show(page, step)
        page.keyboard.press("Escape")
        card = card_of(page, position)
        assert ("Not taken" in card) == (kind in ("below", "outranked", "unstable")), kind
        assert not {"undefined", "NaN", "null"} & set(card.replace(".", " ").replace(",", " ").split()), card


def test_hostile_text_stays_text(page):
    open_run(page, "hostile")
    trace = TRACES["hostile"]
    for position in range(0, trace.canvas.length, 3):
        page.hover(f"[data-testid=token-{position}]")
    texts = page.eval_on_selector_all(".dx-token", "all => all.map(t => t.textContent)")
    for text in (
        "${document.title='x'}",
        "<img·src=x·onerror=document.title='x'>",
        "👩\u200d👧",
        "שלום",
        "{{value}}",
        "⟨202e⟩abc",
        "↵",
    ):
        assert text in texts
    assert page.title() == "Explorer"
    assert page.locator("#explorer img").count() == 0


def test_steps_are_drawn_as_they_arrive_until_somebody_scrubs_away(page):
    steps = len(TRACES["growing"].steps)
    page.click("#grow")
    page.wait_for_selector(f'#explorer[data-steps="{steps}"][data-step="{steps - 1}"]', timeout=30_000)
    show(page, 2)
    assert page.get_attribute("#explorer", "data-steps") == str(steps)


def test_without_attention_the_panels_say_so(page):
    open_run(page, "blind")
    assert "without a dependency graph" in page.inner_text("[data-testid=graph]")
    assert "No attention was recorded" in page.inner_text("[data-testid=attention]")


def test_a_run_that_is_gone_is_a_notice(page):
    open_run(page, "missing")
    page.wait_for_selector(".dx-notice:not([hidden])")
    assert "this run is gone" in page.inner_text(".dx-notice")


def test_decode_again_names_trace_and_step(page):
    show(page, 7)
    page.click("[data-testid=fork]")
    page.wait_for_function("document.querySelector('#forked textarea, #forked input').value === 'mixed 7'")


def test_a_phone_shows_every_panel_within_its_width(browser, address):
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.goto(address)
    painted(page, len(TRACES["mixed"].steps) - 1)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    for panel in ("graph", "attention"):
        assert page.locator(f"[data-testid={panel}] .dx-base").bounding_box()["width"] > 250
    page.close()


LISTEN = """() => {
  window.heard = [];
  const hear = (event) => window.heard.push([event.type, event.detail]);
  for (const name of ['dawn:step', 'dawn:select']) document.addEventListener(name, hear);
}"""


def heard(page, name: str, detail: dict) -> None:
    """Wait until an event with exactly this detail has come."""
    script = "([name, text]) => window.heard.some((one) => one[0] === name && JSON.stringify(one[1]) === text)"
    page.wait_for_function(script, arg=[name, json.dumps(detail, separators=(",", ":"))], timeout=30_000)


def test_other_components_hear_of_steps_and_selections_and_may_set_both(page):
    page.evaluate(LISTEN)
    show(page, 4)
    heard(page, "dawn:step", {"trace": "mixed", "step": 4, "steps": len(TRACES["mixed"].steps)})
    page.evaluate("window.dawnExplorer.select(70, true)")
    heard(page, "dawn:select", {"position": 70, "locked": True})
    assert "70" in page.inner_text(".dx-cardhead")
    page.evaluate("window.dawnExplorer.select(70, true)")  # sets; a click would toggle
    page.evaluate("window.dawnExplorer.select(null)")
    heard(page, "dawn:select", {"position": None, "locked": False})
    page.evaluate("window.dawnExplorer.select(10 ** 9, true)")
    page.hover("[data-testid=token-66]")
    heard(page, "dawn:select", {"position": 66, "locked": False})
    kinds = [name for name, _ in page.evaluate("window.heard")]
    assert kinds.count("dawn:step") == 1 and kinds.count("dawn:select") == 3
