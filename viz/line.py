"""Whose turn it is: a model works on a few runs at a time, the others wait in a line.

Fair: a visitor's second run stands behind everybody's first. Waiting costs no thread, so looking never waits for running;
the threads in which models work are the line's own, and give way to all others where the processors do not suffice.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass
from itertools import count
from queue import SimpleQueue
from typing import TypeVar

from anyio import to_thread

from dawn.errors import LimitError
from viz.limits import Limits

GLANCE = 0.2  # seconds between two looks at the line
REMEMBERED = 20  # runs that the expected time is the mean of
NICENESS = 10  # of the threads in which models work: a fraction of the time where all processors are wanted
CLOSING = "the server is being stopped: try again in a minute"
T = TypeVar("T")


@dataclass(eq=False, slots=True)
class Ticket:
    """A place in the line. number: in order of arrival; began: when its turn came, None before; gone: it has left."""

    visitor: str
    number: int
    began: float | None = None
    gone: bool = False


class Line:
    """The tickets of all visitors. clock: seconds, for tests."""

    def __init__(self, limits: Limits = Limits(), clock: Callable[[], float] = time.monotonic):
        self.limits, self.clock = limits, clock
        self.numbers, self.lock = count(), threading.Lock()
        self.waiting: list[Ticket] = []
        self.running: list[Ticket] = []
        self.lasted: deque[float] = deque(maxlen=REMEMBERED)
        self.closed = False
        self.workers = Workers(limits.runs_at_once)

    def join(self, visitor: str) -> Ticket:
        """A place at the end, or at once a turn if nobody is there; LimitError where no more may wait."""
        with self.lock:
            if self.closed:
                raise LimitError(CLOSING)
            own = sum(one.visitor == visitor for one in self.running + self.waiting)
            if own >= self.limits.runs_per_visitor:
                raise LimitError(f"{own} of your runs are under way or waiting, and no more may: stop one or wait for it")
            if len(self.waiting) >= self.limits.queue_length:
                raise LimitError(f"{len(self.waiting)} runs are waiting, and no more may: try again in a few minutes")
            ticket = Ticket(visitor, next(self.numbers))
            self.waiting.append(ticket)
            self.admit()
            return ticket

    def leave(self, ticket: Ticket) -> None:
        """Give a place free, whether its turn had come or not; a second time, nothing."""
        with self.lock:
            if ticket.gone:
                return
            ticket.gone = True
            if ticket.began is not None:
                self.lasted.append(self.clock() - ticket.began)
            for line in (self.running, self.waiting):
                if ticket in line:
                    line.remove(ticket)
            self.admit()

    def drop(self, visitor: str) -> None:
        """The visitor stops or is gone: their waiting runs leave. One whose turn it is ends by itself after its step."""
        for ticket in [one for one in self.waiting if one.visitor == visitor]:
            self.leave(ticket)

    def close(self) -> None:
        """From now on nobody joins, and who waits leaves."""
        self.closed = True
        for ticket in list(self.waiting):
            self.leave(ticket)

    def admit(self) -> None:
        """Let the next ones in while there is room."""
        while self.waiting and len(self.running) < self.limits.runs_at_once:
            ticket = self.order()[0]
            self.waiting.remove(ticket)
            self.running.append(ticket)
            ticket.began = self.clock()

    def order(self) -> list[Ticket]:
        """Who waits, in the order of their turns."""
        held: dict[str, int] = {}
        for one in self.running:
            held[one.visitor] = held.get(one.visitor, 0) + 1
        ranked = []
        for one in self.waiting:
            ranked.append((held.get(one.visitor, 0), one.number, one))
            held[one.visitor] = held.get(one.visitor, 0) + 1
        return [one for *_, one in sorted(ranked, key=lambda item: item[:2])]

    def ahead(self, ticket: Ticket) -> int:
        """How many runs must end before the ticket's turn; 0 when it has come, or when it has left."""
        with self.lock:
            return len(self.running) + self.order().index(ticket) if ticket in self.waiting else 0

    def words(self, ticket: Ticket) -> str:
        """Where a ticket stands, and how long that will take; empty when its turn has come."""
        ahead = self.ahead(ticket)
        if not ahead:
            return ""
        runs = "1 run is" if ahead == 1 else f"{ahead} runs are"
        if not self.lasted:
            return f"Waiting: {runs} ahead of yours."
        seconds = sum(self.lasted) / len(self.lasted) * ahead / self.limits.runs_at_once
        return f"Waiting: {runs} ahead of yours, about {max(1, round(seconds))} s."


class Workers:
    """Up to so many threads that give way to all others. A process that ends does not wait for them, as it would for those of
    an executor: what a model does just then has no end in sight."""

    def __init__(self, most: int):
        self.most, self.calls, self.threads = most, SimpleQueue(), []

    def submit(self, call: Callable[[], T]) -> Future[T]:
        """What the call will return, made in one of the threads in the context of this one."""
        future: Future[T] = Future()
        self.calls.put((future, copy_context(), call))
        if len(self.threads) < self.most:
            self.threads.append(threading.Thread(target=self.work, name="run", daemon=True))
            self.threads[-1].start()
        return future

    def work(self) -> None:
        """What each thread does for ever."""
        give_way()
        while True:
            future, context, call = self.calls.get()
            try:
                future.set_result(context.run(call))
            except BaseException as error:
                future.set_exception(error)
            del future, context, call  # a value may be large, and the next call a long time off


async def in_turn(
    line: Line, visitor: str, values: Callable[[], Iterator[T]], saying: Callable[[str], T], again: bool = False
) -> AsyncIterator[T]:
    """What `values()` yields once it is the visitor's turn; before that, and instead of it, what `saying` makes of words.

    again: say them at every glance, not only when they change: only so does a listener who has gone give the place free.
    """
    try:
        ticket = line.join(visitor)
    except LimitError as error:
        yield saying(str(error))
        return
    try:
        said = ""
        while words := line.words(ticket):
            if again or words != said:
                yield saying(said := words)
            await asyncio.sleep(GLANCE)
        if ticket.gone:
            yield saying(CLOSING if line.closed else "Stopped while waiting: nothing was run.")
            return
        async for value in threaded(values(), line.workers):
            yield value
    finally:
        line.leave(ticket)


async def threaded(values: Iterator[T], workers: Workers | None = None) -> AsyncIterator[T]:
    """The values of a generator, each made in a thread, one of the workers' if there are any; it is closed with this one."""
    end = object()

    def made() -> T | object:
        return workers.submit(lambda: next(values, end)).result() if workers else next(values, end)

    try:
        while (value := await to_thread.run_sync(made)) is not end:
            yield value
    finally:
        values.close()


def give_way() -> None:
    """Lower the priority of this thread and of those that it will start. Elsewhere than on Linux, or where that is not
    allowed, it stays as it is."""
    if sys.platform == "linux":
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, 0, os.getpriority(os.PRIO_PROCESS, 0) + NICENESS)
