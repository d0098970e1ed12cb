"""The benchmark as tables for a terminal of 80 columns, and as one JSON object."""

from __future__ import annotations

from dataclasses import asdict

from rich.console import Group
from rich.table import Table
from rich.text import Text

from dawn.bench.measure import Estimate
from dawn.bench.records import Bench

INTERVALS = "Medians; in brackets the 95 % bootstrap interval of the median; n: samples."
BARE = (
    "Divided by the bare forward: same network, same canvas, fused attention, no tap, logits of the window's masked "
    "positions alone, argmax. A whole step: forward, attention, confidences, graph, selection, commit, the next canvas."
)
SELECTION = "Milliseconds of rule.decide on synthetic predictions, default settings. W = 32 | W = 64."
CONFIDENCE = (
    "Token and confidence at `rows` positions of L, vocabulary {vocabulary:,}, bfloat16 logits. Time: of a float64 softmax at "
    "all L positions, divided by the time here. Memory: extra MiB here / extra MiB of that softmax, each in a fresh process."
)
TRACE = "Bytes per step with everything recorded, divided by W·L·4 + 64,000: before compression | in the file."
GROWTH = "Exponent b of ~ L^b, least squares over the lengths (selection and trace at W = 64)."


def bench_json(bench: Bench) -> dict:
    """Everything as plain values."""
    growth = [asdict(one) for one in bench.growth]
    return asdict(bench) | {"growth": growth, "limits": [asdict(one) for one in bench.limits], "intervals": INTERVALS}


def bench_tables(bench: Bench) -> Group:
    """All parts, the limits last."""
    facts = ", ".join(f"{name} {value}" for name, value in bench.machine.items())
    parts = (step_table, selection_table, confidence_table, trace_table, growth_table, limit_table)
    return Group(Text(f"{facts}\n{INTERVALS}", style="dim"), *(part(bench) for part in parts))


def titled(title: str, note: str, table: Table) -> Group:
    return Group(Text(f"\n{title}", style="bold"), Text(note, style="dim"), table)


def plain_table(*headers: str) -> Table:
    """A table without a box, the first column to the left."""
    table = Table(box=None, header_style="bold")
    for index, header in enumerate(headers):
        table.add_column(header, justify="right" if index else "left")
    return table


def shown(value: Estimate) -> str:
    return f"{value.median:.3f} [{value.low:.3f}, {value.high:.3f}]"


def step_table(bench: Bench) -> Group:
    table = plain_table("network", "L", "step", "recorded step", "bare ms", "n")
    networks = list(dict.fromkeys(step.network for step in bench.steps))
    for step in bench.steps:
        name = f"({chr(97 + networks.index(step.network))})"
        bare = f"{step.bare_milliseconds.median:.1f}"
        table.add_row(name, str(step.length), shown(step.plain), shown(step.recorded), bare, str(step.plain.n))
    legend = "; ".join(f"({chr(97 + index)}) {name}" for index, name in enumerate(networks))
    return titled("A whole step of DAWN", f"{BARE} {legend}.", table)


def selection_table(bench: Bench) -> Group:
    lengths = sorted({cost.length for cost in bench.selections})
    table = plain_table("rule", *(f"L = {length}" for length in lengths))
    medians = {(cost.rule, cost.length, cost.window): f"{cost.milliseconds.median:.2f}" for cost in bench.selections}
    windows = sorted({cost.window for cost in bench.selections})
    for rule in dict.fromkeys(cost.rule for cost in bench.selections):
        cells = (" | ".join(medians[rule, length, window] for window in windows) for length in lengths)
        table.add_row(rule, *cells)
    return titled("Selection", f"{SELECTION} n = {bench.selections[0].milliseconds.n}.", table)


def confidence_table(bench: Bench) -> Group:
    table = plain_table("L", "rows", "time", "memory", "ms", "n")
    for cost in bench.confidences:
        memory = "?" if cost.extra_mib is None else f"{cost.extra_mib:.0f} / {cost.float64_extra_mib:.0f}"
        times = f"{cost.milliseconds.median:.0f}"
        table.add_row(str(cost.length), str(cost.rows), shown(cost.speedup), memory, times, str(cost.speedup.n))
    return titled("Confidence", CONFIDENCE.format(vocabulary=bench.confidences[0].vocabulary), table)


def trace_table(bench: Bench) -> Group:
    table = plain_table("L", "W", "kB a step", "before", "file", "steps")
    for cost in bench.traces:
        shares = (f"{cost.array_bytes / cost.limit:.2f}", f"{cost.file_bytes / cost.limit:.2f}")
        table.add_row(str(cost.length), str(cost.window), f"{cost.array_bytes / 1000:.0f}", *shares, str(cost.steps))
    return titled("Trace", TRACE, table)


def growth_table(bench: Bench) -> Group:
    table = plain_table("what", "b", "lengths")
    for one in bench.growth:
        table.add_row(one.what, f"{one.slope:.2f}", ", ".join(map(str, one.lengths)))
    return titled("Growth", GROWTH, table)


def limit_table(bench: Bench) -> Group:
    table = plain_table("limit", "measured", "limit", "")
    for one in bench.limits:
        style = "green" if one.holds else "bold red"
        table.add_row(one.what, f"{one.value:.3f}", f"{one.limit:g}", Text("holds" if one.holds else "broken", style=style))
    return titled("Limits", "The worst measured case of each.", table)
