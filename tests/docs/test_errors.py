"""The error catalogue has every class and every message that the source raises, each under its class."""

from __future__ import annotations

import re

from tests.docs.blocks import DOCS
from tests.docs.messages import CLASSES, GAP, messages

RAISED = sorted(set(messages()))


def catalogue() -> dict[str, list[str]]:
    """The messages of each heading, as written."""
    sections = re.split(r"^## ", (DOCS / "errors.md").read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    rows = {one.split("\n")[0]: re.findall(r"^\| (`.*?`) \|", one, flags=re.MULTILINE) for one in sections}
    return {name: [text for row in found for text in re.findall(r"`([^`]+)`", row)] for name, found in rows.items()}


def covers(written: str, message: str) -> bool:
    """Whether a message is of a family; an ellipsis stands for anything."""
    return re.fullmatch(".*".join(map(re.escape, written.split(GAP))), message, flags=re.DOTALL) is not None


def test_every_class_has_a_section():
    assert sorted(catalogue()) == sorted(CLASSES)


def test_every_message_is_in_the_catalogue():
    written = catalogue()
    lacking = [one for one in RAISED if not any(covers(family, one[1]) for family in written[one[0]])]
    assert lacking == [], "docs/errors.md lacks these, each under its class"


def test_the_scan_finds_messages_and_a_missing_one():
    assert ("CanvasError", "the prompt is empty: type a question", "dawn/run.py") in RAISED and len(RAISED) > 120
    assert not any(covers(written, "the moon is full") for found in catalogue().values() for written in found)
    assert covers("array …", "array 'x' is missing") and not covers("array …", "an array")
