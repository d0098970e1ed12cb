"""The explorer in a real browser, on a small app with made-up runs."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from dawn.critical import changes
from dawn.prediction import Needs
from dawn.rules import Dapd, Dawn, EntropyBounded, Factor, Klass, LocalLeap, Margin, Original
from dawn.thresholds import Thresholds
from tests.browser import SCRUB, serve, visited
from tests.viz.demo import demo
from tests.viz.synthetic import END, FIRST, MASK, synthetic_trace
from tests.viz.test_exported_graphs import read
from viz import payload

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
    "dapd": (Dapd(edge=0.03), {"conflict_free", "high", "forced", "dropped", "below"}),
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
ASK = """async (values) => {
  const box = document.querySelector('[data-testid=whatif]'), range = document.querySelector('#edge input[type=range]');
  const answered = (edge) => ['differs', 'equal'].includes(box.dataset.state) && JSON.parse(box.dataset.settings).edge === edge;
  for (const edge of values) {
    range.value = edge;
    range.dispatchEvent(new Event('input', { bubbles: true }));
    for (let waited = 0; !answered(edge); waited++) {
      if (waited > 5000) throw new Error('no answer for ' + edge + ': ' + box.outerHTML);
      await new Promise((done) => setTimeout(done, 1));
    }
  }
}"""


@pytest.fixture(scope="module")
def address():
    with serve(demo(TRACES, "mixed")) as url:
        yield url


@pytest.fixture
def page(context, address):
    """The app with the run `mixed` painted; an error of a script fails the test."""
    with visited(context, address) as page:
        painted(page, len(TRACES["mixed"].steps) - 1)
        yield page


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


def test_scrubbing_asks_the_server_nothing(page):
    open_run(page, "long")
    assert len(TRACES["long"].steps) == 200 and TRACES["long"].canvas.length >= 160
    requests = []
    page.on("request", lambda request: requests.append(request.url))
    assert len(page.evaluate(SCRUB, 100)) > 90
    assert requests == []


def test_each_move_of_a_threshold_is_answered(page):
    show(page, 10)
    page.evaluate(ASK, [round(0.06 + 0.01 * i, 2) for i in range(10)])


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
        assert ("Not taken" in card) == (kind in ("below", "outranked", "unstable", "dropped")), kind
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


# ---------------------------------------------------------------- one selection, everywhere


def select_in(page, script: str) -> None:
    page.evaluate(f"window.dawnExplorer.{script}")


def head(page, position: int) -> None:
    """Wait until the card is about a position."""
    page.wait_for_function(f"document.querySelector('.dx-cardhead b')?.textContent === '{position}'")
    assert page.locator(f"[data-testid=token-{position}].dx-selected").count() == 1


def locked(page, is_locked: bool) -> None:
    page.wait_for_selector(f".dx-lock:has-text('{'locked' if is_locked else 'hover'}')")


def graph_of(record):
    """The payload of a record's graph."""
    return payload.graph(record, record.decision, TRACES["mixed"].setup.make_rule())


def point(page, panel: str, x: float, y: float, click: bool = False) -> None:
    """Move to, or click, a place of a panel's picture."""
    page.locator(f"[data-testid={panel}]").scroll_into_view_if_needed()
    box = page.locator(f"[data-testid={panel}]").bounding_box()
    (page.mouse.click if click else page.mouse.move)(box["x"] + x, box["y"] + y)


