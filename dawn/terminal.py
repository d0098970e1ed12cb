"""Runs and traces drawn in a terminal with rich. Text of users and models is printed as text, never as markup."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
from rich.console import Console, Group
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from dawn.decode import StepRecord
from dawn.selection import Reason, Selection, Tier
from dawn.trace import Trace

STYLES = {
    Tier.HIGH: "bold green",
    Tier.INDUCED: "bold cyan",
    Tier.CONFLICT_FREE: "bold magenta",
    Tier.FORCED: "bold yellow",
    Tier.QUOTA: "bold blue",
    Tier.RANKED: "bold bright_blue",
    Tier.NEARBY: "bold bright_green",
    Tier.STABLE: "bold bright_cyan",
}
TIER_WORDS = {
    Tier.HIGH: "high",
    Tier.INDUCED: "induced",
    Tier.CONFLICT_FREE: "conflict-free",
    Tier.FORCED: "forced",
    Tier.QUOTA: "quota",
    Tier.RANKED: "ranked",
    Tier.NEARBY: "nearby",
    Tier.STABLE: "stable",
}
REASON_WORDS = {
    Reason.BELOW: "below every threshold that applied",
    Reason.CONFLICT: "in conflict with {blocker} ({weight:.3f})",
    Reason.DROPPED: "dropped for {blocker} ({weight:.3f}), which was more confident",
    Reason.OUTRANKED: "outranked: those before it filled the step",
    Reason.UNSTABLE: "confident, but its distribution still changes",
}


def canvas_text(step: StepRecord, pieces: dict[int, str], special: tuple[int, ...]) -> Text:
    """The generated part after a step: this step's tokens in their tier's colour, masks as dots, end-of-text left out."""
    tiers = {commit.position: commit.tier for commit in step.decision.selection.committed}
    after = step.after
    text = Text()
    for position in range(after.prompt_length, after.length):
        token = int(after.tokens[position])
        if token == after.mask_id:
            text.append("·", style="dim")
        elif token not in special:
            text.append(pieces.get(token, "\ufffd"), style=STYLES.get(tiers.get(position), ""))
    return text


def live_view(step: StepRecord, pieces: dict[int, str], special: tuple[int, ...]) -> Group:
    """What a running decode shows: one line of facts, then the text so far."""
    counts = tier_counts(step.decision.selection)
    return Group(
        Text(f"step {step.index + 1}  block {step.block + 1}  {counts}", style="dim"), canvas_text(step, pieces, special)
    )


def tier_counts(selection: Selection) -> str:
    """`3 high, 1 induced` — the commits of a selection by tier."""
    tiers = [commit.tier for commit in selection.committed]
    return ", ".join(f"{tiers.count(tier)} {TIER_WORDS[tier]}" for tier in Tier if tier in tiers)


def summary(trace: Trace) -> Text:
    """Answer first, then the figures of the run."""
    text = Text(trace.output or "(no text)")
    per_forward = trace.tokens_committed / trace.forwards
    figures = f"\n{trace.forwards} forward passes · {trace.tokens_committed} tokens · {per_forward:.2f} tokens per forward"
    filled = sum(len(step.filled) for step in trace.steps)
    text.append(f"{figures} · {trace.seconds:.2f} s", style="bold")
    if filled:
        low, high = trace.forwards_saved
        saved = f"{low}" if low == high else f"{low} to {high}"
        text.append(f"\nThe answer ended early: {filled} positions filled, {saved} forward passes saved.", style="dim")
    if not trace.final.is_complete:
        text.append(f"\nStopped: {int(trace.final.masked.sum())} positions are still masked.", style="yellow")
    return text


def trace_table(trace: Trace) -> Group:
    """All steps, a row each."""
    table = Table("step", "block", "committed", "refused", "forward ms", "text", box=None, header_style="bold")
    for step in trace.steps:
        selection = step.decision.selection
        words = Text("".join(shown(trace, step, commit.position) for commit in selection.committed).replace("\n", "↵"))
        words.truncate(50, overflow="ellipsis")
        forward = f"{1000 * step.seconds[0]:.1f}"
        row = (str(step.index), str(step.block), tier_counts(selection), str(len(selection.refused)), forward, words)
        table.add_row(*row)
    setup = trace.setup
    head = Text(f"{setup.model} · {setup.rule} · {trace.canvas.length} positions, {trace.canvas.prompt_length} of them prompt")
    return Group(head, Text(trace.prompt, style="italic"), Rule(style="dim"), table, Rule(style="dim"), summary(trace))


def step_table(trace: Trace, index: int) -> Group:
    """One step: every candidate, committed or refused, with its reason."""
    step = trace.steps[index]
    table = Table("position", "token", "confidence", "decision", "because", box=None, header_style="bold")
    for commit in step.decision.selection.committed:
        because = ", ".join(f"depends on {anchor} ({weight:.3f})" for anchor, weight in commit.evidence)
        tier = Text(TIER_WORDS[commit.tier], style=STYLES[commit.tier])
        table.add_row(*candidate(trace, step, commit.position), tier, because)
    for refusal in step.decision.selection.refused:
        because = REASON_WORDS[refusal.reason].format(blocker=refusal.blocker, weight=refusal.weight or 0.0)
        table.add_row(*candidate(trace, step, refusal.position), Text("refused", style="dim"), because)
    graph = step.decision.graph
    drawn = f" · {len(graph.source)} edges · sinks {graph.sinks.tolist()}" if graph else ""
    head = Text(f"step {index} of {len(trace.steps)} · block {step.block}{drawn}", style="bold")
    return Group(head, canvas_text(step, trace.pieces, trace.special), Rule(style="dim"), table)


def candidate(trace: Trace, step: StepRecord, position: int) -> tuple[str, Text, str]:
    """Position, predicted token and confidence as table cells."""
    confidence = np.float32(step.prediction.confidence[position])
    return str(position), Text(repr(shown(trace, step, position))), f"{confidence:.4f}"


def shown(trace: Trace, step: StepRecord, position: int) -> str:
    """The text of the token predicted at a position."""
    return trace.pieces.get(int(step.prediction.tokens[position]), "\ufffd")


def golden_table(results, unpublished: list[str]) -> Group:
    """The golden check, a row per published rule and file, then the rules that had nothing to be compared with, then every
    unexplained difference."""
    headers = ("file", "rule", "cases", "forwards", "differences", "quirks", "paper")
    table = Table(*headers, box=None, header_style="bold")
    for result in results:
        differences = str(len(result.differences)) if result.known else "unknown here, skipped"
        forwards = str(result.forwards) if result.forwards else ""
        paper = "" if result.paper_differs is None else str(result.paper_differs)
        table.add_row(result.file, result.rule, str(result.cases), forwards, differences, str(result.explained or ""), paper)
    lines = [Text(f"{r.file} {r.rule}: {line}", style="red") for r in results for line in r.differences]
    legend = (
        "quirks: cases that only a known quirk of the published code explains; paper: cases that Algorithm 1 decides otherwise."
    )
    without = [Text(f"No published selections of: {', '.join(unpublished)}.")] if unpublished else []
    return Group(table, Text(legend, style="dim"), *without, *lines)


@contextmanager
def loading() -> Iterator[Callable[[str, float | None], None]]:
    """What a loading model reports, on one line of standard error that goes away; nothing where that is no terminal."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda stage, fraction: None
        return
    with console.status("") as status:
        yield lambda stage, fraction: status.update(Text(stage if fraction is None else f"{stage} {fraction:.0%}"))
