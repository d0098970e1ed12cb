"""A small random checkpoint in the embedded model's format, written to disk: what the tests load through the user's path."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from dawn.pretrain.tokenizer import ASSISTANT, END, MASK, USER, as_transformers


def small_tokenizer():
    """Byte-level, one token per byte, with the embedded model's special tokens in its order."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    specials = [END, MASK, USER, ASSISTANT]
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {piece: i for i, piece in enumerate([*specials, *alphabet])}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return as_transformers(tokenizer)


def small_checkpoint(folder: Path, *, kv_heads: int = 4, seed: int = 0) -> Path:
    """Four layers of width 32 with random weights, saved in `folder`."""
    tokenizer = small_tokenizer()
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=4,
        num_attention_heads=4,
        num_key_value_heads=kv_heads,
        max_position_embeddings=768,
        tie_word_embeddings=False,
        initializer_range=0.4,
        bos_token_id=None,
        eos_token_id=0,
        pad_token_id=0,
        mask_token_id=1,
        is_causal=False,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
