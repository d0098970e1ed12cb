/* One selection, everywhere: what is selected, its marks in every panel, and pointing at it. */

const selected = (ui) => ui.locked || ui.hovered;

function select(ui, selection, lock) {
  if (!lock) ui.hovered = selection;
  else ui.locked = ui.locked && selection && same(ui.locked, selection) ? null : selection;
  redraw(ui, true);
}

/** What other components select: exactly this position, or nothing. */
function choose(ui, position, lock) {
  const known = Number.isInteger(position) && position >= 0 && position < ui.tokens.length;
  const selection = known ? { position, other: null } : null;
  if (lock || !known) ui.locked = selection;
  ui.hovered = lock ? null : selection;
  redraw(ui, true);
}

/** Tell other components what is selected, once per change. */
function announceSelection(ui) {
  const selection = selected(ui), detail = { position: selection ? selection.position : null, locked: Boolean(ui.locked) };
  if (same(detail, ui.announced)) return;
  ui.announced = detail;
  window.dawnAddress.changed();
  ui.root.dispatchEvent(new CustomEvent("dawn:select", { detail, bubbles: true }));
}

function unlock(ui) {
  ui.locked = ui.hovered = null;
  redraw(ui, true);
}

/** The marks above map and graph; with nothing selected, now or before, there is nothing to draw or to wipe. */
function overlay(ui) {
  const selection = selected(ui);
  overTimeline(ui, selection);
  if (!selection && !ui.overlaid) return;
  overMap(ui, selection);
  overGraph(ui, selection);
  ui.overlaid = Boolean(selection);
}

function paintSelection(ui) {
  const selection = selected(ui), lock = find(ui, ".dx-lock");
  const words = ui.locked ? "locked: Esc unlocks" : "hover or click a token";
  if (lock.textContent !== words) lock.textContent = words;
  markTokens(ui, selection);
  paintCard(ui, selection);
  paintTrajectory(ui, selection);
}

/** Positions that a decision ties to this one: its anchors, its blocker. */
function relatives(ui, p) {
  const one = decided(ui).taken.get(p) || pastCommit(ui, p), refused = decided(ui).left.get(p);
  return one ? one[2].map(([anchor]) => anchor) : refused && refused[2] !== null ? [refused[2]] : [];
}

function pastCommit(ui, p) {
  const k = ui.run.came[p];
  return k >= 0 && k <= ui.at ? ui.run.steps[k].decision.taken.get(p) : undefined;
}

function markTokens(ui, selection) {
  for (const token of ui.marked) token.classList.remove("dx-selected", "dx-related");
  ui.marked = [];
  if (!selection) return;
  const mark = (p, name) => { ui.tokens[p].classList.add(name); ui.marked.push(ui.tokens[p]); };
  mark(selection.position, "dx-selected");
  for (const p of relatives(ui, selection.position).concat(selection.other ?? [])) if (p !== selection.position) mark(p, "dx-related");
}

function overMap(ui, selection) {
  if (!ui.map) return;
  const area = fit(ui, find(ui, ".dx-map .dx-over"), STRIP + GAP + ui.map.rows * ui.map.cell + 18);
  if (!area || !selection) return;
  const { c } = area, { x, y, width, cell, rows, columns } = ui.map, colour = palette(ui).select;
  const row = current(ui).rows.get(selection.position), column = selection.other ?? selection.position;
  c.strokeStyle = colour;
  c.lineWidth = 1.5;
  if (row !== undefined) c.strokeRect(x(0), y(row), columns * width, cell);
  c.strokeRect(x(column), 6, Math.max(2, width), y(rows) - 6);
}

function overGraph(ui, selection) {
  if (!ui.net) return;
  const area = fit(ui, find(ui, ".dx-graph .dx-over"), ui.net.height), node = selection && ui.net.byPosition.get(selection.position);
  if (!area || !node) return;
  const { position, other } = selection, exact = other !== null && other !== undefined;
  const touches = (edge) => (exact ? edge.target === position && edge.source === other : edge.target === position || edge.source === position);
  paintEdges(ui, area.c, touches, true);
  for (const one of [node, exact && ui.net.byPosition.get(other)]) {
    if (!one) continue;
    area.c.beginPath();
    area.c.arc(one.x, one.y, 10, 0, 7);
    stroke2(area.c, palette(ui).select, []);
  }
}

