"""A visitor without a browser: speaks to a served app over HTTP as its page does. For tests and for `tests.load`."""

from __future__ import annotations

import base64
import contextlib
import gzip
import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import httpx
import numpy as np

from tests.browser import free_port

ROOT = Path(__file__).parent.parent
KINDS = {"u2": np.uint16, "i4": np.int32, "f4": np.float32}


@dataclass(frozen=True, slots=True)
class Server:
    """`python app.py` in a process of its own, and the file that it writes to."""

    url: str
    process: subprocess.Popen
    log: IO[bytes]

    def output(self, start: int = 0) -> str:
        """What it has written so far, from a byte on."""
        self.log.seek(start)
        return self.log.read().decode(errors="replace")

    def written(self) -> int:
        """How many bytes it has written so far."""
        return os.fstat(self.log.fileno()).st_size

    def wait_until_up(self) -> None:
        for _ in range(600):
            with contextlib.suppress(httpx.TransportError):
                httpx.get(f"{self.url}/healthz")
                return
            if self.process.poll() is not None:
                raise RuntimeError(f"the server ended with {self.process.returncode}: {self.output()[-2000:]}")
            time.sleep(0.2)
        raise RuntimeError("the server did not come up within two minutes")


@contextlib.contextmanager
def served(*arguments: str, **environment: str) -> Iterator[Server]:
    """A server that is up, asked to end afterwards if it still runs."""
    port = str(free_port())
    more = {"GRADIO_SERVER_PORT": port, "GRADIO_SERVER_NAME": "127.0.0.1", **environment}
    command = [sys.executable, str(ROOT / "app.py"), *arguments]
    with tempfile.TemporaryFile("a+b") as log:  # appended to: the process shares our place in it, which reading moves
        process = subprocess.Popen(command, cwd=ROOT, env=os.environ | more, stdout=log, stderr=subprocess.STDOUT)
        server = Server(f"http://127.0.0.1:{port}", process, log)
        try:
            server.wait_until_up()
            yield server
        finally:
            process.terminate()
            process.wait(timeout=60)


class Visitor:
    """One session of the page. client: of the server's address."""

    def __init__(self, client: httpx.AsyncClient, config: dict):
        self.client, self.config, self.session = client, config, secrets.token_hex(8)
        self.components = {one["id"]: one["props"] for one in config["components"]}
        self.ids = {props["elem_id"]: id for id, props in self.components.items() if props.get("elem_id")}

    @classmethod
    async def arrive(cls, client: httpx.AsyncClient) -> Visitor:
        return cls(client, (await client.get("/config")).raise_for_status().json())

    def event(self, name: str, kind: str) -> dict:
        """What the page knows of an event of the component called `name`."""
        return next(one for one in self.config["dependencies"] if [self.ids[name], kind] in one["targets"])

    async def trigger(self, name: str, kind: str, told: object = None, **changes) -> AsyncIterator[list]:
        """The values that an event streams. told: the event's own data; changes: values of controls by their elem_id."""
        event, given = self.event(name, kind), {self.ids[one.replace("_", "-")]: value for one, value in changes.items()}
        data = [given.get(id, self.components[id].get("value")) for id in event["inputs"]]
        body = {"data": data, "fn_index": event["id"], "session_hash": self.session, "event_data": told, "simple_format": True}
        joined = (await self.client.post("/gradio_api/queue/join", json=body)).raise_for_status().json()
        async with contextlib.aclosing(self.messages()) as messages:
            async for message in messages:
                if message.get("event_id") != joined["event_id"]:
                    continue
                if message["msg"] == "process_generating":
                    yield message["output"]["data"]
                if message["msg"] == "process_completed":
                    if not message["success"]:
                        raise RuntimeError(f"the server failed: {message['output']}")
                    return

    async def messages(self) -> AsyncIterator[dict]:
        """What the server sends to this session."""
        async with self.client.stream("GET", "/gradio_api/queue/data", params={"session_hash": self.session}) as stream:
            async for line in stream.aiter_lines():
                if line.startswith("data:"):
                    yield json.loads(line[5:])

    async def run(self, **changes) -> AsyncIterator[dict]:
        """The explorer's values of a run."""
        async with contextlib.aclosing(self.trigger("run", "click", **changes)) as values:
            async for explorer, *_ in values:
                if isinstance(explorer, dict) and explorer.get("__type__") != "update":
                    yield explorer

    async def ask(self, component: str, function: str, asked: object) -> dict:
        """What a server function of a component answers."""
        body = {"session_hash": self.session, "component_id": self.ids[component], "fn_name": function, "data": asked}
        return (await self.client.post("/gradio_api/component_server", json=body)).raise_for_status().json()


def unpacked(text: str) -> dict:
    """A packed answer, as `viz.payload` describes it, with its arrays."""
    raw = gzip.decompress(base64.b64decode(text))
    size = int.from_bytes(raw[:4], "little")

    def revive(found: dict) -> object:
        if "$" not in found:
            return found
        kind, start, length = found["$"]
        return np.frombuffer(raw, KINDS[kind], length, 4 + size + start)

    return json.loads(raw[4 : 4 + size], object_hook=revive)
