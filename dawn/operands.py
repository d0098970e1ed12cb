"""Do the edges into a computed number lead to what it is computed from, and more often than chance or nearness would have it?

A computed number is the result of an equation, `17 - 7 = 10`: the tokens with a digit behind `=`. The equations are those
that the model wrote itself: a reference solution laid over the canvas would be none that the decoder meets. Each token is
looked at on the canvas of the forward pass that committed it, when it was still masked. The graph has edges into every
position of the window, from every position of the canvas that is no sink (prompt, earlier blocks, masks), so the token has
all its edges there, and they are the very ones that decided. Two readings of where an edge should lead:

    operands   a token with a digit of the equation's left side, 17 or 7, written by then or not
    origins    a token of the same number where it stood before the equation, in the question or as an earlier result

and two shares for each: of all edges into computed numbers those that come from there (`edges_from`), and of all operands
those that at least one edge into their result comes from (`reached`; for origins, of the operands that stood anywhere
before). Counted are the equations that `dawn.pretrain.data.EQUATION` finds: numerals, up to three words as a unit, no
brackets.

The controls have as many edges into each of these tokens, from positions that may hold one (no sink, not itself):

    random     drawn blindly
    nearest    the nearest ones; of two equally far the earlier
    before     the nearest ones among those before it: operands stand on the left, and this control knows

`average` is the graph that decided; `layer k`, counted from 1, is the graph of that layer's attention alone, sinks and edges
found by the same thresholds. Intervals are 95 % bootstrap intervals over problems, since the edges of one problem are not
independent; those of a difference from a control are paired.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, islice

import numpy as np

from dawn.canvas import Canvas
from dawn.decode import Options, StepRecord
from dawn.errors import DataError, RuleError
from dawn.evaluate import same_answer
from dawn.graph import DependencyGraph
from dawn.prediction import Attention, Needs
from dawn.pretrain.data import EQUATION, NUMBER, Problem, final_answer, task_problems
from dawn.rules import Dawn, Rule
from dawn.run import BLOCK, GENERATED, TextModel, start

AVERAGE = "average"
ATTENTION = "attention"
COUNTS = ("edges", "operand_edges", "origin_edges", "operands", "operands_reached", "with_origin", "origins_reached")
SHARES = {
    "edges_from_operands": ("operand_edges", "edges"),
    "edges_from_origins": ("origin_edges", "edges"),
    "operands_reached": ("operands_reached", "operands"),
    "origins_reached": ("origins_reached", "with_origin"),
}
RESAMPLES = 2000
Layers = Callable[[Canvas], Sequence[Attention]]
Incoming = dict[int, np.ndarray]  # computed position → the positions that its edges come from


@dataclass(frozen=True, slots=True)
class Equation:
    """Positions of a canvas. result: the tokens of the computed number; operands: those of each number on the left; origins:
    for each operand those of the same number anywhere before the equation."""

    result: tuple[int, ...]
    operands: tuple[frozenset[int], ...]
    origins: tuple[frozenset[int], ...]


@dataclass(frozen=True, slots=True)
class Number:
    """A numeral of a text: its value, where it begins, its positions on the canvas."""

    value: float
    at: int
    positions: tuple[int, ...]


def numbers_of(texts: Sequence[str]) -> list[Number]:
    """The numerals of the joined texts, in order."""
    ends, text = list(accumulate(map(len, texts))), "".join(texts)
    found = []
    for match in NUMBER.finditer(text):
        touched = range(bisect_right(ends, match.start()), bisect_left(ends, match.end()) + 1)
        spelled = tuple(position for position in touched if any(map(str.isdigit, texts[position])))
        found.append(Number(float(match.group()), match.start(), spelled))
    return found


def equations_on(texts: Sequence[str], start: int) -> list[Equation]:
    """The equations from position `start` on; texts: the text of every position of a canvas."""
    numbers, begin = numbers_of(texts), len("".join(texts[:start]))
    found = []
    for match in EQUATION.finditer("".join(texts), begin):
        *operands, result = [number for number in numbers if match.start() <= number.at < match.end()]
        earlier = [number for number in numbers if number.at < match.start()]
        origins = tuple(frozenset(positions_of(operand.value, earlier)) for operand in operands)
        found.append(Equation(result.positions, tuple(frozenset(operand.positions) for operand in operands), origins))
    return found


def positions_of(value: float, numbers: Sequence[Number]) -> list[int]:
    """The positions of every numeral of that value."""
    return [position for number in numbers if number.value == value for position in number.positions]


def texts_of(model: TextModel, canvas: Canvas) -> list[str]:
    """The text of every position; a line's end for tokens that are no text, so that no equation goes across them."""
    pieces = model.pieces(set(canvas.tokens.tolist()))
    return ["\n" if token in model.special_ids else pieces[token] for token in canvas.tokens.tolist()]


