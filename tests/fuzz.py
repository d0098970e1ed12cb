"""Hostile input, by the thousand: `python -m tests.fuzz --inputs 100000 [--target NAME]`.

Whatever a stranger sends is answered, or refused by a DawnError in one line; nothing else is raised, no word of this machine
(a path, a traceback) is in an answer, and nothing takes longer than a few seconds. tests/test_fuzz.py runs the same with few
inputs; what is found here is kept there.
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
import warnings
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import FunctionType

import httpx
import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dawn.errors import DawnError
from dawn.models import load_model, model_state
from dawn.rules import RULES
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
OURS = re.compile(r'File ".*[/\\](?:viz|dawn)[/\\].*')
MACHINE = re.compile(r"/(?:root|usr|home|tmp|opt|var|etc)/|Traceback|File \"|site-packages|0x[0-9a-f]{6}")
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
VALUES = st.recursive(SCALARS, lambda one: st.lists(one, max_size=4) | st.dictionaries(SOME_NAME, one, max_size=6))
REQUESTS = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=9) | VALUES
SETTINGS = st.dictionaries(st.sampled_from([*WORDS, *NAMES]), SCALARS)
SOUND = {"trace": st.sampled_from([EXAMPLE, "other"]), "step": st.integers(0, 8), "rule": st.sampled_from(sorted(RULES))}
OTHERS = {name: VALUES for name in NAMES if name not in SOUND}
NEARLY_SOUND = st.fixed_dictionaries(SOUND, optional=OTHERS | {"settings": SETTINGS})


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


def answered(answer: object) -> None:
    """An answer goes out as JSON, and tells nothing of this machine."""
    text = json.dumps(answer, default=str)
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
    here, panels, lessons = lab(), analysis(), Lessons(lab(), Path("nowhere"))
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
        lessons.lesson,
        lessons.anatomy,
        lessons.check,
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


@cache
def server() -> tuple[Server, httpx.Client, list[dict], list[int]]:
    """A server of its own until the program ends, a client, the page's events, and the components that have functions."""
    stack = contextlib.ExitStack()
    atexit.register(stack.close)
    one = stack.enter_context(served("--run-seconds", "2", "--queue-length", "5", "--generation-length", "16"))
    client = stack.enter_context(httpx.Client(base_url=one.url, timeout=LONGEST))
    config = client.get("config").json()
    hosts = [part["id"] for part in config["components"] if str(part["props"].get("elem_id")).endswith("-host")]
    return one, client, config["dependencies"], hosts


