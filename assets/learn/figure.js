/* The figure of a step: attention received or arrows above the positions, confidence below them. Drawn as SVG in the page's own
   variables, so that both themes work; sizes are the drawing's own, the page scales it. */

const { make, unpack } = window.dawnParts;
const find = (ui, selector) => ui.root.querySelector(selector);
const clamp = (value, low, high) => Math.max(low, Math.min(high, value));
const short = (value) => value.toFixed(2).replace(/^0\./, ".");

const SPACE = "http://www.w3.org/2000/svg";
const BAND = 190, BARS = 96, DEEP = 64, LEFT = 106, ROOMY = 16; // heights of arrows, of bars, and between the two; margin; a figure with at most so many columns is roomy
const SHAPES = {
  circle: (r) => `M${-r} 0a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0Z`, diamond: (r) => `M0 ${-r * 1.25}L${r * 1.25} 0L0 ${r * 1.25}L${-r * 1.25} 0Z`,
  square: (r) => `M${-r} ${-r}H${r}V${r}H${-r}Z`, triangle: (r) => `M0 ${-r * 1.2}L${r * 1.15} ${r}H${-r * 1.15}Z`,
  times: (r) => `M${-r} ${-r}L${r} ${r}M${-r} ${r}L${r} ${-r}`,
};
const MARKS = { induced: "M0 0L8 8M-2 6L2 10M6 -2L10 2", forced: "M0 0L8 8M8 0L0 8", conflict_free: "M4 3.9L4 4.1" };
const LINES = { 3: ["high"], 4: ["high", "induced"], 5: ["low"], 6: ["low"] }; // the levels that a stage compares with
let figures = 0;

function svg(tag, attributes, ...children) {
  const element = document.createElementNS(SPACE, tag);
  for (const [name, value] of Object.entries(attributes || {})) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** The figure of an anatomy (viz/anatomy.py) as far as a stage, 1 to 7. options: blank draws what is asked about without the answer. */
function stepFigure(theme, doc, stage, options = {}) {
  const roomy = doc.columns.length <= ROOMY, pitch = roomy ? 64 : clamp(960 / doc.columns.length, 26, 46), texts = doc.columns.some((one) => one[1]);
  const at = new Map(doc.columns.map(([p], i) => [p, LEFT + (i + 0.5) * pitch]));
  const drawing = { theme, doc, stage, at, roomy, pitch, id: `lx-${figures++}`, node: BAND + 24, base: BAND + DEEP + BARS, ...options, roles: new Map() };
  const width = LEFT + doc.columns.length * pitch + 16, height = drawing.base + 26 + (texts ? 74 : 0);
  drawing.roles = options.blank ? new Map() : rolesAt(doc, stage);
  const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label(drawing), class: roomy ? "lx-roomy" : "lx-dense" });
  picture.append(patterns(drawing), stage === 1 ? receivedBars(drawing, width) : arrows(drawing), levels(drawing, width), ...doc.columns.map((one) => column(drawing, one)));
  picture.append(side("confidence", drawing.base - BARS / 2), side(stage === 1 ? "received" : "depends on", BAND / 2));
  return picture;
}

function label({ doc, stage, blank }) {
  const about = `${doc.columns.length} positions with their confidence`;
  return blank ? `${about}: the step that is asked about. Edges: ${edgeText(doc)}` : `${about}. ${doc.stages[stage - 1].join(": ")}`;
}

const edgeText = (doc) => doc.edges.slice(0, 40).map(([source, target]) => `${target} depends on ${source}`).join(", ");
const side = (text, y) => svg("text", { x: 16, y, transform: `rotate(-90 16 ${y})`, class: "lx-side" }, text);

/** What each position is after a stage. */
function rolesAt(doc, stage) {
  const roles = new Map(), set = (from, role, positions) => { if (stage >= from) for (const p of positions) roles.set(p, role); };
  set(4, "anchor", doc.anchors);
  set(1, "sink", doc.sinks);
  set(3, "high", doc.high);
  set(4, "induced", doc.induced.map(([p]) => p));
  set(5, "excluded", doc.excluded.map(([p]) => p));
  set(5, "candidate", doc.candidates);
  set(6, "dropped", doc.order.filter(([, taken]) => !taken).map(([p]) => p));
  set(6, "conflict_free", doc.order.filter(([, taken]) => taken).map(([p]) => p));
  set(7, "refused", doc.refused.map(([p]) => p));
  set(7, "forced", doc.committed.filter(([, tier]) => tier === "forced").map(([p]) => p));
  return roles;
}

/** Fills of bars: each tier's colour with its pattern, as everywhere. */
function patterns({ id }) {
  const defs = svg("defs");
  for (const tier of ["high", "induced", "conflict_free", "forced"]) {
    const ground = svg("rect", { width: 8, height: 8, fill: `var(--dx-${tier})` }), fill = svg("pattern", { id: `${id}-${tier}`, width: 8, height: 8, patternUnits: "userSpaceOnUse" }, ground);
    if (MARKS[tier]) fill.append(svg("path", { d: MARKS[tier], class: "lx-mark", "stroke-width": tier === "conflict_free" ? 3 : 1.6 }));
    defs.append(fill);
  }
  return defs;
}

