"""Whose turn it is."""

from __future__ import annotations

import asyncio
import os
import sys
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dawn.errors import LimitError
from viz.limits import Limits
from viz.line import CLOSING, NICENESS, Line, in_turn, threaded


def test_one_runs_and_the_others_wait_in_order():
    line = Line(Limits(runs_at_once=1))
    first, second, third = (line.join(who) for who in "abc")
    assert [line.ahead(one) for one in (first, second, third)] == [0, 1, 2]
    line.leave(first)
    assert [line.ahead(one) for one in (second, third)] == [0, 1]


def test_a_second_run_stands_behind_everybodys_first():
    line = Line(Limits(runs_per_visitor=3))
    running, second, third = (line.join("greedy") for _ in range(3))
    other = line.join("other")
    assert [line.ahead(one) for one in (running, other, second, third)] == [0, 1, 2, 3]


def test_who_has_too_many_and_who_finds_the_line_full_is_told_the_limit():
    line = Line(Limits(runs_per_visitor=1, queue_length=1))
    line.join("a")
    with pytest.raises(LimitError, match="1 of your runs"):
        line.join("a")
    line.join("b")
    with pytest.raises(LimitError, match="1 runs are waiting"):
        line.join("c")


def test_a_visitor_who_goes_leaves_the_line_at_once():
    line = Line()
    running, waiting, last = line.join("a"), line.join("b"), line.join("c")
    line.drop("b")
    assert waiting.gone and line.ahead(last) == 1 and not running.gone


def test_the_expected_time_is_that_of_the_last_runs():
    now = [0.0]
    line = Line(clock=lambda: now[0])
    first, second, third = (line.join(who) for who in "abc")
    assert line.words(second) == "Waiting: 1 run is ahead of yours."
    now[0] = 8.0
    line.leave(first)
    assert line.words(second) == "" and line.words(third) == "Waiting: 1 run is ahead of yours, about 8 s."


def test_a_closed_line_takes_nobody_and_sends_those_who_wait_away():
    line = Line()
    running, waiting = line.join("a"), line.join("b")
    line.close()
    assert waiting.gone and not running.gone
    with pytest.raises(LimitError, match=CLOSING):
        line.join("c")


@given(st.lists(st.tuples(st.sampled_from(["join", "leave", "drop"]), st.integers(0, 5)), max_size=60), st.integers(1, 3))
def test_whatever_happens_places_are_neither_lost_nor_given_twice(moves, at_once):
    line, tickets = Line(Limits(runs_at_once=at_once, runs_per_visitor=2, queue_length=6)), []
    for move, number in moves:
        if move == "join":
            try:
                tickets.append(line.join(f"visitor {number}"))
            except LimitError:
                continue
        elif move == "leave" and tickets:
            line.leave(tickets[number % len(tickets)])
        elif move == "drop":
            line.drop(f"visitor {number}")
        there = [one for one in tickets if not one.gone]
        assert sorted(map(id, line.running + line.waiting)) == sorted(map(id, there))
        assert len(line.running) == min(at_once, len(there))
        assert sorted(map(line.ahead, line.waiting)) == list(range(len(line.running), len(there)))


def collect(line: Line, visitor: str, values, seen: list) -> asyncio.Task:
    async def run():
        async for value in in_turn(line, visitor, values, lambda words: words):
            seen.append(value)

    return asyncio.ensure_future(run())


def test_values_come_one_visitor_after_another_and_waiting_is_said():
    async def both():
        line, going, seen = Line(), threading.Event(), {"a": [], "b": []}

        def slow():
            yield "begun"
            going.wait(10)
            yield "done"

        tasks = [collect(line, who, slow, seen[who]) for who in "ab"]
        while seen["b"] != ["Waiting: 1 run is ahead of yours."]:
            await asyncio.sleep(0.01)
        going.set()
        await asyncio.wait_for(asyncio.gather(*tasks), 10)
        return seen, line

    seen, line = asyncio.run(both())
    assert seen["a"] == ["begun", "done"] and seen["b"][-2:] == ["begun", "done"] and not line.running


def test_a_run_that_is_given_up_or_fails_gives_its_place_free():
    async def broken():
        line, closed = Line(), []

        def endless():
            try:
                while True:
                    yield "again"
            finally:
                closed.append(True)

        async for _ in (run := in_turn(line, "a", endless, str)):
            break
        await run.aclose()

        def failing():
            yield "begun"
            raise RuntimeError("broken")

        with pytest.raises(RuntimeError):
            await collect(line, "b", failing, [])
        return line, closed

    line, closed = asyncio.run(broken())
    assert closed == [True] and not line.running and not line.waiting


def test_who_is_refused_or_stopped_while_waiting_is_told():
    async def refused():
        line, seen = Line(Limits(runs_per_visitor=1)), []
        line.join("a")
        await collect(line, "a", lambda: iter(()), seen)
        task = collect(line, "b", lambda: iter(()), seen)
        while len(seen) < 2:
            await asyncio.sleep(0.01)
        line.drop("b")
        await task
        return seen

    seen = asyncio.run(refused())
    assert seen[0].startswith("1 of your runs") and seen[-1].startswith("Stopped while waiting")


def test_models_work_in_threads_of_their_own_that_give_way():
    def niceness() -> int:
        return os.getpriority(os.PRIO_PROCESS, 0)

    def worker() -> tuple[int, bool, int]:
        return threading.get_native_id(), threading.current_thread().daemon, niceness()

    async def two_runs():
        line, seen = Line(Limits(runs_at_once=1)), []
        for who in "ab":
            await collect(line, who, lambda: (worker() for _ in range(1)), seen)
        looking = [value async for value in threaded(niceness() for _ in range(1))]
        return seen, looking

    before = niceness()
    (first, second), looking = asyncio.run(two_runs())
    assert first == second and first[0] != threading.get_native_id()
    assert first[1], "nobody waits at the process's end for a thread of a model"
    assert looking == [before] == [niceness()]
    if sys.platform == "linux":
        assert first[2] == min(19, before + NICENESS)
