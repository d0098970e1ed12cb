"""Limits by environment and command line, and what is no limit."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from dawn.errors import LimitError
from viz.limits import Limits, variable

README = Path(__file__).parents[2] / "README.md"


def test_nothing_set_is_the_defaults():
    assert Limits.read({}, []) == Limits()


def test_every_limit_has_a_variable_and_an_option_which_wins():
    for one in fields(Limits):
        option = "--" + one.name.replace("_", "-")
        assert getattr(Limits.read({variable(one.name): "3"}, []), one.name) == 3
        assert getattr(Limits.read({variable(one.name): "3"}, [option, "4"]), one.name) == 4


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "nan", "many", "²", "9" * 400, "1_000"])
def test_what_is_no_limit_is_refused_in_words(text):
    with pytest.raises(LimitError, match="must be a whole number"):
        Limits.read({"DAWN_TRACES": text}, [])


def test_an_empty_variable_is_none():
    assert Limits.read({"DAWN_TRACES": ""}, []) == Limits()


def test_a_limit_cannot_exceed_what_the_engine_takes():
    with pytest.raises(LimitError, match="from 1 to 20000"):
        Limits(prompt_characters=20_001)


def test_the_readme_tells_every_limit_and_its_default():
    table = README.read_text(encoding="utf-8").split("### Limits")[1]
    for one in fields(Limits):
        assert f"| `--{one.name.replace('_', '-')}` | {one.default:,} | {one.metadata['words']} |" in table
