"""The analysis panels in a real browser, below the explorer, with made-up runs and a small loaded model."""

from __future__ import annotations

import csv
import io
import json

import gradio as gr
import pytest

from dawn.canvas import Canvas
from dawn.decode import Options, decode
from dawn.ledger import ledger, safe, to_csv
from dawn.models import load_model, model_state
from dawn.models.detail import attention_detail, layers_and_heads
from dawn.prediction import Needs
from dawn.replay import replay_all
from dawn.rules import Confidence, Dawn, Original, settings_of
from dawn.thresholds import Thresholds
from dawn.trace import Setup, Trace
from tests.browser import serve
from tests.dawn.fakes import RandomDenoiser
from tests.dawn.models.small import small_checkpoint
from tests.viz.synthetic import END, FIRST, MASK, synthetic_trace
from viz import payload
from viz.analysis import Analysis, Reader
from viz.components.analysis import AnalysisPanels
from viz.components.explorer import Explorer
from viz.lab import Lab
from viz.link import Request
from viz.store import TraceStore
from viz.tabs.explore import wire_look

pytestmark = pytest.mark.browser

HOSTILE = ("${document.title='x'}", "<img src=x onerror=document.title='x'>", "=cmd|'/c calc'!A0", "{{value}}", '"quoted",\n')
PAGES = "document.querySelector('.ax-page').textContent"
LOOKED = "document.querySelector('[data-testid=attention-note]')"
CHANGE = "(low) => { for (const part of [window.dawnExplorer, window.dawnAnalysis]) part.propose('dawn', {low}); }"


def tall_trace() -> Trace:
    """1,024 positions in 200 steps."""
    rule, canvas = Original(200), Canvas.blank([5] * 16, 1024, 1024, 0)
    steps = tuple(decode(RandomDenoiser(), rule, canvas, Options(stop_at_end=False)))
    assert len(steps) == 200
    return Trace("tall", Setup("synthetic", rule.name, settings_of(rule)), steps, "", {i: f" word{i}" for i in range(10)})


TRACES = {
    "mixed": synthetic_trace(96, 64),
    "hostile": synthetic_trace(
        24, 8, pieces={0: "<s>", MASK: "[MASK]", END: "<|end|>"} | {FIRST + i: t for i, t in enumerate(HOSTILE)}
    ),
    "blind": synthetic_trace(32, 16, rule=Original(), watch=Needs()),
    "tall": tall_trace(),
}


@pytest.fixture(scope="module")
def lab(tmp_path_factory) -> Lab:
    """The runs, and one of a small model, called `own`."""
    folder = str(small_checkpoint(tmp_path_factory.mktemp("model")))
    lab = Lab(TraceStore(), load_model, [folder], model_state)
    for name, trace in TRACES.items():
        lab.store.bundle(name, trace)
    settings = settings_of(Dawn(Thresholds(edge=0.05, sink=0.2)))
    made = list(lab.run(Request("2 + 3?", folder, "dawn", 24, 12, 0.0, 0, settings), "me"))[-1]["trace"]
    lab.store.bundle("own", lab.store.get(made).trace)
    return lab


def value(lab: Lab, name: str) -> dict:
    return {"trace": name, "steps": len(lab.store.get(name).steps), "done": True, "title": name}


@pytest.fixture(scope="module")
def address(lab):
    analysis = Analysis(lab, Reader(layers_and_heads, attention_detail))
    with gr.Blocks(title="Analysis") as app:
        low = gr.Slider(0, 1, value=0.75, step=0.01, label="low", elem_id="threshold-low")
        pick = gr.Dropdown([*TRACES, "own"], value="mixed", label="run", elem_id="pick")
        explorer = Explorer(lab.fetch, lab.what_if, lab.changes, lab.export, value=value(lab, "mixed"))
        panels = AnalysisPanels(analysis)
        low.input(None, low, None, js=CHANGE)
        pick.input(lambda name: value(lab, name), pick, explorer)
        wire_look(lab, analysis, panels)
    with serve(app) as url:
        yield url


@pytest.fixture
def page(context, address):
    page, errors = context.new_page(), []
    page.set_viewport_size({"width": 1200, "height": 1000})
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(address)
    page.wait_for_selector(f'#analysis[data-trace="mixed"][data-step="{len(TRACES["mixed"].steps) - 1}"]', timeout=30_000)
    yield page
    page.close()
    assert not errors


