"""Race, Compare and Files on the real app with the embedded model, in a real browser."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

import app
from dawn.recipe import command, python
from dawn.trace import load, save
from tests.browser import PAINTED, serve_app, visited
from viz import exports

pytestmark = pytest.mark.browser

EXAMPLE = Path(app.ASSETS) / "traces" / "example.npz"
STEPS = load(EXAMPLE).forwards
SAVED = f"dawn-{STEPS}-steps.npz"
TRACE = "document.querySelector('#explorer').dataset.trace"


# Remembers that a lane was drawn half-way, however short that was to be seen.
WATCH = """() => new MutationObserver(() => {
  const drawn = (state) => document.querySelector(`.rx-lane[data-state=running] [data-state=${state}]`);
  window.drawnWhileRunning = window.drawnWhileRunning || Boolean(drawn('committed') && drawn('masked'));
}).observe(document.body, { subtree: true, childList: true, attributes: true })"""


@pytest.fixture(scope="module")
def address():
    with serve_app() as url:
        yield url


@pytest.fixture
def page(context, address):
    with visited(context, address) as page:
        page.wait_for_function(PAINTED)
        yield page


def open_tab(page, name: str) -> None:
    page.get_by_role("tab", name=name).click()
    page.wait_for_selector(
        {"Race": "#race", "Compare": "#compare", "Explore": "#explorer", "Learn": "#learn", "About": "#about"}[name],
        state="visible",
    )


def set_lane(page, lane: int, rule: str) -> None:
    page.click(f"#race-rule-{lane} input")
    page.get_by_role("option", name=rule, exact=True).last.click()


def start_race(page) -> None:
    page.click("#race-start")
    page.wait_for_selector('#race[data-state="running"]', timeout=60_000)


def finish_race(page) -> None:
    page.wait_for_selector('#race[data-state="done"]', timeout=180_000)


def open_file(page, path: Path) -> None:
    if page.locator("[data-testid=save]").count() == 0:
        page.click("#files button")
    page.wait_for_selector("#open-trace input[type=file]", state="attached")
    page.set_input_files("#open-trace input[type=file]", path)


def open_and_wait(page, path: Path) -> str:
    before = page.get_attribute("#explorer", "data-trace")
    open_file(page, path)
    page.wait_for_function(f"before => {TRACE} !== before && {PAINTED}", arg=before, timeout=30_000)
    return page.get_attribute("#explorer", "data-trace")


def elsewhere(folder: Path) -> Path:
    """The example as a model that is not offered here would have recorded it."""
    trace = load(EXAMPLE)
    save(replace(trace, setup=replace(trace.setup, model="somewhere/else-7B")), folder / "elsewhere.npz")
    return folder / "elsewhere.npz"


def test_a_race_is_drawn_as_it_runs_and_its_lanes_open_in_explore_and_compare(page):
    open_tab(page, "Race")
    set_lane(page, 2, "original")
    set_lane(page, 3, "(no lane)")
    page.evaluate(WATCH)
    start_race(page)
    page.wait_for_function("window.drawnWhileRunning", timeout=60_000)
    finish_race(page)
    rows = page.eval_on_selector_all("[data-testid=race-table] tbody tr", "all => all.map(tr => tr.innerText)")
    assert len(rows) == 2 and rows[0].startswith("dawn · Embedded model") and rows[1].startswith("original")
    assert all("right" in row or "wrong" in row for row in rows) and "quota 100 %" in rows[1]
    page.get_by_role("button", name="Explore: original").click()
    page.wait_for_function(f"{TRACE} !== 'example' && {PAINTED}")
    shown = page.get_attribute("#explorer", "data-trace")
    open_tab(page, "Race")
    page.get_by_role("button", name="Compare, right: original").click()
    page.wait_for_selector('#compare[data-ready="true"]', timeout=20_000)
    page.wait_for_function("id => document.querySelector('[data-testid=right]').value === id", arg=shown)
    assert page.locator("[data-testid=left] option").count() == 4  # two examples, two lanes


def test_a_race_can_be_stopped(page):
    open_tab(page, "Race")
    for lane in (1, 2, 3):
        set_lane(page, lane, "original")
    page.click("#race-start")
    under_way = "document.querySelectorAll('.rx-lane [data-state=committed]').length > 2"
    page.wait_for_function(f"{under_way} && (document.querySelector('#race-stop').click(), true)", timeout=60_000)
    finish_race(page)
    states = page.eval_on_selector_all(".rx-lane", "all => all.map(one => one.dataset.state)")
    assert states == ["stopped"] * 3
    assert page.locator("[data-testid=race-table] tbody tr").count() == 1


def test_a_race_over_the_limits_is_refused_in_words(page):
    open_tab(page, "Race")
    page.fill("#race-prompt textarea", "x" * 50_000)
    page.click("#race-start")
    page.wait_for_function("document.querySelector('#race .dx-notice').innerText.includes('shorten')", timeout=60_000)
    assert page.locator(".rx-lane").count() == 0


def test_the_examples_are_compared_at_once(page):
    open_tab(page, "Compare")
    page.wait_for_selector('#compare[data-ready="true"]', timeout=20_000)
    assert page.input_value("[data-testid=left]") == "example"
    assert page.input_value("[data-testid=right]") == "example-confidence"
    page.click("[data-testid=parting]")
    assert "differ for the first time" in page.inner_text("[data-testid=says]")


def test_a_saved_trace_is_the_one_that_was_shown_and_opens_again(page, tmp_path):
    page.click("#files button")
    with page.expect_download() as download:
        page.click("[data-testid=save]")
    download.value.save_as(tmp_path / download.value.suggested_filename)
    save(load(EXAMPLE), tmp_path / "written.npz")  # by this Python: the headers of a zip file differ from one to the other
    assert (tmp_path / SAVED).read_bytes() == (tmp_path / "written.npz").read_bytes()
    assert open_and_wait(page, tmp_path / SAVED) != "example"
    assert page.get_attribute("#explorer", "data-steps") == str(STEPS)
    assert page.is_enabled("[data-testid=fork]") and page.is_hidden("#explorer .dx-notice")


def test_every_file_of_the_shown_trace_is_what_the_command_line_writes(page):
    page.click("#files button")
    trace = load(EXAMPLE)
    for kind in exports.FORMATS:
        with page.expect_download(timeout=90_000) as download:
            page.click(f"#save-host [data-kind={kind}]")
        assert download.value.suggested_filename == exports.name_of(trace, kind, STEPS - 1)
        if kind != "mp4":  # its header may tell the time
            assert Path(download.value.path()).read_bytes() == exports.made(trace, kind, STEPS - 1)


def test_a_run_is_copied_as_a_command_and_as_python(page):
    page.click("#files button")
    for form, text in (("command", command), ("python", python)):
        page.click(f"[data-copy={form}]")
        page.wait_for_selector("[data-testid=copied]:not([hidden])")
        assert page.input_value("[data-testid=copied]") == text(load(EXAMPLE))


def test_a_trace_of_a_model_that_is_not_here_opens_without_decoding_again(page, tmp_path):
    open_and_wait(page, elsewhere(tmp_path))
    page.wait_for_function("document.querySelector('#explorer .dx-notice').innerText.includes('else-7B')")
    assert page.is_disabled("[data-testid=fork]")


@pytest.mark.parametrize("data, words", [(b"no trace", "not a trace file"), (EXAMPLE.read_bytes()[:5000], "not a trace file")])
def test_what_is_no_trace_is_told_and_the_shown_one_stays(page, tmp_path, data, words):
    (tmp_path / "bad.npz").write_bytes(data)
    open_file(page, tmp_path / "bad.npz")
    page.wait_for_function("w => document.querySelector('#explorer .dx-notice').innerText.includes(w)", arg=words)
    assert page.get_attribute("#explorer", "data-trace") == "example"


def test_visitors_never_see_each_others_traces_and_no_file_stays_behind(browser, address, tmp_path):
    mine, theirs = browser.new_context().new_page(), browser.new_context().new_page()
    uploads: list[str] = []
    mine.on("response", lambda response: uploads.append(response.text()) if "/upload?" in response.url else None)
    for page in (mine, theirs):
        page.goto(address)
        page.wait_for_function(PAINTED)
    name = open_and_wait(mine, elsewhere(tmp_path))
    assert len(name) > 20
    for page, expected in ((mine, 3), (theirs, 2)):
        open_tab(page, "Compare")
        page.wait_for_selector('#compare[data-ready="true"]', timeout=20_000)
        page.wait_for_function("n => document.querySelectorAll('[data-testid=left] option').length === n", arg=expected)
    assert name not in theirs.content()
    path = uploads[0].strip('[]"')
    assert path.endswith("elsewhere.npz") and not Path(path).exists()
    with pytest.raises(OSError):
        urlopen(Request(f"{address}gradio_api/file={path}"))
    for page in (mine, theirs):
        page.context.close()


@pytest.mark.parametrize("width", [390, 1400])
@pytest.mark.parametrize("colours", ["light", "dark"])
def test_every_tab_fits_its_window(browser, address, width, colours):
    page = browser.new_page(viewport={"width": width, "height": 844})
    page.goto(f"{address}?__theme={colours}")
    page.wait_for_function(PAINTED)
    for name in ("Compare", "Race", "Learn", "About"):
        open_tab(page, name)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
    page.close()
