"""Many visitors at once: `python -m tests.load --visitors 100 --browsers 10 --seconds 600`.

Starts the app in a process of its own and drives it: visitors over HTTP that run, fetch and ask what if, and real browser
contexts that scrub through a trace. Elsewhere each browser has a machine of its own; here they share the server's processors,
so they come first there (on Linux if kernel.sched_autogroup_enabled is 0), and open the page and scrub one at a time, for two
that draw at once would measure each other. Every visitor's question holds a word of its own, and nothing that a visitor is
shown may hold another's. Prints what was measured; ends with 1 if anything went wrong that is not a stated limit.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import re
import sys
import time
from collections import Counter
from dataclasses import dataclass, field

import httpx
import numpy as np

from tests.browser import ARGUMENTS, PAINTED, SCRUB, executable
from tests.visitor import Visitor, served, unpacked

LIMIT_WORDS = ("no more may", "at most", "may take here", "removed to make room", "no longer on the server")
QUESTION = "{} has {} apples and buys {} more. How many apples does {} have now?"
WORD = re.compile(r"Zq\d{6}")  # of a visitor's own, in every question of theirs
PAUSE = 2.0  # mean seconds between two things that a visitor does
LOOKING = 10.0  # mean seconds that somebody looks at what is shown before they scrub on
# A connection a request: an idle one may be closed while a request is on its way, on which a browser asks again, httpx not.
ANEW = httpx.Limits(max_keepalive_connections=0)
NICENESS = 19  # of all but the browsers, where no process can be told to give way altogether


@dataclass(slots=True)
class Measured:
    """Each visitor's own word, which stands in all of their questions and which no model would come upon; seconds by kind,
    limits that were said, errors, and over time the server's memory and traces: (second, bytes, number)."""

    words: frozenset[str]
    seconds: dict[str, list[float]] = field(default_factory=dict)
    limits: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    memory: list[tuple[float, int, int]] = field(default_factory=list)

    def took(self, kind: str, seconds: float) -> None:
        self.seconds.setdefault(kind, []).append(seconds)

    def said(self, words: str) -> None:
        """A notice or an error's words: a limit, or something that went wrong."""
        limit = next((one for one in LIMIT_WORDS if one in words), None)
        (self.limits if limit else self.errors)[limit or words[:200]] += 1


async def live(url: str, word: str, until: float, measured: Measured) -> None:
    """One visitor's stay."""
    async with httpx.AsyncClient(base_url=url, timeout=120, limits=ANEW) as client:
        visitor, chance = await Visitor.arrive(client), random.Random(word)
        while time.monotonic() < until:
            try:
                await one_run(visitor, word, chance, measured)
            except (httpx.HTTPError, RuntimeError, ValueError, KeyError) as error:
                measured.said(f"{type(error).__name__}: {error}")
            await asyncio.sleep(chance.expovariate(1 / PAUSE))


async def one_run(visitor: Visitor, word: str, chance: random.Random, measured: Measured) -> None:
    """A run from its button to its end, then a fetch and a what if of its steps."""
    prompt = QUESTION.format(word, chance.randint(2, 60), chance.randint(2, 60), word)
    started, first, last = time.monotonic(), None, {}
    async for value in visitor.run(prompt=prompt, gen_length=64):
        check_own(json.dumps(value), word, measured)
        if value.get("trace"):
            first = first or time.monotonic()
            last = value
        elif "ahead of yours" not in value.get("notice", ""):
            measured.said(value["notice"])
    if not last:
        return
    measured.took("wait", first - started)
    measured.took("run", time.monotonic() - first)
    await look(visitor, last, word, chance, measured)


async def look(visitor: Visitor, last: dict, word: str, chance: random.Random, measured: Measured) -> None:
    """What looking costs: the steps, and another decision about some of them."""
    started = time.monotonic()
    answer = await visitor.ask("explorer-host", "fetch", {"trace": last["trace"], "from": 0})
    measured.took("fetch", time.monotonic() - started)
    if "error" in answer:
        return measured.said(answer["error"])
    document = unpacked(answer["body"])
    question = "".join(document["pieces"][str(token)] for token in document["header"]["tokens"])
    if word not in question:
        measured.errors["a question came back without its visitor's word"] += 1
    check_own(question, word, measured)
    for _ in range(3):
        asked = {"trace": last["trace"], "step": chance.randrange(last["steps"]), "rule": "dawn"}
        started = time.monotonic()
        answer = await visitor.ask("explorer-host", "what_if", asked | {"settings": {"high": chance.uniform(0.5, 1)}})
        measured.took("what if", time.monotonic() - started)
        if "error" in answer:
            measured.said(answer["error"])


