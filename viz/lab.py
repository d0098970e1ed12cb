"""What the page asks for, answered: run, decode again, stop, fetch steps, what if. No gradio, no torch: models are handed in.

Requests from a page are public: each is checked here, and what is wrong with it comes back as {"error": …} or a notice.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from dawn.decode import Options
from dawn.errors import DawnError, TraceError
from dawn.replay import replay
from dawn.rules import Rule, make_rule
from dawn.run import Decoder, Run, TextModel, fork, start
from dawn.trace import UPLOADED, load, to_bytes
from viz import payload
from viz.store import Entry, TraceStore

LONGEST_GENERATION = 256
LONGEST_TITLE = 90
EXAMPLE = "example"
ELSEWHERE = "Recorded by the model {!r:.60}, which is not here: look and ask what if; decoding again is switched off."
GLANCE = 0.2  # seconds between two looks at a loading model


@dataclass(frozen=True, slots=True)
class Request:
    """What a visitor set on the page. settings: the rule's own."""

    prompt: str
    model: str
    rule: str
    generated: int
    block_length: int
    temperature: float
    seed: int
    settings: dict
    stop_at_end: bool = True
    suppress_end: bool = False
    fixed: str = ""

    @property
    def options(self) -> Options:
        ends = {"stop_at_end": bool(self.stop_at_end), "suppress_end": bool(self.suppress_end)}
        return Options(self.temperature, self.seed, **ends)

    def make_rule(self) -> Rule:
        return make_rule(self.rule, self.settings)


class State(Protocol):
    """How a model stands: in words, and whether that will change by itself."""

    words: str
    busy: bool


class Lab:
    """The store and the models behind one page."""

    def __init__(
        self,
        store: TraceStore,
        load_model: Callable[[str], TextModel],
        models: Sequence[str],
        state: Callable[[str], State],
        decoder: Decoder | None = None,
    ):
        """models: the names that visitors may ask for, and no others. state: how a model stands."""
        self.store, self.load_model, self.models, self.state, self.decoder = store, load_model, tuple(models), state, decoder

    def run(self, request: Request, visitor: str) -> Iterator[dict]:
        """Decode from the prompt; the explorer's value after each step."""
        yield from self.guarded(lambda: self.begin(request), visitor)

    def begin(self, request: Request) -> Run:
        lengths = (request.generated, request.block_length)
        if not all(isinstance(n, int) and 0 <= n <= LONGEST_GENERATION for n in lengths):
            raise DawnError(f"generation and block length must be whole numbers up to {LONGEST_GENERATION}")
        rule, options, fixed = request.make_rule(), request.options, str(request.fixed or "")
        return start(self.model(request.model), request.prompt, rule, *lengths, options, fixed, decoder=self.decoder)

    def model(self, name: object) -> TextModel:
        """A model that visitors may use; what else they name (a folder of this machine, say) is not even looked for."""
        if name not in self.models:
            raise DawnError(f"the model {str(name)!r:.80} is not offered here: choose one of {', '.join(self.models)}")
        return self.load_model(name)

    def model_of(self, trace: object, otherwise: str) -> str:
        """The name of the model that made a trace; `otherwise` if the trace is gone."""
        try:
            return self.store.get(trace).setup.model
        except TraceError:
            return otherwise

    def loading(self, name: str) -> Iterator[str]:
        """Load a model in a thread of its own; its state in words, until it is there. DawnError if it failed."""
        with ThreadPoolExecutor(1) as pool:
            future = pool.submit(self.model, name)
            while not wait([future], GLANCE).done:
                yield self.state(name).words
        future.result()

    def watching(self, name: str) -> Iterator[str]:
        """The state of a model in words, until nobody loads it any more."""
        while (state := self.state(name)).busy:
            yield state.words
            time.sleep(GLANCE)
        yield state.words

    def warm_up(self) -> None:
        """Begin to load the first model. If that fails, its state says why."""
        with suppress(DawnError):
            self.load_model(self.models[0])

    def decode_again(self, request: Request, name: str, step: int, visitor: str) -> Iterator[dict]:
        """Decode on from the canvas before a step of the trace `name`, with the request's rule and the trace's own model."""
        yield from self.guarded(lambda: self.branch(request, name, step), visitor)

    def branch(self, request: Request, name: str, step: int) -> Run:
        trace = self.store.get(name).trace
        rule, model = request.make_rule(), self.model(trace.setup.model)
        return fork(model, trace, name, whole(step, "step"), rule, decoder=self.decoder)

    def guarded(self, begin: Callable[[], Run], visitor: str) -> Iterator[dict]:
        """The explorer's value after each step of a run; what goes wrong is a notice, and what there is stays."""
        try:
            run = begin()
        except DawnError as error:
            yield {"notice": str(error)}
            return
        name, entry = self.store.open(run, visitor)
        notice = ""
        try:
            for _ in run.iterate(entry.cancelled.is_set):
                yield value(name, entry)
        except DawnError as error:
            notice = str(error)
        finally:
            self.store.close(name, visitor, entry)
        there = value(name, entry) if entry.finished else {"notice": "stopped before the first step"}
        yield there | ({"notice": notice} if notice else {})

    def stop(self, visitor: str) -> None:
        self.store.stop(visitor)

    def shown(self, name: object) -> dict:
        """The explorer's value for a trace; what needs a model that is not offered here is disabled, and that is said."""
        try:
            entry = self.store.get(name)
        except TraceError as error:
            return {"notice": str(error)}
        there, model = value(name, entry), entry.setup.model
        return there if model in self.models else there | {"fork": False, "notice": ELSEWHERE.format(model)}

    def upload(self, path: str, visitor: str) -> dict:
        """Keep a trace file that the visitor sent; the explorer's value, or a notice that says why not."""
        try:
            return self.shown(self.store.keep(load(path, UPLOADED), visitor))
        except DawnError as error:
            return {"notice": f"This file was not opened: {error}"}

    def download(self, request: object) -> dict:
        """{"trace"} → {"name", "body"}: a trace file, base64, of what there is so far; or {"error"}."""
        try:
            trace = self.store.get(field(request, "trace")).trace
            name = f"{trace.setup.rule}-{trace.forwards}-steps.npz"
            return {"name": name, "body": base64.b64encode(to_bytes(trace)).decode("ascii")}
        except DawnError as error:
            return {"error": str(error)}

    def fetch(self, request: object) -> dict:
        """{"trace", "from"} → the steps from there on, as `payload.answer` packs them, or {"error"}."""
        try:
            entry = self.store.get(field(request, "trace"))
            start_at = whole(field(request, "from"), "from")
            return payload.answer(facts_of(entry), entry.steps, start_at)
        except DawnError as error:
            return {"error": str(error)}

    def what_if(self, request: object) -> dict:
        """{"trace", "step", "rule", "settings"} → the decision of that rule about that step, or {"error"}."""
        try:
            steps = self.store.get(field(request, "trace")).steps
            index, settings = whole(field(request, "step"), "step"), field(request, "settings")
            if index >= len(steps) or not isinstance(settings, dict):
                raise TraceError(f"the trace has steps 0 to {len(steps) - 1}")
            rule = make_rule(str(field(request, "rule")), settings)
            return payload.what_if(steps[index], replay(steps[index], rule), rule)
        except DawnError as error:
            return {"error": str(error)}


