/* The dependency graph: places, edges, nodes. */

const HEIGHT = { along: 380, plane: 440 };

function paintGraph(ui) {
  const stage = find(ui, ".dx-graph .dx-stage"), none = stage.querySelector(".dx-none"), graph = decided(ui).graph;
  none.hidden = Boolean(graph);
  stage.classList.toggle("dx-off", !graph);
  ui.net = null;
  if (!graph) {
    const more = current(ui).attention ? " Choose a rule of the DAWN family to see the graph that it would read here." : "";
    none.textContent = `The rule “${decided(ui).rule}” decides without a dependency graph.${more}`;
    return;
  }
  const area = fit(ui, stage.querySelector(".dx-base"), HEIGHT[ui.layout]);
  if (!area) return;
  ui.net = placeGraph(ui, graph, area);
  paintEdges(ui, area.c, () => true);
  for (const node of ui.net.nodes) paintNode(ui, area.c, node);
  for (const node of named(ui)) nodeText(ui, area.c, node);
  if (ui.layout === "along") paintAxis(ui, area.c);
}

/** Nodes and edges with their pixels. @returns {{nodes, edges, byPosition, base, height}} */
function placeGraph(ui, graph, { width, height }) {
  const base = height - 74, pad = 16, along = ui.layout === "along", [sx, sy] = [(width - 90) / 3.2, (height - 44) / 3.2];
  const nodes = Array.from(graph.nodes, (position, i) => ({
    position, role: graph.roles[i],
    x: along ? pad + graph.along[i] * (width - 2 * pad) : width / 2 - 12 + graph.plane[2 * i] * sx,
    y: along ? base : height / 2 + graph.plane[2 * i + 1] * sy,
  }));
  const byPosition = new Map(nodes.map((node) => [node.position, node]));
  const edges = Array.from(graph.source, (source, i) => {
    const from = byPosition.get(source), to = byPosition.get(graph.target[i]);
    return { source, target: graph.target[i], weight: graph.weight[i], kind: edgeKind(ui, source, graph.target[i]), ...curve(from, to, along, base, width) };
  });
  return { nodes, edges, byPosition, base, height };
}

/** evidence: an anchor carries an induced token; conflict: between two masked positions; else other. */
function edgeKind(ui, source, target) {
  const { taken, left } = decided(ui), one = taken.get(target);
  if (one && one[2].some(([anchor]) => anchor === source)) return "evidence";
  const open = (p) => taken.has(p) || left.has(p);
  return open(source) && open(target) ? "conflict" : "other";
}

function curve(from, to, along, base, width) {
  const dx = to.x - from.x, dy = to.y - from.y;
  const rise = along ? 30 + (Math.abs(dx) / width) * (base * 1.9 - 30) : Math.hypot(dx, dy) * 0.14;
  const [mx, my] = [(from.x + to.x) / 2, (from.y + to.y) / 2];
  const length = Math.hypot(dx, dy) || 1;
  const control = along ? [mx, base - rise] : [mx - (dy / length) * rise, my + (dx / length) * rise];
  return { from: [from.x, from.y], control, to: [to.x, to.y] };
}

const at = ({ from, control, to }, t) => [0, 1].map((i) => (1 - t) ** 2 * from[i] + 2 * t * (1 - t) * control[i] + t * t * to[i]);

function paintEdges(ui, c, chosen, strong = false) {
  const colours = palette(ui), tone = { evidence: colours.induced, conflict: colours.conflict, other: colours.faint };
  for (const edge of ui.net.edges) {
    if (!chosen(edge)) continue;
    c.globalAlpha = strong ? 1 : edge.kind === "other" ? 0.34 : 0.8;
    c.strokeStyle = c.fillStyle = tone[edge.kind];
    c.lineWidth = clamp(edge.weight * 14, 0.8, 5) + (strong ? 1 : 0);
    c.setLineDash(edge.kind === "conflict" ? [4, 3] : []);
    c.beginPath();
    c.moveTo(...edge.from);
    c.quadraticCurveTo(...edge.control, ...edge.to);
    c.stroke();
    c.setLineDash([]);
    arrow(c, edge);
  }
  c.globalAlpha = 1;
}

function arrow(c, edge) {
  const [x, y] = at(edge, 0.93), [tx, ty] = at(edge, 0.985), angle = Math.atan2(ty - y, tx - x), size = 4 + c.lineWidth;
  c.beginPath();
  c.moveTo(tx, ty);
  c.lineTo(tx - size * Math.cos(angle - 0.42), ty - size * Math.sin(angle - 0.42));
  c.lineTo(tx - size * Math.cos(angle + 0.42), ty - size * Math.sin(angle + 0.42));
  c.fill();
}

const RADIUS = { anchor: 5, written: 2.5, later: 2.5, refused: 5, sink: 5 };

