"""Hostile input, by the thousand: `python -m tests.fuzz --inputs 100000 [--target NAME] [--seed 1]`.

Whatever a stranger sends is answered, or refused by a DawnError in one line; nothing else is raised, no word of this machine
(a path, a traceback) is in an answer, and nothing takes longer than a few seconds. tests/test_fuzz.py runs the same with few
inputs; what is found here is kept there. The same seed feeds the same inputs, so that a run can be repeated, and split into
several of different seeds.
"""

from __future__ import annotations

import argparse
import atexit
import contextlib
import gc
import io
import json
import re
import secrets
import signal
import sys
import time
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import FunctionType

import httpx
import numpy as np
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from dawn.errors import DawnError
from dawn.models import load_model, model_state
from dawn.rules import RULES, rule_specs
from dawn.trace import UPLOADED, from_file, to_bytes
from tests.visitor import Server, served
from tests.viz.synthetic import synthetic_trace
from viz import permalink, programs
from viz.analysis import Analysis, Reader
from viz.comparison import compare
from viz.lab import EXAMPLE, Lab
from viz.lessons import Lessons
from viz.problem import judged
from viz.store import TraceStore
from viz.tabs.explore import KEYS, request_of

LONGEST = 10  # seconds for one input
BATCH = 1000  # inputs that hypothesis has in mind at a time
OURS = re.compile(r'File ".*[/\\](?:viz|dawn)[/\\].*')
MACHINE = re.compile(r"/(?:root|usr|home|tmp|opt|var|etc)/|Traceback|File \"|site-packages|0x[0-9a-f]{6}")
PACKED = re.compile(r'"[A-Za-z0-9+/=]{200,}\\*"')  # base64, in which anything may stand by chance
NAMES = [
    "trace", "step", "from", "position", "rule", "settings", "kind", "name", "layer", "head", "left", "right", "edit", "do",
    "shown", "label", "address", "key", "token", "text", "mask", "tab", "moment", "mode", "set.high", "set.sink_mode",
    "panels", "run.prompt", "run.model", "run.rule", "run.generated", "run.block", "run.canvas", "run.set.low",
    "confidence", "edges", "exercise", "chosen", "form",
    "question", "answer", "model", "generated", "block_length", "temperature", "seed", "fixed", "file",
]  # fmt: skip
WORDS = [EXAMPLE, "other", "high", "low", "sink_mode", "relative", "graphml", "json", "rename", "delete", "left", "layer"]
WORDS += ["npz", "csv", "svg"]
HOSTILE = ["<img src=x onerror=alert(1)>", "../../secret", "\0", "\ud800", "⟨mask⟩", "9" * 400, "{}{0.__class__}", "%s%n"]
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 60),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from([*WORDS, *HOSTILE, *RULES]),
)
SOME_NAME = st.sampled_from(NAMES) | st.text(max_size=8)
VALUES = st.recursive(
    SCALARS, lambda one: st.lists(one, max_size=4) | st.dictionaries(SOME_NAME, one, max_size=6), max_leaves=8
)
REQUESTS = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=9) | VALUES
TRACES = st.sampled_from([EXAMPLE, "other"])
FEW = st.integers(0, 8)
SOUND = {"trace": TRACES, "step": FEW}
OFTEN = {
    "from": FEW, "layer": FEW, "head": st.none() | FEW, "exercise": FEW, "position": st.integers(0, 40),
    "left": TRACES, "right": TRACES, "shown": TRACES, "name": st.sampled_from(["high", "low", "edge", "sink"]),
    "kind": st.sampled_from(["graphml", "json", "npz", "csv", "svg"]), "form": st.sampled_from(["command", "python"]),
    "do": st.sampled_from(["rename", "delete"]), "chosen": st.lists(FEW, max_size=3), "question": st.just("[MASK x 2] or"),
}  # fmt: skip
DIGITS = st.integers(0, 60).map(str)
CANVAS = st.lists(st.tuples(DIGITS, DIGITS, st.sampled_from(["3f800000", "00000000", "7fc00000"])).map("-".join), max_size=3)
PARTS = {
    "trace": TRACES, "step": DIGITS, "position": DIGITS, "tab": st.sampled_from(permalink.TABS),
    "panels": st.lists(st.sampled_from(permalink.PANELS), max_size=3).map(".".join), "set.high": DIGITS | st.just("0.5"),
    "run.prompt": st.just("[MASK x 2] or"), "run.model": st.just("nowhere"), "run.generated": DIGITS, "run.block": DIGITS,
    "run.seed": DIGITS, "run.temperature": DIGITS, "run.canvas": CANVAS.map("_".join), "run.set.high": DIGITS,
}  # fmt: skip


