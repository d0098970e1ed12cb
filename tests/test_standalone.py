"""The files that are handed out, in a real browser with the network off: the page from file://, the films, the pictures."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from PIL import Image

import app
from dawn.ledger import ledger
from dawn.trace import Trace, load
from tests.browser import PAINTED, unavailable
from tests.viz.synthetic import synthetic_trace
from tests.viz.test_exports import hostile
from viz import exports, payload, theme

pytestmark = pytest.mark.browser

TRACES = {"example": lambda: load(Path(app.ASSETS) / "traces" / "example.npz"), "synthetic": lambda: synthetic_trace(96, 40)}
SHOWN = "all => all.map(one => [one.dataset.state, one.dataset.tier, one.textContent])"
ROWS = "all => all.map(row => [row.dataset.step, row.dataset.position, row.dataset.outcome, row.cells[2].textContent])"


@pytest.fixture(scope="module", params=TRACES)
def run(request, tmp_path_factory) -> tuple[Trace, Path]:
    """A trace, and the page made of it."""
    trace = TRACES[request.param]()
    return trace, written(trace, "html", tmp_path_factory.mktemp("pages"))


def written(trace: Trace, kind: str, folder: Path) -> Path:
    path = folder / f"run.{kind}"
    path.write_bytes(exports.made(trace, kind, 0))
    return path


@pytest.fixture
def offline(browser):
    """A page without network that keeps what it asks for, what it says and what goes wrong."""
    context = browser.new_context(viewport={"width": 1400, "height": 1000}, offline=True)
    page = context.new_page()
    page.asked, page.wrong = [], []
    page.on("request", lambda request: page.asked.append(request.url))
    page.on("pageerror", lambda error: page.wrong.append(str(error)))
    page.on("console", lambda message: page.wrong.append(message.text) if message.type in ("error", "warning") else None)
    yield page
    context.close()


def until(page, expression: str) -> None:
    """Wait for a condition; the page's policy lets nobody evaluate text while it waits."""
    for _ in range(300):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(100)
    pytest.fail(f"never: {expression}")


def opened(page, path: Path, place: str = "") -> None:
    page.goto(path.as_uri() + place)
    until(page, PAINTED)


def scrub(page, step: int) -> None:
    page.fill("[data-testid=scrubber]", str(step))
    page.wait_for_selector(f'#explorer[data-step="{step}"]')


def expected(trace: Trace, index: int) -> list[tuple[str, str]]:
    """State and tier of every position after a step, from the records."""
    canvas, tiers = trace.canvas, {}
    for step in trace.steps[: index + 1]:
        tiers |= {one.position: one.tier.value for one in step.decision.selection.committed}
        tiers |= dict.fromkeys(step.filled.tolist(), "filled")
    given = lambda p: "prompt" if p < canvas.prompt_length else "committed"  # noqa: E731
    states = ["masked" if masked else given(p) for p, masked in enumerate(canvas.masked.tolist())]
    return [("committed", tiers[p]) if p in tiers else (state, "") for p, state in enumerate(states)]


