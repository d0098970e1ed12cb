"""The traces that visitors look at: kept in memory, bounded, each under a name that cannot be guessed.

Who knows a trace's name may look at it; bundled traces have plain names and are never evicted. Renaming and deleting are for
its owner, who alone is told its name. A visitor is one session of the page. A browser tab has a new session after a reload, so
it also has a key, which it keeps to itself: sessions of one key own the same traces.
"""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass, field

from dawn.decode import StepRecord
from dawn.errors import LimitError, TraceError
from dawn.run import Run
from dawn.trace import Setup, Trace
from viz.limits import MIB, Limits
from viz.memory import give_back

MOST_SESSIONS = 4096
SHORTEST_KEY, LONGEST_KEY = 32, 64  # characters; the page makes 128 bits in hexadecimal
GONE = "this trace is no longer on the server: run it again"
EVICTED = "this trace was removed to make room for newer ones: run it again, or open it from a file if you saved it"
DECISION_BYTES, EVIDENCE_BYTES = 160, 112  # of the objects that hold them, about


@dataclass(slots=True)
class Entry:
    """A trace, or a run that is becoming one. cancelled: asked to stop; done: nothing more will come; owner: whose it is (a
    visitor or a key; empty: everybody's); label: what it is called in the list of branches; size: about how many bytes it
    holds, known when it is done; source: where it comes from, in words; notice: what ended it before its end, in words."""

    run: Run | None = None
    finished: Trace | None = None
    cancelled: threading.Event = field(default_factory=threading.Event)
    done: bool = False
    owner: str = ""
    label: str = ""
    size: int = 0
    source: str = "Run"
    notice: str = ""

    @property
    def steps(self) -> tuple[StepRecord, ...]:
        run = self.run  # first: it is let go of when there is `finished`
        return self.finished.steps if self.finished else tuple(run.steps)

    @property
    def trace(self) -> Trace:
        """The trace, or what there is of it so far."""
        run = self.run
        return self.finished or run.trace()

    @property
    def setup(self) -> Setup:
        """How it is made."""
        run = self.run
        return (self.finished or run).setup

    @property
    def prompt(self) -> str:
        """The question."""
        run = self.run
        return (self.finished or run).prompt

    @property
    def parent(self) -> tuple[str, int] | None:
        """The name of the trace and the step that it was forked from, if it was."""
        run = self.run
        return (self.finished or run).parent

    @property
    def edits(self) -> tuple[tuple[int, int | None], ...]:
        """What was changed on the canvas that it was forked from: see `dawn.trace.Trace`."""
        run = self.run
        return (self.finished or run).edits

    def finish(self) -> None:
        """Nothing more will come: keep what there is, but not the model that made it."""
        if self.run and self.run.steps:
            self.finished = self.run.trace()
            self.run, self.size = None, size_of(self.finished)
        self.done = True


def size_of(trace: Trace) -> int:
    """About how many bytes a trace holds."""
    return sum(map(step_size, trace.steps))


def step_size(step: StepRecord) -> int:
    """Arrays by their bytes, objects by their number."""
    seen, chosen, graph = step.prediction, step.decision.selection, step.decision.graph
    arrays = [seen.tokens, seen.confidence, seen.entropy, seen.margin, seen.kl, *(seen.alternatives or ())]
    arrays += [seen.attention.weights, seen.attention.received] if seen.attention else []
    arrays += [graph.source, graph.target, graph.weight] if graph else []
    arrays += [step.canvas.tokens, step.canvas.committed_confidence]
    evidence = sum(len(commit.evidence) for commit in chosen.committed)
    objects = DECISION_BYTES * (len(chosen.committed) + len(chosen.refused)) + EVIDENCE_BYTES * evidence
    return objects + sum(array.nbytes for array in arrays if array is not None)