def choose(page, lab, name: str) -> None:
    page.click("#pick input")
    page.get_by_role("option", name=name, exact=True).click()
    page.wait_for_selector(f'#analysis[data-trace="{name}"][data-step="{len(lab.store.get(name).steps) - 1}"]', timeout=30_000)


def unfold(page, name: str):
    """Open a panel by its summary."""
    page.click(f"[data-panel={name}] > summary")
    return page.locator(f"[data-panel={name}]")


def open_ledger(page, rows: int):
    panel = unfold(page, "ledger")
    page.wait_for_function(f"{PAGES}.endsWith(': {rows} rows')", timeout=60_000)
    return panel


def cells(page, panel: str) -> list[list[str]]:
    script = "rows => rows.map(row => [...row.cells].map(cell => cell.textContent))"
    return page.eval_on_selector_all(f"[data-testid={panel}-table] tbody tr", script)


def every_row(page) -> list[list[str]]:
    """All pages of the ledger."""
    found = cells(page, "ledger")
    pages = int(page.inner_text(".ax-page").split(" of ")[1].split(":")[0])
    for _ in range(pages - 1):
        page.click("[data-page=forward]")
        found += cells(page, "ledger")
    return found


@pytest.mark.parametrize("name", ["mixed", "hostile", "own"])
def test_the_page_shows_what_the_file_says(page, lab, name):
    choose(page, lab, name) if name != "mixed" else None
    trace = lab.store.get(name).trace
    rows = list(ledger(trace.steps))
    open_ledger(page, len(rows))
    with page.expect_download() as coming:
        page.click("[data-testid=ledger-csv]")
    text = coming.value.path().read_bytes().decode("utf-8")
    assert text == to_csv(trace.steps, trace.pieces)
    shown, facts = every_row(page), payload.Facts.of(trace)
    table = list(csv.DictReader(io.StringIO(text, newline="")))
    assert len(shown) == len(table)
    for line, said in zip(shown, table, strict=True):
        assert line[:3] == [said["step"], said["position"], payload.piece(facts, int(said["token"]))]
        assert said["text"] == safe(trace.pieces[int(said["token"])])
        assert line[4] == short(said["confidence"]) and line[5] == said["blocker"] and line[6] == short(said["weight"])
        pairs = [pair.split(":") for pair in said["evidence"].split()]
        assert line[7] == ", ".join(f"{anchor} ({short(weight)})" for anchor, weight in pairs)
        label = line[3].removesuffix(", then end fill").removeprefix("refused: ")
        names = {"conflict-free": "conflict_free", "already written": "written", "end fill": "filled"}
        assert names.get(label, label) == said["outcome"]


def short(number: str) -> str:
    """A number as the page rounds it."""
    text = f"{float(number):.4f}" if number else ""
    return text[1:] if text.startswith("0") else text


def test_hostile_tokens_stay_text(page, lab):
    choose(page, lab, "hostile")
    for name in ("ledger", "replay", "curves", "sinks", "attention"):
        unfold(page, name)
    page.wait_for_selector("[data-testid=ledger-table] tbody tr")
    page.wait_for_selector("[data-testid=sinks-table] tbody tr")
    assert page.title() == "Analysis"
    assert page.locator("#analysis img, #analysis script").count() == 0


def test_rows_are_sorted_and_filtered(page):
    rows = list(ledger(TRACES["mixed"].steps))
    open_ledger(page, len(rows))
    page.click("[data-key=confidence] button")
    page.click("[data-key=confidence] button")
    assert page.get_attribute("[data-key=confidence]", "aria-sort") == "descending"
    best = sorted((row.confidence for row in rows if row.confidence == row.confidence), reverse=True)[:50]
    assert [line[4] for line in cells(page, "ledger")] == [short(str(value)) for value in best]
    page.select_option("[data-filter=outcome]", "induced")
    some = [row for row in rows if row.outcome == "induced"]
    page.wait_for_function(f"document.querySelector('.ax-page').textContent.endsWith(': {len(some)} rows')")
    page.fill("[data-filter=position]", str(some[0].position))
    page.wait_for_function("document.querySelectorAll('[data-testid=ledger-table] tbody tr').length === 1")
    page.click("[data-testid=ledger-table] tbody button")
    page.wait_for_selector(f'#explorer[data-step="{some[0].step - 1}"]')
    assert page.inner_text(".dx-cardhead b") == str(some[0].position)
    page.fill("[data-filter=position]", "")
    page.select_option("[data-filter=outcome]", "")
    page.select_option("[data-filter=step]", "shown")
    here = [row for row in rows if row.step == some[0].step]
    page.wait_for_function(f"document.querySelector('.ax-page').textContent.endsWith(': {len(here)} rows')")


