"""A step's dependency graph as a file: GraphML or JSON (node-link), with everything that the page shows of it.

Numbers are exact: a float32 stands as the float64 of the same value. An edge source → target means "target depends on source".
"""

from __future__ import annotations

import json

import networkx as nx

from dawn.decode import StepRecord
from dawn.errors import DawnError
from dawn.rules import Rule, settings_of
from dawn.selection import Decision
from viz import layouts, payload

KINDS = ("graphml", "json")


def file_of(facts: payload.Facts, step: StepRecord, decision: Decision, rule: Rule, kind: object) -> dict:
    """{"name", "text"} of the file; DawnError if the rule read no graph, or there is no such kind of file."""
    if kind not in KINDS:
        raise DawnError(f"graphs are written as {' or '.join(KINDS)}, not as {kind!r:.40}")
    graph = described(facts, step, decision, rule)
    text = "\n".join(nx.generate_graphml(graph)) if kind == "graphml" else json.dumps(nx.node_link_data(graph, edges="edges"))
    return {"name": f"graph-step-{step.index + 1}.{kind}", "text": text}


def described(facts: payload.Facts, step: StepRecord, decision: Decision, rule: Rule) -> nx.DiGraph:
    """The graph of `layouts.step_graph` with token, confidence, tier or reason of its nodes, and how it was made."""
    graph = layouts.step_graph(step, decision, rule)
    written, confidence = step.canvas.tokens, step.prediction.confidence
    reasons = {one.position: one.reason.value for one in decision.selection.refused}
    for position, node in graph.nodes(data=True):
        token = step.prediction.tokens[position] if step.canvas.masked[position] else written[position]
        node |= {"token": payload.readable(facts.pieces.get(int(token), "")), "reason": reasons.get(position, "")}
        if confidence[position] == confidence[position]:
            node["confidence"] = float(confidence[position])
    made = {
        "model": payload.readable(facts.setup.model),
        "rule": rule.name,
        "settings": json.dumps(settings_of(rule), sort_keys=True),
    }
    graph.graph.update(made, step=step.index + 1, block=step.block + 1)
    return graph
