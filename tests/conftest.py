"""One hypothesis profile for all tests: no deadlines on shared machines, the same examples every time; and the browser."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # read as PyTorch loads: workers side by side have a core each

import pytest
from hypothesis import HealthCheck, settings

from tests.browser import launch

settings.register_profile(
    "dawn", deadline=None, max_examples=60, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("dawn")


@pytest.fixture(scope="module")
def browser():
    """A headless Chromium for the tests of one module."""
    with launch() as browser:
        yield browser


@pytest.fixture(scope="module")
def context(browser):
    """What the pages of one module share, as a visitor's tabs do: the page's scripts are fetched and compiled once."""
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    yield context
    context.close()