def shortened(prompt: str) -> str:
    """A prompt as a title."""
    return prompt if len(prompt) <= LONGEST_TITLE else prompt[: LONGEST_TITLE - 1] + "…"


def value(name: str, entry: Entry) -> dict:
    """The explorer's value: which trace, how many steps there are, whether more will come."""
    return {"trace": name, "steps": len(entry.steps), "done": entry.done, "title": title(entry)}


def title(entry: Entry) -> str:
    """The question, and where the run was forked from if it was; steps are counted from 1 on the page."""
    run = entry.run
    one = entry.finished or run
    branch = f"Decoded again from step {one.parent[1] + 1}: " if one.parent else ""
    return branch + shortened(one.prompt)


def facts_of(entry: Entry) -> payload.Facts:
    """What holds for the whole run, also while it is in progress."""
    run = entry.run  # first: it is let go of when there is `finished`
    if entry.finished:
        return payload.Facts.of(entry.finished)
    return payload.Facts(run.setup, run.canvas, Pieces(run.model), run.model.special_ids)


@dataclass(frozen=True, slots=True)
class Pieces(Mapping):
    """The text of a model's tokens, looked up one by one."""

    model: TextModel

    def __getitem__(self, token: int) -> str:
        return self.model.pieces([token])[token]

    def __iter__(self):
        return iter(())

    def __len__(self) -> int:
        return 0


def field(request: object, name: str) -> object:
    """One field of a request that came from outside."""
    if not isinstance(request, dict) or name not in request:
        raise TraceError(f"the request lacks {name!r}")
    return request[name]


def whole(number: object, name: str) -> int:
    """A whole number of a request that came from outside."""
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number < 10**6:
        raise TraceError(f"{name!r} must be a whole number")
    return number
