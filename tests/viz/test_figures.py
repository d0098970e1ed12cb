"""The numbers of the figures are those of the records, and text stays text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

import numpy as np
import pytest
from plotly import graph_objects as go

from dawn.errors import DawnError, RuleError, TraceError
from dawn.graph import rows_of
from dawn.metrics import tier_counts, written_at
from dawn.prediction import Needs
from dawn.rules import Confidence, DawnNoSinkFilter
from dawn.trace import load
from tests.docs.blocks import ROOT
from tests.viz.synthetic import END, FIRST, MASK, RULE, synthetic_trace
from viz import figures, layouts, payload, theme
from viz.figures.graph import LABELS
from viz.figures.parts import PATTERNS, marker

EXAMPLE, NO_GRAPH = (load(ROOT / "assets" / "traces" / name) for name in ("example.npz", "example-confidence.npz"))
TRACES = {"example": EXAMPLE, "synthetic": synthetic_trace(64, 40)}
OF_A_STEP = (figures.dependency_arcs, figures.dependency_plane, figures.attention_map)
OF_A_RUN = (figures.timeline, figures.sinks_over_time)
HOSTILE = ("<b>x</b>", "<img src=x>", "&lt;i&gt;", "$x^2$")
LEANING = next(  # a step with edges of every kind
    step.index for step in EXAMPLE.steps if any(one.evidence for one in step.decision.selection.committed)
)
MARKUP = re.compile(r"<(?!br>)|&(?!(?:lt|gt|amp|#36);)|\$")

CASES = pytest.mark.parametrize(
    ("trace", "step"),
    [
        pytest.param(trace, step, id=f"{name} {step}")
        for name, trace in TRACES.items()
        for step in (0, trace.forwards // 2, trace.forwards - 1)
    ],
)
RUNS = pytest.mark.parametrize("trace", TRACES.values(), ids=TRACES)
GRAPHS = pytest.mark.parametrize("make", OF_A_STEP[:2], ids=lambda make: make.__name__)


def marks(figure: go.Figure) -> dict[str, object]:
    """What is drawn, by name; of edges their triangles, which come after their lines."""
    return {one.name: one for one in figure.data}


def points(one: object) -> set[tuple]:
    return set(zip(np.asarray(one.x).tolist(), np.asarray(one.y).tolist(), strict=True))


def bars(figure: go.Figure) -> dict[int, float]:
    """Received attention by position, however it is named."""
    return {x: y for one in figure.data if one.type == "bar" for x, y in zip(one.x.tolist(), one.y.tolist(), strict=True)}


def texts(value: object) -> Iterator[str]:
    """Every text of a figure."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from (text for one in value.values() for text in texts(one))
    elif isinstance(value, (list, tuple)) or (isinstance(value, np.ndarray) and value.dtype == object):
        yield from (text for one in value for text in texts(one))


# ------------------------------------------------------------ dependency graph
@GRAPHS
@CASES
def test_edges_and_weights_are_the_graphs(make, trace, step):
    drawn, record = marks(make(trace, step)), trace.steps[step]
    graph, candidates = record.decision.graph, set(record.canvas.candidates.tolist())
    found = {kind: [tuple(edge) for edge in drawn[name].customdata] for kind, name in LABELS.items() if name in drawn}
    all_of_them = zip(graph.source.tolist(), graph.target.tolist(), graph.weight.tolist(), strict=True)
    assert sorted(edge for edges in found.values() for edge in edges) == sorted(all_of_them)
    leaning = {(anchor, one.position) for one in record.decision.selection.committed for anchor, _ in one.evidence}
    assert {edge[:2] for edge in found.get("evidence", ())} == leaning
    for kind in ("conflict", "other"):
        assert all(({*edge[:2]} <= candidates) == (kind == "conflict") for edge in found.get(kind, ()))


@GRAPHS
@CASES
def test_nodes_have_their_roles_and_sinks_are_ringed(make, trace, step):
    drawn, record = marks(make(trace, step)), trace.steps[step]
    graph = layouts.step_graph(record, record.decision, trace.setup.make_rule())
    for role, look in (theme.TIERS | theme.ROLES).items():
        expected = sorted(node for node in graph if graph.nodes[node]["role"] == role)
        assert sorted(drawn[look.label].customdata if look.label in drawn else ()) == expected
        if expected:
            assert drawn[look.label].marker.color == look.light
    ringed = drawn["sink: edges removed"].customdata if "sink: edges removed" in drawn else ()
    assert list(ringed) == record.decision.graph.sinks.tolist()


