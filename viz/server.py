"""The server around the page: health, headers, and an end that loses no run.

Nothing remote may be loaded by the page (`POLICY`), and no address of it, which may name a trace, is told to others. Gradio's
own scripts are inline and make functions from text, so those two are allowed. A Space is shown in a frame of its hub.
"""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from importlib.util import find_spec

import gradio as gr
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dawn.errors import DawnError
from viz.lab import Lab
from viz.limits import Limits, parser, variable
from viz.page import STYLE, page_theme
from viz.scripts import FRAMES

POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'self' https://huggingface.co https://*.hf.space",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}

HALVES = re.compile(rb"\\u[dD][89a-fA-F]|\xed[\xa0-\xbf]|\0")  # of characters, as JSON may hold them; \0: in UTF-16 and UTF-32


class WholeText:
    """Puts U+FFFD for each half of a character (U+D800 to U+DFFF) in the JSON that the server is sent: those are no text, and
    an answer that repeats one could not be written."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or "multipart/" in Headers(scope=scope).get("content-type", ""):
            return await self.app(scope, receive, send)
        body = bytearray()

        async def receiving() -> Message:
            message = await receive()
            while message["type"] == "http.request":
                body.extend(message.get("body", b""))
                if not message.get("more_body"):
                    return {"type": "http.request", "body": whole_text(bytes(body))}
                message = await receive()
            return message

        return await self.app(scope, receiving, send)


def whole_text(body: bytes) -> bytes:
    """JSON of the same values without halves of characters; what is no JSON stays as it is."""
    if not HALVES.search(body):
        return body
    with suppress(ValueError, RecursionError):
        text = json.dumps(json.loads(body), ensure_ascii=False)
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()
    return body


class SecurityHeaders:
    """Adds HEADERS to every answer."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        await self.app(scope, receive, sending if scope["type"] == "http" else send)


class FirstScript:
    """Puts a script before all others of the page: what Gradio's own `head` holds runs after its scripts."""

    def __init__(self, app: ASGIApp, script: str):
        self.app, self.mark = app, b"<head>"
        self.first = self.mark + f"<script>{script}</script>".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        start, body = {}, bytearray()

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)  # told when the length is known
                return
            body.extend(message.get("body", b""))
            if not message.get("more_body"):
                content = bytes(body).replace(self.mark, self.first, 1)
                MutableHeaders(scope=start)["Content-Length"] = str(len(content))
                await send(start)
                await send(message | {"body": content})

        is_page = scope["type"] == "http" and scope["path"] == "/"
        await self.app(scope, receive, sending if is_page else send)


def app_options(lab: Lab) -> dict:
    """What Gradio's server is made with besides: the route /healthz, the headers, and the script that comes first."""

    def healthz(request: Request) -> JSONResponse:
        health = lab.health()
        return JSONResponse(health, status_code=200 if health["status"] == "ok" else 503)

    middleware = [Middleware(SecurityHeaders), Middleware(WholeText), Middleware(FirstScript, script=FRAMES)]
    return {"routes": [Route("/healthz", healthz)], "middleware": middleware}


def launch_options(lab: Lab) -> dict:
    """How Gradio serves the page: its look, its limits, no traceback for anybody."""
    largest = f"{lab.limits.upload_megabytes}mb"
    return {"theme": page_theme(), "css": STYLE, "max_file_size": largest, "show_error": False, "app_kwargs": app_options(lab)}


def options() -> tuple[Limits, bool]:
    """The limits, and whether the API is an MCP server too, from command line and environment; one line and exit 1 for what
    cannot be."""
    try:
        return Limits.read(os.environ), wants_mcp(os.environ)
    except DawnError as error:
        sys.exit(str(error))


def wants_mcp(environment: Mapping[str, str], arguments: Sequence[str] | None = None) -> bool:
    """Whether an environment or a command line asks for the MCP server; DawnError if its package is missing."""
    wanted = hasattr(parser().parse_args(arguments), "mcp") or environment.get(variable("mcp")) == "1"
    if wanted and find_spec("mcp") is None:
        raise DawnError('--mcp needs a package that is not installed: pip install "gradio[mcp]"')
    return wanted


def serve(page: gr.Blocks, lab: Lab, mcp: bool = False) -> None:
    """Serve until SIGTERM or SIGINT: then no run begins any more, and those under way have some seconds to end. mcp: the API as
    tools of an MCP server too."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    logging.getLogger("dawn").setLevel(logging.INFO)
    page.launch(prevent_thread_lock=True, mcp_server=mcp, **launch_options(lab))
    wait_for_signal(lab.close)
    page.close(verbose=False)
    leave()


def leave() -> None:
    """End the process at once: a model may be at work in a thread that nobody waits for, and the interpreter's own end would
    abort in its midst."""
    logging.shutdown()
    sys.stdout.flush()
    os._exit(0)


def wait_for_signal(then: Callable[[], None]) -> None:
    """Sleep until the process is asked to end, then do that; a second signal ends it at once."""
    asked = threading.Event()
    kinds = (signal.SIGTERM, signal.SIGINT)
    for kind in kinds:
        signal.signal(kind, lambda *_: asked.set())
    asked.wait()
    for kind in kinds:
        signal.signal(kind, signal.SIG_DFL)
    then()
