"""The traces that visitors look at: kept in memory, bounded, each under a name that cannot be guessed.

A trace belongs to nobody but who knows its name; bundled traces have plain names and are never evicted.
"""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass, field

from dawn.decode import StepRecord
from dawn.errors import TraceError
from dawn.run import Run
from dawn.trace import Trace

MOST_TRACES = 64


@dataclass(slots=True)
class Entry:
    """A trace, or a run that is becoming one. cancelled: asked to stop; done: nothing more will come; owner: whose it is
    (empty: everybody's); label: what it is called in the list of branches."""

    run: Run | None = None
    finished: Trace | None = None
    cancelled: threading.Event = field(default_factory=threading.Event)
    done: bool = False
    owner: str = ""
    label: str = ""

    @property
    def steps(self) -> tuple[StepRecord, ...]:
        run = self.run  # first: it is let go of when there is `finished`
        return self.finished.steps if self.finished else tuple(run.steps)

    @property
    def trace(self) -> Trace:
        """The trace, or what there is of it so far."""
        run = self.run
        return self.finished or run.trace()

    def finish(self) -> None:
        """Nothing more will come: keep what there is, but not the model that made it."""
        if self.run.steps:
            self.finished = self.run.trace()
            self.run = None
        self.done = True


class TraceStore:
    """Entries by name, the oldest evicted first; and each visitor's run in progress."""

    def __init__(self, most: int = MOST_TRACES):
        self.most = most
        self.entries: OrderedDict[str, Entry] = OrderedDict()
        self.bundled: dict[str, Entry] = {}
        self.running: dict[str, Entry] = {}
        self.lock = threading.Lock()

    def bundle(self, name: str, trace: Trace, label: str = "") -> None:
        """Keep a trace for everybody under a plain name."""
        self.bundled[name] = Entry(finished=trace, done=True, label=label or name)

    def open(self, run: Run, visitor: str, label: str = "") -> tuple[str, Entry]:
        """Take a run up under a new name as the visitor's current one; an earlier one of theirs is stopped."""
        self.stop(visitor)
        name, entry = secrets.token_urlsafe(16), Entry(run=run, owner=visitor, label=label)
        with self.lock:
            self.entries[name] = entry
            self.running[visitor] = entry
            while len(self.entries) > self.most:
                self.entries.popitem(last=False)[1].cancelled.set()
        return name, entry

    def get(self, name: object) -> Entry:
        """The entry called `name`; TraceError if there is none (any more)."""
        with self.lock:
            entry = self.bundled.get(name) or self.entries.get(name) if isinstance(name, str) else None
        if entry is None:
            raise TraceError("this trace is no longer on the server: run it again")
        return entry

    def own(self, name: object, visitor: str) -> Entry:
        """The visitor's own entry; TraceError if it is somebody else's or everybody's."""
        entry = self.get(name)
        if not visitor or entry.owner != visitor:
            raise TraceError("only your own branches can be renamed or deleted")
        return entry

    def remove(self, name: object, visitor: str) -> Entry:
        """Forget an entry of the visitor; a run in progress is stopped."""
        entry = self.own(name, visitor)
        entry.cancelled.set()
        with self.lock:
            self.entries.pop(name, None)
        return entry

    def seen_by(self, visitor: str) -> dict[str, Entry]:
        """The entries that a visitor is told of: the bundled ones and their own, oldest first."""
        with self.lock:
            return self.bundled | {name: entry for name, entry in self.entries.items() if visitor and entry.owner == visitor}

    def close(self, name: str, visitor: str, entry: Entry) -> None:
        """The visitor's run has ended: keep what there is, under its name alone; forget an empty one."""
        with self.lock:
            if self.running.get(visitor) is entry:
                del self.running[visitor]
            if not entry.steps:
                self.entries.pop(name, None)
        entry.finish()

    def stop(self, visitor: str) -> None:
        """Ask the visitor's run, if there is one, to stop after its current step."""
        with self.lock:
            entry = self.running.pop(visitor, None)
        if entry:
            entry.cancelled.set()
