"""The real app with the embedded model in a real browser."""

from __future__ import annotations

from pathlib import Path

import pytest

from dawn.thresholds import PRESETS
from tests.browser import MOVE, SCRUB, serve_app, visited
from tests.dawn.models.published import llada

pytestmark = pytest.mark.browser

STEP = "document.querySelector('#explorer')?.dataset.step"
DONE = "document.querySelector('#explorer').dataset.done === 'true'"
SHOWN = "document.querySelector('#explorer').dataset.steps"
PAINTED = f"{STEP} !== undefined && {STEP} !== ''"


@pytest.fixture(scope="module")
def address():
    with serve_app() as url:
        yield url


@pytest.fixture
def page(context, address):
    with visited(context, address) as page:
        page.wait_for_function(PAINTED)
        yield page


def run(page, prompt: str | None = None) -> int:
    """Run the prompt to its end and until the answer is judged, the last request of a run; the number of steps."""
    if prompt is not None:
        page.fill("#prompt textarea", prompt)
    trace = page.get_attribute("#explorer", "data-trace")
    with page.expect_response("**/run/predict*", timeout=90_000):
        page.click("#run")
        page.wait_for_function("trace => document.querySelector('#explorer').dataset.trace !== trace", arg=trace)
        page.wait_for_function(f"{DONE} && Number({STEP}) === Number({SHOWN}) - 1", timeout=60_000)
    return int(page.get_attribute("#explorer", "data-steps"))


def test_the_recorded_example_is_on_the_page_before_anything_is_run(page):
    assert page.get_attribute("#explorer", "data-trace") == "example"
    assert page.locator("[data-testid^=token-]").count() > 100


def test_a_page_that_rests_asks_for_no_frames(context, address):
    count = "window.framesAsked++; return frame(work);"
    context.add_init_script(
        f"{{ window.framesAsked = 0; const frame = requestAnimationFrame; requestAnimationFrame = (work) => {{ {count} }}; }}"
    )
    with visited(context, address) as page:
        page.wait_for_function(f"{PAINTED} && framesAsked > 0")
        page.wait_for_timeout(3000)
        before = page.evaluate("framesAsked")
        page.wait_for_timeout(1000)
        assert page.evaluate("framesAsked") - before < 10


def test_a_run_is_drawn_and_says_for_every_token_what_happened(page):
    steps = run(page)
    assert steps > 3
    states = page.eval_on_selector_all(
        "[data-testid^=token-]", "all => all.map(one => one.dataset.state + ' ' + one.dataset.tier)"
    )
    assert "masked " not in states and any(state.startswith("committed ") and len(state) > 10 for state in states)
    page.locator("[data-testid=scrubber]").focus()
    page.keyboard.press("Home")
    page.wait_for_function(f"{STEP} === '0'")
    assert page.locator("[data-state=masked]").count() > 0
    page.keyboard.press("End")
    page.wait_for_function(f"{STEP} === '{steps - 1}'")


def test_stop_keeps_what_there_is(page):
    page.click("#rule input")
    page.get_by_role("option", name="original").click()
    page.get_by_role("button", name="Length and sampling").click()
    page.fill("#gen-length input[type=number]", "256")
    page.press("#gen-length input[type=number]", "Tab")
    page.uncheck("#stop-at-end input")  # a run long enough to be stopped
    page.click("#run")
    under_way = f"document.querySelector('#explorer').dataset.trace !== 'example' && Number({SHOWN}) > 3"
    page.wait_for_function(f"{under_way} && (document.querySelector('#stop').click(), true)")
    page.wait_for_function(DONE)
    assert page.locator("[data-state=masked]").count() > 0
    assert int(page.get_attribute("#explorer", "data-steps")) < 96


def test_scrubbing_makes_no_request_with_every_panel_shown(page):
    page.fill("#prompt textarea", "There are 4 birds on a tree and 3 more come. " * 6 + "How many birds are there?")
    run(page)
    assert page.locator("[data-testid^=token-]").count() >= 160
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    assert len(page.evaluate(SCRUB, 200)) > 100
    assert [url for url in requests if "heartbeat" not in url] == []


def test_a_threshold_move_shows_its_new_selection_at_once(page):
    page.locator("[data-testid=scrubber]").focus()
    page.keyboard.press("Home")
    page.evaluate(MOVE, [0.5])
    values = {round(0.02 * i + 0.01, 2) for i in range(2, 49)} - {PRESETS["Embedded model"].low}
    page.evaluate(MOVE, sorted(values))
    box = page.locator("[data-testid=whatif]")
    assert box.get_attribute("data-added") is not None and box.get_attribute("data-dropped") is not None


