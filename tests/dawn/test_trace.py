"""Trace files: what is saved comes back bit by bit, and no damage passes or raises anything but TraceError."""

from __future__ import annotations

import io
import json
import os
import pickle
import struct
import subprocess
import sys
import time
import tracemalloc
import zipfile
import zlib
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dawn.trace
from dawn.canvas import Canvas
from dawn.decode import Options, decode
from dawn.errors import TraceError
from dawn.prediction import EVERYTHING, Needs
from dawn.replay import replay
from dawn.rules import Dawn, Entropy, EntropyBounded, Klass, Margin, Original, settings_of
from dawn.thresholds import Thresholds
from dawn.trace import OWN, UPLOADED, Limits, Setup, Trace, from_file, load, save, to_bytes
from tests.dawn.fakes import MASK, RandomDenoiser, canvases, rules


def record(canvas, rule, model_seed=0, watch=EVERYTHING, end_ids=(), **options) -> Trace:
    """A whole run as a trace."""
    steps = tuple(decode(RandomDenoiser(model_seed, end_ids=end_ids), rule, canvas, Options(**options), watch))
    setup = Setup("fake", rule.name, settings_of(rule), options.get("temperature", 0.0), options.get("seed", 0), end_ids)
    return Trace("How many? \U0001f34e", setup, steps, "Ten.", {3: " ten", 1: "<x>"}, None, (1,))


@cache
def small() -> Trace:
    th = Thresholds(high=0.7, induced=0.3, low=0.4, edge=0.07, sink=0.2)
    return record(Canvas.blank([5, 6, 7], 9, 4, MASK), Dawn(th), watch=EVERYTHING | Needs(kl=2))


@cache
def small_bytes() -> bytes:
    return to_bytes(small())


def read(data: bytes, limits: Limits = OWN) -> Trace:
    return from_file(io.BytesIO(data), limits)


def arrays() -> dict[str, np.ndarray]:
    with np.load(io.BytesIO(small_bytes())) as file:
        return {name: file[name] for name in file.files}


def packed(contents: dict[str, np.ndarray]) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **contents)
    return buffer.getvalue()


def with_array(**changes) -> bytes:
    return packed(arrays() | changes)


def with_meta(**changes) -> bytes:
    return with_array(meta=as_meta(json.loads(arrays()["meta"].tobytes()) | changes))


def as_meta(value) -> np.ndarray:
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return np.frombuffer(text, dtype=np.uint8)