const place = (event, element) => { const box = element.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };

function cellAt(ui, x, y) {
  const { map } = ui;
  if (!map) return null;
  const column = Math.floor((x - GUTTER) / map.width), row = Math.floor((y - STRIP - GAP) / map.cell);
  if (column < 0 || column >= map.columns || row >= map.rows) return null;
  return row < 0 ? { selection: { position: column, other: null }, text: receivedWords(ui, column) } : cellHit(ui, row, column);
}

const receivedWords = (ui, p) => `column ${p} “${textAt(ui, p)}” receives ${number(current(ui).received[p], 5)}${decided(ui).sinks.has(p) ? " · sink, removed" : ""}`;

function cellHit(ui, row, column) {
  const step = current(ui), position = step.window[row], weight = step.attention[row * ui.map.columns + column] / UNIT;
  const more = decided(ui).sinks.has(column) ? " · sink, removed" : column === position ? " · itself" : "";
  return { selection: { position, other: column }, text: `row ${position} “${textAt(ui, position)}” → column ${column} “${textAt(ui, column)}”: ${number(weight, 4)}${more}` };
}

function graphAt(ui, x, y) {
  const { net } = ui;
  if (!net) return null;
  const near = net.nodes.map((node) => [Math.hypot(node.x - x, (node.y - y) * (ui.layout === "along" && y > node.y ? 0.25 : 1)), node]).sort((a, b) => a[0] - b[0])[0];
  if (near && near[0] < 12) return { selection: { position: near[1].position, other: null }, text: nodeWords(ui, near[1]) };
  const edge = net.edges.map((one) => [distance(one, x, y), one]).sort((a, b) => a[0] - b[0])[0];
  if (!edge || edge[0] > 6) return null;
  const { source, target, weight, kind } = edge[1], words = { evidence: "anchor", conflict: "conflict", other: "dependency" };
  return { selection: { position: target, other: source }, text: `${target} “${textAt(ui, target)}” depends on ${source} “${textAt(ui, source)}”: ${number(weight, 4)} · ${words[kind]}` };
}

const nodeWords = (ui, node) => `${node.position} “${textAt(ui, node.position)}” · ${ui.theme.looks[node.role].label}: ${ui.theme.looks[node.role].words}`;

function distance(edge, x, y) {
  let best = Infinity;
  for (let t = 0.04; t < 1; t += 0.04) {
    const [ex, ey] = at(edge, t);
    best = Math.min(best, Math.hypot(ex - x, ey - y));
  }
  return best;
}

function tip(ui, event, text) {
  const box = find(ui, ".dx-tip"), [x, y] = place(event, ui.root);
  box.hidden = !text;
  if (!text) return;
  box.textContent = text;
  box.style.transform = `translate(${clamp(x + 14, 4, Math.max(4, ui.root.clientWidth - box.offsetWidth - 4))}px, ${y + 16}px)`;
}

function watchStage(ui, selector, hit) {
  const stage = find(ui, selector);
  stage.addEventListener("pointermove", (event) => {
    const found = hit(ui, ...place(event, stage));
    tip(ui, event, found && found.text);
    if (!ui.locked || found) select(ui, found && found.selection, false);
  });
  stage.addEventListener("pointerleave", (event) => { tip(ui, event, ""); select(ui, null, false); });
  stage.addEventListener("click", (event) => {
    const found = hit(ui, ...place(event, stage));
    select(ui, found && found.selection, true);
  });
}

