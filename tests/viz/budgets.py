"""What looking costs, measured in a real browser: `python -m tests.viz.budgets` prints a line per budget, and the load.

Every file that the long run below can be exported to. The app itself, from its address until the recorded example is painted,
and a threshold moved at the shown step. Then two made-up runs, 256 positions to their end and 1,024 positions over 200 steps,
on the explorer with every panel open. A step is painted when canvases and tokens are written, and on the screen when the
browser's frame is done. Between two steps the page rests a tenth of a second. Not a test: a busy machine is not a slow page,
so a fixed loop is timed beside it. The size of what is sent depends on no clock: `test_budgets` holds it.
"""

from __future__ import annotations

import os
import time

import gradio as gr
import numpy as np

from dawn.trace import Trace
from tests.browser import MOVE, PAINTED, launch, serve, serve_app
from tests.viz.synthetic import synthetic_trace
from viz.analysis import Analysis, Reader
from viz.components.analysis import AnalysisPanels
from viz.components.explorer import Explorer
from viz.exports import FORMATS, made
from viz.lab import Lab
from viz.page import STYLE, page_theme
from viz.store import TraceStore

ROUNDS = 3
SCRUB_BUDGETS = {"256": 33, "1024": 60}  # milliseconds
THRESHOLD_BUDGET = 200
OPENING_BUDGET, MOVE_BUDGET = 3000, 150
EXPORT_BUDGET = (20, 25)  # seconds, million bytes
SCRUB = """async (moves) => {
  const root = document.querySelector('#explorer'), scrubber = root.querySelector('[data-testid=scrubber]'), times = [];
  const frame = () => new Promise((done) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = done;
    port2.postMessage(0);
  });
  for (let i = 0; i < moves; i++) {
    const goal = (i * 37 + 1) % (Number(scrubber.max) + 1);
    if (root.dataset.step === String(goal)) continue;
    await new Promise(requestAnimationFrame);
    const start = performance.now(), painted = new Promise((done) => {
      const seen = new MutationObserver(() => { if (root.dataset.step === String(goal)) { seen.disconnect(); done(); } });
      seen.observe(root, { attributes: true, attributeFilter: ['data-step'] });
    });
    scrubber.value = goal;
    scrubber.dispatchEvent(new Event('input', { bubbles: true }));
    await painted;
    const drawn = performance.now() - start;
    await frame();
    times.push([drawn, performance.now() - start]);
    await new Promise((done) => setTimeout(done, 100));
  }
  return times;
}"""
DECIDE = """async (values) => {
  const note = document.querySelector('[data-testid=replay-note]'), times = [];
  for (const low of values) {
    const start = performance.now();
    window.dawnAnalysis.propose('dawn', {low});
    while (JSON.parse(note.dataset.settings || '{}').low !== low) await new Promise((done) => setTimeout(done, 1));
    times.push(performance.now() - start);
  }
  return times;
}"""
SPIN = """() => {
  const times = [0, 1, 2, 3, 4].map(() => {
    const start = performance.now();
    let sum = 0;
    for (let i = 0; i < 5e7; i++) sum = (sum + i * 3) | 0;
    return performance.now() - start + 0 * sum;
  });
  return times.sort((a, b) => a - b)[2];
}"""
OPENED = "one => { one.open = true; }"


def wide_trace() -> Trace:
    """256 positions, decoded to the end."""
    return synthetic_trace(192, 64)


def long_trace() -> Trace:
    """1,024 positions over 200 steps."""
    return synthetic_trace(976, 48, block=64, pace=0.87, steps=200)


def page_of(traces: dict[str, Trace]) -> gr.Blocks:
    """The explorer and its panels, and a choice of runs."""
    lab = Lab(TraceStore(), None, [], None)
    for name, trace in traces.items():
        lab.store.bundle(name, trace)
    with gr.Blocks(title="Budgets", analytics_enabled=False) as page:
        pick = gr.Dropdown(list(traces), label="run", elem_id="pick")
        explorer = Explorer(lab.fetch, lab.what_if, lab.changes, lab.export, value=lab.there(next(iter(traces)), ""))
        AnalysisPanels(Analysis(lab, Reader(None, None)))
        pick.input(lambda name: lab.there(name, ""), pick, explorer)
    return page


