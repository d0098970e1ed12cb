"""A run from text to trace: encode the prompt, decode, remember. The one way in for the app, the command line and `eval`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from dawn.canvas import Canvas
from dawn.decode import Options, StepRecord, decode
from dawn.errors import CanvasError
from dawn.infill import SPAN, fix, parse_fixed
from dawn.prediction import EVERYTHING, Denoiser, Needs
from dawn.rules import Rule, settings_of
from dawn.trace import Setup, Trace

LONGEST_PROMPT = 20_000
GENERATED, BLOCK = 96, 32  # positions to generate and of a block, where nobody says
Written = tuple[int, int, float]  # position, token id, confidence


class TextModel(Denoiser, Protocol):
    """A Denoiser that also knows its tokens' text."""

    name: str
    longest: int
    special_ids: tuple[int, ...]

    def encode(self, prompt: str) -> list[int]: ...

    def encode_text(self, text: str) -> list[int]: ...

    def text(self, ids) -> str: ...

    def pieces(self, ids) -> dict[int, str]: ...


Decoder = Callable[["Run", Callable[[], bool]], Iterator[StepRecord]]


@dataclass(slots=True)
class Run:
    """A run in progress: iterate to decode; `trace()` is what there is so far."""

    model: TextModel
    prompt: str
    rule: Rule
    canvas: Canvas
    options: Options = field(default_factory=Options)
    watch: Needs = EVERYTHING
    parent: tuple[str, int] | None = None
    edits: tuple[tuple[int, int | None], ...] = ()
    decoder: Decoder | None = None  # None: in this process
    steps: list[StepRecord] = field(default_factory=list)

    def iterate(self, cancelled: Callable[[], bool] = lambda: False) -> Iterator[StepRecord]:
        """Decode, remembering each record before it is handed on."""
        for record in (self.decoder or decoded)(self, cancelled):
            self.steps.append(record)
            yield record

    def trace(self) -> Trace:
        """The steps so far as a Trace; at least one is needed. Its output begins with the prompt if that held masks."""
        steps, special = tuple(self.steps), tuple(self.model.special_ids)
        start = 0 if self.canvas.masked[: self.canvas.prompt_length].any() else self.canvas.prompt_length
        output = self.model.text(steps[-1].after.tokens[start:].tolist()) if steps else ""
        pieces = self.model.pieces(occurring(steps))
        return Trace(self.prompt, self.setup, steps, output, pieces, self.parent, special, self.edits)

    @property
    def setup(self) -> Setup:
        """How this run is made."""
        ends = tuple(self.model.end_ids) if self.options.stop_at_end else ()
        settings, options = settings_of(self.rule), self.options
        sampling = (options.temperature, options.seed, ends, options.suppress_end)
        return Setup(self.model.name, self.rule.name, settings, *sampling)


def decoded(run: Run, cancelled: Callable[[], bool]) -> Iterator[StepRecord]:
    """The records of a run, made in this process."""
    return decode(run.model, run.rule, run.canvas, run.options, run.watch, cancelled)


def occurring(steps: tuple[StepRecord, ...]) -> list[int]:
    """Ids of all tokens that occur on canvases, as predictions or as alternatives, ascending."""
    arrays = [step.canvas.tokens for step in steps[:1]] + [step.prediction.tokens for step in steps]
    arrays += [step.prediction.alternatives[0].ravel() for step in steps if step.prediction.alternatives]
    return np.unique(np.concatenate(arrays)).tolist() if arrays else []