/** The timeline: a click goes to the step, and selects the position that was written there. */
function watchTimeline(ui) {
  const stage = find(ui, ".dx-timeline .dx-stage"), at = (event) => timelineAt(ui, ...place(event, stage));
  stage.addEventListener("pointermove", (event) => {
    const found = at(event);
    tip(ui, event, found && found.text);
    if (!ui.locked) select(ui, found && found.selection, false);
  });
  stage.addEventListener("pointerleave", (event) => { tip(ui, event, ""); select(ui, null, false); });
  stage.addEventListener("click", (event) => {
    const found = at(event);
    if (!found) return;
    move(ui, found.step);
    if (found.selection) choose(ui, found.selection.position, true);
  });
}

/** Keys on a picture: arrows move the selection, Enter locks it. walk: (selection, key) → the next selection, or undefined. */
function watchKeys(ui, selector, walk) {
  find(ui, selector).addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const from = selected(ui), lock = event.key === "Enter", next = lock ? from : walk(ui, from, event.key);
    if (!next) return;
    event.preventDefault();
    event.stopPropagation();
    if (lock) return select(ui, next, true);
    if (ui.locked) ui.locked = next;
    select(ui, next, false);
  });
}

/** Left and right: the next node; up and down: the next edge into it. */
function walkGraph(ui, from, key) {
  if (!ui.net || !ui.net.nodes.length || !/^Arrow/.test(key)) return undefined;
  const nodes = ui.net.nodes.map((node) => node.position), here = from ? nodes.indexOf(from.position) : -1;
  if (here < 0) return { position: nodes[0], other: null };
  if (key === "ArrowLeft" || key === "ArrowRight") return { position: nodes[clamp(here + (key === "ArrowLeft" ? -1 : 1), 0, nodes.length - 1)], other: null };
  const parents = [null, ...ui.net.edges.filter((edge) => edge.target === from.position).map((edge) => edge.source)];
  const k = parents.indexOf(from.other) + (key === "ArrowUp" ? 1 : -1);
  return { position: from.position, other: parents[(k + parents.length) % parents.length] };
}

/** Arrows go from cell to cell. */
function walkMap(ui, from, key) {
  const go = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[key];
  if (!ui.map || !go) return undefined;
  const { window: rows } = current(ui), row = from ? rows.indexOf(from.position) : -1;
  if (row < 0) return { position: rows[0], other: rows[0] };
  return { position: rows[clamp(row + go[0], 0, rows.length - 1)], other: clamp((from.other ?? from.position) + go[1], 0, ui.map.columns - 1) };
}

function watchTokens(ui) {
  const box = find(ui, ".dx-tokens"), over = (event) => event.target.closest(".dx-token");
  const selection = (token) => token && { position: Number(token.dataset.position), other: null };
  box.addEventListener("pointerover", (event) => select(ui, selection(over(event)), false));
  box.addEventListener("pointerleave", () => select(ui, null, false));
  box.addEventListener("pointerdown", (event) => { event.preventDefault(); ui.root.focus({ preventScroll: true }); }); // arrows go on scrubbing
  box.addEventListener("click", (event) => over(event) && select(ui, selection(over(event)), true));
  box.addEventListener("focusin", (event) => over(event) && rove(ui, over(event)));
  box.addEventListener("keydown", (event) => tokenKey(ui, event, over(event)));
}

function rove(ui, token) {
  if (ui.roving) ui.roving.tabIndex = -1;
  else ui.tokens[0].tabIndex = -1;
  token.tabIndex = 0;
  ui.roving = token;
}

/** In the canvas the arrows walk from token to token; Enter locks. */
function tokenKey(ui, event, token) {
  const p = token && Number(token.dataset.position), go = { ArrowLeft: p - 1, ArrowRight: p + 1 }[event.key];
  if (!token || (go === undefined && event.key !== "Enter" && event.key !== " ")) return;
  event.preventDefault();
  event.stopPropagation();
  if (go === undefined) return select(ui, { position: p, other: null }, true);
  const next = ui.tokens[clamp(go, 0, ui.tokens.length - 1)];
  next.focus();
  select(ui, { position: Number(next.dataset.position), other: null }, false);
}