def test_a_cell_of_the_picture_shows_its_step_and_selects_its_position(page):
    rows = list(ledger(TRACES["mixed"].steps))
    open_ledger(page, len(rows))
    low, high, steps = rows[0].position, max(row.position for row in rows), len(TRACES["mixed"].steps)
    box = page.locator(".ax-sheet canvas").bounding_box()
    width, height = (box["width"] - 40) / (high - low + 1), (box["height"] - 24) / steps
    page.locator(".ax-sheet").click(position={"x": 40 + 5.5 * width, "y": 4 + 3.5 * height})
    page.wait_for_selector('#explorer[data-step="3"]')
    assert page.inner_text(".dx-cardhead b") == str(low + 5)
    page.focus(".ax-grid")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    page.wait_for_selector('#explorer[data-step="4"]')
    page.wait_for_function(f"document.querySelector('.dx-cardhead b').textContent === '{low + 6}'")


def test_a_tall_trace_stays_usable(page, lab):
    """204,800 rows: all there, sorted, and a page of them drawn."""
    choose(page, lab, "tall")
    open_ledger(page, 1024 * 200)
    assert page.evaluate("document.querySelector('.ax-sheet canvas').width") <= 8000
    page.click("[data-key=confidence] button")
    page.wait_for_selector("[data-key=confidence][aria-sort$=ending]")
    assert page.locator("[data-testid=ledger-table] tbody tr").count() == 50


def test_other_settings_are_judged_over_the_whole_run(page):
    unfold(page, "replay")
    page.wait_for_selector("[data-testid=replay-note][data-state=recorded]")
    page.fill("#threshold-low input[type=number]", "0.4")
    page.wait_for_selector("[data-testid=replay-note][data-state=differs]")
    trace = TRACES["mixed"]
    settings = trace.setup.settings | {"low": 0.4}
    found = replay_all(trace.steps, Dawn(Thresholds(**settings)))
    note = page.locator("[data-testid=replay-note]")
    assert json.loads(note.get_attribute("data-settings")) == settings
    sums = [sum(len(part) for part in parts) for parts in zip(*((r.added, r.dropped, r.agreeing) for r in found), strict=True)]
    assert [int(note.get_attribute(f"data-{name}")) for name in ("added", "dropped", "right")] == sums and sums[0]
    page.click("[data-panel=replay] .ax-more > summary")
    page.wait_for_function(f"document.querySelectorAll('[data-testid=replay-table] tbody tr').length === {len(found)}")
    assert [[int(cell) for cell in line] for line in cells(page, "replay")] == [
        [k + 1, r.then, len(r.taken), len(r.added), len(r.agreeing), len(r.dropped)] for k, r in enumerate(found)
    ]
    assert "decode again" in page.inner_text("[data-panel=replay] .ax-caution")
    page.click("[data-testid=replay-table] tbody tr:nth-child(3) button")
    page.wait_for_selector('#explorer[data-step="2"]')


def test_curves_tell_their_numbers_and_set_the_control(page):
    unfold(page, "curves")
    page.wait_for_selector("[data-panel=curves] .ax-note[data-state=done]", timeout=60_000)
    names = page.eval_on_selector_all(".ax-curve", "all => all.map(one => one.dataset.name)")
    assert names == ["high", "induced", "low", "edge", "sink"]
    figure = page.locator(".ax-curve[data-name=low]")
    figure.locator("summary").click()
    lines = figure.locator("tbody tr").evaluate_all("rows => rows.map(row => [...row.cells].map(cell => cell.textContent))")
    assert lines[0][1:3] != ["1.43", "100 %"] and any("this run" in line[3] for line in lines)
    figure.locator("button[aria-label='Set low to .3']").click()
    page.wait_for_function("document.querySelector('#threshold-low input[type=range]').value === '0.3'")
    page.wait_for_function("document.querySelector('[data-testid=whatif]').dataset.settings.includes('\"low\":0.3,')")
    svg = figure.locator("svg")
    svg.scroll_into_view_if_needed()
    box = svg.bounding_box()
    svg.click(position={"x": box["width"] * (34 + 0.5 * 286) / 360, "y": box["height"] / 2})
    page.wait_for_function("Math.abs(document.querySelector('#threshold-low input[type=range]').value - 0.5) < 0.02")


