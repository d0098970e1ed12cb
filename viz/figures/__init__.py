"""Plotly figures of a recorded run: each function takes a Trace, and the index of a step where it is of one step.

They are plain `plotly.graph_objects.Figure`s, to be shown in a notebook, changed, and written with Plotly's own functions.
Steps count from 0 as arguments and from 1 on the figures, as on the page; positions from 0. Texts stay text: nothing that a
user or a model wrote is read as markup.
"""

from viz.figures.attention import attention_map
from viz.figures.graph import dependency_arcs, dependency_plane
from viz.figures.sinks import sinks_over_time
from viz.figures.timeline import timeline

__all__ = ["attention_map", "dependency_arcs", "dependency_plane", "sinks_over_time", "timeline"]
