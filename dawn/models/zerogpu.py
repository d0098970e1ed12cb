"""Decoding on a Hugging Face Space whose GPU is lent for the length of a call (ZeroGPU). Optional: needs the package `spaces`.

The call runs in a process forked off for it: what goes in and what comes out is pickled, so the model travels by its name (the
child inherits the loaded one; one that was forked earlier and is used again loads it) and the records are plain numpy.
A threading.Event does not reach that process: `cancelled` is asked here, between two records, and closing the generator
makes `spaces` stop the other one after the step it is at. Errors do not come back as what they were either: they are
yielded as text and raised here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from dawn.canvas import Canvas
from dawn.decode import Options, StepRecord, decode
from dawn.errors import DawnError, ModelError
from dawn.models.detail import Detail, attention_detail
from dawn.models.registry import load_model
from dawn.prediction import Needs
from dawn.rules import Rule
from dawn.run import Decoder, Run, TextModel

LONGEST_SECONDS = 120

try:
    import spaces
except ImportError:
    spaces = None


def records(model: str, rule: Rule, canvas: Canvas, options: Options, watch: Needs) -> Iterator[StepRecord | str]:
    """The records of a run, made where this is called; the text of an error ends them."""
    try:
        yield from decode(load_model(model), rule, canvas, options, watch)
    except DawnError as error:
        yield str(error)


records_on_gpu = spaces.GPU(duration=LONGEST_SECONDS)(records) if spaces else records


def decoded_on_gpu(run: Run, cancelled: Callable[[], bool]) -> Iterator[StepRecord]:
    """The records of a run, made in the process that has the GPU; ModelError for whatever ends it there."""
    steps = records_on_gpu(run.model.name, run.rule, run.canvas, run.options, run.watch)
    try:
        while isinstance(record := answer(steps), StepRecord):
            yield record
            if cancelled():
                return
        if record is not None:
            raise ModelError(record)
    finally:
        steps.close()


def detail(model: str, canvas: Canvas, layer: int, head: int | None) -> Detail | str:
    """One layer's attention, made where this is called; or the text of an error."""
    try:
        return attention_detail(load_model(model), canvas, layer, head)
    except DawnError as error:
        return str(error)


detail_on_gpu = spaces.GPU(duration=LONGEST_SECONDS)(detail) if spaces else None


def look_into(model: TextModel, canvas: Canvas, layer: int, head: int | None) -> Detail:
    """`attention_detail`, on a lent GPU if there is one; ModelError for whatever ends it there."""
    if detail_on_gpu is None:
        return attention_detail(model, canvas, layer, head)
    found = answer(detail_on_gpu(name, canvas, layer, head) for name in (model.name,))
    if isinstance(found, str):
        raise ModelError(found)
    return found


def answer(steps: Iterator[StepRecord | str]) -> StepRecord | str | None:
    """The next of them, None at the end; ModelError if the GPU's process did not answer."""
    try:
        return next(steps, None)
    except Exception as error:  # gradio's, which this package does not know
        raise ModelError(f"the GPU gave up ({str(error)[:120]}): try again in a while, or with a shorter text") from None


def decoder() -> Decoder | None:
    """What runs are decoded with here: on a lent GPU if there is `spaces`, else (None) in this process."""
    return decoded_on_gpu if spaces else None