def zipped(members: dict[str, bytes], compression=zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def npy(header: str, data: bytes = b"", version=(1, 0)) -> bytes:
    text = header.encode() + b"\n"
    return b"\x93NUMPY" + bytes(version) + struct.pack("<H", len(text)) + text + data


def with_member(name: str, data: bytes) -> bytes:
    """The small trace's members with one replaced by raw bytes."""
    with zipfile.ZipFile(io.BytesIO(small_bytes())) as archive:
        members = {member: archive.read(member) for member in archive.namelist()}
    return zipped(members | {name: data})


def refused(data: bytes, message: str | None = None, limits: Limits = OWN) -> None:
    with pytest.raises(TraceError, match=message) as caught:
        read(data, limits)
    assert type(caught.value) is TraceError and 10 < len(str(caught.value)) < 500


# What is saved comes back


@settings(max_examples=40)
@given(canvases(), rules(), st.integers(0, 999), st.sampled_from([Needs(), Needs(attention=True), EVERYTHING]), st.booleans())
def test_save_load_save_gives_the_same_bytes(canvas, rule, seed, watch, stops):
    trace = record(canvas, rule, seed, watch, (8,) if stops else (), temperature=1.0, seed=seed)
    data = to_bytes(trace)
    back = read(data)
    assert to_bytes(back) == data
    assert back.setup == trace.setup
    assert (back.prompt, back.output, back.pieces, back.special) == (trace.prompt, trace.output, trace.pieces, trace.special)
    for one, other in zip(trace.steps, back.steps, strict=True):
        assert one.decision.selection == other.decision.selection
        assert (one.moment, one.seconds, one.end_id) == (other.moment, other.seconds, other.end_id)
        assert np.array_equal(one.after.tokens, other.after.tokens)
        assert np.array_equal(one.after.committed_confidence, other.after.committed_confidence)
        assert replay(other, back.setup.make_rule()).added == replay(other, back.setup.make_rule()).dropped == ()
    assert (back.forwards, back.tokens_committed, back.seconds) == (trace.forwards, trace.tokens_committed, trace.seconds)


def test_a_fork_remembers_its_parent_and_a_stopped_run_is_a_trace():
    stopped = replace(small(), parent=("first", 2), steps=small().steps[:2])
    back = read(to_bytes(stopped))
    assert back.parent == ("first", 2) and back.forwards == 2 and not back.final.is_complete


def test_a_fork_remembers_its_edits_in_the_newer_schema_alone():
    trace = small()
    assert json.loads(arrays()["meta"].tobytes())["schema"] == 2 and read(small_bytes()).edits == ()
    edits = ((2, int(trace.canvas.tokens[2])), (5, None))
    data = to_bytes(replace(trace, parent=("first", 2), edits=edits))
    assert read(data).edits == edits and to_bytes(read(data)) == data


def test_settings_left_out_or_whole_numbers_are_saved_as_the_rule_has_them():
    trace = replace(small(), setup=replace(small().setup, settings={"high": 0.9, "sink": 1}))
    meta = dawn.trace.meta_of(trace)
    assert meta["settings"] == settings_of(Dawn(Thresholds(sink=1.0))) and type(meta["settings"]["sink"]) is float


def test_the_largest_seed_comes_back():
    assert read(to_bytes(record(small().canvas, Original(), seed=2**32 - 1))).setup.seed == 2**32 - 1


def test_the_time_of_day_is_not_in_the_file(monkeypatch):
    monkeypatch.setattr("time.time", lambda: 2e9)
    assert to_bytes(small()) == small_bytes()


def test_a_trace_without_steps_is_refused():
    with pytest.raises(TraceError, match="at least one step"):
        replace(small(), steps=())


def test_what_could_not_be_read_again_is_not_written():
    step = small().steps[0]
    wide = replace(step.prediction, confidence=step.prediction.confidence.astype(np.float64))
    with pytest.raises(TraceError, match="'confidence' is float64; a trace keeps float32"):
        to_bytes(replace(small(), steps=(replace(step, prediction=wide),)))


def test_columns_first_in_memory_are_rows_first_in_the_file():
    step = small().steps[0]
    attention = replace(step.prediction.attention, weights=np.asfortranarray(step.prediction.attention.weights))
    other = replace(step, prediction=replace(step.prediction, attention=attention))
    assert to_bytes(replace(small(), steps=(other,))) == to_bytes(replace(small(), steps=(step,)))


# Files


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "a.npz"
    path.write_bytes(b"old")

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        save(small(), path)
    assert path.read_bytes() == b"old" and os.listdir(tmp_path) == ["a.npz"]
    monkeypatch.undo()
    save(small(), str(path))
    assert path.read_bytes() == small_bytes() and os.listdir(tmp_path) == ["a.npz"]
    assert to_bytes(load(path)) == small_bytes()


@pytest.mark.parametrize("name", ["missing.npz", "", "a\0b", "x" * 5000])
def test_a_file_that_cannot_be_opened_is_a_trace_error(tmp_path, name):
    with pytest.raises(TraceError, match="cannot read"):
        load(f"{tmp_path}/{name}")


# Damage to the bytes


@pytest.mark.parametrize("data", [b"", b"PK", b"hello", b"\x80\x04N.", b"\x93NUMPY\x01\x00", zipped({}), zipped({"a": b""})])
def test_what_is_no_trace_file_is_refused(data):
    refused(data)


@settings(max_examples=150)
@given(st.integers(0, 10**9))
def test_a_file_cut_short_is_refused(where):
    refused(small_bytes()[: where % len(small_bytes())])


@settings(max_examples=300)
@given(st.lists(st.tuples(st.integers(0, 10**9), st.integers(1, 255)), min_size=1, max_size=4))
def test_flipped_bytes_are_refused_or_harmless(flips):
    data = bytearray(small_bytes())
    for where, bits in flips:
        data[where % len(data)] ^= bits
    try:
        back = read(bytes(data))
    except TraceError as error:
        assert 10 < len(str(error)) < 500
    else:  # a date or an attribute of the archive
        assert to_bytes(back) == small_bytes()


@settings(max_examples=100)
@given(st.sampled_from(sorted(dawn.trace.DTYPES)), st.integers(0, 10**9), st.integers(1, 255))
def test_flipped_bytes_under_a_valid_checksum_raise_nothing_else(name, where, bits):
    with zipfile.ZipFile(io.BytesIO(small_bytes())) as archive:
        data = bytearray(archive.read(f"{name}.npy"))
    data[where % len(data)] ^= bits
    try:
        back = read(with_member(f"{name}.npy", bytes(data)))
    except TraceError as error:
        assert 10 < len(str(error)) < 500
    else:  # another valid run: it must be one through and through
        again = to_bytes(back)
        assert to_bytes(read(again)) == again


# Damage to the arrays


@pytest.mark.parametrize("name", sorted(set(dawn.trace.DTYPES) - {"entropy", "margin", "kl"}))
def test_a_missing_array_is_named(name):
    contents = arrays()
    del contents[name]
    partners = {"received": "attention", "attention": "received", "choices": "probabilities", "probabilities": "choices"}
    refused(packed(contents), f"'{name}'" if name not in partners else "come together or not at all")


def test_attention_missing_altogether_is_found_at_the_step_that_reads_it():
    contents = arrays()
    del contents["attention"], contents["received"]
    refused(packed(contents), "step 0: the rule dawn cannot decide")


def test_an_array_that_does_not_belong_is_named():
    refused(with_array(evil=np.zeros(3)), "array 'evil' is not part of a trace")
    refused(with_member("../../evil.npy", b""), "array '../../evil' is not part of a trace")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_duplicate_array_is_refused():
    buffer = io.BytesIO(small_bytes())
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr("tokens.npy", archive.read("tokens.npy"))
    refused(buffer.getvalue(), "an array occurs twice")
    refused(with_member("tokens", b""), "an array occurs twice")


@pytest.mark.parametrize("name", sorted(dawn.trace.DTYPES))
@pytest.mark.parametrize("dtype", ["float16", "int64", "bool", "<U3", ">f4", "datetime64[s]"])
def test_a_wrong_dtype_is_named(name, dtype):
    original = arrays()[name]
    refused(with_array(**{name: np.zeros(original.shape, dtype=dtype)}), f"array '{name}' is .*expected")


@pytest.mark.parametrize("name", sorted(dawn.trace.DTYPES))
def test_wrong_dimensions_are_named(name):
    original = arrays()[name]
    refused(with_array(**{name: original[None]}), f"array '{name}' is .*dimensions")
    refused(with_array(**{name: original.ravel()[0]}), f"array '{name}' is .*dimensions")
    if original.ndim == 2:
        refused(with_array(**{name: np.asfortranarray(original)}), f"array '{name}'.*by rows")
        refused(with_array(**{name: np.ascontiguousarray(original[:, :-1])}), name)


@pytest.mark.parametrize("name", sorted(set(dawn.trace.DTYPES) - {"meta"}))
@pytest.mark.parametrize("rows", [0, -1, 1])
def test_too_few_or_too_many_rows_are_refused(name, rows):
    original = arrays()[name]
    changed = np.concatenate([original, original[-1:]]) if rows == 1 else original[:rows]
    refused(with_array(**{name: changed}))


@pytest.mark.parametrize("name", ["confidence", "received", "attention", "probabilities", "seconds", "entropy", "margin", "kl"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, -0.25, 1.5])
def test_numbers_out_of_range_are_refused_by_name(name, value):
    changed = arrays()[name].copy()
    changed[0, -1] = value
    unbounded = name in ("seconds", "entropy", "kl") and value == 1.5
    harmless = unbounded or (name in ("confidence", "entropy", "margin", "kl") and np.isnan(value))  # after the window
    if harmless:
        read(with_array(**{name: changed}))
    else:
        refused(with_array(**{name: changed}), f"array '{name}'")


def test_a_position_that_the_rule_reads_needs_a_confidence():
    for position in (1, 4):  # an anchor, a candidate
        changed = arrays()["confidence"].copy()
        changed[0, position] = np.nan
        refused(with_array(confidence=changed), f"step 0: position {position} has no confidence")


@pytest.mark.parametrize(
    ("rule", "name"), [(Entropy(), "entropy"), (EntropyBounded(), "entropy"), (Margin(), "margin"), (Klass(), "kl")]
)
def test_entropy_and_margin_must_be_there_for_a_rule_that_reads_them(rule, name):
    data = to_bytes(record(small().canvas, rule, watch=Needs()))
    with np.load(io.BytesIO(data)) as file:
        contents = {member: file[member] for member in file.files}
    words = f"step 0: array '{name}' lacks a candidate's number, which the rule {rule.name} reads"
    refused(packed({member: array for member, array in contents.items() if member != name}), words)
    changed = contents[name].copy()
    changed[0, ..., 4] = np.nan
    refused(packed(contents | {name: changed}), words)


@pytest.mark.parametrize("swallowed", [1, 113, 2**15])
def test_an_optional_array_cannot_vanish_in_a_damaged_table_of_contents(swallowed):
    data = bytearray(small_bytes())
    entry = data.rindex(b"PK\x01\x02", 0, data.rindex(b"PK\x01\x02"))  # the last but one
    data[entry + 32 : entry + 34] = struct.pack("<H", swallowed)
    refused(bytes(data))


def test_files_without_entropy_and_margin_stay_valid():
    contents = {name: array for name, array in arrays().items() if name not in ("entropy", "margin", "kl")}
    back = read(packed(contents))
    assert back.steps[0].prediction.entropy is None and back.steps[0].prediction.margin is None
    assert [step.decision.selection for step in back.steps] == [step.decision.selection for step in small().steps]


def test_attention_rows_above_1_are_refused():
    changed = arrays()["attention"].copy()
    changed[3] = 0.5
    refused(with_array(attention=changed), "row of array 'attention' sums to more than 1")


@pytest.mark.parametrize("name", ["tokens", "predicted", "choices"])
def test_negative_token_ids_are_refused(name):
    changed = arrays()[name].copy()
    changed.flat[0] = -1
    refused(with_array(**{name: changed}), f"array '{name}' holds a negative token id")


def test_a_predicted_mask_token_is_refused():
    refused(with_array(predicted=np.full_like(arrays()["predicted"], MASK)), "step 0: .*mask token")


def test_contradicting_commits_are_refused_with_step_and_position():
    for step, position, code in ((0, 3, None), (1, 11, 1), (0, 0, 255), (0, 4, 77)):
        changed = arrays()["committed"].copy()
        changed[step, position] = code if code is not None else (changed[step, position] + 1) % 3
        refused(with_array(committed=changed), f"step {step}: .*committed at {position}")


def test_a_step_after_the_end_is_refused():
    contents = arrays()
    for name in ("predicted", "confidence", "committed", "seconds", "received", "entropy", "margin", "kl"):
        contents[name] = np.concatenate([contents[name], contents[name][-1:]])
    refused(packed(contents), "nothing is masked any more")


def test_a_canvas_without_masks_is_refused():
    refused(with_array(tokens=np.full_like(arrays()["tokens"], 3)), "step 0: nothing is masked any more")


# Hostile files


class Bomb:
    def __reduce__(self):
        return os._exit, (66,)


@pytest.mark.parametrize("name", ["tokens", "meta", "attention"])
def test_pickles_are_never_unpacked(name):
    refused(with_array(**{name: np.array([Bomb()], dtype=object)}), f"array '{name}' is object")
    refused(with_member(f"{name}.npy", pickle.dumps(Bomb())))
    header = npy("{'descr': [('a', '|O')], 'fortran_order': False, 'shape': (1,)}", pickle.dumps(Bomb()))
    refused(with_member(f"{name}.npy", header), f"array '{name}'")


@pytest.mark.parametrize(
    "shape",
    ["(1000000000000,)", "(-1,)", "(-12,)", "(True,)", "(1e3,)", "'x'", "((1,),)", "(10**9,)", f"({10**200},)"],
)
def test_a_header_that_claims_another_shape_is_refused(shape):
    data = np.zeros(12, dtype="<i4").tobytes()
    refused(with_member("tokens.npy", npy(f"{{'descr': '<i4', 'fortran_order': False, 'shape': {shape}}}", data)))


@pytest.mark.parametrize(
    "header",
    [
        "",
        "{",
        "{}",
        "[" * 5000,
        "\0" * 9000,
        "__import__('os')._exit(66)",
        "{'descr': '<i4', 'fortran_order': 0, 'shape': (12,)}",
        "{'descr': 'nonsense', 'fortran_order': False, 'shape': (12,)}",
        "{'descr': '<i4', 'x': 1, 'shape': (1,)}",
    ],
)
def test_a_broken_header_is_refused(header):
    refused(with_member("tokens.npy", npy(header)))


@pytest.mark.parametrize("version", [(2, 0), (3, 0), (9, 9)])
def test_other_versions_of_the_array_format_are_refused(version):
    refused(
        with_member("tokens.npy", npy("{'descr': '<i4', 'fortran_order': False, 'shape': (0,)}", version=version)), "tokens"
    )


def test_an_array_with_something_behind_it_is_refused():
    with zipfile.ZipFile(io.BytesIO(small_bytes())) as archive:
        data = archive.read("tokens.npy")
    refused(with_member("tokens.npy", data + b"\0"), "array 'tokens' of shape")
    refused(with_member("tokens.npy", data[:-1]), "array 'tokens' of shape")


def test_a_bomb_by_declared_size_is_refused_before_it_unpacks():
    squeezed = zlib.compress(bytes(2**20))[2:-4]
    data = bytearray(zipped({"tokens.npy": b""}, zipfile.ZIP_STORED))
    header, directory = data[:40], data[40:]
    for part, at in ((header, 18), (directory, 20)):
        struct.pack_into("<II", part, at, len(squeezed), 600 * 2**20)
    struct.pack_into("<H", header, 8, 8)
    struct.pack_into("<H", directory, 10, 8)
    end = directory.index(b"PK\x05\x06")
    struct.pack_into("<I", directory, end + 16, 40 + len(squeezed))
    bomb = bytes(header) + squeezed + bytes(directory)
    tracemalloc.start()
    refused(bomb, "unpacks to 600 MB; at most 512 MB")
    assert tracemalloc.get_traced_memory()[1] < 2**20
    tracemalloc.stop()


def test_an_understated_size_is_refused():
    data = bytearray(small_bytes())
    entry = data.index(b"PK\x01\x02")
    size = struct.unpack_from("<I", data, entry + 24)[0]
    struct.pack_into("<I", data, entry + 24, size - 64)
    refused(bytes(data))


def hostile(length: int, steps: int, **changes) -> bytes:
    """A file of zeros that packs to almost nothing: `steps` steps of one token over `length` masks, in one block."""
    committed = np.zeros((steps, length), dtype=np.uint8)
    committed[np.arange(steps), np.arange(steps)] = 5
    meta = json.loads(arrays()["meta"].tobytes()) | {
        "prompt_length": 0,
        "block_length": length,
        "rule": "original",
        "settings": {},
        "committed_confidence": [0] * length,
    }
    contents = {
        "tokens": np.zeros(length, dtype=np.int32),
        "predicted": np.ones((steps, length), dtype=np.int32),
        "confidence": np.zeros((steps, length), dtype=np.float32),
        "committed": committed,
        "seconds": np.zeros((steps, 3)),
        "meta": as_meta(meta | changes),
    }
    return packed(contents)


def test_memory_stays_bounded_by_the_decisions_asked_for():
    assert read(hostile(60, 60)).forwards == 60
    data = hostile(1000, 500)
    tracemalloc.start()
    refused(data, "above 20000 decisions", Limits(decisions=20_000))
    assert tracemalloc.get_traced_memory()[1] < 20 * 2**20
    tracemalloc.stop()


def test_memory_stays_bounded_by_the_edges_asked_for():
    refused(small_bytes(), "10 edges", Limits(edges=10))


def test_too_many_positions_are_refused():
    refused(hostile(OWN.positions + 1, 1), "1 to 4096 positions")
    refused(hostile(UPLOADED.positions + 1, 1), "1 to 2048 positions", UPLOADED)


def edges_everywhere(length: int) -> bytes:
    """One step of DAWN whose every position attends to every other above the edge threshold, all of them induced."""
    even = np.full((length, length), 1 / length, dtype=np.float32)
    contents = {
        "tokens": np.zeros(length, dtype=np.int32),
        "predicted": np.ones((1, length), dtype=np.int32),
        "confidence": np.ones((1, length), dtype=np.float32),
        "committed": np.ones((1, length), dtype=np.uint8),
        "seconds": np.zeros((1, 3)),
        "received": np.full((1, length), 1 / length, dtype=np.float32),
        "attention": even,
    }
    few = {"prompt_length": 0, "block_length": length, "rule": "dawn", "committed_confidence": [0] * length}
    own = {"settings": {"edge": 1e-5, "sink": 1.0}}
    return packed(contents | {"meta": as_meta(json.loads(arrays()["meta"].tobytes()) | few | own)})


def zeros_in_every_array(length: int, steps: int) -> bytes:
    """As many bytes as 128 MB hold, in arrays that are well formed."""
    with np.load(io.BytesIO(hostile(length, steps))) as file:
        contents = {name: file[name] for name in file.files}
    spreads = {name: np.zeros((steps, length), dtype=np.float32) for name in ("entropy", "margin")}
    return packed(contents | spreads)


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: packed({"attention": np.zeros((6000, 6000), np.float32)} | arrays_but("attention")), "unpacks to 137 MB"),
        (lambda: edges_everywhere(2048), "above 1048576 edges"),
        (lambda: zeros_in_every_array(2048, 2048), "above 524288 decisions"),
    ],
    ids=["size", "edges", "decisions"],
)
def test_an_upload_that_asks_for_too_much_is_refused_within_its_memory(tmp_path, make, message):
    """In a process that may take 640 MB beyond what it has after its imports."""
    bomb = tmp_path / "bomb.npz"
    bomb.write_bytes(make())
    assert bomb.stat().st_size < 2**20
    done = subprocess.run([sys.executable, "-c", CONFINED, bomb], capture_output=True, text=True, cwd=ROOT, env=ONE_THREAD)
    assert done.returncode == 0 and message in done.stdout, done.stdout + done.stderr


