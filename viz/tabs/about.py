"""The About tab: what this is, what it runs on, what it gives a visitor, and what it keeps. Text only."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import fields

import gradio as gr

from dawn import __version__
from viz.lab import Lab

PAPER = "https://arxiv.org/abs/2602.06953"
WORDS = (
    "DAWN Lab runs dependency-aware decoding of masked diffusion language models step by step on a real model, and says for "
    "every token of every step why it was taken or refused.",
    "The embedded model is small and has learned one kind of text, short word problems. Its answers are for watching decoding "
    "rules, not for use.",
)
KEPT = (
    "Questions and traces are kept in this server's memory, never on its disk, until newer ones need the room or it starts "
    "anew. Whoever has a page's address may look at its trace; nobody can list them.",
    "The log holds when a run began and ended, its rule, its length and its time. Questions are {}in it.",
)


def build_about(lab: Lab, machine: Mapping[str, str]) -> None:
    """Fill the current tab. machine: what the server runs on, by name."""
    limits = {sentence(one.metadata["words"]): f"{getattr(lab.limits, one.name):,}" for one in fields(lab.limits)}
    kept = [words.format("" if lab.journal.prompts else "not ") for words in KEPT]
    facts = {"DAWN Lab": __version__, **machine, "Models": ", ".join(lab.models)}
    parts = (
        section(
            "What this is", paragraphs(WORDS) + f'<p>The paper: <a href="{PAPER}" rel="noopener">arXiv 2602.06953</a>.</p>'
        ),
        section("What it runs on", table("Machine and versions", facts)),
        section("What is kept", paragraphs(kept)),
        section("What a visitor gets", table("At most", limits)),
    )
    gr.HTML(f'<div class="about">{"".join(parts)}</div>', elem_id="about", apply_default_css=False)


def sentence(words: str) -> str:
    """With a capital."""
    return words[:1].upper() + words[1:]


def section(title: str, body: str) -> str:
    return f"<section><h2>{html.escape(title)}</h2>{body}</section>"


def paragraphs(texts) -> str:
    return "".join(f"<p>{html.escape(text)}</p>" for text in texts)


def table(caption: str, rows: Mapping[str, str]) -> str:
    """Names and values, both plain text."""
    cells = "".join(
        f'<tr><th scope="row">{html.escape(name)}</th><td>{html.escape(value)}</td></tr>' for name, value in rows.items()
    )
    return f"<table><caption>{html.escape(caption)}</caption><tbody>{cells}</tbody></table>"
