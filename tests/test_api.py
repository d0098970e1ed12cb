"""The API of a served app: the README's example, what it exposes, and who may see what. Over HTTP, in a process of its own."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

import app
from tests.docs.blocks import DOCS, ROOT, block
from tests.visitor import served
from viz.endpoints import Endpoints

README = ROOT / "README.md"
PUBLIC = {"/run", "/rules", "/models", "/replay", "/explain", "/open_trace", "/save_trace"}
LONG = {"rule": "original", "generated": 64, "stop_at_end": False}


@pytest.fixture(scope="module")
def server():
    with served("--generation-length", "128", "--queue-length", "2", "--runs-per-visitor", "2") as one:
        yield one


def client(server) -> Client:
    return Client(server.url, verbose=False, analytics_enabled=False)


def running(server) -> dict:
    return httpx.get(f"{server.url}/healthz").json()["runs"]


def until(met, seconds: int = 60) -> bool:
    """Whether something comes to be within some time."""
    for _ in range(seconds * 20):
        if met():
            return True
        time.sleep(0.05)
    return False


def test_the_readmes_example_runs(server, capsys):
    code = block(README, "from gradio_client import Client").replace("http://127.0.0.1:7860", server.url)
    exec(code, found := {})
    assert found["run"]["settings"]["low"] == 0.6 and found["run"]["forwards"] >= 1
    assert len(found["looser"]["steps"]) == found["run"]["forwards"]
    assert str(found["run"]["forwards"]) in capsys.readouterr().out


def test_the_named_endpoints_are_all_that_is_exposed(server):
    info = httpx.get(f"{server.url}/gradio_api/info").json()
    assert set(info["named_endpoints"]) == PUBLIC and not info["unnamed_endpoints"]
    hidden = httpx.get(f"{server.url}/gradio_api/info", params={"all_endpoints": True}).json()
    assert set(hidden["named_endpoints"]) == PUBLIC
    for event in httpx.get(f"{server.url}/config").json()["dependencies"]:
        assert event["api_visibility"] == "private" or f"/{event['api_name']}" in PUBLIC


def test_every_endpoint_has_words_and_types(server):
    for name, told in httpx.get(f"{server.url}/gradio_api/info").json()["named_endpoints"].items():
        assert told["description"] and "Args" not in told["description"]
        assert all(one["python_type"]["type"] not in ("", "Any") for one in told["parameters"])
        assert [one["python_type"]["type"] for one in told["returns"]] in (["dict(str, Any)"], ["list[dict(str, Any)]"])
        words = getattr(Endpoints, name[1:]).__doc__
        assert all(f"{one['parameter_name']}: " in words for one in told["parameters"])


def test_the_document_tells_every_endpoint_argument_and_default(server):
    text = (DOCS / "api.md").read_text(encoding="utf-8")
    info = httpx.get(f"{server.url}/gradio_api/info").json()["named_endpoints"]
    for name, told in info.items():
        assert f"| `{name}` |" in text
        assert all(f"`{one['parameter_name']}`" in text.partition(f"**`{name}`**")[2] for one in told["parameters"])
    rows = {line.split("|")[1].strip(): line.split("|")[3].strip() for line in text.splitlines() if line.startswith("| `")}
    for one in info["/run"]["parameters"]:
        default = {None: "none", True: "yes", False: "no"}.get(one["parameter_default"], json.dumps(one["parameter_default"]))
        if isinstance(one["parameter_default"], (int, float)) and not isinstance(one["parameter_default"], bool):
            default = f"{one['parameter_default']:g}"
        expected = default if one["parameter_has_default"] else ""
        assert rows[f"`{one['parameter_name']}`"].strip("`") == expected, one["parameter_name"]


def test_what_is_refused_is_said_in_one_line(server):
    one = client(server)
    with pytest.raises(AppError, match="unknown rule 'nope'"):
        one.predict("What is 3 plus 4?", "nope", api_name="/run")
    with pytest.raises(AppError, match="whole numbers up to 128"):
        one.predict("What is 3 plus 4?", generated=129, api_name="/run")
    with pytest.raises(AppError, match="no longer on the server"):
        one.predict("nobody's", api_name="/replay")
    with pytest.raises(AppError, match="not base64"):
        one.predict("?", api_name="/open_trace")
    assert "Traceback" not in server.output()


def test_a_file_is_saved_and_opened(server):
    one = client(server)
    saved = one.predict("example", api_name="/save_trace")
    kept = one.predict(saved["file"], api_name="/open_trace")
    assert one.predict(kept["trace"], api_name="/save_trace")["file"] == saved["file"]
    explained = one.predict(kept["trace"], 0, api_name="/explain")
    assert explained["committed"] and explained["sinks"] is not None


def test_a_callers_traces_are_told_to_nobody_else(server):
    one, other = client(server), client(server)
    run = one.predict("Ada has 3 pears. How many?", generated=8, api_name="/run")
    seen = [other.predict(api_name=name) for name in ("/rules", "/models")]
    seen.append(httpx.get(f"{server.url}/healthz").text + httpx.get(f"{server.url}/config").text)
    assert run["trace"] not in json.dumps(seen) and "Ada" not in json.dumps(seen)
    with pytest.raises(AppError):
        other.predict(run["trace"][:-1], api_name="/save_trace")


def test_runs_wait_their_turn_within_the_limits(server):
    one = client(server)
    jobs = [one.submit("What is 3 plus 4?", api_name="/run", **LONG) for _ in range(3)]
    failed = [job.exception() for job in jobs]
    assert sum(failure is None for failure in failed) == 2
    (refused,) = [str(failure) for failure in failed if failure]
    assert "of your runs are under way or waiting" in refused
    said = [value.get("words", "") for job in jobs for value in job.outputs() if isinstance(value, dict)]
    assert any(words.startswith("Waiting: 1 run is ahead") for words in said)
    assert all(job.result()["notice"] == "" and job.result()["forwards"] == 64 for job in jobs if not job.exception())


def streamed(server, question: str) -> contextlib.AbstractContextManager:
    """A run asked for without a client of Gradio's, and the stream of what it says."""
    body = {"data": [question, "original", None, 128, 32, 0, 0, "", False, False, ""]}
    event = httpx.post(f"{server.url}/gradio_api/call/run", json=body).raise_for_status().json()["event_id"]
    return httpx.stream("GET", f"{server.url}/gradio_api/call/run/{event}", timeout=60)


