"""A trace as a piece of static HTML: what a notebook shows of it. No script and no style sheet.

Every text of a user or a model is escaped. Colours are tints over the notebook's own ground, light or dark; the lines below
tokens tell the tier too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape
from typing import TYPE_CHECKING

from dawn.decode import StepRecord
from dawn.selection import Tier

if TYPE_CHECKING:
    from dawn.trace import Trace

LOOKS = {  # red, green, blue of a tier, and the line below its tokens
    Tier.HIGH: ("11,122,85", "2px solid"),
    Tier.INDUCED: ("29,95,209", "2px dashed"),
    Tier.CONFLICT_FREE: ("164,90,0", "2px dotted"),
    Tier.FORCED: ("179,25,95", "4px double"),
    Tier.QUOTA: ("107,53,201", "4px solid"),
    Tier.RANKED: ("14,116,144", "4px dashed"),
    Tier.NEARBY: ("85,112,10", "4px dotted"),
    Tier.STABLE: ("154,52,18", "6px double"),
}
SIGNS = str.maketrans({"\n": "↵", "\r": "␍", "\t": "⇥"})
FAINTEST, STRONGEST = 0.14, 0.5  # tint of the first and of the last step


def trace_html(trace: Trace) -> str:
    """The run: facts, the canvas with each token in its tier's tint, the later the stronger, and the steps, to unfold."""
    body = "".join((facts(trace), canvas(trace), legend(trace), steps_table(trace)))
    return f'<div style="max-width:60em;line-height:1.9">{body}</div>'


def facts(trace: Trace) -> str:
    """Model, rule, cost and question."""
    per = trace.tokens_committed / trace.forwards
    cost = f"{trace.forwards} forward passes · {trace.tokens_committed} tokens · {per:.2f} tokens per forward"
    head = escape(f"{trace.setup.model} · {trace.setup.rule} · {cost} · {trace.seconds:.2f} s")
    return f"<div><b>{head}</b></div><div><i>{escape(trace.prompt)}</i></div>"


def canvas(trace: Trace) -> str:
    """The positions of the answer, and those of the prompt if it held masks."""
    prompt = trace.canvas.prompt_length
    start = 0 if trace.canvas.masked[:prompt].any() else prompt
    taken = {one.position: (step, one.tier) for step in trace.steps for one in step.decision.selection.committed}
    cells = (cell(trace, position, taken.get(position)) for position in range(start, trace.canvas.length))
    return f'<div style="font-family:monospace;white-space:pre-wrap;overflow-wrap:anywhere">{"".join(cells)}</div>'


def cell(trace: Trace, position: int, taken: tuple[StepRecord, Tier] | None) -> str:
    """One position of the canvas after the last step."""
    token = int(trace.final.tokens[position])
    text = "·" if trace.final.masked[position] else readable(trace, token)
    if taken is None:
        return f'<span style="opacity:.55" title="position {position}">{text}</span>'
    step, tier = taken
    colour, line = LOOKS[tier]
    tint = FAINTEST + (STRONGEST - FAINTEST) * step.index / max(1, len(trace.steps) - 1)
    confidence = f"{float(step.prediction.confidence[position]):.3f}"
    said = f"position {position}, step {step.index + 1}: {tier.value.replace('_', '-')}, confidence {confidence}"
    style = f"background:rgba({colour},{tint:.2f});border-bottom:{line} rgb({colour})"
    return f'<span style="{style}" title="{said}">{text}</span>'


def readable(trace: Trace, token: int) -> str:
    """A token's text, escaped; end of text is a square, other tokens that are no text are in brackets."""
    if token in trace.setup.end_ids:
        return "∎"
    text = trace.pieces.get(token, "\ufffd").translate(SIGNS)
    return escape(f"⟨{text.strip('<|>')}⟩" if token in trace.special else text)


def legend(trace: Trace) -> str:
    """The tiers that occur, with how many tokens each committed."""
    tiers = [one.tier for step in trace.steps for one in step.decision.selection.committed]
    shown = []
    for tier in (tier for tier in Tier if tier in tiers):
        colour, line = LOOKS[tier]
        name = f'<span style="border-bottom:{line} rgb({colour})">{tier.value.replace("_", "-")}</span>'
        shown.append(f"{name} {tiers.count(tier)}")
    return f"<div>{' &nbsp; '.join(shown)}</div>"


def steps_table(trace: Trace) -> str:
    """A row a step, folded away."""
    rows = "".join(row("td", one) for one in step_rows(trace))
    head = row("th", ("step", "block", "committed", "refused", "tokens"))
    return f"<details><summary>Steps</summary><table>{head}{rows}</table></details>"


def row(tag: str, cells: Iterable[str]) -> str:
    """A table's row."""
    return "<tr>" + "".join(f'<{tag} style="text-align:left">{one}</{tag}>' for one in cells) + "</tr>"


def step_rows(trace: Trace) -> Iterator[tuple[str, ...]]:
    """Step and block, both from 1, how many were committed and refused, and what was committed."""
    for step in trace.steps:
        selection = step.decision.selection
        texts = (readable(trace, int(step.prediction.tokens[one.position])) for one in selection.committed)
        counts = (len(selection.committed), len(selection.refused))
        yield (str(step.index + 1), str(step.block + 1), *map(str, counts), " ".join(texts))
