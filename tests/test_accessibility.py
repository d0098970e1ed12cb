"""axe-core on every tab of the real app with its panels open, light and dark: no serious and no critical violation.

axe.min.js comes with the development dependency axe-playwright-python and is handed to the page as a file.
"""

from __future__ import annotations

from importlib.resources import files

import pytest

from tests.browser import serve_app

pytestmark = pytest.mark.browser

AXE = files("axe_playwright_python") / "axe.min.js"
STILL = "*, *::before, *::after { transition: none !important; animation: none !important; }"  # a colour halfway is no colour
WRONG = """async () => {
  const { violations } = await axe.run(document, { resultTypes: ['violations'] });
  const bad = violations.filter((one) => ['serious', 'critical'].includes(one.impact));
  return bad.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.target.join(' ')} ${node.html.slice(0, 120)}`));
}"""


@pytest.fixture(scope="module")
def page(browser):
    with serve_app() as url:
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        page.goto(url)
        page.wait_for_function("document.querySelector('#explorer')?.dataset.step > ''")
        page.add_style_tag(content=STILL)
        page.add_script_tag(path=AXE)
        yield page
        page.close()


def violations(page) -> str:
    """What axe-core finds serious or critical in either theme, a line each."""
    found = []
    for dark in (False, True):
        page.evaluate("dark => document.body.classList.toggle('dark', dark)", dark)
        page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        found += page.evaluate(WRONG)
    return "\n".join(found)


def unfold_everything(page) -> None:
    """A step with a locked refused position and a proposal; every panel, table and group of settings open."""
    page.evaluate("window.dawnExplorer.show(2)")
    page.wait_for_selector('#explorer[data-step="2"]')
    position = page.get_attribute(".dx-token.dx-left >> nth=0", "data-position")
    page.evaluate(f"window.dawnExplorer.select({position}, true); window.dawnExplorer.propose('dawn', {{low: 0.2}})")
    page.evaluate("document.querySelectorAll('#analysis details, #explorer details').forEach((one) => { one.open = true; })")
    for button in page.locator("#settings button.label-wrap, #files button.label-wrap").all():
        button.click()
    page.wait_for_selector("[data-testid=limits] button")
    page.wait_for_selector("[data-testid=save]")
    for name, row in (
        ("ledger", "tbody tr"),
        ("replay", "tbody tr"),
        ("curves", ".ax-note[data-state=done]"),
        ("sinks", "tbody tr"),
    ):
        page.wait_for_selector(f"[data-panel={name}] {row}", state="attached", timeout=60_000)


def test_the_check_finds_what_is_wrong(page):
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<p id=wrong style=\"color:#ccc;background:#fff\">pale</p>')")
    found = page.evaluate(WRONG)
    page.evaluate("document.querySelector('#wrong').remove()")
    assert any(one.startswith("color-contrast: #wrong") for one in found)


def test_explore_with_every_panel_open(page):
    unfold_everything(page)
    assert violations(page) == ""


def test_compare(page):
    page.get_by_role("tab", name="Compare").click()
    page.wait_for_selector('#compare[data-ready="true"]', timeout=20_000)
    page.click("[data-testid=parting]")
    page.evaluate("document.querySelectorAll('#compare details').forEach((one) => { one.open = true; })")
    page.wait_for_selector(".cx-net tbody tr")
    assert violations(page) == ""


def test_race(page):
    page.get_by_role("tab", name="Race").click()
    page.click("#race-start")
    page.wait_for_selector('#race[data-state="done"]', timeout=180_000)
    assert violations(page) == ""


def test_learn(page):
    page.get_by_role("tab", name="Learn").click()
    page.wait_for_selector('#learn[data-ready="true"]', timeout=60_000)
    found = ""
    for scene in page.locator("#learn .lx-list button").all():
        scene.click()
        found += violations(page)
    assert found == ""
    page.get_by_role("button", name="One whole step", exact=True).click()
    page.click("[data-testid=exercise-3] .lx-check")
    page.wait_for_selector("[data-testid=exercise-3] [data-right]")
    assert violations(page) == ""
    page.click("[data-testid=present]")
    page.wait_for_selector("#learn[data-presenting]")
    assert violations(page) == ""
    page.keyboard.press("Escape")


def test_about(page):
    page.get_by_role("tab", name="About").click()
    page.wait_for_selector("#about", state="visible")
    assert violations(page) == ""