def test_a_node_a_cell_and_a_mark_of_the_timeline_select_everywhere(page):
    record, trace = TRACES["mixed"].steps[6], TRACES["mixed"]
    show(page, 6)
    graph, position = graph_of(record), int(record.canvas.candidates[1])
    width = page.locator("[data-testid=graph] .dx-base").bounding_box()["width"]
    place = 16 + float(graph["along"][graph["nodes"].tolist().index(position)]) * (width - 32)
    point(page, "graph", place, 380 - 74, click=True)
    head(page, position)
    locked(page, True)
    page.keyboard.press("Escape")
    locked(page, False)
    row, column = 3, 20
    width = page.locator("[data-testid=attention] .dx-base").bounding_box()["width"]
    cell = max(3, min(14, 300 // len(record.canvas.window)))
    point(page, "attention", 34 + (column + 0.5) * (width - 40) / trace.canvas.length, 66 + 16 + (row + 0.5) * cell)
    head(page, int(record.canvas.window[row]))
    weight = record.prediction.attention.weights[
        np.searchsorted(record.prediction.attention.rows, record.canvas.window[row]), column
    ]
    assert f"{column} " in page.inner_text("[data-testid=card]") and f"{weight:.4f}".lstrip("0") in page.inner_text(".dx-tip")
    width = page.locator("[data-testid=timeline] .dx-base").bounding_box()["width"]
    point(page, "timeline", 34 + 2.5 * (width - 40) / len(trace.steps), 20, click=True)
    painted(page, 2)


def test_the_graph_and_the_map_are_walked_by_keys(page):
    record = TRACES["mixed"].steps[6]
    show(page, 6)
    graph = graph_of(record)
    nodes = graph["nodes"].tolist()
    target = next(n for n in nodes[1:] if n in graph["target"].tolist())
    page.focus("[data-testid=graph]")
    page.keyboard.press("ArrowRight")
    head(page, nodes[0])
    for _ in range(nodes.index(target)):
        page.keyboard.press("ArrowRight")
    head(page, target)
    page.keyboard.press("ArrowUp")
    source = int(graph["source"][graph["target"].tolist().index(target)])
    page.wait_for_selector(f"[data-testid=token-{source}].dx-related")
    page.keyboard.press("Enter")
    locked(page, True)
    page.keyboard.press("Escape")
    locked(page, False)
    outline = page.evaluate("getComputedStyle(document.querySelector('[data-testid=graph]')).outlineStyle")
    assert outline == "solid" and page.get_attribute("#explorer", "data-step") == "6"
    page.focus("[data-testid=attention]")
    for key in ("ArrowDown", "ArrowDown", "ArrowRight"):
        page.keyboard.press(key)
    head(page, int(record.canvas.window[1]))
    assert "It looks at" in page.inner_text("[data-testid=card]")


# ---------------------------------------------------------------- the card, against the records


def test_every_sentence_of_dawn_says_what_the_record_says(page):
    """One position of each tier and reason: its confidence, the bar it met, and whom it leans on or lost to."""
    rule, seen = TRACES["mixed"].setup.make_rule().thresholds, {}
    for record in TRACES["mixed"].steps:
        for one in record.decision.selection.committed + record.decision.selection.refused:
            seen.setdefault((one.tier if hasattr(one, "tier") else one.reason).value, (record, one))
    assert {"high", "induced", "conflict_free", "below", "conflict"} <= set(seen)
    bars = {"high": rule.high, "induced": rule.induced, "conflict_free": rule.low}
    for kind, (record, one) in seen.items():
        show(page, record.index)
        page.keyboard.press("Escape")
        card = card_of(page, one.position).replace("\n", " ")
        confidence = float(record.prediction.confidence[one.position])
        told = [float(n) for n in re.findall(r"(?<![\d:])(?:\d?\.\d+|\d\b)", card.split("What would")[0])]
        assert any(abs(number - confidence) <= 5e-3 for number in told), (kind, card)
        if kind in bars:
            assert confidence >= np.float32(bars[kind]) and any(abs(n - bars[kind]) < 1e-6 for n in told), (kind, card)
        if getattr(one, "blocker", None) is not None:
            assert re.search(rf"in conflict with\s+{one.blocker} ", card) and any(abs(n - one.weight) < 5e-3 for n in told)
        for anchor, weight in getattr(one, "evidence", ())[:5]:
            assert re.search(rf"\b{anchor} ", card) and any(abs(n - weight) < 5e-3 for n in told)
        assert ("Not taken" in card) == hasattr(one, "reason")


def test_the_card_says_how_far_each_threshold_is_from_another_decision(page):
    record = TRACES["mixed"].steps[6]
    show(page, 6)
    rule, told = TRACES["mixed"].setup.make_rule(), 0
    for position in record.canvas.candidates[:4].tolist():
        page.keyboard.press("Escape")
        card_of(page, position)
        found = changes(record, rule, position)
        page.wait_for_function("!document.querySelector('.dx-card').innerText.includes('every critical value')")
        lines = page.locator("[data-testid=limits] li").all_inner_texts()
        assert len(lines) == len(found)
        for line, one in zip(lines, found, strict=True):
            way = "down to" if one.shown < one.now else "up to"
            assert line.startswith(f"{one.name} {way} {f'{one.shown:.6g}'.lstrip('0') or '0'} ")
            assert ("): taken as " in line) == one.taken
        told += len(lines)
    assert told > 0


def test_alternatives_stand_with_their_probabilities_and_can_be_written(page):
    record = TRACES["mixed"].steps[6]
    show(page, 6)
    position = int(record.canvas.candidates[0])
    card_of(page, position)
    tokens, shares = record.prediction.alternatives
    row = int(np.searchsorted(record.canvas.window, position))
    items = page.locator(".dx-chances li").all_inner_texts()
    assert [item.split("\n")[1] for item in items] == [f"{share:.3f}".removeprefix("0") for share in shares[row]]
    page.locator("[data-testid=write]").nth(1).click()
    forked(page, f"mixed 6 {{'position': {position}, 'token': {tokens[row, 1]}}}")
    page.fill("[data-testid=edit] input", " 7")
    page.keyboard.press("Enter")
    forked(page, f"mixed 6 {{'position': {position}, 'text': ' 7'}}")
    page.locator("[data-testid=mask]").wait_for(state="hidden")
    page.keyboard.press("Escape")
    page.locator("[data-testid=edit]").wait_for(state="hidden")
    written = int(TRACES["mixed"].steps[2].decision.selection.positions[0])
    card_of(page, written)
    page.click("[data-testid=mask]")
    forked(page, f"mixed 6 {{'position': {written}, 'mask': True}}")
    page.keyboard.press("Escape")
    card_of(page, 3)
    page.locator("[data-testid=edit]").wait_for(state="hidden")


def forked(page, text: str) -> None:
    script = "text => document.querySelector('#forked textarea, #forked input').value === text"
    page.wait_for_function(script, arg=text)


# ---------------------------------------------------------------- graph, files, timeline, full screen


def edge_set(record) -> set[tuple[int, int]]:
    graph = record.decision.graph
    return set(zip(graph.source.tolist(), graph.target.tolist(), strict=True))


def test_the_graph_tells_its_figures_and_what_changed(page):
    before, record = TRACES["mixed"].steps[5:7]
    show(page, 6)
    now, then = edge_set(record), edge_set(before)
    words = page.inner_text("[data-testid=figures]")
    nodes = len(graph_of(record)["nodes"])
    turned = f"{len(now - then)} born, {len(now & then)} kept, {len(then - now)} gone"
    assert words.startswith(f"{nodes} nodes, {len(now)} edges; since the last step {turned}.")
    into = {t: sum(1 for _, target in now if target == t) for _, t in now}
    assert f"on the most ({max(into.values())})" in words
    plain = page.evaluate("document.querySelector('.dx-graph .dx-base').toDataURL()")
    page.click("[data-do=differences]")
    page.wait_for_function("old => document.querySelector('.dx-graph .dx-base').toDataURL() !== old", arg=plain)
    show(page, 0)
    assert "since" not in page.inner_text("[data-testid=figures]")


def test_the_conflict_graph_tells_the_order_of_the_greedy_set(page):
    record = next(
        r for r in TRACES["mixed"].steps if sum(c.tier.value == "conflict_free" for c in r.decision.selection.committed) > 1
    )
    show(page, record.index)
    page.click("[data-do=conflicts]")
    members = [c.position for c in record.decision.selection.committed if c.tier.value == "conflict_free"]
    confidence = record.prediction.confidence
    members.sort(key=lambda p: (-confidence[p], p))
    page.wait_for_selector("[data-testid=order]:not([hidden])")
    words = page.inner_text("[data-testid=order]")
    assert [int(p) for p in re.findall(r"\d+\. (\d+) \(", words)] == members
    for refusal in record.decision.selection.refused:
        if refusal.reason.value == "dropped":
            part = next(part for part in words.split(";") if f" {refusal.blocker} (" in part)
            assert re.search(rf"drops .*\b{refusal.position}\b", part)


@pytest.mark.parametrize("kind", ["graphml", "json"])
def test_a_file_of_the_graph_says_what_the_table_says(page, kind):
    show(page, 6)
    page.click(".dx-edges summary")
    page.wait_for_selector(".dx-edges tbody tr")
    rows = page.locator(".dx-edges tbody tr").evaluate_all("all => all.map(r => [...r.cells].map(c => c.textContent))")
    with page.expect_download() as download:
        page.click(f"[data-testid={kind}]")
    file = {"name": download.value.suggested_filename, "text": Path(download.value.path()).read_text(encoding="utf-8")}
    graph = read(file)
    assert file["name"] == f"graph-step-7.{kind}"
    held = sorted((t, s, f"{w:.4f}".removeprefix("0")) for s, t, w in graph.edges(data="weight"))
    assert held == sorted((int(row[0]), int(row[1]), row[2]) for row in rows)
    counted = f"{graph.number_of_nodes()} nodes, {graph.number_of_edges()} edges"
    assert page.inner_text("[data-testid=figures]").startswith(counted)


def test_the_timeline_tells_the_trajectory_of_the_selected_position(page):
    trace = TRACES["mixed"]
    position = int(trace.steps[9].decision.selection.positions[0])
    select_in(page, f"select({position}, true)")
    known = [(r.index, float(r.prediction.confidence[position])) for r in trace.steps]
    ends = {r.index: r.canvas.block_span(r.canvas.block)[1] for r in trace.steps}
    known = [(k, c) for k, c in known if position < ends[k] and c == c]
    (first, at_first), (last, at_last) = known[0], known[-1]
    least = min(known, key=lambda one: one[1])
    page.wait_for_function(f"document.querySelector('[data-testid=trajectory]').textContent.startsWith('Position {position}:')")
    words = page.inner_text("[data-testid=trajectory]")
    numbers = [f"{value:.3f}".removeprefix("0") for value in (at_first, least[1], at_last)]
    assert words == (
        f"Position {position}: {numbers[0]} in step {first + 1}, least {numbers[1]} in step {least[0] + 1}, "
        f"{numbers[2]} in step {last + 1}; written in step 10."
    )


def test_any_panel_fills_the_screen_and_comes_back(page):
    for panel in ("words", "side", "graph", "map", "timeline"):
        page.click(f".dx-{panel} [data-do=solo]")
        page.wait_for_selector(f"#explorer[data-solo={panel}]")
        others = page.locator(f".dx-main > .dx-panel:not(.dx-{panel}, .dx-side)")
        page.locator(f".dx-{panel}").wait_for(state="visible")
        for one in others.all():
            one.wait_for(state="hidden")
        show(page, 3)
        page.click(f".dx-{panel} [data-do=solo]")
        page.wait_for_selector("#explorer:not([data-solo])")
        for one in others.all():
            one.wait_for(state="visible")
