/* The dependency graph: places, edges, nodes. */

const HEIGHT = { along: 380, plane: 440, conflicts: 440 };

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
  const area = fit(ui, stage.querySelector(".dx-base"), tall(ui, "graph", HEIGHT[ui.layout]));
  if (!area) return;
  ui.net = placeGraph(ui, graph, area);
  if (ui.differences) paintGone(ui, area);
  paintEdges(ui, area.c, () => true);
  for (const node of ui.net.nodes) paintNode(ui, area.c, node);
  for (const node of named(ui)) nodeText(ui, area.c, node);
  if (ui.layout === "along") paintAxis(ui, area.c);
  if (ui.layout === "conflicts") paintOrder(ui, area.c);
}

/** Numbers beside the members of the greedy set, in the order in which it was built, and arrows to what each of them dropped. */
function paintOrder(ui, c) {
  const colours = palette(ui), { byPosition } = ui.net;
  greedyOrder(ui).forEach(({ position, drops }, i) => {
    const node = byPosition.get(position);
    for (const one of drops) {
      c.strokeStyle = c.fillStyle = colours.dropped;
      c.lineWidth = 2;
      const line = curve(node, byPosition.get(one), false, 0, 1);
      c.beginPath();
      c.moveTo(...line.from);
      c.quadraticCurveTo(...line.control, ...line.to);
      c.stroke();
      arrow(c, line);
    }
    label(ui, c, i + 1, node.x, node.y - 15, colours.conflict_free, "center");
  });
}

/** Nodes and edges with their pixels. @returns {{nodes, edges, byPosition, base, height}} */
function placeGraph(ui, graph, { width, height }) {
  const base = height - 74, along = ui.layout === "along", nodes = placeNodes(ui, graph, width, height);
  const byPosition = new Map(nodes.map((node) => [node.position, node])), earlier = ui.differences ? edgeKeys(ui, earlierGraph(ui)) : null;
  const edges = edgesOf(graph).filter(({ source, target }) => byPosition.has(source) && byPosition.has(target)).map((edge) => ({
    ...edge, kind: edgeKind(ui, edge.source, edge.target), born: earlier ? !earlier.has(edgeKey(ui, edge)) : false,
    ...curve(byPosition.get(edge.source), byPosition.get(edge.target), along, base, width),
  }));
  return { nodes, edges, byPosition, base, height, width };
}

const edgesOf = (graph) => Array.from(graph.source, (source, i) => ({ source, target: graph.target[i], weight: graph.weight[i] }));

/** Nodes with their pixels; the conflict graph shows the candidates alone, on a ring in reading order. */
function placeNodes(ui, graph, width, height) {
  const base = height - 74, pad = 16, along = ui.layout === "along", [sx, sy] = [(width - 90) / 3.2, (height - 44) / 3.2];
  const nodes = Array.from(graph.nodes, (position, i) => ({
    position, role: graph.roles[i],
    x: along ? pad + graph.along[i] * (width - 2 * pad) : width / 2 - 12 + graph.plane[2 * i] * sx,
    y: along ? base : height / 2 + graph.plane[2 * i + 1] * sy,
  }));
  if (ui.layout !== "conflicts") return nodes;
  const { taken, left } = decided(ui), open = nodes.filter(({ position }) => taken.has(position) || left.has(position));
  return open.map((node, i) => {
    const angle = (2 * Math.PI * i) / open.length - Math.PI / 2;
    return { ...node, x: width / 2 - 12 + (width / 2 - 70) * Math.cos(angle), y: height / 2 + (height / 2 - 30) * Math.sin(angle) };
  });
}

// ---------------------------------------------------------------- since the last step
/** The graph that the step before was read from; null at the first step. */
const earlierGraph = (ui) => (ui.at > 0 ? ui.run.steps[ui.at - 1].decision.graph : null);
const edgeKey = (ui, { source, target }) => target * ui.run.header.length + source;

/** The edges of a graph as a set of numbers, made once per graph. */
function edgeKeys(ui, graph) {
  if (!graph) return new Set();
  graph.keys = graph.keys || new Set(edgesOf(graph).map((edge) => edgeKey(ui, edge)));
  return graph.keys;
}

/** How many edges are new, stayed, and went since the last step. */
function turnover(ui, graph) {
  const now = edgeKeys(ui, graph), then = edgeKeys(ui, earlierGraph(ui));
  const kept = [...now].filter((key) => then.has(key)).length;
  return { born: now.size - kept, kept, gone: then.size - kept };
}

function paintGone(ui, { c, width, height }) {
  const graph = earlierGraph(ui), now = edgeKeys(ui, decided(ui).graph);
  if (!graph) return;
  const before = new Map(placeNodes(ui, graph, width, height).map((node) => [node.position, node]));
  const node = (p) => ui.net.byPosition.get(p) || before.get(p);
  c.globalAlpha = 0.55;
  for (const edge of edgesOf(graph)) {
    if (now.has(edgeKey(ui, edge)) || !node(edge.source) || !node(edge.target)) continue;
    const { from, control, to } = curve(node(edge.source), node(edge.target), ui.layout === "along", height - 74, width);
    c.beginPath();
    c.moveTo(...from);
    c.quadraticCurveTo(...control, ...to);
    stroke2(c, palette(ui).dropped, [1, 4], 1.2);
  }
  c.globalAlpha = 1;
}

