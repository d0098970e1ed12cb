"""A recorded run, and its file: one .npz without pickles, whose every array is checked before it is believed.

The file keeps what a decision read, as it was compared: tokens, confidence, attention rows, received attention. Graphs,
tiers, evidence and refusals follow from those numbers and are recomputed on loading; the file's own list of what was
committed must agree with them. Saving the same trace gives the same bytes.

Schema 3 is schema 2 with `edits` in its metadata; a trace without edits is written as schema 2. T steps over L positions;
window [W_t] and rows [R_t] of a step follow from its canvas:
    meta           uint8   [n]        JSON: see Trace
    tokens         int32   [L]        the canvas before the first step
    predicted      int32   [T, L]
    confidence     float32 [T, L]     NaN where the rule did not ask
    committed      uint8   [T, L]     0 no, 1 + index of the tier, 255 filled with end-of-text
    seconds        float64 [T, 3]
    received       float32 [T, L]     only in a trace with attention
    attention      float32 [ΣR, L]    only in a trace with attention
    choices        int32   [ΣW, k]    only in a trace with alternatives
    probabilities  float32 [ΣW, k]    only in a trace with alternatives
    entropy        float32 [T, L]     only if recorded; NaN where nobody asked; at least 0
    margin         float32 [T, L]     only if recorded; NaN where nobody asked; in [0, 1]
    kl             float32 [T, h, L]  only if recorded; NaN where unknown; at least 0
"""

from __future__ import annotations

import io
import json
import math
import zipfile
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from dawn.canvas import Canvas, frozen
from dawn.decode import HOTTEST, LARGEST_SEED, StepRecord, ended, first_moment, next_moment
from dawn.errors import DawnError, TraceError
from dawn.files import write_whole
from dawn.notebook import trace_html
from dawn.prediction import Attention, Prediction, attention_rows
from dawn.rules import Dawn, Rule, make_rule, settings_of
from dawn.selection import Tier

SCHEMAS = (2, 3)  # without edits, with edits
LONGEST_META = 4 * 2**20
FILLED = 255
TIERS = tuple(Tier)