function receivedBars({ doc, at, pitch, blank, node }, width) {
  const top = Math.max(doc.level, ...doc.columns.map((one) => one[4])) * 1.08, group = svg("g"), y = BAND + 8, sinks = new Set(doc.sinks);
  for (const [p, , , , received] of doc.columns) {
    const h = (received / top) * (BAND - 12);
    group.append(svg("rect", { x: at.get(p) - pitch * 0.32, y: y - h, width: pitch * 0.64, height: h, class: !blank && sinks.has(p) ? "lx-sinkbar" : "lx-plainbar" }));
  }
  const line = y - (doc.level / top) * (BAND - 12);
  group.append(svg("path", { d: `M${LEFT} ${line}H${width - 12}`, class: "lx-level" }), svg("text", { x: LEFT - 6, y: line + 4, class: "lx-axis" }, "τ_sink"));
  return group;
}

/** How an edge shows at a stage: what the stage reads stands out, the rest is faint. */
function edgeKind({ doc, stage, roles, blank }, [source, target]) {
  if (blank || stage === 2) return "plain";
  const lean = doc.induced.some(([p, why]) => p === target && why.some(([anchor]) => anchor === source));
  if (stage === 4) return lean ? "lean" : "faint";
  const pair = [roles.get(source), roles.get(target)], first = (role) => role === "high" || role === "induced";
  if (stage === 5) return pair.includes("excluded") && pair.some(first) ? "clash" : pair.every(first) ? "ignored" : "faint";
  if (stage === 6) return doc.order.filter(([p]) => p === source || p === target).length === 2 ? "clash" : "faint";
  return "faint";
}

function arrows(drawing) {
  const { doc, stage, blank } = drawing, group = svg("g");
  if (stage === 2 && !blank) for (const edge of doc.removed) group.append(arrow(drawing, edge, "removed"));
  const kinds = doc.edges.map((edge) => [edge, edgeKind(drawing, edge)]).sort((one, other) => (one[1] === "faint" ? 0 : 1) - (other[1] === "faint" ? 0 : 1));
  for (const [edge, kind] of kinds) group.append(arrow(drawing, edge, kind));
  return group;
}

/** From above the source to above the target, ending in a head. */
function arrow({ at, node, roomy }, [source, target, weight], kind) {
  const [x, to] = [at.get(source), at.get(target)], gap = roomy ? 17 : 11, y = node - gap, rise = Math.min(BAND + 30, 26 + Math.abs(to - x) * 0.42), head = roomy ? 6 : 4;
  const shift = (to > x ? -1 : 1) * (roomy ? 5 : 2), line = `M${x - shift} ${y}C${x - shift} ${y - rise} ${to + shift} ${y - rise} ${to + shift} ${y - head}`;
  const group = svg("g", { class: `lx-edge lx-${kind}` });
  group.append(svg("path", { d: line, class: "lx-line", "stroke-width": 1.2 + 4 * Math.min(0.5, weight) }), svg("path", { d: `M${to + shift} ${y}l${-head} ${-head * 1.6}h${2 * head}Z`, class: "lx-head" }));
  group.append(svg("path", { d: line, class: "lx-hit" }));
  Object.assign(group.dataset, { source, target });
  group.append(svg("title", {}, `${target} depends on ${source}: ${short(weight)}`));
  return group;
}

function levels({ doc, stage, base, blank }, width) {
  const group = svg("g");
  for (const name of blank && stage !== 3 ? [] : LINES[stage] || []) {
    const y = base - doc.settings[name] * BARS;
    group.append(svg("path", { d: `M${LEFT} ${y}H${width - 12}`, class: "lx-level" }), svg("text", { x: LEFT - 6, y: y + (name === "high" ? 2 : 8), class: "lx-axis" }, `τ_${name}`));
  }
  return group;
}

/** A position: its node, its confidence, its number and token. */
function column(drawing, [p, text, masked, confidence]) {
  const { at, roles, node, base, pitch, roomy, id, theme, stage, doc } = drawing, x = at.get(p), role = roles.get(p) || (masked ? "masked" : "written"), group = svg("g", { class: `lx-column lx-is-${role}` });
  group.dataset.position = p;
  const look = theme.looks[role], r = roomy ? 11 : 6.5, shape = SHAPES[look && SHAPES[look.shape] ? look.shape : "circle"];
  group.append(svg("rect", { x: x - pitch / 2, y: node - r - 4, width: pitch, height: base - node + r + 24, class: "lx-touch" }));
  group.append(svg("path", { d: shape(role === "written" ? r * 0.6 : r), transform: `translate(${x} ${node})`, class: "lx-node" }));
  if (confidence !== null) {
    const h = confidence * BARS, tiered = ["high", "induced", "conflict_free", "forced"].includes(role);
    group.append(svg("rect", { x: x - pitch * 0.3, y: base - BARS, width: pitch * 0.6, height: BARS, class: "lx-rail" }));
    group.append(svg("rect", { x: x - pitch * 0.3, y: base - h, width: pitch * 0.6, height: h, class: "lx-bar", ...(tiered ? { style: `fill: url(#${id}-${role})` } : {}) }));
    if (roomy) group.append(svg("text", { x, y: base - h - 5, class: "lx-value" }, short(confidence)));
  }
  const turn = stage === 6 ? doc.order.findIndex(([q]) => q === p) : -1;
  if (turn >= 0 && !drawing.blank) group.append(svg("text", { x, y: node + 5, class: "lx-turn" }, turn + 1));
  group.append(svg("text", { x, y: base + 17, class: "lx-number" }, p));
  if (text) group.append(svg("text", { x: x + 3, y: base + 27, transform: `rotate(-58 ${x + 3} ${base + 27})`, class: "lx-token" }, text.length > 9 ? `${text.slice(0, 8)}…` : text));
  return group;
}