def start(
    model: TextModel,
    prompt: str,
    rule: Rule,
    generated: int = GENERATED,
    block_length: int = BLOCK,
    options: Options = Options(),
    fixed: str = "",
    written: Sequence[Written] = (),
    **more,
) -> Run:
    """A run from a question, which may hold `[MASK]` spans; CanvasError for an empty or overlong one. fixed: see `infill`;
    written: what stands on the first canvas besides, as on a fork's."""
    if not prompt.strip():
        raise CanvasError("the prompt is empty: type a question")
    if len(prompt) > LONGEST_PROMPT:
        raise CanvasError(f"the prompt has {len(prompt):,} characters; at most {LONGEST_PROMPT:,} are taken: shorten it")
    ids = model.encode(prompt)
    if len(ids) + generated > model.longest:
        raise CanvasError(
            f"{len(ids)} prompt tokens and {generated} to generate exceed the model's {model.longest} positions: shorten one"
        )
    canvas = Canvas.blank(ids, generated, block_length, model.mask_id)
    canvas = fix(canvas, parse_fixed(fixed), model.encode_text) if fixed.strip() else canvas
    canvas = write_again(canvas, written) if written else canvas
    return Run(model, prompt, rule, canvas, options, **more)


def written_on(prompt: str, canvas: Canvas) -> tuple[Written, ...]:
    """What a run's first canvas holds besides the prompt, as `start` takes it; of a prompt with masks, its own tokens too."""
    positions = np.flatnonzero(~canvas.masked)
    if not SPAN.search(prompt):
        positions = positions[positions >= canvas.prompt_length]
    return tuple((int(p), int(canvas.tokens[p]), float(canvas.committed_confidence[p])) for p in positions)


def write_again(canvas: Canvas, written: Sequence[Written]) -> Canvas:
    """The canvas with what `written` says, as certain as it says; CanvasError where it does not fit."""
    new = []
    for position, token, confidence in written:
        if not 0 <= position < canvas.length:
            raise CanvasError(f"position {position} is outside the canvas, which has positions 0 to {canvas.length - 1}")
        if canvas.masked[position]:
            new.append((position, token, confidence))
        elif canvas.tokens[position] != token:
            raise CanvasError(f"position {position} holds another token in this model's prompt")
    canvas = canvas.write(*map(list, zip(*new, strict=True))) if new else canvas
    if canvas.is_complete:
        raise CanvasError("nothing is left to decode")
    return canvas


def fork(
    model: TextModel, trace: Trace, name: str, step: int, rule: Rule, edits: Mapping[int, int | None] | None = None, **more
) -> Run:
    """A run that goes on from the canvas before step `step` of `trace` (called `name`) with another rule; edits: position →
    another token, or None to mask it again. CanvasError where that cannot be."""
    if not 0 <= step < len(trace.steps):
        raise CanvasError(f"the trace has steps 0 to {len(trace.steps) - 1}, not {step}")
    canvas = trace.steps[step].canvas
    for position, token in (edits or {}).items():
        check_edit(trace, canvas, position, token)
    canvas = canvas.edited(edits or {})
    if canvas.is_complete:
        raise CanvasError("with this token nothing is left to decode: choose an earlier step")
    setup = trace.setup
    ends = {"stop_at_end": bool(setup.end_ids), "suppress_end": setup.suppress_end}
    options = Options(setup.temperature, setup.seed, **ends)
    return Run(model, trace.prompt, rule, canvas, options, parent=(name, step), edits=tuple((edits or {}).items()), **more)


def check_edit(trace: Trace, canvas: Canvas, position: int, token: int | None) -> None:
    """Refuse an edit of the prompt or beyond the end, of a mask into a mask, and with the mask token or the same token."""
    if not 0 <= position < canvas.length:
        raise CanvasError(f"position {position} is outside the canvas, which has positions 0 to {canvas.length - 1}")
    if position < canvas.prompt_length and not trace.canvas.masked[position]:
        raise CanvasError(f"position {position} belongs to the prompt, which never changes: ask another question")
    if token is None and canvas.masked[position]:
        raise CanvasError(f"position {position} is still masked before this step: choose a later step to mask it again")
    if token == canvas.mask_id:
        raise CanvasError("the mask token cannot be written: mask the position again")
    if token is not None and token == canvas.tokens[position]:
        raise CanvasError(f"position {position} holds this very token: choose another one")
