"""Made-up equations, spelled as worked solutions spell them: plain, with units, or with money.

A network that has learned `30 - 21 = 9` has not thereby learned `£30 - £21 = £9`: each spelling is practised.
"""

from __future__ import annotations

import numpy as np

CURRENCIES = "$€£"
UNITS = (
    *("students", "total students", "girls", "boys", "pages", "years", "balls", "apples", "friends", "minutes", "eggs"),
    *("wasps", "bake", "dance", "hike", "paint", "play video games", "read", "soccer", "tennis", "volleyball", "absent"),
)
KINDS = (*"+++++-----*/", *["+++", "---"] * 3, "+++T", "cents", "cents", "price", "price", "part")  # what is hard, more often
SMALL = 20  # up to this largest number there are only plain sums and differences of two


def made_up_equation(random: np.random.Generator, largest: int) -> str:
    """`a op b = c` with no whole part of a number above `largest`."""
    kind = str(random.choice(KINDS if largest > SMALL else ["+", "-"]))
    if special := {"+++T": unknown, "cents": cents, "price": price, "part": part}.get(kind):
        return special(random, largest)
    numbers, sign, result = chain(random, kind, largest) if len(kind) == 3 else pair(random, kind, largest)
    style = random.choice(["plain", "money", "units"], p=[0.45, 0.3, 0.25]) if largest > SMALL else "plain"
    if style == "money":
        return in_money(random, numbers, sign, result)
    return in_units(random, numbers, sign, result) if style == "units" else plain(random, numbers, sign, result)


def plain(random: np.random.Generator, numbers: list[int], sign: str, result: int) -> str:
    """`12 + 5 = 17`, with spaces or without."""
    spelling = random.choice(["{} = {}", "{}={}", "{} = ${}"], p=[0.5, 0.4, 0.1])
    tight = "}=" in spelling or random.random() < 0.3
    return str(spelling).format((sign if tight else f" {sign} ").join(map(str, numbers)), result)


def in_money(random: np.random.Generator, numbers: list[int], sign: str, result: int) -> str:
    """`£12 + £5 = £17`; of the factors of a product, and of a dividend and its divisor, one is money."""
    mark = str(random.choice([*CURRENCIES]))
    paid = {"/": [True, False], "*": [False, True], "x": [False, True]}.get(sign, [True] * len(numbers))
    parts = [f"{mark if money else ''}{n}" for n, money in zip(numbers, paid, strict=True)]
    return f"{f' {sign} '.join(parts)} = {mark}{result}"


def in_units(random: np.random.Generator, numbers: list[int], sign: str, result: int) -> str:
    """`95 students - 43 girls = 52`; a factor or divisor has no unit of its own."""
    units = random.choice(UNITS, len(numbers))
    bare = sign in "*x/"
    parts = [str(n) if bare and i else f"{n} {unit}" for i, (n, unit) in enumerate(zip(numbers, units, strict=True))]
    return f"{f' {sign} '.join(parts)} = {result}"


def chain(random: np.random.Generator, kind: str, largest: int) -> tuple[list[int], str, int]:
    """A sum of three or four, or what two or three numbers leave of a larger one."""
    parts = split(random, largest)
    return (parts, "+", sum(parts)) if kind == "+++" else ([sum(parts), *parts[:-1]], "-", parts[-1])


def split(random: np.random.Generator, largest: int) -> list[int]:
    """Three or four numbers above 0 whose sum is at most `largest`: any parts of it equally likely."""
    count = int(random.integers(3, 5))
    total = max(count, skewed(random, largest))
    cuts = np.sort(random.choice(np.arange(1, total), count - 1, replace=False))
    return np.diff(cuts, prepend=0, append=total).tolist()


def unknown(random: np.random.Generator, largest: int) -> str:
    """`73 + 47 + 22 + T = 142`, to which solutions add `+ T`."""
    parts = split(random, largest)
    return f"{' + '.join(map(str, parts))} + T = {sum(parts)}"


def pair(random: np.random.Generator, kind: str, largest: int) -> tuple[list[int], str, int]:
    """Two operands and their result, all within 0 … largest."""
    if kind in "+-":
        first = skewed(random, largest - 1)
        second = skewed(random, largest - first)
        return ([first + second, first], "-", second) if kind == "-" else ([first, second], "+", first + second)
    small = int(random.integers(2, 13 if largest > 50 else 6))
    large = int(random.integers(2, max(4, largest // small + 1)))
    if kind == "/":
        return [small * large, small], "/", large
    factors = [small, large] if random.random() < 0.5 else [large, small]
    return factors, str(random.choice(["*", "x"], p=[2 / 3, 1 / 3])), small * large


def cents(random: np.random.Generator, largest: int) -> str:
    """`£43.56 - £16.56 = £27`: what is left when the cents are paid as well."""
    (first, second), _, result = pair(random, "-", largest)
    mark, coins = random.choice([*CURRENCIES]), f"{random.integers(100):02d}"
    return f"{mark}{first}.{coins} - {mark}{second}.{coins} = {mark}{result}"


def price(random: np.random.Generator, largest: int) -> str:
    """`26 * £0.41 = £10.66` or `12 x £5.5 = £66`."""
    mark = random.choice([*CURRENCIES])
    if random.random() < 0.5:
        number, coins = int(random.integers(2, min(largest, 50) + 1)), int(random.integers(1, 100))
        return f"{number} * {mark}0.{coins:02d} = {mark}{number * coins / 100:.2f}"
    number = 2 * int(random.integers(1, 9))
    halves = 2 * int(random.integers(0, max(1, largest // number))) + 1
    return f"{number} x {mark}{halves / 2} = {mark}{number // 2 * halves}"


def part(random: np.random.Generator, largest: int) -> str:
    """`96 pages x 2/3 = 64` or `36 * 0.25 = 9`."""
    if random.random() < 0.5:
        below = int(random.integers(2, 6))
        above, times = int(random.integers(1, below)), int(random.integers(1, largest // below + 1))
        return f"{below * times} {random.choice(UNITS)} x {above}/{below} = {above * times}"
    quarters, times = int(random.integers(1, 4)), int(random.integers(1, largest // 4 + 1))
    return f"{4 * times} * {quarters / 4:g} = {quarters * times}"


def skewed(random: np.random.Generator, largest: int) -> int:
    """1 … largest, half of the time uniform, else log-uniform.

    A digit of a sum says nothing about one operand's digit if the other's is uniform, and a network that sees no trace of
    either finds neither. Small operands leave that trace.
    """
    if random.random() < 0.5:
        return int(random.integers(1, largest + 1))
    return int(np.exp(random.uniform(0, np.log(largest + 0.999))))