@CASES
def test_nodes_stand_where_the_layouts_put_them(trace, step):
    record = trace.steps[step]
    graph = layouts.step_graph(record, record.decision, trace.setup.make_rule())
    along = {(x, 0.0) for x in layouts.along(record.canvas, list(graph)).tolist()}
    plane = {(x, -y) for x, y in layouts.plane(graph, record.canvas).values()}
    for make, places in ((figures.dependency_arcs, along), (figures.dependency_plane, plane)):
        roles = {look.label for look in (theme.TIERS | theme.ROLES).values()}
        assert set().union(*(points(one) for one in make(trace, step).data if one.name in roles)) == places


@pytest.mark.parametrize("name", LABELS.values())
def test_arcs_to_later_positions_are_above_and_point_to_what_depends(name):
    drawn = marks(figures.dependency_arcs(EXAMPLE, LEANING))[name]
    for (source, target, _), height, angle in zip(drawn.customdata, drawn.y, drawn.marker.angle, strict=True):
        assert (height > 0) == (target > source) and angle == (90 if target > source else -90)


def test_edges_begin_and_end_at_their_nodes():
    record, figure = EXAMPLE.steps[LEANING], figures.dependency_plane(EXAMPLE, LEANING)
    graph = layouts.step_graph(record, record.decision, EXAMPLE.setup.make_rule())
    places = {node: (x, -y) for node, (x, y) in layouts.plane(graph, record.canvas).items()}
    for name in LABELS.values():
        (line, triangles) = (one for one in figure.data if one.name == name)
        curves = np.array([line.x, line.y]).T.reshape(len(triangles.customdata), -1, 2)
        assert np.isnan(curves[:, -1]).all() and not np.isnan(curves[:, :-1]).any()
        for curve, (source, target, _) in zip(curves, triangles.customdata, strict=True):
            assert tuple(curve[0]) == pytest.approx(places[source]) and tuple(curve[-2]) == pytest.approx(places[target])


# ------------------------------------------------------------ attention
@CASES
def test_the_map_is_the_windows_rows(trace, step):
    record = trace.steps[step]
    drawn = marks(figures.attention_map(trace, step))["attention"]
    assert np.array_equal(drawn.z, rows_of(record.prediction.attention, record.canvas.window))
    assert [int(label.split(" ")[0]) for label in drawn.y] == record.canvas.window.tolist()
    assert drawn.zmax == pytest.approx(np.delete(drawn.z, record.decision.graph.sinks, axis=1).max())


@CASES
def test_received_attention_stands_above_with_the_level_and_the_sinks(trace, step):
    figure, record = figures.attention_map(trace, step), trace.steps[step]
    sinks = record.decision.graph.sinks.tolist()
    assert bars(figure) == dict(enumerate(record.prediction.attention.received.tolist()))
    received = marks(figure).get("received by a sink")
    assert (received.x.tolist() if received else []) == sinks
    assert [(shape.x0 + shape.x1) / 2 for shape in figure.layout.shapes] == sinks
    level = trace.setup.make_rule().thresholds.sink_level(trace.canvas.length)
    (line,) = (one for one in figure.data if one.name.startswith("τ_sink"))
    assert set(line.y) == {level}
    assert all((value > np.float32(level)) == (position in sinks) for position, value in bars(figure).items())


@CASES
def test_bars_never_cover_their_neighbours(trace, step):
    for figure in (figures.attention_map(trace, step), figures.sinks_over_time(trace)):
        assert all(bars.width == 0.8 for bars in figure.data if isinstance(bars, go.Bar))


def test_a_rule_without_sinks_has_neither_level_nor_frames():
    for figure in (figures.attention_map(NO_GRAPH, 0), figures.sinks_over_time(NO_GRAPH)):
        assert not figure.layout.shapes and {one.name for one in figure.data} <= {"received attention", "attention", "received"}
        assert len(bars(figure)) == NO_GRAPH.canvas.length


