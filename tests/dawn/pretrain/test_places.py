"""Numbers take three places, in the ids alone."""

from __future__ import annotations

import pytest
from tokenizers import Tokenizer, decoders, models

from dawn.models import load_model
from dawn.pretrain.places import FIGURE_SPACE, PLACES, filled_up, fillers
from dawn.pretrain.tokenizer import as_transformers

FILLED = {
    "7": "__7",
    "7 a 12=123": "__7 a _12=123",
    "1234 x 12345": "1234 x 12345",
    "$4.50 0.25 .5 10%": "$__4.50 __0.25 .5 _10%",
    "2/3,5 3rd a1": "__2/__3,__5 __3rd a__1",
    "no number": "no number",
    "": "",
}


@pytest.mark.parametrize("text", FILLED)
def test_whole_numbers_are_filled_up_to_three_places(text):
    assert filled_up().normalize_str(text) == FILLED[text].replace("_", FIGURE_SPACE)


@pytest.fixture(scope="module")
def model():
    return load_model("embedded")


@pytest.mark.parametrize("text", ["7 - 17=10 x", "12", "She has 7, $4.50 or 1234.\n#### 5", "no number", "3 ٣ ７"])
def test_text_comes_back_without_them(model, text):
    assert model.text(model.encode_text(text)) == text


def test_places_are_tokens_of_their_own_and_shown_as_what_they_are(model):
    ids = model.encode_text("7 - 17=123 x")
    pieces = model.pieces(ids)
    assert [pieces[i] for i in ids] == [FIGURE_SPACE, FIGURE_SPACE, "7", " -", " ", "1", "7", "=", "1", "2", "3", " x"]


def test_a_number_takes_as_many_tokens_whatever_its_digits(model):
    lengths = {len(model.encode_text(f"so {number} x {number}=")) for number in (0, 9, 10, 99, 100, 10**PLACES - 1)}
    assert len(lengths) == 1


def test_a_tokenizer_that_writes_none_has_none(model):
    assert len(fillers(model.tokenizer)) == 2
    spelled = Tokenizer(models.BPE({"Ġ": 4, "â": 5, "Ģ": 6, "ĩ": 7}, []))
    spelled.decoder = decoders.ByteLevel()
    assert fillers(as_transformers(spelled)) == []
