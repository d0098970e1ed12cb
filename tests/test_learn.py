"""The Learn tab and the presenter mode on the real app, by keyboard, in a real browser."""

from __future__ import annotations

from pathlib import Path

import pytest

import app
from dawn.selection import Tier
from dawn.trace import load
from tests.browser import serve_app

pytestmark = pytest.mark.browser

EXAMPLE = load(Path(app.ASSETS) / "traces" / "example.npz")
READY = '#learn[data-ready="true"]'
PLACE = (
    "(() => { const { scene, stage } = document.querySelector('#learn').dataset; return [Number(scene), Number(stage)]; })()"
)
COUNT = "[data-testid=count]"
EDGE = '[data-testid=anatomy] .lx-edge[data-source="3"][data-target="4"]'
# What of the presented scene is cut off or beyond the window.
SHOWN = "#learn :is(.lx-title, .lx-words, .lx-caption, .lx-figure, .lx-legend, .lx-count)"
CUT = """(shown) => [...document.querySelectorAll(shown)].filter((one) => {
  const { top, right, bottom } = one.getBoundingClientRect();
  const cut = one.scrollHeight > one.clientHeight + 2 || one.scrollWidth > one.clientWidth + 2;
  return top < 0 || right > innerWidth + 1 || bottom > innerHeight + 1 || (cut && one.tagName !== 'SPAN');
}).map((one) => one.className)"""


@pytest.fixture(scope="module")
def address():
    with serve_app() as url:
        yield url


@pytest.fixture(scope="module")
def opened(context, address):
    """The tab, opened once: a page takes longer to load than a test."""
    page, errors, away = context.new_page(), [], []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on(
        "request", lambda request: None if request.url.startswith((address, "data:", "blob:")) else away.append(request.url)
    )
    page.goto(f"{address}?tab=learn")
    page.wait_for_selector(READY, timeout=60_000)
    yield page
    page.close()
    assert (errors, away) == ([], [])


@pytest.fixture
def page(opened):
    """The tab as it is when it opens."""
    opened.set_viewport_size({"width": 1400, "height": 1000})
    if opened.get_attribute("#learn", "data-presenting"):
        opened.keyboard.press("Escape")
    scene(opened, "One whole step")
    opened.select_option("[data-role=source]", "")
    opened.get_by_role("button", name="As it was").click()
    opened.wait_for_function("!document.querySelector('[data-testid=changed]').innerText")
    opened.locator(".lx-list button").first.click()
    return opened


def whole_walk(page) -> int:
    """How many places the walk through all stages of all scenes has."""
    return int(page.inner_text(COUNT).split("/")[1])


def scene(page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def committed(page) -> list[int]:
    """The positions that the anatomy's last stage shows as taken."""
    taken = "svg :is(.lx-is-high, .lx-is-induced, .lx-is-conflict_free, .lx-is-forced)"
    return page.eval_on_selector_all(f"[data-testid=anatomy] {taken}", "all => all.map((one) => Number(one.dataset.position))")


def set_range(page, selector: str, value: float) -> None:
    page.eval_on_selector(
        selector, "(one, value) => { one.value = value; one.dispatchEvent(new Event('input', { bubbles: true })); }", value
    )


def test_every_scene_has_words_and_a_figure(page):
    scenes, titles = int(page.get_attribute("#learn", "data-scenes")), []
    assert scenes == 10
    for place in range(scenes):
        assert page.get_attribute("#learn", "data-scene") == str(place)
        titles.append(page.inner_text(".lx-title"))
        assert page.inner_text(".lx-words") and page.inner_text(".lx-caption")
        assert page.locator(".lx-figure > *").count() == 1
        if place < scenes - 1:
            page.click("[data-testid=scene-next]")
    assert len(set(titles)) == scenes and page.is_disabled("[data-testid=scene-next]")


def test_the_walk_by_keyboard_passes_every_stage_and_comes_back(page):
    page.focus("#learn")
    there = [page.evaluate(PLACE)]
    for _ in range(whole_walk(page) - 1):
        page.keyboard.press("ArrowRight")
        there.append(page.evaluate(PLACE))
    assert there[0] == [0, 0] and there[-1][0] == 9 and there == sorted(there) and len({*map(tuple, there)}) == len(there)
    assert [stage for place, stage in there if place == 7] == list(range(7))
    for place in reversed(there[:-1]):
        page.keyboard.press("ArrowLeft")
        assert page.evaluate(PLACE) == place


@pytest.mark.parametrize(("width", "height"), [(1024, 768), (1920, 1080)])
def test_the_presenter_walks_all_of_it_and_cuts_nothing_off(page, width, height):
    page.set_viewport_size({"width": width, "height": height})
    page.get_by_role("tab", name="Learn").focus()
    page.keyboard.press("p")
    page.wait_for_selector("#learn[data-presenting]")
    whole = whole_walk(page)
    for place in range(1, whole + 1):
        assert page.inner_text(COUNT) == f"{place} / {whole}"
        assert page.evaluate(CUT, SHOWN) == [], page.evaluate(PLACE)
        page.keyboard.press(("PageDown", "ArrowRight", " ")[place % 3])
    assert page.inner_text(COUNT) == f"{whole} / {whole}"
    assert page.evaluate("document.querySelector('#learn').getBoundingClientRect().width") == width


def test_the_presenters_keys(page):
    page.click("[data-testid=present]")
    page.wait_for_selector("#learn[data-presenting]")
    for key, place in (
        ("End", [9, 0]),
        ("PageUp", [8, len(EXAMPLE.steps)]),
        ("Home", [0, 0]),
        ("ArrowLeft", [0, 0]),
        ("Tab", [0, 0]),
    ):
        page.keyboard.press(key)
        assert page.evaluate(PLACE) == place, key
    page.keyboard.press("b")
    assert page.get_attribute("#learn", "data-blank") == "true"
    page.keyboard.press("b")
    assert page.get_attribute("#learn", "data-blank") == "false"
    assert not page.is_visible("[data-testid=present]") and not page.is_visible("[data-testid=scene-next]")
    page.keyboard.press("Escape")
    page.wait_for_selector("#learn:not([data-presenting])")
    page.wait_for_function("!document.fullscreenElement")
    assert page.evaluate("document.activeElement.dataset.testid") == "present"


def test_presenting_covers_the_window_where_the_screen_may_not_be_filled(page):
    refuse = "document.querySelector('#learn').requestFullscreen = () => Promise.reject(new TypeError('not allowed'))"
    page.evaluate(f"() => {{ {refuse}; }}")
    page.click("[data-testid=present]")
    page.wait_for_selector("#learn[data-presenting]")
    box = page.evaluate(
        "(({ x, y, width, height }) => [x, y, width, height])(document.querySelector('#learn').getBoundingClientRect())"
    )
    size = page.viewport_size
    assert box == [0, 0, size["width"], size["height"]]
    page.keyboard.press("Escape")
    page.wait_for_selector("#learn:not([data-presenting])")
    page.evaluate("() => { delete document.querySelector('#learn').requestFullscreen; }")


def test_a_changed_confidence_and_a_removed_edge_change_the_decision(page):
    scene(page, "One whole step")
    set_range(page, "[data-testid=stage]", 6)
    assert committed(page) == [4, 6, 7, 8, 9, 10]
    page.select_option("[data-role=position]", "5")
    set_range(page, "[data-testid=confidence]", 0.88)
    page.wait_for_selector('[data-testid=changed][data-added="5"][data-dropped="6,10"]')
    assert committed(page) == [4, 5, 7, 8, 9] and "6 (for 5)" in page.inner_text(".lx-caption")
    page.get_by_role("button", name="As it was").click()
    page.wait_for_selector('[data-testid=changed][data-added=""][data-dropped=""]', state="attached")
    set_range(page, "[data-testid=stage]", 1)
    page.locator(f"{EDGE} .lx-hit").dispatch_event("click")
    page.wait_for_selector('[data-testid=changed][data-dropped="4"]')
    assert page.locator(EDGE).count() == 0


def test_a_confidence_bar_is_dragged(page):
    scene(page, "One whole step")
    column = page.locator('[data-testid=anatomy] .lx-column[data-position="11"]')
    column.scroll_into_view_if_needed()
    box = column.locator(".lx-rail").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 2, steps=4)
    page.mouse.up()
    page.wait_for_selector('[data-testid=changed][data-added="11"]')