DTYPES = {
    "meta": ("uint8", 1),
    "tokens": ("int32", 1),
    "predicted": ("int32", 2),
    "confidence": ("float32", 2),
    "committed": ("uint8", 2),
    "seconds": ("float64", 2),
    "received": ("float32", 2),
    "attention": ("float32", 2),
    "choices": ("int32", 2),
    "probabilities": ("float32", 2),
    "entropy": ("float32", 2),
    "margin": ("float32", 2),
    "kl": ("float32", 3),
}
OPTIONAL = ("entropy", "margin", "kl")
SPARSE = ("confidence", *OPTIONAL)  # NaN where nobody asked
REQUIRED = ("meta", "tokens", "predicted", "confidence", "committed", "seconds")


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a file may ask for, since zeros pack well: unpacked bytes, positions, and decisions and edges over all steps."""

    unpacked: int = 512 * 2**20
    positions: int = 4096
    decisions: int = 2**21  # 1024 positions in one block, one a step, are a quarter of it
    edges: int = 2**24


OWN = Limits()
UPLOADED = Limits(128 * 2**20, 2048, 2**19, 2**20)  # of a file that a stranger sends


@dataclass(frozen=True, slots=True)
class Setup:
    """How a run was made: model name, rule name and settings, temperature, seed, end-of-text ids (empty: no early stop), and
    whether end-of-text was suppressed: then the recorded certainty of such positions is none."""

    model: str
    rule: str
    settings: dict
    temperature: float = 0.0
    seed: int = 0
    end_ids: tuple[int, ...] = ()
    suppress_end: bool = False

    def make_rule(self) -> Rule:
        return make_rule(self.rule, self.settings)


@dataclass(frozen=True, slots=True)
class Trace:
    """A run: prompt and output as text, setup, steps, and where it was forked from (name, step) if it was. edits: what was
    changed on the canvas before the first step, as (position, token), None for a token that was masked again.

    pieces: text of every token id that occurs; special: the ids among them that are no text. A trace has at least one step.
    """

    prompt: str
    setup: Setup
    steps: tuple[StepRecord, ...]
    output: str = ""
    pieces: dict[int, str] = field(default_factory=dict)
    parent: tuple[str, int] | None = None
    special: tuple[int, ...] = ()
    edits: tuple[tuple[int, int | None], ...] = ()

    def __post_init__(self):
        if not self.steps:
            raise TraceError("a trace needs at least one step")

    @property
    def canvas(self) -> Canvas:
        """The canvas before the first step."""
        return self.steps[0].canvas

    @property
    def final(self) -> Canvas:
        """The canvas after the last step."""
        return self.steps[-1].after

    @property
    def forwards(self) -> int:
        return len(self.steps)

    @property
    def tokens_committed(self) -> int:
        """Tokens that the rule committed; those filled after the end are not counted."""
        return sum(len(step.decision.selection.committed) for step in self.steps)

    @property
    def forwards_saved(self) -> tuple[int, int]:
        """Bounds of the forward passes that were saved by stopping at the end of the text."""
        return self.steps[-1].forwards_saved

    @property
    def seconds(self) -> float:
        return sum(sum(step.seconds) for step in self.steps)

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        return trace_html(self)


def save(trace: Trace, path: str | Path) -> None:
    """Write the trace, whole or not at all."""
    write_whole(path, to_bytes(trace))


def to_bytes(trace: Trace) -> bytes:
    """The file's bytes; equal traces give equal bytes."""
    arrays = {name: np.ascontiguousarray(array) for name, array in arrays_of(trace).items()}
    for name, array in arrays.items():
        if array.dtype != np.dtype(DTYPES[name][0]):
            raise TraceError(f"array {name!r} is {array.dtype}; a trace keeps {DTYPES[name][0]}: the denoiser must give that")
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def arrays_of(trace: Trace) -> dict[str, np.ndarray]:
    """The arrays of the schema for a trace."""
    steps = trace.steps
    arrays = {
        "meta": np.frombuffer(json.dumps(meta_of(trace), sort_keys=True).encode(), dtype=np.uint8),
        "tokens": trace.canvas.tokens,
        "predicted": np.stack([step.prediction.tokens for step in steps]),
        "confidence": np.stack([step.prediction.confidence for step in steps]),
        "committed": np.stack([committed_row(step) for step in steps]),
        "seconds": np.array([step.seconds for step in steps], dtype=np.float64),
    }
    if steps[0].prediction.attention is not None:
        arrays["received"] = np.stack([step.prediction.attention.received for step in steps])
        arrays["attention"] = np.concatenate([step.prediction.attention.weights for step in steps])
    if steps[0].prediction.alternatives is not None:
        arrays["choices"] = np.concatenate([step.prediction.alternatives[0] for step in steps])
        arrays["probabilities"] = np.concatenate([step.prediction.alternatives[1] for step in steps])
    for name in OPTIONAL:
        if getattr(steps[0].prediction, name) is not None:
            arrays[name] = np.stack([getattr(step.prediction, name) for step in steps])
    return arrays


def committed_row(step: StepRecord) -> np.ndarray:
    """[L] uint8: tier codes of a step's commits, 255 where it filled."""
    row = np.zeros(step.canvas.length, dtype=np.uint8)
    for commit in step.decision.selection.committed:
        row[commit.position] = 1 + TIERS.index(commit.tier)
    row[step.filled] = FILLED
    return row


def meta_of(trace: Trace) -> dict:
    """Everything of a trace that is not an array."""
    canvas, setup = trace.canvas, trace.setup
    edits = {"edits": [list(edit) for edit in trace.edits]} if trace.edits else {}
    return {
        "schema": SCHEMAS[bool(trace.edits)],
        "prompt": trace.prompt,
        "output": trace.output,
        "model": setup.model,
        "rule": setup.rule,
        "settings": settings_of(setup.make_rule()),
        "temperature": setup.temperature,
        "seed": setup.seed,
        "end_ids": list(setup.end_ids),
        "suppress_end": setup.suppress_end,
        "prompt_length": canvas.prompt_length,
        "block_length": canvas.block_length,
        "mask_id": canvas.mask_id,
        "committed_confidence": [float(c) for c in canvas.committed_confidence],
        "pieces": {str(i): text for i, text in trace.pieces.items()},
        "special": list(trace.special),
        "parent": list(trace.parent) if trace.parent else None,
        **edits,
    }


