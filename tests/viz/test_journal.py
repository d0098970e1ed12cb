"""The log and the counters."""

from __future__ import annotations

import json
import logging

import pytest

from viz.journal import Journal


@pytest.mark.parametrize("prompts", [False, True])
def test_a_line_tells_what_happened_and_a_prompt_only_if_asked(caplog, prompts):
    caplog.set_level(logging.INFO, logger="dawn.events")
    Journal(prompts).note("run finished", "visitor 1", "a secret question", forwards=12, notice="two\nlines")
    line = json.loads(caplog.messages[0])
    assert line["event"] == "run finished" and line["forwards"] == 12 and line["notice"] == "two\nlines"
    assert line.get("prompt") == ("a secret question" if prompts else None)
    assert prompts or line["prompt_characters"] == 17
    assert "visitor 1" not in caplog.text and "\n" not in caplog.messages[0]


def test_visitors_are_told_apart_but_not_across_starts():
    one, other = Journal(), Journal()
    assert one.alias("a") == one.alias("a") != one.alias("b")
    assert one.alias("a") != other.alias("a")


def test_events_are_counted():
    journal = Journal()
    for event in ("upload", "run failed", "upload"):
        journal.note(event)
    assert journal.figures()["events"] == {"upload": 2, "run failed": 1}