def drawn_blindly(free: np.ndarray, target: int, count: int, random: np.random.Generator) -> np.ndarray:
    """`count` of the positions `free`, each as likely."""
    return random.choice(free, count, replace=False)


def nearest(free: np.ndarray, target: int, count: int, random: np.random.Generator) -> np.ndarray:
    """The `count` nearest to the target, of two equally far the earlier."""
    return free[np.argsort(np.abs(free - target), kind="stable")[:count]]


def nearest_before(free: np.ndarray, target: int, count: int, random: np.random.Generator) -> np.ndarray:
    """The `count` nearest before the target, or all if there are fewer."""
    before = free[free < target]
    return before[max(0, len(before) - count) :]


CONTROLS = {"random": drawn_blindly, "nearest": nearest, "before": nearest_before}
CHOOSERS = (ATTENTION, *CONTROLS)


@dataclass(frozen=True, slots=True)
class Measured:
    """One problem: whether the answer is right, how many equations and computed tokens it has, and by graph the COUNTS of every
    chooser, [choosers, counts]."""

    right: bool
    equations: int
    results: int
    counts: dict[str, np.ndarray]


def measure(model: TextModel, rule: Rule, n: int, seed: int, tokenizer, layers: Layers) -> Iterator[Measured]:
    """The first n held-out problems of a seed, decoded by `rule`; layers: each layer's attention on a canvas. RuleError for a
    rule without DAWN's graph."""
    if not isinstance(rule, Dawn):
        raise RuleError(f"the rule {rule.name} has no dependency graph: choose dawn or one of its ablations and controls")
    problems = islice(task_problems(seed, tokenizer, held_out=True), n)
    seeds = ([seed % 2**32, index] for index in range(n))
    return (measured(model, rule, one, layers, np.random.default_rng(own)) for one, own in zip(problems, seeds, strict=True))


def measured(model: TextModel, rule: Dawn, problem: Problem, layers: Layers, random: np.random.Generator) -> Measured:
    """One problem decoded to its end, then every graph about every number that was computed."""
    run = start(model, problem.question, rule, GENERATED, BLOCK, Options(), watch=Needs())
    steps = list(run.iterate())
    final = steps[-1].after
    equations = equations_on(texts_of(model, final), final.prompt_length)
    computed = {position for equation in equations for position in equation.result}
    incoming = incoming_edges(rule, steps, computed, layers, random)
    counts = {graph: np.array([count(equations, edges) for edges in choosers.values()]) for graph, choosers in incoming.items()}
    given = final_answer(model.text(final.tokens[final.prompt_length :].tolist()))
    return Measured(same_answer(given, problem.answer), len(equations), len(computed), counts)


def incoming_edges(
    rule: Dawn, steps: Sequence[StepRecord], computed: set[int], layers: Layers, random: np.random.Generator
) -> dict[str, dict[str, Incoming]]:
    """Graph → chooser → where the edges into each computed position come from, on the canvas of the step that committed it."""
    found: dict[str, dict[str, Incoming]] = {}
    for step in steps:
        here = computed.intersection(step.decision.selection.positions.tolist())
        for name, graph in graphs(rule, step, layers).items() if here else ():
            choosers = found.setdefault(name, {chooser: {} for chooser in CHOOSERS})
            for target in sorted(here):
                for chooser, sources in chosen(graph, target, step.canvas.length, random).items():
                    choosers[chooser][target] = sources
    return found


def graphs(rule: Dawn, step: StepRecord, layers: Layers) -> dict[str, DependencyGraph]:
    """The graph that decided the step, and that of each layer's attention alone."""
    alone = [rule.graph(step.canvas, replace(step.prediction, attention=one)) for one in layers(step.canvas)]
    return {AVERAGE: step.decision.graph} | {f"layer {index}": graph for index, graph in enumerate(alone, 1)}


def chosen(graph: DependencyGraph, target: int, length: int, random: np.random.Generator) -> dict[str, np.ndarray]:
    """Chooser → the positions that it draws the edges into `target` from, as many as the graph has."""
    sources = graph.source[graph.target == target]
    free = np.setdiff1d(np.arange(length), [*graph.sinks, target])
    controls = {name: choose(free, target, len(sources), random) for name, choose in CONTROLS.items()}
    return {ATTENTION: sources} | controls


