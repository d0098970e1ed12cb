"""A copied link shows the same run, step, token and panel to somebody else, also after the server has started anew."""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit

from tests.browser import PAINTED, serve_app

SHOWN = """() => {
  const root = document.querySelector('#explorer'), words = (one) => [one.textContent, one.dataset.state, one.dataset.tier];
  return {
    tokens: [...root.querySelectorAll('[data-testid^=token-]')].map(words), step: root.dataset.step, steps: root.dataset.steps,
    card: root.querySelector('[data-testid=card]').innerText, prompt: document.querySelector('#prompt textarea').value,
    low: document.querySelector('#threshold-low input[type=number]').value,
    ledger: document.querySelector('[data-panel=ledger]').open,
  };
}"""
ENDED = """before => {
  const { trace, running, done } = document.querySelector('#explorer').dataset;
  return trace !== before && running === 'false' && done === 'true';
}"""
NOTICE = "words => document.querySelector('#explorer .dx-notice').textContent.includes(words)"


def test_a_link_shows_the_same_after_a_restart(browser):
    with serve_app() as address:
        page = browser.new_context(permissions=["clipboard-read", "clipboard-write"]).new_page()
        branch_off(page, address)
        page.click("[data-testid=link]")
        page.wait_for_function("document.querySelector('.dx-copied').textContent === 'Copied'")
        link, before = page.evaluate("navigator.clipboard.readText()"), page.evaluate(SHOWN)
        page.context.close()
    with serve_app() as address:
        page = browser.new_context().new_page()
        page.goto(f"{address}?{urlsplit(link).query}")
        page.wait_for_function(PAINTED)
        ended(page, "example")
        page.wait_for_selector(f'#explorer[data-step="{before["step"]}"]')
        page.wait_for_function("card => document.querySelector('[data-testid=card]').innerText === card", arg=before["card"])
        assert page.evaluate(SHOWN) == before
        page.context.close()


def branch_off(page, address: str) -> None:
    """Run with another threshold, mask a token again in the middle and decode on, then look at a step and a token."""
    page.goto(address)
    page.wait_for_function(PAINTED)
    page.fill("#threshold-low input[type=number]", "0.6")
    page.press("#threshold-low input[type=number]", "Tab")
    page.fill("#prompt textarea", "Tom has 5 apples & <b>buys</b> 3 more. How many?")
    page.click("#run")
    ended(page, "example")
    root = page.get_attribute("#explorer", "data-trace")
    page.evaluate("window.dawnExplorer.show(3)")
    page.wait_for_selector('#explorer[data-step="3"]')
    written = page.locator("[data-testid^=token-][data-state=committed]").first
    page.evaluate("id => window.dawnExplorer.select(Number(id.slice(6)), true)", written.get_attribute("data-testid"))
    page.click("[data-testid=mask]")
    ended(page, root)
    page.evaluate("window.dawnExplorer.show(1)")
    page.wait_for_selector('#explorer[data-step="1"]')
    masked = page.locator("[data-testid^=token-][data-state=masked]").first
    page.evaluate("id => window.dawnExplorer.select(Number(id.slice(6)), true)", masked.get_attribute("data-testid"))
    page.click("[data-panel=ledger] > summary")
    page.wait_for_selector("[data-testid=card] .dx-link")  # what would change the decision has been answered


def ended(page, before: str) -> None:
    """Wait until another run than this one is shown and has ended."""
    page.wait_for_function(ENDED, arg=before, timeout=60_000)


def test_a_link_that_cannot_be_run_says_why_and_shows_the_example(browser):
    hostile = {"run.prompt": "<img src=x onerror=document.title='x'>", "run.model": "/etc/passwd", "run.rule": "dawn"}
    with serve_app() as address:
        page = browser.new_page()
        page.goto(f"{address}?{urlencode(hostile)}")
        page.wait_for_function(PAINTED)
        page.wait_for_function(NOTICE, arg="it lacks run.generated, run.block")
        page.goto(f"{address}?{urlencode(hostile | {'run.generated': '16', 'run.block': '8'})}")
        page.wait_for_function(PAINTED)
        page.wait_for_function(NOTICE, arg="the model '/etc/passwd' is not offered here")
        assert page.get_attribute("#explorer", "data-trace") == "example" and page.title() != "x"
        page.close()


def test_where_the_page_may_not_write_to_the_clipboard_the_link_is_shown(browser):
    with serve_app() as address:
        page = browser.new_page()
        page.goto(address)
        page.wait_for_function(PAINTED)
        page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('not allowed')); }")
        page.click("[data-testid=link]")
        page.wait_for_selector("[data-testid=link-text]")
        shown = int(page.get_attribute("#explorer", "data-step")) + 1
        assert urlsplit(page.input_value("[data-testid=link-text]")).query == f"trace=example&step={shown}"
        page.close()
