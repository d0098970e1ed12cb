"""Byte-level BPE for the embedded model: 2,048 entries, and whole numbers up to 200, each a token with the space before it.

A number of one token has its place before its value is known: what follows it stands where it will stand. And its value is
read and written at once, not digit by digit (see `numbers`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice

from dawn.pretrain.data import LARGEST_NUMBER, problems

ENTRIES = 2048
TRAINING_TEXTS = 30_000
END, MASK, USER, ASSISTANT = "<|endoftext|>", "<|mask|>", "<|user|>", "<|assistant|>"
CHAT_TEMPLATE = (
    "{% for message in messages %}{{ '<|' + message['role'] + '|>' + message['content'] }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)


def train_tokenizer(seed: int = 0):
    """A transformers tokenizer trained on the problems' text. Special tokens: end (also padding), mask, user, assistant."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = apart(r" ?\d")
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=ENTRIES,
        special_tokens=[END, MASK, USER, ASSISTANT],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    training = islice(problems(seed, held_out=False), TRAINING_TEXTS)
    tokenizer.train_from_iterator((text for p in training for text in (p.question, p.solution)), trainer)
    return as_transformers(with_numbers(tokenizer))


def apart(pattern: str):
    """A pre-tokenizer after which no token reaches across the ends of what matches the pattern."""
    from tokenizers import Regex, pre_tokenizers

    split = pre_tokenizers.Split(Regex(pattern), behavior="isolated")
    return pre_tokenizers.Sequence([split, pre_tokenizers.ByteLevel(add_prefix_space=False)])


def with_numbers(tokenizer):
    """The same tokenizers.Tokenizer of digits with the whole numbers up to LARGEST_NUMBER besides."""
    from tokenizers import Tokenizer

    content = json.loads(tokenizer.to_str())
    vocabulary, merges = (content["model"][name] for name in ("vocab", "merges"))
    for pair in number_merges():
        if (token := "".join(pair)) not in vocabulary:
            vocabulary[token] = len(vocabulary)
            merges.append(pair)
    more = Tokenizer.from_str(json.dumps(content))
    more.pre_tokenizer = apart(r" ?\d+")
    return more


def number_merges() -> Iterator[tuple[str, str]]:
    """(left, right): what is joined to numbers, in an order that joins each from its first digit on: with the space before
    those without, and 1 with 1 before 1 with others, before others."""
    space = "\u0120"  # as byte-level BPE spells it
    yield from ((space, str(digit)) for digit in range(10))
    numbers = sorted(range(10, LARGEST_NUMBER + 1), key=lambda number: (number != 11, number))
    for start in (space, ""):
        yield from ((start + text[:-1], text[-1]) for text in map(str, numbers))


def as_transformers(tokenizer):
    """A tokenizers.Tokenizer with the special tokens and the chat form of the embedded model."""
    from transformers import PreTrainedTokenizerFast

    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token=END,
        pad_token=END,
        mask_token=MASK,
        extra_special_tokens=[USER, ASSISTANT],
        chat_template=CHAT_TEMPLATE,
        clean_up_tokenization_spaces=False,
        model_max_length=512,
    )