def test_what_cannot_be_is_said_and_the_decision_stays(page):
    scene(page, "One whole step")
    page.select_option("[data-role=target]", "5")
    set_range(page, "[data-testid=weight]", 1)
    page.wait_for_function("document.querySelector('#learn .dx-notice').innerText.includes('sums to at most 1')")
    set_range(page, "[data-testid=weight]", 0.2)
    page.wait_for_function("document.querySelector('#learn .dx-notice').hidden")


def test_the_step_that_explore_shows_is_taken_apart(page):
    forced = next(step for step in EXAMPLE.steps if step.decision.selection.committed[0].tier is Tier.FORCED)
    page.evaluate(f"window.dawnExplorer.show({forced.index})")
    page.wait_for_selector(f'#explorer[data-step="{forced.index}"]', state="attached")
    scene(page, "One whole step")
    page.select_option("[data-role=source]", "shown")
    position = forced.decision.selection.committed[0].position
    page.wait_for_selector(f'[data-testid=anatomy] svg [data-position="{position}"]')
    set_range(page, "[data-testid=stage]", 6)
    assert "Nothing qualified" in page.inner_text(".lx-caption") and len(committed(page)) == 1
    several = max(EXAMPLE.steps[1:], key=lambda step: len(step.decision.selection.committed))
    taken = len(several.decision.selection.committed)
    set_range(page, "[data-role=step]", several.index + 1)
    page.wait_for_function(f"document.querySelector('.lx-caption').innerText.startsWith('{taken} tokens at once')")
    assert page.is_visible("[data-testid=anatomy] svg.lx-dense")


def test_an_exercise_checks_itself(page):
    scene(page, "One whole step")
    exercise = page.locator("[data-testid=exercise-3]")
    exercise.locator('button[data-position="5"]').click()
    exercise.get_by_role("button", name="Check").click()
    exercise.locator('[data-right="false"]').wait_for()
    assert "5 is taken" in exercise.inner_text()
    exercise.locator('button[data-position="5"]').click()
    for position in (6, 10, 11):
        exercise.locator(f'button[data-position="{position}"]').click()
    exercise.get_by_role("button", name="Check").click()
    exercise.locator('[data-right="true"]').wait_for()
    assert "6 is refused: in conflict with 5" in exercise.inner_text()


def test_the_address_names_the_scene(page, browser, address):
    scene(page, "Anchors")
    page.wait_for_function("location.search.startsWith('?tab=learn&') && location.search.endsWith('&scene=6')")
    for asked, shown in (("8", 7), ("<b>", 0)):
        other = browser.new_page()
        other.goto(f"{address}?tab=learn&scene={asked}")
        other.wait_for_selector(f'{READY}[data-scene="{shown}"]', timeout=60_000)
        other.close()


def test_a_phone_shows_every_scene_within_its_width(browser, address):
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.goto(f"{address}?tab=learn")
    page.wait_for_selector(READY, timeout=60_000)
    for place in range(10):
        assert page.get_attribute("#learn", "data-scene") == str(place)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, place
        if place < 9:
            page.click("[data-testid=scene-next]")
    page.close()