def first_data(stream) -> Iterator[str]:
    """The lines of a stream from its first value on; the stream ends with them."""
    lines = stream.iter_lines()
    while not next(lines).startswith("data: ["):
        pass
    return lines


def test_who_closes_the_connection_gives_the_place_free_whether_running_or_waiting(server):
    with streamed(server, "What is 3 plus 4?") as first:
        going = first_data(first)
        with streamed(server, "What is 5 plus 6?") as second:
            waits = first_data(second)
            assert running(server) == {"running": 1, "waiting": 1}
            waits.close()
        assert until(lambda: running(server)["waiting"] == 0)
        going.close()
    assert until(lambda: running(server)["running"] == 0)
    assert "run stopped" in httpx.get(f"{server.url}/healthz").json()["events"]


def test_the_journal_has_the_runs_without_their_questions(server):
    client(server).predict("What is 12345 plus 4?", generated=8, api_name="/run")
    written = server.output()
    assert '"event": "run finished"' in written and "12345" not in written


def test_without_its_package_the_mcp_server_is_refused_in_one_line(monkeypatch, capsys):
    monkeypatch.setattr("viz.server.find_spec", lambda name: None)
    monkeypatch.setattr("sys.argv", ["app.py", "--mcp"])
    with pytest.raises(SystemExit) as ended:
        app.main()
    assert str(ended.value) == '--mcp needs a package that is not installed: pip install "gradio[mcp]"'


def test_the_mcp_switch_is_an_option_or_a_variable(monkeypatch):
    from viz.server import wants_mcp

    monkeypatch.setattr("viz.server.find_spec", lambda name: object())
    assert wants_mcp({}, ["--mcp"]) and wants_mcp({"DAWN_MCP": "1"}, []) and not wants_mcp({"DAWN_MCP": ""}, [])
    assert Path(DOCS / "api.md").read_text().count("DAWN_MCP=1")