function paintNode(ui, c, node) {
  const colours = palette(ui), { shape } = ui.theme.looks[node.role], r = RADIUS[node.role] || 7, plan = proposal(ui);
  c.beginPath();
  outline(c, shape, node.x, node.y, r);
  c.fillStyle = ["hollow", "ring", "times"].includes(shape) ? colours.panel : colours[node.role];
  if (shape !== "times") c.fill();
  c.strokeStyle = shape === "circle" || shape === "diamond" || shape === "square" ? colours.panel : colours[node.role];
  c.lineWidth = shape === "ring" ? 3 : 1.5;
  c.stroke();
  if (!plan || !(plan.add.has(node.position) || plan.drop.has(node.position))) return;
  c.beginPath();
  c.arc(node.x, node.y, r + 4, 0, 7);
  stroke2(c, plan.add.has(node.position) ? colours.added : colours.dropped, plan.drop.has(node.position) ? [2, 2] : []);
}

const LABELLED = { refused: 1, anchor: 2, sink: 3, written: 4, later: 4 };

/** The nodes whose text has room: what was taken first, then what was refused, then anchors and sinks. */
function named(ui) {
  const rank = (node) => LABELLED[node.role] || 0, along = ui.layout === "along", placed = [];
  const clear = (node) => placed.every((one) => Math.abs(one.x - node.x) > (along ? 10 : 52) || Math.abs(one.y - node.y) > 11);
  for (const node of [...ui.net.nodes].sort((a, b) => rank(a) - rank(b))) if (rank(node) < 4 && clear(node)) placed.push(node);
  return placed;
}

function stroke2(c, colour, dash) {
  c.strokeStyle = colour;
  c.lineWidth = 2.5;
  c.setLineDash(dash);
  c.stroke();
  c.setLineDash([]);
}

function outline(c, shape, x, y, r) {
  const corners = { diamond: [4, 0], square: [4, Math.PI / 4], triangle: [3, -Math.PI / 2], hexagon: [6, 0], pentagon: [5, -Math.PI / 2], wedge: [3, Math.PI / 2], octagon: [8, Math.PI / 8] }[shape];
  if (shape === "times") {
    [[-1, -1, 1, 1], [-1, 1, 1, -1]].forEach(([a, b, d, e]) => { c.moveTo(x + a * r * 0.7, y + b * r * 0.7); c.lineTo(x + d * r * 0.7, y + e * r * 0.7); });
  } else if (corners) {
    for (let i = 0; i <= corners[0]; i++) {
      const angle = corners[1] + (2 * Math.PI * i) / corners[0];
      c[i ? "lineTo" : "moveTo"](x + r * 1.15 * Math.cos(angle), y + r * 1.15 * Math.sin(angle));
    }
  } else c.arc(x, y, r, 0, 7);
}

/** Text that stands at a position in the shown step: written, predicted, or nothing. */
function textAt(ui, p) {
  const { came, last, pieces } = ui.run, step = current(ui);
  if (came[p] === GIVEN || (came[p] >= 0 && came[p] <= step.index)) return pieces[last[p]] ?? "";
  return step.rows.has(p) ? pieces[step.predicted[step.rows.get(p)]] ?? "" : "";
}

const cut = (text, n) => ([...text].length > n ? [...text].slice(0, n - 1).join("") + "…" : text);

function nodeText(ui, c, node) {
  const colours = palette(ui), along = ui.layout === "along", quiet = ["sink", "anchor"].includes(node.role);
  c.font = `${quiet ? 9 : 11}px ${ui.theme.mono}`;
  c.fillStyle = quiet || node.role === "refused" ? colours.soft : colours.ink;
  c.textAlign = along ? "right" : "left";
  c.textBaseline = "middle";
  c.save();
  c.translate(node.x + (along ? 0 : 10), node.y + (along ? 11 : 0));
  if (along) c.rotate(-Math.PI / 2.6);
  c.fillText(cut(textAt(ui, node.position), 8), 0, 0);
  c.restore();
}

function paintAxis(ui, c) {
  const colours = palette(ui), { base } = ui.net, inside = ui.net.nodes.filter((node) => current(ui).rows.has(node.position));
  c.globalCompositeOperation = "destination-over";
  c.fillStyle = colours.raised;
  const [a, b] = [inside[0].x - 8, inside[inside.length - 1].x + 8];
  c.fillRect(a, 4, b - a, ui.net.height - 8);
  c.globalCompositeOperation = "source-over";
  label(ui, c, `block ${current(ui).block + 1}`, a + 6, 13, colours.soft, "left");
  label(ui, c, "before it", 16, 13, colours.soft, "left");
  stroke(c, colours.line, [[4, base + 0.5], [a, base + 0.5]]);
}