def count(equations: Sequence[Equation], incoming: Mapping[int, np.ndarray]) -> list[int]:
    """The COUNTS of a problem's equations."""
    totals = np.zeros(len(COUNTS), dtype=int)
    for one in equations:
        sources = [int(j) for position in one.result if position in incoming for j in incoming[position]]
        operands, origins = frozenset().union(*one.operands), frozenset().union(*one.origins)
        totals += [
            len(sources),
            sum(j in operands for j in sources),
            sum(j in origins for j in sources),
            len(one.operands),
            sum(not operand.isdisjoint(sources) for operand in one.operands),
            sum(bool(origin) for origin in one.origins),
            sum(not origin.isdisjoint(sources) for origin in one.origins),
        ]
    return totals.tolist()


@dataclass(frozen=True, slots=True)
class GraphFigures:
    """Of one graph: its edges into computed tokens; shares: by name and chooser [value, low, high], None where there was
    nothing to divide by; differences: attention minus each control, as [value, low, high]."""

    edges: int
    shares: dict[str, dict[str, list[float] | None]]
    differences: dict[str, dict[str, list[float] | None]]


@dataclass(frozen=True, slots=True)
class Report:
    """n problems, how many were answered right, their equations and computed tokens, and the figures of every graph."""

    n: int
    right: int
    equations: int
    results: int
    graphs: dict[str, GraphFigures]


def report(results: Sequence[Measured]) -> Report:
    """The figures over problems; DataError where no equation was written."""
    names = list(dict.fromkeys(name for one in results for name in one.counts))
    if not names:
        raise DataError(f"the model wrote no equation in {len(results)} answers: there is nothing to measure")
    drawn = np.random.default_rng(0).integers(0, len(results), (RESAMPLES, len(results)))
    times = np.array([np.bincount(row, minlength=len(results)) for row in drawn])  # [RESAMPLES, n]
    nothing = np.zeros((len(CHOOSERS), len(COUNTS)), dtype=int)
    found = {}
    for name in names:
        counts = np.array([one.counts.get(name, nothing) for one in results])  # [n, choosers, counts]
        found[name] = graph_figures(counts.sum(0), np.tensordot(times, counts, 1))
    totals = (sum(one.right for one in results), sum(one.equations for one in results), sum(one.results for one in results))
    return Report(len(results), *totals, found)


def graph_figures(whole: np.ndarray, resampled: np.ndarray) -> GraphFigures:
    """From the sums over all problems [choosers, counts], and over each resample of them [RESAMPLES, choosers, counts]."""
    shares, differences = {}, {}
    for name, (above, below) in SHARES.items():
        columns = COUNTS.index(above), COUNTS.index(below)
        value, spread = (divided(*(sums[..., column] for column in columns)) for sums in (whole, resampled))
        shares[name] = {one: bounds(value[k], spread[:, k]) for k, one in enumerate(CHOOSERS)}
        differences[name] = {
            one: bounds(value[0] - value[k], spread[:, 0] - spread[:, k]) for k, one in enumerate(CHOOSERS) if k
        }
    return GraphFigures(int(whole[0, COUNTS.index("edges")]), shares, differences)


def divided(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """above / below, NaN where below is 0."""
    return np.divide(above, below, out=np.full(above.shape, np.nan), where=below > 0)


def bounds(value: float, spread: np.ndarray) -> list[float] | None:
    """[value, low, high] with the 95 % interval of the resampled values, or None if the value is NaN."""
    if np.isnan(value):
        return None
    return [round(float(one), 4) for one in (value, *np.nanquantile(spread, [0.025, 0.975]))]


def markdown(found: Report) -> str:
    """A table for each share: a row a graph, a column a chooser."""
    parts = [f"{found.n} problems, {found.right} answered right, {found.equations} equations, {found.results} computed tokens"]
    for name in SHARES:
        lines = [["graph", "edges", *CHOOSERS], ["---"] * (2 + len(CHOOSERS))]
        lines += [[graph, str(one.edges), *map(words, one.shares[name].values())] for graph, one in found.graphs.items()]
        parts.append("\n".join([f"{name.replace('_', ' ')}, %", "", *(f"| {' | '.join(line)} |" for line in lines)]))
    return "\n\n".join(parts)


def words(share: list[float] | None) -> str:
    """A share in per cent with its interval."""
    return "–" if share is None else "{:.1f} ({:.1f} to {:.1f})".format(*(100 * one for one in share))
