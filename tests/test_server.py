"""The server as it is started: health, headers, visitors at once, and its end. Over HTTP, in a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import time

import httpx
import pytest

from tests.visitor import Visitor, served, unpacked
from viz.scripts import FRAMES
from viz.server import whole_text

MARKS = ("Ada", "Ben", "Cleo", "Dora")


LIMITS = {"queue-length": 2, "runs-per-visitor": 1, "generation-length": 128, "prompt-characters": 500}


@pytest.fixture(scope="module")
def address():
    with served(*(part for name, value in LIMITS.items() for part in (f"--{name}", str(value)))) as server:
        yield server.url


async def visit(url: str, *names: str, **changes) -> list[list[dict]]:
    """What visitors are shown who all ask at once, each a question with a name in it."""
    async with httpx.AsyncClient(base_url=url, timeout=60) as client:
        visitors = [await Visitor.arrive(client) for _ in names]
        return await asyncio.gather(*(collect(one, name, changes) for one, name in zip(visitors, names, strict=True)))


async def collect(visitor: Visitor, name: str, changes: dict) -> list[dict]:
    prompt = f"{name} has 7 apples and buys 5. How many apples has {name}?"
    return [value async for value in visitor.run(**{"prompt": prompt, "gen_length": 32} | changes)]


def test_health_is_told_and_every_answer_has_the_headers(address):
    for path in ("/", "/healthz", "/config", "/nowhere"):
        headers = httpx.get(address + path).headers
        assert "default-src 'self'" in headers["content-security-policy"] and headers["referrer-policy"] == "no-referrer"
        assert headers["x-content-type-options"] == "nosniff"
    health = httpx.get(f"{address}/healthz").json()
    assert health["status"] == "ok" and health["memory_bytes"] > 10**8 and "embedded" in health["models"]


def test_our_first_script_comes_before_all_others_of_the_page_and_is_in_nothing_else(address):
    page, config = httpx.get(address), httpx.get(f"{address}/config")
    assert page.text.index("<script") == page.text.index(f"<script>{FRAMES}</script>")
    assert len(page.content) == int(page.headers["content-length"])
    assert FRAMES[:20] not in config.text and config.json()["components"]


@pytest.mark.parametrize(
    ("sent", "held"),
    [
        (rb'{"a": "\ud800x"}', {"a": "\ufffdx"}),
        (rb'["\uDC00\ud83d"]', ["\ufffd\ufffd"]),
        (rb'{"\ud800": Infinity}', {"\ufffd": float("inf")}),
        (b'["\xed\xa0\x80"]', ["\ufffd"]),
        ('["\ud800"]'.encode("utf-16", "surrogatepass"), ["\ufffd"]),
        (rb'["\ud83d\ude00", "\\ud800"]', ["\U0001f600", "\\ud800"]),
    ],
)
def test_halves_of_characters_come_in_as_the_replacement_character(sent, held):
    assert json.loads(whole_text(sent).decode()) == held


@pytest.mark.parametrize("sent", [b"", b"\xff\xfe", rb'["\ud800"', b'{"a": "\xc3\xa9"}', rb"[" * 100_000 + rb'"\ud800"'])
def test_what_holds_no_half_of_a_character_or_is_no_json_comes_in_as_it_was_sent(sent):
    assert whole_text(sent) == sent


def test_past_events_are_not_summed_up_at_each_new_one():
    import app

    queue = app.gr.Blocks()._queue
    queue.events_recorded = 1
    assert queue.compute_analytics_summary([{"function": "run", "status": "success", "process_time": 1.0}]) == {"functions": {}}


def test_visitors_at_once_wait_their_turns_and_see_their_own_answers_alone(address):
    seen = asyncio.run(visit(address, *MARKS[:3]))
    for name, values in zip(MARKS, seen, strict=False):
        last = values[-1]
        assert last["done"] and last["title"].startswith(name)
        assert not any(other in json.dumps(last["branches"]) for other in MARKS if other != name)
    assert sum("ahead of yours" in value.get("notice", "") for values in seen for value in values) >= 2


def test_over_a_limit_the_limit_is_said(address):
    seen = asyncio.run(visit(address, *MARKS))
    assert any("runs are waiting, and no more may" in values[-1].get("notice", "") for values in seen)
    (values,) = asyncio.run(visit(address, "Ada", prompt="why " * 200))
    assert values == [{"notice": "the prompt has 800 characters; at most 500 are taken here: shorten it"}]
    with pytest.raises(RuntimeError, match="greater than maximum value 128"):
        asyncio.run(visit(address, "Ada", gen_length=129))


def test_a_trace_is_fetched_by_its_name_and_by_nothing_else(address):
    async def fetch() -> None:
        async with httpx.AsyncClient(base_url=address, timeout=60) as client:
            visitor = await Visitor.arrive(client)
            *_, last = await collect(visitor, "Ada", {})
            answer = await visitor.ask("explorer-host", "fetch", {"trace": last["trace"], "from": 0})
            assert len(unpacked(answer["body"])["steps"]) == last["steps"] or answer["next"] < last["steps"]
            for name in ("", "../../etc/passwd", last["trace"][:-1], None, 7, {"$": 1}):
                assert set(await visitor.ask("explorer-host", "fetch", {"trace": name, "from": 0})) == {"error"}

    asyncio.run(fetch())


def test_who_leaves_in_the_middle_of_a_run_gives_the_place_free(address):
    async def leave() -> None:
        async with httpx.AsyncClient(base_url=address, timeout=60) as client:
            visitor = await Visitor.arrive(client)
            async with contextlib.aclosing(visitor.run(rule="original", gen_length=128, stop_at_end=False)) as values:
                async for value in values:
                    if value.get("steps", 0) > 3:
                        assert running(address) == 1
                        break

    asyncio.run(leave())
    for _ in range(100):
        if not running(address):
            break
        time.sleep(0.1)
    assert running(address) == 0
    assert httpx.get(f"{address}/healthz").json()["events"]["run stopped"] == 1


def running(address: str) -> int:
    return httpx.get(f"{address}/healthz").json()["runs"]["running"]


def test_a_server_that_is_asked_to_end_stops_its_runs_and_says_so():
    async def ended(url: str, process) -> list[dict]:
        async with httpx.AsyncClient(base_url=url, timeout=60) as client:
            values, visitor = [], await Visitor.arrive(client)
            try:
                async for value in visitor.run(rule="original", gen_length=256, prompt="Why?", stop_at_end=False):
                    values.append(value)
                    if len(values) == 5:
                        process.send_signal(signal.SIGTERM)
            except httpx.TransportError:
                pass  # it may be gone before its last word arrives
            return values

    with served() as server:
        values = asyncio.run(ended(server.url, server.process))
        server.process.wait(timeout=60)
        events = [json.loads(line) for line in server.output().splitlines() if line.startswith("{")]
    assert server.process.returncode == 0 and 5 <= len(values) < 200
    assert [one["event"] for one in events] == ["run stopped", "closed"] and events[1]["unfinished"] == 0


def test_a_limit_that_is_none_ends_the_start_in_one_line():
    with (
        pytest.raises(RuntimeError, match=r"DAWN_TRACES .* must be a whole number, not 'many'") as failure,
        served(DAWN_TRACES="many"),
    ):
        pass
    assert "Traceback" not in str(failure.value)
