"""Equations in an answer: which are judged, where their results stand, and whether they are true."""

from __future__ import annotations

import re

import numpy as np
import pytest

from dawn.arithmetic import judged_equations
from dawn.pretrain.equations import made_up_equation


@pytest.mark.parametrize(
    ("text", "result", "true"),
    [
        ("12 + 11 = 23", "23", True),
        ("12+11=24 apples", "24", False),
        ("1 + 2 * 3 = 7", "7", True),
        ("1 + 2 * 3 = 9", "9", False),
        ("136 total students - 28 play games - 9 baseball = 99", "99", True),
        ("96 pages x 2/3 = 64", "64", True),
        ("£43.56 - £16.56 = £27 left", "27", True),
        ("26 * $0.41 = $10.66.", "10.66", True),
        ("50% * 8 = 4", "4", True),
        ("3/4 * 1 = 75%", "75%", True),
        ("3/4 * 100 = 75%", "75%", True),
        ("1/8 * 1 = 10.0%", "10.0%", False),
        ("10 / 3 = 3.33", "3.33", True),
        ("10 / 3 = 3.34", "3.34", False),
        ("9*0.5=4", "4", False),
        ("5 / 0 = 5", "5", False),
        ("balls:96 * 0.5=48\n#### 48", "48", True),
    ],
)
def test_an_equation_is_true_or_not(text, result, true):
    (found,) = judged_equations(text)
    assert (text[found.start : found.stop], found.true) == (result, true)


@pytest.mark.parametrize(
    "text",
    [
        "no numbers",
        "39=39",
        "5 x (3 + 4) = 35",
        "half * 42 wasps + 3 = 24",
        "20 ÷ 4 + 3 = 8",
        "4 + 3 = 2 + 5",
        "4 + 3 = 9 apples - 2",
        "1,200 + 3 = 1,203",
        "4 + 3 =",
    ],
)
def test_what_is_not_understood_is_not_judged(text):
    assert [*judged_equations(text)] == []


def test_every_equation_of_an_answer_is_found():
    found = [*judged_equations("So 100-39=61 a day, 61*3=183 in all, and 5 + 5 = 11.\n#### 183")]
    assert [one.true for one in found] == [True, True, False]


def test_made_up_equations_are_true_and_others_with_the_next_result_are_not():
    random = np.random.default_rng(0)
    for _ in range(300):
        text = made_up_equation(random, 100).replace(" + T", "")
        (found,) = judged_equations(text)
        assert found.true, text
        wrong = re.sub(r"(\d+)((?:\.\d+)?)$", lambda match: f"{int(match[1]) + 1}{match[2]}", text)
        (found,) = judged_equations(wrong)
        assert not found.true, wrong
