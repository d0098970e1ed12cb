"""What the server holds of the machine's memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.viz.synthetic import synthetic_trace
from viz.memory import give_back, resident
from viz.store import Entry, TraceStore

ROOT = Path(__file__).parents[2]
ARRAYS, LARGE, SMALL = 3000, 100_000, 1_000  # bytes; below what glibc asks the system for one by one


GIVEN_BACK = """
from tests.viz.test_memory import given_back
print(given_back({ended}))
"""


def scattered() -> list[np.ndarray]:
    """Small arrays in use, and between them the place of large ones that are no more: 300 MB that glibc keeps."""
    both = [(np.ones(LARGE, np.uint8), np.ones(SMALL, np.uint8)) for _ in range(ARRAYS)]
    return [small for _, small in both]


def test_memory_is_what_linux_says_or_unknown(tmp_path):
    (tmp_path / "statm").write_text("500 20 3 1 0 9 0")
    assert resident(tmp_path / "statm") == 20 * 4096 and resident(tmp_path / "nothing") is None


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing is given back")
@pytest.mark.parametrize("ended", [False, True], ids=["asked for", "when a run ends"])
def test_what_lies_free_between_small_arrays_goes_back(ended):
    """In a process of its own: what other tests left in the heap of this one decides where arrays come to lie."""
    command = [sys.executable, "-c", GIVEN_BACK.format(ended=ended)]
    assert int(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout) > 0.8 * ARRAYS * LARGE


def given_back(ended: bool) -> int:
    """Bytes that this process holds less after the end of a run, or after it was asked to."""
    store, entry = TraceStore(), Entry(finished=synthetic_trace(20, 10))
    kept = scattered()
    before = resident()
    store.close("run", "visitor", entry) if ended else give_back()
    after = resident()
    assert sum(map(len, kept)) == ARRAYS * SMALL
    return before - after