// ---------------------------------------------------------------- in figures and words
function paintFigures(ui) {
  const { graph } = decided(ui), words = graph ? figureWords(ui, graph) : "";
  const box = find(ui, "[data-testid=figures]"), order = find(ui, "[data-testid=order]");
  if (box.textContent !== words) box.textContent = words;
  const inOrder = graph && ui.layout === "conflicts" ? orderWords(ui) : "";
  if (order.textContent !== inOrder) order.textContent = inOrder;
  order.hidden = !inOrder;
  find(ui, ".dx-edges").hidden = find(ui, ".dx-graph .dx-files").hidden = !graph;
  clearTimeout(ui.tableTimer);
  if (graph && find(ui, ".dx-edges").open) ui.tableTimer = setTimeout(() => paintTable(ui, graph), TABLE_REST);
}

function figureWords(ui, graph) {
  const { nodes, edges, mean, components, largest, in: most, out } = graph.figures, { born, kept, gone } = (graph.turned = graph.turned || turnover(ui, graph));
  const since = ui.at > 0 ? `; since the last step ${born} born, ${kept} kept, ${gone} gone` : "";
  const degrees = edges ? ` A position depends on ${number(mean, 2)} others on average; ${most[0]} depends on the most (${most[1]}), and most depend on ${out[0]} (${out[1]}). Connected parts: ${components}, the largest of ${largest} nodes.` : "";
  const key = ui.differences && ui.at > 0 ? " Drawn green: born; dotted: gone." : "";
  return `${nodes} nodes, ${edges} edges${since}.${key}${degrees}`;
}

/** The greedy set in the order in which it was built, and what each member dropped. */
function greedyOrder(ui) {
  const { committed, refused } = decided(ui), { confidence } = current(ui);
  const members = committed.filter(([, tier]) => tier === "conflict_free").map(([p]) => p).sort((a, b) => confidence[b] - confidence[a] || a - b);
  return members.map((p) => ({ position: p, drops: refused.filter((one) => one[1] === "dropped" && one[2] === p).map((one) => one[0]) }));
}

function orderWords(ui) {
  const order = greedyOrder(ui), { confidence } = current(ui);
  if (!order.length) return "No position entered the conflict-free set in this step.";
  const parts = order.map(({ position, drops }, i) => `${i + 1}. ${position} (${number(confidence[position])})${drops.length ? `, which drops ${drops.join(", ")}` : ""}`);
  return `The conflict-free set, most confident first: ${parts.join("; ")}.`;
}

const TABLE_REST = 80; // milliseconds that a step rests before its edges are written as a table: a long one takes longer than a frame
const PURPOSE = { evidence: "an anchor it leans on", conflict: "a conflict", other: "a dependency" };

function paintTable(ui, graph) {
  const earlier = edgeKeys(ui, earlierGraph(ui)), body = find(ui, ".dx-edges tbody"), edges = edgesOf(graph);
  while (body.rows.length > edges.length) body.lastChild.remove();
  while (body.rows.length < edges.length) body.append(make("tr", "", null, ...Array.from({ length: 5 }, () => make("td"))));
  edges.forEach((edge, i) => {
    const texts = [edge.target, edge.source, number(edge.weight, 4), PURPOSE[edgeKind(ui, edge.source, edge.target)], earlier.has(edgeKey(ui, edge)) ? "kept" : "born"];
    texts.forEach((text, column) => { if (body.rows[i].cells[column].textContent !== `${text}`) body.rows[i].cells[column].textContent = text; });
  });
}

/** Ask Python for the shown graph as a file and hand it to the visitor. */
async function exportGraph(ui, kind) {
  const plan = proposal(ui), more = plan ? { rule: plan.wanted.rule, settings: fullSettings(ui, plan.wanted) } : {};
  const file = await ask(ui, "export", { trace: ui.run.id, step: ui.at, kind, ...more });
  if (file.error) return notice(ui, file.error);
  window.dawnParts.save(file.name, new Blob([file.text]));
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

/** Edges that decide are as thick as they weigh. Of the others, which are most, the heavier are darker: a thin curve is drawn in a
    third of the time, and a step draws a hundred of them. */
function paintEdges(ui, c, chosen, strong = false) {
  const colours = palette(ui), tone = { evidence: colours.induced, conflict: colours.conflict, other: colours.faint };
  for (const edge of ui.net.edges) {
    if (!chosen(edge)) continue;
    const full = strong || edge.born, thin = edge.kind === "other" && !full;
    c.globalAlpha = full ? 1 : thin ? clamp(edge.weight * 3, 0.25, 0.8) : ui.differences ? 0.34 : 0.8;
    c.strokeStyle = c.fillStyle = edge.born ? colours.added : tone[edge.kind];
    c.lineWidth = thin ? 1 : clamp(edge.weight * 14, 0.8, 5) + (strong ? 1 : 0);
    c.setLineDash(edge.kind === "conflict" ? [4, 3] : []);
    c.beginPath();
    c.moveTo(...edge.from);
    c.quadraticCurveTo(...edge.control, ...edge.to);
    c.stroke();
    c.setLineDash([]);
    if (ui.layout !== "conflicts") arrow(c, edge); // a conflict has no direction
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

function stroke2(c, colour, dash, width = 2.5) {
  c.strokeStyle = colour;
  c.lineWidth = width;
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