def arrays_but(name: str) -> dict[str, np.ndarray]:
    return {key: array for key, array in arrays().items() if key != name}


ROOT = Path(__file__).resolve().parents[2]
ONE_THREAD = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
CONFINED = """
import resource, sys
from dawn.errors import TraceError
from dawn.trace import UPLOADED, load
taken = 4096 * int(open("/proc/self/statm").read().split()[0])
resource.setrlimit(resource.RLIMIT_AS, (taken + 640 * 2**20,) * 2)
try:
    load(sys.argv[1], UPLOADED)
except TraceError as error:
    print(error)
"""


# Metadata

WRONG = [None, True, -1, 1.5, "x" * 300_000, [], {}, [None], {"a": 1}, 10**400, float("nan"), float("inf")]


@pytest.mark.parametrize("name", sorted(dawn.trace.META_CHECKS))
def test_metadata_of_a_wrong_type_is_named(name):
    valid = {
        "parent": [None],
        "temperature": [1.5],
        "suppress_end": [True],
        "settings": [{}],
        "end_ids": [[]],
        "special": [[]],
        "pieces": [{}],
        "edits": [[]],
    }
    latest = {"schema": 3, "edits": []}
    for value in WRONG:
        if value not in valid.get(name, []):
            refused(with_meta(**latest | {name: value}))
    meta = json.loads(arrays()["meta"].tobytes()) | latest
    del meta[name]
    refused(with_array(meta=as_meta(meta)), f"metadata '{name}' is missing")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"schema": 1}, "schema version 1: this program reads versions 2 and 3"),
        ({"schema": 4}, "schema version 4"),
        ({"schema": 3}, "'edits' is missing"),
        ({"schema": 3, "edits": [[3]]}, "'edits' is malformed"),
        ({"schema": 3, "edits": [[-1, 5]]}, "'edits' is malformed"),
        ({"schema": 3, "edits": [[1, 5]]}, "position 1 which the first canvas does not hold"),
        ({"schema": 3, "edits": [[1, None]]}, "position 1 which the first canvas does not hold"),
        ({"schema": 3, "edits": [[900, 5]]}, "position 900 which the first canvas does not hold"),
        ({"schema": None}, "schema version None"),
        ({"rule": "nonesuch"}, "unknown rule 'nonesuch'"),
        ({"settings": {"high": 2}}, "high must be a number from 0 to 1"),
        ({"settings": {"high": 10**400}}, "high must be a number from 0 to 1"),
        ({"settings": {"evil": 2}}, "no setting evil"),
        ({"settings": {"variant": ["paper"]}}, "variant must be one of"),
        ({"prompt_length": 13}, "does not fit into 12"),
        ({"prompt_length": 2**31}, "'prompt_length' is malformed"),
        ({"block_length": 0}, "block length must be at least 1"),
        ({"committed_confidence": [1.0]}, "has 1 entries; expected 12"),
        ({"committed_confidence": [2.0] * 12}, "'committed_confidence' is malformed"),
        ({"temperature": 11}, "'temperature' is malformed"),
        ({"pieces": {"x": "y"}}, "'pieces' is malformed"),
        ({"pieces": {"1": 2}}, "'pieces' is malformed"),
        ({"parent": ["a", -1]}, "'parent' is malformed"),
        ({"end_ids": ["a"]}, "'end_ids' is malformed"),
        ({"prompt": "\ud800"}, "not JSON of whole characters"),
        ({"pieces": {"1": "\udfff"}}, "not JSON of whole characters"),
    ],
)
def test_wrong_metadata_is_refused_with_its_name(changes, message):
    refused(with_meta(**changes), message)


