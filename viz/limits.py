"""What one visitor, and all of them together, may ask of a server. Each limit is a command-line option and an environment
variable: `--run-seconds 60` or `DAWN_RUN_SECONDS=60`; the option counts if both are given.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields

from dawn.errors import LimitError
from dawn.run import LONGEST_PROMPT

MIB = 2**20
PREFIX = "DAWN_"


def at_most(default: int, words: str, highest: int = 10**6):
    """A limit of 1 … highest, and what it limits."""
    return field(default=default, metadata={"words": words, "highest": highest})


@dataclass(frozen=True, slots=True)
class Limits:
    """Whole numbers, each at least 1."""

    prompt_characters: int = at_most(LONGEST_PROMPT, "characters of a prompt", LONGEST_PROMPT)
    generation_length: int = at_most(256, "tokens that a run may generate, and the longest block", 4096)
    steps: int = at_most(512, "forward passes of a run", 4096)
    run_seconds: int = at_most(600, "seconds that a run may take, its loading and waiting not counted")
    runs_at_once: int = at_most(1, "runs that the model works on at the same time", 64)
    runs_per_visitor: int = at_most(2, "runs of one visitor that run or wait")
    queue_length: int = at_most(100, "runs that may wait")
    traces_per_visitor: int = at_most(24, "traces kept for one visitor")
    traces: int = at_most(256, "traces kept in all")
    visitor_megabytes: int = at_most(256, "MB of traces kept for one visitor")
    trace_megabytes: int = at_most(1024, "MB of traces kept in all")
    upload_megabytes: int = at_most(16, "MB of an uploaded file", 1024)
    film_steps: int = at_most(512, "steps of a run that is made into a film or a page", 4096)
    files_at_once: int = at_most(1, "films and pages that are made at the same time", 64)
    shutdown_seconds: int = at_most(10, "seconds that runs have to end when the server is stopped")

    def __post_init__(self):
        for one in fields(self):
            value, highest = getattr(self, one.name), one.metadata["highest"]
            if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= highest:
                raise LimitError(f"{one.name.replace('_', ' ')} must be a whole number from 1 to {highest}, not {value!r:.40}")

    @classmethod
    def read(cls, environment: Mapping[str, str], arguments: Sequence[str] | None = None) -> Limits:
        """The limits that an environment and a command line set; LimitError for a value that cannot be one."""
        found = {one.name: environment[variable(one.name)] for one in fields(cls) if environment.get(variable(one.name))}
        given = vars(parser().parse_args(arguments))
        given.pop("mcp", None)  # no limit: see viz.server
        return cls(**{name: whole(name, text) for name, text in (found | given).items()})


def variable(name: str) -> str:
    """The environment variable of a limit."""
    return PREFIX + name.upper()


def parser() -> argparse.ArgumentParser:
    """Of the command line: one option a limit, absent if it is not given, and the switch of the MCP server."""
    result = argparse.ArgumentParser(prog="app.py", description="Serve DAWN Lab. Every option N is a limit, in whole numbers.")
    switch = f'serve the API as tools of an MCP server too ({variable("mcp")}=1; pip install "gradio[mcp]")'
    result.add_argument("--mcp", action="store_true", default=argparse.SUPPRESS, help=switch)
    for one in fields(Limits):
        words = f"{one.metadata['words']} (default {one.default}; {variable(one.name)})"
        result.add_argument(f"--{one.name.replace('_', '-')}", default=argparse.SUPPRESS, metavar="N", help=words)
    return result


def whole(name: str, text: str) -> int:
    """The number that a text says."""
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise LimitError(f"{variable(name)} (--{name.replace('_', '-')}) must be a whole number, not {text!r:.40}")
    return int(text)