def choose(page, name: str, trace: Trace) -> None:
    """Show a run with every panel open and a position selected."""
    page.click("#pick input")
    page.get_by_role("option", name=name, exact=True).click()
    steps = len(trace.steps)
    page.wait_for_selector(f'#explorer[data-trace="{name}"][data-steps="{steps}"]', timeout=120_000)
    page.eval_on_selector_all("#analysis > details, .dx-edges, .ax-more", f"all => all.forEach({OPENED})")
    page.evaluate(f"window.dawnExplorer.select({trace.canvas.prompt_length + 5}, true)")
    page.wait_for_selector("[data-panel=curves] .ax-note[data-state=done]", timeout=300_000)
    page.wait_for_selector("[data-panel=sinks] tbody tr", timeout=120_000)


def scrubbing(page) -> tuple[np.ndarray, int]:
    """The 95th percentiles in ms, painted and on the screen, of the best round; and how many requests there were."""
    page.evaluate(SCRUB, 20)
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    rounds = [np.percentile(page.evaluate(SCRUB, 100), 95, axis=0) for _ in range(ROUNDS)]
    return min(rounds, key=lambda one: one[0]), sum("heartbeat" not in url for url in requests)


def deciding(page) -> float:
    """The 95th percentile in ms of a threshold moved over the whole run, of the best round."""
    page.evaluate(DECIDE, [0.31])
    rounds = [[round(0.4 + 0.01 * i + turn / 1000, 3) for i in range(30)] for turn in range(ROUNDS)]
    return min(float(np.percentile(page.evaluate(DECIDE, values), 95)) for values in rounds)


def opening(browser, url: str) -> float:
    """Milliseconds from the address until the recorded example is painted, without the browser's memory, of the best round."""
    times = []
    for _ in range(ROUNDS):
        page, began = browser.new_page(), time.perf_counter()
        page.goto(url)
        page.wait_for_function(PAINTED)
        times.append(1000 * (time.perf_counter() - began))
        page.close()
    return min(times)


def moving(browser, url: str) -> float:
    """The 95th percentile in ms of a threshold moved at a step of the recorded example, of the best round."""
    page = browser.new_page(viewport={"width": 1440, "height": 1000})
    page.goto(url)
    page.wait_for_function(PAINTED)
    page.evaluate("window.dawnExplorer.show(3)")
    page.evaluate(MOVE, [0.5])
    values = [round(0.02 * i + 0.01, 2) for i in range(2, 49)]
    return min(float(np.percentile(page.evaluate(MOVE, values), 95)) for _ in range(ROUNDS))


def exporting(trace: Trace, kind: str) -> tuple[float, float]:
    """Seconds that one file takes, and its million bytes."""
    began = time.perf_counter()
    size = len(made(trace, kind, 0))
    return time.perf_counter() - began, size / 1e6


def main() -> None:
    traces = {"256": wide_trace(), "1024": long_trace()}
    for kind in FORMATS:
        seconds, size = exporting(traces["1024"], kind)
        print(f"1024 positions as {kind}: {seconds:.1f} s, {size:.1f} MB (budget {EXPORT_BUDGET[0]} s, {EXPORT_BUDGET[1]} MB)")
    with serve_app() as url, launch() as browser:
        print(f"the app: its example painted after {opening(browser, url):.0f} ms (budget {OPENING_BUDGET})")
        print(f"the app: a threshold at the shown step, p95 {moving(browser, url):.0f} ms (budget {MOVE_BUDGET})", flush=True)
    with serve(page_of(traces), theme=page_theme(), css=STYLE) as url, launch() as browser:
        page = browser.new_page(viewport={"width": 1440, "height": 1000})
        page.goto(url)
        page.wait_for_selector("#explorer[data-step]")
        for name, trace in reversed(traces.items()):
            choose(page, name, trace)
            (drawn, seen), requests = scrubbing(page)
            size = f"{trace.canvas.length} positions, {len(trace.steps)} steps"
            print(
                f"{size}: painted, p95 {drawn:.0f} ms (budget {SCRUB_BUDGETS[name]}); on the screen {seen:.0f} ms", flush=True
            )
            print(f"{size}: {requests} requests while scrubbing (budget 0)", flush=True)
        print(f"256 positions: a threshold over the whole run, p95 {deciding(page):.0f} ms (budget {THRESHOLD_BUDGET})")
        print(f"a loop of 50 million additions: {page.evaluate(SPIN):.0f} ms")
    print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
