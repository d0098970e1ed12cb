"""A headless Chromium and a served app, for tests that look at a page.

Without Chromium a test is skipped with that reason, except under CI, where it fails.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
from collections.abc import Iterator

import pytest

import app
from viz.limits import Limits
from viz.server import launch_options

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PAINTED = "document.querySelector('#explorer')?.dataset.step > ''"
# Moves the scrubber so many times; milliseconds from each input until its step is painted.
SCRUB = """async (moves) => {
  const root = document.querySelector('#explorer'), scrubber = root.querySelector('[data-testid=scrubber]'), times = [];
  const shown = (step) => new Promise((done) => {
    const watch = () => { if (root.dataset.step === String(step)) { observer.disconnect(); done(); } };
    const observer = new MutationObserver(watch);
    observer.observe(root, { attributeFilter: ['data-step'] });
  });
  for (let i = 0; i < moves; i++) {
    const goal = (i * 7 + 1) % (Number(scrubber.max) + 1), start = performance.now();
    if (root.dataset.step === String(goal)) continue;
    scrubber.value = goal;
    scrubber.dispatchEvent(new Event('input', { bubbles: true }));
    await shown(goal);
    times.push(performance.now() - start);
  }
  return times;
}"""
# Moves τ_low of the app so often; milliseconds from each input until the shown step is decided anew.
MOVE = """async (values) => {
  const box = document.querySelector('[data-testid=whatif]'), times = [];
  const slider = document.querySelector('#threshold-low input[type=range]');
  for (const low of values) {
    const start = performance.now();
    slider.value = low;
    slider.dispatchEvent(new Event('input', { bubbles: true }));
    while (!(box.dataset.settings && JSON.parse(box.dataset.settings).low === low)) {
      if (performance.now() - start > 5000) throw new Error('no answer for ' + low + ': ' + box.outerHTML);
      await new Promise((done) => setTimeout(done, 1));
    }
    times.push(performance.now() - start);
  }
  return times;
}"""
ARGUMENTS = ["--no-sandbox", "--disable-gpu"]


def executable() -> str | None:
    """The path of an installed Chromium; None leaves Playwright to find its own."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


@contextlib.contextmanager
def launch(**options) -> Iterator:
    """A Playwright browser, closed at the end. `options` go to Playwright's launch."""
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        unavailable("playwright is not installed")
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=executable(), args=ARGUMENTS, **options)
        except Error as error:
            unavailable(f"Chromium does not start: {str(error).splitlines()[0]}")
        with contextlib.closing(browser):
            yield browser


@contextlib.contextmanager
def visited(context, address: str) -> Iterator:
    """A page that goes to the address; at the end an error of one of its scripts fails the test."""
    page, errors = context.new_page(), []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(address)
    yield page
    page.close()
    assert errors == []


def unavailable(reason: str) -> None:
    """Fail under CI, skip elsewhere."""
    if os.environ.get("CI"):
        pytest.fail(f"the browser tests must run here: {reason}")
    pytest.skip(f"browser test not run: {reason}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def serve_app(limits: Limits = Limits()) -> Iterator[str]:
    """The address of the app as it is served."""
    lab = app.open_lab(limits)
    with serve(app.build(lab), **launch_options(lab)) as url:
        yield url


@contextlib.contextmanager
def serve(page, **options) -> Iterator[str]:
    """The address of a gr.Blocks served on a free port until the end. `options` go to its launch."""
    port = free_port()
    page.launch(server_name="127.0.0.1", server_port=port, prevent_thread_lock=True, quiet=True, **options)
    try:
        yield f"http://127.0.0.1:{port}/"
    finally:
        page.close(verbose=False)
