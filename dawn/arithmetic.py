"""Equations in a written answer, and whether they are true: `£46 - £27 = £19`, `96 pages x 2/3 = 64`, `50% * 8 = 4`.

An equation is a chain of amounts and signs before `=` and one amount after it, as `dawn.pretrain.data` finds them. Where more
goes on before or behind (a bracket, a word that stands for a number, a further sign, thousands separators) nothing is judged.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from dawn.pretrain.data import AMOUNT, EQUATION, UNIT

TERM = re.compile(rf"([-+*/x]?)\s*({AMOUNT})")
RESULT = re.compile(r"\d+(?:\.\d+)?%?$")
GOES_ON_BEFORE = re.compile(r"(?:[-+*/(×÷^]\s*|\bx\s*|[\d.,])$")
GOES_ON_BEHIND = re.compile(rf"[.,]?\d|{UNIT}\s*[-+*/x×÷^]\s*{AMOUNT}")


@dataclass(frozen=True, slots=True)
class Equation:
    """The characters [start, stop) of the result, without its currency, and whether the equation is true."""

    start: int
    stop: int
    true: bool


def judged_equations(text: str) -> Iterator[Equation]:
    """The equations of a text whose two sides are understood, from left to right."""
    for match in EQUATION.finditer(text):
        if GOES_ON_BEFORE.search(text[: match.start()]) or GOES_ON_BEHIND.match(text, match.end()):
            continue
        left, _, right = match.group().rpartition("=")
        result = RESULT.search(right).group()
        yield Equation(match.end() - len(result), match.end(), equal(value(left), result))


def value(side: str) -> Fraction | None:
    """What a chain of amounts is worth, products before sums; None for a division by zero."""
    parts: list[Fraction] = []  # to be added up
    for sign, amount in TERM.findall(side):
        number = amount_of(amount)
        if sign == "/" and not number:
            return None
        if sign in ("*", "x", "/"):
            parts[-1] *= 1 / number if sign == "/" else number
        else:
            parts.append(-number if sign == "-" else number)
    return sum(parts, Fraction(0))


def amount_of(text: str) -> Fraction:
    """`$12.50` or `20%` as a number."""
    number = Fraction(text.strip("$€£¥%"))
    return number / 100 if text.endswith("%") else number


def equal(left: Fraction | None, result: str) -> bool:
    """Whether a value is the one written. One with decimals may be rounded to them; one in percent may mean either the share
    or the number before the sign."""
    if left is None:
        return False
    written = result.rstrip("%")
    decimals = len(written.partition(".")[2])
    slack = Fraction(1, 2 * 10**decimals) if decimals else Fraction(0)
    units = (1,) if written == result else (1, 100)
    return any(abs(left * unit - Fraction(written)) <= slack for unit in units)