@cache
def settings_for(rule: str) -> st.SearchStrategy:
    """Settings of a rule, some of them out of range or not its own."""
    names = st.sampled_from([*rule_specs(rule)] * 4 + WORDS)
    return st.dictionaries(names, st.floats(0, 1) | SCALARS, max_size=4)


@st.composite
def nearly_sound(draw) -> dict:
    """A request for what there is; some of its parts are anything."""
    rule = draw(st.sampled_from(sorted(RULES)))
    request = {"rule": rule, "settings": draw(settings_for(rule))} | draw(st.fixed_dictionaries(SOUND, optional=OFTEN))
    return request | draw(st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=2))


@st.composite
def addresses(draw) -> dict:
    """The parts of an address or of a link; some of them are any text."""
    parts = draw(st.fixed_dictionaries({}, optional=PARTS))
    for name in ("rule", "run.rule"):
        if draw(st.booleans()):
            parts[name] = draw(st.sampled_from(sorted(RULES)))
    return parts | draw(st.dictionaries(st.sampled_from(NAMES), SCALARS.map(str) | st.text(), max_size=2))


class Slow(Exception):
    """An input that takes too long."""


@cache
def trace():
    """A small trace, made up."""
    return synthetic_trace(24, 12)


@cache
def lab() -> Lab:
    """A lab with two traces and no model."""
    store = TraceStore()
    store.bundle(EXAMPLE, trace(), "Recorded example")
    store.bundle("other", synthetic_trace(20, 10))
    return Lab(store, load_model, ["nowhere"], model_state)


@cache
def analysis() -> Analysis:
    return Analysis(lab(), Reader(lambda model: (1, 1), lambda *_: None))


@cache
def lessons() -> Lessons:
    return Lessons(lab(), Path("nowhere"))


def answered(answer: object) -> None:
    """An answer goes out as JSON, and tells nothing of this machine."""
    text = PACKED.sub("", json.dumps(answer, default=str))
    found = MACHINE.search(text)
    assert not found, f"an answer tells {text[max(0, found.start() - 60) : found.end() + 60]}"


def answering(*functions: Callable[[object], object]) -> Callable[[object], None]:
    """All of these functions answer an input, or refuse it."""

    def ask(asked: object) -> None:
        for function in functions:
            try:
                answered(function(asked))
            except DawnError as error:
                answered(str(error))

    return ask


def looking(asked: object) -> None:
    """The server functions of the explorer, of its panels, of the comparison and of the lesson."""
    here, panels = lab(), analysis()
    functions = [here.fetch, here.what_if, here.changes, here.export, here.download]
    functions += [
        here.recipe,
        panels.ledger,
        panels.csv,
        panels.replay,
        panels.settings,
        panels.curve,
        panels.sinks,
        panels.model,
        panels.look,
        lessons().anatomy,
        lessons().check,
    ]
    functions += [lambda request: compare(here.store, request), lambda request: judged(here.store, request, request)]
    answering(*functions)(asked)


def organising(asked: object) -> None:
    """Branches, and decoding again."""
    controls = ["Why?", "nowhere", "dawn", 8, 4, 0.0, 0, True, False, "", *[None] * len(KEYS)]

    def decode_again(told: object) -> list:
        return list(lab().decode_again(request_of(tuple(controls)), told, "me"))

    answering(lambda told: lab().organise(told, "me"), decode_again)(asked)


def addressing(asked: object) -> None:
    """An address, and the page that it asks for."""

    def open_page(told: object) -> object:
        lab().store.meet("me", told)
        if request := permalink.again(lab(), told):
            return list(permalink.rerun(lab(), request, told, "me"))
        return [next(permalink.shown(lab(), told, "me")), str(permalink.find(lab(), told)[2])]

    answering(open_page)(asked)


def controlling(values: list) -> None:
    """The values of all controls."""
    answering(lambda told: list(lab().run(request_of(tuple(told)), "me")))(values)


def calling(asked: object) -> None:
    """The endpoints of the API, whose arguments nobody has checked."""
    told = asked if isinstance(asked, dict) else {"question": asked, "trace": asked, "file": asked}
    trace, rule, settings = (told.get(name) for name in ("trace", "rule", "settings"))
    lengths, more = (told.get("generated", 8), told.get("block_length", 4)), (told.get("temperature", 0), told.get("seed", 0))
    run = (told.get("question"), rule, settings, told.get("model", "nowhere"), lengths)
    answering(
        lambda _: programs.asked_again(lab(), trace, rule, settings),
        lambda _: programs.explained(lab(), trace, told.get("step"), rule, settings),
        lambda _: programs.file_of(lab(), trace)["name"],
        lambda _: programs.opened(lab(), told.get("file"), "me"),
        lambda _: list(programs.decoded(lab(), "me", *run, (*more, True, False, told.get("fixed", "")))),
    )(asked)


