"""The named endpoints of the API, which are the tools of the MCP server too. Signatures and words only: `viz.programs` answers.

Gradio reads the types of arguments and answers from the signatures, as objects: no postponed annotations in this file.
"""

import functools
import inspect
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing

import gradio as gr

from dawn.errors import DawnError
from viz import programs
from viz.lab import Lab
from viz.line import in_turn

SEVERAL = 4  # requests of one kind that are answered at the same time


def caller(request: gr.Request) -> str:
    """Who asks: one session of a client. The MCP server speaks for everybody in one session: each of its calls is a visitor."""
    through_mcp = request.headers.get("x-gradio-user") == "mcp"
    return secrets.token_hex(8) if through_mcp or not request.session_hash else request.session_hash


def refusing(function: Callable) -> Callable:
    """The function, whose DawnError reaches the caller as words."""

    @functools.wraps(function)
    def answer(*arguments, **more):
        try:
            return function(*arguments, **more)
        except DawnError as error:
            raise gr.Error(str(error), print_exception=False) from None

    return answer


def streaming(function: Callable) -> Callable:
    """The function, said to answer an object: that is each of the values which it yields, of which the last is the answer."""
    function.__signature__ = inspect.signature(function).replace(return_annotation=dict)
    return function


async def in_its_turn(lab: Lab, who: str, asked: tuple) -> AsyncIterator[dict]:
    """What a run says while it waits, while it runs and at its end; gr.Error where it cannot begin."""
    values, value = functools.partial(programs.decoded, lab, who, *asked), {}
    try:
        async with aclosing(in_turn(lab.line, who, values, waiting, again=True)) as stream:
            async for value in stream:
                yield value
    except DawnError as error:
        raise gr.Error(str(error), print_exception=False) from None
    if value.get("state") == "waiting":
        raise gr.Error(value["words"], print_exception=False)


def waiting(words: str) -> dict:
    """What a run says while it waits."""
    return {"state": "waiting", "words": words}


class Endpoints:
    """Everything that a program may ask of a lab."""

    def __init__(self, lab: Lab):
        self.lab = lab

    @refusing
    def rules(self) -> list[dict]:
        """List the decision rules with their settings: kind, meaning, range or options, and default of each."""
        return programs.told_rules()

    @refusing
    def models(self) -> list[dict]:
        """List the models that can be asked for, the default one first, and how each stands: ready, loading or not loaded."""
        return programs.told_models(self.lab)

    @streaming
    async def run(
        self,
        question: str,
        request: gr.Request,
        rule: str = "dawn",
        settings: dict | None = None,
        generated: int = 96,
        block_length: int = 32,
        temperature: float = 0.0,
        seed: int = 0,
        model: str = "",
        stop_at_end: bool = True,
        suppress_end: bool = False,
        fixed: str = "",
    ) -> AsyncIterator[dict]:
        """Decode an answer step by step. Returns how the run was made, its output, forward passes, tokens, seconds, every step
        with what it committed and refused, and the name of the trace, for the other endpoints. Runs wait their turn.

        Args:
            question: The question. It may hold [MASK] or [MASK x 5]: positions to fill in.
            rule: Name of the decision rule, see rules.
            settings: Settings by name, such as {"low": 0.6}; those left out are the model's own, or the rule's defaults.
            generated: How many positions to generate.
            block_length: Positions per block.
            temperature: 0 is greedy.
            seed: Of the sampling noise.
            model: Name of the model, see models; empty for the default one.
            stop_at_end: Stop when the answer has ended.
            suppress_end: Commit end-of-text tokens last.
            fixed: Text to write beforehand, one "position: text" a line; positions count from the answer's beginning.
        """
        more = (temperature, seed, stop_at_end, suppress_end, fixed)
        asked = (question, rule, settings, model, (generated, block_length), more)
        async with aclosing(in_its_turn(self.lab, caller(request), asked)) as values:
            async for value in values:
                yield value

    @refusing
    def replay(self, trace: str, rule: str = "", settings: dict | None = None) -> dict:
        """Decide every step of a recorded run again with other settings or another rule, without the model. Each step is judged
        by itself: which positions would be taken, added and dropped, and which of the added the run finally wrote so.

        Args:
            trace: Name of a trace: what run and open_trace answered, or "example".
            rule: Name of the decision rule; empty for the run's own.
            settings: Settings by name; those left out are the run's own, or what another rule would begin with.
        """
        return programs.asked_again(self.lab, trace, rule, settings)

    @refusing
    def explain(self, trace: str, step: int, rule: str = "", settings: dict | None = None) -> dict:
        """Explain one recorded step: each masked position of the window with its token and confidence, why it was committed
        (tier and evidence) or refused (reason, blocker, weight of the edge); and the sinks and the number of edges.

        Args:
            trace: Name of a trace: what run and open_trace answered, or "example".
            step: Which step, from 0.
            rule: Name of the decision rule; empty for the run's own.
            settings: Settings by name; those left out are the run's own, or what another rule would begin with.
        """
        return programs.explained(self.lab, trace, step, rule, settings)

    @refusing
    def open_trace(self, file: str, request: gr.Request) -> dict:
        """Open a trace file, to ask replay and explain about it. Returns its name on this server, its model, rule and length.

        Args:
            file: The bytes of an .npz file that a trace was saved to, in base64.
        """
        return programs.opened(self.lab, file, caller(request))

    @refusing
    def save_trace(self, trace: str) -> dict:
        """Return a trace as a file: a name for it, and its bytes in base64, which `python -m dawn show` and the page open.

        Args:
            trace: Name of a trace: what run and open_trace answered, or "example".
        """
        return programs.file_of(self.lab, trace)


def add_endpoints(lab: Lab) -> None:
    """Put the endpoints on the page in progress."""
    every = Endpoints(lab)
    gr.api(every.run, concurrency_limit=None)  # see viz.line
    for one in (every.rules, every.models, every.replay, every.explain, every.open_trace, every.save_trace):
        gr.api(one, concurrency_limit=SEVERAL)