# ------------------------------------------------------------ whole runs
@pytest.mark.parametrize("trace", [*TRACES.values(), NO_GRAPH], ids=[*TRACES, "no graph"])
def test_the_timeline_counts_what_came_and_when(trace):
    figure = figures.timeline(trace)
    looks = {look.label: name for name, look in theme.TIERS.items()}
    counts = {looks[one.name]: one.y for one in figure.data if one.type == "bar"}
    filled = [len(step.filled) for step in trace.steps]
    assert counts.pop("filled", np.zeros(trace.forwards)).tolist() == filled
    assert {name: int(count.sum()) for name, count in counts.items()} == tier_counts(trace)
    assert sum(counts.values()).tolist() == [len(step.decision.selection.committed) for step in trace.steps]
    came = set().union(*(points(one) for one in figure.data if one.type == "scatter"))
    assert came == {(step + 1, position) for position, step in written_at(trace).items() if step >= 0}


@RUNS
def test_sinks_over_time_are_the_records(trace):
    figure = figures.sinks_over_time(trace)
    received = np.stack([step.prediction.attention.received for step in trace.steps])
    assert np.array_equal(marks(figure)["received"].z, received)
    assert bars(figure) == dict(enumerate(received.mean(axis=0).tolist()))
    removed = {(sink, step.index + 1) for step in trace.steps for sink in step.decision.graph.sinks.tolist()}
    assert points(marks(figure)["a sink at that step"]) == removed
    assert marks(figure)["received by a sink"].x.tolist() == sorted({sink for sink, _ in removed})


def test_a_rule_that_removes_none_has_no_crosses():
    trace = synthetic_trace(16, 8, rule=DawnNoSinkFilter(RULE.thresholds))
    assert "a sink at that step" not in marks(figures.sinks_over_time(trace))


# ------------------------------------------------------------ errors, text, looks
@pytest.mark.parametrize("make", OF_A_STEP, ids=lambda make: make.__name__)
@pytest.mark.parametrize("step", [-1, EXAMPLE.forwards, 1.0, "0", None])
def test_a_step_that_there_is_not(make, step):
    with pytest.raises(TraceError, match=f"the trace has steps 0 to {len(EXAMPLE.steps) - 1}, not ") as caught:
        make(EXAMPLE, step)
    assert "\n" not in str(caught.value)


def test_a_numpy_index_is_one():
    assert len(figures.dependency_arcs(EXAMPLE, np.int64(2)).data) == len(figures.dependency_arcs(EXAMPLE, 2).data)


@GRAPHS
def test_a_rule_without_a_graph(make):
    with pytest.raises(DawnError, match="the rule confidence reads no dependency graph"):
        make(NO_GRAPH, 0)


def test_a_run_without_attention():
    trace = synthetic_trace(16, 8, rule=Confidence(0.5), watch=Needs())
    for make in (lambda: figures.attention_map(trace, 0), lambda: figures.sinks_over_time(trace)):
        with pytest.raises(RuleError, match="no attention was recorded in this run"):
            make()


def test_text_of_a_model_stays_text():
    pieces = {0: "<s>", MASK: "[MASK]", END: "<|end|>"} | {FIRST + i: HOSTILE[i % len(HOSTILE)] for i in range(8)}
    trace = synthetic_trace(32, 8, pieces=pieces)
    for figure in (*(make(trace, 1) for make in OF_A_STEP), *(make(trace) for make in OF_A_RUN)):
        found = list(texts(figure.to_dict()))
        assert [text for text in found if MARKUP.search(text)] == []
        shown = {unescape(text) for text in found}
        assert all(any(payload.readable(token) in text for text in shown) for token in HOSTILE)
        assert go.Figure(figure).to_json()


def test_the_check_of_texts_finds_markup():
    assert (
        all(MARKUP.search(text) for text in HOSTILE[:2]) and MARKUP.search(HOSTILE[3]) and not MARKUP.search("1 &lt;b&gt;<br>2")
    )


def test_every_tier_has_a_mark_and_a_pattern_of_its_own():
    symbols = [go.Scatter(marker=marker(name)).marker.symbol for name in theme.TIERS]
    assert len(set(symbols)) == len(symbols)
    assert all(go.Scatter(marker=marker(name)).marker.symbol for name in theme.ROLES)
    patterned = [PATTERNS[look.pattern] for look in theme.TIERS.values() if look.pattern not in ("solid", "none")]
    assert len(set(patterned)) == len(patterned) and all(go.Bar(marker={"pattern": {"shape": one}}) for one in patterned)
