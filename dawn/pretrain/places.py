"""The places of a number: three at least, filled up with figure spaces (U+2007, as wide as a digit) before its digits.

So digits of one value stand in one place, and the text behind a number that is still masked stands where it will stand, however
long the number turns out to be. The embedded model's tokenizer writes them on its own and leaves them out when it decodes.
"""

from __future__ import annotations

PLACES = 3  # of a whole number, at least
FIGURE_SPACE = "\u2007"


def filled_up():
    """A tokenizers normalizer that writes figure spaces before whole numbers of fewer digits than there are places."""
    from tokenizers import normalizers

    return normalizers.Sequence([filled_up_from(digit, count) for count in range(1, PLACES) for digit in "0123456789"])


def filled_up_from(first: str, digits: int):
    """The same for whole numbers of so many digits that begin with `first`."""
    from tokenizers import Regex, normalizers

    number = Regex(rf"(?<![\d.{FIGURE_SPACE}]){first}(?=\d{{{digits - 1}}}(?!\d))")
    return normalizers.Replace(number, FIGURE_SPACE * (PLACES - digits) + first)


def fillers(tokenizer) -> list[int]:
    """The ids of the tokens that stand for a figure space, with and without the space before it; none if it takes several."""
    encoded = tokenizer([f" {FIGURE_SPACE}", FIGURE_SPACE], add_special_tokens=False)["input_ids"]
    return [ids[0] for ids in encoded if len(ids) == 1]
