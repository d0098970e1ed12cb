"""The visitor's runs as a tree: each branch below the run that it was forked from, with its name, parent step and rule."""

from __future__ import annotations

from collections.abc import Iterator

from dawn.errors import DawnError
from viz.store import Entry, TraceStore

LONGEST_LABEL = 60


def listed(store: TraceStore, visitor: str) -> list[dict]:
    """One row per run that the visitor may see, parents before their branches. depth: how far below a root; step: the parent's
    step it begins before, from 0, or None; own: it may be renamed and deleted. A branch whose parent is gone is a root."""
    entries = store.seen_by(visitor)
    below: dict[str | None, list[str]] = {}
    for name, entry in entries.items():
        parent = entry.parent
        below.setdefault(parent[0] if parent and parent[0] in entries else None, []).append(name)
    return [row(name, entries[name], depth) for name, depth in walk(below)]


def walk(below: dict[str | None, list[str]]) -> Iterator[tuple[str, int]]:
    """Depth first: each name with its depth. below: the names under each name, the roots under None."""
    stack = [(name, 0) for name in reversed(below.get(None, []))]
    while stack:
        name, depth = stack.pop()
        yield name, depth
        stack += [(child, depth + 1) for child in reversed(below.get(name, []))]


def row(name: str, entry: Entry, depth: int) -> dict:
    parent, setup = entry.parent, entry.setup
    return {
        "trace": name,
        "label": entry.label,
        "depth": depth,
        "step": parent[1] if parent else None,
        "rule": setup.rule,
        "steps": len(entry.steps),
        "own": bool(entry.owner),
    }


def checked_label(label: object) -> str:
    """A name for a branch: one line, not empty, not too long."""
    words = " ".join(label.split()) if isinstance(label, str) else ""
    if not 1 <= len(words) <= LONGEST_LABEL:
        raise DawnError(f"a branch needs a name of 1 to {LONGEST_LABEL} characters")
    return words
