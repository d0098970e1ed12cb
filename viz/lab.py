"""What the page asks for, answered: run, decode again, stop, fetch steps, what if. No gradio, no torch: models are handed in.

Requests from a page are public: each is checked here, and what is wrong with it comes back as {"error": …} or a notice.
"""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from typing import Protocol

from dawn import __version__
from dawn.decode import StepRecord
from dawn.errors import DawnError, LimitError, TraceError
from dawn.recipe import command, python
from dawn.replay import replay
from dawn.rules import make_rule
from dawn.run import Decoder, Run, TextModel, fork, start
from dawn.trace import UPLOADED, Trace, load, to_bytes
from viz import branches, exports, link, payload
from viz.branches import LONGEST_LABEL
from viz.exports import graphs
from viz.journal import Journal
from viz.limits import Limits
from viz.line import GLANCE, Line
from viz.link import Request
from viz.store import Entry, TraceStore

LONGEST_TITLE = 90
LONGEST_TOKEN = 64
EXAMPLE = "example"
TOO_EARLY = "stopped before the first step"
ELSEWHERE = "Recorded by the model {!r:.60}, which is not here: look and ask what if; decoding again is switched off."


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
        limits: Limits = Limits(),
        journal: Journal | None = None,
    ):
        """models: the names that visitors may ask for, and no others. state: how a model stands."""
        self.store, self.load_model, self.models, self.stands, self.decoder = store, load_model, tuple(models), state, decoder
        self.limits, self.line, self.journal = limits, Line(limits), journal or Journal()
        self.making = threading.BoundedSemaphore(limits.files_at_once)

    def run(self, request: Request, visitor: str) -> Iterator[dict]:
        """Decode from the prompt; the explorer's value after each step."""
        yield from self.guarded(lambda: (self.begin(request), shortened(request.prompt, LONGEST_LABEL)), visitor)

    def begin(self, request: Request) -> Run:
        lengths, limits = (request.generated, request.block_length), self.limits
        if not all(isinstance(n, int) and 0 <= n <= limits.generation_length for n in lengths):
            raise DawnError(f"generation and block length must be whole numbers up to {limits.generation_length}")
        if len(request.prompt) > limits.prompt_characters:
            found = f"{len(request.prompt):,} characters; at most {limits.prompt_characters:,} are taken here"
            raise LimitError(f"the prompt has {found}: shorten it")
        rule, options, more = request.make_rule(), request.options, (str(request.fixed or ""), request.written)
        return start(self.model(request.model), request.prompt, rule, *lengths, options, *more, decoder=self.decoder)

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

    def state(self, name: object) -> State:
        """How a model stands; a name may be anything that a stranger sends."""
        return self.stands(str(name))

    def warm_up(self) -> None:
        """Begin to load the first model. If that fails, its state says why."""
        with suppress(DawnError):
            self.load_model(self.models[0])

    def decode_again(self, request: Request, asked: object, visitor: str) -> Iterator[dict]:
        """Decode on from the canvas before a step of a trace, with the request's rule and the trace's own model.

        asked: {"trace", "step"}, and "edit" if a token is to be another one or masked again: {"position"} and one of {"token"}
        (its id), {"text"}, {"mask": True}.
        """
        yield from self.guarded(lambda: self.branch(request, asked), visitor)

    def branch(self, request: Request, asked: object) -> tuple[Run, str]:
        """The run, and what it is called."""
        name, step = field(asked, "trace"), whole(field(asked, "step"), "step")
        trace, edit = self.store.get(name).trace, asked.get("edit")
        rule, model = request.make_rule(), self.model(trace.setup.model)
        edits = edit_of(edit, trace, model) if edit is not None else {}
        run = fork(model, trace, name, step, rule, edits, decoder=self.decoder)
        words = edit_words(edits.items(), lambda token: payload.readable(model.pieces([token])[token]))
        return run, f"from step {step + 1}, {rule.name}{words}"

    def organise(self, asked: object, visitor: str) -> dict:
        """{"do", "trace", "shown"} → the explorer's value after a branch was shown, renamed (to "label") or deleted."""
        try:
            name, shown = field(asked, "trace"), field(asked, "shown")
            if asked.get("do") == "rename":
                self.store.own(name, visitor).label = branches.checked_label(asked.get("label"))
            elif asked.get("do") == "delete":
                parent = self.store.remove(name, visitor).parent
                shown = (parent[0] if parent else EXAMPLE) if shown == name else shown
            else:
                shown = name
            return self.there(shown, visitor)
        except DawnError as error:
            return {"notice": str(error)}

    def there(self, name: object, visitor: str) -> dict:
        """The explorer's value for a trace; the bundled example's if it is gone."""
        try:
            return self.value(name, self.store.get(name), visitor)
        except TraceError:
            return self.value(EXAMPLE, self.store.get(EXAMPLE), visitor)

    def value(self, name: str, entry: Entry, visitor: str) -> dict:
        """The explorer's value, with the visitor's branches."""
        there = value(name, entry) | {"branches": branches.listed(self.store, visitor)}
        return there if entry.setup.model in self.models else there | {"fork": False}

    def growing(self, name: str, visitor: str, first: dict) -> Iterator[dict]:
        """The explorer's value for a trace, and again until its run has ended. first: what the first value says besides."""
        entry, more, done = self.store.get(name), first, False
        while not done:
            done = entry.done
            yield self.value(name, entry, visitor) | more
            more = {}
            if not done:
                time.sleep(GLANCE)

    def guarded(self, begin: Callable[[], tuple[Run, str]], visitor: str) -> Iterator[dict]:
        """The explorer's value after each step of a run; what goes wrong is a notice, and what there is stays."""
        try:
            run, label = begin()
        except DawnError as error:
            yield {"notice": str(error)}
            return
        name, entry = self.store.open(run, visitor, label)
        with closing(self.driven(run, name, entry, visitor)) as steps:
            for _ in steps:
                yield self.value(name, entry, visitor)
        there = self.value(name, entry, visitor) if entry.finished else {"notice": TOO_EARLY}
        yield there | ({"notice": entry.notice} if entry.notice else {})

    def call(self, request: Request, visitor: str) -> Iterator[tuple[str, Entry]]:
        """Decode from the prompt for a program: the trace's name and entry after each step, and once more when it is finished.
        DawnError if nothing can be decoded; what ends it later is the entry's notice."""
        run = self.begin(request)
        name, entry = self.store.open_beside(run, visitor, shortened(request.prompt, LONGEST_LABEL))
        with closing(self.driven(run, name, entry, visitor)) as steps:
            for _ in steps:
                yield name, entry
        if not entry.finished:
            raise DawnError(entry.notice or TOO_EARLY)
        yield name, entry

    def driven(self, run: Run, name: str, entry: Entry, visitor: str) -> Iterator[StepRecord]:
        """The steps of a run that the store has taken up; at its end, however that comes, it is kept and written down."""
        try:
            yield from self.bounded(run, entry.cancelled.is_set)
        except DawnError as error:
            entry.notice = str(error)
        finally:
            self.store.close(name, visitor, entry)
            self.report(run, visitor, entry.notice)

    def bounded(self, run: Run, cancelled: Callable[[], bool]) -> Iterator[StepRecord]:
        """The steps of a run, within the limits of steps and seconds; LimitError where one of them ended it."""
        limits, began = self.limits, time.monotonic()
        run.options = replace(run.options, step_limit=limits.steps)
        for record in run.iterate(lambda: cancelled() or time.monotonic() - began > limits.run_seconds):
            yield record
        if cancelled() or record.after.is_complete:
            return
        ends = f"{limits.steps} forward passes" if len(run.steps) >= limits.steps else f"{limits.run_seconds} seconds"
        raise LimitError(f"the run was stopped after {ends}, the most that a run may take here")

    def report(self, run: Run, visitor: str, notice: str) -> None:
        """Write down how a run ended."""
        complete = bool(run.steps) and run.steps[-1].after.is_complete
        outcome = "finished" if complete else "failed" if notice else "stopped"
        seconds = round(sum(sum(step.seconds) for step in run.steps), 3)
        facts = {"model": run.model.name, "rule": run.rule.name, "positions": run.canvas.length, "forwards": len(run.steps)}
        self.journal.note(f"run {outcome}", visitor, run.prompt, **facts, seconds=seconds, notice=notice)

    def stop(self, visitor: str) -> None:
        """The visitor's runs end: one under way after its step, one that waits at once."""
        self.line.drop(visitor)
        self.store.stop(visitor)

    def close(self) -> None:
        """No run begins any more; those under way are stopped after their step, and waited for."""
        self.line.close()
        self.store.stop_all()
        until = time.monotonic() + self.limits.shutdown_seconds
        while self.line.running and time.monotonic() < until:
            time.sleep(GLANCE / 4)
        self.journal.note("closed", unfinished=len(self.line.running))

    def health(self) -> dict:
        """What /healthz says: status, models, runs, traces, memory, counts of events."""
        traces = {"kept": len(self.store.entries), "bytes": self.store.bytes}
        runs = {"running": len(self.line.running), "waiting": len(self.line.waiting)}
        models = {name: self.state(name).words for name in self.models}
        status = "closing" if self.line.closed else "ok"
        return {
            "status": status,
            "version": __version__,
            "models": models,
            "runs": runs,
            "traces": traces,
        } | self.journal.figures()

    def shown(self, name: object, visitor: str) -> dict:
        """The explorer's value for a trace; what needs a model that is not offered here is disabled, and that is said."""
        try:
            entry = self.store.get(name)
        except TraceError as error:
            return {"notice": str(error)}
        there, model = self.value(name, entry, visitor), entry.setup.model
        return there if model in self.models else there | {"notice": ELSEWHERE.format(model)}

    def upload(self, path: str, visitor: str) -> dict:
        """Keep a trace file that the visitor sent; the explorer's value, or a notice that says why not."""
        try:
            trace = load(path, UPLOADED)
            label = "file: " + shortened(trace.prompt, LONGEST_LABEL - 6)
            self.journal.note("upload", visitor, positions=trace.canvas.length, forwards=trace.forwards)
            return self.shown(self.store.keep(trace, visitor, label), visitor)
        except DawnError as error:
            self.journal.note("upload refused", visitor)
            return {"notice": f"This file was not opened: {error}"}

    def download(self, request: object) -> dict:
        """{"trace", "kind", "step"} → {"name", "body"}: a file, base64, of what there is of the trace so far; {"busy"} while
        as many large ones are being made as may be, {"error"} where there is none. Nothing is kept on the server."""
        try:
            entry, kind = self.store.get(field(request, "trace")), str(request.get("kind", "npz"))
            step = whole(request.get("step", 0), "step")
            trace = entry.trace
            if kind in exports.FORMATS and exports.FORMATS[kind].large:
                return self.made_in_turn(trace, kind, step)
            data = to_bytes(trace) if kind == "npz" else exports.made(trace, kind, step)
            return file_answer(exports.name_of(trace, kind, step), data)
        except DawnError as error:
            return {"error": str(error)}

    def made_in_turn(self, trace: Trace, kind: str, step: int) -> dict:
        """A file that takes long to make, unless others are being made."""
        if trace.forwards > self.limits.film_steps:
            found = f"{trace.forwards} steps; at most {self.limits.film_steps} are made into such a file here"
            raise LimitError(f"the run has {found}: save the trace and use python -m dawn export")
        if not self.making.acquire(blocking=False):
            return {"busy": True}
        try:
            return file_answer(exports.name_of(trace, kind, step), exports.made(trace, kind, step))
        finally:
            self.making.release()

    def recipe(self, request: object) -> dict:
        """{"trace", "form": "command" or "python"} → the text that makes its run again as {"text"}, or {"error"}."""
        try:
            trace, form = self.store.get(field(request, "trace")).trace, field(request, "form")
            if form not in ("command", "python"):
                raise TraceError("'form' must be command or python")
            return {"text": command(trace) if form == "command" else python(trace)}
        except DawnError as error:
            return {"error": str(error)}

    def fetch(self, request: object) -> dict:
        """{"trace", "from"} → the steps from there on, as `payload.answer` packs them, or {"error"}."""
        try:
            entry = self.store.get(field(request, "trace"))
            start_at = whole(field(request, "from"), "from")
            again = link.parts_of(entry.prompt, facts_of(entry)) if entry.owner else {}  # bundled traces are always there
            return payload.answer(facts_of(entry), entry.steps, start_at, again)
        except DawnError as error:
            return {"error": str(error)}

    def what_if(self, request: object) -> dict:
        """{"trace", "step", "rule", "settings"} → the decision of that rule about that step, or {"error"}."""
        try:
            (_, step), settings = self.asked_step(request), field(request, "settings")
            if not isinstance(settings, dict):
                raise TraceError("settings must be names with values")
            rule = make_rule(str(field(request, "rule")), settings)
            return payload.what_if(step, replay(step, rule), rule)
        except DawnError as error:
            return {"error": str(error)}

    def changes(self, request: object) -> dict:
        """{"trace", "step", "position"} → how far each threshold would have to move to change that decision, or {"error"}."""
        try:
            entry, step = self.asked_step(request)
            position = whole(field(request, "position"), "position")
            return payload.changes(step, facts_of(entry).setup.make_rule(), position)
        except DawnError as error:
            return {"error": str(error)}

    def export(self, request: object) -> dict:
        """{"trace", "step", "kind"} → the step's graph as {"name", "text"} of a file, or {"error"}. With "rule" and "settings":
        the graph that they would give."""
        try:
            entry, step = self.asked_step(request)
            rule, decision = facts_of(entry).setup.make_rule(), step.decision
            if isinstance(request.get("settings"), dict):
                rule = make_rule(str(field(request, "rule")), request["settings"])
                decision = replay(step, rule).decision
            return graphs.file_of(facts_of(entry), step, decision, rule, request.get("kind"))
        except DawnError as error:
            return {"error": str(error)}

    def asked_step(self, request: object) -> tuple[Entry, StepRecord]:
        """The entry and the step that a request names."""
        entry, index = self.store.get(field(request, "trace")), whole(field(request, "step"), "step")
        if index >= len(entry.steps):
            raise TraceError(f"the trace has steps 0 to {len(entry.steps) - 1}")
        return entry, entry.steps[index]