def check_own(shown: str, word: str, measured: Measured) -> None:
    """Nothing that a visitor is shown holds another's word."""
    for other in measured.words.intersection(WORD.findall(shown)) - {word}:
        measured.errors[f"{word} was shown something of {other}"] += 1


async def scrub(browser, url: str, turn: asyncio.Lock, until: float, measured: Measured) -> None:
    """One browser context that moves through the recorded example when it is its turn; each move's time is the page's own."""
    context = await browser.new_context(viewport={"width": 1400, "height": 1000})
    page = await context.new_page()
    page.on("pageerror", lambda error: measured.said(f"page: {error}"))
    async with turn:
        started = time.monotonic()
        await page.goto(url, timeout=120_000)
        await page.wait_for_function(PAINTED, timeout=120_000)
    measured.took("first paint", time.monotonic() - started)
    while time.monotonic() < until:
        async with turn:
            times = await page.evaluate(SCRUB, 10)
        for milliseconds in times:
            measured.took("scrub", milliseconds / 1000)
        await asyncio.sleep(random.expovariate(1 / LOOKING))
    await context.close()


async def watch(url: str, until: float, measured: Measured) -> None:
    """The server's memory and whether it answers, every five seconds."""
    began = time.monotonic()
    async with httpx.AsyncClient(base_url=url, timeout=60) as client:
        while time.monotonic() < until:
            started = time.monotonic()
            health = (await client.get("/healthz")).json()
            measured.took("health", time.monotonic() - started)
            measured.memory.append((started - began, health["memory_bytes"], health["traces"]["kept"]))
            await asyncio.sleep(5)


async def drive(visitors: int, browsers: int, seconds: float) -> Measured:
    """All of them at once."""
    async with contextlib.AsyncExitStack() as stack:
        browser = await launched(stack) if browsers else None
        give_way()  # the server and the visitors over HTTP, who are started from here on
        url = stack.enter_context(served()).url
        words = [f"Zq{number:06d}" for number in random.Random(0).sample(range(10**6), visitors)]
        measured, turn, until = Measured(frozenset(words)), asyncio.Lock(), time.monotonic() + seconds
        tasks = [live(url, word, until, measured) for word in words] + [watch(url, until, measured)]
        await asyncio.gather(*tasks, *(scrub(browser, url, turn, until, measured) for _ in range(browsers)))
    return measured


def give_way() -> None:
    """This process, and what it starts, work when nobody else wants to."""
    if hasattr(os, "SCHED_IDLE"):
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    else:
        os.nice(NICENESS)


async def launched(stack: contextlib.AsyncExitStack):
    """A browser, until the stack is closed."""
    from playwright.async_api import async_playwright

    playwright = await stack.enter_async_context(async_playwright())
    browser = await playwright.chromium.launch(executable_path=executable(), args=ARGUMENTS)
    stack.push_async_callback(browser.close)
    return browser


def report(measured: Measured) -> dict:
    """Counts, medians and 95th percentiles in milliseconds; what the server held once it was warm, at the end and at most."""
    figures = {}
    for kind, values in sorted(measured.seconds.items()):
        half, most = np.percentile(values, [50, 95]) * 1000
        figures[kind] = {"n": len(values), "p50_ms": round(float(half), 1), "p95_ms": round(float(most), 1)}
    warm = warmed_up(measured.memory)
    sizes = {"warm": warm[0][1], "end": warm[-1][1], "most": max(size for _, size, _ in warm)}
    held = {name: round(size / 2**20) for name, size in sizes.items()} | {"warm_after_s": round(warm[0][0])}
    return {"times": figures, "memory_mb": held, "limits": dict(measured.limits), "errors": dict(measured.errors)}


def warmed_up(memory: list[tuple[float, int, int]]) -> list[tuple[float, int, int]]:
    """What was seen after a third of the time, and since the server kept as many traces as it ever did."""
    kept = [number for *_, number in memory]
    return memory[max(kept.index(max(kept)), len(memory) // 3) :]


def main(arguments: list[str] | None = None) -> int:
    """0 if every error was a stated limit."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--visitors", type=int, default=10, help="over HTTP (default %(default)s)")
    parser.add_argument("--browsers", type=int, default=1, help="browser contexts (default %(default)s)")
    parser.add_argument("--seconds", type=float, default=60, help="how long (default %(default)s)")
    chosen = parser.parse_args(arguments)
    measured = asyncio.run(drive(chosen.visitors, chosen.browsers, chosen.seconds))
    print(json.dumps(vars(chosen) | report(measured), indent=2))
    return 1 if measured.errors else 0


if __name__ == "__main__":
    sys.exit(main())