def test_decode_again_from_here_makes_a_new_trace(page):
    steps = run(page)
    page.locator("[data-testid=scrubber]").focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    page.wait_for_function(f"{STEP} === '1'")
    page.evaluate(MOVE, [0.3])
    page.click("[data-testid=fork]")
    page.wait_for_function("document.querySelector('.dx-title').innerText.includes('Decoded again from step 2')")
    page.wait_for_function(DONE, timeout=60_000)
    assert int(page.get_attribute("#explorer", "data-steps")) <= steps


def branch_with_another_token(page) -> str:
    """Write the second choice at a masked position of step 2; the new trace's id."""
    trace = page.get_attribute("#explorer", "data-trace")
    page.evaluate("window.dawnExplorer.show(1)")
    page.wait_for_function(f"{STEP} === '1'")
    position = page.get_attribute(".dx-token.dx-left >> nth=0", "data-position")
    page.evaluate(f"window.dawnExplorer.select({position}, true)")
    choice = page.locator(".dx-chances li").nth(1)
    text = choice.locator("code").inner_text()
    choice.locator("[data-testid=write]").click()
    page.wait_for_function("trace => document.querySelector('#explorer').dataset.trace !== trace", arg=trace, timeout=60_000)
    page.wait_for_function(DONE, timeout=60_000)
    page.evaluate("window.dawnExplorer.show(0)")
    page.wait_for_function(f"{STEP} === '0'")
    assert page.inner_text(f"[data-testid=token-{position}]") == text
    return page.get_attribute("#explorer", "data-trace")


def test_a_branch_with_another_token_is_kept_named_and_deleted_and_seen_by_nobody_else(page, browser, address):
    trace = branch_with_another_token(page)
    page.click("[data-testid=branches] summary")
    rows = page.locator("[data-testid=branches] li")
    assert rows.count() == 2 and rows.nth(0).inner_text().startswith("Recorded example")
    page.click("[aria-label^='Rename']")
    page.fill("[aria-label='Name of this branch']", "mine <b>")
    page.keyboard.press("Enter")
    page.wait_for_selector(".dx-branch[aria-current]:has-text('mine <b>')")
    rows.nth(0).locator(".dx-branch").click()
    page.wait_for_function("document.querySelector('#explorer').dataset.trace === 'example'")
    rows.nth(1).locator(".dx-branch").click()
    page.wait_for_function("trace => document.querySelector('#explorer').dataset.trace === trace", arg=trace)
    other = browser.new_page()
    other.goto(address)
    other.wait_for_function(PAINTED)
    other.locator("[data-testid=branches]").wait_for(state="hidden")
    assert "mine" not in other.inner_text("#explorer")
    other.close()
    page.click("[aria-label^='Delete']")
    page.wait_for_function("document.querySelector('#explorer').dataset.trace === 'example'")
    page.wait_for_selector("[data-testid=branches]", state="hidden")


LIMITS = "document.querySelectorAll('[data-testid=limits] button').length"


def test_a_critical_value_in_the_card_moves_its_threshold_and_the_proposal_follows(page):
    page.evaluate("window.dawnExplorer.show(0)")
    page.wait_for_selector(".dx-token.dx-left:not(.dx-blocked)")
    position = page.get_attribute(".dx-token.dx-left:not(.dx-blocked) >> nth=0", "data-position")
    page.evaluate(f"window.dawnExplorer.select({position}, true)")
    page.wait_for_function(f"{LIMITS} > 0")
    line = page.locator("[data-testid=limits] li", has_text="taken as").first
    name, value = line.inner_text().split()[0], line.locator("button").inner_text()
    line.locator("button").click()
    page.wait_for_function(
        f"Number(document.querySelector('#threshold-{name} input[type=number]').value) === Number('{value}')"
    )
    page.wait_for_function(
        "p => document.querySelector('[data-testid=whatif]').dataset.added.split(',').includes(p)", arg=position
    )
    page.wait_for_function(f"{ADDRESS}.get('set.{name}') !== null")


ADDRESS = "new URLSearchParams(location.search)"


