"""The fuzzers of `tests.fuzz` with few inputs, and proof that they find what they look for."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st

from tests import fuzz


@pytest.mark.parametrize("target", fuzz.TARGETS)
def test_hostile_input_is_answered_or_refused(target):
    fuzz.fuzz(target, 60 if target == "serving" else 120)


def test_every_event_takes_controls_that_hold_nothing():
    for number in range(len(fuzz.page().events)):
        fuzz.serving((number, False, {}, {}, 0))


@pytest.mark.parametrize(("place", "held"), [(0, []), (1, []), (4, []), (0, "\ud800")])
def test_every_event_takes_controls_that_hold_a_list_or_half_of_a_character(place, held):
    for number in range(len(fuzz.page().events)):
        fuzz.serving((number, True, {place: held}, {}, 0))


def test_every_server_function_is_called():
    for number in range(len(fuzz.page().functions)):
        fuzz.serving((0, True, {}, {"trace": "example", "step": 0, "position": 0}, number))


@pytest.mark.parametrize(
    "function",
    [
        lambda value: 1 // 0,
        lambda value: fuzz.answered({"error": "no such file: /home/somebody/secret"}),
        lambda value: fuzz.answered("Traceback (most recent call last)"),
    ],
)
def test_the_fuzzers_can_fail(monkeypatch, function):
    monkeypatch.setitem(fuzz.TARGETS, "broken", (st.integers(), function))
    with pytest.raises((AssertionError, ZeroDivisionError)):
        fuzz.fuzz("broken", 3)


def test_an_input_that_takes_too_long_is_found(monkeypatch):
    def endless(value):
        while True:
            pass

    monkeypatch.setattr(fuzz, "LONGEST", 1)
    monkeypatch.setitem(fuzz.TARGETS, "endless", (st.just(0), endless))
    with pytest.raises(fuzz.Slow):
        fuzz.fuzz("endless", 1)