def serving(asked: tuple) -> None:
    """An event, or a server function, over HTTP: nothing of this software fails in it."""
    here, client, events, hosts = server()
    number, data, told, function = asked
    event, session, before = events[number % len(events)], secrets.token_hex(6), here.written()
    body = {"data": data[: len(event["inputs"])], "event_data": told, "fn_index": event["id"], "session_hash": session}
    told_back = [post(client, "queue/join", body).text]
    if "event_id" in told_back[0]:
        told_back += stream(client, session)
    body = {"session_hash": session, "component_id": hosts[number % len(hosts)], "fn_name": function, "data": told}
    told_back.append(post(client, "component_server", body).text)
    answered(told_back)
    assert client.get("healthz").json()["status"] == "ok"
    assert not (ours := OURS.search(here.output(before))), f"the server's log has {ours.group()}"


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
    data = bytearray(to_bytes(trace()))
    if draw(st.booleans()):
        return replaced(bytes(data), draw)
    for _ in range(draw(st.integers(1, 4))):
        where, what = draw(st.integers(0, max(0, len(data) - 1))), draw(st.binary(max_size=8))
        data[where : where + draw(st.sampled_from([0, len(what), 64]))] = what
    return bytes(data[: draw(st.sampled_from([len(data), len(data) // 2, 30, 0]))])


def replaced(data: bytes, draw) -> bytes:
    """A sound archive with an array of another type, shape or content, or one too many of a name."""
    target = io.BytesIO()
    warnings.filterwarnings("ignore", "Duplicate name")
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        chosen = draw(st.sampled_from(source.namelist()))
        for name in source.namelist():
            body = source.read(name)
            archive.writestr(name, another(body, draw) if name == chosen else body)
        if draw(st.integers(0, 9)) == 0:
            archive.writestr(chosen, source.read(chosen))
    return target.getvalue()


def another(body: bytes, draw) -> bytes:
    """An array's bytes, with something else in it."""
    array = np.lib.format.read_array(io.BytesIO(body), allow_pickle=False)
    kind = draw(st.sampled_from(["dtype", "shape", "values", "metadata"]))
    if kind == "dtype":
        array = array.astype(draw(st.sampled_from(["<f8", "<i8", "u1", "<U4", "?", "<c8"])), casting="unsafe")
    elif kind == "shape":
        array = np.resize(array, draw(st.lists(st.integers(0, 5), max_size=3)))
    elif array.size:
        wild = draw(st.sampled_from([np.nan, np.inf, -1, 2**31 - 1, 0, 255]))
        with np.errstate(all="ignore"):
            array = array.copy()
            array.flat[draw(st.integers(0, array.size - 1))] = np.array(wild).astype(array.dtype)
    written = io.BytesIO()
    np.lib.format.write_array(written, array, allow_pickle=False)
    return written.getvalue()


CONTROLS = st.tuples(
    SCALARS.map(lambda value: None if value is None else str(value)), *[SCALARS] * 9, *[SCALARS] * len(KEYS)
).map(list)
FUNCTIONS = [
    "fetch",
    "what_if",
    "changes",
    "export",
    "download",
    "recipe",
    "ledger",
    "csv",
    "replay",
    "curve",
    "compare",
    "postprocess",
]
SOME_FUNCTION = st.sampled_from(FUNCTIONS) | st.text(max_size=9)
SENT = st.tuples(st.integers(0, 400), st.lists(VALUES, max_size=60), NEARLY_SOUND | REQUESTS, SOME_FUNCTION)
TARGETS: dict[str, tuple[st.SearchStrategy, Callable]] = {
    "looking": (NEARLY_SOUND | REQUESTS, looking),
    "organising": (NEARLY_SOUND | REQUESTS, organising),
    "addressing": (NEARLY_SOUND | REQUESTS, addressing),
    "controlling": (CONTROLS, controlling),
    "calling": (NEARLY_SOUND | REQUESTS, calling),
    "opening": (files(), opening),
    "serving": (SENT, serving),
}


def feeder(target: str, inputs: int) -> Callable[[], None]:
    """What feeds a target; raises what an input brought to light, with the smallest such input."""
    strategy, function = TARGETS[target]

    @settings(max_examples=inputs, deadline=None, database=None, suppress_health_check=list(HealthCheck), print_blob=False)
    @given(strategy)
    def feed(value) -> None:
        signal.alarm(LONGEST)
        try:
            function(value)
        finally:
            signal.alarm(0)

    return feed


def fuzz(target: str, inputs: int, run: Callable[[Callable], None] = lambda feed: feed()) -> None:
    """Feed a target; Slow for an input that takes too long. run: how it is fed."""

    def too_slow(*_):
        raise Slow(f"an input took more than {LONGEST} s")

    if TARGETS[target][1] is serving:
        server()  # its start is not an input's time
    before = signal.signal(signal.SIGALRM, too_slow)
    try:
        run(feeder(target, inputs))
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
    parser.add_argument("--guided", action="store_true", help="one target, guided by coverage (pip install atheris)")
    chosen = parser.parse_args(arguments)
    if chosen.guided:
        fuzz((chosen.target or ["opening"])[0], chosen.inputs, guided(chosen.inputs))
    for target in chosen.target or TARGETS:
        fuzz(target, chosen.inputs)
        print(f"{target}: {chosen.inputs} inputs, nothing found", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