@dataclass(frozen=True, slots=True)
class Page:
    """A server of its own, a client, and what its page knows: events, values of components by id, and the functions that may be
    called, as component and name."""

    server: Server
    client: httpx.Client
    events: list[dict]
    values: dict[int, object]
    functions: list[tuple[int, str]]


@cache
def page() -> Page:
    """One that is up until the program ends."""
    stack = contextlib.ExitStack()
    atexit.register(stack.close)
    here = stack.enter_context(served("--run-seconds", "1", "--queue-length", "5", "--generation-length", "8"))
    client = stack.enter_context(httpx.Client(base_url=here.url, timeout=LONGEST))
    config = client.get("config", timeout=120).json()  # its first answer takes longer
    parts = {part["id"]: part["props"] for part in config["components"]}
    functions = [(id, name) for id, props in parts.items() for name in props.get("server_fns", [])]
    return Page(here, client, config["dependencies"], {id: props.get("value") for id, props in parts.items()}, functions)


def serving(asked: tuple) -> None:
    """An event, and a server function, over HTTP: nothing of this software fails in them.

    asked: which event; whether its controls hold what they do when the page opens, or nothing; what some of them, by place,
    hold instead; what the script tells; which function, by number, or by name for one that there may not be.
    """
    here = page()
    number, filled, changes, told, function = asked
    event, session, before = here.events[number % len(here.events)], secrets.token_hex(6), here.server.written()
    data = [changes.get(place, here.values.get(id) if filled else None) for place, id in enumerate(event["inputs"])]
    body = {"data": data, "event_data": told, "fn_index": event["id"], "session_hash": session}
    told_back = [post(here.client, "queue/join", body).text]
    if "event_id" in told_back[0]:
        told_back += stream(here.client, session)
    host, name = here.functions[(function if isinstance(function, int) else number) % len(here.functions)]
    name = name if isinstance(function, int) else function
    body = {"session_hash": session, "component_id": host, "fn_name": name, "data": told}
    told_back.append(post(here.client, "component_server", body).text)
    answered(told_back)
    assert here.client.get("healthz").json()["status"] == "ok"
    assert not (ours := OURS.search(here.server.output(before))), f"the server's log has {ours.group()}"


def post(client: httpx.Client, path: str, body: dict) -> httpx.Response:
    return client.post(f"/gradio_api/{path}", content=json.dumps(body), headers={"Content-Type": "application/json"})


def stream(client: httpx.Client, session: str) -> list[str]:
    """What the server sends until it has done with the event."""
    lines = []
    with client.stream("GET", "/gradio_api/queue/data", params={"session_hash": session}) as messages:
        for line in messages.iter_lines():
            lines.append(line)
            if '"process_completed"' in line or '"close_stream"' in line:
                break
    return lines


def opening(data: bytes) -> None:
    """A trace file."""
    answering(lambda file: from_file(io.BytesIO(file), UPLOADED).forwards)(data)