def test_sinks_are_named_and_lead_to_their_position(page, lab):
    unfold(page, "sinks")
    page.wait_for_selector("[data-testid=sinks-table] tbody tr")
    steps = len(TRACES["mixed"].steps)
    assert {line[0] for line in cells(page, "sinks")[:2]} == {"0", "7"}
    assert cells(page, "sinks")[0][2] == f"{steps} of {steps} steps"
    page.click("[data-testid=sinks-table] tbody tr:first-child button")
    page.wait_for_selector(".dx-cardhead b")
    choose(page, lab, "blind")
    note = page.locator("[data-panel=sinks] .ax-note", has_text="no attention was recorded")
    note.wait_for()


def test_one_layer_is_looked_into_where_the_model_is_loaded(page, lab):
    unfold(page, "attention")
    page.wait_for_function(f"{LOOKED}.textContent.includes('not offered here')")
    assert page.is_disabled("[data-testid=look]")
    choose(page, lab, "own")
    page.wait_for_selector("[data-testid=attention-note][data-state=ready]")
    page.evaluate("window.dawnExplorer.show(1)")
    page.wait_for_selector('#analysis[data-step="1"]')
    page.select_option("[data-choice=layer]", "3")
    page.select_option("[data-choice=head]", "2")
    page.click("[data-testid=look]")
    page.wait_for_selector("[data-testid=attention-note][data-step='1'][data-layer='3'][data-head='2']", timeout=30_000)
    trace = lab.store.get("own").trace
    captions = page.locator("#analysis figcaption").all_inner_texts()
    graph = trace.steps[1].decision.graph
    assert captions[0].startswith("Layer 4, head 3: ")
    assert captions[1].startswith(f"The average that DAWN uses: {len(graph.source)} edges, ")
    target = int(graph.target[0])
    page.evaluate(f"window.dawnExplorer.select({target}, true)")
    page.wait_for_function("document.querySelectorAll('[data-testid=attention-table] tbody tr').length > 0")
    usual = {line[0]: line[2] for line in cells(page, "attention") if line[2] != "none"}
    expected = zip(graph.source[graph.target == target], graph.weight[graph.target == target], strict=True)
    assert usual == {str(source): short(str(weight)) for source, weight in expected}
    page.evaluate("window.dawnExplorer.show(2)")
    page.wait_for_function(f"{LOOKED}.textContent.includes('Another step is shown')")


def test_scrubbing_with_every_panel_open_asks_for_nothing(page):
    for name in ("ledger", "replay", "curves", "sinks", "attention"):
        unfold(page, name)
    page.wait_for_selector("[data-panel=curves] .ax-note[data-state=done]", timeout=60_000)
    page.wait_for_selector("[data-testid=sinks-table] tbody tr")
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    for step in range(len(TRACES["mixed"].steps)):
        page.evaluate(f"window.dawnExplorer.show({step})")
        page.wait_for_selector(f'#analysis[data-step="{step}"]')
    assert [url for url in requests if "heartbeat" not in url] == []


@pytest.mark.parametrize("width", [390, 1200])
@pytest.mark.parametrize("colours", ["light", "dark"])
def test_every_panel_fits_the_window(browser, address, width, colours):
    page = browser.new_page(viewport={"width": width, "height": 844})
    page.goto(f"{address}?__theme={colours}")
    page.wait_for_selector('#analysis[data-trace="mixed"]')
    for name in ("ledger", "replay", "curves", "sinks", "attention"):
        unfold(page, name)
    page.wait_for_selector("[data-panel=curves] .ax-note[data-state=done]", timeout=60_000)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()


def test_confidence_of_another_rule_is_judged_too(page):
    page.evaluate("window.dawnAnalysis.propose('confidence', {high: 0.3})")
    unfold(page, "replay")
    page.wait_for_selector("[data-testid=replay-note][data-rule=confidence]")
    found = replay_all(TRACES["mixed"].steps, Confidence(0.3))
    assert page.get_attribute("[data-testid=replay-note]", "data-added") == str(sum(len(one.added) for one in found))