class TraceStore:
    """Entries by name, the oldest evicted first; and each visitor's run in progress."""

    def __init__(self, limits: Limits = Limits()):
        self.limits = limits
        self.entries: OrderedDict[str, Entry] = OrderedDict()
        self.bundled: dict[str, Entry] = {}
        self.running: dict[str, Entry] = {}
        self.evicted: OrderedDict[str, None] = OrderedDict()
        self.keys: OrderedDict[str, str] = OrderedDict()
        self.lock = threading.Lock()

    def bundle(self, name: str, trace: Trace, label: str = "") -> None:
        """Keep a trace for everybody under a plain name."""
        self.bundled[name] = Entry(finished=trace, done=True, label=label or name, source="Example")

    def meet(self, visitor: str, key: object) -> None:
        """A visitor shows the key of their browser tab: what its earlier sessions own is theirs again."""
        if not (visitor and isinstance(key, str) and SHORTEST_KEY <= len(key) <= LONGEST_KEY):
            return
        with self.lock:
            self.keys[visitor] = key
            for entry in self.entries.values():
                entry.owner = key if entry.owner == visitor else entry.owner
            while len(self.keys) > MOST_SESSIONS:
                self.keys.popitem(last=False)

    def owner(self, visitor: str) -> str:
        """Who owns what a visitor makes: the key of their browser tab, or the session itself if it has shown none."""
        return self.keys.get(visitor, visitor)

    def open(self, run: Run, visitor: str, label: str = "", cancelled: threading.Event | None = None) -> tuple[str, Entry]:
        """Take a run up under a new name as the visitor's current one; an earlier one of theirs is stopped, unless it is of the
        same race: its runs share `cancelled`."""
        current = self.running.get(visitor)
        if current and current.cancelled is not cancelled:
            self.stop(visitor)
        entry = Entry(run=run, cancelled=cancelled or threading.Event(), owner=self.owner(visitor), label=label)
        with self.lock:
            self.running[visitor] = entry
        return self.put(entry), entry

    def open_beside(self, run: Run, visitor: str, label: str = "") -> tuple[str, Entry]:
        """Take a run up that a program asked for: it stops no run of the visitor, and none of theirs stops it."""
        entry = Entry(run=run, owner=self.owner(visitor), label=label)
        name = self.put(entry)
        with self.lock:
            self.running[name] = entry
        return name, entry

    def keep(self, trace: Trace, visitor: str, label: str = "") -> str:
        """Keep a finished trace of the visitor under a new name; LimitError if it is too large for one visitor."""
        size = size_of(trace)
        most = self.limits.visitor_megabytes
        if size > most * MIB:
            raise LimitError(f"the trace takes {size / MIB:.0f} MB; at most {most} MB are kept for a visitor")
        return self.put(Entry(finished=trace, done=True, owner=self.owner(visitor), label=label, size=size, source="File"))

    def put(self, entry: Entry) -> str:
        """The new name of an entry; older ones make room for it."""
        name = secrets.token_urlsafe(16)
        with self.lock:
            self.entries[name] = entry
            self.make_room(entry.owner)
        return name

    def make_room(self, owner: str) -> None:
        """Evict the owner's oldest entries while they hold too much, then anybody's; the newest entry stays."""
        limits, names = self.limits, [name for name, entry in self.entries.items() if entry.owner == owner]
        while len(names) > 1 and (
            len(names) > limits.traces_per_visitor
            or sum(self.entries[name].size for name in names) > limits.visitor_megabytes * MIB
        ):
            self.evict(names.pop(0))
        while len(self.entries) > 1 and (len(self.entries) > limits.traces or self.bytes > limits.trace_megabytes * MIB):
            self.evict(next(iter(self.entries)))

    @property
    def bytes(self) -> int:
        return sum(entry.size for entry in self.entries.values())

    def evict(self, name: str) -> None:
        """Forget an entry, but not that it was there: who looks at it is told where it went."""
        self.entries.pop(name).cancelled.set()
        self.evicted[name] = None
        while len(self.evicted) > MOST_SESSIONS:
            self.evicted.popitem(last=False)

    def shown_to(self, visitor: str) -> dict[str, Entry]:
        """The finished entries that a visitor may choose among, by name: the bundled ones, then their own, newest first."""
        with self.lock:
            owner = self.owner(visitor)
            own = {name: entry for name, entry in reversed(self.entries.items()) if entry.owner == owner and entry.finished}
        return self.bundled | own

    def get(self, name: object) -> Entry:
        """The entry called `name`; TraceError if there is none (any more)."""
        with self.lock:
            entry = self.bundled.get(name) or self.entries.get(name) if isinstance(name, str) else None
        if entry is None:
            raise TraceError(EVICTED if isinstance(name, str) and name in self.evicted else GONE)
        return entry

    def own(self, name: object, visitor: str) -> Entry:
        """The visitor's own entry; TraceError if it is somebody else's or everybody's."""
        entry = self.get(name)
        if not visitor or entry.owner != self.owner(visitor):
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
        """The entries that a visitor is told of: the bundled one that the page opens with and their own, oldest first."""
        first = dict(list(self.bundled.items())[:1])
        with self.lock:
            owner = self.owner(visitor)
            return first | {name: entry for name, entry in self.entries.items() if owner and entry.owner == owner}

    def close(self, name: str, visitor: str, entry: Entry) -> None:
        """The visitor's run has ended: keep what there is, under its name alone; forget an empty one."""
        with self.lock:
            for key in (visitor, name):
                if self.running.get(key) is entry:
                    del self.running[key]
            if not entry.steps:
                self.entries.pop(name, None)
        entry.finish()
        with self.lock:
            self.make_room(entry.owner)
        give_back()

    def stop_all(self) -> None:
        """Ask every run to stop after its current step."""
        with self.lock:
            for entry in self.running.values():
                entry.cancelled.set()

    def stop(self, visitor: str) -> None:
        """Ask the visitor's run, if there is one, to stop after its current step."""
        with self.lock:
            entry = self.running.pop(visitor, None)
        if entry:
            entry.cancelled.set()