def load(path: str | Path, limits: Limits = OWN) -> Trace:
    """Read and check a trace file; TraceError says what is wrong and where."""
    if "\0" in str(path):
        raise TraceError("cannot read a file whose name holds a zero byte")
    try:
        with open(path, "rb") as file:
            return from_file(file, limits)
    except OSError as error:
        raise TraceError(f"cannot read {Path(path).name}: {error.strerror or 'no such file'}") from None


def from_file(file, limits: Limits = OWN) -> Trace:
    """A trace from an open binary file."""
    arrays = read_arrays(file, limits.unpacked)
    return Reader(arrays, read_meta(arrays["meta"]), limits).trace()


def read_arrays(file, most: int) -> dict[str, np.ndarray]:
    """The file's arrays, at most `most` bytes, each checked for name, size, dtype and dimensions before its data is read."""
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            if any(member.comment for member in members):  # it may swallow the next member's entry
                raise TraceError("damaged trace file: a trace's arrays carry no comments")
            names = [member.filename.removesuffix(".npy") for member in members]
            check_names(names, sum(member.file_size for member in members), most)
            return {name: read_array(archive, member, name) for name, member in zip(names, members, strict=True)}
    except (zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise TraceError(f"not a trace file: {str(error)[:120] or 'it is cut short'}") from None
    except Exception as error:  # zlib and the header parser raise many kinds for broken data
        if isinstance(error, DawnError):
            raise
        raise TraceError(f"damaged trace file: {type(error).__name__} while reading its arrays") from None


def check_names(names: list[str], size: int, most: int) -> None:
    """Only the schema's arrays, each once, all required ones, within the size limit."""
    if size > most:
        raise TraceError(f"the file unpacks to {size / 2**20:.0f} MB; at most {most / 2**20:.0f} MB are read")
    strange = [name for name in names if name not in DTYPES]
    if strange:
        raise TraceError(f"array {strange[0]!r:.40} is not part of a trace; expected {', '.join(DTYPES)}")
    if len(set(names)) != len(names):
        raise TraceError("an array occurs twice in the file")
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        raise TraceError(f"array {missing[0]!r} is missing")


def read_array(archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str) -> np.ndarray:
    """One array: header first, so that nothing is allocated which the file does not hold."""
    with archive.open(member) as stream:
        version = np.lib.format.read_magic(stream)
        if version != (1, 0):
            raise TraceError(f"array {name!r} has format {version}; expected (1, 0)")
        shape, by_column, dtype = np.lib.format.read_array_header_1_0(stream)
        expected, dimensions = DTYPES[name]
        if dtype != np.dtype(expected) or len(shape) != dimensions or by_column:
            raise TraceError(
                f"array {name!r} is {dtype} with {len(shape)} dimensions; expected {expected} with {dimensions}, by rows"
            )
        wanted, held = math.prod(map(int, shape)) * dtype.itemsize, member.file_size - stream.tell()
        if min(shape) < 0 or wanted != held:
            raise TraceError(f"array {name!r} of shape {shape} needs {wanted} bytes, the file holds {held}")
        data = stream.read(wanted)
    if len(data) != wanted:
        raise TraceError(f"array {name!r} is cut short")
    return np.frombuffer(data, dtype=dtype).reshape(shape)


def read_meta(raw: np.ndarray) -> dict:
    """The metadata as checked plain values."""
    if len(raw) > LONGEST_META:
        raise TraceError(f"metadata is longer than {LONGEST_META} bytes")
    try:
        meta = json.loads(raw.tobytes().decode())
        json.dumps(meta, ensure_ascii=False).encode()  # JSON can hold half of a character, which is no text
    except (ValueError, RecursionError):
        raise TraceError("metadata is not JSON of whole characters") from None
    if not isinstance(meta, dict) or meta.get("schema") not in SCHEMAS:
        found = meta.get("schema") if isinstance(meta, dict) else None
        raise TraceError(f"schema version {found!r:.20}: this program reads versions {SCHEMAS[0]} and {SCHEMAS[1]}")
    if meta["schema"] == SCHEMAS[0]:
        meta["edits"] = []
    for name, check in META_CHECKS.items():
        if name not in meta or not check(meta[name]):
            raise TraceError(f"metadata {name!r} is {'missing' if name not in meta else 'malformed'}")
    return meta


def is_whole(value, low=0, high=2**31 - 1) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def is_real(value) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e9


def are_ids(value) -> bool:
    return isinstance(value, list) and len(value) <= 1000 and all(map(is_whole, value))


def are_pieces(value) -> bool:
    keys = isinstance(value, dict) and all(key.isascii() and key.isdigit() and len(key) < 10 for key in value)
    return keys and all(isinstance(text, str) and len(text) <= 1000 for text in value.values())


def is_parent(value) -> bool:
    return value is None or (isinstance(value, list) and len(value) == 2 and is_text(value[0]) and is_whole(value[1]))


def are_edits(value) -> bool:
    pairs = isinstance(value, list) and len(value) <= 1000 and all(isinstance(one, list) and len(one) == 2 for one in value)
    return pairs and all(is_whole(position) and (token is None or is_whole(token)) for position, token in value)


def is_text(value) -> bool:
    return isinstance(value, str) and len(value) <= 200_000


META_CHECKS = {
    "prompt": is_text,
    "output": is_text,
    "model": is_text,
    "rule": is_text,
    "settings": lambda value: isinstance(value, dict),
    "temperature": lambda value: is_real(value) and 0 <= value <= HOTTEST,
    "seed": lambda value: is_whole(value, high=LARGEST_SEED),
    "end_ids": are_ids,
    "suppress_end": lambda value: isinstance(value, bool),
    "prompt_length": is_whole,
    "block_length": is_whole,
    "mask_id": is_whole,
    "committed_confidence": lambda value: isinstance(value, list) and all(is_real(c) and 0 <= c <= 1 for c in value),
    "pieces": are_pieces,
    "special": are_ids,
    "parent": is_parent,
    "edits": are_edits,
}


class Reader:
    """Arrays and metadata → Trace, step by step; every contradiction is a TraceError that names the step."""

    def __init__(self, arrays: dict[str, np.ndarray], meta: dict, limits: Limits):
        self.arrays, self.meta, self.limits = arrays, meta, limits
        self.row, self.choice = 0, 0  # read so far of attention and of choices
        self.decisions, self.edges = 0, 0  # made so far
        self.check_shapes()
        self.check_ranges()

    def check_shapes(self) -> None:
        """All arrays agree on T and L; optional ones come in pairs."""
        length, most = len(self.arrays["tokens"]), self.limits.positions
        steps = len(self.arrays["predicted"])
        if not 1 <= length <= most or not 1 <= steps <= length:
            raise TraceError(f"a trace has 1 to {most} positions and no more steps than positions, not {length} and {steps}")
        whole = ("predicted", "committed", "received", "confidence", "entropy", "margin")
        shapes = {name: (steps, length) for name in whole} | {"seconds": (steps, 3)}
        for name, shape in shapes.items():
            if name in self.arrays and self.arrays[name].shape != shape:
                raise TraceError(f"array {name!r} has shape {self.arrays[name].shape}; expected {shape}")
        for one, other in (("received", "attention"), ("choices", "probabilities")):
            if (one in self.arrays) != (other in self.arrays):
                raise TraceError(f"arrays {one!r} and {other!r} come together or not at all")
        if "kl" in self.arrays and (len(self.arrays["kl"]), self.arrays["kl"].shape[2]) != (steps, length):
            raise TraceError(f"array 'kl' has shape {self.arrays['kl'].shape}; expected ({steps}, h, {length})")
        if "attention" in self.arrays and self.arrays["attention"].shape[1] != length:
            raise TraceError(f"array 'attention' has {self.arrays['attention'].shape[1]} columns; expected {length}")
        if "choices" in self.arrays and self.arrays["choices"].shape != self.arrays["probabilities"].shape:
            raise TraceError("arrays 'choices' and 'probabilities' differ in shape")

    def check_ranges(self) -> None:
        """Probabilities within [0, 1], attention rows summing to at most 1, ids and times not negative."""
        for name, array in self.arrays.items():
            if name in SPARSE:
                array = array[~np.isnan(array)]
            if array.dtype.kind == "f" and not (np.isfinite(array).all() and (array >= 0).all()):
                raise TraceError(f"array {name!r} holds a number that is negative or not finite")
            if name in ("confidence", "margin", "received", "attention", "probabilities") and (array > 1 + 1e-4).any():
                raise TraceError(f"array {name!r} holds a number above 1")
            if array.dtype.kind == "i" and (array < 0).any():
                raise TraceError(f"array {name!r} holds a negative token id")
        if "attention" in self.arrays and (self.arrays["attention"].sum(axis=1) > 1 + 1e-3).any():
            raise TraceError("a row of array 'attention' sums to more than 1")

    def trace(self) -> Trace:
        """The whole trace, each decision recomputed and compared with the file's."""
        meta = self.meta
        sampling = (meta["temperature"], meta["seed"], tuple(meta["end_ids"]), meta["suppress_end"])
        setup = Setup(meta["model"], meta["rule"], meta["settings"], *sampling)
        try:
            rule, canvas = setup.make_rule(), self.first_canvas()
        except (DawnError, TypeError) as error:
            raise TraceError(f"the trace's settings are not valid: {error}") from None
        steps = tuple(self.steps(rule, canvas, setup.end_ids))
        pieces = {int(i): text for i, text in meta["pieces"].items()}
        parent = tuple(meta["parent"]) if meta["parent"] else None
        setup = replace(setup, settings=settings_of(rule))
        special, edits = tuple(meta["special"]), tuple(map(tuple, meta["edits"]))
        self.check_edits(canvas, edits)
        return Trace(meta["prompt"], setup, steps, meta["output"], pieces, parent, special, edits)

    def check_edits(self, canvas: Canvas, edits) -> None:
        """The first canvas must hold what the edits say was written there."""
        for position, token in edits:
            if position >= canvas.length or canvas.tokens[position] != (canvas.mask_id if token is None else token):
                raise TraceError(f"metadata 'edits' names a token at position {position} which the first canvas does not hold")

    def first_canvas(self) -> Canvas:
        meta = self.meta
        canvas = Canvas.of(self.arrays["tokens"], meta["prompt_length"], meta["block_length"], meta["mask_id"])
        remembered = np.array(meta["committed_confidence"])
        if remembered.shape != canvas.tokens.shape:
            raise TraceError(f"metadata 'committed_confidence' has {len(remembered)} entries; expected {canvas.length}")
        return replace(canvas, committed_confidence=frozen(remembered, np.float32))

    def steps(self, rule: Rule, canvas: Canvas, end_ids: tuple[int, ...]):
        """The StepRecords in order."""
        moment = first_moment(canvas) if not canvas.is_complete else None
        for index in range(len(self.arrays["predicted"])):
            if canvas.is_complete:
                raise TraceError(f"step {index}: nothing is masked any more")
            record = self.step(index, rule, canvas, moment, end_ids)
            self.count_decisions(index, record)
            yield record
            after = record.after
            moment, canvas = next_moment(moment, canvas, after), after
        for name, read in (("attention", self.row), ("choices", self.choice)):
            if name in self.arrays and read != len(self.arrays[name]):
                raise TraceError(f"array {name!r} has {len(self.arrays[name])} rows; the steps need {read}")

    def count_decisions(self, index: int, record: StepRecord) -> None:
        selection = record.decision.selection
        self.decisions += len(selection.committed) + len(selection.refused)
        if self.decisions > self.limits.decisions:
            raise TraceError(f"step {index}: above {self.limits.decisions} decisions in all; such files are not read")

    def count_edges(self, index: int, rule: Rule, prediction: Prediction) -> None:
        """Before the rule makes objects of them: a single step may hold millions."""
        if isinstance(rule, Dawn) and prediction.attention is not None:
            self.edges += int(np.count_nonzero(prediction.attention.weights >= rule.thresholds.edge))
        if self.edges > self.limits.edges:
            raise TraceError(f"step {index}: above {self.limits.edges} edges in all; such files are not read")

    def step(self, index: int, rule: Rule, canvas: Canvas, moment, end_ids) -> StepRecord:
        """One record; its decision must be the file's."""
        seconds = tuple(float(s) for s in self.arrays["seconds"][index])
        prediction = self.prediction(index, canvas, seconds)
        self.check_confidence(index, rule, canvas, prediction.confidence)
        self.check_spreads(index, rule, canvas, prediction)
        self.count_edges(index, rule, prediction)
        try:
            decision = rule.decide(canvas, prediction, moment)
            chosen = decision.selection.positions
            filled, end_id = ended(canvas, chosen, prediction.tokens[chosen], end_ids)
            record = StepRecord(index, canvas, prediction, moment, decision, filled, end_id, seconds)
            differing = np.flatnonzero(committed_row(record) != self.arrays["committed"][index])
            record.after  # noqa: B018 - refuses a commit that the canvas does not allow
        except (DawnError, IndexError, AttributeError) as error:
            raise TraceError(f"step {index}: the rule {rule.name} cannot decide on the recorded numbers ({error})") from None
        if len(differing):
            raise TraceError(
                f"step {index}: the recorded numbers do not lead to what the file says was committed at {differing[0]}"
            )
        return record

    def prediction(self, index: int, canvas: Canvas, seconds) -> Prediction:
        """The prediction of step `index` from its slices of the arrays."""
        window = canvas.window
        attention = alternatives = None
        if "attention" in self.arrays:
            rows = attention_rows(window)
            weights = self.slice("attention", self.row, len(rows), index)
            attention = Attention(rows, weights, self.arrays["received"][index])
            self.row += len(rows)
        if "choices" in self.arrays:
            start, count = self.choice, len(window)
            alternatives = (self.slice("choices", start, count, index), self.slice("probabilities", start, count, index))
            self.choice += count
        confidence = self.arrays["confidence"][index]
        spreads = (self.arrays[name][index] if name in self.arrays else None for name in OPTIONAL)
        return Prediction(self.arrays["predicted"][index], confidence, attention, alternatives, seconds[:2], *spreads)

    def check_confidence(self, index: int, rule: Rule, canvas: Canvas, confidence: np.ndarray) -> None:
        """The rule must find the confidence that it reads."""
        _, end = canvas.block_span(canvas.block)
        read = np.arange(end) if rule.needs.anchors else canvas.candidates
        missing = read[np.isnan(confidence[read])]
        if len(missing):
            raise TraceError(f"step {index}: position {missing[0]} has no confidence, which the rule {rule.name} reads")

    def check_spreads(self, index: int, rule: Rule, canvas: Canvas, prediction: Prediction) -> None:
        """The rule must find the entropy, the margin and the changes that it reads."""
        for name in ("entropy", "margin"):
            values = getattr(prediction, name)
            if getattr(rule.needs, name) and (values is None or np.isnan(values[canvas.candidates]).any()):
                raise TraceError(f"step {index}: array {name!r} lacks a candidate's number, which the rule {rule.name} reads")
        kl, count = prediction.kl, rule.needs.kl
        if count and (kl is None or len(kl) < count or np.isnan(kl[-1, canvas.candidates]).any()):
            raise TraceError(f"step {index}: array 'kl' lacks a candidate's number, which the rule {rule.name} reads")

    def slice(self, name: str, start: int, count: int, index: int) -> np.ndarray:
        if start + count > len(self.arrays[name]):
            raise TraceError(f"step {index}: array {name!r} ends too early")
        return self.arrays[name][start : start + count]
