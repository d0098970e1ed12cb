"""What the benchmark finds: a record for each thing measured, how they grow with the length, and the limits they keep to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from dawn.bench.measure import Estimate, slope
from dawn.rules import RULES

STEP_LIMIT, RECORDED_LIMIT = 1.15, 1.30  # over the bare forward, at the embedded size
EMBEDDED_LENGTH = 142
SELECTION_LIMIT, SELECTION_AT = 2.0, (1024, 64)  # milliseconds at (L, W)
SPEEDUP_LIMIT, MEMORY_LIMIT = 3.0, 0.1
GROWTH_WINDOW = 64


@dataclass(frozen=True, slots=True)
class StepCost:
    """A whole step of DAWN on canvases of `length` positions, with and without recording everything.

    plain, recorded: its time divided by the bare forward's on the same canvas. Then the three times in milliseconds.
    """

    network: str
    length: int
    plain: Estimate
    recorded: Estimate
    bare_milliseconds: Estimate
    plain_milliseconds: Estimate
    recorded_milliseconds: Estimate


@dataclass(frozen=True, slots=True)
class SelectionCost:
    """One rule, with its default settings, on canvases of `length` positions of which `window` are decided about."""

    rule: str
    length: int
    window: int
    milliseconds: Estimate


@dataclass(frozen=True, slots=True)
class ConfidenceCost:
    """Token and confidence at `rows` of `length` positions here, against a float64 softmax at all of them.

    speedup: time of the float64 softmax divided by the time here. Extra memory: beyond the logits, in MiB; None where
    the system does not tell (Linux does).
    """

    length: int
    rows: int
    vocabulary: int
    speedup: Estimate
    milliseconds: Estimate
    float64_milliseconds: Estimate
    extra_mib: float | None
    float64_extra_mib: float | None

    @property
    def memory_share(self) -> float | None:
        """Extra memory here divided by that of the float64 softmax."""
        return None if self.extra_mib is None else self.extra_mib / self.float64_extra_mib


@dataclass(frozen=True, slots=True)
class TraceCost:
    """Bytes per step of one trace with everything recorded; limit: W·L·4 + 64 kB."""

    length: int
    window: int
    steps: int
    array_bytes: float
    file_bytes: float
    limit: int


@dataclass(frozen=True, slots=True)
class Growth:
    """`what` grows as length to the power of `slope`, over the lengths measured."""

    what: str
    lengths: tuple[int, ...]
    slope: float


@dataclass(frozen=True, slots=True)
class Limit:
    """The worst value measured of what has a limit, and whether it keeps to it."""

    what: str
    value: float
    limit: float
    holds: bool


@dataclass(frozen=True, slots=True)
class Bench:
    """One run of the benchmark. The first steps are the embedded model's."""

    machine: dict
    steps: tuple[StepCost, ...]
    selections: tuple[SelectionCost, ...]
    confidences: tuple[ConfidenceCost, ...]
    traces: tuple[TraceCost, ...]

    @property
    def growth(self) -> list[Growth]:
        """The slope of everything that was measured at several lengths."""
        return [*self.step_growth(), *self.selection_growth(), *self.confidence_growth(), self.trace_growth()]

    def step_growth(self) -> Iterator[Growth]:
        for network in dict.fromkeys(step.network for step in self.steps):
            steps = [step for step in self.steps if step.network == network]
            kind = "embedded" if network == self.steps[0].network else "LLaDA-shaped"
            yield grown(f"bare forward, {kind}", steps, lambda step: step.bare_milliseconds.median)
            yield grown(f"whole step, {kind}", steps, lambda step: step.plain_milliseconds.median)
            yield grown(f"recorded step, {kind}", steps, lambda step: step.recorded_milliseconds.median)

    def selection_growth(self) -> Iterator[Growth]:
        for rule in RULES:
            costs = [cost for cost in self.selections if cost.rule == rule and cost.window == GROWTH_WINDOW]
            yield grown(f"selection, {rule}", costs, lambda cost: cost.milliseconds.median)

    def confidence_growth(self) -> Iterator[Growth]:
        every = [cost for cost in self.confidences if cost.rows == cost.length]
        yield grown("confidence of all rows, time", every, lambda cost: cost.milliseconds.median)
        yield grown("float64 softmax, time", every, lambda cost: cost.float64_milliseconds.median)
        if all(cost.extra_mib for cost in every):
            yield grown("confidence of all rows, memory", every, lambda cost: cost.extra_mib)
            yield grown("float64 softmax, memory", every, lambda cost: cost.float64_extra_mib)

    def trace_growth(self) -> Growth:
        costs = [cost for cost in self.traces if cost.window == GROWTH_WINDOW]
        return grown("trace bytes", costs, lambda cost: cost.array_bytes)

    @property
    def limits(self) -> list[Limit]:
        """What the project promises, each with the worst that was measured."""
        step = min(self.steps, key=lambda step: (step.network != self.steps[0].network, abs(step.length - EMBEDDED_LENGTH)))
        longest = max(cost.length for cost in self.confidences)
        confidences = [cost for cost in self.confidences if cost.length == longest]
        selections = [cost for cost in self.selections if (cost.length, cost.window) == SELECTION_AT]
        slowest = max(selections, key=lambda cost: cost.milliseconds.median)
        shares = [cost.memory_share for cost in confidences if cost.memory_share is not None]
        return [
            at_most(f"step / bare forward, embedded, L = {step.length}", step.plain.median, STEP_LIMIT),
            at_most("the same with recording", step.recorded.median, RECORDED_LIMIT),
            at_most(f"selection, L = 1024, W = 64, slowest: {slowest.rule}, ms", slowest.milliseconds.median, SELECTION_LIMIT),
            at_least("float64 softmax / confidence, time", min(cost.speedup.median for cost in confidences), SPEEDUP_LIMIT),
            *(at_most("confidence / float64 softmax, memory", share, MEMORY_LIMIT) for share in sorted(shares)[-1:]),
            at_most("trace bytes / (W·L·4 + 64 kB)", max(cost.array_bytes / cost.limit for cost in self.traces), 1.0),
        ]


def grown(what: str, costs: list, value: Callable) -> Growth:
    """The slope of `value` over the lengths of the costs."""
    lengths = tuple(cost.length for cost in costs)
    return Growth(what, lengths, slope(lengths, [value(cost) for cost in costs]))


def at_most(what: str, value: float, limit: float) -> Limit:
    return Limit(what, value, limit, value <= limit)


def at_least(what: str, value: float, limit: float) -> Limit:
    return Limit(what, value, limit, value >= limit)