def opened(page, address: str, words: str = "") -> None:
    """Go to an address; wait for its step, and for these words of the notice."""
    page.goto(address)
    page.wait_for_function(PAINTED)
    page.wait_for_function("words => document.querySelector('#explorer .dx-notice').textContent.includes(words)", arg=words)


def test_a_reload_gives_the_same_page_back(page, browser):
    run(page)
    trace = page.get_attribute("#explorer", "data-trace")
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.evaluate("window.dawnExplorer.show(2); window.dawnExplorer.select(70, true)")
    page.wait_for_function(f"{ADDRESS}.get('step') === '3' && {ADDRESS}.get('position') === '70'")
    assert [url for url in requests if "heartbeat" not in url and "server" not in url] == []
    page.evaluate(MOVE, [0.31])
    page.wait_for_function(f"{ADDRESS}.get('set.low') === '0.31'")
    page.click("[data-testid=branches] summary")
    branches = page.locator(".dx-branch").all_inner_texts()
    page.reload()
    page.wait_for_selector(f'#explorer[data-trace="{trace}"][data-step="2"]', timeout=20_000)
    page.wait_for_function("document.querySelector('.dx-cardhead b')?.textContent === '70'")
    page.wait_for_function("JSON.parse(document.querySelector('[data-testid=whatif]').dataset.settings || '{}').low === 0.31")
    page.wait_for_function("document.querySelector('#threshold-low input[type=number]').value === '0.31'")
    page.click("[data-testid=branches] summary")
    assert page.locator(".dx-branch").all_inner_texts() == branches and page.is_visible("[aria-label^='Rename']")
    link, other = page.evaluate("location.href"), browser.new_page()
    opened(other, link)
    other.wait_for_selector(f'#explorer[data-trace="{trace}"][data-step="2"]', timeout=20_000)
    assert other.locator("[aria-label^='Rename']").count() == 0  # a link shows; it does not own
    other.close()


def test_compare_comes_back_after_a_reload(page):
    run(page)
    trace = page.get_attribute("#explorer", "data-trace")
    page.get_by_role("tab", name="Compare").click()
    page.wait_for_selector('#compare[data-ready="true"]', timeout=20_000)
    page.select_option("[data-testid=right]", trace)
    page.wait_for_selector('#compare[data-ready="true"]')
    page.click("#compare [data-do=tokens]")
    page.click("#compare [data-do=first]")
    page.wait_for_function(f"{ADDRESS}.get('moment') === '1' && {ADDRESS}.get('right') === '{trace}'")
    page.reload()
    page.wait_for_selector('#compare[data-ready="true"][data-mode=tokens][data-moment="0"]', timeout=20_000)
    assert page.input_value("[data-testid=right]") == trace and page.is_hidden("#compare .dx-notice")


@pytest.mark.parametrize(
    "query, words",
    [
        ("trace=gone", "no longer on this server"),
        ("trace=<img src=x onerror=\"document.title='x'\">&step=3", "no longer on this server"),
        ("trace=example&step=<script>document.title='x'</script>", 'there is no step "<script>'),
        ("trace=example&position=1&tab=<b>&rule=${document.title='x'}", "unknown rule"),
    ],
)
def test_an_address_that_cannot_be_shown_says_so_as_text(page, address, query, words):
    opened(page, f"{address}?{query}", words)
    assert page.get_attribute("#explorer", "data-trace") == "example"
    assert page.title() == "DAWN Lab" and page.locator("#explorer img, #explorer script, .dx-notice b").count() == 0
    page.wait_for_function(f"{ADDRESS}.get('trace') === 'example' && !{ADDRESS}.get('tab')")


def test_a_token_that_is_none_is_a_notice(page):
    position = page.get_attribute(".dx-token[data-tier=high] >> nth=0", "data-position")
    page.evaluate(f"window.dawnExplorer.select({position}, true)")
    page.fill("[data-testid=edit] input", "1 + 2 = 3?")
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelector('.dx-notice').innerText.includes('tokens of this model')")
    assert page.get_attribute("#explorer", "data-trace") == "example"


@pytest.mark.parametrize(
    "prompt",
    [
        "${document.title='x'}",
        "<img src=x onerror=document.title='x'>",
        "🙂👩‍👧 emoji",
        "שלום עולם",
        "</script><script>document.title='x'</script>",
    ],
)
def test_hostile_prompts_are_shown_as_text(page, prompt):
    run(page, prompt)
    page.wait_for_timeout(200)
    assert page.title() == "DAWN Lab"
    assert page.locator("#explorer img, #explorer script").count() == 0