def file_answer(name: str, data: bytes) -> dict:
    """A file as an answer."""
    return {"name": name, "body": base64.b64encode(data).decode("ascii")}


def edit_of(edit: object, trace: Trace, model: TextModel) -> dict[int, int | None]:
    """A visitor's edit as position → token id, or None for a mask; DawnError if it is none."""
    position = whole(field(edit, "position"), "position")
    if edit.get("mask") is True:
        return {position: None}
    if isinstance(edit.get("text"), str):
        return {position: single_token(edit["text"], model)}
    token = whole(field(edit, "token"), "token")
    if token not in trace.pieces:
        raise DawnError(f"token {token} does not occur in this run: choose one of the alternatives or type one")
    return {position: token}


def single_token(text: str, model: TextModel) -> int:
    """The id of a text that is one token of the model."""
    if not text or len(text) > LONGEST_TOKEN:
        raise DawnError(f"type a token of 1 to {LONGEST_TOKEN} characters")
    ids = model.encode_text(text)
    if len(ids) != 1:
        pieces = " · ".join(payload.readable(model.pieces([i])[i]) for i in ids[:6])
        raise DawnError(f"{text!r} is {len(ids)} tokens of this model ({pieces}): type one of them (a leading space counts)")
    return int(ids[0])


def edit_words(edits: Iterable[tuple[int, int | None]], text: Callable[[int], str]) -> str:
    """Edits in a branch's name; text: a token's."""
    return "".join(f", {p} {'masked' if token is None else f'‘{text(token)}’'}" for p, token in edits)


def shortened(prompt: str, longest: int = LONGEST_TITLE) -> str:
    """A prompt as a title."""
    return prompt if len(prompt) <= longest else prompt[: longest - 1] + "…"


def value(name: str, entry: Entry) -> dict:
    """The explorer's value: which trace, how many steps there are, whether more will come."""
    return {"trace": name, "steps": len(entry.steps), "done": entry.done, "title": title(entry)}


def title(entry: Entry) -> str:
    """The question, and where the run was forked from if it was; steps are counted from 1 on the page."""
    recorded = "" if entry.owner else f"{entry.label}: "
    branch = f"Decoded again from step {entry.parent[1] + 1}{edited(entry)}: " if entry.parent else recorded
    return branch + shortened(entry.prompt)


def edited(entry: Entry) -> str:
    """What was changed before a branch was decoded, in its title."""
    return edit_words(entry.edits, lambda token: payload.piece(facts_of(entry), token))


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
