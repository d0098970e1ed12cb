"""Two traces side by side, for the page: which ones there are, their moments, where they part and disagree, what they cost."""

from __future__ import annotations

from dawn.errors import DawnError
from dawn.metrics import disagreements, figures, first_divergence, incomparable, moments_by_step, moments_by_tokens
from dawn.trace import Trace
from viz.lab import field, title
from viz.payload import Facts, piece
from viz.store import TraceStore


def choices(store: TraceStore, visitor: str) -> list[dict]:
    """The traces that a visitor may choose among: name, and what tells them apart."""
    return [
        {
            "trace": name,
            "title": title(entry),
            "source": entry.source,
            "rule": entry.setup.rule,
            "model": entry.setup.model,
            "steps": len(entry.steps),
        }
        for name, entry in store.shown_to(visitor).items()
    ]


def compare(store: TraceStore, request: object) -> dict:
    """{"left", "right"} → what `side_by_side` says of the two traces, or {"error"}."""
    try:
        left, right = (store.get(field(request, side)).trace for side in ("left", "right"))
        return side_by_side(left, right)
    except DawnError as error:
        return {"error": str(error)}


def side_by_side(left: Trace, right: Trace) -> dict:
    """moments: pairs of steps, by step and by written tokens; apart: why tokens cannot be compared, if so; parting and
    differing: where the runs part and disagree, in the page's own signs for tokens."""
    apart = incomparable(left, right)
    return {
        "moments": {"steps": moments_by_step(left, right), "tokens": moments_by_tokens(left, right)},
        "apart": apart,
        "parting": None if apart else parting(left, right),
        "differing": [] if apart else differing(left, right),
        "figures": [cost(left), cost(right)],
    }


def parting(left: Trace, right: Trace) -> dict | None:
    """The first step after which the canvases differ, the positions, and what each canvas holds there."""
    found = first_divergence(left, right)
    if found is None:
        return None
    texts = (texts_of(left, found.one), texts_of(right, found.other))
    return {"step": found.step, "positions": list(found.positions), "left": texts[0], "right": texts[1]}


def differing(left: Trace, right: Trace) -> list[dict]:
    """Every position where the two wrote different tokens: both texts, both steps."""
    return [
        {
            "position": one.position,
            "left": texts_of(left, [one.one])[0],
            "right": texts_of(right, [one.other])[0],
            "steps": list(one.steps),
        }
        for one in disagreements(left, right)
    ]


def texts_of(trace: Trace, ids) -> list[str]:
    """Token ids as the page writes them."""
    facts = Facts.of(trace)
    return [piece(facts, token) for token in ids]


def cost(trace: Trace) -> dict:
    """What a run cost, with its rule, model and output."""
    found = figures(trace)
    return {
        "rule": trace.setup.rule,
        "model": trace.setup.model,
        "forwards": found.forwards,
        "tokens": found.tokens,
        "perForward": found.tokens_per_forward,
        "seconds": found.seconds,
        "tiers": found.tiers,
        "output": trace.output,
    }