@pytest.mark.parametrize("prompt, words", [("", "type a question"), ("x" * 50_000, "shorten")])
def test_refused_prompts_say_why_and_keep_the_page(page, prompt, words):
    steps = page.get_attribute("#explorer", "data-steps")
    page.fill("#prompt textarea", prompt)
    page.click("#run")
    page.wait_for_function(f"document.querySelector('.dx-notice').innerText.includes({words!r})")
    assert page.get_attribute("#explorer", "data-steps") == steps


def test_with_every_other_address_blocked_the_page_loads_runs_and_exports(browser, address):
    context = browser.new_context()
    page, elsewhere, errors = context.new_page(), [], []

    def only_here(route) -> None:
        if route.request.url.startswith((address, "data:", "blob:")):
            return route.continue_()
        elsewhere.append(route.request.url)
        return route.abort()

    context.route("**/*", only_here)
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.goto(address)
    page.wait_for_function(PAINTED)
    run(page)
    page.click("#files button")
    for button in ("save", "graphml"):
        with page.expect_download() as download:
            page.click(f"[data-testid={button}]")
        assert Path(download.value.path()).stat().st_size > 500
    for name in ("Compare", "Race", "About"):
        page.get_by_role("tab", name=name).click()
    page.wait_for_selector("#about", state="visible")
    assert elsewhere == [] and errors == []
    context.close()


@pytest.mark.parametrize("width", [390, 1400])
@pytest.mark.parametrize("colours", ["light", "dark"])
def test_the_page_fits_its_window(browser, address, width, colours):
    page = browser.new_page(viewport={"width": width, "height": 844})
    page.goto(f"{address}?__theme={colours}")
    page.wait_for_function(PAINTED)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()


def test_the_page_says_how_the_model_stands(page):
    page.wait_for_function("document.querySelector('#model-state').innerText === 'ready on cpu, float32'")


@pytest.fixture
def two_models(monkeypatch, tmp_path):
    """A page that offers a small LLaDA and a folder that holds none."""
    folder = llada(make_folder(tmp_path / "LLaDA-8B-small"))
    monkeypatch.setenv("DAWN_MODELS", f"embedded, {folder}, {tmp_path / 'empty'}")
    with serve_app() as url:
        yield url


def make_folder(path):
    path.mkdir()
    return path


def choose_model(page, name: str) -> None:
    page.click("#model input")
    page.get_by_role("option", name=name).click()


def test_a_model_is_chosen_with_its_preset_and_a_failing_one_leaves_the_page_alive(browser, two_models):
    page = browser.new_page()
    page.goto(two_models)
    page.wait_for_function(PAINTED)
    choose_model(page, "LLaDA-8B-small")
    page.wait_for_function("document.querySelector('#preset input').value === 'LLaDA · GSM8K, MATH'")
    page.wait_for_function("document.querySelector('#model-state').innerText.startsWith('not loaded')")
    run(page)
    page.wait_for_function("document.querySelector('#model-state').innerText.startsWith('ready on cpu')")
    choose_model(page, "empty")
    page.click("#run")
    page.wait_for_function("document.querySelector('.dx-notice').innerText.includes('unknown model')")
    page.wait_for_function("document.querySelector('#model-state').innerText.startsWith('failed: unknown model')")
    choose_model(page, "LLaDA-8B-small")
    run(page)
    page.close()


def test_every_rule_shows_its_own_settings_and_proposes_them(page):
    def choose(name: str) -> None:
        page.click("#rule input")
        page.get_by_role("option", name=name, exact=True).click()

    choose("localleap")
    page.wait_for_selector("#localleap-radius", timeout=15_000)
    page.wait_for_selector("#threshold-low", state="hidden")
    page.evaluate("""() => { const slider = document.querySelector('#localleap-relaxed input[type=range]');
        slider.value = 0; slider.dispatchEvent(new Event('input', { bubbles: true })); }""")
    page.wait_for_function(
        "JSON.parse(document.querySelector('[data-testid=whatif]').dataset.settings || '{}').relaxed === 0", timeout=15_000
    )
    choose("dawn-random-graph")
    page.wait_for_selector("#dawn-random-graph-seed", timeout=15_000)
    page.wait_for_selector("#threshold-low")
    page.wait_for_selector("#localleap-radius", state="hidden")