@pytest.mark.parametrize("raw", [b"", b"{", b"[1]", b"3", b"\xff\xfe", b"[" * 100_000, b'{"schema": ' + b"9" * 5000 + b"}"])
def test_metadata_that_is_no_object_is_refused(raw):
    refused(with_array(meta=as_meta(raw)))


def test_metadata_above_its_limit_is_refused():
    refused(with_array(meta=np.full(dawn.trace.LONGEST_META + 1, 32, dtype=np.uint8)), "metadata is longer")


SAVE_FOR_EVER = """
import sys
from dawn.trace import load, save
one, other, target = load(sys.argv[1]), load(sys.argv[2]), sys.argv[3]
print("ready", flush=True)
while True:
    save(one, target)
    save(other, target)
"""


def test_a_kill_during_a_save_leaves_a_whole_file(tmp_path):
    """Eight times at another moment of the saves: the file is one of the two."""
    whole, target = [small_bytes(), to_bytes(replace(small(), prompt="another"))], tmp_path / "target.npz"
    for name, data in zip("ab", whole, strict=True):
        (tmp_path / name).write_bytes(data)
    command = [sys.executable, "-c", SAVE_FOR_EVER, tmp_path / "a", tmp_path / "b", target]
    for attempt in range(8):
        target.write_bytes(whole[0])
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            process.stdout.readline()
            time.sleep(0.003 * attempt)
            process.kill()
        assert target.read_bytes() in whole