@st.composite
def files(draw) -> bytes:
    """A trace file with bytes changed, cut off, put in or taken out, or with one of its arrays replaced."""
    if draw(st.booleans()):
        return replaced(draw)
    data = bytearray(packed())
    for _ in range(draw(st.integers(1, 4))):
        where, what = draw(st.integers(0, max(0, len(data) - 1))), draw(st.binary(max_size=8))
        data[where : where + draw(st.sampled_from([0, len(what), 64]))] = what
    return bytes(data[: draw(st.sampled_from([len(data), len(data) // 2, 30, 0]))])


@cache
def packed() -> bytes:
    """A sound trace file."""
    return to_bytes(trace())


@cache
def members() -> dict[str, bytes]:
    """What is in it, by name."""
    with zipfile.ZipFile(io.BytesIO(packed())) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def replaced(draw) -> bytes:
    """A sound archive with an array of another type, shape or content, or one too many of a name."""
    target, chosen = io.BytesIO(), draw(st.sampled_from([*members()]))
    packing = draw(st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]))
    with zipfile.ZipFile(target, "w", packing, compresslevel=1) as archive:
        for name, body in members().items():
            archive.writestr(name, another(name, body, draw) if name == chosen else body)
        if draw(st.integers(0, 9)) == 0:
            warnings.filterwarnings("ignore", "Duplicate name")
            archive.writestr(chosen, members()[chosen])
    return target.getvalue()


def another(name: str, body: bytes, draw) -> bytes:
    """An array's bytes, with something else in it."""
    array = np.lib.format.read_array(io.BytesIO(body), allow_pickle=False)
    kind = draw(st.sampled_from(["dtype", "shape", "values", "metadata"]))
    if kind == "dtype":
        array = array.astype(draw(st.sampled_from(["<f8", "<i8", "u1", "<U4", "?", "<c8"])), casting="unsafe")
    elif kind == "shape":
        array = np.resize(array, draw(st.lists(st.integers(0, 5), max_size=3)))
    elif kind == "metadata" and name == "meta.npy":
        array = another_meta(array, draw)
    elif array.size:
        wild = draw(st.sampled_from([np.nan, np.inf, -1, 2**31 - 1, 0, 255]))
        with np.errstate(all="ignore"):
            array = array.copy()
            array.flat[draw(st.integers(0, array.size - 1))] = np.array(wild).astype(array.dtype)
    written = io.BytesIO()
    np.lib.format.write_array(written, array, allow_pickle=False)
    return written.getvalue()


def another_meta(array: np.ndarray, draw) -> np.ndarray:
    """The metadata with a field that holds anything, or settings that may be sound."""
    fields = json.loads(array.tobytes())
    name = draw(st.sampled_from(sorted(fields)))
    fields[name] = draw(settings_for(fields["rule"]) if name == "settings" else VALUES)
    return np.frombuffer(json.dumps(fields).encode(), dtype=np.uint8)


CONTROLS = st.tuples(
    SCALARS.map(lambda value: None if value is None else str(value)), *[SCALARS] * 9, *[SCALARS] * len(KEYS)
).map(list)
PLAIN = {"phases": (Phase.generate, Phase.shrink), "suppress_health_check": list(HealthCheck), "print_blob": False}
CHANGES = st.dictionaries(st.integers(0, 60), VALUES, max_size=4)
SENT = st.tuples(
    st.integers(0, 400), st.booleans(), CHANGES, nearly_sound() | REQUESTS, st.integers(0, 99) | st.text(max_size=9)
)
TARGETS: dict[str, tuple[st.SearchStrategy, Callable]] = {
    "looking": (nearly_sound() | REQUESTS, looking),
    "organising": (nearly_sound() | REQUESTS, organising),
    "addressing": (addresses() | REQUESTS, addressing),
    "controlling": (CONTROLS, controlling),
    "calling": (nearly_sound() | REQUESTS, calling),
    "opening": (files(), opening),
    "serving": (SENT, serving),
}


def feeder(target: str, inputs: int, seeded: str = "") -> Callable[[], None]:
    """What feeds a target; raises what an input brought to light, with the smallest such input. seeded: which inputs."""
    strategy, function = TARGETS[target]

    @seed(seeded)
    @settings(max_examples=inputs, deadline=None, database=None, **PLAIN)
    @given(strategy)
    def feed(value) -> None:
        signal.alarm(LONGEST)
        try:
            function(value)
        finally:
            signal.alarm(0)

    return feed


def fuzz(target: str, inputs: int, run: Callable[[Callable], None] = lambda feed: feed(), first: int = 0) -> None:
    """Feed a target; Slow for an input that takes too long. run: how it is fed; first: a seed.

    In batches: what hypothesis remembers of its inputs grows with their number.
    """

    def too_slow(*_):
        raise Slow(f"an input took more than {LONGEST} s")

    if TARGETS[target][1] is serving:
        page()  # its start is not an input's time
    before = signal.signal(signal.SIGALRM, too_slow)
    try:
        for done in range(0, inputs, BATCH):
            run(feeder(target, min(BATCH, inputs - done), f"{target} {first} {done}"))
    finally:
        signal.signal(signal.SIGALRM, before)


def guided(inputs: int) -> Callable[[Callable], None]:
    """Feeds by atheris, which seeks inputs that reach lines not reached before."""

    def run(feed: Callable) -> None:
        import atheris

        for one in gc.get_objects():
            if isinstance(one, FunctionType) and one.__module__ and one.__module__.startswith(("dawn.", "viz.")):
                atheris.instrument_func(one)
        atheris.Setup([sys.argv[0], f"-runs={inputs}", "-max_len=4096", "-len_control=0"], feed.hypothesis.fuzz_one_input)
        atheris.Fuzz()  # ends the process

    return run


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--target", choices=TARGETS, action="append", help="which (default: all)")
    parser.add_argument("--inputs", type=int, default=1000, help="for each target (default %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="another one feeds other inputs (default %(default)s)")
    parser.add_argument("--guided", action="store_true", help="one target, guided by coverage (pip install atheris)")
    chosen = parser.parse_args(arguments)
    if chosen.guided:
        fuzz((chosen.target or ["opening"])[0], chosen.inputs, guided(chosen.inputs))
    for target in chosen.target or TARGETS:
        began = time.monotonic()
        fuzz(target, chosen.inputs, first=chosen.seed)
        pace = chosen.inputs / (time.monotonic() - began)
        print(f"{target}: {chosen.inputs} inputs of seed {chosen.seed}, nothing found, {pace:.0f} a second", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
