"""At most one model in memory. Whoever asks for another one makes room first; whoever asks at the same time waits.

A run keeps the model that it began with until it ends; then that memory is free too.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Hashable
from typing import NamedTuple, Protocol

from dawn.models.device import free_cache
from dawn.models.hub import Report


class Named(Protocol):
    """A loaded model; placed: where it is, in a few words."""

    name: str
    placed: str


class State(NamedTuple):
    """How a model stands, in words; busy: this will change by itself; ready: it is in memory."""

    words: str
    busy: bool = False
    ready: bool = False


class Resident:
    """Keeps the last model asked for, and knows in words how each name stands."""

    def __init__(self):
        self.key: Hashable = None
        self.model: Named | None = None
        self.states: dict[str, State] = {}  # of the name being loaded, and of those whose loading failed
        self.renew()
        if hasattr(os, "register_at_fork"):  # the parent's lock may be held by a thread that the child lacks
            os.register_at_fork(after_in_child=self.renew)

    def renew(self) -> None:
        self.lock = threading.Lock()

    def get(self, name: str, key: Hashable, prepare: Callable[[Report], Callable[[], Named]], report: Report) -> Named:
        """The model under `key`, loaded if it is not the resident one.

        prepare: checks all that needs no memory and returns what loads; the resident model is let go between the two.
        """
        with self.lock:
            if self.model is None or self.key != key:
                self.model, self.key = self.load(name, prepare, report), key
            return self.model

    def load(self, name: str, prepare: Callable[[Report], Callable[[], Named]], report: Report) -> Named:
        def staged(stage: str, fraction: float | None) -> None:
            words = stage + (" …" if fraction is None else f" … {fraction:.0%}")
            self.states = self.states | {name: State(words, busy=True)}
            report(stage, fraction)

        try:
            staged("looking for its files", None)
            load = prepare(staged)
            self.model, self.key = None, None
            free_cache()
            staged("loading the weights", None)
            model = load()
        except Exception as error:
            self.states = self.states | {name: State(f"failed: {error}")}
            raise
        self.states = {other: state for other, state in self.states.items() if other != name}
        return model

    def state(self, name: str) -> State:
        """How a name stands: ready on …, what is being done, why it failed, or not loaded."""
        model = self.model
        if model is not None and model.name == name:
            return State(f"ready on {model.placed}", ready=True)
        return self.states.get(name, State("not loaded: it will be when it runs"))
