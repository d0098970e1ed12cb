"""Byte-level BPE for the embedded model: 2,048 entries, every digit a token of its own with the space before it."""

from __future__ import annotations

from itertools import islice

from dawn.pretrain.data import problems

ENTRIES = 2048
TRAINING_TEXTS = 30_000
END, MASK, USER, ASSISTANT = "<|endoftext|>", "<|mask|>", "<|user|>", "<|assistant|>"
CHAT_TEMPLATE = (
    "{% for message in messages %}{{ '<|' + message['role'] + '|>' + message['content'] }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)


def train_tokenizer(seed: int = 0):
    """A transformers tokenizer trained on the problems' text. Special tokens: end (also padding), mask, user, assistant."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    digits = pre_tokenizers.Split(Regex(r" ?\d"), behavior="isolated")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([digits, pre_tokenizers.ByteLevel(add_prefix_space=False)])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=ENTRIES,
        special_tokens=[END, MASK, USER, ASSISTANT],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    training = islice(problems(seed, held_out=False), TRAINING_TEXTS)
    tokenizer.train_from_iterator((text for p in training for text in (p.question, p.solution)), trainer)
    return as_transformers(tokenizer)


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