def test_the_page_shows_every_step_as_it_was_recorded(offline, run):
    trace, path = run
    opened(offline, path)
    facts, last = payload.Facts.of(trace), trace.forwards - 1
    for index in sorted({0, 1, last // 3, last // 2, last}, reverse=True):
        scrub(offline, index)
        shown = offline.eval_on_selector_all(".dx-token", SHOWN)
        assert [(state, tier) for state, tier, _ in shown] == expected(trace, index)
        after = trace.steps[index].after
        for (_, _, text), token, masked in zip(shown, after.tokens.tolist(), after.masked.tolist(), strict=True):
            assert masked or text == payload.piece(facts, token)
    assert offline.wrong == [] and offline.asked == [path.as_uri()]


def test_the_ledger_has_the_rows_of_the_records(offline, run):
    trace, path = run
    opened(offline, path)
    offline.click("[data-panel=ledger] summary")
    offline.wait_for_selector("[data-testid=ledger-table] tbody tr")
    facts, rows = payload.Facts.of(trace), []
    while True:
        rows += offline.eval_on_selector_all("[data-testid=ledger-table] tbody tr", ROWS)
        before = offline.inner_text("[data-panel=ledger] .ax-page")
        offline.click("[data-page=forward]")
        if offline.inner_text("[data-panel=ledger] .ax-page") == before:
            break
    wanted = [[str(r.step), str(r.position), r.outcome, payload.piece(facts, r.token)] for r in ledger(trace.steps)]
    assert rows == wanted
    with offline.expect_download() as download:
        offline.click("[data-testid=ledger-csv]")
    assert Path(download.value.path()).read_bytes() == exports.made(trace, "csv", 0)


def test_panels_speak_of_the_same_run_and_what_needs_a_server_says_so(offline, run):
    trace, path = run
    opened(offline, path, f"#step=2&position={trace.canvas.prompt_length}")
    assert offline.get_attribute("#explorer", "data-step") == "1"
    until(offline, "document.querySelector('[data-testid=card]').innerText.includes('python app.py')")
    assert offline.is_hidden("[data-do=fork]") and offline.is_hidden("[data-testid=edit]")
    edges = len(trace.steps[1].decision.graph.source)
    assert f"{edges} edges" in offline.inner_text("[data-testid=figures]")
    offline.click("[data-panel=sinks] summary")
    offline.wait_for_selector("[data-testid=sinks-table] tbody tr")
    offline.keyboard.press("Home")
    offline.focus("#explorer")
    offline.keyboard.press("End")
    offline.wait_for_selector(f'#explorer[data-step="{trace.forwards - 1}"]')
    until(offline, f"location.hash === '#step={trace.forwards}&position={trace.canvas.prompt_length}'")
    assert offline.wrong == []


@pytest.mark.parametrize("place", ["#step=0", "#step=999999&position=999999", "#step=x&position=<img>", "#%E0%A4%A"])
def test_a_malformed_place_opens_the_page_all_the_same(offline, run, place):
    opened(offline, run[1], place)
    assert offline.locator(".dx-token").count() == run[0].canvas.length and offline.wrong == []


def test_hostile_text_is_text(offline, tmp_path):
    trace = hostile()
    opened(offline, written(trace, "html", tmp_path))
    offline.click("[data-panel=ledger] summary")
    offline.wait_for_selector("[data-testid=ledger-table] tbody tr")
    scrub(offline, trace.forwards - 1)
    assert "</script><img src=x onerror" in offline.inner_text(".dx-title") and offline.locator("img").count() == 0
    assert "</script>" in offline.title() and "owned" not in offline.title().split("DAWN")[1] and offline.wrong == []


def test_a_script_that_is_not_the_pages_own_does_not_run(offline, run, tmp_path):
    text = run[1].read_text(encoding="utf-8").replace("<main>", "<script>window.owned = 1</script><main>")
    (tmp_path / "changed.html").write_text(text, encoding="utf-8")
    opened(offline, tmp_path / "changed.html")
    assert offline.evaluate("window.owned") is None
    assert "Content Security Policy" in offline.wrong[0]


def test_light_and_dark_and_a_phone(offline, run):
    opened(offline, run[1])
    for dark in (True, False):
        offline.click("#sx-theme")
        colour = theme.colours("dark" if dark else "light")["page"]
        rgb = ", ".join(str(int(colour[i : i + 2], 16)) for i in (1, 3, 5))
        assert offline.evaluate("getComputedStyle(document.body).backgroundColor") == f"rgb({rgb})"
    offline.set_viewport_size({"width": 390, "height": 844})
    offline.wait_for_timeout(300)
    assert offline.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("name", ["graph", "attention", "received", "timeline"])
def test_each_picture_is_saved_as_png_and_svg(offline, run, tmp_path, name):
    opened(offline, run[1], "#step=3")
    files = {}
    for kind in ("png", "svg"):
        with offline.expect_download() as download:
            offline.click(f"[data-do={kind}][data-picture={name}]")
        assert download.value.suggested_filename == f"dawn-step-3-{name}.{kind}"
        files[kind] = tmp_path / f"picture.{kind}"
        download.value.save_as(files[kind])
    svg, picture = ET.parse(files["svg"]).getroot(), Image.open(files["png"])
    assert picture.size == tuple(round(float(svg.get(side))) for side in ("width", "height"))
    assert len(picture.convert("RGB").getcolors(10**6)) > 10 and len(list(svg.iter())) > 20
    drawn = "".join(svg.itertext())
    assert {"graph": "block", "attention": "prompt", "received": "τ_sink", "timeline": "tokens per step"}[name] in drawn
    assert offline.wrong == [] and offline.get_attribute("#explorer", "data-step") == "2"


def test_the_films_open_in_the_browser(offline, tmp_path):
    trace = synthetic_trace(32, 16)
    if not offline.evaluate("document.createElement('video').canPlayType('video/mp4; codecs=\"avc1.640028\"')"):
        unavailable("this Chromium plays no H.264")
    for kind in ("mp4", "gif", "svg", "png"):
        offline.goto(written(trace, kind, tmp_path).as_uri())
        if kind == "mp4":
            until(offline, "document.querySelector('video').readyState >= 2")
            size = "(v => [v.videoWidth, v.videoHeight])(document.querySelector('video'))"
        elif kind == "svg":
            size = "(s => [s.width.baseVal.value, s.height.baseVal.value])(document.documentElement)"
        else:
            size = "(i => [i.naturalWidth, i.naturalHeight])(document.querySelector('img'))"
        assert offline.evaluate(size) == ([2560, 1440] if kind == "png" else [1280, 720])
